/* Events that lead to the row, as a plan that all changes of the same kind share, and the times of
 * this one. */
#include "step_private.h"

#include <string.h>

static uint32_t events_of(const bst__choice *c) {
    return c->count + c->mended;
}

static void add_signature(const bst__stepper *s, const bst__choice *c, bst_strbuf *out) {
    const uint32_t from = s->known->version == 0 ? BST_NONE : s->known->state;
    bst_strbuf_addf(out, "%s: %s", s->moment->snapshot ? "snapshot" : "log",
                    from == BST_NONE ? "" : s->machine->states[from].name);
    for (uint32_t i = 0; i < c->count; i++) {
        const bst_transition *const t = &s->machine->transitions[c->transitions[i]];
        bst_strbuf_addf(out, " %s (%s", s->machine->events[t->event].name,
                        bst_basis_text(c->basis[i]));
        if (c->basis[i] == BST_BASIS_ASSUMED)
            bst_strbuf_addf(out, " %.4g", c->confidence[i]);
        bst_strbuf_addf(out, ") %s", s->machine->states[t->to].name);
    }
    if (c->mended)
        bst_strbuf_addf(out, " %s", s->machine->events[s->reconcile].name);
}

static bool make_plan(bst__stepper *s, const bst__choice *c, bst__step_plan *entry) {
    bst_plan_event *const events = bst_arena_array(s->arena, events_of(c), sizeof *events);
    bst_strbuf signature = BST_STRBUF_INIT;
    const bool snapshot = s->moment->snapshot;
    bool certain = true;
    if (!events)
        return false;
    for (uint32_t i = 0; i < c->count; i++) {
        const bst_transition *const t = &s->machine->transitions[c->transitions[i]];
        const bool moves = t->from != t->to && t->from != BST_NONE;
        events[i] =
            (bst_plan_event){.type = t->event,
                             .state = t->to,
                             .command = t->command,
                             .basis = c->basis[i],
                             .confidence = c->confidence[i],
                             .source = moves ? s->state_source[snapshot] : s->row_source[snapshot]};
        certain = certain && c->basis[i] != BST_BASIS_ASSUMED;
    }
    if (c->mended)
        events[c->count] = (bst_plan_event){.type = s->reconcile,
                                            .state = s->target.state,
                                            .command = BST_NONE,
                                            .basis = BST_BASIS_CORRECTION,
                                            .confidence = 1,
                                            .source = s->row_source[snapshot]};
    add_signature(s, c, &signature);
    entry->plan = (bst_plan){.signature = bst_arena_strdup(s->arena, signature.text),
                             .confidence = c->share,
                             .certain = certain,
                             .event_count = events_of(c),
                             .events = events};
    bst_strbuf_release(&signature);
    return entry->plan.signature != NULL;
}

/* One plan for the same steps, known in the same way. NULL: no memory. */
static const bst_plan *find_plan(bst__stepper *s, const bst__choice *c) {
    bst__step_plan *entry;
    bst_strbuf *const key = &s->plan_key;
    bst_strbuf_clear(key);
    const uint32_t from = s->known->version == 0 ? BST_NONE : s->known->state;
    bst_strbuf_addc(key, s->moment->snapshot ? 's' : 'l');
    bst_strbuf_addc(key, c->mended ? 'm' : '-');
    bst_strbuf_add(key, &from, sizeof from);
    if (c->count > 0) {
        bst_strbuf_add(key, c->transitions, c->count * sizeof *c->transitions);
        bst_strbuf_add(key, c->basis, c->count * sizeof *c->basis);
        bst_strbuf_add(key, c->confidence, c->count * sizeof *c->confidence);
    }
    if (key->failed)
        return NULL;
    HASH_FIND(hh, s->plans, key->text, key->len, entry);
    if (entry)
        return &entry->plan;
    entry = bst_arena_alloc(s->arena, sizeof *entry);
    void *const copy = bst_arena_alloc(s->arena, key->len);
    if (!entry || !copy || !make_plan(s, c, entry))
        return NULL;
    memcpy(copy, key->text, key->len);
    HASH_ADD_KEYPTR(hh, s->plans, copy, key->len, entry);
    return entry->lost ? NULL : &entry->plan;
}

/* When steps that the log does not have happened: after the last event, and by now. */
static void set_times(bst__stepper *s, const bst__choice *c) {
    const int64_t committed_at = s->moment->committed_at;
    const bool known = s->known->version > 0 && s->known->last_at <= committed_at;
    for (uint32_t i = 0; i < events_of(c); i++) {
        bst_happening *const at = &s->happenings[i];
        at->occurred_at = committed_at;
        at->interval = i + 1 < c->count || s->moment->snapshot;
        at->after = known ? s->known->last_at : BST_TIME_MINUS_INFINITY;
        at->before = committed_at;
    }
}

bst_status bst__step_accept(bst__stepper *s, const bst__choice *c, bst__verdict *ret) {
    const bst_plan *const plan = find_plan(s, c);
    if (!plan)
        return bst_diag_nomem(s->diags);
    set_times(s, c);
    *ret = (bst__verdict){.kind = BST__STEP_EVENTS,
                          .events = {.plan = plan, .events = s->happenings},
                          .entity = s->folded};
    return BST_OK;
}
