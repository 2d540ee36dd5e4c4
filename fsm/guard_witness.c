/* A search for values that make guards hold, or not.
 *
 * Each name that the guards read has a short list of values worth trying: the constants that it is
 * compared with and their neighbours, its members, nothing at all. Combinations are tried in a
 * fixed order. Where a comparison of sums stands in the way (`captured + command.amount <=
 * amount`), one name is moved to where both sides are equal, and one unit to either side. What is
 * found was evaluated, so it is true; what is not found may still be there.
 */
#include "guard_private.h"

#include <string.h>

#include "backstory/decimal.h"
#include "backstory/timestamp.h"
#include "backstory/witness.h"
#include "expr_private.h"

#define NAMES_MAX    10
#define VALUES_MAX   24
#define SUMS_MAX     16
#define TRIES        400
#define MENDED_TRIES 60 /* in which every comparison is mended */
#define LONG_TEXT    64

typedef struct name {
    const bst_expr *ref;
    bst_value *place; /* in the record */
    uint32_t count;
    bst_value values[VALUES_MAX];
} name;

typedef struct search {
    bst_arena *arena;
    const bst__claim *claims;
    size_t claim_count;
    bst_records records;
    bst_value *roots[BST_ROOT_COUNT]; /* that may be changed; of the others values are given */
    uint32_t name_count, sum_count;
    name names[NAMES_MAX];
    const bst_expr *sums[SUMS_MAX]; /* comparisons of numbers that are not name with constant */
    uint32_t *budget;
    uint32_t seed;
    bool failed; /* too many names, or no memory */
} search;

static name *name_of(search *s, const bst_expr *ref) {
    for (uint32_t i = 0; i < s->name_count; i++) {
        if (s->names[i].ref->root == ref->root && s->names[i].ref->index == ref->index) {
            return &s->names[i];
        }
    }
    return NULL;
}

static void collect_name(const bst_expr *ref, void *context) {
    search *s = context;
    if (name_of(s, ref) || (!s->roots[ref->root] && s->records.root[ref->root])) {
        return;
    }
    if (s->name_count == NAMES_MAX || !s->roots[ref->root]) {
        s->failed = true;
        return;
    }
    name *added = &s->names[s->name_count++];
    added->ref = ref;
    added->count = 0;
    added->place = &s->roots[ref->root][ref->index];
}

static bool same_value(const bst_type *type, const bst_value *a, const bst_value *b) {
    return a->present == b->present && (!a->present || bst_value_equal(type, a, b));
}

static void offer(name *n, const bst_value *value) {
    for (uint32_t i = 0; i < n->count; i++) {
        if (same_value(&n->ref->type, &n->values[i], value)) {
            return;
        }
    }
    if (n->count < VALUES_MAX) {
        n->values[n->count++] = *value;
    }
}

/* A value kept in `u.i`, when the type has it. */
static void offer_number(name *n, int64_t number) {
    int64_t low;
    int64_t high;
    bst__range_of(&n->ref->type, &low, &high);
    if (n->ref->type.kind == BST_KIND_TIMESTAMPTZ) {
        low = BST_TIME_MIN;
        high = BST_TIME_END - 1;
    }
    if (number >= low && number <= high) {
        const bst_value value = {.present = true, .u.i = number};
        offer(n, &value);
    }
}

static void offer_text(search *s, name *n, const char *text, size_t len, const char *tail) {
    const size_t tail_len = strlen(tail);
    char *copy = bst_arena_alloc(s->arena, len + tail_len + 1);
    if (!copy || (n->ref->type.length && len + tail_len > n->ref->type.length)) {
        return;
    }
    if (len) {
        memcpy(copy, text, len);
    }
    memcpy(copy + len, tail, tail_len);
    const bst_value value = {.present = true, .len = (uint32_t)(len + tail_len), .u.text = copy};
    offer(n, &value);
}

static bool is_text_kind(bst_kind kind) {
    return kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR || kind == BST_KIND_CHAR;
}

static bool is_number_kind(bst_kind kind) {
    return bst__group(kind) == BST_KIND_DECIMAL || kind == BST_KIND_DATE ||
           kind == BST_KIND_TIMESTAMPTZ || kind == BST_KIND_DURATION;
}

/* Whether it reads nothing that may be changed. */
static bool is_known(const search *s, const bst_expr *e) {
    if (e->op == BST_EXPR_REF) {
        return !s->roots[e->root] && s->records.root[e->root];
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (!is_known(s, e->args[i])) {
            return false;
        }
    }
    return true;
}

