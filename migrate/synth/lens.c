/* Values along a walk: what a step does to them, for inference to ask (lens_private.h).
 *
 * A mark is what has been folded so far of the fields that matter, which of them are unknown,
 * and how many amounts were added to each sum. Marks are numbered, equal ones alike, so walks
 * that come to the same values are one from there on.
 *
 * A sum's only amount is known where one of several is not (sums.c). Which it is the end of the
 * walk tells; so where that makes a difference a step forks: the only one (then no other may
 * follow), or one of several (then another must).
 *
 * Loops that count upwards would never end. Where all that the walks can do to a field is to add
 * to it, in this row, what is beyond the row's value stays beyond it, and the walk is ruled out. */
#include "lens_private.h"

#include <string.h>

#include "backstory/decimal.h"

#include "mapping/mapping_private.h"

enum { SUM_OPEN, SUM_ALONE, SUM_AMONG }; /* not decided; the only amount; one of several */

typedef struct payment { /* the payload of a step, from the row's columns */
    bool made;
    bst_value *values;
    uint8_t *bad; /* it cannot be had */
} payment;

struct bst__lens {
    bst_synth *synth;
    const bst__lens_plan *plan;
    const bst__ask *asks;
    uint32_t ask_count;
    const bst_row *row;
    bst_arena *arena;
    payment *payments;      /* by ask */
    bool *rising, *falling; /* by slot */
    bool *pure;             /* by sum: nothing but amounts changes it */
    bool hazy, failed, gave_up;
    /* marks: values and bytes of each, and where to find them again */
    uint32_t count, room, bytes; /* of one mark: unknown (slots), amounts and kind (sums), hazy */
    bst_value *values;
    uint8_t *flags;
    uint32_t *table; /* number + 1; 2 * room of them */
    /* a step being taken */
    const bst__ask *ask;
    const payment *paid;
    const bst_value *from;
    bst_value *before, *after;             /* by field; by slot */
    uint8_t *draft, *unpaid, *after_flags; /* bytes of a mark; by payload field; bytes of a mark */
    bst_value *payload;
    uint8_t *bad;
    uint32_t *ret, forks;
};

/* ---- bytes of a mark ---- */

static uint8_t *amounts_at(const bst__lens *l, uint8_t *flags, uint32_t sum) {
    return flags + l->plan->slot_count + 2 * (size_t)sum;
}

static uint8_t *hazy_at(const bst__lens *l, uint8_t *flags) {
    return flags + l->plan->slot_count + 2 * (size_t)l->plan->sum_count;
}

static const bst_type *type_of(const bst__lens *l, uint32_t slot) {
    return &l->synth->machine->fields[l->plan->slots[slot]].type;
}

/* ---- marks ---- */

static uint64_t mix(uint64_t hash, uint64_t with) {
    hash = (hash ^ with) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* Equal values, equal hashes; of JSON texts several are equal. */
static uint64_t hash_value(const bst_type *type, const bst_value *value) {
    uint64_t hash = value->present;
    if (!value->present || type->kind == BST_KIND_JSON) {
        return hash;
    }
    switch (type->kind) {
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
    case BST_KIND_BYTEA:
        for (uint32_t i = 0; i < value->len; i++) {
            hash = mix(hash, (uint8_t)value->u.text[i]);
        }
        return hash;
    case BST_KIND_UUID:
        for (size_t i = 0; i < sizeof value->u.uuid; i++) {
            hash = mix(hash, value->u.uuid[i]);
        }
        return hash;
    default:
        return mix(hash, (uint64_t)value->u.i);
    }
}

static bool is_mark(const bst__lens *l, uint32_t mark, const bst_value *values,
                    const uint8_t *flags) {
    const bst_value *with = l->values + (size_t)mark * l->plan->slot_count;
    if (memcmp(l->flags + (size_t)mark * l->bytes, flags, l->bytes) != 0) {
        return false;
    }
    for (uint32_t s = 0; s < l->plan->slot_count; s++) {
        if (!flags[s] && !bst_value_equal(type_of(l, s), &with[s], &values[s])) {
            return false;
        }
    }
    return true;
}

static uint32_t *find_mark(const bst__lens *l, const bst_value *values, const uint8_t *flags) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < l->bytes; i++) {
        hash = mix(hash, flags[i]);
    }
    for (uint32_t s = 0; s < l->plan->slot_count; s++) {
        hash = flags[s] ? hash : mix(hash, hash_value(type_of(l, s), &values[s]));
    }
    uint32_t at = (uint32_t)(hash >> 16) & (2 * l->room - 1);
    while (l->table[at] != 0 && !is_mark(l, l->table[at] - 1, values, flags)) {
        at = (at + 1) & (2 * l->room - 1);
    }
    return &l->table[at];
}

