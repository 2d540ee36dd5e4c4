#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstory/json_source.h"
#include "random.h"

static bst_diags *diags;
static bst_json_source *source;

static void setup(void) {
    diags = bst_diags_new();
}

static void teardown(void) {
    source = bst_json_source_free(source);
    diags = bst_diags_free(diags);
}

static bst_status parse(const char *text) {
    bst_diags_clear(diags);
    source = bst_json_source_free(source);
    return bst_json_source_parse("f.json", text, strlen(text), &source, diags);
}

static void check_loc(bst_loc loc, uint32_t line, uint32_t column) {
    ck_assert_str_eq(loc.file, "f.json");
    ck_assert_msg(loc.line == line && loc.column == column, "%u:%u, not %u:%u", loc.line,
                  loc.column, line, column);
}

/* é is one column, "\u0061" is "a", a slash and a tilde in a key are escaped in a pointer. */
static const char sample[] = "{ \"id\": \"payment\",\n"
                             "  \"st\\u0061tes\": {\n"
                             "    \"\xC3\xA9t\xC3\xA9\": { \"on\": [ 1, [ 2 ], {} ] },\n"
                             "\t\"a/b~c\": null,\r\n"
                             "    \"\": -1.5e3, \"\\ud83d\\ude00\": true\n"
                             "  },\n"
                             "  \"guard\": \"x\\n\\u00e9\\\" \xC3\xA9 \\ud83d\\ude00z\"\n"
                             "}\n";

static const struct place_case {
    const char *pointer;
    uint32_t line, column, key_line, key_column;
} place_cases[] = {
    {"", 1, 1, 1, 1},
    {"/id", 1, 9, 1, 3},
    {"/states", 2, 18, 2, 3},
    {"/states/\xC3\xA9t\xC3\xA9", 3, 12, 3, 5},
    {"/states/\xC3\xA9t\xC3\xA9/on", 3, 20, 3, 14},
    {"/states/\xC3\xA9t\xC3\xA9/on/0", 3, 22, 3, 22},
    {"/states/\xC3\xA9t\xC3\xA9/on/1", 3, 25, 3, 25},
    {"/states/\xC3\xA9t\xC3\xA9/on/1/0", 3, 27, 3, 27},
    {"/states/\xC3\xA9t\xC3\xA9/on/2", 3, 32, 3, 32},
    {"/states/a~1b~0c", 4, 11, 4, 2},
    {"/states/", 5, 9, 5, 5},
    {"/states/\xF0\x9F\x98\x80", 5, 33, 5, 17},
    {"/guard", 7, 12, 7, 3},
    /* to nothing: the nearest around */
    {"/nothing", 1, 1, 1, 1},
    {"/id/x", 1, 9, 1, 9},
    {"/states/nothing/x", 2, 18, 2, 18},
    {"/states/\xC3\xA9t\xC3\xA9/on/3", 3, 20, 3, 20},
    {"/states/\xC3\xA9t\xC3\xA9/on/01", 3, 20, 3, 20},
    {"/states/\xC3\xA9t\xC3\xA9/on/-", 3, 20, 3, 20},
    {"/states/a~1b~0", 2, 18, 2, 18},
    {"/states/a~1b~0cd", 2, 18, 2, 18},
    {"/states/\xC3\xA9t\xC3\xA9/", 3, 12, 3, 12},
    {"/stat", 1, 1, 1, 1},
    {"id", 1, 1, 1, 1},
    {"/", 1, 1, 1, 1},
};

static void check_places(const struct place_case *c) {
    ck_assert_int_eq(parse(sample), BST_OK);
    check_loc(bst_json_source_value(source, c->pointer), c->line, c->column);
    check_loc(bst_json_source_key(source, c->pointer), c->key_line, c->key_column);
}

START_TEST(test_places) {
    for (size_t i = 0; i < sizeof place_cases / sizeof *place_cases; i++)
        check_places(&place_cases[i]);
}
END_TEST

