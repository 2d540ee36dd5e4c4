/* Rows into histories, or into quarantine: each case is a row of a CSV file and what becomes of
 * it. */
#include "synth_fixture.h"

static const char machine_text[] =
    "{ 'id': 'payment',"
    "  'fields': { 'amount': { 'type': 'decimal(8,2)' },"
    "              'captured': { 'type': 'decimal(8,2)', 'default': '0.00' },"
    "              'refunded': { 'type': 'decimal(8,2)', 'default': '0.00' },"
    "              'reason': { 'type': 'text?' } },"
    "  'events': {"
    "    'PaymentCreated': { 'fields': { 'amount': 'decimal(8,2)' } },"
    "    'PaymentAuthorized': {},"
    "    'PaymentCaptured': { 'fields': { 'amount': 'decimal(8,2)' },"
    "      'apply': { 'amount': 'amount', 'captured': 'captured + event.amount' } },"
    "    'PaymentRefunded': { 'fields': { 'amount': 'decimal(8,2)' },"
    "      'apply': { 'amount': 'amount', 'refunded': 'refunded + event.amount' } },"
    "    'PaymentFailed': { 'fields': { 'reason': 'text' } } },"
    "  'guards': { 'within': 'captured + command.amount <= amount',"
    "              'in_full': 'refunded + command.amount == captured' },"
    "  'initial': 'pending',"
    "  'states': {"
    "    'pending': { 'on': { 'authorize': 'authorized', 'fail': 'failed' } },"
    "    'authorized': { 'on': { 'capture': { 'target': 'captured', 'guard': 'within' },"
    "                            'fail': 'failed', 'void': 'voided' } },"
    "    'captured': { 'on': { 'refund': [ { 'target': 'refunded', 'guard': 'in_full' },"
    "                                      { 'target': 'captured' } ] } },"
    "    'refunded': { 'type': 'final' }, 'failed': { 'type': 'final' },"
    "    'voided': { 'type': 'final' } } }";

static const char mapping_text[] =
    "{ 'machine': 'm.fsm.json',"
    "  'source': { 'table': 'payments', 'key': 'id', 'where': 'gone IS NULL',"
    "              'zone': 'Europe/Copenhagen' },"
    "  'state': { 'column': 'status', 'values': { 'N': 'pending', 'A': 'authorized',"
    "    'C': 'captured', 'R': 'refunded', 'F': 'failed', 'V': 'voided' } },"
    "  'fields': { 'amount': 'amount',"
    "    'captured': { 'column': 'captured_cents', 'scale': 2, 'default': '0.00' },"
    "    'refunded': { 'column': 'refunded', 'default': '0.00' },"
    "    'reason': { 'cel': 'has(error) ? error : null' } },"
    "  'evidence': ["
    "    { 'creation': 'created' },"
    "    { 'event': 'PaymentAuthorized', 'at': 'authorized', 'absent': 'unknown' },"
    "    { 'event': 'PaymentCaptured', 'at': 'captured',"
    "      'fields': { 'amount': { 'column': 'captured_cents', 'scale': 2 } } },"
    "    { 'event': 'PaymentRefunded', 'at': 'refunded_at', 'fields': { 'amount': 'refunded' } },"
    "    { 'event': 'PaymentRefunded', 'count': 'refunds' },"
    "    { 'state': ['failed', 'voided'], 'at': 'closed', 'when': 'status != \\'A\\'' },"
    "    { 'last_change': 'changed' } ] }";

static const char header[] = "id,gone,status,amount,captured_cents,refunded,error,created,"
                             "authorized,captured,refunded_at,refunds,closed,changed\n";

static void setup(void) {
    synth_setup(machine_text);
}

static void synthesize(const char *rows, bst_strbuf *out) {
    synthesize_table(header, rows, out);
}

#define T8  "2021-03-02 08:00Z"
#define T9  "2021-03-02 09:00Z"
#define T10 "2021-03-02 10:00Z"
#define T11 "2021-03-02 11:00Z"
#define T12 "2021-03-02 12:00Z"

typedef struct row_case {
    const char *row, *result;
} row_case;

