/* Former names: "was". What is stored under a name must mean one thing, so that a former name may
 * not be one that another state, event or field has now.
 */
#include "load_private.h"

static void report(bst__load *l, bst_loc where, const char *what, const char *name,
                   const char *was) {
    bst__error(l, &where, "former-name-in-use",
               "%s \"%s\" was \"%s\", which is the name of another one now", what, name, was);
    bst_diag_hint(l->diags, "Leave \"was\" out, or give the other one a name of its own: what is "
                            "stored must mean one thing.");
}

static bool is_other(uint32_t found, uint32_t number) {
    return found != BST_NONE && found != number;
}

static void check_payload(bst__load *l, uint32_t number) {
    const bst_event_type *event = &l->m->table.events[number];
    for (uint32_t i = 0; i < event->field_count; i++) {
        const bst_field *field = &event->fields[i];
        if (field->was && is_other(bst_event_field(event, field->was), i)) {
            report(l, bst_machine_event_where(&l->m->table, number), "field", field->name,
                   field->was);
        }
    }
}

void bst__check_former_names(bst__load *l) {
    const bst_machine *table = &l->m->table;
    for (uint32_t i = 0; i < table->state_count; i++) {
        const bst_state *state = &table->states[i];
        if (state->was && is_other(bst_machine_state(table, state->was), i)) {
            report(l, bst_machine_state_where(table, i), "state", state->name, state->was);
        }
    }
    for (uint32_t i = 0; i < table->event_count; i++) {
        const bst_event_type *event = &table->events[i];
        if (event->was && is_other(bst_machine_event(table, event->was), i)) {
            report(l, bst_machine_event_where(table, i), "event", event->name, event->was);
        }
        if (event->builtin == BST_BUILTIN_NONE) { /* else they are the entity's fields */
            check_payload(l, i);
        }
    }
    for (uint32_t i = 0; i < table->field_count; i++) {
        const bst_field *field = &table->fields[i];
        if (field->was && is_other(bst_machine_field(table, field->was), i)) {
            report(l, bst_machine_field_where(table, i), "field", field->name, field->was);
        }
    }
}
