/* Guards of the table. A written guard is asked in one configuration, so state_in() has an answer
 * there; and what is asked after the event ("always", "onDone") is asked of the fields as the event
 * leaves them, which are expressions over the fields before it and the command. So each way through
 * a step has one guard in the end: the `&&` of what has to hold, over what decide() knows.
 */
#include <string.h>

#include "flatten_private.h"

static const bst_type bool_type = {.kind = BST_KIND_BOOL};

/* Trees. */

static const bst_expr *make(bst__flat *f, const bst_expr *like) {
    bst_expr *copy = bst_arena_alloc(f->l->arena, sizeof *copy);
    if (!copy) {
        bst__nomem(f->l);
        return NULL;
    }
    *copy = *like;
    return copy;
}

static const bst_expr *make_call(bst__flat *f, const bst_expr *like, const bst_expr **args,
                                 uint32_t count) {
    const bst_expr **copy = bst_arena_array(f->l->arena, count, sizeof *copy);
    bst_expr expr = *like;
    if (!copy) {
        bst__nomem(f->l);
        return NULL;
    }
    memcpy(copy, args, count * sizeof *copy);
    expr.arg_count = count;
    expr.args = copy;
    return make(f, &expr);
}

static const bst_expr *make_bool(bst__flat *f, uint32_t offset, bool value) {
    return make(f, &(bst_expr){.op = BST_EXPR_LITERAL,
                               .type = bool_type,
                               .offset = offset,
                               .literal = {.present = true, .u = {.i = value}}});
}

static bool is_bool(const bst_expr *e, bool value) {
    return e->op == BST_EXPR_LITERAL && e->type.kind == BST_KIND_BOOL &&
           (e->literal.u.i != 0) == value;
}

/* Substitution. */

static const bst_expr *rewrite(bst__flat *f, const bst_expr *e, bool after, bool applied);

static const bst_expr *constant(bst__flat *f, const bst_expr *like, const bst_value *value) {
    bst_expr leaf = {.op = value && value->present ? BST_EXPR_LITERAL : BST_EXPR_NULL,
                     .type = like->type,
                     .offset = like->offset};
    leaf.type.optional = leaf.op == BST_EXPR_NULL;
    if (leaf.op == BST_EXPR_LITERAL) {
        leaf.literal = *value;
    }
    return make(f, &leaf);
}

/* A field of the event, out of the command that it comes from. */
static const bst_expr *from_command(bst__flat *f, const bst_expr *like, uint32_t event_field) {
    const uint32_t from = f->change.payload_from[event_field];
    if (from == BST_NONE) {
        return constant(f, like, NULL);
    }
    const bst_field *field = &f->l->commands[f->change.command].fields[from];
    return make(f, &(bst_expr){.op = BST_EXPR_REF,
                               .type = field->type,
                               .offset = like->offset,
                               .root = BST_ROOT_COMMAND,
                               .index = from,
                               .name = field->name});
}

/* A field of the entity before the event: at its creation it has its default. */
static const bst_expr *before(bst__flat *f, const bst_expr *ref) {
    return f->change.creation ? constant(f, ref, &f->l->m->table.fields[ref->index].default_value)
                              : ref;
}

static const bst_expr *after_event(bst__flat *f, const bst_expr *ref) {
    const bst_event_type *event = &f->l->events[f->change.event];
    for (uint32_t i = 0; i < event->assignment_count; i++) {
        const bst_assignment *a = &event->assignments[i];
        if (a->field == ref->index) {
            return a->expr ? rewrite(f, a->expr, true, true) : from_command(f, ref, a->event_field);
        }
    }
    return before(f, ref);
}

/* What is active is known, unless it is in a region with a table of its own. */
static const bst_expr *rewrite_state(bst__flat *f, const bst_expr *ref) {
    if (!bst__is_elsewhere(f, ref->index)) {
        return make_bool(f, ref->offset, f->active[ref->index]);
    }
    bst_expr asked = *ref;
    asked.index = bst__asked_number(f, ref->index);
    return asked.index == BST_NONE ? NULL : make(f, &asked);
}

