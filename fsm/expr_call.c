/* Expressions: calls. The functions of the language, and those that people bring along from CEL and
 * SQL, with the reason why they are not here.
 */
#include "expr_private.h"

#include <string.h>

static const struct function {
    const char *name;
    bst_expr_op op; /* LITERAL: a time, of `kind`, in a text */
    uint32_t arg_count;
    bool method; /* may be written x.name(...) */
    bst_kind kind;
} functions[] = {
    {"has", BST_EXPR_HAS, 1, false, BST_KIND_BOOL},
    {"size", BST_EXPR_SIZE, 1, true, BST_KIND_INT8},
    {"startsWith", BST_EXPR_STARTS_WITH, 2, true, BST_KIND_BOOL},
    {"endsWith", BST_EXPR_ENDS_WITH, 2, true, BST_KIND_BOOL},
    {"contains", BST_EXPR_CONTAINS, 2, true, BST_KIND_BOOL},
    {"timestamp", BST_EXPR_LITERAL, 1, false, BST_KIND_TIMESTAMPTZ},
    {"duration", BST_EXPR_LITERAL, 1, false, BST_KIND_DURATION},
    {"date", BST_EXPR_LITERAL, 1, false, BST_KIND_DATE},
    {"state_in", BST_EXPR_REF, 1, false, BST_KIND_BOOL},
};

/* Functions that people bring along from CEL and SQL, and why they are not here. */
static const struct {
    const char *names; /* each between spaces */
    const char *why;
} foreign_functions[] = {
    {" int uint double string bytes bool type dyn cast ",
     "Values convert by themselves where nothing can be lost, and not at all elsewhere."},
    {" matches ",
     "The cost of a pattern has no bound; there are startsWith, endsWith, contains and in."},
    {" all exists exists_one map filter ",
     "There are no lists to go through, but the one after in."},
    {" getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes "
     "getSeconds getMilliseconds extract date_trunc ",
     "A part of a time depends on a time zone; compare with timestamp(\"...\") instead."},
    {" now current_timestamp today random uuid ",
     "The same input must always give the same result; take it from the command."},
    {" round floor ceil trunc abs mod div power sqrt ", "Nothing here rounds."},
    {" lower upper lowerAscii upperAscii trim substring replace split join concat ",
     "Texts are compared, never made."},
    {" coalesce ifnull nvl ", "Write has(x) ? x : y."},
    {" not ", "Write !x."},
};

static bst__ast *make_time(bst__job *job, const struct function *f, uint32_t offset,
                           bst__ast *const *args) {
    const bst__ast *text = args[0];
    bst__ast *ast = bst__ast_make(job, BST__POISON, offset, 0, NULL);
    if (ast == NULL || text->op == BST__POISON) {
        return ast;
    }
    if (text->op != BST_EXPR_LITERAL || text->type.kind != BST_KIND_TEXT) {
        bst__job_error(job, text->offset, "not-in-language", "%s() takes a text written in place",
                       f->name);
        if (f->kind != BST_KIND_DURATION) { /* which no field is */
            bst_diag_hint(job->diags, "A field can have the type %s itself.",
                          f->kind == BST_KIND_DATE ? "date" : "timestamptz");
        }
        return ast;
    }
    (void)bst__literal_time(job, f->kind, text, ast); /* or it stays poisoned */
    return ast;
}

/* A name like any other, under a root of its own. */
static bst__ast *make_state(bst__job *job, uint32_t offset, bst__ast *const *args) {
    const bst__ast *text = args[0];
    bst__ast *ast = bst__ast_make(job, BST__POISON, offset, 0, NULL);
    if (ast == NULL || text->op == BST__POISON) {
        return ast;
    }
    if (text->op != BST_EXPR_LITERAL || text->type.kind != BST_KIND_TEXT) {
        bst__job_error(job, text->offset, "not-in-language",
                       "state_in() takes a text written in place");
        bst_diag_hint(job->diags, "Write the path of a state, such as state_in(\"outer.inner\").");
        return ast;
    }
    ast->op = BST_EXPR_REF;
    ast->prefix = "state_in()"; /* which nobody can write */
    ast->name =
        bst_arena_strndup(job->arena, (const char *)text->literal.u.text, text->literal.len);
    if (ast->name == NULL) {
        bst__job_nomem(job);
        return NULL;
    }
    return ast;
}

static void report_foreign(bst__job *job, const char *name, uint32_t offset) {
    const char *word = bst_arena_printf(job->scratch, " %s ", name);
    for (size_t i = 0; word != NULL && i < sizeof foreign_functions / sizeof *foreign_functions;
         i++) {
        if (strstr(foreign_functions[i].names, word) != NULL) {
            bst__job_error(job, offset, "not-in-language", "%s() is not part of the language",
                           name);
            bst_diag_hint(job->diags, "%s", foreign_functions[i].why);
            return;
        }
    }
    const char *names[sizeof functions / sizeof *functions];
    const size_t count = sizeof functions / sizeof *functions;
    for (size_t i = 0; i < count; i++) {
        names[i] = functions[i].name;
    }
    bst__job_error(job, offset, "unknown-name", "function \"%.60s\" is not known", name);
    const char *near = bst_nearest_name(name, names, count);
    if (near != NULL) {
        bst_diag_hint(job->diags, "Did you mean \"%s\"?", near);
    } else {
        bst_diag_hint(job->diags, "There are has, size, startsWith, endsWith, contains, timestamp, "
                                  "duration, date and state_in.");
    }
}

static const struct function *find_function(const char *name) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}

bst__ast *bst__call(bst__job *job, const char *name, uint32_t offset, bool method,
                    uint32_t arg_count, bst__ast *const *args) {
    const struct function *f = find_function(name);
    if (f == NULL) {
        report_foreign(job, name, offset);
    } else if (method && !f->method) {
        bst__job_error(job, offset, "expr-syntax", "%s() is not called on a value", name);
        bst_diag_hint(job->diags, "Write %s(x).", name);
    } else if (arg_count != f->arg_count) {
        bst__job_error(job, offset, "expr-syntax", "%s() takes %u argument%s, not %u", name,
                       f->arg_count, f->arg_count == 1 ? "" : "s", arg_count);
    } else if (f->op == BST_EXPR_REF) {
        return make_state(job, offset, args);
    } else if (f->op == BST_EXPR_LITERAL) {
        return make_time(job, f, offset, args);
    } else if (f->op == BST_EXPR_HAS &&
               (args[0]->op != BST_EXPR_REF ||
                (args[0]->prefix != NULL && strcmp(args[0]->prefix, "state_in()") == 0)) &&
               args[0]->op != BST__POISON) {
        bst__job_error(job, args[0]->offset, "expr-syntax", "has() takes the name of a field");
    } else {
        return bst__ast_make(job, f->op, offset, arg_count, args);
    }
    return bst__ast_make(job, BST__POISON, offset, arg_count, args);
}
