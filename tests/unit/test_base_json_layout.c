/* Laid out JSON: what stands on a line, what is broken up, and that it reads as the same value. */
#include <check.h>

#include "backstory/json_layout.h"

/* 15 letters more make a line of a hundred. */
#define LONG "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"

static const struct {
    const char *json, *expected;
} cases[] = {
    {"{}", "{}"},
    {"[]", "[]"},
    {"null", "null"},
    {"[true, false, -7, 1.5, \"a\\\"\\u0001\\u00e9\"]",
     "[true, false, -7, 1.5, \"a\\\"\\u0001\xc3\xa9\"]"},
    {"{\"b\":{\"c\":[]},\"a\":1}", "{ \"b\": { \"c\": [] }, \"a\": 1 }"},
    /* a line that is just full, and one that is over */
    {"[\"" LONG "\", \"abcdefghijklmn\"]", "[\"" LONG "\", \"abcdefghijklmn\"]"},
    {"[\"" LONG "\", \"abcdefghijklmno\"]", "[\n  \"" LONG "\",\n  \"abcdefghijklmno\"\n]"},
    /* the comma behind a value, and the key before it, need their room, too */
    {"{\"k\":{\"" LONG "\":\"1234\"},\"l\":2}",
     "{\n  \"k\": { \"" LONG "\": \"1234\" },\n  \"l\": 2\n}"},
    {"{\"k\":{\"" LONG "\":\"12345\"},\"l\":2}",
     "{\n  \"k\": {\n    \"" LONG "\": \"12345\"\n  },\n  \"l\": 2\n}"},
    /* a text is never broken */
    {"\"" LONG LONG "\"", "\"" LONG LONG "\""},
};
enum { CASES = sizeof cases / sizeof cases[0] };

START_TEST(test_layout) {
    json_t *json = json_loads(cases[_i].json, JSON_DECODE_ANY, NULL);
    ck_assert_ptr_nonnull(json);
    bst_strbuf out = BST_STRBUF_INIT;
    bst_json_layout(json, &out);
    ck_assert_str_eq(out.text, cases[_i].expected);
    json_t *again = json_loads(out.text, JSON_DECODE_ANY, NULL);
    ck_assert(json_equal(json, again));
    json_decref(json);
    json_decref(again);
    bst_strbuf_release(&out);
}
END_TEST

Suite *test_base_json_layout_suite(void) {
    Suite *suite = suite_create("base json layout");
    TCase *tcase = tcase_create("layout");
    tcase_add_loop_test(tcase, test_layout, 0, CASES);
    suite_add_tcase(suite, tcase);
    return suite;
}