START_TEST(test_escapes_in_keys) {
    ck_assert_int_eq(parse("{\"\\b\\f\\n\\r\\t\\/\\\"\\\\\": 1}"), BST_OK);
    check_loc(bst_json_source_value(source, "/\b\f\n\r\t~1\"\\"), 1, 22);
}
END_TEST

/* In "x\n\u00e9\" é 😀z": the bytes of the value, and the columns of the text. */
START_TEST(test_inside) {
    static const struct {
        size_t offset;
        uint32_t column;
    } cases[] = {{0, 13}, {1, 14},  {2, 16},  {3, 16},  {4, 22},  {5, 24},  {6, 25},  {8, 26},
                 {9, 27}, {10, 27}, {12, 27}, {13, 39}, {14, 40}, {15, 40}, {999, 40}};
    ck_assert_int_eq(parse(sample), BST_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_loc(bst_json_source_inside(source, "/guard", cases[i].offset), 7, cases[i].column);
    check_loc(bst_json_source_inside(source, "/states", 3), 2, 18);
    check_loc(bst_json_source_inside(source, "/guard/x", 3), 7, 12);
}
END_TEST

START_TEST(test_accessors) {
    size_t len;
    ck_assert_int_eq(parse("{\"a\": 1}"), BST_OK);
    ck_assert_str_eq(bst_json_source_name(source), "f.json");
    ck_assert_str_eq(bst_json_source_text(source, &len), "{\"a\": 1}");
    ck_assert_uint_eq(len, 8);
    ck_assert_int_eq(json_integer_value(json_object_get(bst_json_source_root(source), "a")), 1);
    ck_assert_uint_eq(bst_diags_count(diags), 0);
    ck_assert_ptr_null(bst_json_source_free(NULL));
}
END_TEST

START_TEST(test_pointer) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst_json_pointer_add(&pointer, "states");
    bst_json_pointer_add(&pointer, "a/b~c");
    bst_json_pointer_add(&pointer, "");
    bst_json_pointer_add_index(&pointer, 12);
    ck_assert_str_eq(pointer.text, "/states/a~1b~0c//12");
    bst_strbuf_release(&pointer);
}
END_TEST

