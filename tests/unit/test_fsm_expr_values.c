/* Expressions: what they give, and how they are written canonically. */
#include "expr_fixture.h"

/* A result is a type and a value, or "overflow" or "absent". `canonical` NULL: as written. */
static const struct {
    const char *text, *want, *result, *canonical;
} cases[] = {
    /* clang-format off */
    {"captured + command.amount <= amount", NULL, "bool true", NULL},
    {"captured + command.amount", NULL, "decimal(18,2) 42.84", NULL},
    {"captured * rate", NULL, "decimal(18,6) 3.812500", NULL},
    {"1 + 2 * 3 - -4", NULL, "int8 11", NULL},
    {"(1 + 2) * -(3)", NULL, "int8 -9", "(1 + 2) * -3"},
    {"large + 1", NULL, "overflow", NULL},
    {"large + 0", NULL, "decimal(18,0) 999999999999999999", NULL},
    {"large - -0.0", NULL, "overflow", "large - 0.0"},
    {"total + 1", NULL, "overflow", NULL},
    {"-lowest", NULL, "overflow", NULL},
    {"total * 1", NULL, "int8 9223372036854775807", NULL},
    {"fine + 1", NULL, "overflow", NULL},
    {"12.50 == 12.5", NULL, "bool true", NULL},
    {"amount", NULL, "decimal(12,2) 100.00", NULL},
    {"amount > 0 && count < 10 || !flag", NULL, "bool true", NULL},
    {"count in [1, 7]", NULL, "bool true", NULL},
    {"status == \"closed\"", NULL, "bool false", NULL},
    {"\"open\" == status", NULL, "bool true", NULL},
    {"flag ? \"open\" : \"closed\"", "enum(open,closed)", "enum(open,closed) open", NULL},
    {"has(tip) ? tip : 0", NULL, "decimal(12,2) 0.00", "has(tip) ? tip : 0.00"},
    {"has(tip) ? tip : 0", "decimal(12,2)", "decimal(12,2) 0.00", "has(tip) ? tip : 0.00"},
    {"has(bonus) ? bonus : 0", "decimal(12,2)", "decimal(12,2) 5.00", "has(bonus) ? bonus : 0.00"},
    {"has(tip) && tip > 1", NULL, "bool false", NULL},
    {"!has(tip) || tip > 1", NULL, "bool true", NULL},
    {"tip != null && tip > 1", NULL, "bool false", NULL},
    {"tip == null || tip > 1", NULL, "bool true", NULL},
    {"tip == 5 && tip > 1", NULL, "bool false", NULL},
    {"tip == bonus", NULL, "bool false", NULL},
    {"vip", NULL, "bool? null", NULL},
    {"vip == true", NULL, "bool false", NULL},
    {"has(vip) && vip", NULL, "bool false", NULL},
    {"reason == \"x\"", NULL, "bool false", NULL},
    {"reason", "text?", "text? null", NULL},
    {"null", "text?", "text? null", NULL},
    {"amount == null", NULL, "bool false", NULL},
    {"size(note)", NULL, "int8 6", NULL},
    {"note.size()", NULL, "int8 6", "size(note)"},
    {"note.startsWith(\"gr\")", NULL, "bool true", NULL},
    {"startsWith(note, \"gr\")", NULL, "bool true", "note.startsWith(\"gr\")"},
    {"note.endsWith(\"er\") && note.contains(\"\\u00f6\")", NULL, "bool true",
     "note.endsWith(\"er\") && note.contains(\"\303\266\")"},
    {"note.contains(\"xx\")", NULL, "bool false", NULL},
    {"created_at + duration(\"PT1H\")", NULL, "timestamptz 2021-03-02T11:00:00Z", NULL},
    {"created_at - timestamp(\"2021-03-01T00:00:00Z\")", NULL, "duration P1DT10H", NULL},
    {"created_at - timestamp(\"2021-03-01T00:00:00Z\") > duration(\"3600s\")", NULL, "bool true",
     "created_at - timestamp(\"2021-03-01T00:00:00Z\") > duration(\"PT1H\")"},
    {"duration(\"1h30m\") + duration(\"1.5s\")", NULL, "duration PT1H30M1.5S",
     "duration(\"PT1H30M\") + duration(\"PT1.5S\")"},
    {"expires_at - created_at", NULL, "overflow", NULL},
    {"expires_at > created_at", NULL, "bool true", NULL},
    {"expires_at - duration(\"PT1S\")", NULL, "overflow", NULL},
    {"timestamp(\"294276-12-31T23:59:59Z\") + duration(\"P1D\")", NULL, "overflow", NULL},
    {"day == date(\"2021-03-02\")", NULL, "bool true", NULL},
    {"id == \"6BA7B810-9dad-11d1-80b4-00c04fd430c8\"", NULL, "bool true",
     "id == \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\""},
    {"currency == \"EUR\"", NULL, "bool true", NULL},
    {"currency == code", NULL, "bool false", NULL},
    {"'it\\'s' == \"it's\"", NULL, "bool true", "\"it's\" == \"it's\""},
    {"-9223372036854775808", NULL, "int8 -9223372036854775808", NULL},
    {"`Order Id` + `in`", NULL, "int8 43", NULL},
    {"count + 1", "int2", "int2 8", NULL},
    {"total", "int2", "overflow", NULL},
    {"1.50", "decimal(12,1)", "decimal(12,1) 1.5", "1.5"},
    {"count", "decimal(12,2)", "decimal(12,2) 7.00", NULL},
    {"total", "decimal(12,2)", "overflow", NULL},
    {"note", "varchar(3)", "overflow", NULL},
    {"\"abc  \"", "char(3)", "char(3) abc", "\"abc\""},
    {"note", "char(3)", "overflow", NULL},
    {"missing + 1", NULL, "absent", NULL},
    {"missing == 1", NULL, "absent", NULL},
    {"has(missing)", NULL, "bool false", NULL},
    {"true ? 1 : 2.5", NULL, "decimal(2,1) 1.0", "true ? 1.0 : 2.5"},
    {"flag ? small : total", NULL, "int8 3", NULL},
    {"flag ? null : amount", NULL, "decimal(12,2)? null", NULL},
    {"flag ? amount : tip", NULL, "decimal(12,2)? 100.00", NULL},
    {"raw == raw", NULL, "bool true", NULL},
    {"has(extra)", NULL, "bool true", NULL},
    {"-(-5)", NULL, "int8 5", "5"},
    {"--5", NULL, "int8 5", "5"},
    {"true && false || true && !false", NULL, "bool true", NULL},
    {"flag && (flag && flag) && (flag || flag)", NULL, "bool true",
     "flag && flag && flag && (flag || flag)"},
    {"1 - (2 - 3) - 4", NULL, "int8 -2", NULL},
    {"(flag ? true : false) ? 1 : 2", NULL, "int8 1", NULL},
    {"flag ? 1 : flag ? 2 : 3", NULL, "int8 1", NULL},
    {"\"a\".startsWith(note)", NULL, "bool false", NULL},
    {"(note).size()", NULL, "int8 6", "size(note)"},
    {"size(`note`)", NULL, "int8 6", "size(note)"},
    {"timestamp(\"2021-03-02T12:00:00+02:00\") == created_at", NULL, "bool true",
     "timestamp(\"2021-03-02T10:00:00Z\") == created_at"},
    {"duration(\"PT1H\") - duration(\"PT90M\")", NULL, "duration -PT30M",
     "duration(\"PT1H\") - duration(\"PT1H30M\")"},
    {"duration(\"P1D\") + created_at", NULL, "timestamptz 2021-03-03T10:00:00Z", NULL},
    {"created_at - duration(\"P1D\")", NULL, "timestamptz 2021-03-01T10:00:00Z", NULL},
    {"has(paid_at) && paid_at - created_at > duration(\"P2D\")", NULL, "bool true", NULL},
    {"has(paid_at) ? paid_at - created_at : duration(\"PT0S\")", NULL, "duration P3D", NULL},
    {"has(paid_at) && paid_at - created_at == duration(\"P3D\")", NULL, "bool true", NULL},
    {"duration(\"2562047788h\") + duration(\"2562047788h\")", NULL, "overflow",
     "duration(\"P106751991DT4H\") + duration(\"P106751991DT4H\")"},
    {"duration(\"-1h30m\")", NULL, "duration -PT1H30M", "duration(\"-PT1H30M\")"},
    {"timestamp(\"4714-11-24T00:00:00Z BC\") - duration(\"1us\")", NULL, "overflow",
     "timestamp(\"4714-11-24T00:00:00Z BC\") - duration(\"PT0.000001S\")"},
    {"timestamp(\"294276-12-31T23:59:59Z\") - timestamp(\"4714-11-24T00:00:00Z BC\")", NULL,
     "overflow", NULL},
    {"expires_at == timestamp(\"infinity\")", NULL, "bool true", NULL},
    {"total - -1", NULL, "overflow", NULL},
    {"lowest - 1", NULL, "overflow", NULL},
    {"lowest * -1", NULL, "overflow", NULL},
    {"total * 2", NULL, "overflow", NULL},
    {"total + 0.5", NULL, "overflow", NULL},
    {"large * 10", NULL, "overflow", NULL},
    {"large * 1.0", NULL, "overflow", NULL},
    {"large + large", NULL, "overflow", NULL},
    {"-large - large", NULL, "overflow", NULL},
    {"large - 0.1", NULL, "overflow", NULL},
    {"0.99 * 0.99", NULL, "decimal(18,4) 0.9801", NULL},
    {"0.000000001 * 0.000000001", NULL, "decimal(18,18) 0.000000000000000001", NULL},
    {"count * 1.5 + small", NULL, "decimal(18,1) 13.5", NULL},
    {"count * 1.5 == 10.5", NULL, "bool true", NULL},
    {"total > large", NULL, "bool true", NULL},
    {"total == 9223372036854775807", NULL, "bool true", NULL},
    {"rate < 0.13", NULL, "bool true", NULL},
    {"large < total", NULL, "bool true", NULL},
    {"fine > 0", NULL, "bool true", NULL},
    {"fine < 0.1", NULL, "bool true", NULL},
    {"-fine < 0", NULL, "bool true", NULL},
    {"false && total + 1 > 0", NULL, "bool false", NULL},
    {"flag || total + 1 > 0", NULL, "bool true", NULL},
    {"total + 1 > 0 && false", NULL, "overflow", NULL},
    {"total + 1 > 0 || true", NULL, "overflow", NULL},
    {"flag ? 1 : total + 1", NULL, "int8 1", NULL},
    {"!flag ? 1 : total + 1", NULL, "overflow", NULL},
    {"has(missing) && missing > 1", NULL, "bool false", NULL},
    {"count in [7, total + 1]", NULL, "overflow", NULL},
    {"count in [count - 1, count, count + 1]", NULL, "bool true", NULL},
    {"amount in [100, 200.000]", NULL, "bool true", NULL},
    {"note in [\"a\", \"gr\\u00f6\\u00dfer\"]", NULL, "bool true",
     "note in [\"a\", \"gr\303\266\303\237er\"]"},
    {"id in [\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"]", NULL, "bool true", NULL},
    {"has(stage) && stage in [\"open\", \"closed\"]", NULL, "bool true", NULL},
    {"stage == \"closed\"", NULL, "bool true", NULL},
    {"stage == status", NULL, "bool false", NULL},
    {"status != \"closed\"", NULL, "bool true", NULL},
    {"day in [date(\"2021-03-02\"), date(\"2021-03-03\")]", NULL, "bool true", NULL},
    {"flag in [true]", NULL, "bool true", NULL},
    {"created_at in [timestamp(\"2021-03-02T10:00:00Z\")]", NULL, "bool true", NULL},
    {"\"b\" in [\"a\", \"b\"]", NULL, "bool true", NULL},
    {"tip != bonus", NULL, "bool true", NULL},
    {"tip == null && bonus != null", NULL, "bool true", NULL},
    {"null == tip", NULL, "bool true", NULL},
    {"null != bonus && bonus > 1", NULL, "bool true", NULL},
    {"vip != true", NULL, "bool true", NULL},
    {"vip == null", NULL, "bool true", NULL},
    {"!(has(tip) && tip > 5) || tip > 1", NULL, "bool true", NULL},
    {"!(has(tip)) || tip > 1", NULL, "bool true", "!has(tip) || tip > 1"},
    {"!(tip == null) && tip > 1", NULL, "bool false", NULL},
    {"!(tip == null || bonus == null) && tip + bonus > 1", NULL, "bool false", NULL},
    {"has(tip) && has(bonus) ? tip + bonus : 0", NULL, "decimal(18,2) 0.00",
     "has(tip) && has(bonus) ? tip + bonus : 0.00"},
    {"has(tip) && (flag || tip > 1) && tip < 5", NULL, "bool false", NULL},
    {"has(tip) ? tip > 1 : false", NULL, "bool false", NULL},
    {"(has(tip) ? tip > 1 : false) && tip > 2", NULL, "bool false", NULL},
    {"(flag ? has(tip) : false) && tip > 1", NULL, "bool false", NULL},
    {"has(tip) ? (has(bonus) ? tip + bonus : tip) : 0", NULL, "decimal(18,2) 0.00",
     "has(tip) ? (has(bonus) ? tip + bonus : tip) : 0.00"},
    {"has(tip) ? tip : has(bonus) ? bonus : 0", NULL, "decimal(12,2) 5.00",
     "has(tip) ? tip : has(bonus) ? bonus : 0.00"},
    {"has(tip) ? 1 : tip", NULL, "decimal(12,2)? null", "has(tip) ? 1.00 : tip"},
    {"has(reason) ? reason : note", "varchar(20)", "varchar(20) gr\303\266\303\237er", NULL},
    {"has(retries) ? retries : 0", "int2", "int2 2", NULL},
    {"tip", "decimal(10,2)?", "decimal(10,2)? null", NULL},
    {"bonus", "decimal(3,2)?", "decimal(3,2)? 5.00", NULL},
    {"bonus", "decimal(2,2)?", "overflow", NULL},
    {"command.note", NULL, "text? hi", NULL},
    {"size(note) > 5 && note.startsWith(\"gr\") && !note.endsWith(\"x\")", NULL, "bool true", NULL},
    {"note.contains(\"\")", NULL, "bool true", NULL},
    {"note.startsWith(\"gr\303\266\303\237ere\")", NULL, "bool false", NULL},
    {"currency.startsWith(\"EU\") && code.contains(\"-\")", NULL, "bool true", NULL},
    {"\"\\u00e4\\t\\n\\\\\\\"\\'\" == '\303\244\\t\\n\\\\\"\\''", NULL, "bool true",
     "\"\303\244\\t\\n\\\\\\\"'\" == \"\303\244\\t\\n\\\\\\\"'\""},
    {"size(\"\\r\\u0001\\u007f\")", NULL, "int8 3", NULL},
    {"\"tab\tinside\"", NULL, "text tab\tinside", "\"tab\\tinside\""},
    {"''", NULL, "text ", "\"\""},
    {"flag == (count > 5)", NULL, "bool true", NULL},
    {"!flag == false", NULL, "bool true", NULL},
    {"!(flag == false)", NULL, "bool true", NULL},
    {"- - count", NULL, "int8 7", "--count"},
    {"-count + -(count)", NULL, "int8 -14", "-count + -count"},
    {"-(count + 1) * 2", NULL, "int8 -16", NULL},
    {"2 - (1 + 1)", NULL, "int8 0", NULL},
    {"2 - (1 - 1)", NULL, "int8 2", NULL},
    {"(2 - 1) - 1", NULL, "int8 0", "2 - 1 - 1"},
    {"2 * (3 * 4)", NULL, "int8 24", NULL},
    {"(2 + 3) * 4", NULL, "int8 20", NULL},
    {"(count > 5) == true", NULL, "bool true", "count > 5 == true"},
    {"(flag && flag) == true", NULL, "bool true", NULL},
    {"count > (flag ? 1 : 2)", NULL, "bool true", NULL},
    {"(note).startsWith((flag ? \"gr\" : \"x\"))", NULL, "bool true",
     "note.startsWith(flag ? \"gr\" : \"x\")"},
    {"(flag ? note : code).size()", NULL, "int8 6", "size(flag ? note : code)"},
    {"count", "int8", "int8 7", NULL},
    {"small", "int4", "int4 3", NULL},
    {"small + count", "decimal(4,1)", "decimal(4,1) 10.0", NULL},
    {"large", "decimal(18,1)", "overflow", NULL},
    {"large", "int8", "int8 999999999999999999", NULL},
    {"large", "int4", "overflow", NULL},
    {"total", "decimal(18,0)", "overflow", NULL},
    {"5", "decimal(3,2)", "decimal(3,2) 5.00", "5.00"},
    {"5.00", "int2", "int2 5", "5"},
    {"-32768", "int2", "int2 -32768", NULL},
    {"code", "varchar(2)", "overflow", NULL},
    {"code", "varchar(3)", "varchar(3) A-1", NULL},
    {"code", "text", "text A-1", NULL},
    {"currency", "varchar(2)", "overflow", NULL},
    {"\"  \"", "char(3)", "char(3) ", "\"\""},
    {"status", "enum(open,closed)", "enum(open,closed) open", NULL},
    {"\"open\"", "enum(open,closed)?", "enum(open,closed) open", NULL},
    {"id", "uuid", "uuid 6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL},
    {"\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"", "uuid",
     "uuid 6ba7b810-9dad-11d1-80b4-00c04fd430c8", NULL},
    {"day", "date", "date 2021-03-02", NULL},
    {"created_at", "timestamptz?", "timestamptz 2021-03-02T10:00:00Z", NULL},
    {"extra", "json", "json {}", NULL},
    {"raw", "bytea", "bytea \\x00ff", NULL},
    {"flag ? 1 : 2", "decimal(4,2)", "decimal(4,2) 1.00", "flag ? 1.00 : 2.00"},
    {"flag ? null : 5", "decimal(4,2)?", "decimal(4,2)? null", "flag ? null : 5.00"},
    {"has(command.note) && command.note == \"hi\"", NULL, "bool true", NULL},
    {"command.`size`", NULL, "int4 9", "command.size"},
    {"`command`.size", NULL, "int4 9", "command.size"},
    {"duration(\"999999999999999999us\") - duration(\"-999999999999999999us\")", NULL,
     "duration P23148148DT3H33M19.999998S",
     "duration(\"P11574074DT1H46M39.999999S\") - duration(\"-P11574074DT1H46M39.999999S\")"},
    {"duration(\"1.5h0.5m1.25s2ms3us\")", NULL, "duration PT1H30M31.252003S",
     "duration(\"PT1H30M31.252003S\")"},
    {"-(5)", NULL, "int8 -5", "-5"},
    {"-(-9223372036854775808)", NULL, "overflow", "--9223372036854775808"},
    {"-(-(5.50))", NULL, "decimal(3,2) 5.50", "5.50"},
    {"-(0)", NULL, "int8 0", "0"},
    /* clang-format on */
};

static void expect(bst_strbuf *wrong, const char *text, const char *expected, const char *got) {
    if (strcmp(expected, got) != 0) {
        bst_strbuf_addf(wrong, "\n%s\n  expected %s\n  got      %s", text, expected, got);
    }
}

static void check_value(expr_fixture *f, size_t i, bst_strbuf *wrong) {
    bst_strbuf out = BST_STRBUF_INIT;
    const bst_expr *expr = expr_compile(f, cases[i].text, cases[i].want);
    if (expr != NULL) {
        expr_result(f, expr, &out);
    } else {
        expr_findings(f, &out);
    }
    expect(wrong, cases[i].text, cases[i].result, out.text);
    bst_strbuf_release(&out);
}

static void check_canonical(expr_fixture *f, size_t i, bst_strbuf *wrong) {
    const char *canonical = cases[i].canonical != NULL ? cases[i].canonical : cases[i].text;
    const char *const texts[] = {cases[i].text, canonical};
    for (size_t j = 0; j < 2; j++) {
        const bst_expr *expr = expr_compile(f, texts[j], cases[i].want);
        bst_strbuf out = BST_STRBUF_INIT;
        if (expr != NULL) {
            bst_expr_format(expr, &out);
        }
        expect(wrong, texts[j], canonical, out.text);
        bst_strbuf_release(&out);
    }
}

/* All cases, and at the end all that went wrong. */
START_TEST(test_values) {
    bst_strbuf wrong = BST_STRBUF_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expr_fixture f = expr_fixture_new();
        check_value(&f, i, &wrong);
        check_canonical(&f, i, &wrong);
        expr_fixture_free(&f);
    }
    ck_assert_msg(wrong.len == 0, "%s", wrong.text);
    bst_strbuf_release(&wrong);
}
END_TEST

Suite *test_fsm_expr_values_suite(void) {
    Suite *suite = suite_create("expr values");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, test_values);
    suite_add_tcase(suite, tcase);
    return suite;
}