static const row_case cases[] = {
    {"1,,N,10.00,,,," T8 ",,,,0,," T8, "Created 03-02T08:00:00Z recorded 10.00; certain"},
    {"1,,C,10.00,1000,,," T8 "," T9 "," T10 ",,0,," T12,
     "Created 03-02T08:00:00Z recorded 10.00; Authorized 03-02T09:00:00Z recorded; Captured "
     "03-02T10:00:00Z recorded 10.00; certain"},
    {"1,,C,10.00,1000,,," T8 ",," T10 ",,0,," T12,
     "Created 03-02T08:00:00Z recorded 10.00; Authorized 03-02T09:00:00Z "
     "[2021-03-02T08:00:00Z 2021-03-02T10:00:00Z] implied; Captured 03-02T10:00:00Z "
     "recorded 10.00; certain"},
    {"1,,R,10.00,1000,10.00,," T8 ",,,,1,," T12,
     "contradiction: captured is NULL, but every path to state \"refunded\" has "
     "PaymentCaptured <captured>"},
    {"1,,R,10.00,1000,10.00,," T8 "," T9 "," T10 "," T11 ",1,," T12,
     "Created 03-02T08:00:00Z recorded 10.00; Authorized 03-02T09:00:00Z recorded; Captured "
     "03-02T10:00:00Z recorded 10.00; Refunded 03-02T11:00:00Z recorded 10.00; certain"},
    {"1,,R,10.00,1000,10.00,," T8 "," T9 "," T10 "," T11 ",1,,",
     "Created 03-02T08:00:00Z recorded 10.00; Authorized 03-02T09:00:00Z recorded; Captured "
     "03-02T10:00:00Z recorded 10.00; Refunded 03-02T11:00:00Z recorded 10.00; certain"},
    {"1,,F,10.00,,,no funds," T8 ",,,,0," T9 "," T12,
     "Created 03-02T08:00:00Z recorded 10.00; Failed 03-02T09:00:00Z recorded no funds; "
     "likely"},
    {"1,,F,10.00,,,no funds,," T9 ",,,0," T10 "," T12,
     "Created 03-02T09:00:00Z [-infinity 2021-03-02T09:00:00Z] implied 10.00; Authorized "
     "03-02T09:00:00Z recorded; Failed 03-02T10:00:00Z recorded no funds; certain"},
    {"1,,V,10.00,,,," T8 "," T9 ",,,0," T9 "," T12,
     "Created 03-02T08:00:00Z recorded 10.00; Authorized 03-02T09:00:00Z recorded; Voided "
     "03-02T09:00:00Z recorded; certain"},
    {"1,,C,10.00,1000,4.00,," T8 "," T9 "," T10 "," T11 ",1,," T12,
     "Created 03-02T08:00:00Z recorded 10.00; Authorized 03-02T09:00:00Z recorded; Captured "
     "03-02T10:00:00Z recorded 10.00; Refunded 03-02T11:00:00Z recorded 4.00; certain"},
    {"1," T9 ",C,oops,,,,,,,,0,,", "out of scope"},
    {",,N,10.00,,,," T8 ",,,,0,," T8, "null-key: the key (id) is NULL"},
    {"1,,N,10.00,,,," T8 ",,,,0,," T8 "\n1,,A,10.00,,,," T8 "," T9 ",,,0,," T9,
     "duplicate-key: another row has the same key (id)\nduplicate-key: another row has the "
     "same key (id)"},
    {"1,,X,10.00,,,," T8 ",,,,0,," T8,
     "unknown-state: status \"X\" is no state that the mapping knows <status>"},
    {"1,,,10.00,,,," T8 ",,,,0,," T8, "unknown-state: status is NULL <status>"},
    {"1,,N,ten,,,," T8 ",,,,0,," T8,
     "bad-value: amount \"ten\" cannot be read as decimal(8,2): it does not have the form "
     "of its type <amount>"},
    {"1,,N,10.005,,,," T8 ",,,,0,," T8,
     "bad-value: amount \"10.005\" cannot be read as decimal(8,2): it has more digits than "
     "its type can hold <amount>"},
    {"1,,N,,,,," T8 ",,,,0,," T8,
     "missing-value: amount is NULL, but field \"amount\" must have a value <amount>"},
    {"1,,F,10.00,,,," T8 ",,,,0," T9 "," T12,
     "missing-value: error is NULL, but event 2, PaymentFailed, must have \"reason\"; the "
     "other history does not fit either <error>"},
    {"1,,N,10.00,,,,,,,,0,,",
     "missing-value: no column says when anything happened: NULL in created, authorized, "
     "captured, refunded_at, closed, changed <created authorized captured refunded_at "
     "closed changed>"},
    {"1,,N,10.00,,,,infinity,,,,0,," T8,
     "not-finite-time: created is infinity: nothing happens then <created>"},
    {"1,,N,10.00,,,,2021-03-28 02:30,,,,0,," T8,
     "ambiguous-local-time: created \"2021-03-28 02:30\" is a local time that the clocks of "
     "its zone skipped or showed twice <created>"},
    {"1,,N,10.00,,,,2021-02-30 02:30,,,,0,," T8,
     "bad-value: created \"2021-02-30 02:30\" cannot be read as timestamptz: it is out of "
     "range <created>"},
    {"1,,C,10.00,1000,,," T8 "," T9 "," T10 ",,-1,," T12,
     "bad-count: refunds -1 cannot be a number of events <refunds>"},
    {"1,,C,10.00,1000,,," T8 "," T9 "," T10 ",,99999,," T12,
     "bad-count: refunds 99999 cannot be a number of events <refunds>"},
    {"1,,C,10.00,1000,,," T8 "," T9 "," T10 ",,99999999999999999999,," T12,
     "bad-count: refunds \"99999999999999999999\" cannot be read as int8: it is out of "
     "range <refunds>"},
    {"1,,A,10.00,,,," T9 "," T8 ",,,0,," T12,
     "before-creation: authorized 2021-03-02T08:00:00Z is before created "
     "2021-03-02T09:00:00Z, when the entity was created; holds if created or authorized is "
     "ignored <authorized created>"},
    {"1,,A,10.00,,,," T8 "," T10 ",,,0,," T9,
     "after-last-change: authorized 2021-03-02T10:00:00Z is after changed "
     "2021-03-02T09:00:00Z, the last change; holds if changed or authorized is ignored "
     "<authorized changed>"},
    {"1,,C,10.00,1000,,," T8 "," T10 "," T9 ",,0,," T12,
     "contradiction: captured 2021-03-02T09:00:00Z is before authorized "
     "2021-03-02T10:00:00Z, and no path to state \"captured\" has PaymentCaptured before "
     "PaymentAuthorized; holds if authorized or captured is ignored <authorized captured>"},
    {"1,,C,10.00,,,," T8 "," T9 ",,,0,," T12,
     "contradiction: captured is NULL, but every path to state \"captured\" has "
     "PaymentCaptured; holds if captured is ignored <captured>"},
    {"1,,N,10.00,,,," T8 "," T9 ",,,0,," T12,
     "contradiction: authorized 2021-03-02T09:00:00Z is set, but no path to state "
     "\"pending\" has PaymentAuthorized; holds if authorized is ignored <authorized>"},
    {"1,,C,10.00,1000,,," T8 "," T9 "," T10 ",,2,," T12,
     "contradiction: refunded_at is NULL and refunds is 2 cannot hold together: no path to "
     "state \"captured\" agrees with all; holds if refunds or refunded_at is ignored "
     "<refunded_at refunds>"},
    {"1,,R,10.00,1000,10.00,," T8 "," T9 "," T10 "," T11 ",0,," T12,
     "contradiction: refunds is 0, and no path to state \"refunded\" has PaymentRefunded 0 "
     "times; holds if refunds is ignored <refunds>"},
    {"1,,F,10.00,1000,,e," T8 "," T9 "," T10 ",,0," T11 "," T12,
     "contradiction: captured 2021-03-02T10:00:00Z is set, but no path to state \"failed\" "
     "has PaymentCaptured; holds if captured is ignored <captured>"},
    {"1,,C,10.00,1200,,," T8 "," T9 "," T10 ",,0,," T12,
     "guard-refused: in the only possible history (created, authorized, captured) guard "
     "\"within\" (captured + command.amount <= amount) does not hold for event 3, "
     "PaymentCaptured <captured_cents amount>"},
    {"1,,R,10.00,1000,4.00,," T8 "," T9 "," T10 "," T11 ",1,," T12,
     "guard-refused: in the only possible history (created, authorized, captured, refunded) "
     "guard \"in_full\" (refunded + command.amount == captured) does not hold for event 4, "
     "PaymentRefunded <refunded captured_cents>"},
    {"1,,C,10.00,1000,10.00,," T8 "," T9 "," T10 "," T11 ",1,," T12,
     "guard-refused: in the only possible history (created, authorized, captured, refunded) "
     "guard \"in_full\" (refunded + command.amount == captured) holds for event 4, "
     "PaymentRefunded: it would have led to state \"refunded\", not to \"captured\" "
     "<refunded captured_cents>"},
    {"1,,C,10.00,1000,5.00,," T8 "," T9 "," T10 ",,0,," T12,
     "fold-differs: in the only possible history (created, authorized, captured) the events "
     "give refunded \"0.00\", but the row has \"5.00\" <refunded>"},
    {"1,,C,999999.99,99999999,600000.00,," T8 "," T9 "," T10 "," T11 ",2,," T12,
     "undivided-sum: in the only possible history (created, authorized, captured, refunded, "
     "refunded) 2 events add up to refunded \"600000.00\", and no column tells \"amount\" of 2 of "
     "them, such as event 5, PaymentRefunded; holds if \"amount\" of PaymentRefunded is optional "
     "and the policy for residues is reconcile <refunded>"},
    {"1,,N,10.00,,,why," T8 ",,,,0,," T12,
     "fold-differs: in the only possible history (created) the events give reason NULL, but "
     "the row has \"why\" <error>"},
};

