/* Mapping files: what a good one becomes, and where a bad one is wrong. */
#include <check.h>

#include "backstory/mapping.h"
#include "scratch.h"

static const char machine_text[] =
    "{ 'id': 'payment',"
    "  'fields': { 'amount': { 'type': 'decimal(12,2)' }, 'currency': { 'type': 'char(3)' },"
    "              'captured': { 'type': 'decimal(12,2)', 'default': '0.00' },"
    "              'failure_reason': { 'type': 'text?' }, 'retries': { 'type': 'int4?' } },"
    "  'events': {"
    "    'PaymentCreated': { 'fields': { 'amount': 'decimal(12,2)', 'currency': 'char(3)' } },"
    "    'PaymentAuthorized': { 'fields': { 'authorization_code': 'text?' } },"
    "    'PaymentCaptured': { 'fields': { 'amount': 'decimal(12,2)' },"
    "                         'apply': { 'amount': 'amount',"
    "                                    'captured': 'captured + event.amount' } },"
    "    'PaymentFailed': { 'fields': { 'failure_reason': 'text' } } },"
    "  'initial': 'pending',"
    "  'states': {"
    "    'pending': { 'on': { 'authorize': 'authorized', 'fail': 'failed' } },"
    "    'authorized': { 'on': { 'capture': 'captured', 'fail': 'failed' } },"
    "    'captured': { 'type': 'final' }, 'failed': { 'type': 'final' } } }";

/* One line each, so that findings have lines to be told apart by. */
#define SOURCE "{ 'table': 'shop.payments', 'key': 'id' }"
#define STATE                                                                                      \
    "{ 'column': 'status', 'values': { 'N': 'pending', 'A': 'authorized', 'C': 'captured', "       \
    "'F': 'failed' } }"
#define FIELDS   "{ 'amount': 'amount', 'currency': 'currency' }"
#define EVIDENCE "[ { 'creation': 'created_at' } ]"
#define MAPPING(source, state, fields, evidence, more)                                             \
    "{ 'machine': 'm.fsm.json',\n"                                                                 \
    "'source': " source ",\n"                                                                      \
    "'state': " state ",\n"                                                                        \
    "'fields': " fields ",\n"                                                                      \
    "'evidence': " evidence more "\n}"

static scratch s;
static bst_diags *diags;
static bst_mapping *mapping;

static void setup(void) {
    scratch_make(&s);
    scratch_write(&s, "m.fsm.json", machine_text, 1);
    diags = bst_diags_new();
    mapping = NULL;
}

static void teardown(void) {
    bst_mapping_free(mapping);
    bst_diags_free(diags);
    scratch_remove(&s);
}

static bst_status load(const char *text) {
    return bst_mapping_load(scratch_write(&s, "m.legacy.json", text, 1), &mapping, diags);
}

/* "2:3 code; 4:5 code": all findings, in the order of the file. */
static void check_findings(const char *expected) {
    bst_strbuf found = BST_STRBUF_INIT;
    bst_diags_sort(diags);
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        const bst_diag *diag = bst_diags_at(diags, i);
        bst_strbuf_addf(&found, "%s%u:%u %s", i > 0 ? "; " : "", diag->line, diag->column,
                        diag->code);
    }
    ck_assert_str_eq(found.text, expected);
    bst_strbuf_release(&found);
}

static uint32_t column(const char *name, bst_kind kind) {
    for (uint32_t i = 0; i < mapping->source.column_count; i++) {
        if (strcmp(mapping->source.columns[i].name, name) == 0 &&
            mapping->source.columns[i].type.kind == kind) {
            return i;
        }
    }
    ck_abort_msg("no column %s of kind %d", name, (int)kind);
    return BST_NONE;
}

