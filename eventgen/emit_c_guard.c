/* Guards of generated C: a function each, named after the guard, with the text of the machine file
 * above it; and holds(), which asks the one that a candidate names.
 */
#include "emit_c_step_private.h"

static bst__c_scope guard_scope(bst__c *c, uint32_t guard) {
    bst__c_scope scope = {.c = c, .overflow = "overflow", .absent = "absent"};
    const bst_transition *user = c->guard_users[guard];
    scope.record[BST_ROOT_ENTITY] = &c->entity;
    scope.pointer[BST_ROOT_ENTITY] = "entity";
    scope.record[BST_ROOT_COMMAND] = user ? &c->commands[user->command] : NULL;
    scope.pointer[BST_ROOT_COMMAND] = "command";
    return scope;
}

bst__c_needs bst__c_guard_needs(bst__c *c, uint32_t guard) {
    const bst_expr *expr = c->machine->guards[guard].expr;
    const bst__c_scope scope = guard_scope(c, guard);
    if (!c->guard_users[guard]) { /* nobody asks it: it has no function */
        return (bst__c_needs){.entity = false};
    }
    const bool linked = bst__c_reads(expr, BST_ROOT_LINKED);
    return (bst__c_needs){.entity = bst__c_reads(expr, BST_ROOT_ENTITY) ||
                                    bst__c_reads(expr, BST_ROOT_STATE) || linked,
                          .linked = linked,
                          .command = bst__c_reads(expr, BST_ROOT_COMMAND),
                          .overflow = bst__c_can_overflow(expr),
                          .absent = bst__c_can_miss(&scope, expr)};
}

static size_t guard_args(bst__c *c, uint32_t guard, bool call, const char *args[5]) {
    const bst__c_needs needs = bst__c_guard_needs(c, guard);
    const bst__c_record *command = &c->commands[c->guard_users[guard]->command];
    size_t count = 0;
    if (needs.entity) {
        args[count++] = call ? "entity" : bst__c_text(c, "const struct %s *entity", c->entity.tag);
    }
    if (needs.command) {
        args[count++] = call ? bst__c_text(c, "&command->%s", command->member)
                             : bst__c_text(c, "const struct %s *command", command->tag);
    }
    if (needs.linked) {
        args[count++] =
            call ? "command" : bst__c_text(c, "const struct %s *asked", c->fixed.command);
    }
    if (needs.overflow) {
        args[count++] = call ? "overflow" : "bool *overflow";
    }
    if (needs.absent) {
        args[count++] = call ? "absent" : "bool *absent";
    }
    if (count == 0 && !call) {
        args[count++] = "void";
    }
    return count;
}

static void add_guard(bst__c_step *step, uint32_t guard, bst_strbuf *out) {
    bst__c *c = step->c;
    bst__c_scope scope = guard_scope(c, guard);
    bst_strbuf text = BST_STRBUF_INIT;
    const char *args[5];
    bst_expr_format(c->machine->guards[guard].expr, &text);
    bst__c_comment(out, 0, text.text);
    const size_t count = guard_args(c, guard, false, args);
    bst__c_add_list(out, 0, bst__c_text(c, "static bool guard_%s(", c->guard_suffixes[guard]), args,
                    count, ") {");
    bst_strbuf_clear(&text);
    bst__c_value(&scope, c->machine->guards[guard].expr, &text);
    bst__c_add_statement(out, 4, "return ", text.text);
    bst_strbuf_adds(out, "}\n\n");
    step->helpers |= scope.helpers;
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

static void add_holds(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const char *args[5] = {"unsigned guard"};
    size_t count = 1;
    if (step->guards.entity) {
        args[count++] = bst__c_text(c, "const struct %s *entity", c->entity.tag);
    }
    if (step->guards.command || step->guards.linked) {
        args[count++] = bst__c_text(c, "const struct %s *command", c->fixed.command);
    }
    if (step->guards.overflow) {
        args[count++] = "bool *overflow";
    }
    if (step->guards.absent) {
        args[count++] = "bool *absent";
    }
    bst__c_add_list(out, 0, "static bool holds(", args, count, ") {");
    bst_strbuf_adds(out, "    switch (guard) {\n");
    for (uint32_t i = 0; i < c->machine->guard_count; i++) {
        if (c->guard_users[i]) {
            const char *call[5];
            const size_t call_count = guard_args(c, i, true, call);
            bst_strbuf_addf(out, "    case %s:\n", c->guards[i + 1]);
            bst__c_add_list(out, 8, bst__c_text(c, "return guard_%s(", c->guard_suffixes[i]), call,
                            call_count, ");");
        }
    }
    bst_strbuf_adds(out, "    default:\n        return true;\n    }\n}\n\n");
}

void bst__c_add_guards(bst__c_step *step, bst_strbuf *out) {
    bool any = false;
    for (uint32_t i = 0; i < step->c->machine->guard_count; i++) {
        if (step->c->guard_users[i]) {
            add_guard(step, i, out);
            any = true;
        }
    }
    if (any) {
        add_holds(step, out);
    }
}
