/* What the policies of a mapping make of rows whose past is not plain, and amounts that only a sum
 * tells. */
#include "synth_fixture.h"

/* `%s` is the type of the amounts. */
#define MACHINE(amount)                                                                            \
    "{ 'id': 'payment',"                                                                           \
    "  'fields': { 'total': 'decimal(8,2)', 'captured': { 'type': 'decimal(8,2)', 'default': "     \
    "              '0.00' }, 'refunded': { 'type': 'decimal(8,2)', 'default': '0.00' },"           \
    "              'note': 'text?' },"                                                             \
    "  'events': {"                                                                                \
    "    'PaymentCreated': { 'fields': { 'total': 'decimal(8,2)' } },"                             \
    "    'PaymentCaptured': { 'fields': { 'amount': '" amount "' },"                               \
    "      'apply': { 'captured': 'captured + (has(event.amount) ? event.amount : 0)' } },"        \
    "    'PaymentRefunded': { 'fields': { 'amount': '" amount "' },"                               \
    "      'apply': { 'refunded': 'has(event.amount) ? refunded + event.amount : refunded' } },"   \
    "    'PaymentImported': { 'builtin': 'genesis' },"                                             \
    "    'PaymentReconciled': { 'builtin': 'reconcile' } },"                                       \
    "  'initial': 'open', 'states': {"                                                             \
    "    'open': { 'on': { 'capture': 'paid', 'fail': 'failed' } },"                               \
    "    'paid': { 'on': { 'capture': 'paid', 'refund': 'paid', 'settle': 'settled' } },"          \
    "    'settled': {}, 'failed': {} } }"

#define MAPPING(policy)                                                                            \
    "{ 'machine': 'm.fsm.json', 'source': { 'table': 'payments', 'key': 'id', 'zone': 'UTC' },"    \
    "  'state': { 'column': 'status', 'values': { 'O': 'open', 'P': 'paid', 'S': 'settled',"       \
    "             'F': 'failed' } },"                                                              \
    "  'fields': { 'total': 'total', 'captured': 'captured', 'refunded': 'refunded',"              \
    "              'note': 'note' },"                                                              \
    "  'evidence': [ { 'creation': 'created' },"                                                   \
    "    { 'event': 'PaymentCaptured', 'at': 'captured_at',"                                       \
    "      'fields': { 'amount': 'last_capture' } },"                                              \
    "    { 'event': 'PaymentCaptured', 'count': 'captures' },"                                     \
    "    { 'event': 'PaymentRefunded', 'count': 'refunds' },"                                      \
    "    { 'event': 'PaymentSettled', 'at': 'settled_at' },"                                       \
    "    { 'last_change': 'changed' } ], 'policy': { " policy " } }"

static const char header[] = "id,status,total,captured,refunded,note,created,captured_at,"
                             "last_capture,captures,refunds,settled_at,changed\n";

#define T8  "2021-03-02 08:00Z"
#define T9  "2021-03-02 09:00Z"
#define T10 "2021-03-02 10:00Z"
#define T12 "2021-03-02 12:00Z"

static void setup(void) {
    synth_setup(MACHINE("decimal(8,2)"));
}

static void check(const char *machine, const char *policy_text, const char *rows,
                  const char *expected) {
    bst_strbuf result = BST_STRBUF_INIT;
    if (machine) {
        scratch_write(&s, "m.fsm.json", machine, 1);
    }
    load(policy_text);
    synthesize_table(header, rows, &result);
    ck_assert_str_eq(result.text, expected);
    bst_strbuf_release(&result);
}

/* A row that contradicts itself: captured before it was created, under each policy. */
#define CLASH "1,P,10.00,10.00,0.00,x," T9 "," T8 ",10.00,1,0,," T12

START_TEST(genesis_of_a_contradiction) {
    check(NULL, MAPPING("'contradiction': 'genesis'"), CLASH,
          "Imported 03-02T12:00:00Z [2021-03-02T08:00:00Z 2021-03-02T12:00:00Z] assumed 10.00 "
          "10.00 0.00 x; likely, genesis <- before-creation");
}
END_TEST

