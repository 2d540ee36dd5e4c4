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
#include "follow_private.h"

#include <stdlib.h>
#include <string.h>

typedef struct plan_entry {
    bst_plan plan;
    bool lost;
    UT_hash_handle hh;
} plan_entry;

typedef enum fit {
    FIT_NO,
    FIT_STATE,    /* it leads there, but the fields are others */
    FIT_NEGATIVE, /* it fits, with an amount below zero */
    FIT
} fit;

struct bst__stepper {
    const bst_mapping *mapping;
    const bst_machine *machine;
    bst_synth *synth;
    bst_arena *arena;
    bst__bridge *bridges;
    plan_entry *plans;
    /* "wal:payments.status", "wal:payments"; then the same with "snapshot:" */
    const char *state_source[2], *row_source[2];
    uint32_t reconcile; /* the machine's event, or BST_NONE */
    bst_strbuf plan_key, message;
    /* of one change */
    const bst__known *known;
    const bst_row *row;
    const bst__moment *moment;
    bst_entity target; /* what the row says */
    bst_entity folded; /* after the events that were tried last */
    bst_happening *happenings;
    size_t happening_room;
    bst_value *values;
    size_t value_room;
    /* why nothing fits */
    uint32_t refused_guard; /* BST_NONE: no guard stood in the way */
    bool guard_refused, fields_differ;
    fit least; /* that is good enough at the moment */
    bst_diags *diags;
};

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

/* ---- trying a way ---- */

static bool make_room(bst__stepper *s, uint32_t events) {
    const size_t values = (size_t)events * bst_machine_payload_max(s->machine);
    if (events > s->happening_room) {
        bst_happening *const more = realloc(s->happenings, 2u * events * sizeof *more);
        if (!more)
            return false;
        s->happenings = more;
        s->happening_room = 2u * events;
    }
    if (values > s->value_room) {
        bst_value *const more = realloc(s->values, 2 * values * sizeof *more);
        if (!more)
            return false;
        s->values = more;
        s->value_room = 2 * values;
    }
    return true;
}

static bool is_mapped(const bst__stepper *s, uint32_t field) {
    return s->mapping->fields[field].kind != BST_FROM_NOTHING;
}

/* The first mapped field in which two records differ; BST_NONE. */
static uint32_t first_difference(const bst__stepper *s, const bst_value *a, const bst_value *b) {
    for (uint32_t f = 0; f < s->machine->field_count; f++) {
        if (is_mapped(s, f) && !bst_value_equal(&s->machine->fields[f].type, &a[f], &b[f]))
            return f;
    }
    return BST_NONE;
}

/* Where the entity stands before. */
static void start_over(bst__stepper *s) {
    if (s->known->version == 0) {
        bst_entity_clear(s->machine, &s->folded);
        return;
    }
    s->folded.state = s->known->state;
    if (s->machine->field_count > 0)
        memcpy(s->folded.fields, s->known->fields,
               s->machine->field_count * sizeof *s->folded.fields);
}

static bool try_step(bst__stepper *s, uint32_t transition, bst_value *payload, bool *ret_negative) {
    const bst_transition *const t = &s->machine->transitions[transition];
    uint32_t guard = BST_NONE;
    if (!bst__payload_solve(s->synth, transition, &s->folded, s->target.fields, s->row, payload,
                            ret_negative))
        return false;
    if (!bst__payload_allowed(s->synth, transition, &s->folded, payload, &guard)) {
        s->guard_refused = true;
        s->refused_guard = guard;
        return false;
    }
    const bst_event event = {t->event, t->to, payload};
    return bst_apply(s->machine, &s->folded, &event) == BST_APPLY_OK;
}

/* Puts the fields right that the events have left. */
static bool mend(bst__stepper *s, bst_value *payload) {
    if (s->reconcile == BST_NONE || s->folded.state == BST_NONE ||
        !bst__payload_reconcile(s->synth, s->reconcile, &s->folded, s->target.fields, payload))
        return false;
    const bst_event event = {s->reconcile, s->folded.state, payload};
    return bst_apply(s->machine, &s->folded, &event) == BST_APPLY_OK &&
           first_difference(s, s->folded.fields, s->target.fields) == BST_NONE;
}

