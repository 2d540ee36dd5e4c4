/* The examples of docs/expressions.md, run: its table of values is the record, each line of a block
 * marked `cel` is an expression, " // " and what it gives.
 */
#include "expr_fixture.h"

#include "backstory/json_source.h"

#define PAGE      BACKSTORY_SOURCE_DIR "/docs/expressions.md"
#define NAMES_MAX 40

typedef struct page {
    char *text;
    expr_sample entity[NAMES_MAX], command[NAMES_MAX];
    size_t entity_count, command_count;
} page;

/* Cuts off the first line and gives it back; NULL at the end. */
static char *next_line(char **rest) {
    char *line = *rest;
    if (line == NULL || *line == '\0') {
        return NULL;
    }
    char *end = strchr(line, '\n');
    *rest = end == NULL ? NULL : end + 1;
    if (end != NULL) {
        *end = '\0';
    }
    return line;
}

static void trim_end(char *text) {
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ') {
        text[--len] = '\0';
    }
}

/* `| name | type | value |`, cut in place. */
static void add_sample(page *p, char *row) {
    char *cells[3] = {NULL};
    char *at = row + 2;
    for (int i = 0; i < 3; i++) {
        cells[i] = at;
        at = strstr(at, " |");
        ck_assert_ptr_nonnull(at);
        *at = '\0';
        at += 3;
    }
    const bool command = strncmp(cells[0], "command.", 8) == 0;
    const expr_sample sample = {command ? cells[0] + 8 : cells[0], cells[1],
                                strcmp(cells[2], "absent") == 0 ? NULL : cells[2]};
    if (command) {
        p->command[p->command_count++] = sample;
    } else {
        p->entity[p->entity_count++] = sample;
    }
    ck_assert_uint_lt(p->command_count, NAMES_MAX);
    ck_assert_uint_lt(p->entity_count, NAMES_MAX);
}

/* "overflow", "absent", "error code", or the value. */
static void check_example(expr_fixture *f, const char *text, char *expected) {
    char *want = NULL;
    if (strncmp(expected, "as ", 3) == 0) {
        want = expected + 3;
        expected = strstr(want, ": ");
        ck_assert_ptr_nonnull(expected);
        *expected = '\0';
        expected += 2;
    }
    bst_strbuf got = BST_STRBUF_INIT;
    const bst_expr *expr = expr_compile(f, text, want);
    bst_value value;
    if (expr == NULL) {
        ck_assert_uint_eq(bst_diags_count(f->diags), 1);
        bst_strbuf_addf(&got, "error %s", bst_diags_at(f->diags, 0)->code);
    } else if (bst_expr_eval(expr, &f->records, &value) == BST_EVAL_OVERFLOW) {
        bst_strbuf_adds(&got, "overflow");
    } else if (!value.present) {
        bst_strbuf_adds(&got, "absent");
    } else {
        bst_value_to_text(&expr->type, &value, &got);
    }
    ck_assert_msg(strcmp(got.text, expected) == 0, "%s\ngives %s, the page says %s", text, got.text,
                  expected);
    bst_strbuf_release(&got);
}

static page read_page(void) {
    const char *root = getenv("SOURCE_DIR");
    ck_assert_msg(root != NULL, "SOURCE_DIR must say where the sources are; ctest does");
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/docs/expressions.md", root);
    page p = {0};
    size_t len = 0;
    ck_assert_int_eq(bst_file_read(path.text, 1 << 20, &p.text, &len, NULL), BST_OK);
    bst_strbuf_release(&path);
    return p;
}

/* Its own copy of the page: the rows are cut in place. */
static expr_fixture page_fixture(page *p) {
    char *rest = strstr(p->text, "| name | type | value |\n|---|---|---|\n");
    ck_assert_ptr_nonnull(rest);
    (void)next_line(&rest);
    (void)next_line(&rest);
    for (char *row = next_line(&rest); row != NULL && *row == '|'; row = next_line(&rest)) {
        add_sample(p, row);
    }
    expr_fixture f = {.arena = bst_arena_new(), .diags = bst_diags_new()};
    ck_assert(f.arena != NULL && f.diags != NULL);
    expr_fixture_fill(&f, BST_ROOT_ENTITY, p->entity, p->entity_count);
    expr_fixture_fill(&f, BST_ROOT_COMMAND, p->command, p->command_count);
    return f;
}

START_TEST(test_examples) {
    page samples = read_page(), examples = read_page();
    expr_fixture f = page_fixture(&samples);
    bool inside = false;
    unsigned count = 0;
    char *rest = examples.text;
    for (char *line = next_line(&rest); line != NULL; line = next_line(&rest)) {
        if (strncmp(line, "```", 3) == 0) {
            inside = strcmp(line, "```cel") == 0;
        } else if (inside) {
            char *expected = strstr(line, " // ");
            ck_assert_msg(expected != NULL, "%s", line);
            *expected = '\0';
            trim_end(line);
            check_example(&f, line, expected + 4);
            count++;
        }
    }
    ck_assert_uint_ge(count, 50);
    free(samples.text);
    free(examples.text);
    expr_fixture_free(&f);
}
END_TEST

Suite *test_fsm_expr_docs_suite(void) {
    Suite *suite = suite_create("expr docs");
    TCase *tcase = tcase_create("examples");
    tcase_add_test(tcase, test_examples);
    suite_add_tcase(suite, tcase);
    return suite;
}
