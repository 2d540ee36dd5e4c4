/* pg.h against a real server. */
#include "pg_fixture.h"

START_TEST(a_session_is_the_same_everywhere) {
    ck_assert_str_eq(value_of("SHOW TimeZone"), "UTC");
    ck_assert_str_eq(value_of("SHOW search_path"), "\"\"");
    ck_assert_str_eq(value_of("SHOW statement_timeout"), "0");
    ck_assert_str_eq(value_of("SHOW application_name"), "backstory");
    ck_assert_str_eq(value_of("SELECT 12.5::numeric::money"), "$12.50");
}
END_TEST

START_TEST(the_users_settings_do_not_get_through) {
    static const char conninfo[] =
        "options='-c statement_timeout=100 -c lock_timeout=1 -c TimeZone=Asia/Tokyo"
        " -c search_path=public -c DateStyle=German -c idle_in_transaction_session_timeout=1'";
    pg = bst_pg_free(pg);
    pg_expect(bst_pg_connect(conninfo, BST_PG_STORE, &pg, pg_diags), BST_OK);
    ck_assert_str_eq(value_of("SELECT pg_sleep(0.2)"), "");
    ck_assert_str_eq(value_of("SELECT timestamptz '2021-03-02 10:00Z'"), "2021-03-02 10:00:00+00");
    ck_assert_str_eq(value_of("SHOW lock_timeout"), "0");
    ck_assert_str_eq(value_of("SHOW idle_in_transaction_session_timeout"), "0");
    ck_assert_ptr_nonnull(strchr(bst_pg_label(pg), '@'));
}
END_TEST

START_TEST(errors_keep_what_the_server_says) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {"x"};
    pg_expect(bst_pg_query(pg, "SELECT $1::integer", 1, params, &rows, pg_diags), BST_DATABASE);
    ck_assert_str_eq(pg_last()->code, "sqlstate-22P02");
    ck_assert_ptr_nonnull(strstr(pg_last()->message, "\"x\""));
    run_sql("CREATE TEMP TABLE one (a int PRIMARY KEY); INSERT INTO one VALUES (1)");
    pg_expect(bst_pg_exec(pg, "INSERT INTO one VALUES (1)", pg_diags), BST_CONFLICT);
    ck_assert_ptr_nonnull(strstr(pg_last()->detail, "(a)=(1)"));
    pg_expect(
        bst_pg_exec(pg, "DO $$BEGIN RAISE SQLSTATE '40001' USING HINT = 'Again.'; END$$", pg_diags),
        BST_RETRY);
    ck_assert_str_eq(pg_last()->hint, "Again.");
}
END_TEST

START_TEST(values_go_there_and_come_back) {
    bst_pg_rows *rows = NULL;
    const char *const params[] = {"it's", NULL};
    pg_expect(bst_pg_query(pg, "SELECT $1::text, $2::text", 2, params, &rows, pg_diags), BST_OK);
    ck_assert_uint_eq(bst_pg_rows_count(rows), 1);
    ck_assert_str_eq(bst_pg_rows_text(rows, 0, 0), "it's");
    ck_assert_ptr_null(bst_pg_rows_text(rows, 0, 1));
    bst_pg_rows_free(rows);
}
END_TEST

static const char *const secrets[] = {
    "host=/nowhere password=very secret",
    "postgresql://u:secret@/nowhere/?x=secret",
    "host=/nowhere password=secret",
};

START_TEST(passwords_are_not_shown) {
    bst_pg *none = NULL;
    ck_assert_int_ne(bst_pg_connect(secrets[_i], BST_PG_STORE, &none, pg_diags), BST_OK);
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(bst_diags_count(pg_diags), 1);
    ck_assert_str_eq(pg_last()->code, "connect");
    ck_assert_msg(!strstr(pg_last()->message, "secret"), "%s", pg_last()->message);
    ck_assert_ptr_null(strchr(pg_last()->message, '\n'));
}
END_TEST

START_TEST(a_commit_that_rolls_back_is_an_error) {
    run_sql("BEGIN");
    refuse_sql("SELECT 1/0", "sqlstate-22012");
    refuse_sql("COMMIT", "rolled-back");
}
END_TEST

START_TEST(a_copy_that_fails_tells_why) {
    run_sql("CREATE TEMP TABLE few (a int CHECK (a < 3))");
    pg_expect(bst_pg_copy_in(pg, "COPY few FROM STDIN", pg_diags), BST_OK);
    pg_expect(bst_pg_copy_write(pg, "1\n2\n3\n", 6, pg_diags), BST_OK);
    pg_expect(bst_pg_copy_finish(pg, 3, pg_diags), BST_DATABASE);
    ck_assert_str_eq(pg_last()->code, "sqlstate-23514");
    ck_assert_ptr_nonnull(strstr(pg_last()->detail, "line 3"));
    ck_assert_str_eq(value_of("SELECT count(*) FROM few"), "0"); /* the session goes on */
}
END_TEST