/* The message of the only finding, and its place. */
static const struct mistake_case {
    const char *text;
    uint32_t line, column;
    const char *message;
} mistake_cases[] = {
    {"{\"a\": 1,}", 1, 8, "comma before a closing bracket"},
    {"{\"a\": [1, 2, ]}", 1, 12, "comma before a closing bracket"},
    {"{\"a\": 1 \"b\": 2}", 1, 8, "a comma is missing"},
    {"{\"a\": 1\n \"b\": 2}", 1, 8, "a comma is missing"},
    {"{\"a\": [1 2]}", 1, 9, "a comma is missing"},
    {"{\"a\": {} {}}", 1, 9, "a comma is missing"},
    {"{\"a\" 1}", 1, 5, "a colon is missing after the key"},
    {"{\"a\"}", 1, 5, "a colon is missing after the key"},
    {"{\"a\": }", 1, 7, "a value is missing after the colon"},
    {"{\"a\": ,}", 1, 7, "a value is missing before the comma"},
    {"{\"a\": :}", 1, 7, "unexpected colon"},
    {"{\"a\": [,]}", 1, 8, "a value is missing before the comma"},
    {"{\"a\": 1,, \"b\": 2}", 1, 9, "a comma too many"},
    {"{,}", 1, 2, "a comma too many"},
    {"{: 1}", 1, 2, "a key is missing"},
    {"{[1]: 1}", 1, 2, "a key is missing"},
    {"{\"a\": [\"b\": 1]}", 1, 11, "colon in an array"},
    {"{a: 1}", 1, 2, "key \"a\" is not in quotes"},
    {"{1: 1}", 1, 2, "key \"1\" is not in quotes"},
    {"{'a': 1}", 1, 2, "string in single quotes"},
    {"{\"a\": `b`}", 1, 7, "string in backquotes"},
    {"{\"a\": 1; \"b\": 2}", 1, 8, "semicolon in a JSON file"},
    {"// no\n{}", 1, 1, "comment in a JSON file"},
    {"{} /* no */", 1, 4, "comment in a JSON file"},
    {"{\n# no\n}", 2, 1, "comment in a JSON file"},
    {"{\"a\": /x}", 1, 7, "unexpected character \"/\""},
    {"{\"a\": @}", 1, 7, "unexpected character \"@\""},
    {"{\"a\": \x01}", 1, 7, "control character in a JSON file"},
    {"{\"a\": True}", 1, 7, "\"True\" is not a JSON value"},
    {"{\"a\": NaN}", 1, 7, "\"NaN\" is not a JSON value"},
    {"{\"a\": -Infinity}", 1, 7, "\"-Infinity\" is not a JSON number"},
    {"{\"a\": 007}", 1, 7, "\"007\" is not a JSON number"},
    {"{\"a\": +1}", 1, 7, "\"+1\" is not a JSON number"},
    {"{\"a\": .5}", 1, 7, "\".5\" is not a JSON number"},
    {"{\"a\": 5.}", 1, 7, "\"5.\" is not a JSON number"},
    {"{\"a\": 1e}", 1, 7, "\"1e\" is not a JSON number"},
    {"{\"a\": 1.5.2}", 1, 7, "\"1.5.2\" is not a JSON number"},
    {"{\"a\": -}", 1, 7, "\"-\" is not a JSON number"},
    {"{\"a\": 0x10}", 1, 7, "\"0x10\" is not a JSON number"},
    {"{\"a\": 2021-03-02}", 1, 7, "\"2021-03-02\" is not a JSON number"},
    {"{\"a\": 12345678901234567890}", 1, 7, "number 12345678901234567890 is too large"},
    {"{\"a\": -1e999, \"b\": 1}", 1, 7, "number -1e999 is too large"},
    {"{\"a\": \"x\ny\"}", 1, 7, "string is not closed on its line"},
    {"{\"a\": \"x", 1, 7, "string is not closed"},
    {"{\"a\": \"x\\\"}", 1, 7, "string is not closed"},
    {"{\"a\": \"\xC3\xA9\ty\"}", 1, 9, "control character in a string"},
    {"{\"a\": \"\\q\"}", 1, 8, "unknown escape in a string"},
    {"{\"a\": \"\\u12g4\"}", 1, 8, "\\u must be followed by four hexadecimal digits"},
    {"{\"a\": \"\\u12", 1, 8, "\\u must be followed by four hexadecimal digits"},
    {"{\"a\": \"\\", 1, 8, "unknown escape in a string"},
    {"{\"a\": \"\\ud800\"}", 1, 8, "\\ud800 is half of a surrogate pair"},
    {"{\"a\": \"\\uDC00\"}", 1, 8, "\\uDC00 is half of a surrogate pair"},
    {"{\"a\": \"\\ud800\\ud800\"}", 1, 8, "\\ud800 is half of a surrogate pair"},
    {"{\"a\": \"\\u083d\\ude00\"}", 1, 14, "\\ude00 is half of a surrogate pair"},
    {"{\"a\": \"\\ud83d\\ude00\\ude00\"}", 1, 20, "\\ude00 is half of a surrogate pair"},
    {"{\"a\": \"\\u0000\"}", 1, 8, "a string cannot hold the character \\u0000"},
    {"{\"a\": [1, 2}", 1, 12, "\"}\" where \"]\" belongs"},
    {"{\"a\": 1]", 1, 8, "\"]\" where \"}\" belongs"},
    {"}", 1, 1, "\"}\" closes nothing"},
    {"{\"a\": [1, 2", 1, 12, "file ends inside an array"},
    {"{\"a\": 1,\n", 2, 1, "file ends inside an object"},
    {"{\"a\":", 1, 6, "file ends inside an object"},
    {"{} {}", 1, 4, "text after the end of the JSON value"},
    {"{}}", 1, 3, "text after the end of the JSON value"},
    {"", 1, 1, "file is empty"},
    {" \n ", 2, 2, "file is empty"},
    {"\xEF\xBB\xBF{}", 1, 1, "file starts with a byte order mark"},
    {"{\"\xC3\xA9\": \"\xE9\"}", 1, 8, "byte 0xE9 is not UTF-8"},
    {"\xFF\xFE{", 0, 0, "file is UTF-16"},
    {"[1]", 1, 1, "file must hold a JSON object, not an array"},
    {"\n \"x\"", 2, 2, "file must hold a JSON object, not a string"},
    {"12", 1, 1, "file must hold a JSON object, not a number"},
    {"true", 1, 1, "file must hold a JSON object, not true or false"},
    {"null", 1, 1, "file must hold a JSON object, not null"},
};

