/* Do these events lead from where an entity stands to what its row says? Payloads are solved for,
 * guards are asked, and the events are folded.
 */
#include "step_private.h"

#include <stdlib.h>
#include <string.h>

bool bst__step_room(bst__stepper *s, uint32_t events) {
    const size_t values = (size_t)events * bst_machine_payload_max(s->machine);
    if (events > s->happening_room) {
        bst_happening *const more = realloc(s->happenings, 2u * events * sizeof *more);
        if (!more)
            return false;
        s->happenings = more;
        s->happening_room = 2u * events;
    }
    if (values > s->value_room) {
        bst_value *const more = realloc(s->values, 2 * values * sizeof *more);
        if (!more)
            return false;
        s->values = more;
        s->value_room = 2 * values;
    }
    return true;
}

static bool is_mapped(const bst__stepper *s, uint32_t field) {
    return s->mapping->fields[field].kind != BST_FROM_NOTHING;
}

uint32_t bst__step_difference(const bst__stepper *s, const bst_value *a, const bst_value *b) {
    for (uint32_t f = 0; f < s->machine->field_count; f++) {
        if (is_mapped(s, f) && !bst_value_equal(&s->machine->fields[f].type, &a[f], &b[f]))
            return f;
    }
    return BST_NONE;
}

/* Where the entity stands before. */
static void start_over(bst__stepper *s) {
    if (s->known->version == 0) {
        bst_entity_clear(s->machine, &s->folded);
        return;
    }
    s->folded.state = s->known->state;
    if (s->machine->field_count > 0)
        memcpy(s->folded.fields, s->known->fields,
               s->machine->field_count * sizeof *s->folded.fields);
}

/* What a guard forbids is folded all the same: it may be all that stands in the way, or not. */
static bool try_step(bst__stepper *s, uint32_t transition, bst_value *payload, bool *ret_negative,
                     bool *ret_forbidden, uint32_t *ret_guard) {
    const bst_transition *const t = &s->machine->transitions[transition];
    if (!bst__payload_solve(s->synth, transition, &s->folded, s->target.fields, s->row, payload,
                            ret_negative))
        return false;
    if (!*ret_forbidden &&
        !bst__payload_allowed(s->synth, transition, &s->folded, payload, ret_guard))
        *ret_forbidden = true;
    const bst_event event = {t->event, t->to, payload};
    return bst_apply(s->machine, &s->folded, &event) == BST_APPLY_OK;
}

/* Fields in which the row is other than what was folded. */
static uint32_t find_left(const bst__stepper *s, uint32_t left[static BST__LEFT_MAX]) {
    uint32_t count = 0;
    for (uint32_t f = 0; f < s->machine->field_count; f++) {
        if (!is_mapped(s, f) || bst_value_equal(&s->machine->fields[f].type, &s->folded.fields[f],
                                                &s->target.fields[f]))
            continue;
        if (count < BST__LEFT_MAX)
            left[count] = f;
        count++;
    }
    return count;
}

static bool leaves_fields(bst__stepper *s) {
    uint32_t left[BST__LEFT_MAX] = {0};
    const uint32_t count = find_left(s, left);
    if (count > 0 && count < s->left_count) {
        memcpy(s->left, left, sizeof left);
        s->left_count = count;
    }
    return count > 0;
}

static bst__fit note_forbidden(bst__stepper *s, uint32_t guard) {
    uint32_t left[BST__LEFT_MAX];
    const uint32_t count = find_left(s, left);
    if (count < s->forbidden_left_count) {
        s->forbidden_left_count = count;
        s->refused_guard = guard;
    }
    return BST__FIT_NO;
}

void bst__step_begin(bst__stepper *s) {
    s->left_count = s->forbidden_left_count = BST_NONE;
    if (s->known->version == 0 || s->known->state != s->target.state)
        return;
    start_over(s);
    (void)leaves_fields(s);
}

/* Puts the fields right that the events have left. */
static bool mend(bst__stepper *s, bst_value *payload) {
    if (s->reconcile == BST_NONE || s->folded.state == BST_NONE ||
        !bst__payload_reconcile(s->synth, s->reconcile, &s->folded, s->target.fields, payload))
        return false;
    const bst_event event = {s->reconcile, s->folded.state, payload};
    return bst_apply(s->machine, &s->folded, &event) == BST_APPLY_OK &&
           bst__step_difference(s, s->folded.fields, s->target.fields) == BST_NONE;
}

bst__fit bst__step_try(bst__stepper *s, const uint32_t *transitions, uint32_t count, bool mended) {
    const uint32_t payload_max = bst_machine_payload_max(s->machine);
    bool negative = false, forbidden = false;
    uint32_t guard = BST_NONE;
    if (!bst__step_room(s, count + 1))
        return BST__FIT_NO;
    start_over(s);
    for (uint32_t i = 0; i < count; i++) {
        bst_value *const payload = s->values + (size_t)i * payload_max;
        if (!try_step(s, transitions[i], payload, &negative, &forbidden, &guard))
            return BST__FIT_NO;
        s->happenings[i] = (bst_happening){.fields = payload};
    }
    if (forbidden)
        return note_forbidden(s, guard);
    if (mended) {
        bst_value *const payload = s->values + (size_t)count * payload_max;
        s->happenings[count] = (bst_happening){.fields = payload};
        return !negative && mend(s, payload) ? BST__FIT : BST__FIT_NO;
    }
    if (leaves_fields(s))
        return BST__FIT_STATE;
    return negative ? BST__FIT_NEGATIVE : BST__FIT;
}
