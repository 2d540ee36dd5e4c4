/* The parts of the JSON codec's emitter. */
#ifndef BACKSTORY_EMIT_C_JSON_PRIVATE_H
#define BACKSTORY_EMIT_C_JSON_PRIVATE_H

#include "emit_c_runtime_private.h"

extern const char bst__c_json_text[]; /* c_json.text */

/* Names of the codec, beside those of the core. */
typedef struct bst__c_json {
    bst__c *c;
    bst__c_runtime runtime;
    const char *event_version, *event_to_json, *event_from_json;
    const char *command_to_json, *command_from_json;
    const char *include_guard;
} bst__c_json;

/* emit_c_json_fields.c: write_<kind>_<name>() and read_<kind>_<name>() of one payload that carries
 * something, and the functions for its enums. `kind` is "event" or "command". */
void bst__c_json_add_enums(bst__c_json *j, bst_strbuf *out);
void bst__c_json_add_write(bst__c_json *j, const char *kind, const bst__c_record *record,
                           bst_strbuf *out);
void bst__c_json_add_read(bst__c_json *j, const char *kind, const bst__c_record *record,
                          bst_strbuf *out);
/* Whether reading it makes texts that have to be kept. */
bool bst__c_json_makes_texts(const bst__c_record *record);

#endif
