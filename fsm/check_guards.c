/* Who is asked, and who is never. Transitions of one command are tried in order, and the first
 * whose guard holds is taken: so one may hide another, two may claim the same case, and a case may
 * be left over. What can never happen is said when it is proven; what can, when it has been seen
 * (guard_private.h).
 *
 * Pairs of guards are remembered: the same two named guards stand together in many states. The
 * search has a budget for the whole machine; when it is spent, only proofs go on.
 */
#include "check_private.h"
#include "guard_private.h"

#define WINDOW        (BST__CLAIMS_MAX - 1) /* guards before one that are held against it */
#define WITNESS_TRIES 200000u               /* evaluations for the whole machine */
#define FIRST_PAIRS   64

typedef enum pair_verdict { APART, OVERLAP, SPECIAL_FIRST } pair_verdict;

typedef struct pair {
    uint32_t first, second; /* guards */
    bool clash;             /* the second cannot hold where the first does not */
    bool searched;
    pair_verdict verdict;
    const char *witness;
} pair;

typedef struct guards {
    bst__check *check;
    const bst_machine *machine;
    const bst__machine *m;
    const uint32_t *sample; /* by written transition: the first of the table, or BST_NONE */
    enum { UNKNOWN, OPEN, NEVER, ALWAYS } * nature; /* by guard */
    bst__index index;
    pair *pairs;
    uint32_t pair_count, pair_room;
    uint32_t budget;
    bst_arena *scratch;
    bool failed; /* out of memory */
} guards;

/* The transitions of one command in one state, or the creations by one command. */
typedef struct group {
    uint32_t first, end;
    uint32_t asked[WINDOW]; /* those before the one looked at that can be taken */
    uint32_t asked_count;
    uint32_t always; /* the one after which nothing is tried, or BST_NONE */
    bool overlap;    /* reported */
} group;

static const bst_expr *expr_of(const guards *g, uint32_t guard) {
    return g->m->written_guards[guard].expr;
}

static int nature_of(guards *g, uint32_t guard) {
    if (guard == BST_NONE) {
        return ALWAYS;
    }
    if (g->nature[guard] == UNKNOWN) {
        const bst__claim yes = {expr_of(g, guard), true};
        const bst__claim no = {expr_of(g, guard), false};
        g->nature[guard] = bst__guards_clash(&yes, 1)  ? NEVER
                           : bst__guards_clash(&no, 1) ? ALWAYS
                                                       : OPEN;
    }
    return (int)g->nature[guard];
}

typedef struct wanted {
    const guards *g;
    uint32_t first, second;
} wanted;

static bool is_pair(const void *context, uint32_t number) {
    const wanted *w = context;
    const pair *p = &w->g->pairs[number];
    return p->first == w->first && p->second == w->second;
}

static pair *add_pair(guards *g, uint32_t first, uint32_t second, uint32_t hash) {
    if (g->pair_count == g->pair_room) {
        const uint32_t room = g->pair_room ? g->pair_room * 2 : FIRST_PAIRS;
        pair *longer = bst_arena_array(g->check->arena, room, sizeof *longer);
        if (!longer) {
            return NULL;
        }
        for (uint32_t i = 0; i < g->pair_count; i++) {
            longer[i] = g->pairs[i];
        }
        g->pairs = longer;
        g->pair_room = room;
    }
    if (!bst__index_add(&g->index, g->check->arena, hash, g->pair_count)) {
        return NULL;
    }
    pair *p = &g->pairs[g->pair_count++];
    *p = (pair){.first = first, .second = second};
    const bst__claim claims[] = {{expr_of(g, first), false}, {expr_of(g, second), true}};
    p->clash = bst__guards_clash(claims, 2);
    return p;
}

static pair *pair_of(guards *g, uint32_t first, uint32_t second) {
    const wanted w = {g, first, second};
    const uint32_t hash = bst__hash3(g->check->m->seed, first, second);
    const uint32_t found = bst__index_find(&g->index, hash, is_pair, &w);
    pair *p = found != BST_NONE ? &g->pairs[found] : add_pair(g, first, second, hash);
    g->failed = g->failed || !p;
    return p;
}