/* `applied`: inside the expression of an apply, where bare names are fields before the event. */
static const bst_expr *rewrite_ref(bst__flat *f, const bst_expr *ref, bool after, bool applied) {
    if (ref->root == BST_ROOT_STATE) {
        return rewrite_state(f, ref);
    }
    if (ref->root == BST_ROOT_EVENT) {
        return from_command(f, ref, ref->index);
    }
    if (ref->root != BST_ROOT_ENTITY || !after) {
        return ref;
    }
    return applied ? before(f, ref) : after_event(f, ref);
}

static const bst_expr *rewrite_has(bst__flat *f, const bst_expr *e, const bst_expr *arg) {
    if (arg->op == BST_EXPR_REF) {
        return arg == e->args[0] ? e : make_call(f, e, &arg, 1);
    }
    if (arg->op == BST_EXPR_NULL || !arg->type.optional) {
        return make_bool(f, e->offset, arg->op != BST_EXPR_NULL);
    }
    bst_expr none = {.op = BST_EXPR_NULL, .type = arg->type, .offset = e->offset};
    bst_expr differs = {.op = BST_EXPR_NE, .type = bool_type, .offset = e->offset};
    const bst_expr *args[2] = {arg, make(f, &none)};
    return args[1] ? make_call(f, &differs, args, 2) : NULL;
}

/* What is left of an operator when an operand has become true or false; `e` when nothing is. */
static const bst_expr *simplify(bst__flat *f, const bst_expr *e) {
    if (e->op == BST_EXPR_NOT && e->args[0]->op == BST_EXPR_LITERAL) {
        return make_bool(f, e->offset, !e->args[0]->literal.u.i);
    }
    if (e->op == BST_EXPR_COND && e->args[0]->op == BST_EXPR_LITERAL) {
        return e->args[e->args[0]->literal.u.i ? 1 : 2];
    }
    if (e->op != BST_EXPR_AND && e->op != BST_EXPR_OR) {
        return e;
    }
    const bool decides = e->op == BST_EXPR_OR;
    if (is_bool(e->args[0], decides) || is_bool(e->args[1], !decides)) {
        return e->args[0];
    }
    /* not the other way round: what stands first may be a refusal */
    return is_bool(e->args[0], !decides) ? e->args[1] : e;
}

static const bst_expr *rewrite(bst__flat *f, const bst_expr *e, bool after, bool applied) {
    const bst_expr *few[4];
    const bst_expr **args = few;
    bool changed = false;
    if (e->op == BST_EXPR_REF) {
        return rewrite_ref(f, e, after, applied);
    }
    if (e->arg_count == 0) {
        return e;
    }
    if (e->arg_count > 4) {
        args = bst_arena_array(f->scratch, e->arg_count, sizeof *args);
        if (!args) {
            bst__nomem(f->l);
            return NULL;
        }
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        args[i] = rewrite(f, e->args[i], after, applied);
        if (!args[i]) {
            return NULL;
        }
        changed = changed || args[i] != e->args[i];
    }
    if (e->op == BST_EXPR_HAS) {
        return rewrite_has(f, e, args[0]);
    }
    const bst_expr *copy = changed ? make_call(f, e, args, e->arg_count) : e;
    return copy && changed ? simplify(f, copy) : copy;
}

/* Expressions after an event are made once for each event and command. */

typedef struct bst__substitution {
    uint32_t guard, event, command;
    bool creation;
    const bst_expr *expr;
} substitution;

typedef struct wanted_substitution {
    const substitution *all;
    uint32_t guard, event, command;
    bool creation;
} wanted_substitution;

