/* What small SCXML and XState files become, and what is said of what they lose. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/import.h"
#include "backstory/machine.h"

#define X(inside) "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" name=\"m\">" inside "</scxml>"

typedef struct example {
    const char *text;
    const char *expected; /* the value of "states", or of another key: "key=..."; ' for " */
    const char *codes;    /* of the findings, in their order */
} example;

static const example examples[] = {
    /* ---- SCXML ---- */
    {X("<state id='a'><transition event='go' target='b'/></state><final id='b'/>"),
     "{'a':{'on':{'go':{'target':'b'}}},'b':{'type':'final'}}", ""},
    {X("<state id='a'/>"), "initial='a'", ""},
    {X("<initial><transition target='b'/></initial><state id='a'/><state id='b'/>"), "initial='b'",
     ""},
    /* leaving and entering oneself is what SCXML does unless told otherwise */
    {X("<state id='a'><transition event='x' target='a'/>"
       "<transition event='y' target='a' type='internal'/><transition event='z'/></state>"),
     "{'a':{'on':{'x':{'target':'a','reenter':true},'y':{'target':'a'},'z':{}}}}", ""},
    /* nesting: the id of the state around is no part of the name; targets find their way */
    {X("<state id='a' initial='a.y'><state id='a.x'><transition event='up' target='b'/></state>"
       "<state id='a.y'><transition event='n' target='a.x'/></state>"
       "<transition event='in' target='a.x' type='internal'/></state>"
       "<state id='b'><transition event='in' target='a.y'/></state>"),
     "{'a':{'initial':'y','on':{'in':{'target':'.x'}},'states':{"
     "'x':{'on':{'up':{'target':'#m.b'}}},'y':{'on':{'n':{'target':'x'}}}}},"
     "'b':{'on':{'in':{'target':'#m.a.y'}}}}",
     ""},
    {X("<parallel id='p'><state id='r'><state id='r1'/></state><history id='h' type='deep'>"
       "<transition target='r1'/></history><transition event='done.state.p' target='q'/>"
       "</parallel><state id='q'><transition cond=\"In('r1') &amp;&amp; !In('p')\" target='h'/>"
       "</state>"),
     "{'p':{'type':'parallel','onDone':{'target':'q'},'states':{'r':{'initial':'r1','states':{"
     "'r1':{}}},'h':{'type':'history','history':'deep','target':'#m.p.r.r1'}}},"
     "'q':{'always':{'target':'#m.p.h','guard':{'cel':'state_in(\\\"p.r.r1\\\") && "
     "!state_in(\\\"p\\\")'}}}}",
     ""},
    /* one event is a prefix of others, a list of events is each of them, a star is all */
    {X("<state id='a'><transition event='p.x' target='b'/><transition event='p' target='c'/>"
       "<transition event='q r' target='b'/></state><state id='b'/>"
       "<state id='c'><transition event='*' target='a'/></state>"),
     "{'a':{'on':{'p_x':[{'target':'b'},{'target':'c'}],'p':{'target':'c'},'q':{'target':'b'},"
     "'r':{'target':'b'}}},'b':{},'c':{'on':{'p':{'target':'a'},'p_x':{'target':'a'},"
     "'q':{'target':'a'},'r':{'target':'a'}}}}",
     "wildcard-event"},
    {X("<state id='a'><transition event='p.x'/></state>"), "commands={'p_x':{'label':'p.x'}}", ""},
    /* names */
    {X("<state id='a-b'/><state id='a.b'/><state id='A_B'/><state/><state id='9'/>"),
     "{'a_b':{'label':'a-b'},'a_b_2':{'label':'a.b'},'A_B_3':{'label':'A_B'},'state':{},"
     "'_9':{'label':'9'}}",
     "renamed renamed renamed renamed"},
    /* a timer: sent on entry, waited for in the same state */
    {X("<state id='a'><onentry><send event='t' delay='1.5s' id='s'/></onentry>"
       "<onexit><cancel sendid='s'/></onexit><transition event='t' target='a'/></state>"),
     "{'a':{'after':{'PT1.5S':{'target':'a','reenter':true,'command':'t'}}}}", ""},
    {X("<state id='a'><onentry><send event='t' delay='1s'/><log/></onentry></state>"), "{'a':{}}",
     "action-not-imported action-not-imported"},
    /* what is left behind */
    {X("<datamodel/><state id='a'><invoke/><transition event='e' cond='x &lt; 3'><raise "
       "event='f'/></transition><transition event='error.execution'/></state>"),
     "{'a':{'on':{'e':{'guard':{'cel':'false','description':'Was `x < 3`. It refuses until it is "
     "written.'}}}}}",
     "data-not-imported invoke-not-imported action-not-imported event-not-imported "
     "guard-not-imported"},
    {X("<state id='a' xmlns:e='urn:editor' e:x='1'><e:box/></state>"), "{'a':{}}",
     "not-imported not-imported"},
    {X("<state id='a' initial='c d'><state id='c'/><state id='d'/></state>"),
     "{'a':{'initial':'c','states':{'c':{},'d':{}}}}", "initial-not-imported"},
    /* ---- XState ---- */
    {"{\"id\":\"m\",\"initial\":\"a\",\"states\":{\"a\":{\"on\":{\"GO\":\"b\",\"STAY\":{}},"
     "\"after\":{\"90000\":\"b\"}},\"b\":{\"type\":\"final\"}}}",
     "{'a':{'on':{'GO':{'target':'b'},'STAY':{}},'after':{'PT1M30S':{'target':'b'}}},"
     "'b':{'type':'final'}}",
     ""},
    {"{\"machine\":{\"id\":\"m\",\"initial\":\"a\",\"states\":{\"a\":{}}},\"implementations\":{}}",
     "{'a':{}}", "not-imported"},
    /* targets from anywhere: from the machine, by id, inwards */
    {"{\"id\":\"m\",\"initial\":\"a\",\"states\":{\"a\":{\"initial\":\"x\",\"on\":{\"I\":\".x\"},"
     "\"states\":{\"x\":{\"id\":\"the.x\",\"on\":{\"O\":\"#m.b\",\"S\":\"#the.x\"}}}},"
     "\"b\":{\"on\":{\"D\":\"a.x\",\"E\":\"#the.x\"}}}}",
     "{'a':{'initial':'x','on':{'I':{'target':'.x'}},'states':{'x':{'on':{'O':{'target':'#m.b'},"
     "'S':{'target':'x'}}}}},'b':{'on':{'D':{'target':'#m.a.x'},'E':{'target':'#m.a.x'}}}}",
     ""},
    /* a guard that is a name refuses */
    {"{\"id\":\"m\",\"initial\":\"a\",\"states\":{\"a\":{\"on\":{\"X\":{\"target\":\"a\","
     "\"guard\":\"may it?\"}}}}}",
     "guards={'may_it_':{'cel':'false','description':'Imported by its name only: `may it?`. It "
     "refuses until it is written.'}}",
     "guard-not-imported"},
    /* wildcards come last, the longest first, and not for what the state names */
    {"{\"id\":\"m\",\"initial\":\"a\",\"states\":{\"a\":{\"on\":{\"*\":\"a\",\"p.*\":\"b\","
     "\"p.x\":\"c\"}},\"b\":{\"on\":{\"p.y\":\"b\",\"q\":\"b\"}},\"c\":{}}}",
     "{'a':{'on':{'p_x':{'target':'c'},'p_y':[{'target':'b'},{'target':'a'}],"
     "'q':{'target':'a'}}},'b':{'on':{'p_y':{'target':'b'},'q':{'target':'b'}}},'c':{}}",
     "wildcard-event wildcard-event"},
    /* version 4 */
    {"{\"id\":\"m\",\"initial\":\"a\",\"states\":{\"a\":{\"on\":{\"\":{\"target\":\"b\","
     "\"in\":\"b\"},\"X\":{\"target\":\"a\",\"internal\":true},\"Y\":\"a\"},\"entry\":\"log\"},"
     "\"b\":{\"invoke\":{},\"after\":{\"SOON\":\"a\"}}}}",
     "{'a':{'always':{'target':'b','guard':{'cel':'state_in(\\\"b\\\")'}},'on':{"
     "'X':{'target':'a'},'Y':{'target':'a','reenter':true}}},"
     "'b':{'on':{'after_SOON':{'target':'a'}}}}",
     "action-not-imported invoke-not-imported delay-not-imported"},
    /* what an export left under "meta" comes back; what is the user's stays */
    {"{\"id\":\"m\",\"initial\":\"a\",\"states\":{\"a\":{\"meta\":{\"mine\":1,\"backstory\":"
     "{\"label\":\"A\"}},\"on\":{\"x\":{\"meta\":{\"backstory\":{\"event\":\"E\"}},"
     "\"guard\":{\"type\":\"g\",\"params\":{\"cel\":\"true\"}}}}}}}",
     "{'a':{'label':'A','meta':{'mine':1},'on':{'x':{'guard':{'cel':'true'},'event':'E'}}}}", ""},
};
enum { EXAMPLES = sizeof examples / sizeof examples[0] };

