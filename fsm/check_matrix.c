/* The matrix of states and commands: what each state does with each command.
 */
#include "check_private.h"

#define SHOWN_MAX 8 /* commands that a message names */

static bool lists(const bst_node *node, uint32_t command) {
    for (uint32_t i = 0; i < node->ignore_count; i++) {
        if (node->ignores[i] == command) {
            return true;
        }
    }
    return node->ignores_all;
}

/* One of its leaves does, or what is around one. */
static bool ignores(const bst_machine *m, uint32_t state, uint32_t command) {
    const bst_state *s = &m->states[state];
    for (uint32_t i = 0; i < s->node_count; i++) {
        for (uint32_t n = s->nodes[i]; n != BST_NONE; n = m->nodes[n].parent) {
            if (lists(&m->nodes[n], command)) {
                return true;
            }
        }
    }
    return false;
}

bst_handling bst_machine_handling(const bst_machine *machine, uint32_t state, uint32_t command) {
    uint32_t first;
    const uint32_t count = bst_machine_candidates(machine, state, command, &first);
    for (uint32_t i = 0; i < count; i++) {
        if (machine->transitions[first + i].guard == BST_NONE) {
            return BST_HANDLING_ACCEPTED;
        }
    }
    return count > 0                                               ? BST_HANDLING_GUARDED
           : state != BST_NONE && ignores(machine, state, command) ? BST_HANDLING_IGNORED
                                                                   : BST_HANDLING_NONE;
}

const char *bst_handling_text(bst_handling handling) {
    static const char *const texts[] = {
        [BST_HANDLING_NONE] = "unhandled",
        [BST_HANDLING_IGNORED] = "ignored",
        [BST_HANDLING_GUARDED] = "guarded",
        [BST_HANDLING_ACCEPTED] = "accepted",
    };
    return texts[handling];
}

void bst_machine_creating(const bst_machine *machine, bool *ret) {
    for (uint32_t k = 0; k < machine->command_count; k++) {
        ret[k] = false;
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        ret[machine->transitions[i].command] = i < machine->creation_count;
    }
}

/* `count` commands, neither known in this round nor creating. */
static void report(bst__check *c, uint32_t state, const uint32_t *known, uint32_t round,
                   const bool *creating, uint32_t count) {
    const bst_machine *m = c->machine;
    const uint32_t shown_max = count < SHOWN_MAX ? count : SHOWN_MAX;
    bst_strbuf names = BST_STRBUF_INIT;
    for (uint32_t k = 0, shown = 0; shown < shown_max; k++) {
        if (known[k] != round && !creating[k]) {
            bst_strbuf_addf(&names, "%s\"%s\"", shown++ ? ", " : "", m->commands[k].name);
        }
    }
    if (count > shown_max) {
        bst_strbuf_addf(&names, " and %u more", count - shown_max);
    }
    const bst_loc where = bst_machine_state_where(m, state);
    WARN(c, "unhandled-command", &where, "state \"%s\" says nothing of %s", m->states[state].name,
         names.text);
    bst_diag_hint(c->diags, "Accept them in its \"on\", or list them in \"ignores\" (\"*\" is "
                            "all others).");
    bst_strbuf_release(&names);
}

/* Whether the command is new in this round. */
static bool mark(uint32_t *known, uint32_t command, uint32_t round) {
    const bool is_new = known[command] != round;
    known[command] = round;
    return is_new;
}

bool bst__check_unhandled(bst__check *c) {
    const bst_machine *m = c->machine;
    if (!bst_diags_wants(c->diags, BST_WARNING_UNHANDLED_COMMAND) || c->m->regions) {
        return true;
    }
    uint32_t *known = bst_arena_array(c->arena, m->command_count, sizeof *known);
    bool *creating = bst_arena_array(c->arena, m->command_count, sizeof *creating);
    if (!known || !creating) {
        return false;
    }
    bst_machine_creating(m, creating);
    uint32_t expected = 0;
    for (uint32_t k = 0; k < m->command_count; k++) {
        expected += !creating[k];
    }
    uint32_t reported = 0; /* a full list needs no more of them: each looks at all commands */
    for (uint32_t s = 0; s < m->state_count && reported < BST_DIAGS_LIMIT; s++) {
        const bst_state *state = &m->states[s];
        uint32_t handled = 0;
        bool all = false;
        if (state->final) {
            continue;
        }
        for (uint32_t i = 0; i < state->transition_count; i++) {
            handled += mark(known, m->transitions[state->first_transition + i].command, s + 1);
        }
        for (uint32_t i = 0; i < state->node_count; i++) {
            for (uint32_t n = state->nodes[i]; n != BST_NONE; n = m->nodes[n].parent) {
                all = all || m->nodes[n].ignores_all;
                for (uint32_t k = 0; k < m->nodes[n].ignore_count; k++) {
                    const uint32_t command = m->nodes[n].ignores[k];
                    handled += !creating[command] && mark(known, command, s + 1);
                }
            }
        }
        if (!all && handled < expected) {
            report(c, s, known, s + 1, creating, expected - handled);
            reported++;
        }
    }
    return true;
}