static bool grow(bst__lens *l) {
    const uint32_t room = l->room > 0 ? 2 * l->room : 16;
    const size_t slots = l->plan->slot_count;
    bst_value *values = bst_arena_array(l->arena, room * slots, sizeof *values);
    uint8_t *flags = bst_arena_array(l->arena, room, l->bytes);
    l->table = bst_arena_array(l->arena, 2 * (size_t)room, sizeof *l->table);
    if (!values || !flags || !l->table) {
        return false;
    }
    if (l->count > 0) {
        memcpy(values, l->values, l->count * slots * sizeof *values);
        memcpy(flags, l->flags, (size_t)l->count * l->bytes);
    }
    l->values = values;
    l->flags = flags;
    l->room = room;
    for (uint32_t i = 0; i < l->count; i++) {
        *find_mark(l, values + i * slots, flags + (size_t)i * l->bytes) = i + 1;
    }
    return true;
}

/* BST_NONE: no memory. */
static uint32_t number_mark(bst__lens *l, const bst_value *values, const uint8_t *flags) {
    if (l->count == l->room && !grow(l)) {
        l->failed = true;
        return BST_NONE;
    }
    uint32_t *slot = find_mark(l, values, flags);
    if (*slot == 0) {
        const size_t slots = l->plan->slot_count;
        if (slots > 0) {
            memcpy(l->values + l->count * slots, values, slots * sizeof *values);
        }
        memcpy(l->flags + (size_t)l->count * l->bytes, flags, l->bytes);
        *slot = ++l->count;
    }
    return *slot - 1;
}

/* ---- payloads ---- */

static const payment *pay(bst__lens *l, uint32_t number) {
    payment *paid = &l->payments[number];
    const bst__step *step = &l->asks[number].step;
    if (paid->made) {
        return paid;
    }
    paid->values = bst_arena_array(l->arena, step->filler_count, sizeof *paid->values);
    paid->bad = bst_arena_array(l->arena, step->filler_count, sizeof *paid->bad);
    if (!paid->values || !paid->bad) {
        l->failed = true;
        return NULL;
    }
    for (uint32_t f = 0; f < step->filler_count; f++) {
        const bst__filler *filler = &step->fillers[f];
        paid->bad[f] = !bst__filler_get(l->synth, filler, l->row, &paid->values[f]) ||
                       (!paid->values[f].present && !filler->field->type.optional);
    }
    paid->made = true;
    return paid;
}

/* ---- a step ---- */

static bool is_unknown(const bst__lens *l, const bst__ref *ref, const uint8_t *flags) {
    if (ref->root == BST_ROOT_ENTITY) {
        return flags[l->plan->slot_of[ref->index]];
    }
    return ref->root == BST_ROOT_EVENT && l->unpaid[ref->index];
}

static bool reads_unknown(const bst__lens *l, const bst__refs *reads, const uint8_t *flags) {
    for (uint32_t i = 0; i < reads->count; i++) {
        if (is_unknown(l, &reads->refs[i], flags)) {
            return true;
        }
    }
    return false;
}

/* The same for a guard, which reads the command that the event was made of. */
static bool guard_reads_unknown(const bst__lens *l, const bst__refs *reads) {
    const bst_transition *of = &l->synth->machine->transitions[l->ask->step.transition];
    for (uint32_t i = 0; i < reads->count; i++) {
        const bst__ref *ref = &reads->refs[i];
        for (uint32_t f = 0; ref->root == BST_ROOT_COMMAND && f < l->ask->step.filler_count; f++) {
            if (of->payload_from[f] == ref->index && l->unpaid[f]) {
                return true;
            }
        }
        if (ref->root == BST_ROOT_ENTITY && is_unknown(l, ref, l->draft)) {
            return true;
        }
    }
    return false;
}

