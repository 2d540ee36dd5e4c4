/* Older events in generated C: for each version a function that makes the next one of it and hands
 * that on, so that a payload climbs to the current one whatever version it begins at; and
 * <id>_upcast(), which calls the right one.
 */
#include "emit_c_step_private.h"

/* One version of an event on its way to the next. */
typedef struct climb {
    bst__c *c;
    uint32_t event;
    const bst_upcast *upcast;
    const bst__c_record *from, *to, *now; /* `now`: the current version; may be `to` */
    bool last;                            /* it is */
} climb;

static climb climb_of(bst__c *c, uint32_t event, uint32_t number) {
    const bst_event_type *type = &c->machine->events[event];
    const bst__c_record *older = &c->older[c->first_older[event]];
    const bool last = number + 1 == type->upcast_count;
    return (climb){c,
                   event,
                   &type->upcasts[number],
                   &older[number],
                   last ? &c->events[event] : &older[number + 1],
                   &c->events[event],
                   last};
}

static bst__c_assigning assigning_of(const climb *k) {
    bst__c_assigning a = {.to = k->to};
    a.scope.c = k->c;
    a.scope.overflow = "&overflow";
    a.scope.record[BST_ROOT_EVENT] = k->from;
    a.scope.pointer[BST_ROOT_EVENT] = "event";
    a.target = k->last ? "now->" : "next.";
    return a;
}

static bool reads_event(const bst_upcast *upcast) {
    bool reads = false;
    for (uint32_t i = 0; i < upcast->assignment_count; i++) {
        const bst_expr *expr = upcast->assignments[i].expr;
        reads = reads || !expr || bst__c_reads(expr, BST_ROOT_EVENT);
    }
    return reads;
}

static bool can_overflow(const bst_upcast *upcast) {
    bool overflows = false;
    for (uint32_t i = 0; i < upcast->assignment_count; i++) {
        const bst_expr *expr = upcast->assignments[i].expr;
        overflows = overflows || (expr && bst__c_can_overflow(expr));
    }
    return overflows;
}

/* Whether this version or a later one may find that a value does not fit. */
static bool fails(const bst__c *c, uint32_t event, uint32_t number) {
    const bst_event_type *type = &c->machine->events[event];
    bool any = false;
    for (uint32_t i = number; i < type->upcast_count; i++) {
        any = any || can_overflow(&type->upcasts[i]);
    }
    return any;
}

/* An event that carries nothing now has nothing to take over, if nothing can be wrong with it. */
static bool is_empty(const bst__c *c, uint32_t event, uint32_t number) {
    return !c->events[event].tag && !fails(c, event, number);
}

/* What nothing is said about is absent. */
static void add_absent(bst__c_step *step, const climb *k, bst_strbuf *out) {
    const char *target = k->last ? "now->" : "next.";
    for (uint32_t f = 0; f < k->to->count; f++) {
        bool set = false;
        for (uint32_t i = 0; i < k->upcast->assignment_count; i++) {
            set = set || k->upcast->assignments[i].field == f;
        }
        const bst__c_field *field = &k->to->fields[f];
        if (set || !field->has) {
            continue;
        }
        bst__c_scope scope = {.c = k->c};
        bst_strbuf zero = BST_STRBUF_INIT;
        bst__c_zero(&scope, &field->field->type, false, &zero);
        bst__c_add_statement(out, 4, bst__c_text(k->c, "%s%s = ", target, field->has), "false");
        bst__c_add_statement(out, 4, bst__c_text(k->c, "%s%s = ", target, field->member),
                             zero.text);
        step->helpers |= scope.helpers;
        out->failed = out->failed || zero.failed;
        bst_strbuf_release(&zero);
    }
}

/* "PaymentCaptured of version 1: value = event.cents * 0.01" */
static void add_comment(const climb *k, bst_strbuf *out) {
    const bst_field *fields =
        k->last ? k->c->machine->events[k->event].fields : k->upcast[1].fields;
    const char *before = ": ";
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "%s of version %u", k->c->machine->events[k->event].name,
                    (unsigned)k->upcast->version);
    for (uint32_t i = 0; i < k->upcast->assignment_count; i++) {
        const bst_assignment *a = &k->upcast->assignments[i];
        if (a->expr) {
            bst_strbuf_addf(&text, "%s%s = ", before, fields[a->field].name);
            bst_expr_format(a->expr, &text);
            before = "; ";
        }
    }
    bst__c_comment(out, 0, text.text);
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* What the function of a version takes: the old payload where it is read, and the place of the
 * current one where it carries anything. */
static size_t climb_args(const climb *k, const char *event, const char *now, const char *args[2]) {
    size_t count = 0;
    if (reads_event(k->upcast)) {
        args[count++] = event;
    }
    if (k->now->tag) {
        args[count++] = now;
    }
    return count;
}

