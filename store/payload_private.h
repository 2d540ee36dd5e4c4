/* The payload of an event as JSON, to and fro. */
#ifndef BACKSTORY_PAYLOAD_PRIVATE_H
#define BACKSTORY_PAYLOAD_PRIVATE_H

#include "backstory/machine.h"
#include "json_scan_private.h"

/* Appends `{"amount":"12.30"}`, in the order of the fields. What is absent is left out. */
void bst__payload_write(const bst_event_type *event, const bst_value *fields, bst_strbuf *out);

typedef struct bst__payload_error {
    const char *at;     /* into the text: where the mistake is */
    bst_strbuf message; /* the caller's */
} bst__payload_error;

/* Reads it back into `fields`, which has room for the machine's largest payload
 * (bst_machine_payload_max) and of which event->field_count are filled. A payload of an older
 * version, which the machine must know, is read as one of this. Text points into `text`, or into
 * `arena` where escapes had to be decoded. BST_INVALID with `reterr` filled when it is no payload
 * of this event, BST_NOMEM. */
bst_status bst__payload_read(const bst_event_type *event, uint32_t version, const char *text,
                             size_t len, bst_arena *arena, bst_value *fields,
                             bst__payload_error *reterr);

#endif
