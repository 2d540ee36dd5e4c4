#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/decimal.h"
#include "backstory/value.h"
#include "random.h"

static bst_arena *arena;
static bst_strbuf out;

static void setup(void) {
    arena = bst_arena_new();
    bst_strbuf_init(&out);
}

static void teardown(void) {
    bst_strbuf_release(&out);
    arena = bst_arena_free(arena);
}

static bst_type type_of(const char *text) {
    bst_type type;
    const char *wrong = NULL;
    ck_assert_msg(bst_type_parse(text, arena, &type, &wrong), "%s: %s", text, wrong);
    return type;
}

static const char *json_of(const bst_type *type, const bst_value *value) {
    bst_strbuf_clear(&out);
    bst_value_to_json(type, value, &out);
    return out.text;
}

static const char *text_of(const bst_type *type, const bst_value *value) {
    bst_strbuf_clear(&out);
    bst_value_to_text(type, value, &out);
    return out.text;
}

/* From text, and what it then is as JSON and as text (NULL: as it was read). */
static const struct value_case {
    const char *type, *text;
    bst_value_result result;
    const char *json, *plain;
} value_cases[] = {
    {"bool", "t", BST_VALUE_OK, "true", "true"},
    {"bool", "TRUE", BST_VALUE_OK, "true", "true"},
    {"bool", "tr", BST_VALUE_OK, "true", "true"},
    {"bool", "1", BST_VALUE_OK, "true", "true"},
    {"bool", "Yes", BST_VALUE_OK, "true", "true"},
    {"bool", "on", BST_VALUE_OK, "true", "true"},
    {"bool", "f", BST_VALUE_OK, "false", "false"},
    {"bool", "false", BST_VALUE_OK, "false", "false"},
    {"bool", "0", BST_VALUE_OK, "false", "false"},
    {"bool", "n", BST_VALUE_OK, "false", "false"},
    {"bool", "OF", BST_VALUE_OK, "false", "false"},
    {"bool", "o", BST_VALUE_SYNTAX, NULL, NULL},
    {"bool", "", BST_VALUE_SYNTAX, NULL, NULL},
    {"bool", "01", BST_VALUE_SYNTAX, NULL, NULL},
    {"bool", "truely", BST_VALUE_SYNTAX, NULL, NULL},
    {"bool", " t", BST_VALUE_SYNTAX, NULL, NULL},
    {"bool", "\x11", BST_VALUE_SYNTAX, NULL, NULL},
    {"int2", "32767", BST_VALUE_OK, "32767", NULL},
    {"int2", "-32768", BST_VALUE_OK, "-32768", NULL},
    {"int2", "32768", BST_VALUE_RANGE, NULL, NULL},
    {"int2", "-32769", BST_VALUE_RANGE, NULL, NULL},
    {"int4", "2147483647", BST_VALUE_OK, "2147483647", NULL},
    {"int4", "-2147483648", BST_VALUE_OK, "-2147483648", NULL},
    {"int4", "2147483648", BST_VALUE_RANGE, NULL, NULL},
    {"int4", "-2147483649", BST_VALUE_RANGE, NULL, NULL},
    {"int8", "9223372036854775807", BST_VALUE_OK, "\"9223372036854775807\"", NULL},
    {"int8", "-9223372036854775808", BST_VALUE_OK, "\"-9223372036854775808\"", NULL},
    {"int8", "9223372036854775808", BST_VALUE_RANGE, NULL, NULL},
    {"int8", "-9223372036854775809", BST_VALUE_RANGE, NULL, NULL},
    {"int8", "18446744073709551616", BST_VALUE_RANGE, NULL, NULL},
    {"int8", "100000000000000000000000000000", BST_VALUE_RANGE, NULL, NULL},
    {"int4", "+5", BST_VALUE_OK, "5", "5"},
    {"int4", "007", BST_VALUE_OK, "7", "7"},
    {"int4", "-0", BST_VALUE_OK, "0", "0"},
    {"int4", "", BST_VALUE_SYNTAX, NULL, NULL},
    {"int4", "-", BST_VALUE_SYNTAX, NULL, NULL},
    {"int4", " 5", BST_VALUE_SYNTAX, NULL, NULL},
    {"int4", "5 ", BST_VALUE_SYNTAX, NULL, NULL},
    {"int4", "5.0", BST_VALUE_SYNTAX, NULL, NULL},
    {"int4", "1e3", BST_VALUE_SYNTAX, NULL, NULL},
    {"int4", "0x10", BST_VALUE_SYNTAX, NULL, NULL},
    {"int4", "99999999999x", BST_VALUE_SYNTAX, NULL, NULL},
    {"decimal(12,2)", "12.3", BST_VALUE_OK, "\"12.30\"", "12.30"},
    {"decimal(12,2)", "-0.005", BST_VALUE_INEXACT, NULL, NULL},
    {"decimal(12,2)", "10000000000", BST_VALUE_RANGE, NULL, NULL},
    {"decimal(12,2)", "NaN", BST_VALUE_SYNTAX, NULL, NULL},
    {"text", "", BST_VALUE_OK, "\"\"", NULL},
    {"text", "a \"b\"\n", BST_VALUE_OK, "\"a \\\"b\\\"\\n\"", NULL},
    {"text", "\xC3\xA9\xF0\x9F\x98\x80", BST_VALUE_OK, "\"\xC3\xA9\xF0\x9F\x98\x80\"", NULL},
    {"text", "\xE9", BST_VALUE_SYNTAX, NULL, NULL},
    {"text", "\xED\xA0\x80", BST_VALUE_SYNTAX, NULL, NULL},
    {"text", "\xC0\x80", BST_VALUE_SYNTAX, NULL, NULL},
    {"varchar", "any length at all", BST_VALUE_OK, "\"any length at all\"", NULL},
    {"varchar(3)", "abc", BST_VALUE_OK, "\"abc\"", NULL},
    {"varchar(3)", "abcd", BST_VALUE_RANGE, NULL, NULL},
    {"varchar(3)", "\xC3\xA9\xC3\xA9\xC3\xA9", BST_VALUE_OK, "\"\xC3\xA9\xC3\xA9\xC3\xA9\"", NULL},
    {"varchar(3)", "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80",
     BST_VALUE_RANGE, NULL, NULL},
    {"varchar(3)", "ab ", BST_VALUE_OK, "\"ab \"", NULL},
    {"varchar(3)", "a\xFF", BST_VALUE_SYNTAX, NULL, NULL},
    {"char(3)", "ab ", BST_VALUE_OK, "\"ab\"", "ab"},
    {"char(3)", "ab      ", BST_VALUE_OK, "\"ab\"", "ab"},
    {"char(3)", "   ", BST_VALUE_OK, "\"\"", ""},
    {"char(3)", " ab", BST_VALUE_OK, "\" ab\"", NULL},
    {"char(3)", "abcd", BST_VALUE_RANGE, NULL, NULL},
    {"uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", BST_VALUE_OK,
     "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    {"uuid", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}", BST_VALUE_OK,
     "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    {"uuid", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", BST_VALUE_OK,
     "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    {"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "a0-eebc999c0b4ef8bb6d6bb9bd380a11", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "{a0eebc999c0b4ef8bb6d6bb9bd380a11", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "a0eebc999c0b4ef8bb6d6bb9bd380a11}", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "{", BST_VALUE_SYNTAX, NULL, NULL},
    {"uuid", "", BST_VALUE_SYNTAX, NULL, NULL},
    {"date", "2021-02-28", BST_VALUE_OK, "\"2021-02-28\"", NULL},
    {"date", "0044-03-15 BC", BST_VALUE_OK, "\"0044-03-15 BC\"", NULL},
    {"date", "2021-02-29", BST_VALUE_RANGE, NULL, NULL},
    {"date", "28.02.2021", BST_VALUE_SYNTAX, NULL, NULL},
    {"timestamptz", "2021-03-02 10:11:12.5+02", BST_VALUE_OK, "\"2021-03-02T08:11:12.5Z\"",
     "2021-03-02T08:11:12.5Z"},
    {"timestamptz", "infinity", BST_VALUE_OK, "\"infinity\"", NULL},
    {"timestamptz", "2021-03-02 10:11:12", BST_VALUE_ZONE, NULL, NULL},
    {"timestamptz", "2021-03-02 10:11:12.0000001Z", BST_VALUE_INEXACT, NULL, NULL},
    {"timestamptz", "2021-02-30 10:11:12Z", BST_VALUE_RANGE, NULL, NULL},
    {"timestamptz", "yesterday", BST_VALUE_SYNTAX, NULL, NULL},
    {"duration", "PT90M", BST_VALUE_OK, "\"PT1H30M\"", "PT1H30M"},
    {"duration", "P1M", BST_VALUE_SYNTAX, NULL, NULL},
    {"bytea", "\\x", BST_VALUE_OK, "\"\\\\x\"", NULL},
    {"bytea", "\\x00fFA5", BST_VALUE_OK, "\"\\\\x00ffa5\"", "\\x00ffa5"},
    {"bytea", "\\x0", BST_VALUE_SYNTAX, NULL, NULL},
    {"bytea", "\\x0g", BST_VALUE_SYNTAX, NULL, NULL},
    {"bytea", "00", BST_VALUE_SYNTAX, NULL, NULL},
    {"bytea", "", BST_VALUE_SYNTAX, NULL, NULL},
    {"json", "{\"b\": 0.10,\n\r\"a\": [1]}", BST_VALUE_OK, "{\"b\": 0.10,  \"a\": [1]}",
     "{\"b\": 0.10,\n\r\"a\": [1]}"},
    {"json", "null", BST_VALUE_OK, "null", NULL},
    {"json", "\"x\"", BST_VALUE_OK, "\"x\"", NULL},
    {"json", "123456789012345678901234567890", BST_VALUE_OK, "123456789012345678901234567890",
     NULL},
    {"json", "", BST_VALUE_SYNTAX, NULL, NULL},
    {"json", "{", BST_VALUE_SYNTAX, NULL, NULL},
    {"json", "{\"a\":1,\"a\":2}", BST_VALUE_SYNTAX, NULL, NULL},
    {"json", "1 2", BST_VALUE_SYNTAX, NULL, NULL},
    {"json", "\"\\u0000\"", BST_VALUE_SYNTAX, NULL, NULL},
    {"enum(new,paid)", "paid", BST_VALUE_OK, "\"paid\"", NULL},
    {"enum(new,paid)", "Paid", BST_VALUE_RANGE, NULL, NULL},
    {"enum(new,paid)", "pai", BST_VALUE_RANGE, NULL, NULL},
    {"enum(new,paid)", "paid ", BST_VALUE_RANGE, NULL, NULL},
    {"enum(new,paid)", "", BST_VALUE_RANGE, NULL, NULL},
    {"enum(say \"hi\")", "say \"hi\"", BST_VALUE_OK, "\"say \\\"hi\\\"\"", NULL},
};

