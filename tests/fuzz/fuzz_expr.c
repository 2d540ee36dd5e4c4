/* Fuzz target: any bytes as an expression, in a place that wants any type and in places that want
 * one. What compiles is evaluated, on full and on empty records; its canonical text must compile
 * again and be its own canonical text. What does not compile must say why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const members[] = {"open", "closed"};

/* One-letter names, so that a fuzzer finds them. */
static const bst_scope_field fields[] = {
    {"a", {.kind = BST_KIND_INT8}},
    {"b", {.kind = BST_KIND_INT2, .optional = true}},
    {"d", {.kind = BST_KIND_DECIMAL, .precision = 12, .scale = 2}},
    {"e", {.kind = BST_KIND_DECIMAL, .precision = 18, .scale = 9, .optional = true}},
    {"f", {.kind = BST_KIND_BOOL}},
    {"g", {.kind = BST_KIND_BOOL, .optional = true}},
    {"s", {.kind = BST_KIND_TEXT, .optional = true}},
    {"v", {.kind = BST_KIND_VARCHAR, .length = 3}},
    {"m", {.kind = BST_KIND_ENUM, .member_count = 2, .members = members}},
    {"t", {.kind = BST_KIND_TIMESTAMPTZ}},
    {"y", {.kind = BST_KIND_DATE, .optional = true}},
    {"u", {.kind = BST_KIND_UUID}},
    {"j", {.kind = BST_KIND_JSON}},
    {"x", {.kind = BST_KIND_BYTEA}},
};
#define FIELDS (sizeof fields / sizeof *fields)

static const bst_type wants[] = {
    {.kind = BST_KIND_BOOL},
    {.kind = BST_KIND_INT2, .optional = true},
    {.kind = BST_KIND_DECIMAL, .precision = 10, .scale = 3},
    {.kind = BST_KIND_CHAR, .length = 2, .optional = true},
    {.kind = BST_KIND_ENUM, .member_count = 2, .members = members},
};

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

static const bst_expr *compile(const char *text, size_t len, const bst_type *want,
                               bst_arena *arena) {
    bst_scope scope = {0};
    for (int root = BST_ROOT_ENTITY; root <= BST_ROOT_COMMAND; root++) {
        scope.root[root].known = true;
        scope.root[root].count = FIELDS;
        scope.root[root].fields = fields;
    }
    bst_diags *diags = bst_diags_new();
    const bst_expr *expr = NULL;
    const bst_status status = bst_expr_compile(text, len, &scope, want, NULL, arena, &expr, diags);
    require((status == BST_OK) == (expr != NULL));
    require((status == BST_OK) == (bst_diags_count(diags) == 0));
    require(expr == NULL || want == NULL || expr->type.kind == want->kind);
    bst_diags_free(diags);
    return expr;
}

static bst_value value_of(const bst_type *type, int64_t number) {
    bst_value value = {.present = !type->optional || number != 0, .u.i = number};
    switch (type->kind) {
    case BST_KIND_BOOL:
    case BST_KIND_ENUM:
        value.u.i = number > 0;
        break;
    case BST_KIND_INT2:
        value.u.i = number % INT16_MAX;
        break;
    case BST_KIND_DATE:
        value.u.i = number % 1000000;
        break;
    case BST_KIND_DECIMAL:
        value.u.i = number % INT64_C(1000000000000);
        break;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_JSON:
    case BST_KIND_BYTEA:
        value.u.text = "abc";
        value.len = number > 0 ? 3 : 0;
        break;
    default:
        break;
    }
    return value;
}

static void evaluate(const bst_expr *expr, int64_t number) {
    bst_value values[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
        values[i] = value_of(&fields[i].type, number);
    }
    const bst_records records = {.root = {values, values}};
    bst_value result;
    const bst_eval_result outcome = bst_expr_eval(expr, &records, &result);
    require(outcome == BST_EVAL_OK || outcome == BST_EVAL_OVERFLOW);
    require(outcome != BST_EVAL_OK || result.present || expr->type.optional);
    if (outcome == BST_EVAL_OK && result.present) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_value_to_text(&expr->type, &result, &text);
        bst_strbuf_release(&text);
    }
}

static void check(const char *text, size_t len, const bst_type *want) {
    bst_arena *arena = bst_arena_new();
    bst_strbuf first = BST_STRBUF_INIT, second = BST_STRBUF_INIT;
    const bst_expr *expr = compile(text, len, want, arena);
    if (expr != NULL) {
        evaluate(expr, 0);
        evaluate(expr, 7);
        evaluate(expr, INT64_MAX);
        evaluate(expr, INT64_MIN);
        bst_expr_format(expr, &first);
        if (first.len <= BST_EXPR_BYTES_MAX) { /* spaces and escapes can make it longer */
            const bst_expr *again = compile(first.text, first.len, want, arena);
            require(again != NULL);
            bst_expr_format(again, &second);
            require(strcmp(first.text, second.text) == 0);
        }
    }
    bst_strbuf_release(&first);
    bst_strbuf_release(&second);
    bst_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* A copy that ends where the text ends, for the sanitizer to watch. */
    char *text = malloc(size > 0 ? size : 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    check(text, size, NULL);
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        check(text, size, &wants[i]);
    }
    free(text);
    return 0;
}