/* JSON with ' for ", but \" inside a text stays what it is. */
static json_t *expected_json(const char *text) {
    char *copy = strdup(text);
    for (char *p = copy; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_error_t error;
    json_t *json = json_loads(copy, JSON_DECODE_ANY, &error);
    ck_assert_msg(json != NULL, "%s: %s", copy, error.text);
    free(copy);
    return json;
}

static void check_codes(const bst_diags *diags, const char *expected) {
    bst_strbuf codes = BST_STRBUF_INIT;
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        const bst_diag *diag = bst_diags_at(diags, i);
        bst_strbuf_addf(&codes, "%s%s", i > 0 ? " " : "", diag->code);
        ck_assert_uint_ne(diag->severity, BST_ERROR);
        ck_assert_uint_gt(diag->line, 0);
        ck_assert_str_eq(diag->file, "m.x");
    }
    ck_assert_str_eq(codes.text, expected);
    bst_strbuf_release(&codes);
}

START_TEST(test_example) {
    const example *e = &examples[_i];
    const char *value = strchr(e->expected, '=');
    const bool named = *e->expected != '{';
    char *key = named ? strndup(e->expected, (size_t)(value - e->expected)) : strdup("states");
    bst_diags *diags = bst_diags_new();
    bst_strbuf out = BST_STRBUF_INIT;
    ck_assert_int_eq(bst_import("m.x", e->text, strlen(e->text), BST_IMPORT_ANY, &out, diags),
                     BST_OK);
    json_t *machine = json_loads(out.text, 0, NULL);
    json_t *expected = expected_json(named ? value + 1 : e->expected);
    ck_assert_str_eq(json_string_value(json_object_get(machine, "id")), "m");
    ck_assert_msg(json_equal(json_object_get(machine, key), expected), "%s", out.text);
    check_codes(diags, e->codes);
    /* What is lost is said in the file as well; what is only renamed is no loss. */
    ck_assert_int_eq(json_object_get(machine, "description") != NULL,
                     *e->codes && strncmp(e->codes, "renamed", 7) != 0);
    json_decref(machine);
    json_decref(expected);
    free(key);
    bst_strbuf_release(&out);
    bst_diags_free(diags);
}
END_TEST