static bool same_substitution(const void *wanted, uint32_t number) {
    const wanted_substitution *w = wanted;
    const substitution *s = &w->all[number];
    return s->guard == w->guard && s->event == w->event && s->command == w->command &&
           s->creation == w->creation;
}

static const bst_expr *substituted(bst__flat *f, uint32_t guard, const bst_expr *expr) {
    const bst__change *c = &f->change;
    const wanted_substitution wanted = {f->substitutions, guard, c->event, c->command, c->creation};
    const uint32_t hash = bst__hash3(guard, c->event, c->command);
    const uint32_t found = bst__index_find(&f->substituted, hash, same_substitution, &wanted);
    if (found != BST_NONE) {
        return f->substitutions[found].expr;
    }
    const uint32_t count = f->substitution_count;
    if (count == f->substitution_room) {
        f->substitution_room = bst__next_room(count);
        f->substitutions = bst__longer(f->l, f->substitutions, sizeof *f->substitutions, count,
                                       f->substitution_room);
        if (!f->substitutions) {
            return NULL;
        }
    }
    const bst_expr *made = rewrite(f, expr, true, false);
    f->substitutions[count] = (substitution){guard, c->event, c->command, c->creation, made};
    f->substitution_count++;
    if (made && !bst__index_add(&f->substituted, f->scratch, hash, count)) {
        bst__nomem(f->l);
        return NULL;
    }
    return made;
}

/* Answers. */

static bool opposite_ops(bst_expr_op a, bst_expr_op b) {
    static const bst_expr_op pairs[][2] = {
        {BST_EXPR_EQ, BST_EXPR_NE}, {BST_EXPR_LT, BST_EXPR_GE}, {BST_EXPR_LE, BST_EXPR_GT}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if ((a == pairs[i][0] && b == pairs[i][1]) || (a == pairs[i][1] && b == pairs[i][0])) {
            return true;
        }
    }
    return false;
}

/* Plainly so: `!x` and `x`, `a < b` and `a >= b`. */
static bool are_opposites(const bst_expr *a, const bst_expr *b) {
    if (a->op == BST_EXPR_NOT || b->op == BST_EXPR_NOT) {
        const bst_expr *inner = a->op == BST_EXPR_NOT ? a->args[0] : b->args[0];
        return bst_expr_equal(inner, a->op == BST_EXPR_NOT ? b : a);
    }
    return opposite_ops(a->op, b->op) && bst_expr_equal(a->args[0], b->args[0]) &&
           bst_expr_equal(a->args[1], b->args[1]);
}

bool bst__ask(bst__flat *f, uint32_t guard, bool after, const bst_expr **ret, bst__say *ret_say) {
    *ret = NULL;
    *ret_say = BST__YES;
    if (guard == BST_NONE) {
        return true;
    }
    const bst_expr *expr = f->l->guards[guard].expr;
    if (bst__expr_reads(expr, BST_ROOT_STATE)) {
        expr = rewrite(f, expr, after, false);
    } else if (after) {
        expr = substituted(f, guard, expr);
    }
    if (!expr) {
        return false;
    }
    if (after && f->split != BST_NONE && bst__expr_reads(expr, BST_ROOT_STATE)) {
        f->why_not = "an \"onDone\" in one of them asks for another";
        return false;
    }
    *ret = expr;
    if (is_bool(expr, true) || is_bool(expr, false)) {
        *ret_say = is_bool(expr, true) ? BST__YES : BST__NO;
        return true;
    }
    *ret_say = BST__MAYBE;
    for (uint32_t i = 0; i < f->answer_count; i++) {
        const bst__answer *a = &f->answers[i];
        if (a->expr == expr || bst_expr_equal(a->expr, expr)) {
            *ret_say = a->holds ? BST__YES : BST__NO;
            return true;
        }
        if (are_opposites(a->expr, expr)) {
            *ret_say = a->holds ? BST__NO : BST__YES;
        }
    }
    return true;
}

/* Composing. */

