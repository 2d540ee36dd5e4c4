#include <check.h>
#include <jansson.h>
#include <string.h>

#include "backstory/shown.h"

static const struct shown_case {
    const char *text, *shown;
    size_t width;
} cases[] = {
    {"", "", 0},
    {"plain \\ text", "plain \\ text", 12},
    {"a\nb\rc\td", "a\\nb\\rc\\td", 10},
    {"\x1B[2J\x07\x7F", "\\u001B[2J\\u0007\\u007F", 21},
    /* C1: U+009B begins a sequence, as ESC [ does; so does the bare byte on some terminals */
    {"\xC2\x9B"
     "2J",
     "\\u009B2J", 8},
    {"\x9B"
     "2J",
     "\\x9B2J", 6},
    /* not UTF-8: cut, too long, a surrogate */
    {"\xE2\x82", "\\xE2\\x82", 8},
    {"\xC0\x80", "\\xC0\\x80", 8},
    {"\xED\xA0\x80", "\\xED\\xA0\\x80", 12},
    /* direction, from both ends of its ranges */
    {"\xE2\x80\xAA\xE2\x80\xAE", "\\u202A\\u202E", 12},
    {"\xE2\x81\xA6\xE2\x81\xA9", "\\u2066\\u2069", 12},
    {"\xE2\x80\x8F\xD8\x9C", "\\u200F\\u061C", 12},
    /* nobody sees them */
    {"a\xE2\x80\x8B"
     "b\xEF\xBB\xBF",
     "a\\u200Bb\\uFEFF", 14},
    {"\xF3\xA0\x81\x81", "\\U000E0041", 10},
    /* what scripts need stays: Hebrew, wide, combining, an emoji of three joined */
    {"\xD7\xA9", "\xD7\xA9", 1},
    {"\xE4\xB8\x96", "\xE4\xB8\x96", 2},
    {"e\xCC\x81", "e\xCC\x81", 1},
    {"\xE2\x80\x8D", "\xE2\x80\x8D", 0},
};

START_TEST(test_shown) {
    const struct shown_case *c = &cases[_i];
    bst_strbuf out = BST_STRBUF_INIT;

    ck_assert_uint_eq(bst_strbuf_add_shown(&out, c->text, strlen(c->text)), c->width);
    ck_assert_str_eq(out.text, c->shown);
    bst_strbuf_release(&out);
}
END_TEST

START_TEST(test_nul_is_shown) {
    bst_strbuf out = BST_STRBUF_INIT;

    bst_strbuf_add_shown(&out, "a\0b", 3);
    ck_assert_str_eq(out.text, "a\\u0000b");
    bst_strbuf_release(&out);
}
END_TEST

/* No byte of what is shown is a control, whatever the bytes were. */
START_TEST(test_every_pair_of_bytes) {
    bst_strbuf out = BST_STRBUF_INIT;

    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const char text[] = {(char)a, (char)b};
            bst_strbuf_clear(&out);
            bst_strbuf_add_shown(&out, text, sizeof text);
            for (size_t i = 0; i < out.len; i++)
                ck_assert_msg((unsigned char)out.text[i] >= 0x20 && out.text[i] != 0x7F,
                              "%02x %02x", a, b);
            ck_assert(!strstr(out.text, "\xC2\x9B"));
        }
    }
    bst_strbuf_release(&out);
}
END_TEST

/* The same value comes out of it. */
START_TEST(test_json_is_exact) {
    static const char text[] = "a\n\x1B[2J\x7F\xC2\x9B\xE2\x80\xAE\xF3\xA0\x81\x81 \xC3\xBC \"\\ z";
    json_t *value = json_pack("{s:s}", text, text);
    char *json = json_dumps(value, JSON_INDENT(2));
    bst_strbuf out = BST_STRBUF_INIT;

    bst_strbuf_add_shown_json(&out, json, strlen(json));
    ck_assert_ptr_null(strpbrk(out.text, "\x1B\x7F\xC2\xE2\xF3"));
    ck_assert_ptr_nonnull(strstr(out.text, "\xC3\xBC"));
    json_t *again = json_loadb(out.text, out.len, 0, NULL);
    ck_assert(json_equal(value, again));
    json_decref(again);
    bst_strbuf_release(&out);
    free(json);
    json_decref(value);
}
END_TEST

Suite *test_base_shown_suite(void) {
    Suite *suite = suite_create("shown");
    TCase *tc = tcase_create("shown");
    tcase_add_loop_test(tc, test_shown, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tc, test_nul_is_shown);
    tcase_add_test(tc, test_every_pair_of_bytes);
    tcase_add_test(tc, test_json_is_exact);
    suite_add_tcase(suite, tc);
    return suite;
}
