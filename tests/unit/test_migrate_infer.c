/* Inference on machines small enough to be worked out by hand. A machine is written "*>a a>b b>b":
 * states are letters, `*` is a creation, transitions are numbered as they stand there. Walks and
 * sets are lists of those numbers.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "backstory/infer.h"
#include "small_machine.h"

static small_machine small;
static bst_arena *arena;
static bst_claim claims[BST_CLAIMS_MAX + 1];
static uint8_t flags[BST_CLAIMS_MAX + 1][SMALL_TRANSITIONS];
static bst_question question;
static bst_weights weights;
static bst_answer answer;

static void machine(const char *text) {
    uint32_t states = 0;
    for (const char *at = text; *at; at++) {
        if (*at >= 'a' && (uint32_t)(*at - 'a') >= states)
            states = (uint32_t)(*at - 'a') + 1;
    }
    small_init(&small, states);
    for (const char *at = text; *at; at += at[3] ? 4 : 3)
        small_add(&small, at[0] == '*' ? BST_NONE : (uint32_t)(at[0] - 'a'),
                  (uint32_t)(at[2] - 'a'));
    question = (bst_question){.state = states - 1, .claims = claims};
    weights = (bst_weights){.step_penalty = BST_STEP_PENALTY_DEFAULT};
}

/* "*": all of them. */
static bst_claim *claim(bst_claim_kind kind, const char *set) {
    const size_t number = question.claim_count++;
    memset(flags[number], set[0] == '*', sizeof flags[number]);
    char *end;
    for (const char *at = set; *at && *at != '*'; at = end)
        flags[number][strtoul(at, &end, 10)] = 1;
    claims[number] = (bst_claim){.kind = kind, .transitions = flags[number]};
    claims[number].rank = claims[number].after = BST_NONE;
    return &claims[number];
}

static bst_claim *happened(const char *set, bst_occurrence occurrence, uint32_t rank) {
    bst_claim *const made = claim(BST_CLAIM_HAPPENED, set);
    made->occurrence = occurrence;
    made->rank = rank;
    return made;
}

static void count(const char *set, bst_relation relation, uint32_t number) {
    bst_claim *const made = claim(BST_CLAIM_COUNT, set);
    made->relation = relation;
    made->count = number;
}

static void infer(bst_outcome expected) {
    ck_assert_int_eq(bst_infer(&small.machine, &weights, &question, arena, &answer, NULL), BST_OK);
    ck_assert_int_eq(answer.outcome, expected);
}

static const char *list(const uint32_t *numbers, uint32_t length) {
    static char text[512];
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < length; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u", i ? " " : "", numbers[i]);
    return text;
}

static const char *walk(void) {
    static uint32_t transitions[64];
    for (uint32_t i = 0; i < answer.step_count; i++)
        transitions[i] = answer.steps[i].transition;
    return list(transitions, answer.step_count);
}

/* r: recorded, i: implied, a: assumed; a capital letter: tied. */
static const char *bases(void) {
    static char text[64];
    for (uint32_t i = 0; i < answer.step_count; i++) {
        const char letter = "ria"[answer.steps[i].basis];
        text[i] = (char)(answer.steps[i].tied ? letter - 'a' + 'A' : letter);
    }
    text[answer.step_count] = '\0';
    return text;
}

static void found(const char *expected_walk, const char *expected_bases) {
    infer(BST_FOUND);
    ck_assert_str_eq(walk(), expected_walk);
    ck_assert_str_eq(bases(), expected_bases);
}

static void contradicts(const char *conflict, const char *repairs) {
    infer(BST_CONTRADICTION);
    ck_assert_str_eq(list(answer.conflict, answer.conflict_count), conflict);
    ck_assert_str_eq(list(answer.repairs, answer.repair_count), repairs);
}

static void setup(void) {
    arena = bst_arena_new();
    ck_assert_ptr_nonnull(arena);
}