static void check_mistakes(const struct mistake_case *c) {
    ck_assert_int_eq(parse(c->text), BST_INVALID);
    ck_assert_ptr_null(source);
    ck_assert_uint_eq(bst_diags_count(diags), 1);
    const bst_diag *const diag = bst_diags_at(diags, 0);
    ck_assert_str_eq(diag->message, c->message);
    ck_assert_msg(diag->line == c->line && diag->column == c->column, "%s: %u:%u", c->text,
                  diag->line, diag->column);
    ck_assert_str_eq(diag->code, strstr(c->message, "must hold") ? "json-root" : "json-syntax");
}

START_TEST(test_mistakes) {
    for (size_t i = 0; i < sizeof mistake_cases / sizeof *mistake_cases; i++)
        check_mistakes(&mistake_cases[i]);
}
END_TEST

START_TEST(test_too_large) {
    const size_t len = (size_t)BST_SPEC_BYTES_MAX + 1;
    ck_assert_int_eq(bst_json_source_parse("f.json", "", len, &source, diags), BST_LIMIT);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "file-too-large");
}
END_TEST

START_TEST(test_nul_byte) {
    ck_assert_int_eq(bst_json_source_parse("f.json", "{\n\0}", 4, &source, diags), BST_INVALID);
    ck_assert_str_eq(bst_diags_at(diags, 0)->message, "NUL byte in the file");
    ck_assert_uint_eq(bst_diags_at(diags, 0)->line, 2);
    /* jansson takes this one */
    ck_assert_int_eq(bst_json_source_parse("f.json", "{\"a\": 1\0}", 9, &source, diags),
                     BST_INVALID);
    ck_assert_str_eq(bst_diags_at(diags, 1)->message, "NUL byte in the file");
}
END_TEST

START_TEST(test_opened_here) {
    ck_assert_int_eq(parse("{\n \"a\": [\n 1"), BST_INVALID);
    const bst_diag *const diag = bst_diags_at(diags, 0);
    ck_assert_uint_eq(diag->also_line, 2);
    ck_assert_uint_eq(diag->also_column, 7);
    ck_assert_str_eq(diag->also_message, "opened here");
}
END_TEST

START_TEST(test_without_diags) {
    ck_assert_int_eq(bst_json_source_parse("f", "{", 1, &source, NULL), BST_INVALID);
    ck_assert_int_eq(bst_json_source_parse("f", "{\"a\":1,\"a\":2}", 13, &source, NULL),
                     BST_INVALID);
    ck_assert_ptr_null(source);
}
END_TEST