START_TEST(relax_then_genesis) {
    check(NULL, MAPPING("'contradiction': ['relax', 'genesis']"),
          "1,P,10.00,10.00,0.00,," T9 "," T8 ",10.00,1,0,," T12 "\n2,F,10.00,0.00,0.00,," T8 "," T9
          ",,1,0," T10 "," T12 "\n3,F,10.00,3.00,0.00,," T8 ",,,0,0,,",
          "Created 03-02T08:00:00Z [-infinity 2021-03-02T08:00:00Z] assumed 10.00; "
          "Captured 03-02T08:00:00Z recorded 10.00; likely, relaxed <- before-creation\n"
          "Imported 03-02T12:00:00Z [2021-03-02T08:00:00Z 2021-03-02T12:00:00Z] assumed 10.00 "
          "0.00 0.00 ; likely, genesis <- contradiction\n"
          "fold-differs: in the only possible history (created, failed) the events give captured "
          "\"0.00\", but the row has \"3.00\" <captured>");
}
END_TEST

/* Before its creation and after its last change: ignoring one of the columns mends only one of it,
 * so no repair is told, and none is made. */
START_TEST(relax_mends_all_or_nothing) {
    check(NULL, MAPPING("'contradiction': 'relax'"),
          "1,P,10.00,10.00,0.00,," T9 "," T8 ",10.00,1,0,,2021-03-02 07:00Z",
          "before-creation: captured_at 2021-03-02T08:00:00Z is before created "
          "2021-03-02T09:00:00Z, when the entity was created <captured_at created>");
}
END_TEST

/* Nothing is imported whose time, key, state or values are not known. */
START_TEST(genesis_is_no_excuse) {
    check(NULL, MAPPING("'contradiction': 'genesis', 'residual': 'genesis'"),
          "1,X,10.00,0.00,0.00,," T8 ",,,0,0,,\n2,F,ten,0.00,0.00,," T8 ",,,0,0,,\n"
          "3,S,10.00,0.00,0.00,,,,,0,0,,",
          "unknown-state: status \"X\" is no state that the mapping knows <status>\n"
          "bad-value: total \"ten\" cannot be read as decimal(8,2): it does not have the form of "
          "its type <total>\n"
          "contradiction: captured_at is NULL, but every path to state \"settled\" has "
          "PaymentCaptured; it cannot be imported as it is either: no column says when anything "
          "happened <captured_at>");
}
END_TEST

START_TEST(ambiguous_becomes_genesis) {
    check(NULL, MAPPING("'ambiguous': 'genesis'"),
          "1,P,10.00,10.00,0.00,," T8 "," T9 ",4.00,,0,,\n2,O,10.00,0.00,0.00,," T8 ",,,0,0,,",
          "Imported 03-02T09:00:00Z [2021-03-02T08:00:00Z infinity] assumed 10.00 10.00 0.00 ; "
          "likely, genesis <- ambiguous\n"
          "Created 03-02T08:00:00Z recorded 10.00; certain");
}
END_TEST

/* What no event explains: an amount refunded although nothing was, and a note that nobody set. */
START_TEST(reconcile) {
    check(NULL, MAPPING("'residual': 'reconcile'"),
          "1,P,10.00,10.00,2.50,late fee," T8 "," T9 ",10.00,1,0,," T12 "\n"
          "2,P,10.00,9.99,0.00,," T8 "," T9 ",10.00,1,0,,\n"
          "3,O,10.00,0.00,0.00,," T8 ",,,0,0,,",
          "Created 03-02T08:00:00Z recorded 10.00; Captured 03-02T09:00:00Z recorded 10.00; "
          "Reconciled 03-02T12:00:00Z [2021-03-02T09:00:00Z 2021-03-02T12:00:00Z] correction   "
          "2.50 late fee; likely, reconciled <- fold-differs\n"
          "Created 03-02T08:00:00Z recorded 10.00; Captured 03-02T09:00:00Z recorded 10.00; "
          "Reconciled 03-02T09:00:00Z [2021-03-02T09:00:00Z infinity] correction  -0.01  ; "
          "likely, reconciled <- fold-differs\n"
          "Created 03-02T08:00:00Z recorded 10.00; certain");
}
END_TEST

/* Two captures and their sum. What a column knows of the last one leaves the rest for the other;
 * three leave two unknown, and a rest below zero is no amount. */