static const char good[] =
    MAPPING("{ 'table': 'shop.payments', 'key': ['region', 'id'], 'zone': '+02:00', 'null': '?',"
            "  'where': 'deleted_at IS NULL', 'columns': { 'retries': 'int2?' } }",
            STATE,
            "{ 'amount': 'amount', 'currency': 'currency', 'retries': 'retries',"
            "  'captured': { 'column': 'captured_cents', 'scale': 2, 'default': '0.00' },"
            "  'failure_reason': { 'cel': 'has(error) ? error : \\'none\\'' } }",
            "[ { 'creation': 'created_at' },"
            "  { 'event': 'PaymentAuthorized', 'at': { 'column': 'authorized_at', 'zone': 'UTC' },"
            "    'occurrence': 'first', 'absent': 'unknown',"
            "    'fields': { 'authorization_code': 'auth_code' } },"
            "  { 'event': 'PaymentCaptured', 'at': 'captured_at', 'when': 'has(captured_cents)',"
            "    'fields': { 'amount': { 'column': 'captured_cents', 'scale': 2 } } },"
            "  { 'state': ['failed', 'captured'], 'at': { 'sql': 'coalesce(a, b)' } },"
            "  { 'event': '*', 'count': 'version', 'relation': 'at_most' },"
            "  { 'last_change': 'updated_at', 'exact': true } ]",
            ", 'probabilities': { 'pending': { 'authorize': 0.8 } },"
            "  'policy': { 'ambiguous': 'quarantine', 'residual': 'quarantine' }");

START_TEST(good_mapping) {
    ck_assert_int_eq(load(good), BST_OK);
    check_findings("");
    const bst_source_spec *spec = &mapping->source;
    ck_assert_str_eq(spec->table, "shop.payments");
    ck_assert_uint_eq(spec->key_count, 2);
    ck_assert_str_eq(spec->key[1], "id");
    ck_assert_uint_eq(spec->null_text_count, 1);
    ck_assert_ptr_null(spec->where_sql);
    ck_assert_ptr_nonnull(mapping->where);
    ck_assert_uint_eq(bst_mapping_state(mapping, "A", 1), 1);
    ck_assert_uint_eq(bst_mapping_state(mapping, "A ", 2), BST_NONE);
    ck_assert_uint_eq(bst_mapping_state(mapping, "a", 1), BST_NONE);
    ck_assert_int_eq(mapping->policy.ambiguous, BST_POLICY_QUARANTINE);
    /* Each column once for each type. */
    ck_assert_uint_eq(spec->column_count, 14);
    ck_assert_uint_eq(mapping->state_columns[0].column, column("status", BST_KIND_TEXT));
    ck_assert_int_eq(spec->columns[column("retries", BST_KIND_INT2)].type.optional, true);
    uint32_t cents = column("captured_cents", BST_KIND_INT8);
    ck_assert_uint_eq(mapping->fields[2].column, cents);
    ck_assert_int_eq(mapping->fields[2].minor_digits, 2);
    ck_assert_int_eq(mapping->fields[2].default_value.present, true);
    ck_assert_int_eq(mapping->fields[3].kind, BST_FROM_EXPR);
    column("error", BST_KIND_TEXT);
    column("deleted_at", BST_KIND_TEXT);
    uint32_t created = column("created_at", BST_KIND_TIMESTAMPTZ);
    uint32_t authorized = column("authorized_at", BST_KIND_TIMESTAMPTZ);
    ck_assert_ptr_nonnull(spec->columns[created].zone);
    ck_assert_ptr_ne(spec->columns[created].zone, spec->columns[authorized].zone);
}
END_TEST

/* Which transitions of the table an item of the evidence speaks of: "create go stop". */
static void check_entries(uint32_t item, const char *expected) {
    const bst_machine *m = mapping->machine;
    bst_strbuf found = BST_STRBUF_INIT;
    for (uint32_t t = 0; t < m->transition_count; t++) {
        if (mapping->evidence[item].transitions[t]) {
            bst_strbuf_addf(&found, "%s%s", found.len ? " " : "",
                            m->commands[m->transitions[t].command].name);
        }
    }
    ck_assert_str_eq(found.text, expected);
    bst_strbuf_release(&found);
}

/* Evidence and codes may name any state of the file: a leaf, one around leaves, one that is only
 * passed through. */
