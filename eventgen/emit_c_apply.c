/* What events do to the entity, in generated C: a function for each event that changes a field,
 * with its `apply` above it, and change(), which calls the right one.
 *
 * Each reads the entity as it was and writes a copy, so the order of assignments does not matter
 * and an overflow half way leaves no trace.
 */

#include "emit_c_step_private.h"

static bst__c_scope event_scope(bst__c *c, uint32_t event) {
    bst__c_scope scope = {.c = c, .overflow = "&overflow", .absent = "absent"};
    scope.record[BST_ROOT_ENTITY] = &c->entity;
    scope.pointer[BST_ROOT_ENTITY] = "before";
    scope.record[BST_ROOT_EVENT] = &c->events[event];
    scope.pointer[BST_ROOT_EVENT] = "event";
    return scope;
}

/* "amount": "amount" says that an event's field of that name is not meant; it changes nothing. */
static bool changes(const bst__c *c, const bst_assignment *assignment) {
    const bst__c_field *to = &c->entity.fields[assignment->field];
    const bst_expr *expr = assignment->expr;
    const bool same = expr && expr->op == BST_EXPR_REF && expr->root == BST_ROOT_ENTITY &&
                      expr->index == assignment->field;
    return !same || (to->has && !to->field->type.optional);
}

bool bst__c_event_changes(const bst__c *c, uint32_t event) {
    const bst_event_type *type = &c->machine->events[event];
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        if (changes(c, &type->assignments[i])) {
            return true;
        }
    }
    return false;
}

/* A field that may be absent is read with what it has; one that creation sets is there unless this
 * is the creation, which the state tells. */
bst__c_needs bst__c_event_needs(bst__c *c, uint32_t event) {
    const bst_event_type *type = &c->machine->events[event];
    const bst__c_scope scope = event_scope(c, event);
    bst__c_needs needs = {.entity = false};
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        const bst_expr *expr = type->assignments[i].expr;
        if (!changes(c, &type->assignments[i])) {
            continue;
        }
        needs.event = needs.event || !expr || bst__c_reads(expr, BST_ROOT_EVENT);
        needs.entity = needs.entity || (expr && bst__c_reads(expr, BST_ROOT_ENTITY));
        needs.overflow = needs.overflow || (expr && bst__c_can_overflow(expr));
        needs.absent = needs.absent || (expr && bst__c_can_miss(&scope, expr));
    }
    return needs;
}

/* ---- assignments ---- */