static void check_parse(const struct value_case *c) {
    const bst_type type = type_of(c->type);
    bst_value value = BST_ABSENT;
    const bst_value_result result = bst_value_parse(&type, c->text, strlen(c->text), arena, &value);
    ck_assert_msg(result == c->result, "%s \"%s\": %d", c->type, c->text, (int)result);
    ck_assert_int_eq(value.present, result == BST_VALUE_OK);
    if (result == BST_VALUE_OK) {
        ck_assert_str_eq(json_of(&type, &value), c->json);
        ck_assert_str_eq(text_of(&type, &value), c->plain ? c->plain : c->text);
    }
}

START_TEST(test_parse) {
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++)
        check_parse(&value_cases[i]);
}
END_TEST

/* What is written as JSON or text is read as the same value. */
static void check_round_trip(const struct value_case *c) {
    const bst_type type = type_of(c->type);
    bst_value value, again;
    if (c->result != BST_VALUE_OK)
        return;
    ck_assert_int_eq(bst_value_parse(&type, c->text, strlen(c->text), arena, &value), BST_VALUE_OK);
    json_error_t error;
    json_t *const json = json_loads(
        json_of(&type, &value),
        JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL * (type.kind == BST_KIND_JSON), &error);
    ck_assert_msg(json != NULL, "%s", error.text);
    ck_assert_int_eq(bst_value_from_json(&type, json, arena, &again), BST_VALUE_OK);
    if (type.kind != BST_KIND_JSON) {
        ck_assert(bst_value_equal(&type, &value, &again));
        ck_assert_int_eq(bst_value_compare(&type, &value, &again), 0);
    }
    char *const text = strdup(text_of(&type, &value));
    ck_assert_int_eq(bst_value_parse(&type, text, strlen(text), arena, &again), BST_VALUE_OK);
    ck_assert(bst_value_equal(&type, &value, &again));
    free(text);
    json_decref(json);
}