/* A known value that the name is compared with, and what lies next to it. */
static void offer_known(search *s, name *n, const bst_expr *other) {
    bst_value value;
    int64_t units;
    bool exact;
    if (bst_expr_eval(other, &s->records, &value) != BST_EVAL_OK || !value.present) {
        return;
    }
    if (is_number_kind(n->ref->type.kind) && is_number_kind(other->type.kind)) {
        if (bst__rescale(value.u.i, bst__scale(&other->type), bst__scale(&n->ref->type), &units,
                         &exact) &&
            units > INT64_MIN && units < INT64_MAX) {
            offer_number(n, units);
            offer_number(n, units + 1);
            offer_number(n, units - 1);
        }
    } else if (is_text_kind(n->ref->type.kind) && is_text_kind(other->type.kind)) {
        offer_text(s, n, value.u.text, value.len, "");
        offer_text(s, n, value.u.text, value.len, "x");
    } else if (n->ref->type.kind == other->type.kind) {
        offer(n, &value);
    }
}

static void offer_lengths(search *s, name *n, const bst_expr *other) {
    static const char filler[LONG_TEXT + 2] =
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    bst_value value;
    if (!is_known(s, other) || !is_text_kind(n->ref->type.kind) ||
        bst_expr_eval(other, &s->records, &value) != BST_EVAL_OK || !value.present ||
        bst__group(other->type.kind) != BST_KIND_DECIMAL || bst__scale(&other->type) != 0) {
        return;
    }
    for (int64_t len = value.u.i - 1; len <= value.u.i + 1; len++) {
        if (len >= 0 && len <= LONG_TEXT) {
            offer_text(s, n, filler, (size_t)len, "");
        }
    }
}

/* The two sides of a comparison, one way round. */
static void offer_side(search *s, const bst_expr *side, const bst_expr *other) {
    name *n = side->op == BST_EXPR_REF ? name_of(s, side) : NULL;
    if (n && is_known(s, other)) {
        offer_known(s, n, other);
    } else if (side->op == BST_EXPR_SIZE && side->args[0]->op == BST_EXPR_REF) {
        n = name_of(s, side->args[0]);
        if (n) {
            offer_lengths(s, n, other);
        }
    }
}

static void collect_values(search *s, const bst_expr *e) {
    switch (e->op) {
    case BST_EXPR_EQ:
    case BST_EXPR_NE:
    case BST_EXPR_LT:
    case BST_EXPR_LE:
    case BST_EXPR_GT:
    case BST_EXPR_GE:
        if (is_number_kind(e->args[0]->type.kind) && is_number_kind(e->args[1]->type.kind) &&
            s->sum_count < SUMS_MAX) {
            s->sums[s->sum_count++] = e;
        }
        offer_side(s, e->args[0], e->args[1]);
        offer_side(s, e->args[1], e->args[0]);
        break;
    case BST_EXPR_IN:
    case BST_EXPR_STARTS_WITH:
    case BST_EXPR_ENDS_WITH:
    case BST_EXPR_CONTAINS:
        for (uint32_t i = 1; i < e->arg_count; i++) {
            offer_side(s, e->args[0], e->args[i]);
        }
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        collect_values(s, e->args[i]);
    }
}

/* What any name of its type may be. */
static void offer_usual(search *s, name *n) {
    const bst_type *type = &n->ref->type;
    int64_t one = 1;
    for (int i = 0; i < bst__scale(type) && type->kind == BST_KIND_DECIMAL; i++) {
        one *= 10;
    }
    switch (type->kind) {
    case BST_KIND_BOOL:
    case BST_KIND_ENUM:
        for (int64_t i = 0; i < VALUES_MAX / 2; i++) {
            offer_number(n, i);
        }
        break;
    case BST_KIND_UUID:
        offer(n, &(bst_value){.present = true});
        break;
    case BST_KIND_JSON:
        offer_text(s, n, "{}", 2, "");
        break;
    case BST_KIND_DATE:
    case BST_KIND_TIMESTAMPTZ:
    case BST_KIND_DURATION:
        offer_number(n, 0);
        break;
    default:
        if (is_number_kind(type->kind)) {
            offer_number(n, one);
            offer_number(n, 0);
            offer_number(n, one <= INT64_MAX / 100 ? one * 100 : one);
            offer_number(n, -one);
        } else {
            offer_text(s, n, "a", 1, "");
            offer_text(s, n, "", 0, "");
        }
        break;
    }
    if (type->optional) {
        offer(n, &BST_ABSENT);
    }
}