/* Looks for values for which all claims are true; kept in the arena, or NULL. */
static const char *witness(guards *g, uint32_t command, const bst__claim *claims, size_t count) {
    bst_strbuf text = BST_STRBUF_INIT;
    const char *kept = NULL;
    bst_arena_clear(g->scratch);
    if (g->budget > 0 && !bst__guards_clash(claims, count) &&
        bst__guards_witness(g->machine, command, claims, count, g->scratch, &g->budget, &text)) {
        kept = bst_arena_strdup(g->check->arena, text.text);
    }
    bst_strbuf_release(&text);
    return kept;
}

/* What a list of transitions is called. */
static const char *list_name(const guards *g, uint32_t at) {
    const bst__written *w = &g->m->written[at];
    return w->form == BST__ALWAYS ? "always"
           : w->form == BST__DONE ? "onDone"
                                  : g->machine->commands[w->command].name;
}

static void report_shadowed(const guards *g, uint32_t shadowed, uint32_t by, bool several) {
    const bst_machine *m = g->machine;
    const bst__written *w = &g->m->written[shadowed];
    const bst_loc where = bst__written_where(m, shadowed);
    const bst_loc there = bst__written_where(m, by);
    if (w->form == BST__CREATION) {
        WARN(g->check, "shadowed-transition", &where, "creation by \"%s\" can never happen",
             list_name(g, shadowed));
    } else {
        WARN(g->check, "shadowed-transition", &where,
             "transition of \"%s\" in state \"%s\" can never be taken", list_name(g, shadowed),
             w->node == 0 ? m->id : m->nodes[w->node].path);
    }
    bst_diag_hint(g->check->diags,
                  "Transitions are tried in order: move it up, or give the one before a "
                  "narrower guard.");
    bst_diag_also(g->check->diags, &there, "%s",
                  several ? "this one and those before it leave nothing"
                          : "this one is always taken first");
}

static void report_never(const guards *g, uint32_t transition) {
    const bst_machine *m = g->machine;
    const bst_loc where = bst__written_where(m, transition);
    const bst_loc there = bst__written_guard_where(m, g->m->written[transition].guard);
    WARN(g->check, "never-fires", &where,
         "transition of \"%s\" can never be taken: no values satisfy its guard",
         list_name(g, transition));
    bst_diag_hint(g->check->diags, "Mend the guard, or remove the transition.");
    bst_diag_also(g->check->diags, &there, "the guard is here");
}

static void report_overlap(const guards *g, uint32_t first, uint32_t second, const pair *p) {
    const bst_machine *m = g->machine;
    const bst_loc where = bst__written_where(m, second);
    const bst_loc there = bst__written_where(m, first);
    const bool special = p->verdict == SPECIAL_FIRST;
    bst_diag_add(g->check->diags, BST_OK, special ? BST_NOTE : BST_WARNING, "overlapping-guards",
                 &where,
                 special ? "of two guards of \"%s\" the first, a special case of this one, decides"
                         : "two guards of \"%s\" can hold at once, and only their order decides",
                 list_name(g, first));
    bst_diag_detail(g->check->diags, "Both hold for %s.", p->witness);
    bst_diag_hint(g->check->diags, special ? "This is fine when it is meant; the other order would "
                                             "hide the special case."
                                           : "Make them exclude each other, or let the last one "
                                             "have no guard when it is for all other cases.");
    bst_diag_also(g->check->diags, &there, "this one is asked first");
}

static bool same_outcome(const guards *g, uint32_t a, uint32_t b) {
    const uint32_t one = g->sample[a];
    const uint32_t other = g->sample[b];
    const bst_transition *t = g->machine->transitions;
    return one != BST_NONE && other != BST_NONE && t[one].to == t[other].to &&
           t[one].event == t[other].event;
}

static void search_pair(guards *g, uint32_t command, pair *p) {
    const bst__claim both[] = {{expr_of(g, p->first), true}, {expr_of(g, p->second), true}};
    const bst__claim only[] = {{expr_of(g, p->first), true}, {expr_of(g, p->second), false}};
    p->searched = true;
    p->witness = witness(g, command, both, 2);
    if (p->witness) {
        p->verdict = bst__guards_clash(only, 2) ? SPECIAL_FIRST : OVERLAP;
    }
}