START_TEST(test_round_trip) {
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++)
        check_round_trip(&value_cases[i]);
}
END_TEST

START_TEST(test_bytes_in_text) {
    const bst_type text = type_of("text"), varchar = type_of("varchar(9)"), json = type_of("json"),
                   list = type_of("enum(a,b)");
    bst_value value;
    ck_assert_int_eq(bst_value_parse(&text, "a\0b", 3, arena, &value), BST_VALUE_SYNTAX);
    ck_assert_int_eq(bst_value_parse(&varchar, "\0", 1, arena, &value), BST_VALUE_SYNTAX);
    ck_assert_int_eq(bst_value_parse(&json, "1\0", 2, arena, &value), BST_VALUE_SYNTAX);
    ck_assert_int_eq(bst_value_parse(&list, "a\0", 2, arena, &value), BST_VALUE_RANGE);
    /* `len` counts, not a NUL */
    ck_assert_int_eq(bst_value_parse(&list, "bx", 1, arena, &value), BST_VALUE_OK);
    ck_assert_int_eq(value.u.i, 1);
}
END_TEST

/* Mostly ASCII, and one byte of any kind anywhere. */
START_TEST(test_valid_text) {
    char text[40];
    for (size_t len = 0; len < sizeof text; len++) {
        memset(text, '~', sizeof text);
        ck_assert(bst_text_is_valid(text, len));
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                text[at] = (char)byte;
                if (bst_text_is_valid(text, len) != (byte > 0 && byte < 0x80))
                    ck_abort_msg("byte %d at %zu of %zu", byte, at, len);
            }
            text[at] = '~';
        }
        if (len >= 4) {
            memcpy(text + len - 4, "\xF0\x9F\x92\xB6", 4);
            ck_assert(bst_text_is_valid(text, len));
            ck_assert(!bst_text_is_valid(text, len - 1));
        }
    }
}
END_TEST