/* All of them, each with the first of its name. */
START_TEST(test_duplicate_keys) {
    static const struct {
        const char *key;
        uint32_t line, column, also_line, also_column;
    } expected[] = {{"a", 2, 2, 1, 2}, {"x", 3, 16, 3, 9}, {"x", 3, 23, 3, 9}, {"x", 3, 39, 3, 33}};
    ck_assert_int_eq(
        parse("{\"a\": {\"a\": 1},\n"
              " \"\\u0061\": 2,\n"
              " \"b\": [{\"x\":1, \"x\":2, \"x\":{\"y\":{\"x\":1,\"x\":2}, \"z\":1}}]}"),
        BST_INVALID);
    ck_assert_uint_eq(bst_diags_count(diags), 4);
    for (size_t i = 0; i < 4; i++) {
        const bst_diag *const diag = bst_diags_at(diags, i);
        char message[64];
        snprintf(message, sizeof message, "key \"%s\" stands twice in one object", expected[i].key);
        ck_assert_str_eq(diag->code, "duplicate-key");
        ck_assert_str_eq(diag->message, message);
        ck_assert_uint_eq(diag->line, expected[i].line);
        ck_assert_uint_eq(diag->column, expected[i].column);
        ck_assert_uint_eq(diag->also_line, expected[i].also_line);
        ck_assert_uint_eq(diag->also_column, expected[i].also_column);
        ck_assert_str_eq(diag->also_message, "first given here");
    }
}
END_TEST

/* A mistake further on is told rather than duplicates before it. */
START_TEST(test_duplicate_and_mistake) {
    ck_assert_int_eq(parse("{\"a\": 1, \"a\": 2,}"), BST_INVALID);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "json-syntax");
}
END_TEST

static char *nested(size_t depth) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "{\"[[[\\\"{\": ");
    for (size_t i = 1; i < depth; i++)
        bst_strbuf_addc(&text, '[');
    for (size_t i = 1; i < depth; i++)
        bst_strbuf_addc(&text, ']');
    bst_strbuf_addc(&text, '}');
    return bst_strbuf_detach(&text);
}

START_TEST(test_depth) {
    char *text = nested(BST_JSON_DEPTH_MAX);
    ck_assert_int_eq(parse(text), BST_OK);
    check_loc(bst_json_source_value(source, "/[[[\"{/0/0/0/0"), 1, 16);
    free(text);
    source = bst_json_source_free(source);
    text = nested(BST_JSON_DEPTH_MAX + 1);
    ck_assert_int_eq(parse(text), BST_LIMIT);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "json-depth");
    ck_assert_uint_eq(bst_diags_at(diags, 0)->column, 11 + BST_JSON_DEPTH_MAX);
    free(text);
    bst_diags_clear(diags);
    char *const open = malloc(1000001);
    memset(open, '[', 1000000);
    open[1000000] = '\0';
    ck_assert_int_eq(parse(open), BST_LIMIT);
    free(open);
}
END_TEST

/* jansson and the second pass see the same text: each value of a large one is found where it is. */
START_TEST(test_many_values) {
    enum { COUNT = 5000 };
    bst_strbuf text = BST_STRBUF_INIT, pointer = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "{\"list\": [");
    for (int i = 0; i < COUNT; i++)
        bst_strbuf_addf(&text, "%s\n%*s{\"key%d\": %d}", i ? "," : "", i % 7, "", i, i);
    bst_strbuf_adds(&text, "]}");
    ck_assert_int_eq(bst_json_source_parse("f.json", text.text, text.len, &source, diags), BST_OK);
    for (int i = 0; i < COUNT; i++) {
        bst_strbuf_clear(&pointer);
        bst_strbuf_addf(&pointer, "/list/%d/key%d", i, i);
        check_loc(bst_json_source_key(source, pointer.text), (uint32_t)i + 2, (uint32_t)i % 7 + 2);
    }
    bst_strbuf_release(&pointer);
    bst_strbuf_release(&text);
}
END_TEST