/* Holds one guarded transition against those asked before it. */
static void compare(guards *g, group *of, uint32_t at) {
    const bst__written *written = g->m->written;
    const uint32_t guard = written[at].guard;
    bst__claim claims[BST__CLAIMS_MAX];
    for (uint32_t i = 0; i < of->asked_count; i++) {
        const pair *p = pair_of(g, written[of->asked[i]].guard, guard);
        if (!p || p->clash) {
            if (p) {
                report_shadowed(g, at, of->asked[i], false);
            }
            return;
        }
        claims[i] = (bst__claim){expr_of(g, written[of->asked[i]].guard), false};
    }
    claims[of->asked_count] = (bst__claim){expr_of(g, guard), true};
    if (of->asked_count > 1 && bst__guards_clash(claims, of->asked_count + 1)) {
        report_shadowed(g, at, of->asked[of->asked_count - 1], true);
        return;
    }
    for (uint32_t i = 0; i < of->asked_count && !of->overlap; i++) {
        pair *p = same_outcome(g, of->asked[i], at)
                      ? NULL
                      : pair_of(g, written[of->asked[i]].guard, guard);
        if (p && !p->searched && bst_diags_wants(g->check->diags, BST_WARNING_OVERLAPPING_GUARDS)) {
            search_pair(g, written[at].command, p);
        }
        if (p && p->verdict != APART) {
            of->overlap = true;
            report_overlap(g, of->asked[i], at, p);
        }
    }
    if (of->asked_count < WINDOW) {
        of->asked[of->asked_count++] = at;
    }
}

static void visit(guards *g, group *of, uint32_t at) {
    const uint32_t guard = g->m->written[at].guard;
    if (of->always != BST_NONE) {
        report_shadowed(g, at, of->always, false);
        return;
    }
    switch (nature_of(g, guard)) {
    case NEVER:
        report_never(g, at);
        break;
    case ALWAYS:
        of->always = at;
        break;
    default:
        compare(g, of, at);
        break;
    }
}

static void check_gap(guards *g, const group *of) {
    const bst_machine *m = g->machine;
    const bst__written *written = g->m->written;
    bst__claim claims[BST__CLAIMS_MAX];
    if (of->always != BST_NONE || of->asked_count < 2 || of->asked_count == WINDOW) {
        return;
    }
    for (uint32_t i = 0; i < of->asked_count; i++) {
        claims[i] = (bst__claim){expr_of(g, written[of->asked[i]].guard), false};
    }
    const char *found = witness(g, written[of->first].command, claims, of->asked_count);
    if (!found) {
        return;
    }
    const bst_loc where = bst__written_where(m, of->first);
    WARN(g->check, "guard-gap", &where, "no guard of \"%s\" holds for some values: it is refused",
         list_name(g, of->first));
    bst_diag_detail(g->check->diags, "None holds for %s.", found);
    bst_diag_hint(g->check->diags, "Add a last transition without a guard, or leave it so when the "
                                   "refusal is meant.");
}

/* By written transition: the first of the table that it has become. */
static uint32_t *make_sample(const bst__check *c) {
    uint32_t *sample = bst_arena_array(c->arena, c->m->written_count, sizeof *sample);
    for (uint32_t i = 0; sample && i < c->m->written_count; i++) {
        sample[i] = BST_NONE;
    }
    for (uint32_t i = c->machine->transition_count; sample && i > 0; i--) {
        sample[bst__origin(c->machine, i - 1)] = i - 1;
    }
    return sample;
}

static bool same_group(const bst__written *a, const bst__written *b) {
    return a->node == b->node && a->command == b->command && a->form == b->form;
}

/* Each list of the file by itself: that a state's own come before those around it is no mistake. */
bool bst__check_guards(bst__check *c) {
    const bst__written *written = c->m->written;
    guards g = {.check = c, .machine = c->machine, .m = c->m, .budget = WITNESS_TRIES};
    g.nature = bst_arena_array(c->arena, c->m->written_guard_count, sizeof *g.nature);
    g.sample = make_sample(c);
    g.scratch = bst_arena_new();
    const bool gaps = bst_diags_wants(c->diags, BST_WARNING_GUARD_GAP);
    bool ok = g.nature && g.sample && g.scratch;
    for (uint32_t i = 0; ok && i < c->m->written_count;) {
        group of = {.first = i, .end = i, .always = BST_NONE};
        while (of.end < c->m->written_count && same_group(&written[of.end], &written[i])) {
            of.end++;
        }
        for (; i < of.end; i++) {
            visit(&g, &of, i);
        }
        if (gaps && written[of.first].command != BST_NONE) {
            check_gap(&g, &of);
        }
        ok = !g.failed;
    }
    bst_arena_free(g.scratch);
    return ok;
}