typedef struct wanted_parts {
    const bst__flat *f;
    const bst_expr **parts;
    uint32_t count;
} wanted_parts;

static bool same_parts(const void *wanted, uint32_t number) {
    const wanted_parts *w = wanted;
    bool same = w->f->guard_part_count[number] == w->count;
    for (uint32_t i = 0; same && i < w->count; i++) {
        const bst_expr *part = w->f->guard_parts[number][i];
        same = part == w->parts[i] || bst_expr_equal(part, w->parts[i]);
    }
    return same;
}

/* Balanced, as && is where it is written. */
static const bst_expr *conjunction(bst__flat *f, const bst_expr **parts, uint32_t count) {
    if (count == 1) {
        return parts[0];
    }
    const uint32_t half = count / 2;
    const bst_expr like = {.op = BST_EXPR_AND, .type = bool_type};
    const bst_expr *args[2] = {conjunction(f, parts, half),
                               conjunction(f, parts + half, count - half)};
    return args[0] && args[1] ? make_call(f, &like, args, 2) : NULL;
}

static bool add_guard(bst__flat *f, uint32_t hash, const bst_expr **parts, uint32_t count,
                      uint32_t written, uint32_t *ret) {
    const uint32_t number = f->guard_count;
    if (number == f->guard_room) {
        const uint32_t room = bst__next_room(number);
        f->guards = bst__longer(f->l, f->guards, sizeof *f->guards, number, room);
        f->guard_origin = bst__longer(f->l, f->guard_origin, sizeof *f->guard_origin, number, room);
        f->guard_parts = bst__longer(f->l, f->guard_parts, sizeof *f->guard_parts, number, room);
        f->guard_part_count =
            bst__longer(f->l, f->guard_part_count, sizeof *f->guard_part_count, number, room);
        if (!f->guards || !f->guard_origin || !f->guard_parts || !f->guard_part_count) {
            return false;
        }
        f->guard_room = room;
    }
    const bst_guard *first = &f->l->guards[written];
    bst_guard guard = {.command = BST_NONE};
    if (count == 1 && parts[0] == first->expr) {
        guard = *first;
    } else {
        guard.expr = conjunction(f, parts, count);
        if (!guard.expr) {
            return false;
        }
        if (bst__expr_reads(guard.expr, BST_ROOT_COMMAND)) {
            guard.command = f->change.command;
        }
    }
    f->guards[number] = guard;
    f->guard_origin[number] = written;
    f->guard_parts[number] = parts;
    f->guard_part_count[number] = count;
    f->guard_count++;
    *ret = number;
    return bst__index_add(&f->guard_index, f->scratch, hash, number) || bst__nomem(f->l);
}

bool bst__compose(bst__flat *f, uint32_t *ret) {
    const bst_expr **parts = bst_arena_array(f->scratch, f->answer_count, sizeof *parts);
    uint32_t count = 0;
    uint32_t written = BST_NONE;
    uint32_t hash = 0;
    *ret = BST_NONE;
    if (!parts) {
        return bst__nomem(f->l);
    }
    for (uint32_t i = 0; i < f->answer_count; i++) {
        if (f->answers[i].holds) {
            written = count ? written : f->answers[i].guard;
            hash = bst__hash3(hash, (uint32_t)f->answers[i].expr->op, f->answers[i].guard);
            parts[count++] = f->answers[i].expr;
        }
    }
    hash = bst__hash3(hash, f->change.command, count);
    if (count == 0) {
        return true;
    }
    if (count == 1 && parts[0] == f->l->guards[written].expr) {
        hash = bst__hash3(written, 0, 0); /* as it is written: one for all commands */
    }
    const wanted_parts wanted = {f, parts, count};
    *ret = bst__index_find(&f->guard_index, hash, same_parts, &wanted);
    return *ret != BST_NONE || add_guard(f, hash, parts, count, written, ret);
}