/* Text is pointed at, not copied. */
START_TEST(test_parse_borrows) {
    static const char *const types[] = {"text", "varchar(9)", "char(9)"};
    const char text[] = "abc";
    for (size_t i = 0; i < 3; i++) {
        const bst_type type = type_of(types[i]);
        bst_value value;
        ck_assert_int_eq(bst_value_parse(&type, text, 3, arena, &value), BST_VALUE_OK);
        ck_assert_ptr_eq(value.u.text, text);
    }
}
END_TEST

static const struct json_case {
    const char *type, *json;
    bst_value_result result;
    const char *canonical; /* NULL: as it was read */
} json_cases[] = {
    {"bool", "true", BST_VALUE_OK, NULL},
    {"bool", "\"true\"", BST_VALUE_SYNTAX, NULL},
    {"bool", "1", BST_VALUE_SYNTAX, NULL},
    {"bool", "null", BST_VALUE_NULL, NULL},
    {"bool?", "null", BST_VALUE_OK, NULL},
    {"int2", "32767", BST_VALUE_OK, NULL},
    {"int2", "32768", BST_VALUE_RANGE, NULL},
    {"int2", "-32769", BST_VALUE_RANGE, NULL},
    {"int2", "1.0", BST_VALUE_SYNTAX, NULL},
    {"int2", "\"1\"", BST_VALUE_SYNTAX, NULL},
    {"int4", "-2147483648", BST_VALUE_OK, NULL},
    {"int4", "2147483648", BST_VALUE_RANGE, NULL},
    {"int4", "true", BST_VALUE_SYNTAX, NULL},
    {"int8", "9223372036854775807", BST_VALUE_OK, "\"9223372036854775807\""},
    {"int8", "\"-9223372036854775808\"", BST_VALUE_OK, NULL},
    {"int8", "\"9223372036854775808\"", BST_VALUE_RANGE, NULL},
    {"int8", "1.5", BST_VALUE_SYNTAX, NULL},
    {"decimal(12,2)", "\"12.30\"", BST_VALUE_OK, NULL},
    {"decimal(12,2)", "\"12.3\"", BST_VALUE_OK, "\"12.30\""},
    {"decimal(12,2)", "12", BST_VALUE_OK, "\"12.00\""},
    {"decimal(12,2)", "10000000000", BST_VALUE_RANGE, NULL},
    {"decimal(12,2)", "\"0.001\"", BST_VALUE_INEXACT, NULL},
    {"decimal(12,2)", "12.30", BST_VALUE_SYNTAX, NULL}, /* a real is never money */
    {"decimal(12,2)", "\"\"", BST_VALUE_SYNTAX, NULL},
    {"decimal(12,2)?", "null", BST_VALUE_OK, NULL},
    {"text", "\"a\\u0041\"", BST_VALUE_OK, "\"aA\""},
    {"text", "1", BST_VALUE_SYNTAX, NULL},
    {"text", "[]", BST_VALUE_SYNTAX, NULL},
    {"varchar(2)", "\"abc\"", BST_VALUE_RANGE, NULL},
    {"char(3)", "\"ab \"", BST_VALUE_OK, "\"ab\""},
    {"uuid", "\"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\"", BST_VALUE_OK,
     "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\""},
    {"date", "\"2021-02-28\"", BST_VALUE_OK, NULL},
    {"date", "20210228", BST_VALUE_SYNTAX, NULL},
    {"timestamptz", "\"2021-03-02T10:11:12+02:00\"", BST_VALUE_OK, "\"2021-03-02T08:11:12Z\""},
    {"timestamptz", "\"2021-03-02T10:11:12\"", BST_VALUE_ZONE, NULL},
    {"timestamptz", "1614679872", BST_VALUE_SYNTAX, NULL},
    {"bytea", "\"\\\\x00FF\"", BST_VALUE_OK, "\"\\\\x00ff\""},
    {"bytea", "\"00FF\"", BST_VALUE_SYNTAX, NULL},
    {"enum(a,b)", "\"b\"", BST_VALUE_OK, NULL},
    {"enum(a,b)", "\"c\"", BST_VALUE_RANGE, NULL},
    {"enum(a,b)", "1", BST_VALUE_SYNTAX, NULL},
    {"json", "{\"b\": [1, null], \"a\": \"x\"}", BST_VALUE_OK, "{\"b\":[1,null],\"a\":\"x\"}"},
    {"json", "null", BST_VALUE_OK, NULL},
    {"json?", "null", BST_VALUE_OK, NULL},
    {"json", "\"x\"", BST_VALUE_OK, NULL},
};