/* What comes out is a machine, even where it refuses to move. */
START_TEST(test_example_loads) {
    const example *e = &examples[_i];
    bst_strbuf out = BST_STRBUF_INIT;
    bst_machine *machine = NULL;
    ck_assert_int_eq(bst_import("m.x", e->text, strlen(e->text), BST_IMPORT_ANY, &out, NULL),
                     BST_OK);
    bst_diags *diags = bst_diags_new();
    const bst_status status = bst_machine_parse("m", out.text, out.len, &machine, diags);
    if (status != BST_OK && !strstr(out.text, "\"event\": \"E\"")) { /* which nothing declares */
        ck_abort_msg("%s\n%s", bst_diags_at(diags, 0)->message, out.text);
    }
    bst_machine_free(machine);
    bst_diags_free(diags);
    bst_strbuf_release(&out);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
    const char *text, *code;
    bst_status status;
    uint32_t line;
} refusals[] = {
    {"", "xml-syntax", BST_INVALID, 1},
    {"<scxml", "xml-syntax", BST_INVALID, 1},
    {"<scxml>\n<state></scxml>", "xml-syntax", BST_INVALID, 2},
    {"<svg/>", "not-scxml", BST_INVALID, 1},
    {"\n<!DOCTYPE scxml [<!ENTITY a 'aaaa'>]><scxml><state id='&a;'/></scxml>", "doctype",
     BST_INVALID, 2},
    {"<!DOCTYPE scxml SYSTEM 'file:///etc/passwd'><scxml/>", "doctype", BST_INVALID, 1},
    {"<scxml><state id='&a;'/></scxml>", "xml-syntax", BST_INVALID, 1},
    {X("\n<state id='a'>\n<transition event='e' target='b'/></state>"), "unknown-state",
     BST_INVALID, 3},
    {X("<state id='a'/>\n<state id='a'/>"), "duplicate-name", BST_INVALID, 2},
    {"{\"id\":\"m\",\n\"states\":[]}", "wrong-type", BST_INVALID, 2},
    {"{\"id\":\"m\",\n\"states\":{\"a\":{\"on\":{\"x\":\"b\"}}}}", "unknown-state", BST_INVALID, 2},
    {"{\"id\":\"m\",\"states\":{\"a\":{\"on\":{\"x\":7}}}}", "wrong-type", BST_INVALID, 1},
    {"{\"id\":}", "json-syntax", BST_INVALID, 1},
};
enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