/* Takes the transitions from where the entity stands. `mended`: and puts right what is left. */
static fit try_way(bst__stepper *s, const uint32_t *transitions, uint32_t count, bool mended) {
    const uint32_t payload_max = bst_machine_payload_max(s->machine);
    bool negative = false;
    if (!make_room(s, count + 1))
        return FIT_NO;
    start_over(s);
    for (uint32_t i = 0; i < count; i++) {
        bst_value *const payload = s->values + (size_t)i * payload_max;
        if (!try_step(s, transitions[i], payload, &negative))
            return FIT_NO;
        s->happenings[i] = (bst_happening){.fields = payload};
    }
    if (mended) {
        bst_value *const payload = s->values + (size_t)count * payload_max;
        s->happenings[count] = (bst_happening){.fields = payload};
        return !negative && mend(s, payload) ? FIT : FIT_NO;
    }
    if (first_difference(s, s->folded.fields, s->target.fields) != BST_NONE) {
        s->fields_differ = true;
        return FIT_STATE;
    }
    return negative ? FIT_NEGATIVE : FIT;
}

/* ---- plans ---- */

typedef struct choice {
    uint32_t count; /* of transitions */
    bool mended;    /* a reconciliation comes behind them */
    const uint32_t *transitions;
    const bst_basis *basis;
    const double *confidence;
    double share;
} choice;

static uint32_t events_of(const choice *c) {
    return c->count + c->mended;
}

