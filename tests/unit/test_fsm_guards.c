/* Guards held against each other: what is proven, what is found with values, and what is neither.
 * Machines are written with ' for ".
 */
#include "fsm_findings.h"

static const char fields[] =
    "{ 'id': 'm', 'fields': {"
    "  'n': { 'type': 'int4', 'default': 0 }, 'small': { 'type': 'int2', 'default': 0 },"
    "  'amount': { 'type': 'decimal(12,2)', 'default': '0.00' },"
    "  'paid': { 'type': 'decimal(12,2)', 'default': '0.00' }, 'max': 'int4?',"
    "  'flag': { 'type': 'bool', 'default': false },"
    "  'kind': { 'type': 'enum(card,cash,bank)', 'default': 'card' }, 'note': 'text?',"
    "  'on_day': 'date?' },"
    "  'events': { 'MPaid': { 'fields': { 'sum': 'decimal(12,2)' } } },"
    "  'initial': 'a', 'states': { 'a': { 'on': { 'pay': [ ";
static const char tail[] = " ] } }, 'b': {}, 'c': {} } }";

/* A machine whose command "pay" has these guards, which lead to different states. */
static bst_machine *machine_of(const char *const *guards) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, fields);
    for (size_t i = 0; guards[i]; i++) {
        bst_strbuf_addf(&text, "%s{ 'guard': { 'cel': '%s' }, 'target': '%c' }", i ? ", " : "",
                        guards[i], (char)('a' + i));
    }
    bst_strbuf_adds(&text, tail);
    for (char *p = text.text; *p; p++) {
        *p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
    }
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = NULL;
    const bst_status status = bst_machine_parse("m.fsm.json", text.text, text.len, &machine, diags);
    ck_assert_msg(status == BST_OK, "%s: %s", guards[0],
                  bst_diags_count(diags) ? bst_diags_at(diags, 0)->message : "");
    bst_diags_free(diags);
    bst_strbuf_release(&text);
    return machine;
}

typedef struct guards_case {
    const char *guards[3]; /* ` for ' in texts */
    const char *finding;   /* "": none */
} guards_case;

static const guards_case cases[] = {
    /* proven: nothing satisfies it */
    {{"n > 5 && n < 6"}, "never-fires"},
    {{"n > 5 && n < 7"}, ""},
    {{"amount > 5.00 && amount < 5.01"}, "never-fires"},
    {{"amount > 5.00 && amount < 5.02"}, ""},
    {{"amount == 0.005"}, "never-fires"},
    {{"small > 40000"}, "never-fires"},
    {{"n > 40000"}, ""},
    {{"kind == `card` && kind == `cash`"}, "never-fires"},
    {{"kind in [`card`, `cash`] && !(kind in [`cash`, `card`])"}, "never-fires"},
    {{"has(note) && note == `a` && note == `b`"}, "never-fires"},
    {{"has(note) && note == `a` && note != `a`"}, "never-fires"},
    {{"note == null && has(note)"}, "never-fires"},
    {{"note == null && !has(note)"}, ""},
    {{"flag && !flag"}, "never-fires"},
    {{"(n < 1 || n > 9) && n > 2 && n < 8"}, "never-fires"},
    {{"(n < 1 || n > 7) && n > 2 && n < 9"}, ""},
    {{"amount < paid && amount >= paid"}, "never-fires"},
    {{"amount < paid && paid > amount && amount != 0.00"}, ""},
    {{"flag ? n > 9 && n < 3 : false"}, "never-fires"},
    /* an absent value differs from every value */
    {{"max != 1 && max == null"}, ""},
    /* proven: the ones before leave nothing */
    {{"n > 5", "n > 10"}, "shadowed-transition"},
    {{"n > 5", "n <= 5"}, ""},
    {{"n > 5", "n < 5"}, ""},
    {{"n >= 5", "n < 5", "flag"}, "shadowed-transition"},
    {{"n >= 5", "n < 4", "flag"}, "overlapping-guards"},
    {{"paid + command.sum <= amount", "paid + command.sum < amount"}, "shadowed-transition"},
    {{"paid + command.sum <= amount", "amount >= paid + command.sum"}, "shadowed-transition"},
    {{"flag || !flag", "n > 3"}, "shadowed-transition"},
    {{"kind == `card` || kind == `cash`", "kind == `bank`", "flag"}, "shadowed-transition"},
    /* found: both at once */
    {{"n > 5", "n < 7"}, "overlapping-guards Both hold for n = 6."},
    {{"n > 5", "n < 6"}, ""},
    {{"flag", "kind == `cash`"}, "overlapping-guards Both hold for flag = true, kind = \"cash\"."},
    {{"has(note) && size(note) > 3", "n == 77"}, "overlapping-guards"},
    {{"note != null && note.startsWith(`ab`)", "n * 2 == 10"}, "overlapping-guards"},
    {{"paid + command.sum == amount", "command.sum == 3.21 && paid == 4.00"}, "overlapping-guards"},
    {{"on_day == date(`2024-02-29`)", "n == 1"}, "overlapping-guards"},
    /* the special case first: a note */
    {{"n > 10", "n > 5"}, "note overlapping-guards Both hold for n = 11."},
};