static void check_from_json(const struct json_case *c) {
    const bst_type type = type_of(c->type);
    json_error_t error;
    json_t *const json = json_loads(c->json, JSON_DECODE_ANY, &error);
    bst_value value = BST_ABSENT;
    const bst_value_result result = bst_value_from_json(&type, json, arena, &value);
    ck_assert_msg(result == c->result, "%s %s: %d", c->type, c->json, (int)result);
    if (result == BST_VALUE_OK)
        ck_assert_str_eq(json_of(&type, &value), c->canonical ? c->canonical : c->json);
    json_decref(json);
}

START_TEST(test_from_json) {
    for (size_t i = 0; i < sizeof json_cases / sizeof *json_cases; i++)
        check_from_json(&json_cases[i]);
}
END_TEST

START_TEST(test_null_of_json) {
    const bst_type required = type_of("json"), optional = type_of("json?");
    bst_value value;
    ck_assert_int_eq(bst_value_from_json(&required, json_null(), arena, &value), BST_VALUE_OK);
    ck_assert(value.present);
    ck_assert_int_eq(bst_value_from_json(&optional, json_null(), arena, &value), BST_VALUE_OK);
    ck_assert(!value.present);
}
END_TEST

START_TEST(test_absent) {
    for (int kind = 0; kind < BST_KIND_COUNT; kind++) {
        const bst_type type = {.kind = (bst_kind)kind, .optional = true};
        const bst_value absent = BST_ABSENT;
        bst_value copy;
        ck_assert_str_eq(json_of(&type, &absent), "null");
        ck_assert_str_eq(text_of(&type, &absent), "");
        ck_assert(bst_value_equal(&type, &absent, &absent));
        ck_assert(bst_value_copy(&type, &absent, arena, &copy));
        ck_assert(!copy.present);
    }
}
END_TEST

