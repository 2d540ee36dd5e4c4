/* English for names. The tables are what the rules are meant to give; the lists of names that
 * must not be complained about matter most.
 */
#include <check.h>

#include "backstory/words.h"

typedef struct pair {
    const char *from, *to;
} pair;

static void assert_becomes(void (*convert)(const char *, bst_strbuf *), const pair *p) {
    bst_strbuf found = BST_STRBUF_INIT;
    convert(p->from, &found);
    ck_assert_msg(strcmp(found.text, p->to) == 0, "%s: expected %s, found %s", p->from, p->to,
                  found.text);
    bst_strbuf_release(&found);
}
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* clang-format off */
static const pair participles[] = {
    {"capture", "captured"}, {"create", "created"}, {"approve", "approved"}, {"agree", "agreed"},
    {"tie", "tied"},
    {"authorize", "authorized"}, {"fail", "failed"}, {"assign", "assigned"}, {"refund", "refunded"},
    {"void", "voided"},
    /* -y */
    {"apply", "applied"}, {"verify", "verified"}, {"deploy", "deployed"}, {"delay", "delayed"},
    {"deny", "denied"}, {"ready", "readied"},
    /* doubling */
    {"ship", "shipped"}, {"stop", "stopped"}, {"plan", "planned"}, {"drop", "dropped"},
    {"ban", "banned"}, {"skip", "skipped"},
    {"refer", "referred"}, {"submit", "submitted"}, {"resubmit", "resubmitted"},
    {"transfer", "transferred"}, {"commit", "committed"},
    {"occur", "occurred"}, {"unplug", "unplugged"}, {"reship", "reshipped"}, {"equip", "equipped"},
    {"quiz", "quizzed"},
    /* no doubling */
    {"cancel", "canceled"}, {"label", "labeled"}, {"open", "opened"}, {"visit", "visited"},
    {"deliver", "delivered"}, {"edit", "edited"},
    {"deposit", "deposited"}, {"audit", "audited"}, {"fix", "fixed"}, {"tax", "taxed"},
    {"box", "boxed"}, {"borrow", "borrowed"},
    {"enqueue", "enqueued"}, {"pack", "packed"}, {"pend", "pended"}, {"wait", "waited"},
    {"book", "booked"}, {"credit", "credited"},
    /* irregular */
    {"pay", "paid"}, {"send", "sent"}, {"withdraw", "withdrawn"}, {"hold", "held"},
    {"write", "written"}, {"put", "put"},
    {"set", "set"}, {"bind", "bound"}, {"freeze", "frozen"}, {"choose", "chosen"},
    {"begin", "begun"}, {"split", "split"},
    {"sell", "sold"}, {"buy", "bought"}, {"lend", "lent"}, {"give", "given"}, {"take", "taken"},
    {"forbid", "forbidden"},
    {"leave", "left"}, {"lose", "lost"}, {"find", "found"}, {"win", "won"}, {"run", "run"},
    {"hide", "hidden"}, {"keep", "kept"},
    /* irregular behind a prefix */
    {"repay", "repaid"}, {"prepay", "prepaid"}, {"overpay", "overpaid"}, {"unpay", "unpaid"},
    {"resend", "resent"}, {"withhold", "withheld"},
    {"uphold", "upheld"}, {"undo", "undone"}, {"rewrite", "rewritten"}, {"overdraw", "overdrawn"},
    {"unfreeze", "unfrozen"},
    {"rebuild", "rebuilt"}, {"override", "overridden"}, {"undertake", "undertaken"},
    /* looks like one, is none */
    {"relay", "relayed"}, {"release", "released"}, {"return", "returned"}, {"receive", "received"},
    {"remind", "reminded"},
    {"respond", "responded"}, {"replay", "replayed"},
};