START_TEST(one_row) {
    bst_strbuf result = BST_STRBUF_INIT;
    load(mapping_text);
    synthesize(cases[_i].row, &result);
    ck_assert_str_eq(result.text, cases[_i].result);
    bst_strbuf_release(&result);
}
END_TEST

/* ---- what needs another mapping ---- */

#define SOURCE "'machine': 'm.fsm.json', 'source': { 'table': 'payments', 'key': 'id' },"
#define STATE                                                                                      \
    "'state': { 'column': 'status', 'values': { 'N': 'pending', 'F': 'failed', 'C': 'captured' } " \
    "},"

static void check_rows(const char *machine, const char *text, const char *rows,
                       const char *expected) {
    bst_strbuf result = BST_STRBUF_INIT;
    if (machine) {
        scratch_write(&s, "m.fsm.json", machine, 1);
    }
    load(text);
    synthesize(rows, &result);
    ck_assert_str_eq(result.text, expected);
    bst_strbuf_release(&result);
}

START_TEST(ambiguous_by_policy) {
    check_rows(NULL,
               "{" SOURCE STATE "'fields': { 'amount': 'amount' },"
               "'evidence': [ { 'creation': 'created' }, { 'state': 'failed', 'at': 'closed',"
               " 'fields': { 'reason': 'status' } } ],"
               "'policy': { 'ambiguous': 'quarantine' } }",
               "1,,F,10.00,,,," T8 ",,,,," T9 ",",
               "ambiguous: several histories are possible: created, failed (0.89); created, "
               "authorized, failed (0.11)");
}
END_TEST