static void teardown(void) {
    arena = bst_arena_free(arena);
}

START_TEST(one_way_is_certain) {
    machine("*>a a>b b>c");
    found("0 1 2", "iii");
    ck_assert(answer.certain);
    ck_assert_double_eq(answer.confidence, 1);
    ck_assert_double_eq(answer.steps[1].confidence, 1);
    ck_assert_uint_eq(answer.runner_up_count, 0);
}
END_TEST

START_TEST(evidence_is_recorded) {
    machine("*>a a>b b>c");
    happened("1", BST_OCCURRENCE_ANY, 7);
    found("0 1 2", "iri");
    ck_assert_uint_eq(answer.steps[0].claim, BST_NONE);
    ck_assert_uint_eq(answer.steps[1].claim, 0);
}
END_TEST

START_TEST(diamond_goes_by_the_file) {
    machine("*>a a>b a>c b>d c>d");
    found("0 1 3", "iai");
    ck_assert(!answer.certain);
    ck_assert_double_eq_tol(answer.confidence, 0.5, 1e-12);
    ck_assert_double_eq_tol(answer.steps[1].confidence, 0.5, 1e-12);
    ck_assert_double_eq(answer.steps[0].confidence, 1);
    ck_assert_str_eq(list(answer.runner_up, answer.runner_up_count), "0 2 4");
    ck_assert_double_eq_tol(answer.runner_up_confidence, 0.5, 1e-12);
}
END_TEST

START_TEST(diamond_goes_by_the_weights) {
    static const double weight[] = {1, 1, 3, 1, 1};
    machine("*>a a>b a>c b>d c>d");
    weights.weight = weight;
    found("0 2 4", "iai");
    ck_assert_double_eq_tol(answer.confidence, 0.75, 1e-9);
}
END_TEST

START_TEST(diamond_goes_by_the_claims) {
    machine("*>a a>b a>c b>d c>d");
    claim(BST_CLAIM_NEVER, "1");
    found("0 2 4", "iii");
    ck_assert(answer.certain);
}
END_TEST

START_TEST(zero_weight_is_not_impossible) {
    static const double weight[] = {1, 0, 1, 1, 1};
    machine("*>a a>b a>c b>d c>d");
    weights.weight = weight;
    found("0 2 4", "iai");
    ck_assert(!answer.certain);
    happened("1", BST_OCCURRENCE_ANY, 0);
    found("0 1 3", "iri");
    ck_assert(answer.certain);
}
END_TEST

START_TEST(weights_out_of_range_do_no_harm) {
    const double weight[] = {INFINITY, NAN, -1, 1e308, 1e308};
    machine("*>a a>b a>c b>d c>d");
    weights.weight = weight;
    weights.step_penalty = NAN;
    found("0 1 3", "iai");
    ck_assert_double_eq_tol(answer.confidence, 0.5, 1e-9);
}
END_TEST

/* a -> a with probability 1/2 (it or the step to b, and b stops), times the penalty 1/2: a loop
 * loses 3/4 and 1/3 of the choices of a are the loop: 1, 1/6, 1/36, ... of the best walk. */
START_TEST(loop_sums_to_infinity) {
    machine("*>a a>a a>b");
    found("0 2", "ii");
    ck_assert(!answer.certain);
    ck_assert_double_eq_tol(answer.confidence, 5.0 / 6, 1e-11);
    ck_assert_str_eq(list(answer.runner_up, answer.runner_up_count), "0 1 2");
    ck_assert_double_eq_tol(answer.runner_up_confidence, 5.0 / 36, 1e-11);
}
END_TEST

START_TEST(loop_without_penalty_is_finite) {
    machine("*>a a>a a>b");
    weights.step_penalty = 1;
    found("0 2", "ii");
    ck_assert_double_eq_tol(answer.confidence, 2.0 / 3, 1e-9);
}
END_TEST