static const struct order_case {
    const char *type, *less, *more;
} order_cases[] = {
    {"bool", "f", "t"},
    {"int2", "-1", "1"},
    {"int8", "-9223372036854775808", "9223372036854775807"},
    {"decimal(12,2)", "-0.01", "0"},
    {"text", "", "a"},
    {"text", "a", "ab"},
    {"text", "Z", "a"},
    {"text", "z", "\xC3\xA9"},
    {"varchar(3)", "ab", "b"},
    {"char(3)", "a  ", "b"},
    {"uuid", "00000000-0000-0000-0000-000000000001", "f0000000-0000-0000-0000-000000000000"},
    {"date", "0001-12-31 BC", "0001-01-01"},
    {"timestamptz", "-infinity", "2021-01-01 00:00Z"},
    {"timestamptz", "2021-01-01 00:00Z", "2021-01-01 00:00-01"},
    {"duration", "-PT1S", "PT1S"},
    {"bytea", "\\x00", "\\xff"},
    {"bytea", "\\x7f", "\\x7f00"},
    {"enum(z,a)", "z", "a"}, /* in the order of the members */
};

static void check_order(const struct order_case *c) {
    const bst_type type = type_of(c->type);
    bst_value less, more;
    const bst_value absent = BST_ABSENT;
    ck_assert_int_eq(bst_value_parse(&type, c->less, strlen(c->less), arena, &less), BST_VALUE_OK);
    ck_assert_int_eq(bst_value_parse(&type, c->more, strlen(c->more), arena, &more), BST_VALUE_OK);
    ck_assert_int_eq(bst_value_compare(&type, &less, &more), -1);
    ck_assert_int_eq(bst_value_compare(&type, &more, &less), 1);
    ck_assert_int_eq(bst_value_compare(&type, &less, &less), 0);
    ck_assert(bst_value_equal(&type, &less, &less));
    ck_assert(!bst_value_equal(&type, &less, &more));
    ck_assert(!bst_value_equal(&type, &less, &absent));
    ck_assert(!bst_value_equal(&type, &absent, &less));
}

START_TEST(test_order) {
    for (size_t i = 0; i < sizeof order_cases / sizeof *order_cases; i++)
        check_order(&order_cases[i]);
}
END_TEST

static const struct equal_case {
    const char *a, *b;
    bool equal;
} equal_cases[] = {
    {"{\"a\": 1, \"b\": [true]}", "{\"b\":[true],\"a\":1}", true},
    {"[1, 2]", "[2, 1]", false},
    {"1", "1.0", true},
    {"0.1", "1e-1", true},
    {"100", "1E2", true},
    {"-0", "0.00", true},
    {"-1", "1", false},
    {"0.1", "0.1000000000000000055511151231257827", false}, /* one double, two numbers */
    {"9007199254740993", "9007199254740992", false},
    {"123456789012345678901234567890", "123456789012345678901234567891", false},
    {"\"1\"", "1", false},
    {"\"-1e0\"", "-1", false},
    {"\"a\"", "\"\\u0061\"", true},
    {"{\"\\u0061\": 1}", "{\"a\": 1}", true},
    {"\"\\\"1\"", "\"\\\"2\"", false},
    {"\"\\\\\"", "\"\\u005c\"", true},
    {"{\"a\": 1}", "{\"a\": 1, \"b\": null}", false},
    {"null", "false", false},
    {"[[], {}]", "[[],{}]", true},
    {"\"1.0\"", "\"1.00\"", false},
};

static void check_equal_json(const struct equal_case *c) {
    const bst_type type = type_of("json");
    bst_value a, b;
    ck_assert_int_eq(bst_value_parse(&type, c->a, strlen(c->a), arena, &a), BST_VALUE_OK);
    ck_assert_int_eq(bst_value_parse(&type, c->b, strlen(c->b), arena, &b), BST_VALUE_OK);
    ck_assert_int_eq(bst_value_equal(&type, &a, &b), c->equal);
    ck_assert_int_eq(bst_value_equal(&type, &b, &a), c->equal);
    ck_assert(bst_value_equal(&type, &a, &a));
}

START_TEST(test_equal_json) {
    for (size_t i = 0; i < sizeof equal_cases / sizeof *equal_cases; i++)
        check_equal_json(&equal_cases[i]);
}
END_TEST