static void add_signature(const bst__stepper *s, const choice *c, bst_strbuf *out) {
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

static bool make_plan(bst__stepper *s, const choice *c, plan_entry *entry) {
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
static const bst_plan *find_plan(bst__stepper *s, const choice *c) {
    plan_entry *entry;
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
static void set_times(bst__stepper *s, const choice *c) {
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

static bst_status accept(bst__stepper *s, const choice *c, bst__verdict *ret) {
    const bst_plan *const plan = find_plan(s, c);
    if (!plan)
        return bst_diag_nomem(s->diags);
    set_times(s, c);
    *ret = (bst__verdict){.kind = BST__STEP_EVENTS,
                          .events = {.plan = plan, .events = s->happenings},
                          .entity = s->folded};
    return BST_OK;
}

/* ---- one event ---- */

static double weight_of(const bst__stepper *s, uint32_t transition) {
    const double *const weight = s->mapping->weights.weight;
    return weight && weight[transition] > 0 ? weight[transition] : weight ? 1e-9 : 1;
}

typedef struct direct {
    bool mended;
    uint32_t best; /* BST_NONE: none fits */
    fit fit;
    double best_weight, weights; /* of those that fit as well as the best */
    uint32_t count;
} direct;

static void look_at(bst__stepper *s, uint32_t transition, direct *d) {
    const fit fits = try_way(s, &transition, 1, d->mended);
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
    direct d = {.mended = mended, .best = BST_NONE, .fit = FIT_NO};
    for (uint32_t t = first; t < end; t++) {
        if (s->machine->transitions[t].to == s->target.state && !seen_before(s->machine, first, t))
            look_at(s, t, &d);
    }
    *ret_found = d.best != BST_NONE;
    if (!*ret_found)
        return BST_OK;
    (void)try_way(s, &d.best, 1, mended); /* again: others were tried since */
    const bst_basis basis = d.count > 1           ? BST_BASIS_ASSUMED
                            : s->moment->snapshot ? BST_BASIS_IMPLIED
                                                  : BST_BASIS_RECORDED;
    const double confidence = d.count == 1 ? 1 : d.best_weight / d.weights;
    const choice c = {1, mended, &d.best, &basis, &confidence, confidence};
    return accept(s, &c, ret);
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
        if (try_way(s, way->transitions, way->count, mended) < s->least)
            continue;
        const choice c = {way->count, mended,          way->transitions,
                          way->basis, way->confidence, way->share};
        *ret_found = true;
        return accept(s, &c, ret);
    }
    return BST_OK;
}

/* ---- a reconciliation ---- */

/* Fields that changed while the state stayed. */
static bst_status try_mending(bst__stepper *s, bool *ret_found, bst__verdict *ret) {
    const choice c = {.mended = true, .share = 1};
    *ret_found = s->known->version > 0 && s->known->state == s->target.state &&
                 try_way(s, NULL, 0, true) == FIT;
    return *ret_found ? accept(s, &c, ret) : BST_OK;
}

/* ---- why not ---- */

static bst_status refuse(bst__stepper *s, const char *reason, bst__verdict *ret) {
    *ret = (bst__verdict){.kind = BST__STEP_ASIDE, .reason = reason, .message = s->message.text};
    return s->message.failed ? bst_diag_nomem(s->diags) : BST_OK;
}

static bst_status refuse_as_synth(bst__stepper *s, const bst_refusal *refusal, bst__verdict *ret) {
    bst_strbuf_add(&s->message, refusal->message.text, refusal->message.len);
    return refuse(s, bst_reason_text(refusal->reason), ret);
}

static void add_move(bst__stepper *s) {
    const bst_state *const states = s->machine->states;
    if (s->known->version == 0)
        bst_strbuf_addf(&s->message, "the row came to be in state \"%s\"",
                        states[s->target.state].name);
    else
        bst_strbuf_addf(&s->message, "the row went from \"%s\" to \"%s\"",
                        states[s->known->state].name, states[s->target.state].name);
}

/* "no event of state "captured" explains that refunded became 15.00, and was 25.00". */
static void add_change(bst__stepper *s) {
    const uint32_t f = first_difference(s, s->known->fields, s->target.fields);
    bst_strbuf *const out = &s->message;
    if (s->known->version == 0 || f == BST_NONE) {
        add_move(s);
        bst_strbuf_adds(out, ", and no event of the machine leads to the values that it has");
        return;
    }
    const bst_field *const field = &s->machine->fields[f];
    bst_strbuf_addf(out, "no event of state \"%s\" explains that %s became ",
                    s->machine->states[s->known->state].name, field->name);
    bst_value_to_json(&field->type, &s->target.fields[f], out);
    bst_strbuf_adds(out, ", and was ");
    bst_value_to_json(&field->type, &s->known->fields[f], out);
}

static bst_status explain_guard(bst__stepper *s, bool moved, bst__verdict *ret) {
    const char *const name =
        s->refused_guard == BST_NONE ? NULL : s->machine->guards[s->refused_guard].name;
    if (moved)
        add_move(s);
    else
        add_change(s);
    bst_strbuf_adds(&s->message, moved ? ", which " : "; ");
    if (name)
        bst_strbuf_addf(&s->message, "the guard \"%s\" forbids", name);
    else
        bst_strbuf_adds(&s->message, "a guard forbids");
    bst_strbuf_adds(&s->message, moved ? "" : " it");
    return refuse(s, "guard-refused", ret);
}

static bst_status explain(bst__stepper *s, bst__verdict *ret) {
    const bool moved = s->known->version == 0 || s->known->state != s->target.state;
    if (s->guard_refused)
        return explain_guard(s, moved, ret);
    if (s->fields_differ || !moved) {
        add_change(s);
        return refuse(s, "unexplained-change", ret);
    }
    add_move(s);
    bst_strbuf_adds(&s->message, ", and no events of the machine lead there");
    return refuse(s, "illegal-transition", ret);
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
        return refuse_as_synth(s, refusal, ret);
    const uint32_t count = history.plan->event_count;
    if (!make_room(s, count))
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
static bst_status try_events(bst__stepper *s, fit least, bool *ret_found, bst__verdict *ret) {
    s->least = least;
    const bst_status status = try_direct(s, false, ret_found, ret);
    return status == BST_OK && !*ret_found ? try_bridge(s, false, ret_found, ret) : status;
}

static bst_status take_in_scope(bst__stepper *s, bst__verdict *ret) {
    bool found = false;
    bst_status status = BST_OK;
    if (s->known->version == 0)
        status = try_synthesis(s, &found, ret);
    if (status == BST_OK && !found) {
        const bst_refusal *refusal; /* synthesis has had its own use for the values */
        if (s->known->version == 0)
            (void)bst_synth_entity(s->synth, s->row, &s->target, &refusal);
        status = try_events(s, FIT, &found, ret);
    }
    if (status == BST_OK && !found && s->reconcile != BST_NONE)
        status = take_mended(s, &found, ret);
    if (status == BST_OK && !found)
        status = try_events(s, FIT_NEGATIVE, &found, ret);
    return status == BST_OK && !found ? explain(s, ret) : status;
}

static bst_status refuse_scope(bst__stepper *s, bst__verdict *ret) {
    bst_strbuf_adds(&s->message, "the row is no longer in the mapping's scope");
    return refuse(s, "out-of-scope", ret);
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
    s->guard_refused = s->fields_differ = false;
    bst_strbuf_clear(&s->message);
    bst__synth_begin(s->synth, diags);
    if (!bst__in_scope(s->synth, row, &unclear)) {
        if (unclear)
            return refuse_as_synth(s, &s->synth->refusal, ret);
        return known->version == 0 ? BST_OK : refuse_scope(s, ret);
    }
    if (!bst_synth_entity(s->synth, row, &s->target, &refusal))
        return refuse_as_synth(s, refusal, ret);
    ret->row = &s->target;
    if (known->version > 0 && known->state == s->target.state &&
        first_difference(s, known->fields, s->target.fields) == BST_NONE)
        return BST_OK;
    const bst_status status = take_in_scope(s, ret);
    /* A history that synthesis made has its values elsewhere, and no writers before it. */
    ret->row = known->version > 0 ? &s->target : NULL;
    return status;
}