static bool guards_hold(bst__lens *l) {
    bst_synth *synth = l->synth;
    const bst__step *step = &l->ask->step;
    const bst_transition *of = &synth->machine->transitions[step->transition];
    for (uint32_t f = 0; f < synth->machine->commands[of->command].field_count; f++) {
        synth->command[f] = BST_ABSENT;
    }
    for (uint32_t f = 0; f < step->filler_count; f++) {
        if (of->payload_from[f] != BST_NONE) {
            synth->command[of->payload_from[f]] = l->payload[f];
        }
    }
    const bst_records records = {
        {[BST_ROOT_ENTITY] = l->before, [BST_ROOT_COMMAND] = synth->command}};
    for (uint32_t g = 0; g < step->guard_check_count; g++) {
        const bst__guard_check *check = &step->guard_checks[g];
        bst_value holds = {.present = true, .u.i = 1};
        if (check->guard != BST_NONE && guard_reads_unknown(l, &l->plan->guards[check->guard])) {
            *hazy_at(l, l->draft) = 1;
            continue;
        }
        if (check->guard != BST_NONE && bst_expr_eval(synth->machine->guards[check->guard].expr,
                                                      &records, &holds) != BST_EVAL_OK) {
            return false;
        }
        if ((holds.present && holds.u.i != 0) != check->expected) {
            return false;
        }
    }
    return true;
}

/* The entity as expressions see it. */
static void lay_out(bst__lens *l, bool born) {
    for (uint32_t s = 0; s < l->plan->slot_count; s++) {
        const uint32_t field = l->plan->slots[s];
        l->before[field] = born ? l->from[s] : l->synth->machine->fields[field].default_value;
    }
}

static bool is_beyond(const bst__lens *l, uint32_t slot, const bst_value *value) {
    const bst_value *expected = &l->synth->expected[l->plan->slots[slot]];
    return (l->rising[slot] && value->u.i > expected->u.i) ||
           (l->falling[slot] && value->u.i < expected->u.i);
}

/* Into l->after and l->after_flags; false: the values rule it out. */
static bool assign(bst__lens *l) {
    const bst_machine *machine = l->synth->machine;
    const uint32_t number = machine->transitions[l->ask->step.transition].event;
    const bst_event_type *event = &machine->events[number];
    const bst_records records = {{[BST_ROOT_ENTITY] = l->before, [BST_ROOT_EVENT] = l->payload}};
    for (uint32_t s = 0; s < l->plan->slot_count; s++) {
        l->after[s] = l->before[l->plan->slots[s]];
    }
    memcpy(l->after_flags, l->draft, l->bytes);
    for (uint32_t a = 0; a < event->assignment_count; a++) {
        const bst_assignment *assignment = &event->assignments[a];
        const uint32_t slot = l->plan->slot_of[assignment->field];
        const bst__refs *reads = &l->plan->assigns[number][a].reads;
        if (slot == BST_NONE) {
            continue;
        }
        const bool unknown = assignment->expr ? reads_unknown(l, reads, l->draft)
                                              : l->unpaid[assignment->event_field];
        l->after_flags[slot] = unknown;
        if (unknown) {
            *hazy_at(l, l->after_flags) = 1;
            l->after[slot] = BST_ABSENT;
        } else if (!assignment->expr) {
            l->after[slot] = l->payload[assignment->event_field];
        } else if (bst_expr_eval(assignment->expr, &records, &l->after[slot]) != BST_EVAL_OK) {
            return false;
        }
        if (!unknown && is_beyond(l, slot, &l->after[slot])) {
            return false;
        }
    }
    return true;
}

/* The payload is settled: what is known of it, and what is not. */
static void finish(bst__lens *l) {
    uint8_t before_guards = *hazy_at(l, l->draft);
    if (guards_hold(l) && assign(l)) {
        const uint32_t number = number_mark(l, l->after, l->after_flags);
        l->gave_up = l->gave_up || l->forks == BST_LENS_FORKS_MAX;
        if (number != BST_NONE && !l->gave_up) {
            l->ret[l->forks++] = number;
        }
    }
    *hazy_at(l, l->draft) = before_guards;
}

