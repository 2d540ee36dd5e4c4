/* Transitions by the event they emit. */
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
    return list;
}