/* Whatever is done to a good file, either it is JSON or exactly one mistake is told. */
START_TEST(test_damaged_files) {
    uint64_t seed = 8;
    static const char spare[] = "{}[],:\"\\/'#e0.-+ \n\tnu\x01\xC3";
    char text[sizeof sample];
    for (int round = 0; round < 50000; round++) {
        memcpy(text, sample, sizeof sample);
        size_t len = sizeof sample - 1;
        for (uint64_t n = random_next(&seed) % 3 + 1; n > 0; n--) {
            const size_t at = random_next(&seed) % len;
            if (random_next(&seed) % 2) {
                text[at] = spare[random_next(&seed) % (sizeof spare - 1)];
            } else {
                memmove(text + at, text + at + 1, len - at - 1);
                len--;
            }
        }
        const bst_status status = bst_json_source_parse("f.json", text, len, &source, diags);
        const size_t count = bst_diags_count(diags);
        const bst_diag *const diag = bst_diags_at(diags, 0);
        const bool syntax = diag && strcmp(diag->code, "json-syntax") == 0;
        if ((status == BST_OK) != (count == 0) ||
            (syntax && (count != 1 || strstr(diag->message, " near "))))
            ck_abort_msg("%.*s\n%s", (int)len, text, diag ? diag->message : "nothing said");
        source = bst_json_source_free(source);
        bst_diags_clear(diags);
    }
}
END_TEST

START_TEST(test_read) {
    char path[] = "test_base_json_XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    char *const large = malloc(200000);
    memset(large, ' ', 200000);
    memcpy(large, "{\"a\":", 5);
    memcpy(large + 199998, "1}", 2);
    ck_assert_int_eq(write(fd, large, 200000), 200000);
    close(fd);
    char *text = NULL;
    size_t len = 0;
    ck_assert_int_eq(bst_file_read(path, 200000, &text, &len, diags), BST_OK);
    ck_assert_uint_eq(len, 200000);
    ck_assert_mem_eq(text, large, 200000);
    ck_assert_int_eq(text[len], '\0');
    free(text);
    text = NULL;
    ck_assert_int_eq(bst_json_source_read(path, &source, diags), BST_OK);
    ck_assert_str_eq(bst_json_source_value(source, "/a").file, path);
    ck_assert_uint_eq(bst_diags_count(diags), 0);
    ck_assert_int_eq(bst_file_read(path, 199999, &text, &len, diags), BST_LIMIT);
    ck_assert_ptr_null(text);
    ck_assert_str_eq(bst_diags_at(diags, 0)->message,
                     "file is larger than the limit of 199999 bytes");
    unlink(path);
    free(large);
}
END_TEST

START_TEST(test_read_fails) {
    char *text = NULL;
    size_t len = 0;
    ck_assert_int_eq(bst_file_read("no/such/file", 10, &text, &len, diags), BST_IO);
    ck_assert_str_eq(bst_diags_at(diags, 0)->message,
                     "could not read file: No such file or directory");
    ck_assert_str_eq(bst_diags_at(diags, 0)->file, "no/such/file");
    ck_assert_int_eq(bst_file_read(".", 10, &text, &len, diags), BST_IO);
    ck_assert_str_eq(bst_diags_at(diags, 1)->message, "could not read file: Is a directory");
    ck_assert_int_eq(bst_json_source_read("no/such/file", &source, diags), BST_IO);
    ck_assert_ptr_null(text);
}
END_TEST

Suite *test_base_json_source_suite(void) {
    Suite *suite = suite_create("json_source");
    TCase *tc = tcase_create("json_source");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_places);
    tcase_add_test(tc, test_escapes_in_keys);
    tcase_add_test(tc, test_inside);
    tcase_add_test(tc, test_accessors);
    tcase_add_test(tc, test_pointer);
    tcase_add_test(tc, test_mistakes);
    tcase_add_test(tc, test_too_large);
    tcase_add_test(tc, test_nul_byte);
    tcase_add_test(tc, test_opened_here);
    tcase_add_test(tc, test_without_diags);
    tcase_add_test(tc, test_duplicate_keys);
    tcase_add_test(tc, test_duplicate_and_mistake);
    tcase_add_test(tc, test_depth);
    tcase_add_test(tc, test_many_values);
    tcase_add_test(tc, test_damaged_files);
    tcase_add_test(tc, test_read);
    tcase_add_test(tc, test_read_fails);
    suite_add_tcase(suite, tc);
    return suite;
}
