/* A history in one line. Two histories may have the same events and differ in the states that
 * these led to; then events alone would print the same line twice. */
#include "path.h"

#include "cli.h"

#define RUN_SHORTENED 4u /* so many of one event in a row are written once: "Failed x100" */

static bool same_events(const bst_plan *a, const bst_plan *b) {
    if (a->event_count != b->event_count)
        return false;
    for (uint32_t i = 0; i < a->event_count; i++) {
        if (a->events[i].type != b->events[i].type)
            return false;
    }
    return true;
}

/* How often the event at `i` follows itself and would read the same. */
static uint32_t run_length(const bst_plan *plan, const bst_plan *beside, uint32_t i) {
    const bst_plan_event *const first = &plan->events[i];
    uint32_t end = i + 1;

    for (; end < plan->event_count; end++) {
        const bst_plan_event *const event = &plan->events[end];
        if (event->type != first->type || event->state != first->state ||
            event->basis != first->basis ||
            (beside && beside->events[end].state != beside->events[i].state))
            break;
    }
    return end - i;
}

/* A column may record that something happened and leave open what. Nothing is claimed at 0. */
static bool is_choice(const bst_plan_event *event) {
    return event->confidence > 0 && (event->basis == BST_BASIS_ASSUMED ||
                                     (event->basis == BST_BASIS_RECORDED && event->confidence < 1));
}

void cli_add_path(bst_strbuf *out, const bst_machine *machine, const bst_plan *plan,
                  const bst_plan *beside, bool choices) {
    const bool alike = beside && same_events(plan, beside);

    for (uint32_t i = 0; i < plan->event_count;) {
        const bst_plan_event *const event = &plan->events[i];
        const uint32_t run = run_length(plan, alike ? beside : NULL, i);
        bst_strbuf_addf(out, "%s%s", i ? " > " : "", cli_short_event(machine, event->type));
        if (alike && event->state != beside->events[i].state)
            bst_strbuf_addf(out, " (%s)", machine->states[event->state].name);
        if (choices && is_choice(event))
            bst_strbuf_addc(out, '?');
        if (run >= RUN_SHORTENED)
            bst_strbuf_addf(out, " x%u", run);
        i += run >= RUN_SHORTENED ? run : 1;
    }
}

void cli_path_to_json(json_t *object, const bst_machine *machine, const bst_plan *plan) {
    json_t *const events = json_array();
    json_t *const states = json_array();

    for (uint32_t i = 0; i < plan->event_count; i++) {
        json_array_append_new(events, json_string(machine->events[plan->events[i].type].name));
        json_array_append_new(states, json_string(machine->states[plan->events[i].state].name));
    }
    json_object_set_new(object, "events", events);
    json_object_set_new(object, "states", states);
}