START_TEST(too_ambiguous) {
    check_rows(
        "{ 'id': 'payment', 'fields': {}, 'initial': 'pending', 'states': {"
        " 'pending': { 'on': { 'a': 'pending', 'b': 'pending', 'c': 'pending',"
        " 'fail': 'failed' } }, 'failed': {}, 'captured': {} } }",
        "{" SOURCE STATE "'evidence': [ { 'creation': 'created' },"
        "{ 'event': 'PaymentAed', 'count': 'amount' },"
        "{ 'event': 'PaymentBed', 'count': 'captured_cents' },"
        "{ 'event': 'PaymentCed', 'count': 'refunds' } ] }",
        "1,,F,3000,3000,,," T8 ",,,,3000,,",
        "too-ambiguous: so many paths lead to state \"failed\" that the search was given up");
}
END_TEST

START_TEST(too_ambiguous_by_policy) {
    check_rows(
        "{ 'id': 'payment', 'fields': { 'amount': 'decimal(8,2)?' },"
        " 'events': { 'PaymentImported': { 'builtin': 'genesis' } },"
        " 'initial': 'pending', 'states': {"
        " 'pending': { 'on': { 'a': 'pending', 'b': 'pending', 'c': 'pending',"
        " 'fail': 'failed' } }, 'failed': {}, 'captured': {} } }",
        "{" SOURCE STATE "'fields': { 'amount': { 'column': 'captured_cents', 'scale': 2 } },"
        "'evidence': [ { 'creation': 'created' },"
        "{ 'event': 'PaymentAed', 'count': 'amount' },"
        "{ 'event': 'PaymentBed', 'count': 'captured_cents' },"
        "{ 'event': 'PaymentCed', 'count': 'refunds' } ],"
        "'policy': { 'too_ambiguous': 'genesis' } }",
        "1,,F,3000,3000,,," T8 ",,,,3000,,",
        "Imported 03-02T08:00:00Z [2021-03-02T08:00:00Z infinity] assumed 30.00; likely, genesis "
        "<- too-ambiguous");
}
END_TEST