static bool holds(search *s) {
    for (size_t i = 0; i < s->claim_count; i++) {
        bst_value value;
        if (bst_expr_eval(s->claims[i].expr, &s->records, &value) != BST_EVAL_OK ||
            !value.present || (value.u.i != 0) != s->claims[i].holds) {
            return false;
        }
    }
    return true;
}

static uint32_t next(search *s) {
    s->seed = s->seed * 1664525u + 1013904223u;
    return s->seed >> 12;
}

/* The left side less the right one, in units of the larger scale. */
static bool difference(search *s, const bst_expr *sum, int64_t *ret) {
    const bst_expr *left = sum->args[0];
    const bst_expr *right = sum->args[1];
    const int left_scale = bst__scale(&left->type);
    const int right_scale = bst__scale(&right->type);
    const int scale = left_scale > right_scale ? left_scale : right_scale;
    bst_value a;
    bst_value b;
    bool exact;
    return bst_expr_eval(left, &s->records, &a) == BST_EVAL_OK && a.present &&
           bst_expr_eval(right, &s->records, &b) == BST_EVAL_OK && b.present &&
           bst__rescale(a.u.i, left_scale, scale, &a.u.i, &exact) &&
           bst__rescale(b.u.i, right_scale, scale, &b.u.i, &exact) &&
           bst_decimal_sub(a.u.i, b.u.i, ret);
}

static bool in_range(const bst_type *type, int64_t value) {
    int64_t low;
    int64_t high;
    bst__range_of(type, &low, &high);
    if (type->kind == BST_KIND_TIMESTAMPTZ) {
        low = BST_TIME_MIN;
        high = BST_TIME_END - 1;
    }
    return value >= low && value <= high;
}

/* Moves one name of a comparison to where its sides meet; puts it back when that does not help. */
static bool meet(search *s, const bst_expr *sum, name *n) {
    const bst_value before = *n->place;
    int64_t here;
    int64_t there;
    int64_t slope = 0;
    int64_t root = 0;
    if (!before.present || !is_number_kind(n->ref->type.kind) || before.u.i > INT64_MAX - 1) {
        return false;
    }
    if (!difference(s, sum, &here)) {
        return false;
    }
    n->place->u.i = before.u.i + 1;
    const bool known = difference(s, sum, &there) && bst_decimal_sub(there, here, &slope) &&
                       slope != 0 && here != INT64_MIN &&
                       bst_decimal_sub(before.u.i, here / slope, &root);
    *n->place = before;
    bool found = false;
    for (int64_t i = 0; known && i < 3 && !found; i++) {
        int64_t value;
        if (bst_decimal_add(root, i == 2 ? -1 : i, &value) && in_range(&n->ref->type, value)) {
            n->place->u.i = value;
            *s->budget -= *s->budget > 0;
            found = holds(s);
        }
    }
    if (!found) {
        *n->place = before;
    }
    return found;
}

static bool reads(const bst_expr *e, const bst_expr *ref) {
    if (e->op == BST_EXPR_REF) {
        return e->root == ref->root && e->index == ref->index;
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (reads(e->args[i], ref)) {
            return true;
        }
    }
    return false;
}

/* Moves one name, to where the sides of one comparison meet. `all`: every name of every comparison
 * has its turn, otherwise one. */
static bool mend(search *s, bool all) {
    const uint32_t first = s->sum_count ? next(s) % s->sum_count : 0;
    const uint32_t start = next(s) % s->name_count;
    for (uint32_t k = 0; k < s->sum_count; k++) {
        const bst_expr *sum = s->sums[(first + k) % s->sum_count];
        for (uint32_t i = 0; i < s->name_count; i++) {
            name *n = &s->names[(start + i) % s->name_count];
            if (!reads(sum, n->ref)) {
                continue;
            }
            if (meet(s, sum, n)) {
                return true;
            }
            if (!all) {
                return false;
            }
        }
    }
    return false;
}

static bool try_all(search *s) {
    if (s->name_count == 0) {
        return holds(s);
    }
    for (uint32_t i = 0; i<TRIES && * s->budget> 0; i++) {
        uint32_t rest = i;
        for (uint32_t k = 0; k < s->name_count; k++) {
            name *n = &s->names[k];
            /* the first values of all in turn, then anything */
            const uint32_t pick = i < TRIES / 4 ? rest : next(s);
            *n->place = n->values[pick % n->count];
            rest /= n->count < 3 ? n->count : 3;
        }
        --*s->budget;
        if (holds(s) || mend(s, i < MENDED_TRIES)) {
            return true;
        }
    }
    return false;
}

static void note_linked(const bst_expr *ref, void *found) {
    *(bool *)found = *(bool *)found || ref->root == BST_ROOT_LINKED;
}