START_TEST(test_refusal) {
    bst_diags *diags = bst_diags_new();
    bst_strbuf out = BST_STRBUF_INIT;
    const char *text = refusals[_i].text;
    ck_assert_int_eq(bst_import("m.x", text, strlen(text), BST_IMPORT_ANY, &out, diags),
                     refusals[_i].status);
    ck_assert_uint_eq(bst_diags_count(diags), 1);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, refusals[_i].code);
    ck_assert_uint_eq(bst_diags_at(diags, 0)->line, refusals[_i].line);
    ck_assert_str_eq(out.text, "");
    bst_strbuf_release(&out);
    bst_diags_free(diags);
}
END_TEST

/* ---- what would grow ---- */

static void repeat(bst_strbuf *out, uint32_t count, const char *text) {
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_adds(out, text);
    }
}

static void check_limit(const bst_strbuf *text, const char *code, bst_status status) {
    bst_diags *diags = bst_diags_new();
    bst_strbuf out = BST_STRBUF_INIT;
    ck_assert_int_eq(bst_import("m", text->text, text->len, BST_IMPORT_ANY, &out, diags), status);
    const size_t count = bst_diags_count(diags);
    ck_assert_uint_eq(bst_diags_count_of(diags, BST_ERROR), 1);
    for (size_t i = 0; i < count; i++) {
        const bst_diag *diag = bst_diags_at(diags, i);
        ck_assert(diag->severity != BST_ERROR || strcmp(diag->code, code) == 0);
    }
    bst_strbuf_release(&out);
    bst_diags_free(diags);
}

START_TEST(test_limits) {
    bst_strbuf text = BST_STRBUF_INIT;
    repeat(&text, BST_IMPORT_BYTES_MAX + 1, " ");
    check_limit(&text, "too-large", BST_LIMIT);
    bst_strbuf_clear(&text);
    bst_strbuf_adds(&text, "<scxml>");
    repeat(&text, 100000, "<state>");
    check_limit(&text, "xml-syntax", BST_INVALID);
    bst_strbuf_clear(&text);
    bst_strbuf_adds(&text, "<scxml>");
    repeat(&text, 51, "<state>");
    repeat(&text, 51, "</state>");
    bst_strbuf_adds(&text, "</scxml>");
    check_limit(&text, "too-many", BST_LIMIT);
    bst_strbuf_clear(&text);
    bst_strbuf_adds(&text, "<scxml>");
    repeat(&text, BST_IMPORT_STATES_MAX + 1, "<state/>");
    bst_strbuf_adds(&text, "</scxml>");
    check_limit(&text, "too-many", BST_LIMIT);
    bst_strbuf_clear(&text);
    bst_strbuf_adds(&text, "<scxml><!-- < ' --><state ");
    for (int i = 0; i < 500000; i++) {
        bst_strbuf_addf(&text, "a%d='' ", i);
    }
    bst_strbuf_adds(&text, "/></scxml>");
    check_limit(&text, "too-many", BST_LIMIT);
    bst_strbuf_release(&text);
}
END_TEST

/* A star in each state: states times commands. */
START_TEST(test_wildcards_multiply) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "<scxml>");
    for (int i = 0; i < 2000; i++) {
        bst_strbuf_addf(&text, "<state><transition event='e%d'/><transition event='*'/></state>",
                        i);
    }
    bst_strbuf_adds(&text, "</scxml>");
    check_limit(&text, "too-many", BST_LIMIT);
    bst_strbuf_release(&text);
}
END_TEST

Suite *test_import_files_suite(void) {
    Suite *suite = suite_create("import files");
    TCase *tcase = tcase_create("examples");
    tcase_add_loop_test(tcase, test_example, 0, EXAMPLES);
    tcase_add_loop_test(tcase, test_example_loads, 0, EXAMPLES);
    tcase_add_loop_test(tcase, test_refusal, 0, REFUSALS);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("limits");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_limits);
    tcase_add_test(tcase, test_wildcards_multiply);
    suite_add_tcase(suite, tcase);
    return suite;
}