static void settle(bst__lens *l, uint32_t f);

/* One payload field, known or not, and then the others. */
static void settle_as(bst__lens *l, uint32_t f, bool known) {
    uint8_t *hazy = hazy_at(l, l->draft);
    const uint8_t before = *hazy;
    if (known && l->bad[f]) {
        return;
    }
    l->unpaid[f] = !known;
    *hazy = before || !known;
    settle(l, f + 1);
    *hazy = before;
}

/* The only amount of a sum that no column tells is the rest of it. False: that is no amount. */
static bool find_rest(bst__lens *l, uint32_t f, bool *ret_known) {
    const bst__filler *filler = &l->ask->step.fillers[f];
    const uint32_t slot = l->plan->slot_of[filler->sum];
    const bst_type *type = &l->synth->machine->fields[filler->sum].type;
    const bst_value *total = &l->synth->expected[filler->sum], *now = &l->before[filler->sum];
    bst_value rest = {.present = true};
    *ret_known = l->pure[l->plan->sum_of[filler->sum]] && slot != BST_NONE && !l->draft[slot] &&
                 total->present && now->present && type->kind == BST_KIND_DECIMAL;
    if (!*ret_known) {
        return true;
    }
    return bst_decimal_sub(filler->negative ? now->u.i : total->u.i,
                           filler->negative ? total->u.i : now->u.i, &rest.u.i) &&
           bst__map_converts(type, &filler->field->type) &&
           bst__cell_convert(type, -1, &filler->field->type, &rest, l->synth->scratch,
                             &l->payload[f]) == BST_VALUE_OK;
}

/* One more amount of a sum: `as` the only one, or one of several. */
static void settle_amount(bst__lens *l, uint32_t f, uint8_t *sum, uint8_t as, bool known) {
    const uint8_t kind = sum[1], amounts = sum[0];
    sum[1] = as;
    sum[0] = amounts < 2 ? amounts + 1 : 2;
    settle_as(l, f, known);
    sum[1] = kind;
    sum[0] = amounts;
}

static void settle_alone(bst__lens *l, uint32_t f, uint8_t *sum, const bst__amount *amount) {
    const bst_value kept = l->payload[f];
    const uint8_t bad = l->bad[f];
    bool rest = false;
    if (amount->alone || amount->doubtful) {
        settle_amount(l, f, sum, SUM_ALONE, amount->alone);
    } else if (find_rest(l, f, &rest)) {
        l->bad[f] = 0;
        settle_amount(l, f, sum, SUM_ALONE, rest);
    }
    l->payload[f] = kept;
    l->bad[f] = bad;
}

static void settle(bst__lens *l, uint32_t f) {
    const bst__filler *filler = &l->ask->step.fillers[f];
    if (f == l->ask->step.filler_count) {
        finish(l);
        return;
    }
    const bst__amount *amount = &l->ask->amounts[f];
    if (filler->sum == BST_NONE) {
        settle_as(l, f, !amount->doubtful);
        return;
    }
    uint8_t *sum = amounts_at(l, l->draft, l->plan->sum_of[filler->sum]);
    const bool alike = amount->alone && amount->among;
    if (sum[1] == SUM_ALONE) {
        return;
    }
    if (sum[1] == SUM_OPEN && sum[0] == 0 && alike) {
        settle_amount(l, f, sum, SUM_OPEN, true);
        return;
    }
    if (sum[1] == SUM_OPEN && sum[0] == 0) {
        settle_alone(l, f, sum, amount);
    }
    settle_amount(l, f, sum, SUM_AMONG, amount->among);
}