START_TEST(nested_states) {
    scratch_write(&s, "m.fsm.json",
                  "{ 'id': 'order', 'initial': 'open', 'states': {"
                  " 'open': { 'initial': 'cart', 'onDone': 'parcel', 'on': { 'cancel': 'gone' },"
                  "  'states': { 'cart': { 'on': { 'check_out': 'checkout' } },"
                  "   'checkout': { 'on': { 'edit': 'cart', 'pay': 'paid' } },"
                  "   'paid': { 'type': 'final' } } },"
                  " 'parcel': { 'initial': 'packed', 'states': { 'packed': { 'on': {"
                  "  'ship': 'shipped' } }, 'shipped': { 'on': { 'reopen': 'open' } } } },"
                  " 'gone': { 'type': 'final' } } }",
                  1);
    ck_assert_int_eq(load(MAPPING("{ 'table': 'orders', 'key': 'id' }",
                                  "{ 'column': 'status', 'values': { 'C': 'cart',"
                                  " 'O': 'open.checkout', 'P': 'packed', 'X': 'gone' } }",
                                  "{}",
                                  "[ { 'state': 'open', 'at': 'opened_at' },"
                                  "  { 'state': 'open.cart', 'at': 'cart_at' },"
                                  "  { 'state': 'paid', 'at': 'paid_at' },"
                                  "  { 'state': 'parcel', 'at': 'parcel_at' } ]",
                                  "")),
                     BST_OK);
    check_findings("");
    const uint32_t checkout = bst_mapping_state(mapping, "O", 1);
    ck_assert_str_eq(mapping->machine->states[checkout].name, "open.checkout");
    ck_assert_uint_eq(bst_mapping_state(mapping, "C", 1), 0);
    check_entries(0, "create reopen");
    check_entries(1, "create edit reopen");
    check_entries(2, "pay");
    check_entries(3, "pay");
}
END_TEST

/* Each state that has codes is what these say together, whatever stands where nobody asks. */
static uint32_t count_readable(void) {
    const bst_machine *m = mapping->machine;
    uint32_t count = 0;
    for (uint32_t state = 0; state < m->state_count; state++) {
        uint32_t codes[BST_STATE_COLUMNS_MAX];
        bst_value values[BST_STATE_COLUMNS_MAX];
        bst_state_reading reading;
        if (!bst_mapping_codes_of(mapping, state, codes)) {
            continue;
        }
        for (uint32_t c = 0; c < mapping->state_column_count; c++) {
            const char *text = "nonsense";
            if (codes[c] != BST_NONE) {
                text = mapping->state_columns[c].codes[codes[c]].text;
            }
            values[c] = (bst_value){true, (uint32_t)strlen(text), {.text = text}};
        }
        bst_mapping_read_state(mapping, values, &reading);
        ck_assert_int_eq(reading.verdict, BST_STATE_KNOWN);
        ck_assert_uint_eq(reading.state, state);
        count++;
    }
    return count;
}

/* Regions inside a region: each column decides on those inside its own. */
START_TEST(regions_in_regions) {
    scratch_write(
        &s, "m.fsm.json",
        "{ 'id': 'job', 'initial': 'idle', 'states': {"
        " 'idle': { 'on': { 'begin': 'busy' } },"
        " 'busy': { 'type': 'parallel', 'states': {"
        "  'left': { 'initial': 'a', 'states': { 'a': { 'on': { 'split': 'many' } },"
        "   'many': { 'type': 'parallel', 'states': {"
        "    'x': { 'initial': 'x1', 'states': { 'x1': { 'on': {"
        "     'x': 'x2' } }, 'x2': {} } },"
        "    'y': { 'initial': 'y1', 'states': { 'y1': { 'on': {"
        "     'y': 'y2' } }, 'y2': {} } } } } } },"
        "  'right': { 'initial': 'r1', 'states': { 'r1': { 'on': { 'r': 'r2' } }, 'r2': {} } }"
        " } } } }",
        1);
    ck_assert_int_eq(
        load(MAPPING("{ 'table': 'jobs', 'key': 'id' }",
                     "{ 'column': 's', 'values': { 'I': 'idle', 'B': 'busy' },"
                     "  'regions': {"
                     "  'many.y': { 'column': 'y', 'values': { '1': 'y1', '2': 'y2' } },"
                     "  'right': { 'column': 'r', 'values': { '1': 'r1' } },"
                     "  'left': { 'column': 'l', 'values': { 'A': 'a', 'M': 'many' } },"
                     "  'many.x': { 'column': 'x', 'values': { '1': 'x1', '2': 'x2' } } } }",
                     "{}", "[ { 'state': 'right.r2', 'at': 'r_at' } ]", "")),
        BST_OK);
    check_findings("");
    ck_assert_uint_eq(mapping->state_column_count, 5);
    ck_assert_str_eq(mapping->state_columns[2].region_key, "many.x"); /* as the machine has them */
    ck_assert_uint_eq(mapping->state_columns[2].decider, 1);
    ck_assert_uint_eq(mapping->state_columns[4].decider, 0);
    ck_assert_uint_eq(mapping->machine->state_count, 11);
    ck_assert_uint_eq(count_readable(), 6); /* those without r2 */
    check_entries(0, "r r r r r");
}
END_TEST

