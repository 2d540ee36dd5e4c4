/* From an entity and the row it has become to events, or to the reason why there are none.
 *
 * Tried in this order, and the first that folds to the row exactly is taken:
 *   1. the row says what the history says: nothing
 *   2. one event that leads from the one state to the other (or stays, when it is the same)
 *   3. several events, by the likeliest way
 *   4. the same with a reconciliation behind it, where the machine has one, that puts right the
 *      fields which they leave
 *   5. 2 and 3 with amounts below zero, where no guard forbids them
 * What fits none of it is not an event: the machine forbids it, or does not explain it.
 *
 * A step that alone explains the change is recorded: the log has it. Where several explain it the
 * likeliest is assumed; steps of a longer way are implied or assumed, as inference has it.
 */
#include "step_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

static const char *short_table(const bst_mapping *mapping) {
    const char *const dot = strchr(mapping->source.table, '.');
    return dot ? dot + 1 : mapping->source.table;
}

static const char *state_column(const bst_mapping *mapping) {
    return mapping->source.columns[mapping->state_columns[0].column].name;
}

static bool prepare(bst__stepper *s) {
    const bst_mapping *const mapping = s->mapping;
    const uint32_t fields = s->machine->field_count;
    s->arena = bst_arena_new();
    if (!s->arena)
        return false;
    s->target.fields = bst_arena_array(s->arena, fields, sizeof *s->target.fields);
    s->folded.fields = bst_arena_array(s->arena, fields, sizeof *s->folded.fields);
    bool made = s->target.fields && s->folded.fields;
    for (int i = 0; i < 2; i++) {
        const char *const kind = i == 0 ? "wal" : "snapshot";
        s->row_source[i] = bst_arena_printf(s->arena, "%s:%s", kind, short_table(mapping));
        s->state_source[i] = mapping->state_column_count == 1
                                 ? bst_arena_printf(s->arena, "%s:%s.%s", kind,
                                                    short_table(mapping), state_column(mapping))
                                 : s->row_source[i];
        made = made && s->row_source[i] && s->state_source[i];
    }
    return made;
}

bst_status bst__stepper_new(const bst_mapping *mapping, bst__stepper **ret, bst_diags *diags) {
    bst__stepper *const s = calloc(1, sizeof *s);
    if (!s)
        return bst_diag_nomem(diags);
    s->mapping = mapping;
    s->machine = mapping->machine;
    s->reconcile = bst_machine_builtin(s->machine, BST_BUILTIN_RECONCILE);
    bst_strbuf_init(&s->plan_key);
    bst_strbuf_init(&s->message);
    bst_status status = prepare(s) ? BST_OK : bst_diag_nomem(diags);
    if (status == BST_OK)
        status = bst_synth_new(mapping, &s->synth, diags);
    if (status != BST_OK) {
        bst__stepper_free(s);
        return status;
    }
    *ret = s;
    return BST_OK;
}

bst__stepper *bst__stepper_free(bst__stepper *s) {
    if (s) {
        HASH_CLEAR(hh, s->bridges);
        HASH_CLEAR(hh, s->plans);
        bst_synth_free(s->synth);
        bst_arena_free(s->arena);
        bst_strbuf_release(&s->plan_key);
        bst_strbuf_release(&s->message);
        free(s->happenings);
        free(s->values);
        free(s);
    }
    return NULL;
}

/* ---- one event ---- */

static double weight_of(const bst__stepper *s, uint32_t transition) {
    const double *const weight = s->mapping->weights.weight;
    return weight && weight[transition] > 0 ? weight[transition] : weight ? 1e-9 : 1;
}

typedef struct direct {
    bool mended;
    uint32_t best; /* BST_NONE: none fits */
    bst__fit fit;
    double best_weight, weights; /* of those that fit as well as the best */
    uint32_t count;
} direct;

static void look_at(bst__stepper *s, uint32_t transition, direct *d) {
    const bst__fit fits = bst__step_try(s, &transition, 1, d->mended);
    const double weight = weight_of(s, transition);
    if (fits < s->least || fits < d->fit)
        return;
    if (fits > d->fit)
        *d = (direct){.mended = d->mended, .best = BST_NONE, .fit = fits};
    if (d->best == BST_NONE || weight > d->best_weight) {
        d->best = transition;
        d->best_weight = weight;
    }
    d->weights += weight;
    d->count++;
}