static const struct { const char *id, *command, *event; } events[] = {
    {"payment", "capture", "PaymentCaptured"},
    {"payment", "create", "PaymentCreated"},
    {"account", "withdraw", "AccountWithdrawn"},
    {"Payment", "CAPTURE", "PaymentCaptured"},
    {"card_payment", "pay", "CardPaymentPaid"},
    /* object before, tail behind */
    {"order", "send_reminder", "OrderReminderSent"},
    {"order", "sendReminder", "OrderReminderSent"},
    {"order", "start_processing", "OrderProcessingStarted"},
    {"order", "require_manual_intervention", "OrderManualInterventionRequired"},
    {"order", "put_on_hold", "OrderPutOnHold"},
    {"order", "continue_as_new", "OrderContinuedAsNew"},
    {"order", "send_invoice_to_customer", "OrderInvoiceSentToCustomer"},
    {"order", "print_and_send_label", "OrderLabelPrintedAndSent"},
    /* phrasal verbs */
    {"session", "log_in", "SessionLoggedIn"},
    {"session", "login", "SessionLoggedIn"},
    {"session", "time_out", "SessionTimedOut"},
    {"loan", "write_off", "LoanWrittenOff"},
    {"loan", "write_off_debt", "LoanDebtWrittenOff"},
    {"cart", "check_out", "CartCheckedOut"},
    {"cart", "set_up", "CartSetUp"},
    /* results */
    {"invoice", "mark_as_paid", "InvoiceMarkedAsPaid"},
    {"invoice", "mark_paid", "InvoiceMarkedPaid"},
    {"invoice", "MARK_READY", "InvoiceMarkedReady"},
    {"invoice", "mark_line_as_paid", "InvoiceLineMarkedAsPaid"},
    {"invoice", "set_active", "InvoiceSetActive"},
    {"invoice", "set_limit", "InvoiceLimitSet"},
    /* said already */
    {"order", "approved", "OrderApproved"},
    {"order", "payment_failed", "OrderPaymentFailed"},
    {"payment", "STARTED_PROCESSING", "PaymentProcessingStarted"},
    {"parcel", "LOST", "ParcelLost"},
    {"parcel", "wrong_item_shipped", "ParcelWrongItemShipped"},
    {"parcel", "in_transit", "ParcelInTransit"},
    {"incident", "awaiting_vendor", "IncidentAwaitingVendor"},
    {"incident", "overdue", "IncidentBecameOverdue"},
    /* nouns */
    {"build", "success", "BuildSucceeded"},
    {"build", "failure", "BuildFailed"},
    {"order", "next", "OrderAdvanced"},
    /* the machine's own name is said once */
    {"order", "approve_order", "OrderApproved"},
    {"purchase_order", "ORDER_COMPLETED", "PurchaseOrderCompleted"},
    {"order", "approve_order_item", "OrderItemApproved"},
    /* numbers are no verbs */
    {"receipt", "T02_CHECK_CONFIRMATION", "ReceiptT02ConfirmationChecked"},
};

static const char *const past[] = {
    "PaymentPaid", "OrderSent", "AccountFrozen", "MoneyWithdrawn", "RefundCreated", "CheckoutBegun",
    "HoldPut",
    "payment_captured", "LimitSet", "OrderSplit", "FundsHeld", "LoanRepaid", "InvoiceMarkedAsPaid",
    "UserLoggedIn",
    "RUN_STARTED", "KeyLost", "OfferMade", "TermsAgreed", "PrisonerFreed", "CheckoutBegan",
    "AccountWentLive", "PriceCut",
    "CaseReread", "AmountOverpaid", "ContractBound", "BookRead", "LeaseLet",
};
static const char *const not_past[] = {
    "CapturePayment", "Payment", "PaymentCapture", "PaymentCapturing", "SpeedLimit", "NewFeed",
    "NeedHelp", "HundredPercent",
    "PaymentStatus", "Proceed", "SeedMoney", "", "123", "RedFlag", "VideoEmbed",
};

static const pair snakes[] = {
    {"PaymentCaptured", "payment_captured"}, {"payment_captured", "payment_captured"},
    {"PAYMENT_CAPTURED", "payment_captured"},
    {"HTTPRequest", "http_request"}, {"parseHTTP", "parse_http"}, {"order2Item", "order2_item"},
    {"A", "a"}, {"", ""},
    {"__x__y", "x_y"}, {"IXF_EN_ROUTE", "ixf_en_route"}, {"iPhone", "i_phone"},
    {"two words", "two_words"},
};
static const pair camels[] = {
    {"payment_captured", "PaymentCaptured"}, {"PaymentCaptured", "PaymentCaptured"},
    {"APPROVE_ORDER", "ApproveOrder"},
    {"s1_1", "S11"}, {"HTTPRequest", "HttpRequest"}, {"", ""},
};