static uint32_t take_step(void *context, uint32_t values, uint32_t number,
                          uint32_t ret[BST_LENS_FORKS_MAX]) {
    bst__lens *l = context;
    l->ask = &l->asks[number];
    if (l->ask->silent) {
        ret[0] = values;
        return 1;
    }
    l->paid = pay(l, number);
    if (!l->paid || l->failed) {
        return 0;
    }
    const bst_transition *of = &l->synth->machine->transitions[l->ask->step.transition];
    l->from = l->values + (size_t)values * l->plan->slot_count;
    memcpy(l->draft, l->flags + (size_t)values * l->bytes, l->bytes);
    l->ret = ret;
    l->forks = 0;
    for (uint32_t f = 0; f < l->ask->step.filler_count; f++) {
        l->payload[f] = l->paid->values[f];
        l->bad[f] = l->paid->bad[f];
    }
    lay_out(l, of->from != BST_NONE);
    settle(l, 0);
    return l->forks;
}

static bool accept(void *context, uint32_t values) {
    bst__lens *l = context;
    uint8_t *flags = l->flags + (size_t)values * l->bytes;
    const bst_value *folded = l->values + (size_t)values * l->plan->slot_count;
    for (uint32_t s = 0; s < l->plan->slot_count; s++) {
        const uint32_t field = l->plan->slots[s];
        if (!flags[s] && l->synth->fields[field].from->kind != BST_FROM_NOTHING &&
            !bst_value_equal(type_of(l, s), &folded[s], &l->synth->expected[field])) {
            return false;
        }
    }
    for (uint32_t sum = 0; sum < l->plan->sum_count; sum++) {
        const uint8_t *of = amounts_at(l, flags, sum);
        if (of[1] == SUM_AMONG && of[0] < 2) {
            return false;
        }
    }
    l->hazy = l->hazy || *hazy_at(l, flags);
    return true;
}

/* ---- what can only grow ---- */

/* What the step does to its field by this assignment, from `base` on: the sign; 2: anything. */
static int direction(bst__lens *l, const bst__ask *ask, const payment *paid, uint32_t event,
                     uint32_t a, const bst_value *base) {
    const bst_assignment *assignment = &l->synth->machine->events[event].assignments[a];
    const bst__assigns *known = &l->plan->assigns[event][a];
    const bst_records records = {{[BST_ROOT_ENTITY] = l->before, [BST_ROOT_EVENT] = paid->values}};
    bst_value after;
    bool open = false, bad = false;
    if (!assignment->expr || !known->adds) {
        return 2;
    }
    for (uint32_t i = 0; i < known->reads.count; i++) {
        const uint32_t f = known->reads.refs[i].index;
        if (known->reads.refs[i].root != BST_ROOT_EVENT) {
            continue;
        }
        const bst__filler *filler = &ask->step.fillers[f];
        const bool unsure = !ask->amounts[f].alone || !ask->amounts[f].among;
        /* an amount that is the rest of a sum is not of the other sign than the sum (sums.c) */
        if (ask->amounts[f].doubtful ||
            (unsure && (filler->sum != assignment->field || filler->negative ||
                        l->synth->expected[assignment->field].u.i < 0))) {
            return 2;
        }
        open = open || unsure;
        bad = bad || paid->bad[f];
    }
    l->before[assignment->field] = *base;
    if (bad) { /* then it cannot be added, unless it is such a rest */
        return open ? 1 : 0;
    }
    if (bst_expr_eval(assignment->expr, &records, &after) != BST_EVAL_OK || !after.present) {
        return 2;
    }
    const int sign = (after.u.i > base->u.i) - (after.u.i < base->u.i);
    return open && sign < 0 ? 2 : open ? 1 : sign;
}

static bool is_number(const bst_type *type) {
    return !type->optional && (type->kind == BST_KIND_INT2 || type->kind == BST_KIND_INT4 ||
                               type->kind == BST_KIND_INT8 || type->kind == BST_KIND_DECIMAL);
}

/* Which sums only amounts change, whatever step is taken after the creation. */
static void find_pure(bst__lens *l) {
    const bst_machine *machine = l->synth->machine;
    for (uint32_t sum = 0; sum < l->plan->sum_count; sum++) {
        l->pure[sum] = true;
    }
    for (uint32_t n = 0; n < l->ask_count; n++) {
        const bst__step *step = &l->asks[n].step;
        const bst_event_type *event =
            &machine->events[machine->transitions[step->transition].event];
        for (uint32_t a = 0; a < event->assignment_count; a++) {
            const uint32_t sum = l->plan->sum_of[event->assignments[a].field];
            bool amount = false;
            for (uint32_t f = 0; sum != BST_NONE && f < step->filler_count; f++) {
                amount = amount || step->fillers[f].sum == event->assignments[a].field;
            }
            if (sum != BST_NONE && !amount) {
                l->pure[sum] = false;
            }
        }
    }
}