/* Two transitions that emit one event into one state are one step to a history. */
static bool seen_before(const bst_machine *machine, uint32_t first, uint32_t transition) {
    const bst_transition *const t = &machine->transitions[transition];
    for (uint32_t i = first; i < transition; i++) {
        const bst_transition *const other = &machine->transitions[i];
        if (other->event == t->event && other->to == t->to && other->guard == BST_NONE &&
            t->guard == BST_NONE)
            return true;
    }
    return false;
}

/* *ret_found: one event explains the change; `*ret` is filled then. */
static bst_status try_direct(bst__stepper *s, bool mended, bool *ret_found, bst__verdict *ret) {
    const bool creation = s->known->version == 0;
    const bst_state *const from = creation ? NULL : &s->machine->states[s->known->state];
    const uint32_t first = creation ? 0 : from->first_transition;
    const uint32_t end = first + (creation ? s->machine->creation_count : from->transition_count);
    direct d = {.mended = mended, .best = BST_NONE, .fit = BST__FIT_NO};
    for (uint32_t t = first; t < end; t++) {
        if (s->machine->transitions[t].to == s->target.state && !seen_before(s->machine, first, t))
            look_at(s, t, &d);
    }
    *ret_found = d.best != BST_NONE;
    if (!*ret_found)
        return BST_OK;
    (void)bst__step_try(s, &d.best, 1, mended); /* again: others were tried since */
    const bst_basis basis = d.count > 1           ? BST_BASIS_ASSUMED
                            : s->moment->snapshot ? BST_BASIS_IMPLIED
                                                  : BST_BASIS_RECORDED;
    const double confidence = d.count == 1 ? 1 : d.best_weight / d.weights;
    const bst__choice c = {1, mended, &d.best, &basis, &confidence, confidence};
    return bst__step_accept(s, &c, ret);
}

/* ---- several events ---- */

static bst_status try_bridge(bst__stepper *s, bool mended, bool *ret_found, bst__verdict *ret) {
    const uint32_t from = s->known->version == 0 ? BST_NONE : s->known->state;
    *ret_found = false;
    if (from == s->target.state)
        return BST_OK; /* only loops lead there, and nothing speaks for one */
    const bst__bridge *const bridge =
        bst__bridge_find(&s->bridges, s->mapping, from, s->target.state, s->arena, s->diags);
    if (!bridge)
        return bst_diags_count(s->diags) > 0 ? BST_LIMIT : BST_NOMEM;
    for (uint32_t i = 0; i < bridge->count; i++) {
        const bst__way *const way = &bridge->ways[i];
        if (bst__step_try(s, way->transitions, way->count, mended) < s->least)
            continue;
        const bst__choice c = {way->count, mended,          way->transitions,
                               way->basis, way->confidence, way->share};
        *ret_found = true;
        return bst__step_accept(s, &c, ret);
    }
    return BST_OK;
}

/* ---- a reconciliation ---- */

/* Fields that changed while the state stayed. */
static bst_status try_mending(bst__stepper *s, bool *ret_found, bst__verdict *ret) {
    const bst__choice c = {.mended = true, .share = 1};
    *ret_found = s->known->version > 0 && s->known->state == s->target.state &&
                 bst__step_try(s, NULL, 0, true) == BST__FIT;
    return *ret_found ? bst__step_accept(s, &c, ret) : BST_OK;
}

/* ---- a change ---- */

/* The whole history of a row that has none yet: what its columns prove counts for more than that it
 * has just appeared. `*ret_found` false: it says nothing of when. */
