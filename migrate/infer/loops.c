/* Which steps lead back: the retreating edges of a depth-first search (Aho, Lam, Sethi, Ullman,
 * Compilers, 9.6) from the creations, in the order of the machine's file. Every loop has one.
 */
#include "backstory/infer.h"

typedef struct visit {
    uint32_t state, next; /* the transition to look at next */
} visit;

enum { NEW, OPEN, DONE };

static void search(const bst_machine *machine, uint32_t from, uint8_t *mark, visit *stack,
                   uint8_t *back) {
    uint32_t depth = 0;
    if (mark[from] != NEW)
        return;
    mark[from] = OPEN;
    stack[depth++] = (visit){from, 0};
    while (depth > 0) {
        visit *const top = &stack[depth - 1];
        const bst_state *const state = &machine->states[top->state];
        if (top->next == state->transition_count) {
            mark[top->state] = DONE;
            depth--;
            continue;
        }
        const uint32_t t = state->first_transition + top->next++;
        const uint32_t to = machine->transitions[t].to;
        back[t] = mark[to] == OPEN;
        if (mark[to] == NEW) {
            mark[to] = OPEN;
            stack[depth++] = (visit){to, 0};
        }
    }
}

const uint8_t *bst_steps_back(const bst_machine *machine, bst_arena *arena) {
    uint8_t *const back = bst_arena_array(arena, machine->transition_count, sizeof *back);
    uint8_t *const mark = bst_arena_array(arena, machine->state_count, sizeof *mark);
    visit *const stack = bst_arena_array(arena, machine->state_count, sizeof *stack);
    if (!back || !mark || !stack)
        return NULL;
    for (uint32_t t = 0; t < machine->creation_count; t++)
        search(machine, machine->transitions[t].to, mark, stack, back);
    return back;
}
