/* Guards as SQL functions: of the entity as the view `current` has it, and of those fields of the
 * command that the guard reads, each a parameter of its type.
 *
 * In plpgsql, for a function in SQL would be put in place of its call, and then the planner would
 * compute what the guard perhaps never comes to.
 */
#include "emit_sql_private.h"

typedef struct guard {
    bst__sql *sql;
    const bst_command *command; /* NULL: reads none */
    const char **parameters;    /* by field of the command: its name, or NULL */
    bool entity;                /* reads it */
    bool newborn;               /* some creation asks it: there is no entity then */
} guard;

static void find_parameter(const bst_expr *ref, void *context) {
    guard *g = context;
    if (ref->root == BST_ROOT_ENTITY) {
        g->entity = true;
    } else if (ref->root == BST_ROOT_COMMAND && g->parameters) {
        g->parameters[ref->index] = "";
    }
}

static void find_parameters(guard *g, const bst_expr *expr) {
    static const char *const fixed[] = {"entity", NULL};
    const uint32_t count = g->command ? g->command->field_count : 0;
    bst__sql_taken *set = NULL;
    g->parameters = bst_arena_array(g->sql->arena, count + 1, sizeof *g->parameters);
    g->sql->failed = g->sql->failed || !g->parameters;
    bst_expr_each_ref(expr, find_parameter, g);
    bst__sql_claim_all(g->sql, &set, fixed);
    for (uint32_t i = 0; !g->sql->failed && i < count; i++) {
        if (g->parameters[i]) {
            g->parameters[i] = bst__sql_claim(g->sql, &set, g->command->fields[i].name);
        }
    }
    bst__sql_taken_free(&set);
}

static void put_ref(const void *context, const bst_expr *ref, bst_strbuf *out) {
    const guard *g = context;
    if (ref->root == BST_ROOT_COMMAND) {
        bst_strbuf_adds(out, g->parameters[ref->index]);
    } else if (ref->root == BST_ROOT_LINKED) { /* nobody here can say */
        bst_strbuf_adds(out, "NULL::boolean");
    } else {
        bst_strbuf_addf(out, "entity.%s", g->sql->fields[ref->index]);
    }
}

static bool is_unsure(const void *context, const bst_expr *ref) {
    const guard *g = context;
    return ref->root == BST_ROOT_ENTITY && !g->sql->machine->fields[ref->index].type.optional &&
           (g->newborn || g->sql->unsure[ref->index]);
}

static void add_signature(const guard *g, const char *name, bst_strbuf *out) {
    bool any = g->entity;
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "CREATE FUNCTION %s.%s(", g->sql->schema, name);
    if (g->entity) {
        bst_strbuf_addf(&text, "entity %s.current", g->sql->schema);
    }
    for (uint32_t i = 0; g->command && i < g->command->field_count; i++) {
        if (g->parameters[i]) {
            bst_strbuf_addf(&text, "%s%s ", any ? ", " : "", g->parameters[i]);
            bst__sql_type(&g->command->fields[i].type, &text);
            any = true;
        }
    }
    bst_strbuf_addc(&text, ')');
    bst__sql_wrap(text.text, 4, out);
    bst_strbuf_adds(out, "\nRETURNS boolean\nLANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n");
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

/* A command without a required field is refused before any guard is asked. */
static void add_requirements(const guard *g, bst_strbuf *out) {
    bool any = false;
    for (uint32_t i = 0; g->command && i < g->command->field_count; i++) {
        if (g->parameters[i] && !g->command->fields[i].type.optional) {
            bst_strbuf_addf(out, any ? " OR %s IS NULL" : "    IF %s IS NULL", g->parameters[i]);
            any = true;
        }
    }
    bst_strbuf_adds(out, any ? " THEN\n"
                               "        RAISE null_value_not_allowed USING MESSAGE = 'required "
                               "argument is absent';\n"
                               "    END IF;\n"
                             : "");
}

static void add_guard(guard *g, const bst_guard *from, const char *name, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst__sql_scope scope = {
        .put_ref = put_ref, .is_unsure = is_unsure, .context = g, .schema = g->sql->schema};
    find_parameters(g, from->expr);
    if (g->sql->failed) {
        return;
    }
    bst__sql_comment(from->description ? from->description : "", out);
    bst_expr_format(from->expr, &text);
    bst__sql_comment(text.text, out);
    add_signature(g, name, out);
    bst_strbuf_adds(out, "BEGIN\n");
    add_requirements(g, out);
    bst_strbuf_clear(&text);
    bst_strbuf_adds(&text, "    RETURN ");
    bst__sql_value(&scope, from->expr, &text);
    bst__sql_wrap(text.text, 8, out);
    bst_strbuf_adds(out, ";\nEND\n$$;\n\n");
    g->sql->helpers |= scope.helpers;
    out->failed = out->failed || text.failed;
    bst_strbuf_release(&text);
}

void bst__sql_add_guards(bst__sql *sql, bst_strbuf *out) {
    const bst_machine *m = sql->machine;
    bool *newborn = bst_arena_array(sql->arena, m->guard_count + 1, sizeof *newborn);
    uint32_t *command = bst_arena_array(sql->arena, m->guard_count + 1, sizeof *command);
    sql->failed = sql->failed || !newborn || !command;
    for (uint32_t i = 0; !sql->failed && i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        if (t->guard != BST_NONE) {
            newborn[t->guard] = newborn[t->guard] || t->from == BST_NONE;
            command[t->guard] = t->command;
        }
    }
    for (uint32_t i = 0; !sql->failed && i < m->guard_count; i++) {
        if (sql->guards[i]) { /* nobody asks the others */
            guard g = {.sql = sql, .command = &m->commands[command[i]], .newborn = newborn[i]};
            add_guard(&g, &m->guards[i], sql->guards[i], out);
        }
    }
}