static void add_finding(const bst_diags *diags, size_t at, bst_strbuf *out) {
    const bst_diag *diag = bst_diags_at(diags, at);
    bst_strbuf_addf(out, "%s%s%s%s", diag->severity == BST_NOTE ? "note " : "", diag->code,
                    diag->detail ? " " : "", diag->detail ? diag->detail : "");
}

/* Only what is said of guards. */
static void keep_guards(bst_diags *diags) {
    static const bst_warning heard[] = {BST_WARNING_NEVER_FIRES, BST_WARNING_SHADOWED_TRANSITION,
                                        BST_WARNING_OVERLAPPING_GUARDS};
    const char *name;
    bst_warnings warnings = {.all_errors = false};
    ck_assert(bst_warnings_option(&warnings, "-Wno-all", &name));
    for (size_t i = 0; i < sizeof heard / sizeof *heard; i++) {
        warnings.level[heard[i]] = BST_LEVEL_ON;
    }
    bst_diags_set_warnings(diags, &warnings);
}

START_TEST(findings) {
    const guards_case *c = &cases[_i];
    bst_machine *machine = machine_of((const char *const[]){
        c->guards[0], c->guards[1], c->guards[1] ? c->guards[2] : NULL, NULL});
    bst_diags *diags = bst_diags_new();
    bst_strbuf found = BST_STRBUF_INIT;
    keep_guards(diags);
    ck_assert_int_eq(bst_machine_check(machine, diags), BST_OK);
    if (bst_diags_count(diags) > 0) {
        add_finding(diags, 0, &found);
    }
    const bool as_wanted =
        *c->finding ? strncmp(found.text, c->finding, strlen(c->finding)) == 0 : found.len == 0;
    ck_assert_msg(as_wanted, "%s | %s: expected %s, found %s", c->guards[0],
                  c->guards[1] ? c->guards[1] : "-", c->finding, found.text);
    bst_strbuf_release(&found);
    bst_diags_free(diags);
    bst_machine_free(machine);
}
END_TEST

START_TEST(gap) {
    static const char *const open[] = {"n > 5", "n < 5", NULL};
    static const char *const closed[] = {"n > 5", "n <= 5", NULL};
    static const char *const one[] = {"n > 5", NULL};
    static const char *const *const all[] = {open, closed, one};
    for (size_t i = 0; i < 3; i++) {
        bst_machine *machine = machine_of(all[i]);
        bst_diags *diags = bst_diags_new();
        bst_warnings warnings = {.all_errors = false};
        const char *name;
        ck_assert(bst_warnings_option(&warnings, "-Wno-all", &name));
        bst_diags_set_warnings(diags, &warnings);
        ck_assert_int_eq(bst_machine_check(machine, diags), BST_OK);
        ck_assert_uint_eq(bst_diags_count(diags), 0);
        ck_assert(bst_warnings_option(&warnings, "-Wguard-gap", &name));
        bst_diags_set_warnings(diags, &warnings);
        ck_assert_int_eq(bst_machine_check(machine, diags), BST_OK);
        ck_assert_uint_eq(bst_diags_count(diags), i == 0);
        if (i == 0) {
            ck_assert_str_eq(bst_diags_at(diags, 0)->detail, "None holds for n = 5.");
        }
        bst_diags_free(diags);
        bst_machine_free(machine);
    }
}
END_TEST

Suite *test_fsm_guards_suite(void);
Suite *test_fsm_guards_suite(void) {
    Suite *suite = suite_create("fsm: guards");
    TCase *tcase = tcase_create("guards");
    tcase_add_loop_test(tcase, findings, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, gap);
    suite_add_tcase(suite, tcase);
    return suite;
}