static bool find_directions(bst__lens *l) {
    const bst_machine *machine = l->synth->machine;
    const bst_value zero = {.present = true};
    find_pure(l);
    for (uint32_t s = 0; s < l->plan->slot_count; s++) {
        const uint32_t field = l->plan->slots[s];
        l->rising[s] = l->falling[s] = is_number(type_of(l, s)) &&
                                       l->synth->expected[field].present &&
                                       l->synth->fields[field].from->kind != BST_FROM_NOTHING;
    }
    for (uint32_t n = 0; n < l->ask_count; n++) {
        const bst_transition *of = &machine->transitions[l->asks[n].step.transition];
        const bst_event_type *event = &machine->events[of->event];
        if (l->asks[n].silent || of->from == BST_NONE) {
            continue;
        }
        const payment *paid = pay(l, n);
        for (uint32_t a = 0; paid && a < event->assignment_count; a++) {
            const uint32_t slot = l->plan->slot_of[event->assignments[a].field];
            if (slot == BST_NONE || !(l->rising[slot] || l->falling[slot])) {
                continue;
            }
            const int sign = direction(l, &l->asks[n], paid, of->event, a, &zero);
            l->rising[slot] = l->rising[slot] && (sign == 0 || sign == 1);
            l->falling[slot] = l->falling[slot] && (sign == 0 || sign == -1);
        }
    }
    return !l->failed;
}

/* ---- life ---- */

bst__lens *bst__lens_new(bst_synth *synth, const bst__ask *asks, uint32_t ask_count,
                         const bst_row *row, bst_arena *arena, bst_lens *ret) {
    const bst__lens_plan *plan = &synth->lens;
    bst__lens *l = bst_arena_alloc(arena, sizeof *l);
    if (!l) {
        return NULL;
    }
    *l = (bst__lens){.synth = synth, .plan = plan, .asks = asks, .ask_count = ask_count};
    l->row = row;
    l->arena = arena;
    l->bytes = plan->slot_count + 2 * plan->sum_count + 1;
    l->payments = bst_arena_array(arena, ask_count, sizeof *l->payments);
    l->rising = bst_arena_array(arena, plan->slot_count, sizeof *l->rising);
    l->falling = bst_arena_array(arena, plan->slot_count, sizeof *l->falling);
    l->before = bst_arena_array(arena, synth->machine->field_count, sizeof *l->before);
    l->after = bst_arena_array(arena, plan->slot_count, sizeof *l->after);
    l->draft = bst_arena_alloc(arena, l->bytes);
    l->after_flags = bst_arena_alloc(arena, l->bytes);
    l->unpaid = bst_arena_array(arena, plan->payload_max, sizeof *l->unpaid);
    l->payload = bst_arena_array(arena, plan->payload_max, sizeof *l->payload);
    l->bad = bst_arena_array(arena, plan->payload_max, sizeof *l->bad);
    l->pure = bst_arena_array(arena, plan->sum_count, sizeof *l->pure);
    if (!l->payments || !l->rising || !l->falling || !l->before || !l->after || !l->draft ||
        !l->after_flags || !l->unpaid || !l->payload || !l->bad || !l->pure ||
        !find_directions(l)) {
        return NULL;
    }
    *ret = (bst_lens){.context = l, .step = take_step, .accept = accept};
    ret->start = number_mark(l, l->after, l->draft); /* nothing yet: all are zeros */
    return ret->start == BST_NONE ? NULL : l;
}

bool bst__lens_is_hazy(const bst__lens *lens) {
    return lens->hazy;
}

bool bst__lens_failed(const bst__lens *lens) {
    return lens->failed;
}

bool bst__lens_gave_up(const bst__lens *lens) {
    return lens->gave_up;
}