/* `[return ]captured_from_v2(&next, now);` */
static void add_next_call(bst__c_step *step, const climb *k, uint32_t number, bst_strbuf *out) {
    const climb next = climb_of(step->c, k->event, number + 1);
    const char *args[2];
    const size_t count = climb_args(&next, "&next", "now", args);
    const char *returns = fails(step->c, k->event, number + 1) ? "return " : "";
    bst__c_add_list(out, 4,
                    bst__c_text(step->c, "%s%s_from_v%u(", returns, k->now->suffix,
                                (unsigned)next.upcast->version),
                    args, count, ");");
}

static void add_version(bst__c_step *step, uint32_t event, uint32_t number, bst_strbuf *out) {
    bst__c *c = step->c;
    const climb k = climb_of(c, event, number);
    const bool answers = fails(c, event, number);
    bst__c_assigning assigning = assigning_of(&k);
    const char *args[2];
    size_t count = climb_args(&k, bst__c_text(c, "const struct %s *event", k.from->tag),
                              bst__c_text(c, "struct %s *now", k.now->tag), args);
    if (count == 0) {
        args[count++] = "void";
    }
    add_comment(&k, out);
    bst__c_add_list(out, 0,
                    bst__c_text(c, "static %s%s_from_v%u(", answers ? "const char *" : "void ",
                                k.now->suffix, (unsigned)k.upcast->version),
                    args, count, ") {");
    if (!k.last && k.to->tag) {
        bst_strbuf_addf(out, "    struct %s next;\n", k.to->tag);
    }
    bst_strbuf_adds(out, can_overflow(k.upcast) ? "    bool overflow = false;\n" : "");
    for (uint32_t i = 0; i < k.upcast->assignment_count; i++) {
        bst__c_add_assignment(&assigning, &k.upcast->assignments[i], false, false, out);
    }
    add_absent(step, &k, out);
    if (!k.last && !is_empty(c, event, number + 1)) {
        add_next_call(step, &k, number, out);
    }
    if (answers && (k.last || !fails(c, event, number + 1))) {
        bst_strbuf_adds(out, "    return NULL;\n");
    }
    bst_strbuf_adds(out, "}\n\n");
    step->helpers |= assigning.scope.helpers;
}

/* ---- all of them ---- */

/* The version of one event that `older` has. */
static void add_choice(bst__c *c, uint32_t event, bool any_fails, bst_strbuf *out) {
    const bst_event_type *type = &c->machine->events[event];
    bst_strbuf_addf(out, "    case %s:\n", c->events[event].constant);
    for (uint32_t i = 0; i < type->upcast_count; i++) {
        const climb k = climb_of(c, event, i);
        const char *args[2];
        const size_t count =
            climb_args(&k, bst__c_text(c, "&older->%s", k.from->member ? k.from->member : ""),
                       bst__c_text(c, "&made.%s", k.now->member ? k.now->member : ""), args);
        bst_strbuf_addf(out, "%sif (older->version == %u) {\n", i == 0 ? "        " : " else ",
                        (unsigned)k.upcast->version);
        if (is_empty(c, event, i)) {
            bst_strbuf_adds(out, "            /* nothing is left of what it carried */\n");
        } else {
            bst__c_add_list(out, 12,
                            bst__c_text(c, "%s%s_from_v%u(",
                                        any_fails && fails(c, event, i) ? "*field = " : "",
                                        k.now->suffix, (unsigned)k.upcast->version),
                            args, count, ");");
        }
        bst_strbuf_adds(out, "        }");
    }
    bst_strbuf_adds(out, " else {\n            return false;\n        }\n        break;\n");
}

static void add_upcast(bst__c *c, bst_strbuf *out) {
    bool any_fails = false;
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        any_fails = any_fails || fails(c, e, 0);
    }
    const char *const args[] = {bst__c_text(c, "const struct %s *older", c->fixed.older_event),
                                bst__c_text(c, "struct %s *event", c->fixed.event),
                                "const char **field"};
    bst__c_add_list(out, 0, bst__c_text(c, "bool %s(", c->fixed.upcast), args, 3, ") {");
    bst_strbuf_addf(out,
                    "    struct %s made;\n    made.type = older->type;\n"
                    "    made.state = older->state;\n",
                    c->fixed.event);
    bst__c_copy_parts(c, "made.", "older->", out);
    bst_strbuf_adds(out, "    *field = NULL;\n    switch (older->type) {\n");
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        if (c->machine->events[e].upcast_count > 0) {
            add_choice(c, e, any_fails, out);
        }
    }
    bst_strbuf_adds(out, "    default:\n        return false;\n    }\n");
    bst_strbuf_adds(out, any_fails ? "    if (*field) {\n        return false;\n    }\n" : "");
    bst_strbuf_adds(out, "    *event = made;\n    return true;\n}\n\n");
}

void bst__c_add_upcasts(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    if (c->older_count == 0) {
        return;
    }
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        for (uint32_t i = c->machine->events[e].upcast_count; i-- > 0;) {
            if (!is_empty(c, e, i)) {
                add_version(step, e, i, out);
            }
        }
    }
    add_upcast(c, out);
}