START_TEST(a_copy_that_is_cut_short_is_an_error) {
    /* One row, no trailer: the server takes it without a word. */
    static const char bytes[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\0\0\0\7";
    run_sql("CREATE TEMP TABLE few (a int)");
    pg_expect(bst_pg_copy_in(pg, "COPY few FROM STDIN (FORMAT binary)", pg_diags), BST_OK);
    pg_expect(bst_pg_copy_write(pg, bytes, sizeof bytes - 1, pg_diags), BST_OK);
    pg_expect(bst_pg_copy_finish(pg, 2, pg_diags), BST_DATABASE);
    ck_assert_str_eq(pg_last()->code, "copy-cut-short");
}
END_TEST

START_TEST(a_copy_out_gives_rows_and_their_count) {
    const char *bytes;
    size_t len = 1, messages = 0;
    uint64_t rows = 0;
    pg_expect(bst_pg_copy_out(pg, "COPY (SELECT generate_series(1, 1000)) TO STDOUT", pg_diags),
              BST_OK);
    for (; len > 0; messages += len > 0)
        pg_expect(bst_pg_copy_read(pg, &bytes, &len, &rows, pg_diags), BST_OK);
    ck_assert_uint_eq(messages, 1000);
    ck_assert_uint_eq(rows, 1000);
    ck_assert_str_eq(value_of("SELECT 1"), "1");
}
END_TEST

/* Another session ends ours. */
static void terminate(const char *pid) {
    bst_pg *other = NULL;
    bst_pg_rows *rows = NULL;
    const char *const params[] = {pid};
    pg_expect(bst_pg_connect("", BST_PG_STORE, &other, pg_diags), BST_OK);
    pg_expect(bst_pg_query(other, "SELECT pg_terminate_backend($1::int, 10000)", 1, params, &rows,
                           pg_diags),
              BST_OK);
    bst_pg_rows_free(rows);
    bst_pg_free(other);
}

START_TEST(a_backend_that_ends_in_a_copy_in_says_so) {
    char pid[40], block[10000];
    bst_status status = BST_OK;
    memset(block, '\n', sizeof block);
    run_sql("CREATE TEMP TABLE many (a text)");
    snprintf(pid, sizeof pid, "%s", value_of("SELECT pg_backend_pid()"));
    pg_expect(bst_pg_copy_in(pg, "COPY many FROM STDIN", pg_diags), BST_OK);
    pg_expect(bst_pg_copy_write(pg, block, sizeof block, pg_diags), BST_OK);
    terminate(pid);
    for (int i = 0; status == BST_OK && i < 10000; i++)
        status = bst_pg_copy_write(pg, block, sizeof block, pg_diags);
    if (status == BST_OK)
        status = bst_pg_copy_finish(pg, 1, pg_diags);
    ck_assert_int_eq(status, BST_DATABASE);
    ck_assert_uint_eq(bst_diags_count(pg_diags), 1);
    ck_assert_msg(strcmp(pg_last()->code, "sqlstate-57P01") == 0, "%s", pg_last()->message);
}
END_TEST

/* It may be too busy sending to say why; then at least that it has ended is told, once. */
START_TEST(a_backend_that_ends_in_a_copy_out_is_noticed) {
    char sql[100];
    const char *bytes;
    size_t len = 1;
    bst_status status = BST_OK;
    bst_pg *other = NULL;
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%s)",
             value_of("SELECT pg_backend_pid()"));
    pg_expect(bst_pg_copy_out(pg,
                              "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 1000000))"
                              " TO STDOUT",
                              pg_diags),
              BST_OK);
    pg_expect(bst_pg_connect("", BST_PG_STORE, &other, pg_diags), BST_OK);
    pg_expect(bst_pg_exec(other, sql, pg_diags), BST_OK);
    while (status == BST_OK && len > 0)
        status = bst_pg_copy_read(pg, &bytes, &len, NULL, pg_diags);
    bst_pg_free(other);
    ck_assert_int_eq(status, BST_DATABASE);
    ck_assert_uint_eq(bst_diags_count(pg_diags), 1);
    ck_assert_ptr_null(strchr(pg_last()->message, '\n'));
}
END_TEST

START_TEST(names_and_texts_are_quoted) {
    bst_strbuf text = BST_STRBUF_INIT;
    ck_assert(bst_pg_add_identifier(pg, "odd \"name\"", &text));
    bst_strbuf_addc(&text, ' ');
    ck_assert(bst_pg_add_literal(pg, "it's", &text));
    ck_assert_str_eq(text.text, "\"odd \"\"name\"\"\" 'it''s'");
    bst_strbuf_release(&text);
}
END_TEST

Suite *test_pg_suite(void) {
    Suite *const suite = suite_create("pg");
    TCase *const tests = tcase_create("session");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, pg_setup, pg_teardown);
    tcase_add_test(tests, a_session_is_the_same_everywhere);
    tcase_add_test(tests, the_users_settings_do_not_get_through);
    tcase_add_test(tests, errors_keep_what_the_server_says);
    tcase_add_test(tests, values_go_there_and_come_back);
    tcase_add_loop_test(tests, passwords_are_not_shown, 0, 3);
    tcase_add_test(tests, a_commit_that_rolls_back_is_an_error);
    tcase_add_test(tests, a_copy_that_fails_tells_why);
    tcase_add_test(tests, a_copy_that_is_cut_short_is_an_error);
    tcase_add_test(tests, a_copy_out_gives_rows_and_their_count);
    tcase_add_test(tests, a_backend_that_ends_in_a_copy_in_says_so);
    tcase_add_test(tests, a_backend_that_ends_in_a_copy_out_is_noticed);
    tcase_add_test(tests, names_and_texts_are_quoted);
    suite_add_tcase(suite, tests);
    return suite;
}