START_TEST(overflow) {
    check_rows(
        NULL,
        "{ 'machine': 'm.fsm.json', 'source': { 'table': 'payments', 'key': 'id',"
        " 'columns': { 'refunds': 'int8' } }," STATE
        "'fields': { 'amount': { 'cel': 'refunds * 9223372036854775807 > 0 ? 1.00 : 2.00' } },"
        "'evidence': [ { 'creation': 'created' } ] }",
        "1,,N,,,,," T8 ",,,,1,,\n2,,N,,,,," T8 ",,,,2,,\n3,,N,,,,," T8 ",,,,,,",
        "Created 03-02T08:00:00Z recorded 1.00; certain\n"
        "overflow: the expression refunds * 9223372036854775807 > 0 ? 1.00 : 2.00 leaves its range "
        "<refunds>\n"
        "missing-value: refunds is NULL, but the mapping declares that it never is <refunds>");
}
END_TEST

/* Three implied steps between two times, one after the last with and without an upper bound. */
START_TEST(times_between) {
    static const char machine[] =
        "{ 'id': 'payment', 'fields': {}, 'initial': 'pending', 'states': {"
        " 'pending': { 'on': { 'a': 'x' } }, 'x': { 'on': { 'b': 'y' } },"
        " 'y': { 'on': { 'capture': 'captured' } }, 'captured': { 'on': { 'fail': 'failed' } },"
        " 'failed': {} } }";
    static const char text[] =
        "{" SOURCE STATE "'evidence': [ { 'creation': 'created' },"
        "{ 'event': 'PaymentCaptured', 'at': 'captured', 'absent': 'unknown' },"
        "{ 'last_change': 'changed' } ] }";
    check_rows(
        machine, text,
        "1,,F,,,,,2021-03-02 08:00:00.000001Z,,2021-03-02 08:00:00.000009Z,,,,2021-03-02 08:01Z\n"
        "2,,F,,,,," T8 ",," T9 ",,,,\n"
        "3,,F,,,,,,,,,,," T9 "\n"
        "4,,C,,,,," T8 ",," T8 ",,,," T8,
        "Created 03-02T08:00:00.000001Z recorded; "
        "Aed 03-02T08:00:00.000003Z [2021-03-02T08:00:00.000001Z 2021-03-02T08:00:00.000009Z] "
        "implied; "
        "Bed 03-02T08:00:00.000006Z [2021-03-02T08:00:00.000001Z 2021-03-02T08:00:00.000009Z] "
        "implied; "
        "Captured 03-02T08:00:00.000009Z recorded; "
        "Failed 03-02T08:00:30.000004Z [2021-03-02T08:00:00.000009Z 2021-03-02T08:01:00Z] implied; "
        "certain\n"
        "Created 03-02T08:00:00Z recorded; "
        "Aed 03-02T08:20:00Z [2021-03-02T08:00:00Z 2021-03-02T09:00:00Z] implied; "
        "Bed 03-02T08:40:00Z [2021-03-02T08:00:00Z 2021-03-02T09:00:00Z] implied; "
        "Captured 03-02T09:00:00Z recorded; "
        "Failed 03-02T09:00:00Z [2021-03-02T09:00:00Z infinity] implied; certain\n"
        "Created 03-02T09:00:00Z [-infinity 2021-03-02T09:00:00Z] implied; "
        "Aed 03-02T09:00:00Z [-infinity 2021-03-02T09:00:00Z] implied; "
        "Bed 03-02T09:00:00Z [-infinity 2021-03-02T09:00:00Z] implied; "
        "Captured 03-02T09:00:00Z [-infinity 2021-03-02T09:00:00Z] implied; "
        "Failed 03-02T09:00:00Z [-infinity 2021-03-02T09:00:00Z] implied; certain\n"
        "Created 03-02T08:00:00Z recorded; "
        "Aed 03-02T08:00:00Z [2021-03-02T08:00:00Z 2021-03-02T08:00:00Z] implied; "
        "Bed 03-02T08:00:00Z [2021-03-02T08:00:00Z 2021-03-02T08:00:00Z] implied; "
        "Captured 03-02T08:00:00Z recorded; certain");
}
END_TEST