START_TEST(test_copy) {
    const bst_type text = type_of("text"), uuid = type_of("uuid"), int8 = type_of("int8");
    char buffer[] = "abc";
    bst_value value, copy;
    ck_assert_int_eq(bst_value_parse(&text, buffer, 3, arena, &value), BST_VALUE_OK);
    ck_assert(bst_value_copy(&text, &value, arena, &copy));
    memset(buffer, 'x', 3);
    ck_assert_str_eq(text_of(&text, &copy), "abc");
    ck_assert_int_eq(bst_value_parse(&text, "", 0, arena, &value), BST_VALUE_OK);
    ck_assert(bst_value_copy(&text, &value, arena, &copy));
    ck_assert_uint_eq(copy.len, 0);
    ck_assert_int_eq(
        bst_value_parse(&uuid, "00000000-0000-0000-0000-0000000000ff", 36, arena, &value),
        BST_VALUE_OK);
    ck_assert(bst_value_copy(&uuid, &value, arena, &copy));
    ck_assert_str_eq(text_of(&uuid, &copy), "00000000-0000-0000-0000-0000000000ff");
    value = (bst_value){.present = true, .u = {.i = -5}};
    ck_assert(bst_value_copy(&int8, &value, arena, &copy));
    ck_assert_int_eq(copy.u.i, -5);
}
END_TEST

/* Any number that a kind can hold survives both ways of writing it. */
START_TEST(test_random_numbers) {
    static const char *const names[] = {"int2",        "int4", "int8",    "decimal(18,7)",
                                        "timestamptz", "date", "duration"};
    uint64_t seed = 9;
    json_error_t error;
    for (int i = 0; i < 20000; i++) {
        const bst_type type = type_of(names[random_next(&seed) % 7]);
        bst_value value = {.present = true, .u = {.i = random_int64(&seed)}}, again;
        if (type.kind == BST_KIND_INT2)
            value.u.i = (int16_t)value.u.i;
        if (type.kind == BST_KIND_INT4)
            value.u.i = (int32_t)value.u.i;
        if (type.kind == BST_KIND_DATE)
            value.u.i %= 2451545;
        if (type.kind == BST_KIND_TIMESTAMPTZ)
            value.u.i %= INT64_C(211813488000000000);
        if (type.kind == BST_KIND_DECIMAL && !bst_decimal_fits(value.u.i, 18))
            value.u.i /= 10;
        text_of(&type, &value);
        if (bst_value_parse(&type, out.text, out.len, arena, &again) != BST_VALUE_OK ||
            again.u.i != value.u.i)
            ck_abort_msg("\"%s\"", out.text);
        json_t *const json = json_loads(json_of(&type, &value), JSON_DECODE_ANY, &error);
        if (bst_value_from_json(&type, json, arena, &again) != BST_VALUE_OK ||
            again.u.i != value.u.i)
            ck_abort_msg("%s", out.text);
        json_decref(json);
    }
}
END_TEST

START_TEST(test_result_texts) {
    for (int result = 0; result <= BST_VALUE_NOMEM; result++) {
        ck_assert_uint_gt(strlen(bst_value_result_text((bst_value_result)result)), 0);
        for (int other = 0; other < result; other++)
            ck_assert_str_ne(bst_value_result_text((bst_value_result)result),
                             bst_value_result_text((bst_value_result)other));
    }
}
END_TEST

Suite *test_base_value_suite(void) {
    Suite *suite = suite_create("value");
    TCase *tc = tcase_create("value");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_parse);
    tcase_add_test(tc, test_round_trip);
    tcase_add_test(tc, test_bytes_in_text);
    tcase_add_test(tc, test_valid_text);
    tcase_add_test(tc, test_parse_borrows);
    tcase_add_test(tc, test_from_json);
    tcase_add_test(tc, test_null_of_json);
    tcase_add_test(tc, test_absent);
    tcase_add_test(tc, test_order);
    tcase_add_test(tc, test_equal_json);
    tcase_add_test(tc, test_copy);
    tcase_add_test(tc, test_random_numbers);
    tcase_add_test(tc, test_result_texts);
    suite_add_tcase(suite, tc);
    return suite;
}