/* Names in expressions: in backticks, twice, beside literals and calls that look like names. */
START_TEST(names_in_expressions) {
    ck_assert_int_eq(
        load(MAPPING("{ 'table': 'p', 'key': 'id', 'where': { 'cel': 'has(`Order Id`) && "
                     "size(\\'x y\\') == 3 && (!has(b) || b in [\\'c\\', \\'d\\\\\\'e\\'])' } }",
                     STATE, FIELDS, EVIDENCE, "")),
        BST_OK);
    check_findings("");
    column("Order Id", BST_KIND_TEXT);
    column("b", BST_KIND_TEXT);
    ck_assert_uint_eq(mapping->source.column_count, 6);
}
END_TEST

START_TEST(good_evidence) {
    ck_assert_int_eq(load(good), BST_OK);
    ck_assert_uint_eq(mapping->evidence_count, 6);
    const bst_machine *machine = mapping->machine;
    const bst_evidence *e = mapping->evidence;
    static const bst_evidence_kind kinds[] = {BST_EVIDENCE_CREATION, BST_EVIDENCE_EVENT,
                                              BST_EVIDENCE_EVENT,    BST_EVIDENCE_STATE,
                                              BST_EVIDENCE_COUNT,    BST_EVIDENCE_LAST_CHANGE};
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        ck_assert_int_eq(e[i].kind, kinds[i]);
        for (uint32_t t = 0; t < machine->transition_count; t++) {
            const bst_transition *at = &machine->transitions[t];
            const bool expected[] = {at->from == BST_NONE,
                                     at->event == bst_machine_event(machine, "PaymentAuthorized"),
                                     at->event == bst_machine_event(machine, "PaymentCaptured"),
                                     at->to == 2 || at->to == 3,
                                     true,
                                     true};
            ck_assert_int_eq(e[i].transitions[t], expected[i]);
        }
    }
    ck_assert_str_eq(e[0].label, "payments.created_at");
    ck_assert_int_eq(e[0].occurrence, BST_OCCURRENCE_ONLY);
    ck_assert_int_eq(e[1].occurrence, BST_OCCURRENCE_FIRST);
    ck_assert_int_eq(e[1].absent_is_never, false);
    ck_assert_uint_eq(e[1].payload_count, 1);
    ck_assert_int_eq(e[2].occurrence, BST_OCCURRENCE_LAST);
    ck_assert_int_eq(e[2].absent_is_never, true);
    ck_assert_ptr_nonnull(e[2].when);
    ck_assert_str_eq(mapping->source.columns[e[3].column].sql, "coalesce(a, b)");
    ck_assert_int_eq(e[4].relation, BST_AT_MOST);
    ck_assert_int_eq(e[5].exact, true);
    /* pending: authorize 0.8; what is left goes to fail and to staying */
    ck_assert_double_eq_tol(mapping->weights.weight[machine->states[0].first_transition], 0.8,
                            1e-9);
    ck_assert_double_eq_tol(mapping->weights.weight[machine->states[0].first_transition + 1], 0.1,
                            1e-9);
}
END_TEST