START_TEST(sums) {
    check(NULL, MAPPING(""),
          "1,P,10.00,10.00,0.00,," T8 "," T9 ",4.00,2,0,,\n"
          "2,P,10.00,10.00,0.00,," T8 "," T9 ",4.00,3,0,,\n"
          "3,P,10.00,10.00,0.00,," T8 "," T9 ",11.00,2,0,,\n"
          "4,P,10.00,10.00,5.00,," T8 "," T9 ",10.00,1,1,,\n"
          "5,P,10.00,10.00,5.00,," T8 "," T9 ",10.00,1,2,,",
          "Created 03-02T08:00:00Z recorded 10.00; "
          "Captured 03-02T08:30:00Z [2021-03-02T08:00:00Z 2021-03-02T09:00:00Z] implied 6.00; "
          "Captured 03-02T09:00:00Z recorded 4.00; certain\n"
          "undivided-sum: in the only possible history (created, captured, captured, captured) 3 "
          "events add up to captured \"10.00\", and no column tells \"amount\" of 2 of them, such "
          "as event 3, PaymentCaptured; holds if \"amount\" of PaymentCaptured is optional and the "
          "policy for residues is reconcile <captured>\n"
          "fold-differs: in the only possible history (created, captured, captured) the events "
          "give captured \"11.00\", but the row has \"10.00\" <captured>\n"
          "Created 03-02T08:00:00Z recorded 10.00; "
          "Captured 03-02T09:00:00Z recorded 10.00; "
          "Refunded 03-02T09:00:00Z [2021-03-02T09:00:00Z infinity] implied 5.00; certain\n"
          "undivided-sum: in the only possible history (created, captured, refunded, refunded) 2 "
          "events add up to refunded \"5.00\", and no column tells \"amount\" of 2 of them, such "
          "as event 4, PaymentRefunded; holds if \"amount\" of PaymentRefunded is optional and the "
          "policy for residues is reconcile <refunded>");
}
END_TEST

/* The same where an amount may be absent: the events stand without it, and the sum is carried at
 * the end. */
START_TEST(sums_reconciled) {
    check(MACHINE("decimal(8,2)?"), MAPPING("'residual': 'reconcile'"),
          "1,P,10.00,10.00,0.00,," T8 "," T9 ",4.00,3,0,,",
          "Created 03-02T08:00:00Z recorded 10.00; "
          "Captured 03-02T08:20:00Z [2021-03-02T08:00:00Z 2021-03-02T09:00:00Z] assumed ; "
          "Captured 03-02T08:40:00Z [2021-03-02T08:00:00Z 2021-03-02T09:00:00Z] assumed ; "
          "Captured 03-02T09:00:00Z recorded 4.00; "
          "Reconciled 03-02T09:00:00Z [2021-03-02T09:00:00Z infinity] correction  6.00  ; likely, "
          "reconciled <- fold-differs");
}
END_TEST

/* Nobody counted the captures: one is told, but several may have been, so nothing is certain. */
START_TEST(a_sum_that_may_have_been_divided_is_not_certain) {
    check(NULL, MAPPING(""), "1,P,10.00,10.00,0.00,," T8 "," T9 ",10.00,,0,,",
          "Created 03-02T08:00:00Z recorded 10.00; Captured 03-02T09:00:00Z recorded 10.00; "
          "likely");
}
END_TEST

Suite *test_migrate_policy_suite(void);
Suite *test_migrate_policy_suite(void) {
    Suite *suite = suite_create("migrate policy");
    TCase *tcase = tcase_create("policy");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, genesis_of_a_contradiction);
    tcase_add_test(tcase, relax_then_genesis);
    tcase_add_test(tcase, relax_mends_all_or_nothing);
    tcase_add_test(tcase, genesis_is_no_excuse);
    tcase_add_test(tcase, ambiguous_becomes_genesis);
    tcase_add_test(tcase, reconcile);
    tcase_add_test(tcase, sums);
    tcase_add_test(tcase, sums_reconciled);
    tcase_add_test(tcase, a_sum_that_may_have_been_divided_is_not_certain);
    suite_add_tcase(suite, tcase);
    return suite;
}
