/* Expressions in words. */
#include "emit_english_private.h"

#include "expr_fixture.h"

typedef struct saying {
    const char *expr, *english;
} saying;

static const saying conditions[] = {
    {"captured + command.amount <= amount", "captured plus the command's amount is at most amount"},
    {"captured == amount && amount > 0", "captured is amount and amount is more than 0"},
    {"count > 1 && count < 5 && flag",
     "count is more than 1, count is less than 5 and flag is true"},
    {"flag || count == 7", "flag is true or count is 7"},
    {"flag && count > 1 || small == 3", "flag is true and count is more than 1, or small is 3"},
    {"(flag || count > 1) && small == 3", "(flag is true or count is more than 1) and small is 3"},
    {"!(flag && count > 1)", "flag is false or count is at most 1"},
    {"!(flag || count > 1)", "flag is false and count is at most 1"},
    {"!(flag && count > 1) && small != 3",
     "(flag is false or count is at most 1) and small is not 3"},
    {"!(captured <= amount)", "captured is more than amount"},
    {"!(count >= 7)", "count is less than 7"},
    {"!flag", "flag is false"},
    {"has(tip)", "tip is present"},
    {"!has(tip) || tip < amount", "tip is absent or tip is less than amount"},
    {"tip == null", "tip is absent"},
    {"!(null == tip)", "tip is present"},
    {"vip == true", "vip is true"},
    {"status == \"open\"", "status is \"open\""},
    {"status in [\"open\", \"closed\"]", "status is one of \"open\" or \"closed\""},
    {"!(count in [1, 2, 3])", "count is not any of 1, 2 or 3"},
    {"count in [7]", "count is 7"},
    {"note.startsWith(\"gr\")", "note starts with \"gr\""},
    {"!note.contains(code)", "note does not contain code"},
    {"!note.endsWith(code)", "note does not end with code"},
    {"size(note) > 5", "the length of note is more than 5"},
    {"created_at < expires_at", "created_at is before expires_at"},
    {"!(created_at < expires_at)", "created_at is not before expires_at"},
    {"created_at >= timestamp(\"2021-01-01T00:00:00Z\")",
     "created_at is not before 2021-01-01T00:00:00Z"},
    {"expires_at - created_at > duration(\"P1DT30M\")",
     "expires_at minus created_at is more than 1 day 30 minutes"},
    {"day == date(\"2021-03-02\")", "day is 2021-03-02"},
    {"amount - (captured - 1) > (amount + 1) * 2",
     "amount minus (captured minus 1) is more than (amount plus 1) times 2"},
    {"-count < 3", "minus count is less than 3"},
    {"flag == (count > 3)", "flag is (whether count is more than 3)"},
    {"flag ? count > 1 : count > 2",
     "if flag is true, count is more than 1, otherwise count is more than 2"},
    {"(flag ? count : 2) > 1", "(count if flag is true, otherwise 2) is more than 1"},
    {"true", "always"},
    {"!true", "never"},
};

START_TEST(test_conditions) {
    expr_fixture f = expr_fixture_new();
    bst_strbuf text = BST_STRBUF_INIT;
    const bst_expr *expr = expr_compile(&f, conditions[_i].expr, "bool");
    ck_assert_ptr_nonnull(expr);
    bst__english(expr, &text);
    ck_assert_str_eq(text.text, conditions[_i].english);
    bst_strbuf_release(&text);
    expr_fixture_free(&f);
}
END_TEST

static const struct {
    const char *expr, *type, *english;
} values[] = {
    {"captured + command.amount", "decimal(18,2)", "captured plus the command's amount"},
    {"has(tip) ? amount + tip : amount", "decimal(18,2)",
     "amount plus tip if tip is present, otherwise amount"},
    {"null", "text?", "nothing"},
    {"count > 3", "bool", "whether count is more than 3"},
    {"true", "bool", "true"},
    {"flag", "bool", "flag"},
    {"\"open\"", "enum(open,closed)", "\"open\""},
};

START_TEST(test_values) {
    expr_fixture f = expr_fixture_new();
    bst_strbuf text = BST_STRBUF_INIT;
    const bst_expr *expr = expr_compile(&f, values[_i].expr, values[_i].type);
    ck_assert_ptr_nonnull(expr);
    bst__english_value(expr, &text);
    ck_assert_str_eq(text.text, values[_i].english);
    bst_strbuf_release(&text);
    expr_fixture_free(&f);
}
END_TEST

static const struct {
    int64_t us;
    const char *english;
} durations[] = {
    {INT64_C(604800000000), "7 days"},
    {INT64_C(5400000000), "1 hour 30 minutes"},
    {INT64_C(1500000), "1 second 500 milliseconds"},
    {INT64_C(-60000000), "minus 1 minute"},
    {0, "no time"},
    {INT64_MIN, "minus 106751991 days 4 hours 54 seconds 775 milliseconds 808 microseconds"},
};

START_TEST(test_durations) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst__english_duration(durations[_i].us, &text);
    ck_assert_str_eq(text.text, durations[_i].english);
    bst_strbuf_release(&text);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_eventgen_english_suite(void) {
    Suite *suite = suite_create("eventgen english");
    TCase *tcase = tcase_create("english");
    tcase_add_loop_test(tcase, test_conditions, 0, COUNT(conditions));
    tcase_add_loop_test(tcase, test_values, 0, COUNT(values));
    tcase_add_loop_test(tcase, test_durations, 0, COUNT(durations));
    suite_add_tcase(suite, tcase);
    return suite;
}