static const struct {
    const char *text, *findings;
} bad[] = {
    {"{ 'machine': 'm.fsm.json', 'sorce': {} }", "1:1 missing-key; 1:28 unknown-key"},
    {"{ 'machine': 'none.fsm.json', 'source': " SOURCE ", 'state': " STATE " }", "0:0 file-read"},
    /* source */
    {MAPPING("{ 'key': 'id' }", STATE, FIELDS, EVIDENCE, ""), "2:11 missing-key"},
    {MAPPING("{ 'table': 'p' }", STATE, FIELDS, EVIDENCE, ""), "2:11 missing-key"},
    {MAPPING("{ 'table': 'p', 'key': [] }", STATE, FIELDS, EVIDENCE, ""), "2:34 missing-key"},
    {MAPPING("{ 'table': 'p', 'key': ['a', 'a'] }", STATE, FIELDS, EVIDENCE, ""),
     "2:34 duplicate-name"},
    {MAPPING("{ 'table': 7, 'key': 'id' }", STATE, FIELDS, EVIDENCE, ""), "2:22 wrong-type"},
    {MAPPING("{ 'table': 'p', 'key': 'id', 'zone': 'Mars/Olympus' }", STATE, FIELDS, EVIDENCE, ""),
     "2:48 unknown-zone"},
    {MAPPING("{ 'table': 'p', 'key': 'id', 'columns': { 'a': 'itn4' } }", STATE, FIELDS, EVIDENCE,
             ""),
     "2:58 bad-type"},
    {MAPPING("{ 'table': 'p', 'key': 'id', 'columns': { 'created_at': 'int4' } }", STATE, FIELDS,
             EVIDENCE, ""),
     "5:29 type-mismatch"},
    /* state */
    {MAPPING(SOURCE, "{ 'column': 'status' }", FIELDS, EVIDENCE, ""), "3:10 missing-key"},
    {MAPPING(SOURCE, "{ 'column': 's', 'sql': 's', 'values': { 'N': 'pending' } }", FIELDS,
             EVIDENCE, ""),
     "3:27 unknown-key"},
    {MAPPING(SOURCE, "{ 'column': '', 'values': { 'N': 'pending' } }", FIELDS, EVIDENCE, ""),
     "3:22 empty-name"},
    {MAPPING(SOURCE, "{ 'column': 'status', 'values': {} }", FIELDS, EVIDENCE, ""),
     "3:42 missing-key"},
    {MAPPING(SOURCE, "{ 'column': 'status', 'values': { 'N': 'pendign', 'A': 1 } }", FIELDS,
             EVIDENCE, ""),
     "3:49 unknown-state; 3:65 wrong-type"},
    /* fields */
    {MAPPING(SOURCE, STATE, "{ 'amuont': 'amount' }", EVIDENCE, ""), "4:13 unknown-field"},
    {MAPPING(SOURCE, STATE, "{ 'amount': 7 }", EVIDENCE, ""), "4:23 bad-value-source"},
    {MAPPING(SOURCE, STATE, "{ 'amount': { 'colum': 'a' } }", EVIDENCE, ""),
     "4:23 bad-value-source"},
    {MAPPING(SOURCE, STATE, "{ 'amount': { 'column': 'a', 'scale': 19 } }", EVIDENCE, ""),
     "4:49 bad-scale"},
    {MAPPING(SOURCE, STATE, "{ 'currency': { 'column': 'a', 'scale': 2 } }", EVIDENCE, ""),
     "4:42 bad-scale"},
    {MAPPING(SOURCE, STATE, "{ 'amount': { 'column': 'a', 'default': '1.234' } }", EVIDENCE, ""),
     "4:51 bad-default"},
    {MAPPING(SOURCE, STATE, "{ 'amount': { 'column': 'a', 'zone': 'UTC' } }", EVIDENCE, ""),
     "4:40 bad-zone"},
    {MAPPING(SOURCE, STATE, "{ 'failure_reason': { 'cel': 'a +' } }", EVIDENCE, ""),
     "4:44 expr-syntax"},
    /* evidence */
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'at': 'a' } ]", ""), "5:15 bad-evidence"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ 7 ]", ""), "5:15 wrong-type"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'event': '*', 'state': 'failed', 'at': 'a' } ]", ""),
     "5:15 bad-evidence"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'event': 'PaymentFailed' } ]", ""), "5:15 bad-evidence"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'event': 'PaymentFailed', 'at': 'a', 'count': 'b' } ]",
             ""),
     "5:15 bad-evidence"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'event': 'PaymentFaild', 'at': 'a' } ]", ""),
     "5:26 unknown-event"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'state': ['failed', 'gone'], 'at': 'a' } ]", ""),
     "5:37 unknown-state"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'creation': 'a', 'absent': 'never' } ]", ""),
     "5:34 unknown-key"},
    {MAPPING(SOURCE, STATE, FIELDS,
             "[ { 'event': 'PaymentFailed', 'at': 'a', 'occurrence': 'lsat' } ]", ""),
     "5:68 unknown-word"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'event': '*', 'count': 'n', 'relation': 'least' } ]", ""),
     "5:57 unknown-word"},
    {MAPPING(SOURCE, STATE, FIELDS,
             "[ { 'event': 'PaymentCaptured', 'at': 'a', 'fields': { 'amout': 'b' } } ]", ""),
     "5:68 unknown-field"},
    {MAPPING(SOURCE, STATE, FIELDS,
             "[ { 'state': 'captured', 'at': 'a', 'fields': { 'amount': { 'cel': '1 +' } } } ]",
             ""),
     "5:84 expr-syntax"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'creation': { 'cel': 'a' } } ]", ""),
     "5:29 bad-value-source"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'last_change': 'a', 'exact': 1 } ]", ""),
     "5:46 wrong-type"},
    {MAPPING(SOURCE, STATE, FIELDS, "[ { 'creation': 'a', 'when': 'b == 1' } ]", ""),
     "5:45 type-mismatch"},
    /* the rest */
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'log': { 'table': 't', 'entity': 'id', 'to': 's' }"),
     "6:8 missing-key"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE, ",\n'log': { 'table': 't', 'use': 'learn' }"),
     "6:8 missing-key; 6:8 missing-key"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'log': { 'table': 't', 'preset': 'statemans', 'entity': 'id', 'use': 'learn' }"),
     "6:8 missing-key; 6:34 unknown-word"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'log': { 'table': 't', 'preset': 'statesman', 'use': 'learn', 'form': 's' }"),
     "6:8 missing-key; 6:63 unknown-key"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE, ",\n'commands': { 'captuer': 'shop.capture' }"),
     "6:15 unknown-command"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE, ",\n'commands': { 'capture': '' }"),
     "6:26 empty-name"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'commands': { 'capture': { 'function': 'f', 'arguments': [ 'amount' ] } }"),
     "6:60 unknown-field"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE, ",\n'commands': { 'capture': { 'arguments': [] } }"),
     "6:26 missing-key"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE, ",\n'probabilities': 'p.json'"), "0:0 file-read"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'probabilities': { 'pnding': {}, 'pending': { 'authorise': 1, 'capture': 1 } }"),
     "6:20 unknown-state; 6:47 unknown-command; 6:63 no-transition"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'probabilities': { 'pending': { 'authorize': 0.8, 'fail': 0.3 } }"),
     "6:31 bad-probability"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'policy': { 'contradiction': 'genesis',"
             " 'residual': 'reconcile', 'ambiguous': 'x' }"),
     "6:30 missing-event; 6:53 missing-event; 6:79 unknown-word"},
    {MAPPING(SOURCE, STATE, FIELDS, EVIDENCE,
             ",\n'policy': { 'contradiction': ['genesis', 'relax'], 'residual': [3, 'relax'] }"),
     "6:31 missing-event; 6:42 bad-policy; 6:65 wrong-type; 6:68 unknown-word"},
    /* several at once, and none of them twice */
    {MAPPING("{ 'tabel': 'p', 'key': 'id' }", "{ 'column': 'status', 'values': { 'N': 'x' } }",
             "{ 'y': 'a' }", "[ { 'event': 'Z', 'at': 'a' } ]", ", 'w': 1"),
     "2:13 unknown-key; 3:49 unknown-state; 4:13 unknown-field; "
     "5:26 unknown-event; 5:46 unknown-key"},
};

