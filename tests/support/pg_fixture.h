/* A session of the test's own beside the one under test; the environment says which server. */
#ifndef BACKSTORY_TESTS_PG_FIXTURE_H
#define BACKSTORY_TESTS_PG_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "backstory/pg.h"

static bst_pg *pg;
static bst_diags *pg_diags;

static inline void pg_expect(bst_status status, bst_status wanted) {
    bst_strbuf said = BST_STRBUF_INIT;
    for (size_t i = 0; i < bst_diags_count(pg_diags); i++)
        bst_diag_format_text(bst_diags_at(pg_diags, i), NULL, 0, &said);
    ck_assert_msg(status == wanted, "%s, not %s: %s", bst_status_text(status),
                  bst_status_text(wanted), said.text);
    bst_strbuf_release(&said);
}

static inline void pg_setup(void) {
    pg_diags = bst_diags_new();
    ck_assert_ptr_nonnull(pg_diags);
    pg_expect(bst_pg_connect("", BST_PG_STORE, &pg, pg_diags), BST_OK);
}

static inline void pg_teardown(void) {
    pg = bst_pg_free(pg);
    pg_diags = bst_diags_free(pg_diags);
}

static inline void run_sql(const char *sql) {
    pg_expect(bst_pg_exec(pg, sql, pg_diags), BST_OK);
}

/* The value that a statement gives, as text, until the next call; "" for null or none. */
static inline const char *value_of(const char *sql) {
    static char value[4000];
    bst_pg_rows *rows = NULL;
    pg_expect(bst_pg_query(pg, sql, 0, NULL, &rows, pg_diags), BST_OK);
    const char *const text = bst_pg_rows_count(rows) > 0 ? bst_pg_rows_text(rows, 0, 0) : NULL;
    snprintf(value, sizeof value, "%s", text ? text : "");
    bst_pg_rows_free(rows);
    return value;
}

static inline const bst_diag *pg_last(void) {
    ck_assert_uint_gt(bst_diags_count(pg_diags), 0);
    return bst_diags_at(pg_diags, bst_diags_count(pg_diags) - 1);
}

/* A statement must fail, with one finding that has this code. */
static inline void refuse_sql(const char *sql, const char *code) {
    const size_t before = bst_diags_count(pg_diags);
    ck_assert_int_ne(bst_pg_exec(pg, sql, pg_diags), BST_OK);
    ck_assert_uint_eq(bst_diags_count(pg_diags), before + 1);
    ck_assert_str_eq(pg_last()->code, code);
}

#endif