static const char *const leaking[] = {
    "RowUpdated", "StatusChanged", "PaymentsTableInserted", "PaymentStatusUpdated",
    "order_state_changed", "RecordDeleted",
    "DbSynced", "FlagModified",
};
static const char *const business[] = {
    "TableReserved", "PaymentRecorded", "MedicalRecordUpdated", "StateVisited", "AddressChanged",
    "FieldPlowed", "OrderUpdated",
    "ColumnWritten1", "",
};
/* clang-format on */

START_TEST(test_participles) {
    assert_becomes(bst_past_participle, &participles[_i]);
}
END_TEST

START_TEST(test_event_names) {
    bst_strbuf found = BST_STRBUF_INIT;
    bst_event_name(events[_i].id, events[_i].command, &found);
    ck_assert_str_eq(found.text, events[_i].event);
    bst_strbuf_release(&found);
}
END_TEST

START_TEST(test_past) {
    ck_assert_msg(bst_is_past_tense(past[_i]), "%s", past[_i]);
}
END_TEST

START_TEST(test_not_past) {
    ck_assert_msg(!bst_is_past_tense(not_past[_i]), "%s", not_past[_i]);
}
END_TEST

/* What we derive we do not complain about. */
START_TEST(test_derived_are_past) {
    bst_strbuf found = BST_STRBUF_INIT;
    bst_past_participle(participles[_i].from, &found);
    ck_assert_msg(bst_is_past_tense(found.text), "%s", found.text);
    bst_strbuf_release(&found);
}
END_TEST

START_TEST(test_snakes) {
    assert_becomes(bst_snake_case, &snakes[_i]);
}
END_TEST

START_TEST(test_camels) {
    assert_becomes(bst_camel_case, &camels[_i]);
}
END_TEST

START_TEST(test_leaking) {
    ck_assert_msg(bst_leaks_implementation(leaking[_i]), "%s", leaking[_i]);
}
END_TEST

START_TEST(test_business) {
    ck_assert_msg(!bst_leaks_implementation(business[_i]), "%s", business[_i]);
}
END_TEST

/* No name is too long. */
START_TEST(test_long_names) {
    bst_strbuf name = BST_STRBUF_INIT;
    bst_strbuf out = BST_STRBUF_INIT;
    for (int i = 0; i < 1000; i++) {
        bst_strbuf_adds(&name, i % 3 ? "x" : "Word_");
    }
    bst_event_name(name.text, name.text, &out);
    bst_snake_case(name.text, &out);
    bst_is_past_tense(name.text);
    ck_assert_uint_gt(out.len, 0);
    bst_strbuf_release(&name);
    bst_strbuf_release(&out);
}
END_TEST

Suite *test_fsm_words_suite(void);
Suite *test_fsm_words_suite(void) {
    Suite *suite = suite_create("fsm: words");
    TCase *tcase = tcase_create("words");
    tcase_add_loop_test(tcase, test_participles, 0, COUNT(participles));
    tcase_add_loop_test(tcase, test_event_names, 0, COUNT(events));
    tcase_add_loop_test(tcase, test_past, 0, COUNT(past));
    tcase_add_loop_test(tcase, test_not_past, 0, COUNT(not_past));
    tcase_add_loop_test(tcase, test_derived_are_past, 0, COUNT(participles));
    tcase_add_loop_test(tcase, test_snakes, 0, COUNT(snakes));
    tcase_add_loop_test(tcase, test_camels, 0, COUNT(camels));
    tcase_add_loop_test(tcase, test_leaking, 0, COUNT(leaking));
    tcase_add_loop_test(tcase, test_business, 0, COUNT(business));
    tcase_add_test(tcase, test_long_names);
    suite_add_tcase(suite, tcase);
    return suite;
}
