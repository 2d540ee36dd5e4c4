/* JSON Schemas of what events and commands carry, and examples of both, for the emitters that
 * describe messages (jsonschema, asyncapi, cloudevents).
 *
 * The schemas keep to what JSON Schema 2020-12 and draft-07 (AsyncAPI's) mean alike: a "$ref"
 * stands alone, and no keyword of one of them only is used. They describe the canonical form, in
 * which the store and JSON Lines give events out.
 */
#ifndef BACKSTORY_EMIT_SCHEMA_PRIVATE_H
#define BACKSTORY_EMIT_SCHEMA_PRIVATE_H

#include <jansson.h>

#include "emit_emissions_private.h"
#include "emit_private.h"

/* One document on its way. */
typedef struct bst__schema {
    const bst_machine *machine;
    const char *refs; /* where shared schemas are: "#/$defs/" */
    bst_arena *arena;
    const bst__emission *emissions; /* by event */
    const bst__payload *payloads;
    uint32_t payload_count;
    bst_strbuf text; /* scratch */
    bool uses_date;
    bool failed; /* out of memory */
} bst__schema;

void bst__schema_init(bst__schema *s, const bst_machine *machine, const char *refs);
/* Writes the document, takes it over, and releases everything. */
bst_status bst__schema_finish(bst__schema *s, json_t *document, bst_strbuf *out, bst_diags *diags);

/* Both take over `value`; NULL is out of memory. */
void bst__schema_put(bst__schema *s, json_t *object, const char *key, json_t *value);
void bst__schema_add(bst__schema *s, json_t *array, json_t *value);
json_t *bst__schema_text(bst__schema *s, const char *format, ...) BST_PRINTF(2, 3);
/* { "$ref": refs + name } */
json_t *bst__schema_ref(bst__schema *s, const char *format, ...) BST_PRINTF(2, 3);
json_t *bst__schema_payload_ref(bst__schema *s, const char *group, const bst__payload *payload);

/* Label and description, where there are any. */
void bst__schema_describe(bst__schema *s, json_t *object, const char *label,
                          const char *description);
/* The payload of an event or a command: an object and nothing beside its fields. */
json_t *bst__schema_of_payload(bst__schema *s, const bst_field *fields, uint32_t count);
/* The shared schemas: "timestamptz" and "uuid" always, "date" if a type asked for it. */
void bst__schema_add_shared(bst__schema *s, json_t *definitions);
/* The schema of the state after an event; and the commands it can come of, and null. */
json_t *bst__schema_states_after(bst__schema *s, uint32_t event);
json_t *bst__schema_commands_of(bst__schema *s, uint32_t event);
/* "data.PaymentCaptured", "data.PaymentCaptured.v1": the names of schemas and messages; a scratch
 * text until the next. */
const char *bst__schema_name(bst__schema *s, const char *group, const bst__payload *payload);
/* How an event is known: the words of the store, as an array. */
json_t *bst__schema_bases(bst__schema *s);

/* emit_example.c. Values that are valid and always the same. */
/* The event as a CloudEvent in JSON. */
json_t *bst__example_cloudevent(bst__schema *s, const bst__payload *payload);
json_t *bst__example_command(bst__schema *s, uint32_t command);

#endif