static bst_status try_synthesis(bst__stepper *s, bool *ret_found, bst__verdict *ret) {
    bst_fate fate;
    bst_history history;
    const bst_refusal *refusal = NULL;
    const bst_status status = bst_synth_row(s->synth, s->row, &fate, &history, &refusal, s->diags);
    if (status != BST_OK)
        return status;
    *ret_found = true;
    if (fate == BST_QUARANTINED && s->synth->timeless) {
        *ret_found = false;
        return BST_OK;
    }
    if (fate != BST_MIGRATED)
        return bst__step_refuse_as_synth(s, refusal, ret);
    const uint32_t count = history.plan->event_count;
    if (!bst__step_room(s, count))
        return bst_diag_nomem(s->diags);
    for (uint32_t i = 0; i < count; i++) {
        s->happenings[i] = history.events[i];
        if (s->happenings[i].interval && s->happenings[i].before == BST_TIME_INFINITY)
            s->happenings[i].before = s->moment->committed_at;
    }
    *ret = (bst__verdict){.kind = BST__STEP_EVENTS,
                          .events = {.plan = history.plan, .events = s->happenings},
                          .entity = {history.plan->events[count - 1].state, s->synth->folded}};
    return BST_OK;
}

static bst_status take_mended(bst__stepper *s, bool *ret_found, bst__verdict *ret) {
    const bool moved = s->known->version == 0 || s->known->state != s->target.state;
    if (!moved)
        return try_mending(s, ret_found, ret);
    const bst_status status = try_direct(s, true, ret_found, ret);
    return status == BST_OK && !*ret_found ? try_bridge(s, true, ret_found, ret) : status;
}

/* As events of the machine alone. */
static bst_status try_events(bst__stepper *s, bst__fit least, bool *ret_found, bst__verdict *ret) {
    s->least = least;
    const bst_status status = try_direct(s, false, ret_found, ret);
    return status == BST_OK && !*ret_found ? try_bridge(s, false, ret_found, ret) : status;
}

static bst_status take_in_scope(bst__stepper *s, bst__verdict *ret) {
    bool found = false;
    bst_status status = BST_OK;
    bst__step_begin(s);
    if (s->known->version == 0)
        status = try_synthesis(s, &found, ret);
    if (status == BST_OK && !found) {
        const bst_refusal *refusal; /* synthesis has had its own use for the values */
        if (s->known->version == 0)
            (void)bst_synth_entity(s->synth, s->row, &s->target, &refusal);
        status = try_events(s, BST__FIT, &found, ret);
    }
    if (status == BST_OK && !found && s->reconcile != BST_NONE)
        status = take_mended(s, &found, ret);
    if (status == BST_OK && !found)
        status = try_events(s, BST__FIT_NEGATIVE, &found, ret);
    return status == BST_OK && !found ? bst__step_explain(s, ret) : status;
}

static bst_status refuse_scope(bst__stepper *s, bst__verdict *ret) {
    bst_strbuf_adds(&s->message, "the row is no longer in the mapping's scope");
    return bst__step_refuse(s, "out-of-scope", ret);
}

bst_status bst__stepper_take(bst__stepper *s, const bst__known *known, const bst_row *row,
                             const bst__moment *moment, bst__verdict *ret, bst_diags *diags) {
    bool unclear = false;
    const bst_refusal *refusal = NULL;
    *ret = (bst__verdict){.kind = BST__STEP_NOTHING};
    s->known = known;
    s->row = row;
    s->moment = moment;
    s->diags = diags;
    bst_strbuf_clear(&s->message);
    bst__synth_begin(s->synth, diags);
    if (!bst__in_scope(s->synth, row, &unclear)) {
        if (unclear)
            return bst__step_refuse_as_synth(s, &s->synth->refusal, ret);
        return known->version == 0 ? BST_OK : refuse_scope(s, ret);
    }
    if (!bst_synth_entity(s->synth, row, &s->target, &refusal))
        return bst__step_refuse_as_synth(s, refusal, ret);
    ret->row = &s->target;
    if (known->version > 0 && known->state == s->target.state &&
        bst__step_difference(s, known->fields, s->target.fields) == BST_NONE)
        return BST_OK;
    const bst_status status = take_in_scope(s, ret);
    /* A history that synthesis made has its values elsewhere, and no writers before it. */
    ret->row = known->version > 0 ? &s->target : NULL;
    return status;
}
