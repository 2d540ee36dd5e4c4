/* The analyses of check.h. Each is one function that walks the tables once. This file has those
 * that look at names and at use; ways through the states, guards and the matrix of states and
 * commands have files of their own. An analysis that speaks up is right whatever the data.
 */
#include "backstory/check.h"

#include <stdlib.h>

#include "backstory/words.h"
#include "check_private.h"

#define SUGGESTIONS_MAX 50 /* searches for a near name; each looks at all */

/* Use. */

/* The name among the events that nobody listed which this listed one was probably meant to be. */
static const char *meant_event(const bst__check *c, const char *name) {
    const bst_machine *m = c->machine;
    const char **list = malloc((m->event_count + 1) * sizeof *list);
    size_t count = 0;
    for (uint32_t i = 0; list && i < m->event_count; i++) {
        if (m->events[i].derived) {
            list[count++] = m->events[i].name;
        }
    }
    const char *near = list ? bst_nearest_name(name, list, count) : NULL;
    free(list);
    return near;
}

static void check_used_events(bst__check *c) {
    const bst_machine *m = c->machine;
    unsigned searches = 0;
    for (uint32_t i = 0; i < m->event_count; i++) {
        if (c->m->event_user[i] != BST_NONE || m->events[i].builtin != BST_BUILTIN_NONE) {
            continue;
        }
        const char *name = m->events[i].name;
        const bst_loc where = bst_machine_event_where(m, i);
        WARN(c, "unused-event", &where, "event \"%s\" is emitted by no transition", name);
        const char *near = searches++ < SUGGESTIONS_MAX ? meant_event(c, name) : NULL;
        if (near) {
            const uint32_t user = c->m->event_user[bst_machine_event(m, near)];
            bst_diag_hint(
                c->diags,
                "Command \"%s\" emits \"%s\": call the event so, or add \"event\": \"%s\" to "
                "the transition.",
                m->commands[c->m->written[user].command].name, near, name);
        } else {
            bst_diag_hint(c->diags, "Name it in the \"event\" of a transition, or remove it.");
        }
    }
}

static void check_used(bst__check *c) {
    const bst_machine *m = c->machine;
    check_used_events(c);
    for (uint32_t i = 0; i < m->command_count; i++) {
        if (c->m->command_user[i] == BST_NONE) {
            const bst_loc where = bst__command_where(m, i);
            WARN(c, "unused-command", &where, "command \"%s\" is accepted by no state",
                 m->commands[i].name);
            bst_diag_hint(c->diags, "Add it to the \"on\" of a state, or remove it.");
        }
    }
    for (uint32_t i = 0; i < c->m->named_guard_count; i++) {
        if (c->m->guard_user[i] == BST_NONE) {
            const bst_loc where = bst__written_guard_where(m, i);
            WARN(c, "unused-guard", &where, "guard \"%s\" is asked by no transition",
                 c->m->written_guards[i].name);
            bst_diag_hint(c->diags, "Name it in the \"guard\" of a transition, or remove it.");
        }
    }
}

/* Creation. */

static void report_unset(bst__check *c, uint32_t field, uint32_t creation) {
    const bst_machine *m = c->machine;
    const char *event = m->events[m->transitions[creation].event].name;
    const bst_loc where = bst_machine_field_where(m, field);
    const bst_loc there = bst_machine_transition_where(m, creation);
    WARN(c, "unset-field", &where, "field \"%s\" is required, but event \"%s\" does not set it",
         m->fields[field].name, event);
    bst_diag_hint(c->diags,
                  "Give event \"%s\" a field \"%s\", or this field a \"default\", or a \"?\".",
                  event, m->fields[field].name);
    bst_diag_also(c->diags, &there, "created here");
}