/* A ring of 40 states is too large for the small elimination. Once round costs (1/3 * 1/2) at each
 * of the 39 states that can go on or stop, and another one at the last. */
START_TEST(large_loop_sums) {
    small_init(&small, 40);
    small_add(&small, BST_NONE, 0);
    for (uint32_t s = 0; s < 40; s++) {
        small_add(&small, s, (s + 1) % 40);
        small_add(&small, s, s);
    }
    question = (bst_question){.state = 39, .claims = claims};
    weights = (bst_weights){.step_penalty = 0.5};
    infer(BST_FOUND);
    ck_assert_uint_eq(answer.step_count, 40);
    /* Each of 40 states may be repeated: (5/6)^40; a whole round more: (1/6 / (5/6))^40. */
    ck_assert_double_eq_tol(answer.confidence, pow(5.0 / 6, 40) * (1 - pow(0.2, 40)), 1e-12);
}
END_TEST

START_TEST(slow_loop_falls_back) {
    static double weight[128], stop[64];
    small_init(&small, 40);
    small_add(&small, BST_NONE, 0);
    for (uint32_t s = 0; s < 40; s++)
        small_add(&small, s, (s + 1) % 40);
    for (uint32_t i = 0; i < 41; i++)
        weight[i] = 1;
    stop[39] = 1e-4;
    question = (bst_question){.state = 39, .claims = claims};
    weights = (bst_weights){.weight = weight, .stop = stop, .step_penalty = 1};
    infer(BST_FOUND);
    /* Round after round: the share that stops each time. */
    ck_assert_double_eq_tol(answer.confidence, 1e-4, 1e-6);
}
END_TEST

START_TEST(order_of_ranks_decides) {
    machine("*>a a>b a>c b>c b>d c>b c>d");
    happened("2 3", BST_OCCURRENCE_ANY, 1); /* into c */
    happened("1 5", BST_OCCURRENCE_ANY, 2); /* into b */
    found("0 2 5 4", "irri");
    claims[0].rank = 3;
    found("0 1 3 6", "irri");
}
END_TEST

START_TEST(one_step_meets_one_rank_only) {
    machine("*>a a>a a>b");
    happened("1", BST_OCCURRENCE_ANY, 0);
    happened("1", BST_OCCURRENCE_ANY, 1);
    found("0 1 1 2", "irri");
    claims[1].rank = 0;
    found("0 1 2", "iri");
}
END_TEST

START_TEST(one_step_meets_several_of_a_tie) {
    machine("*>a a>b");
    happened("0", BST_OCCURRENCE_ANY, 0);
    happened("*", BST_OCCURRENCE_FIRST, 0);
    found("0 1", "ri");
    ck_assert_uint_eq(answer.steps[0].claim, 0);
    ck_assert(answer.certain);
}
END_TEST

START_TEST(order_in_a_tie_is_not_known) {
    machine("*>a a>b a>c b>c b>d c>b c>d");
    happened("1 5", BST_OCCURRENCE_ANY, 1);
    happened("2 3", BST_OCCURRENCE_ANY, 1);
    found("0 1 3 6", "iRRi");
    ck_assert_double_eq_tol(answer.confidence, 0.5, 0.1);
    claims[1].after = 0;
    found("0 1 3 6", "irri");
}
END_TEST

START_TEST(order_in_a_tie_is_known_to_the_machine) {
    machine("*>a a>b b>c c>c");
    happened("2", BST_OCCURRENCE_ANY, 1);
    happened("1", BST_OCCURRENCE_ANY, 1);
    found("0 1 2", "irr");
    ck_assert(!answer.certain);
}
END_TEST

START_TEST(after_needs_another_step) {
    machine("*>a a>a a>b");
    happened("1", BST_OCCURRENCE_ANY, 0);
    happened("1", BST_OCCURRENCE_ANY, 0)->after = 0;
    found("0 1 1 2", "irri");
}
END_TEST

