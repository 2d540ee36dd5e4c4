/* What the tests of expressions share: a scope with a field of every kind, values for it, and
 * results as text. */
#ifndef BACKSTORY_TESTS_EXPR_FIXTURE_H
#define BACKSTORY_TESTS_EXPR_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/arena.h"
#include "backstory/diag.h"
#include "backstory/expr.h"
#include "backstory/strbuf.h"
#include "backstory/value.h"

typedef struct expr_sample {
    const char *name, *type, *value; /* value NULL: absent */
} expr_sample;

static const expr_sample expr_entity[] = {
    {"amount", "decimal(12,2)", "100.00"},
    {"captured", "decimal(12,2)", "30.50"},
    {"rate", "decimal(6,4)", "0.1250"},
    {"fine", "decimal(18,18)", "0.000000000000000001"},
    {"large", "decimal(18,0)", "999999999999999999"},
    {"small", "int2", "3"},
    {"count", "int4", "7"},
    {"total", "int8", "9223372036854775807"},
    {"lowest", "int8", "-9223372036854775808"},
    {"flag", "bool", "true"},
    {"note", "text",
     "gr\xc3\xb6\xc3\x9f"
     "er"},
    {"code", "varchar(10)", "A-1"},
    {"currency", "char(3)", "EUR"},
    {"status", "enum(open,closed)", "open"},
    {"id", "uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
    {"day", "date", "2021-03-02"},
    {"created_at", "timestamptz", "2021-03-02T10:00:00Z"},
    {"expires_at", "timestamptz", "infinity"},
    {"raw", "bytea", "\\x00ff"},
    {"extra", "json", "{}"},
    {"tip", "decimal(12,2)?", NULL},
    {"bonus", "decimal(12,2)?", "5.00"},
    {"reason", "text?", NULL},
    {"paid_at", "timestamptz?", "2021-03-05T10:00:00Z"},
    {"vip", "bool?", NULL},
    {"retries", "int4?", "2"},
    {"stage", "enum(open,closed)?", "closed"},
    {"missing", "int4", NULL}, /* breaks its own promise */
    {"in", "int4", "1"},
    {"Order Id", "int4", "42"},
};

static const expr_sample expr_command[] = {
    {"amount", "decimal(12,2)", "12.34"},
    {"note", "text?", "hi"},
    {"size", "int4", "9"},
};

typedef struct expr_fixture {
    bst_arena *arena;
    bst_diags *diags;
    bst_scope scope;
    bst_records records;
} expr_fixture;

static inline void expr_fixture_fill(expr_fixture *f, bst_root root, const expr_sample *samples,
                                     size_t count) {
    bst_scope_field *fields = bst_arena_array(f->arena, count, sizeof *fields);
    bst_value *values = bst_arena_array(f->arena, count, sizeof *values);
    ck_assert(fields != NULL && values != NULL);
    for (size_t i = 0; i < count; i++) {
        const char *reason = NULL;
        fields[i].name = samples[i].name;
        ck_assert_msg(bst_type_parse(samples[i].type, f->arena, &fields[i].type, &reason), "%s: %s",
                      samples[i].type, reason);
        const char *text = samples[i].value;
        ck_assert(text == NULL || bst_value_parse(&fields[i].type, text, strlen(text), f->arena,
                                                  &values[i]) == BST_VALUE_OK);
    }
    f->scope.root[root].known = true;
    f->scope.root[root].count = count;
    f->scope.root[root].fields = fields;
    f->records.root[root] = values;
}

/* A machine's guard: entity and command. */
static inline expr_fixture expr_fixture_new(void) {
    expr_fixture f = {.arena = bst_arena_new(), .diags = bst_diags_new()};
    ck_assert(f.arena != NULL && f.diags != NULL);
    expr_fixture_fill(&f, BST_ROOT_ENTITY, expr_entity, sizeof expr_entity / sizeof *expr_entity);
    expr_fixture_fill(&f, BST_ROOT_COMMAND, expr_command,
                      sizeof expr_command / sizeof *expr_command);
    return f;
}

static inline void expr_fixture_free(expr_fixture *f) {
    bst_arena_free(f->arena);
    bst_diags_free(f->diags);
}

/* `want` as in a machine file, or NULL. NULL when there are findings. */
static inline const bst_expr *expr_compile(expr_fixture *f, const char *text, const char *want) {
    bst_type type;
    const char *reason = NULL;
    ck_assert(want == NULL || bst_type_parse(want, f->arena, &type, &reason));
    const bst_expr *expr = NULL;
    bst_diags_clear(f->diags);
    const bst_status status =
        bst_expr_compile(text, strlen(text), &f->scope, want != NULL ? &type : NULL, NULL, f->arena,
                         &expr, f->diags);
    ck_assert_msg((status == BST_OK) == (expr != NULL), "%s: status %d", text, (int)status);
    ck_assert_msg((status == BST_OK) == (bst_diags_count(f->diags) == 0), "%s: findings", text);
    return expr;
}

/* "overflow", "absent", or the type and the value: "int8 12", "text? null". */
static inline void expr_result(expr_fixture *f, const bst_expr *expr, bst_strbuf *out) {
    bst_value value;
    const bst_eval_result result = bst_expr_eval(expr, &f->records, &value);
    if (result != BST_EVAL_OK) {
        bst_strbuf_adds(out, result == BST_EVAL_OVERFLOW ? "overflow" : "absent");
        return;
    }
    bst_type_format(&expr->type, out);
    bst_strbuf_addc(out, ' ');
    if (value.present) {
        bst_value_to_text(&expr->type, &value, out);
    } else {
        bst_strbuf_adds(out, "null");
    }
}

/* One line a finding: "column code: message | hint". */
static inline void expr_findings(const expr_fixture *f, bst_strbuf *out) {
    for (size_t i = 0; i < bst_diags_count(f->diags); i++) {
        const bst_diag *d = bst_diags_at(f->diags, i);
        bst_strbuf_addf(out, "%s%u %s: %s%s%s", i == 0 ? "" : "\n", d->column, d->code, d->message,
                        d->hint != NULL ? " | " : "", d->hint != NULL ? d->hint : "");
    }
}

#endif