START_TEST(bad_mapping) {
    ck_assert_int_ne(load(bad[_i].text), BST_OK);
    check_findings(bad[_i].findings);
}
END_TEST

START_TEST(suggestions) {
    load(MAPPING(SOURCE, "{ 'column': 'status', 'values': { 'N': 'pendign' } }",
                 "{ 'amuont': 'amount' }", "[ { 'event': 'PaymentFaild', 'at': 'a' } ]", ""));
    static const char *const hints[] = {"Did you mean \"pending\"?", "Did you mean \"amount\"?",
                                        "Did you mean \"PaymentFailed\"?"};
    bst_diags_sort(diags);
    ck_assert_uint_eq(bst_diags_count(diags), 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(bst_diags_at(diags, i)->hint, hints[i]);
    }
}
END_TEST

START_TEST(bad_machine_and_bad_mapping) {
    scratch_write(&s, "m.fsm.json", "{ 'id': 'payment' }", 1);
    ck_assert_int_ne(load(MAPPING("{ 'key': 'id' }", STATE, FIELDS, EVIDENCE, "")), BST_OK);
    bst_diags_sort(diags);
    bool machine = false;
    bool other = false;
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        const bst_diag *diag = bst_diags_at(diags, i);
        machine = machine || strstr(diag->file, "m.fsm.json") != NULL;
        other = other || (strstr(diag->file, "m.legacy.json") != NULL && diag->line == 2);
    }
    ck_assert(machine && other);
}
END_TEST