START_TEST(after_in_a_circle_contradicts) {
    machine("*>a a>a a>b");
    happened("1", BST_OCCURRENCE_ANY, 0)->after = 1;
    happened("1", BST_OCCURRENCE_ANY, 0)->after = 0;
    contradicts("0 1", "0 1");
}
END_TEST

/* x = 1 may be taken several times in a, y = 2 leads on. */
START_TEST(first_allows_none_before) {
    machine("*>a a>a a>b b>a b>c");
    happened("1", BST_OCCURRENCE_FIRST, 2);
    happened("2", BST_OCCURRENCE_ANY, 1);
    found("0 2 3 1 2 4", "iririi");
}
END_TEST

START_TEST(last_allows_none_after) {
    machine("*>a a>a a>b b>a b>c");
    happened("2", BST_OCCURRENCE_ANY, 2);
    happened("1", BST_OCCURRENCE_LAST, 1);
    found("0 1 2 4", "irri");
    happened("2", BST_OCCURRENCE_LAST, 3);
    found("0 1 2 3 2 4", "irriri");
    happened("1", BST_OCCURRENCE_ANY, 4);
    contradicts("1 3", "3");
}
END_TEST

START_TEST(only_allows_neither) {
    machine("*>a a>a a>b");
    happened("1", BST_OCCURRENCE_ONLY, 0);
    found("0 1 2", "iri");
    ck_assert(answer.certain);
    happened("1", BST_OCCURRENCE_ANY, 1);
    contradicts("0 1", "0 1");
}
END_TEST

START_TEST(unknown_time_only_says_that) {
    machine("*>a a>a a>b b>c c>b");
    happened("4", BST_OCCURRENCE_ANY, BST_NONE);
    found("0 2 3 4 3", "iiiii");
    ck_assert(!answer.certain);
    claims[0].occurrence = BST_OCCURRENCE_ONLY;
    claim(BST_CLAIM_NEVER, "1");
    found("0 2 3 4 3", "iiiii");
    ck_assert(answer.certain);
    claims[0].occurrence = BST_OCCURRENCE_LAST;
    found("0 2 3 4 3", "iiiii");
    ck_assert(!answer.certain);
}
END_TEST

START_TEST(after_the_last_at_unknown_time) {
    machine("*>a a>a a>b b>a b>c");
    count("1", BST_EXACTLY, 2);
    count("3", BST_EXACTLY, 1);
    happened("1", BST_OCCURRENCE_LAST, BST_NONE);
    happened("3", BST_OCCURRENCE_ANY, BST_NONE)->after = 2;
    found("0 1 1 2 3 2 4", "iiiiiii");
    ck_assert(answer.certain);
    claims[2].occurrence = BST_OCCURRENCE_ANY;
    infer(BST_FOUND);
    ck_assert(!answer.certain);
}
END_TEST

START_TEST(counts_exactly) {
    machine("*>a a>a a>b");
    count("1", BST_EXACTLY, 3);
    found("0 1 1 1 2", "iiiii");
    ck_assert(answer.certain);
    count("*", BST_EXACTLY, 5);
    found("0 1 1 1 2", "iiiii");
    count("*", BST_EXACTLY, 6);
    contradicts("0 2", "2");
}
END_TEST

START_TEST(counts_at_most) {
    machine("*>a a>a a>b");
    count("1", BST_AT_MOST, 2);
    found("0 2", "ii");
    ck_assert(!answer.certain);
    ck_assert_double_eq_tol(answer.confidence, 1 / (1 + 1.0 / 6 + 1.0 / 36), 1e-11);
    count("*", BST_AT_MOST, 2);
    found("0 2", "ii");
    ck_assert(answer.certain);
}
END_TEST

