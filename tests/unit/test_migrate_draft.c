/* The words of drafts: from a status to the command that leads there. */
#include <check.h>
#include <string.h>

#include "backstory/words.h"

#include "draft/draft_private.h"

typedef struct pair {
    const char *from, *to;
} pair;

/* clang-format off */
static const pair verbs[] = {
    {"captured", "capture"}, {"authorized", "authorize"}, {"failed", "fail"}, {"voided", "void"},
    {"shipped", "ship"}, {"canceled", "cancel"}, {"cancelled", "cancel"}, {"expired", "expire"},
    {"refunded", "refund"}, {"closed", "close"}, {"paid", "pay"}, {"sent", "send"},
    {"approved", "approve"}, {"rejected", "reject"}, {"completed", "complete"},
    {"delivered", "deliver"}, {"declined", "decline"}, {"settled", "settle"}, {"queued", "queue"},
    {"retried", "retry"}, {"submitted", "submit"}, {"confirmed", "confirm"}, {"packed", "pack"},
    {"returned", "return"}, {"validated", "validate"}, {"evaluated", "evaluate"},
    {"repeated", "repeat"}, {"released", "release"}, {"blocked", "block"}, {"charged", "charge"},
    {"scheduled", "schedule"}, {"reviewed", "review"}, {"opened", "open"}, {"started", "start"},
    {"processed", "process"}, {"disputed", "dispute"}, {"skipped", "skip"}, {"held", "hold"},
    {"resumed", "resume"}, {"invited", "invite"}, {"locked", "lock"}, {"merged", "merge"},
    /* several words */
    {"partially_refunded", "refund_partially"}, {"written_off", "write_off"},
    {"payment_failed", "fail_payment"}, {"timed_out", "time_out"}, {"paid_out", "pay_out"},
    {"continued_as_new", "continue_as_new"},
    /* no participle */
    {"void", "void"}, {"success", "succeed"}, {"invalid", "invalidate"}, {"active", "activate"},
    {"processing", "start_processing"}, {"in_transit", "put_in_transit"},
    {"on_hold", "put_on_hold"}, {"pending", "move_to_pending"}, {"status_10", "move_to_status_10"},
    {"not_shipped", "move_to_not_shipped"}, {"created", "move_to_created"},
};

static const pair identifiers[] = {
    {"WRITE OFF", "write_off"}, {"InProgress", "in_progress"}, {"won't fix", "won_t_fix"},
    {"3-D Secure", "s_3_d_secure"}, {"", "s"}, {"\xc3\xa9t\xc3\xa9", "t"}, {"--", "s"},
};

static const pair singulars[] = {
    {"payments", "payment"}, {"entries", "entry"}, {"boxes", "box"}, {"branches", "branch"},
    {"statuses", "status"}, {"status", "status"}, {"address", "address"}, {"addresses", "address"},
    {"order", "order"}, {"cases", "case"}, {"series", "sery"},
};
/* clang-format on */
#define COUNT(list) (sizeof(list) / sizeof *(list))

static draft d;

static void setup(void) {
    d = (draft){.arena = bst_arena_new()};
    ck_assert_ptr_nonnull(d.arena);
}

static void teardown(void) {
    d.arena = bst_arena_free(d.arena);
}

START_TEST(commands_lead_to_states) {
    const pair *p = &verbs[_i];
    ck_assert_str_eq(bst__draft_verb(&d, p->from), p->to);
}
END_TEST

START_TEST(their_events_are_past_tense) {
    bst_strbuf event = BST_STRBUF_INIT;
    bst_event_name("order", bst__draft_verb(&d, verbs[_i].from), &event);
    ck_assert_msg(bst_is_past_tense(event.text), "%s gives %s", verbs[_i].from, event.text);
    bst_strbuf_release(&event);
}
END_TEST

START_TEST(names_become_identifiers) {
    ck_assert_str_eq(bst__draft_identifier(&d, identifiers[_i].from, "s"), identifiers[_i].to);
}
END_TEST

START_TEST(tables_become_entities) {
    ck_assert_str_eq(bst__draft_singular(&d, singulars[_i].from), singulars[_i].to);
}
END_TEST

START_TEST(long_words_are_cut_not_written_past) {
    char word[300];
    char stem[40];
    memset(word, 'a', sizeof word - 1);
    memcpy(word + sizeof word - 4, "ed", 3);
    word[sizeof word - 1] = '\0';
    bst__draft_stem(word, stem);
    ck_assert_uint_lt(strlen(stem), sizeof stem);
    ck_assert_uint_lt(strlen(bst__draft_identifier(&d, word, "s")), 120);
}
END_TEST

Suite *test_migrate_draft_suite(void);
Suite *test_migrate_draft_suite(void) {
    Suite *suite = suite_create("migrate: draft");
    TCase *words = tcase_create("words");
    tcase_add_checked_fixture(words, setup, teardown);
    tcase_add_loop_test(words, commands_lead_to_states, 0, COUNT(verbs));
    tcase_add_loop_test(words, their_events_are_past_tense, 0, COUNT(verbs));
    tcase_add_loop_test(words, names_become_identifiers, 0, COUNT(identifiers));
    tcase_add_loop_test(words, tables_become_entities, 0, COUNT(singulars));
    tcase_add_test(words, long_words_are_cut_not_written_past);
    suite_add_tcase(suite, words);
    return suite;
}