static void add_presence(bst__c_assigning *a, const bst__c_field *to, const bst__c_field *from,
                         const bst_expr *expr, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    if (expr) {
        bst__c_present(&a->scope, expr, &text);
    } else if (from->has) {
        bst_strbuf_addf(&text, "event->%s", from->has);
    } else {
        bst_strbuf_adds(&text, "true");
    }
    bst__c_add_statement(out, 4, bst__c_text(a->scope.c, "%s%s = ", a->target, to->has), text.text);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* Expressions are computed as int64_t; the conversion at their root has made sure that the value
 * fits. */
static const char *cast_for(const bst__c_field *to, const bst_expr *expr, bool *ret_paren) {
    const bst_kind kind = to->field->type.kind;
    if ((kind != BST_KIND_INT2 && kind != BST_KIND_INT4) || expr->op == BST_EXPR_REF ||
        expr->op == BST_EXPR_LITERAL) {
        return "";
    }
    *ret_paren = expr->op == BST_EXPR_COND;
    return kind == BST_KIND_INT2 ? "(int16_t)" : "(int32_t)";
}

static void add_value(bst__c_assigning *a, const bst__c_field *to, const bst__c_field *from,
                      const bst_expr *expr, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    if (expr) {
        bool paren = false;
        const char *cast = cast_for(to, expr, &paren);
        bst_strbuf_addf(&text, "%s%s", cast, paren ? "(" : "");
        bst__c_value(&a->scope, expr, &text);
        bst_strbuf_adds(&text, paren ? ")" : "");
    } else {
        bst_strbuf_addf(&text, "event->%s", from->member);
    }
    bst__c_add_statement(out, 4, bst__c_text(a->scope.c, "%s%s = ", a->target, to->member),
                         text.text);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

void bst__c_add_assignment(bst__c_assigning *a, const bst_assignment *assignment, bool answers,
                           bool last, bst_strbuf *out) {
    const bst_expr *expr = assignment->expr;
    const bst__c_field *to = &a->to->fields[assignment->field];
    const bst__c_field *from =
        expr ? NULL : &a->scope.record[BST_ROOT_EVENT]->fields[assignment->event_field];
    if (to->has) {
        add_presence(a, to, from, expr, out);
    }
    add_value(a, to, from, expr, out);
    const bool overflow = expr && bst__c_can_overflow(expr);
    const bool absent = expr && bst__c_can_miss(&a->scope, expr);
    if (overflow || absent) {
        const char *test = overflow && absent ? "overflow || *absent"
                           : overflow         ? "overflow"
                                              : "*absent";
        bst_strbuf_addf(out,
                        last ? "    return %s ? \"%s\" : NULL;\n"
                             : "    if (%s) {\n        return \"%s\";\n    }\n",
                        test, to->field->name);
    } else if (last && answers) {
        bst_strbuf_adds(out, "    return NULL;\n");
    }
}

/* ---- one event ---- */

static size_t apply_args(bst__c *c, uint32_t event, bool call, const char *args[4]) {
    const bst__c_needs needs = bst__c_event_needs(c, event);
    size_t count = 0;
    if (needs.entity) {
        args[count++] = call ? "before" : bst__c_text(c, "const struct %s *before", c->entity.tag);
    }
    if (needs.event) {
        args[count++] = call ? bst__c_text(c, "&event->%s", c->events[event].member)
                             : bst__c_text(c, "const struct %s *event", c->events[event].tag);
    }
    args[count++] = call ? "after" : bst__c_text(c, "struct %s *after", c->entity.tag);
    if (needs.absent) {
        args[count++] = call ? "absent" : "bool *absent";
    }
    return count;
}

/* "captured = captured + event.amount"; what is just taken over needs no words. */
static void add_apply_comment(bst__c *c, const bst_event_type *type, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    for (uint32_t i = 0; i < type->assignment_count; i++) {
        const bst_assignment *a = &type->assignments[i];
        if (a->expr && changes(c, a)) {
            bst_strbuf_addf(&text, "%s%s = ", text.len > 0 ? "; " : "",
                            c->machine->fields[a->field].name);
            bst_expr_format(a->expr, &text);
        }
    }
    if (text.len > 0) {
        bst__c_comment(out, 0, text.text);
    }
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

static void add_apply_event(bst__c_step *step, uint32_t event, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst_event_type *type = &c->machine->events[event];
    const bst__c_needs needs = bst__c_event_needs(c, event);
    const bool fails = needs.overflow || needs.absent;
    const char *args[4];
    add_apply_comment(c, type, out);
    const size_t count = apply_args(c, event, false, args);
    bst__c_add_list(out, 0,
                    bst__c_text(c, "static %sapply_%s(", fails ? "const char *" : "void ",
                                c->events[event].suffix),
                    args, count, ") {");
    bst_strbuf_adds(out, needs.overflow ? "    bool overflow = false;\n" : "");
    uint32_t last = type->assignment_count - 1;
    while (last > 0 && !changes(c, &type->assignments[last])) {
        last--;
    }
    bst__c_assigning assigning = {event_scope(c, event), &c->entity, "after->"};
    for (uint32_t i = 0; i <= last; i++) {
        if (changes(c, &type->assignments[i])) {
            bst__c_add_assignment(&assigning, &type->assignments[i], fails, i == last, out);
        }
    }
    step->helpers |= assigning.scope.helpers;
    bst_strbuf_adds(out, "}\n\n");
}

/* ---- all of them ---- */

static void add_change_case(bst__c *c, uint32_t event, bst_strbuf *out) {
    const bst__c_needs needs = bst__c_event_needs(c, event);
    const bool fails = needs.overflow || needs.absent;
    const char *args[4];
    const size_t count = apply_args(c, event, true, args);
    bst_strbuf_addf(out, "    case %s:\n", c->events[event].constant);
    bst__c_add_list(out, 8,
                    bst__c_text(c, "%sapply_%s(", fails ? "return " : "", c->events[event].suffix),
                    args, count, ");");
    bst_strbuf_adds(out, fails ? "" : "        break;\n");
}

static void add_change(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const bool fails = step->events.overflow || step->events.absent;
    bst__c_comment(out, 0,
                   fails ? "Does to `after`, a copy of `before`, what the event says. Returns the "
                           "field that has no value to take, or NULL."
                         : "Does to `after`, a copy of the entity, what the event says.");
    const char *args[4];
    size_t count = 0;
    if (step->events.entity) {
        args[count++] = bst__c_text(c, "const struct %s *before", c->entity.tag);
    }
    args[count++] = bst__c_text(c, "const struct %s *event", c->fixed.event);
    args[count++] = bst__c_text(c, "struct %s *after", c->entity.tag);
    if (step->events.absent) {
        args[count++] = "bool *absent";
    }
    bst__c_add_list(out, 0, fails ? "static const char *change(" : "static void change(", args,
                    count, ") {");
    bst_strbuf_adds(out, "    switch (event->type) {\n");
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        if (bst__c_event_changes(c, e)) {
            add_change_case(c, e, out);
        }
    }
    bst_strbuf_adds(out, "    default:\n        break;\n    }\n");
    bst_strbuf_adds(out, fails ? "    return NULL;\n}\n\n" : "}\n\n");
}

/* What decide() asks: the same for those events alone that the entity may be unable to take, and
 * nothing comes of it. */
static void add_misfit(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const char *args[4];
    size_t count = 0;
    if (step->failing.entity) {
        args[count++] = bst__c_text(c, "const struct %s *before", c->entity.tag);
    }
    args[count++] = bst__c_text(c, "const struct %s *event", c->fixed.event);
    if (step->failing.absent) {
        args[count++] = "bool *absent";
    }
    bst__c_comment(out, 0, "The field that would have no value to take, or NULL.");
    bst__c_add_list(out, 0, "static const char *misfit(", args, count, ") {");
    bst_strbuf_addf(out, "    struct %s scratch, *after = &scratch;\n    switch (event->type) {\n",
                    c->entity.tag);
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        const bst__c_needs needs = bst__c_event_needs(c, e);
        if (needs.overflow || needs.absent) {
            add_change_case(c, e, out);
        }
    }
    bst_strbuf_adds(out, "    default:\n        return NULL;\n    }\n}\n\n");
}

void bst__c_add_applies(bst__c_step *step, bst_strbuf *out) {
    for (uint32_t e = 0; e < step->c->machine->event_count; e++) {
        if (bst__c_event_changes(step->c, e)) {
            add_apply_event(step, e, out);
        }
    }
    if (step->events_change) {
        add_change(step, out);
    }
    if (step->failing.overflow || step->failing.absent) {
        add_misfit(step, out);
    }
}