START_TEST(signatures) {
    bst_strbuf result = BST_STRBUF_INIT;
    load(mapping_text);
    synthesize("1,,N,10.00,,,," T8 ",,,,0,," T8 "\n"
               "2,,A,10.00,,,," T8 "," T9 ",,,0,," T9 "\n"
               "3,,A,11.00,,,," T9 "," T11 ",,,0,," T12 "\n"
               "4,,C,10.00,1000,,," T8 "," T10 "," T9 ",,0,," T12 "\n"
               "5,,C,10.00,1000,,," T8 "," T9 "," T9 ",,0,," T12 "\n"
               "6,,A,10.00,,,," T8 "," T9 ",,,0,," T8 "\n",
               &result);
    bst_signature_info info[8];
    size_t count = bst_synth_signature_count(synth);
    ck_assert_uint_eq(count, 5);
    ck_assert_int_eq(bst_synth_signatures(synth, info, count, diags), BST_OK);
    bst_strbuf_clear(&result);
    for (size_t i = 0; i < count; i++) {
        bst_strbuf_addf(&result, "%u %s %s: %s\n", (unsigned)info[i].rows, info[i].example_key,
                        bst_reason_text(info[i].reason), info[i].text);
        ck_assert_int_eq(info[i].plan != NULL, info[i].reason == BST_REASON_NONE);
        ck_assert_int_eq(info[i].message != NULL, info[i].reason != BST_REASON_NONE);
    }
    ck_assert_str_eq(
        result.text,
        "2 2 none: authorized: created, authorized; never captured, refunded; refunded 0 times; "
        "does not apply: failed|voided\n"
        "1 1 none: pending: created; never captured, refunded, failed|voided; refunded 0 times\n"
        "1 4 contradiction: captured: created, captured, authorized; never refunded, "
        "failed|voided; refunded 0 times\n"
        "1 5 none: captured: created, authorized = captured; never refunded, failed|voided; "
        "refunded 0 times\n"
        "1 6 after-last-change: authorized: created, authorized; never captured, refunded; "
        "refunded 0 times; does not apply: failed|voided; after the last change: authorized\n");
    bst_strbuf_release(&result);
}
END_TEST

START_TEST(reasons_have_codes) {
    for (int i = 0; i < BST_REASON_COUNT; i++) {
        ck_assert_str_ne(bst_reason_text((bst_reason)i), "unknown");
        for (int k = 0; k < i; k++) {
            ck_assert_str_ne(bst_reason_text((bst_reason)i), bst_reason_text((bst_reason)k));
        }
    }
    ck_assert_str_eq(bst_reason_text(BST_REASON_COUNT), "unknown");
}
END_TEST

/* Each code has its section in docs/quarantine.md. */
START_TEST(reasons_are_documented) {
    const char *root = getenv("SOURCE_DIR");
    if (!root) {
        return; /* not started by ctest */
    }
    snprintf(s.path, sizeof s.path, "%s/docs/quarantine.md", root);
    FILE *file = fopen(s.path, "r");
    ck_assert_ptr_nonnull(file);
    char *page = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(page);
    ck_assert_uint_gt(fread(page, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    for (int i = BST_REASON_NONE + 1; i < BST_REASON_COUNT; i++) {
        char title[80];
        snprintf(title, sizeof title, "\n### `%s`\n", bst_reason_text((bst_reason)i));
        ck_assert_msg(strstr(page, title) != NULL, "docs/quarantine.md lacks %s", title);
    }
    free(page);
}
END_TEST

Suite *test_migrate_synth_suite(void) {
    Suite *suite = suite_create("migrate synth");
    TCase *tcase = tcase_create("rows");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, one_row, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, ambiguous_by_policy);
    tcase_add_test(tcase, too_ambiguous);
    tcase_add_test(tcase, too_ambiguous_by_policy);
    tcase_set_timeout(tcase, 60); /* it fills the whole budget */
    tcase_add_test(tcase, overflow);
    tcase_add_test(tcase, times_between);
    tcase_add_test(tcase, signatures);
    tcase_add_test(tcase, reasons_have_codes);
    tcase_add_test(tcase, reasons_are_documented);
    suite_add_tcase(suite, tcase);
    return suite;
}
