/* Transitions by the event they emit, and payloads by event. */
#include "emit_emissions_private.h"

#include <stdlib.h>

const char *const bst__basis_words[] = {"recorded", "implied",    "assumed",
                                        "live",     "correction", NULL};

static int compare(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorted, each once; how many are left. */
static uint32_t sort_unique(uint32_t *numbers, uint32_t count) {
    uint32_t kept = 0;
    qsort(numbers, count, sizeof *numbers, compare);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || numbers[kept - 1] != numbers[i]) {
            numbers[kept++] = numbers[i];
        }
    }
    return kept;
}

/* What is built in leads to any state, and no command asks for it. */
static bool add_builtins(const bst_machine *machine, bst_arena *arena, bst__emission *list) {
    uint32_t *all = bst_arena_array(arena, machine->state_count, sizeof *all);
    for (uint32_t i = 0; all && i < machine->state_count; i++) {
        all[i] = i;
    }
    for (uint32_t e = 0; e < machine->event_count; e++) {
        const bst_builtin builtin = machine->events[e].builtin;
        if (builtin != BST_BUILTIN_NONE) {
            list[e] = (bst__emission){.states = all,
                                      .state_count = machine->state_count,
                                      .creates = builtin == BST_BUILTIN_GENESIS,
                                      .follows = builtin == BST_BUILTIN_RECONCILE};
        }
    }
    return all != NULL;
}

const bst__emission *bst__emissions(const bst_machine *machine, bst_arena *arena) {
    const uint32_t count = machine->event_count;
    const uint32_t transitions = machine->transition_count;
    bst__emission *list = bst_arena_array(arena, count, sizeof *list);
    uint32_t *first = bst_arena_array(arena, (size_t)count + 1, sizeof *first);
    uint32_t *states = bst_arena_array(arena, transitions, sizeof *states);
    uint32_t *commands = bst_arena_array(arena, transitions, sizeof *commands);
    if (!list || !first || !states || !commands) {
        return NULL;
    }
    for (uint32_t i = 0; i < transitions; i++) {
        first[machine->transitions[i].event + 1]++;
    }
    for (uint32_t e = 0; e < count; e++) {
        first[e + 1] += first[e];
        list[e].states = &states[first[e]];
        list[e].commands = &commands[first[e]];
    }
    for (uint32_t i = 0; i < transitions; i++) {
        const bst_transition *t = &machine->transitions[i];
        bst__emission *emission = &list[t->event];
        const uint32_t place = first[t->event] + emission->state_count++;
        states[place] = t->to;
        commands[place] = t->command;
        emission->creates = emission->creates || t->from == BST_NONE;
        emission->follows = emission->follows || t->from != BST_NONE;
    }
    for (uint32_t e = 0; e < count; e++) {
        const uint32_t all = list[e].state_count;
        list[e].state_count = sort_unique(&states[first[e]], all);
        list[e].command_count = sort_unique(&commands[first[e]], all);
    }
    return add_builtins(machine, arena, list) ? list : NULL;
}

const bst__payload *bst__payloads(const bst_machine *machine, bst_arena *arena,
                                  uint32_t *ret_count) {
    size_t count = machine->event_count;
    for (uint32_t e = 0; e < machine->event_count; e++) {
        count += machine->events[e].upcast_count;
    }
    bst__payload *list = bst_arena_array(arena, count, sizeof *list);
    uint32_t used = 0;
    for (uint32_t e = 0; list && e < machine->event_count; e++) {
        const bst_event_type *type = &machine->events[e];
        list[used++] = (bst__payload){e, type->version, true, type->fields, type->field_count};
        for (uint32_t u = type->upcast_count; u-- > 0;) {
            const bst_upcast *old = &type->upcasts[u];
            list[used++] = (bst__payload){e, old->version, false, old->fields, old->field_count};
        }
    }
    *ret_count = used;
    return list;
}