/* What a C function says nobody knows here. */
static bool asks_linked(const bst__claim *claims, size_t count) {
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        bst_expr_each_ref(claims[i].expr, note_linked, &found);
    }
    return found;
}

static void format_names(const search *s, bst_strbuf *out) {
    for (uint32_t i = 0; i < s->name_count; i++) {
        const name *n = &s->names[i];
        const bool quoted = n->place->present && !is_number_kind(n->ref->type.kind) &&
                            n->ref->type.kind != BST_KIND_BOOL;
        bst_strbuf_addf(out, "%s%s%s = %s", i ? ", " : "",
                        n->ref->root == BST_ROOT_COMMAND ? "command." : "", n->ref->name,
                        n->place->present ? "" : "null");
        bst_strbuf_adds(out, quoted ? "\"" : "");
        bst_value_to_text(&n->ref->type, n->place, out);
        bst_strbuf_adds(out, quoted ? "\"" : "");
    }
}

/* Everything is known now but the values. */
static bool run(search *s) {
    for (size_t i = 0; i < s->claim_count; i++) {
        bst_expr_each_ref(s->claims[i].expr, collect_name, s);
    }
    if (s->failed) {
        return false;
    }
    for (size_t i = 0; i < s->claim_count; i++) {
        collect_values(s, s->claims[i].expr);
    }
    for (uint32_t i = 0; i < s->name_count; i++) {
        offer_usual(s, &s->names[i]);
    }
    return try_all(s);
}

bool bst__guards_witness(const bst_machine *machine, uint32_t command, const bst__claim *claims,
                         size_t count, bst_arena *arena, uint32_t *budget, bst_strbuf *out) {
    search s = {
        .arena = arena, .claims = claims, .claim_count = count, .budget = budget, .seed = 1};
    const uint32_t payload = command == BST_NONE ? 0 : machine->commands[command].field_count;
    if (asks_linked(claims, count)) {
        return false;
    }
    s.roots[BST_ROOT_ENTITY] =
        bst_arena_array(arena, machine->field_count, sizeof *s.roots[BST_ROOT_ENTITY]);
    s.roots[BST_ROOT_COMMAND] = bst_arena_array(arena, payload, sizeof *s.roots[BST_ROOT_COMMAND]);
    if (!s.roots[BST_ROOT_ENTITY] || !s.roots[BST_ROOT_COMMAND]) {
        return false;
    }
    s.records.root[BST_ROOT_ENTITY] = s.roots[BST_ROOT_ENTITY];
    s.records.root[BST_ROOT_COMMAND] = s.roots[BST_ROOT_COMMAND];
    if (!run(&s)) {
        return false;
    }
    format_names(&s, out);
    return true;
}

/* What the guards of the candidates have to say; NULL when they cannot. */
static const bst__claim *claims_for(const bst_machine *machine, uint32_t from, uint32_t command,
                                    uint32_t way, bst_arena *arena, size_t *ret_count) {
    uint32_t first = 0;
    const uint32_t count = bst_machine_candidates(machine, from, command, &first);
    bst__claim *claims = bst_arena_array(arena, count, sizeof *claims);
    size_t used = 0;
    for (uint32_t i = first; claims && i < first + count; i++) {
        const uint32_t guard = machine->transitions[i].guard;
        if (guard == BST_NONE) {
            *ret_count = used;
            return i == way ? claims : NULL;
        }
        claims[used++] = (bst__claim){machine->guards[guard].expr, i == way};
        if (i == way) {
            break;
        }
    }
    *ret_count = used;
    return claims;
}

bool bst_payload_for(const bst_machine *machine, const bst_entity *entity, uint32_t command,
                     uint32_t way, bst_value *payload, bst_arena *arena, uint32_t *budget) {
    const uint32_t count = machine->commands[command].field_count;
    search s = {.arena = arena, .budget = budget, .seed = 1};
    bst_value *tried = bst_arena_array(arena, count, sizeof *tried);
    s.claims = claims_for(machine, entity->state, command, way, arena, &s.claim_count);
    if (!tried || !s.claims) {
        return false;
    }
    if (count > 0) {
        memcpy(tried, payload, count * sizeof *tried);
    }
    s.records.root[BST_ROOT_ENTITY] = entity->fields;
    s.roots[BST_ROOT_COMMAND] = tried;
    s.records.root[BST_ROOT_COMMAND] = tried;
    if (!holds(&s) && !run(&s)) {
        return false;
    }
    if (count > 0) {
        memcpy(payload, tried, count * sizeof *tried);
    }
    return true;
}