START_TEST(counts_at_least) {
    machine("*>a a>a a>b");
    count("1", BST_AT_LEAST, 2);
    found("0 1 1 2", "iiii");
    ck_assert(!answer.certain);
    ck_assert_double_eq_tol(answer.confidence, 5.0 / 6, 1e-11);
}
END_TEST

START_TEST(never_more_than_counted_zero) {
    machine("*>a a>a a>b");
    count("1", BST_EXACTLY, 0);
    found("0 2", "ii");
    ck_assert(answer.certain);
}
END_TEST

START_TEST(marginals_of_takings) {
    machine("*>a a>a a>b");
    count("*", BST_AT_LEAST, 3);
    found("0 1 2", "iii");
    weights.step_penalty = 0.9;
    static const double weight[] = {1, 3, 1};
    weights.weight = weight;
    claims[0].relation = BST_AT_MOST;
    claims[0].count = 3;
    /* Without the loop or with it once: 1 to 0.9 * 3 / 6 (the stop weight is the mean, 2). */
    found("0 2", "ii");
    ck_assert_double_eq_tol(answer.confidence, 1 / 1.45, 1e-9);
}
END_TEST

START_TEST(contradiction_names_the_smallest_set) {
    machine("*>a a>b b>c c>d");
    happened("0", BST_OCCURRENCE_ANY, 0);
    happened("2", BST_OCCURRENCE_ANY, 1);
    happened("3", BST_OCCURRENCE_ANY, 3);
    happened("1", BST_OCCURRENCE_ANY, 2);
    contradicts("1 3", "1 3");
    question.state = 0;
    contradicts("1", "");
}
END_TEST

START_TEST(plausible_repairs_come_first) {
    static const double weight[] = {1, 1, 9, 1, 1};
    machine("*>a a>b a>c b>d c>d");
    weights.weight = weight;
    happened("1", BST_OCCURRENCE_ANY, 0);
    happened("2", BST_OCCURRENCE_ANY, 1);
    contradicts("0 1", "0 1");
    static const double other[] = {1, 9, 1, 1, 1};
    weights.weight = other;
    contradicts("0 1", "1 0");
}
END_TEST

START_TEST(state_out_of_reach) {
    machine("*>a a>b c>b");
    question.state = 2;
    contradicts("", "");
}
END_TEST

START_TEST(too_many_claims) {
    machine("*>a");
    for (uint32_t i = 0; i <= BST_CLAIMS_MAX; i++)
        happened("0", BST_OCCURRENCE_ANY, 0);
    bst_diags *const diags = bst_diags_new();
    ck_assert_int_eq(bst_infer(&small.machine, &weights, &question, arena, &answer, diags),
                     BST_LIMIT);
    ck_assert_uint_eq(bst_diags_count(diags), 1);
    bst_diags_free(diags);
    question.claim_count--;
    found("0", "r");
}
END_TEST

/* 256 claims that follow one another: rows of eight words of flags, and a long walk. */
START_TEST(many_claims) {
    machine("*>a a>a a>b");
    for (uint32_t i = 0; i < BST_CLAIMS_MAX; i++)
        happened("1", BST_OCCURRENCE_ANY, i);
    infer(BST_FOUND);
    ck_assert_uint_eq(answer.step_count, BST_CLAIMS_MAX + 2);
    ck_assert_uint_eq(answer.steps[BST_CLAIMS_MAX].claim, BST_CLAIMS_MAX - 1);
    ck_assert_double_eq_tol(answer.confidence, 5.0 / 6, 1e-9);
}
END_TEST

START_TEST(budget_ends_the_search) {
    machine("*>a a>a a>b");
    count("1", BST_EXACTLY, 1000);
    question.nodes_max = 100;
    infer(BST_TOO_AMBIGUOUS);
    question.nodes_max = 0;
    infer(BST_FOUND);
    ck_assert_uint_eq(answer.step_count, 1002);
    ck_assert(answer.certain);
    claims[0].count = BST_WALK_STEPS_MAX + 1;
    infer(BST_TOO_AMBIGUOUS);
    claims[0].count = UINT32_MAX;
    infer(BST_TOO_AMBIGUOUS);
    claim(BST_CLAIM_NEVER, "1");
    contradicts("0 1", "0"); /* without the other nothing is known in time */
}
END_TEST