START_TEST(warnings) {
    ck_assert_int_eq(
        load(MAPPING(SOURCE, "{ 'column': 'status', 'values': { 'N': 'pending' } }",
                     "{ 'amount': 'amount' }", "[ { 'event': '*', 'count': 'n' } ]", "")),
        BST_OK);
    ck_assert_int_eq(bst_mapping_check(mapping, diags), BST_OK);
    check_findings("3:42 state-without-code; 3:42 state-without-code; 3:42 state-without-code; "
                   "4:11 unmapped-field; 4:11 unmapped-field; 4:11 unmapped-field; "
                   "4:11 unmapped-field; 5:13 unsupplied-payload; 5:13 unsupplied-payload; "
                   "5:13 no-times");
    ck_assert_uint_eq(bst_diags_count_of(diags, BST_WARNING), bst_diags_count(diags));
}
END_TEST

/* Its only fault: a row without authorized_at may have been authorized all the same. */
START_TEST(unknown_absence) {
    ck_assert_int_eq(load(good), BST_OK);
    ck_assert_int_eq(bst_mapping_check(mapping, diags), BST_OK);
    check_findings("3:96 ambiguous-history");
}
END_TEST

START_TEST(indistinct_events) {
    scratch_write(&s, "m.fsm.json",
                  "{ 'id': 'm', 'fields': {}, 'initial': 'a', 'states': { 'a': { 'on': {"
                  " 'cancel': 'z', 'expire': 'z' } }, 'z': { 'type': 'final' } } }",
                  1);
    static const char state[] = "{ 'machine': 'm.fsm.json',\n'source': " SOURCE
                                ",\n'state': { 'column': 's', 'values': { 'a': 'a', 'z': 'z' } },"
                                "\n'evidence': [ { 'creation': 'c' }%s ] }";
    char text[1000];
    snprintf(text, sizeof text, state, "");
    ck_assert_int_eq(load(text), BST_OK);
    ck_assert_int_eq(bst_mapping_check(mapping, diags), BST_OK);
    check_findings("4:13 indistinct-events");
    mapping = bst_mapping_free(mapping);
    bst_diags_clear(diags);
    snprintf(text, sizeof text, state, ", { 'event': 'MExpired', 'at': 'e' }");
    ck_assert_int_eq(load(text), BST_OK);
    ck_assert_int_eq(bst_mapping_check(mapping, diags), BST_OK);
    check_findings("");
}
END_TEST

Suite *test_migrate_mapping_suite(void) {
    Suite *suite = suite_create("migrate mapping");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, good_mapping);
    tcase_add_test(tcase, nested_states);
    tcase_add_test(tcase, regions_in_regions);
    tcase_add_test(tcase, names_in_expressions);
    tcase_add_test(tcase, good_evidence);
    tcase_add_loop_test(tcase, bad_mapping, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tcase, suggestions);
    tcase_add_test(tcase, bad_machine_and_bad_mapping);
    tcase_add_test(tcase, warnings);
    tcase_add_test(tcase, unknown_absence);
    tcase_add_test(tcase, indistinct_events);
    suite_add_tcase(suite, tcase);
    return suite;
}