static bool check_creations(bst__check *c) {
    const bst_machine *m = c->machine;
    bool *seen = bst_arena_array(c->arena, m->event_count, sizeof *seen);
    bool *reported = bst_arena_array(c->arena, m->field_count, sizeof *reported);
    uint32_t *set = bst_arena_array(c->arena, m->field_count, sizeof *set); /* creation + 1 */
    if (!seen || !reported || !set) {
        return false;
    }
    for (uint32_t i = 0; i < m->creation_count; i++) {
        const bst_event_type *event = &m->events[m->transitions[i].event];
        if (seen[m->transitions[i].event]) {
            continue;
        }
        seen[m->transitions[i].event] = true;
        for (uint32_t k = 0; k < event->assignment_count; k++) {
            set[event->assignments[k].field] = i + 1;
        }
        for (uint32_t f = 0; f < m->field_count; f++) {
            const bst_field *field = &m->fields[f];
            if (set[f] != i + 1 && !field->type.optional && !field->default_value.present &&
                !reported[f]) {
                reported[f] = true;
                report_unset(c, f, i);
            }
        }
    }
    return true;
}

/* Names. */

static void report_tense(bst__check *c, uint32_t event) {
    const bst_machine *m = c->machine;
    const bst_loc where = bst_machine_event_where(m, event);
    const uint32_t user = c->m->event_user[event];
    const char *command = m->commands[c->m->written[user].command].name;
    if (m->events[event].derived) {
        WARN(c, "not-past-tense", &where,
             "command \"%s\" gives the event name \"%s\", which is not in the past tense", command,
             m->events[event].name);
        bst_diag_hint(c->diags, "Say in the transition what has happened, with \"event\".");
        return;
    }
    WARN(c, "not-past-tense", &where, "event name \"%s\" is not in the past tense",
         m->events[event].name);
    bst_strbuf name = BST_STRBUF_INIT;
    bst_event_name(m->id, command, &name);
    if (bst_is_past_tense(name.text)) {
        bst_diag_hint(c->diags, "An event is a fact: \"%s\", for example.", name.text);
    } else {
        bst_diag_hint(c->diags, "An event is a fact: say what has happened.");
    }
    bst_strbuf_release(&name);
}

static void check_names(bst__check *c) {
    const bst_machine *m = c->machine;
    for (uint32_t i = 0; i < m->event_count; i++) {
        if (c->m->event_user[i] == BST_NONE) {
            continue; /* reported already */
        }
        if (!bst_is_past_tense(m->events[i].name)) {
            report_tense(c, i);
        } else if (bst_leaks_implementation(m->events[i].name)) {
            const bst_loc where = bst_machine_event_where(m, i);
            WARN(c, "leaks-implementation", &where,
                 "event name \"%s\" speaks of how data is kept, not of what happened",
                 m->events[i].name);
            bst_diag_hint(c->diags,
                          "Name what it means to the business, such as \"AddressCorrected\".");
        }
    }
}

static void say_apart(bst__check *c) {
    const bst_machine *m = c->machine;
    const uint32_t region = c->m->regions->regions[0].node;
    const bst_loc where = bst_machine_node_where(m, m->nodes[region].parent);
    bst_diag_add(c->diags, BST_OK, BST_NOTE, "regions-apart", &where,
                 "the %u regions keep tables of their own: there are too many combinations for one",
                 c->m->regions->count);
    bst_diag_hint(c->diags, "Dead ends, circles, ways to a final state and unhandled commands are "
                            "not looked for, for these are matters of combinations.");
}

bst_status bst_machine_check(const bst_machine *machine, bst_diags *diags) {
    bst__check c = {.machine = machine, .m = bst__machine_of(machine), .diags = diags};
    c.arena = bst_arena_new();
    bst_diags_set_file_warnings(diags, machine->warnings);
    const bool ok = c.arena && bst__check_ways(&c) && bst__check_guards(&c) &&
                    bst__check_levels(&c) && check_creations(&c) && bst__check_unhandled(&c);
    if (ok) {
        check_used(&c);
        check_names(&c);
    }
    if (ok && c.m->regions) {
        say_apart(&c);
    }
    bst_diags_set_file_warnings(diags, NULL);
    bst_arena_free(c.arena);
    if (!ok) {
        return bst_diag_nomem(diags);
    }
    if (diags) {
        bst_diags_sort(diags);
    }
    return BST_OK;
}
