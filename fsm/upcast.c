/* Reading payloads of older versions: a climb, each step as the machine file says it. */
#include <string.h>

#include "backstory/step.h"

/* The number of the upcast that a version begins at; the count for the current one. */
static uint32_t first_step(const bst_event_type *event, uint32_t version) {
    const uint32_t oldest = event->version - event->upcast_count;
    return version < oldest || version > event->version ? BST_NONE : version - oldest;
}

const bst_field *bst_event_fields_at(const bst_event_type *event, uint32_t version,
                                     uint32_t *ret_count) {
    const uint32_t step = first_step(event, version);
    if (step == BST_NONE) {
        return NULL;
    }
    static const bst_field none = {0}; /* a payload without fields is one, too */
    const bool current = step == event->upcast_count;
    const bst_field *fields = current ? event->fields : event->upcasts[step].fields;
    *ret_count = current ? event->field_count : event->upcasts[step].field_count;
    return fields ? fields : &none;
}

/* From one version to the next. */
static bst_eval_result climb(const bst_upcast *upcast, const bst_value *from, uint32_t next_count,
                             bst_value *to, uint32_t *ret_field) {
    const bst_records records = {{[BST_ROOT_EVENT] = from}};
    for (uint32_t i = 0; i < next_count; i++) {
        to[i] = BST_ABSENT;
    }
    for (uint32_t i = 0; i < upcast->assignment_count; i++) {
        const bst_assignment *a = &upcast->assignments[i];
        *ret_field = a->field;
        if (!a->expr) {
            to[a->field] = from[a->event_field];
            continue;
        }
        const bst_eval_result result = bst_expr_eval(a->expr, &records, &to[a->field]);
        if (result != BST_EVAL_OK) {
            return result;
        }
    }
    return BST_EVAL_OK;
}

bst_upcast_result bst_upcast_payload(const bst_event_type *event, uint32_t version,
                                     const bst_value *payload, bst_value *ret_payload,
                                     const char **reterr_field) {
    bst_value room[2][BST_FIELDS_MAX]; /* used only as far as the payloads go */
    const bst_value *from = payload;
    uint32_t step = first_step(event, version);
    if (step == BST_NONE) {
        return BST_UPCAST_UNKNOWN;
    }
    for (; step < event->upcast_count; step++) {
        const bool last = step + 1 == event->upcast_count;
        const bst_field *next = last ? event->fields : event->upcasts[step + 1].fields;
        const uint32_t count = last ? event->field_count : event->upcasts[step + 1].field_count;
        bst_value *to = room[step % 2];
        uint32_t field = 0;
        if (climb(&event->upcasts[step], from, count, to, &field) != BST_EVAL_OK) {
            *reterr_field = next[field].name;
            return BST_UPCAST_OVERFLOW;
        }
        from = to;
    }
    if (event->field_count > 0) {
        memmove(ret_payload, from, event->field_count * sizeof *from);
    }
    return BST_UPCAST_OK;
}