/* 20 tied claims on as many loops: a million subsets. */
START_TEST(ties_run_out_of_budget) {
    small_init(&small, 1);
    small_add(&small, BST_NONE, 0);
    question = (bst_question){.state = 0, .claims = claims, .nodes_max = 1000};
    for (uint32_t i = 1; i <= 20; i++) {
        char set[8];
        small_add(&small, 0, 0);
        snprintf(set, sizeof set, "%u", i);
        happened(set, BST_OCCURRENCE_LAST, 5);
    }
    weights = (bst_weights){.step_penalty = 0.5};
    infer(BST_TOO_AMBIGUOUS);
}
END_TEST

/* Probabilities of 1e-9 a step, 500 times over: far below the smallest number. */
START_TEST(long_walks_do_not_vanish) {
    static const double weight[] = {1, 0, 1, 1};
    machine("*>a a>b a>a b>a");
    weights.weight = weight;
    count("1", BST_EXACTLY, 500);
    question.state = 0;
    infer(BST_FOUND);
    ck_assert_uint_eq(answer.step_count, 1001);
    ck_assert(answer.confidence > 0 && answer.confidence < 1);
    ck_assert_int_eq(answer.steps[1000].basis, BST_BASIS_IMPLIED);
}
END_TEST

/* Two ways to go on, 1,100 times: more walks than a number can count. */
START_TEST(walks_beyond_number) {
    machine("*>a a>a a>a");
    count("*", BST_EXACTLY, 1101);
    infer(BST_TOO_AMBIGUOUS);
    claims[0].count = 101;
    infer(BST_FOUND);
    ck_assert_double_eq_tol(answer.confidence / pow(0.5, 100), 1, 1e-9);
}
END_TEST

START_TEST(no_weights_at_all) {
    machine("*>a a>b a>c b>d c>d");
    ck_assert_int_eq(bst_infer(&small.machine, NULL, &question, arena, &answer, NULL), BST_OK);
    ck_assert_str_eq(walk(), "0 1 3");
}
END_TEST

Suite *test_migrate_infer_suite(void);
Suite *test_migrate_infer_suite(void) {
    const TTest *const tests[] = {
        one_way_is_certain,
        evidence_is_recorded,
        diamond_goes_by_the_file,
        diamond_goes_by_the_weights,
        diamond_goes_by_the_claims,
        zero_weight_is_not_impossible,
        weights_out_of_range_do_no_harm,
        loop_sums_to_infinity,
        loop_without_penalty_is_finite,
        large_loop_sums,
        slow_loop_falls_back,
        order_of_ranks_decides,
        one_step_meets_one_rank_only,
        one_step_meets_several_of_a_tie,
        order_in_a_tie_is_not_known,
        order_in_a_tie_is_known_to_the_machine,
        after_needs_another_step,
        after_in_a_circle_contradicts,
        first_allows_none_before,
        last_allows_none_after,
        only_allows_neither,
        unknown_time_only_says_that,
        after_the_last_at_unknown_time,
        counts_exactly,
        counts_at_most,
        counts_at_least,
        never_more_than_counted_zero,
        marginals_of_takings,
        contradiction_names_the_smallest_set,
        plausible_repairs_come_first,
        state_out_of_reach,
        too_many_claims,
        many_claims,
        budget_ends_the_search,
        ties_run_out_of_budget,
        long_walks_do_not_vanish,
        walks_beyond_number,
        no_weights_at_all,
    };
    Suite *suite = suite_create("migrate infer");
    TCase *tcase = tcase_create("by hand");
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return suite;
}
