/* Inference against an oracle that writes down every walk (infer_oracle.h), on random small
 * machines with claims that were read off a random walk, and now and then a claim that was not.
 *
 * Half of the cases limit the number of steps by a claim: then the set of walks is finite and
 * everything must agree exactly. The other half may loop for ever: there the oracle sees all walks
 * but the long ones, whose mass is negligible.
 *
 * BACKSTORY_CASES: how many cases (50000), BACKSTORY_SEED: the first one.
 */
#include <stdio.h>
#include <string.h>

#include "infer_oracle.h"
#include "random.h"
#include "small_machine.h"

#define STATES_MAX      6u
#define TRANSITIONS_MAX 12u
#define EVENTS          4u
#define SEEN_MAX        5u
#define PAST_MAX        4u

static uint64_t random_state;

static uint32_t roll(uint32_t sides) {
    random_state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = random_state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ z >> 31) >> 33) % sides;
}

typedef struct situation {
    small_machine small;
    uint32_t event[TRANSITIONS_MAX]; /* of each transition: claims speak of events or of states */
    double weight[TRANSITIONS_MAX], stop[STATES_MAX];
    bst_weights weights;
    uint32_t truth_count, truth[ORACLE_STEPS], time[ORACLE_STEPS];
    bst_claim claims[ORACLE_CLAIMS];
    uint8_t flags[ORACLE_CLAIMS][TRANSITIONS_MAX];
    uint32_t step_of[ORACLE_CLAIMS]; /* what the claim was read off */
    bst_question question;
    bool lied, finite;
    bst_seen_walk seen[SEEN_MAX];
    uint32_t seen_steps[SEEN_MAX][ORACLE_STEPS];
    double here[SEEN_MAX];
    bst_seen_walk past[PAST_MAX];
    uint32_t past_steps[PAST_MAX][ORACLE_STEPS];
    bst_contexts contexts;
} situation;

static situation now;
static oracle truths;
static uint64_t seed;
static unsigned found_cases, certain_cases, contradictions, skipped, loops, seen_cases, doubts,
    context_cases, fit_cases;

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__LINE__, #condition);                                                            \
    } while (0)

static void print_claims(void) {
    static const char *const kinds[] = {"happened", "never", "count"};
    for (uint32_t c = 0; c < now.question.claim_count; c++) {
        const bst_claim *const claim = &now.claims[c];
        fprintf(stderr, "claim %u: %s occurrence %d rank %d after %d relation %d count %u of", c,
                kinds[claim->kind], claim->occurrence, (int)claim->rank, (int)claim->after,
                claim->relation, claim->count);
        for (uint32_t t = 0; t < now.small.machine.transition_count; t++) {
            if (now.flags[c][t])
                fprintf(stderr, " %u", t);
        }
        fputc('\n', stderr);
    }
}

static void fail(int line, const char *condition) {
    fprintf(stderr, "line %d: %s does not hold (BACKSTORY_SEED=%llu)\n", line, condition,
            (unsigned long long)seed);
    for (uint32_t t = 0; t < now.small.machine.transition_count; t++)
        fprintf(stderr, "%d>%u weight %g\n", (int)now.small.transitions[t].from,
                now.small.transitions[t].to, now.weight[t]);
    for (uint32_t s = 0; s < now.small.machine.state_count; s++)
        fprintf(stderr, "stop %u weight %g\n", s, now.stop[s]);
    fprintf(stderr, "penalty %g, state %u, true walk", now.weights.step_penalty,
            now.question.state);
    for (uint32_t i = 0; i < now.truth_count; i++)
        fprintf(stderr, " %u", now.truth[i]);
    fputc('\n', stderr);
    print_claims();
    exit(EXIT_FAILURE);
}

/* ---- situations ---- */

static void make_machine(void) {
    const uint32_t states = 1 + roll(STATES_MAX);
    const uint32_t creations = 1 + (roll(4) == 0);
    uint32_t degree[STATES_MAX] = {0};
    small_init(&now.small, states);
    for (uint32_t i = 0; i < creations; i++)
        small_add(&now.small, BST_NONE, roll(states));
    for (uint32_t i = creations + roll(8); i < TRANSITIONS_MAX; i++)
        degree[roll(states)]++;
    for (uint32_t s = 0; s < states; s++) {
        for (uint32_t i = 0; i < degree[s]; i++)
            small_add(&now.small, s, roll(states));
    }
    for (uint32_t t = 0; t < now.small.machine.transition_count; t++) {
        now.event[t] = roll(EVENTS);
        now.small.transitions[t].event = now.event[t];
        now.weight[t] = roll(12) == 0 ? 0 : 1 + roll(3);
    }
    for (uint32_t s = 0; s < states; s++)
        now.stop[s] = roll(12) == 0 ? 0 : 1 + roll(3);
    now.weights = (bst_weights){.weight = now.weight,
                                .stop = now.stop,
                                .step_penalty = now.finite ? 0.1 * (1 + roll(9)) : 0.01};
}

/* Some walk of at most so many steps. Returns how many it has. */
static uint32_t make_walk(uint32_t wanted, uint32_t *walk) {
    uint32_t state = BST_NONE, steps = 0;
    while (steps < wanted) {
        const bst_state *const from = state == BST_NONE ? NULL : &now.small.states[state];
        const uint32_t count = from ? from->transition_count : now.small.machine.creation_count;
        if (count == 0)
            break;
        walk[steps] = (from ? from->first_transition : 0) + roll(count);
        state = now.small.transitions[walk[steps++]].to;
    }
    return steps;
}

static void make_truth(void) {
    uint32_t time = roll(3);
    now.truth_count = make_walk(1 + roll(7), now.truth);
    for (uint32_t i = 0; i < now.truth_count; i++) {
        now.time[i] = time;
        time += roll(3) == 0 ? 0 : 1 + roll(5);
    }
    now.question.state = now.small.transitions[now.truth[now.truth_count - 1]].to;
}

/* In some cases steps depend on the states before, as they did in a few walks of the past; in some,
 * those that lead back cost more. */
static void make_past(bst_arena *arena) {
    truths.context_states = truths.past_count = 0;
    if (roll(3) == 0) {
        now.weights.leads_back = bst_steps_back(&now.small.machine, arena);
        now.weights.loop_penalty = 0.1 * (1 + roll(10));
        EXPECT(now.weights.leads_back);
    }
    if (roll(2) == 0)
        return;
    for (uint32_t w = 1 + roll(PAST_MAX); w > 0; w--) {
        const uint32_t number = truths.past_count++;
        const uint32_t steps = make_walk(1 + roll(ORACLE_STEPS), now.past_steps[number]);
        now.past[number] = (bst_seen_walk){1 + roll(6), steps, now.past_steps[number]};
    }
    truths.past = now.past;
    truths.context_states = 2 + roll(BST_CONTEXT_STATES_MAX - 1);
    truths.worth = 0.1 * (1 + roll(50));
    EXPECT(bst_contexts_make(&now.small.machine, truths.context_states, truths.past_count, now.past,
                             arena, &now.contexts) == BST_OK);
    bst_contexts_weigh(&now.contexts, &now.small.machine, now.weight, now.stop, truths.past_count,
                       now.past, truths.worth);
    now.weights.contexts = &now.contexts;
    context_cases++;
}

/* Some set that the transition is in: alone, its event, what enters its state, everything. */
static void fill_set(uint8_t *flags, uint32_t like) {
    const uint32_t way = roll(8);
    for (uint32_t t = 0; t < now.small.machine.transition_count; t++)
        flags[t] = t == like || way == 7 || (way < 4 && now.event[t] == now.event[like]) ||
                   (way == 4 && now.small.transitions[t].to == now.small.transitions[like].to);
}

static uint32_t occurrences(const uint8_t *flags, uint32_t first, uint32_t end) {
    uint32_t count = 0;
    for (uint32_t i = first; i < end; i++)
        count += flags[now.truth[i]];
    return count;
}

static bst_claim *add_claim(bst_claim_kind kind, uint32_t like) {
    const size_t number = now.question.claim_count++;
    fill_set(now.flags[number], like);
    now.claims[number] =
        (bst_claim){.kind = kind, .transitions = now.flags[number], .rank = BST_NONE};
    now.claims[number].after = BST_NONE;
    now.step_of[number] = BST_NONE;
    return &now.claims[number];
}

static void add_happened(void) {
    const uint32_t step = roll(now.truth_count), number = (uint32_t)now.question.claim_count;
    bst_claim *const claim = add_claim(BST_CLAIM_HAPPENED, now.truth[step]);
    const bool first = occurrences(now.flags[number], 0, step) == 0;
    const bool last = occurrences(now.flags[number], step + 1, now.truth_count) == 0;
    now.step_of[number] = step;
    claim->rank = roll(6) == 0 ? BST_NONE : now.time[step];
    if (roll(3) > 0 && (first || last))
        claim->occurrence = first && last ? (bst_occurrence)(1 + roll(3))
                            : first       ? BST_OCCURRENCE_FIRST
                                          : BST_OCCURRENCE_LAST;
    const uint32_t other = number > 0 ? roll(number) : 0;
    if (number > 0 && roll(3) == 0 && now.step_of[other] != BST_NONE &&
        now.step_of[other] != step) {
        if (now.step_of[other] < step)
            claim->after = other;
        else if (now.claims[other].after == BST_NONE)
            now.claims[other].after = number;
    }
}

static void add_count(void) {
    const uint32_t number = (uint32_t)now.question.claim_count;
    bst_claim *const claim = add_claim(BST_CLAIM_COUNT, roll(now.small.machine.transition_count));
    const uint32_t count = occurrences(now.flags[number], 0, now.truth_count);
    claim->relation = (bst_relation)roll(3);
    claim->count = count;
    if (claim->relation == BST_AT_MOST)
        claim->count += roll(3);
    if (claim->relation == BST_AT_LEAST)
        claim->count -= roll(count + 1);
}

static void add_never(void) {
    const uint32_t number = (uint32_t)now.question.claim_count;
    (void)add_claim(BST_CLAIM_NEVER, roll(now.small.machine.transition_count));
    if (occurrences(now.flags[number], 0, now.truth_count) > 0)
        now.question.claim_count--;
}

static void add_lie(void) {
    const bst_claim_kind kind = (bst_claim_kind)roll(3);
    bst_claim *const claim = add_claim(kind, roll(now.small.machine.transition_count));
    claim->occurrence = (bst_occurrence)roll(4);
    claim->rank = roll(12);
    claim->relation = (bst_relation)roll(3);
    claim->count = roll(4);
    now.lied = true;
}

static void make_situation(bst_arena *arena) {
    memset(&now, 0, sizeof now);
    now.finite = roll(2) == 0;
    now.question.claims = now.claims;
    make_machine();
    make_truth();
    make_past(arena);
    for (uint32_t left = roll(6); left > 0; left--) {
        const uint32_t kind = roll(6);
        if (kind == 5)
            add_count();
        else if (kind == 4)
            add_never();
        else
            add_happened();
    }
    for (uint32_t left = roll(4) == 0 ? 1 + roll(2) : 0; left > 0; left--)
        add_lie();
    truths.steps_max = now.finite ? now.truth_count + roll(3) : 7;
    if (now.finite) {
        bst_claim *const all = add_claim(BST_CLAIM_COUNT, 0);
        memset(now.flags[now.question.claim_count - 1], 1, TRANSITIONS_MAX);
        all->relation = BST_AT_MOST;
        all->count = truths.steps_max;
    }
}

/* ---- what must hold ---- */

static const oracle_walk *find_walk(const uint32_t *transitions, uint32_t count) {
    for (uint32_t w = 0; w < truths.count; w++) {
        const oracle_walk *const walk = &truths.walks[w];
        if (walk->count == count &&
            memcmp(walk->steps, transitions, count * sizeof *transitions) == 0)
            return walk;
    }
    return NULL;
}

static bool near(double a, double b) {
    return fabs(a - b) <= (now.finite ? 1e-8 : 1e-6);
}

/* Of several equal ones the first in the order of the file: shorter before longer, then by number.
 */
static bool precedes(const oracle_walk *a, const oracle_walk *b) {
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        if (a->steps[i] != b->steps[i])
            return a->steps[i] < b->steps[i];
    }
    return a->count < b->count;
}

static void check_best(const bst_answer *answer, const oracle_walk *best) {
    const oracle_walk *second = NULL;
    for (uint32_t w = 0; w < truths.count; w++) {
        const oracle_walk *const walk = &truths.walks[w];
        /* Zero weights make masses that differ by 1e-9 or so: neither equal nor different enough.
         */
        EXPECT(walk->mass <= best->mass * (1 + 1e-9));
        EXPECT(walk == best || walk->mass < best->mass * (1 - 1e-11) || precedes(best, walk) ||
               now.weights.seen_count > 0 || walk->mass > best->mass * (1 + 1e-11));
        if (walk != best && (!second || walk->mass > second->mass))
            second = walk;
    }
    EXPECT(near(answer->confidence, best->mass / truths.mass));
    if (second) {
        const oracle_walk *const runner_up = find_walk(answer->runner_up, answer->runner_up_count);
        EXPECT(answer->runner_up_count > 0);
        EXPECT(!now.finite || (runner_up && runner_up != best));
        EXPECT(near(answer->runner_up_confidence, second->mass / truths.mass));
        EXPECT(!answer->certain);
    }
    if (now.finite) {
        EXPECT(answer->certain == (truths.count == 1));
        EXPECT(second || answer->runner_up_count == 0);
    }
}

/* Another step of the tied group may come before or after this one. */
static bool may_swap(const oracle_walk *best, uint32_t step) {
    for (uint32_t c = 0; c < now.question.claim_count; c++) {
        for (uint32_t d = 0; d < now.question.claim_count; d++) {
            if (best->met_at[c] != step || best->met_at[d] == step ||
                now.claims[c].rank == BST_NONE || now.claims[d].kind != BST_CLAIM_HAPPENED ||
                now.claims[c].rank != now.claims[d].rank)
                continue;
            const bool before = best->met_at[c] < best->met_at[d];
            for (uint32_t w = 0; w < truths.count; w++) {
                const uint32_t *const met_at = truths.walks[w].met_at;
                if (before ? met_at[d] < met_at[c] : met_at[c] < met_at[d])
                    return true;
            }
        }
    }
    return false;
}

static void check_recorded(const bst_walk_step *step, const oracle_walk *best, uint32_t number) {
    double mass = 0;
    bool all = true;
    for (uint32_t w = 0; w < truths.count; w++) {
        const oracle_walk *const walk = &truths.walks[w];
        const bst_transition *const it =
            &now.small.transitions[walk->steps[walk->met_at[step->claim]]];
        const bst_transition *const ours = &now.small.transitions[step->transition];
        const bool same = it->event == ours->event && it->to == ours->to;
        mass += same ? walk->mass : 0;
        all = all && same;
    }
    EXPECT(step->basis == BST_BASIS_RECORDED);
    EXPECT(near(step->confidence, mass / truths.mass));
    EXPECT(!now.finite || !all || step->confidence == 1);
    EXPECT(now.finite ? step->tied == may_swap(best, number)
                      : step->tied || !may_swap(best, number));
}

static void check_other(const bst_walk_step *step, const oracle_walk *best, uint32_t number) {
    const uint32_t place = oracle_place(&truths, best, number);
    const uint32_t least = oracle_takings(&truths, best, step->transition, place, number) + 1;
    double mass = 0;
    bool all = true;
    for (uint32_t w = 0; w < truths.count; w++) {
        const oracle_walk *const walk = &truths.walks[w];
        const bool has =
            oracle_takings(&truths, walk, step->transition, place, walk->count) >= least;
        mass += has ? walk->mass : 0;
        all = all && has;
    }
    EXPECT(!step->tied);
    EXPECT(near(step->confidence, mass / truths.mass));
    EXPECT(all || step->basis == BST_BASIS_ASSUMED);
    EXPECT(!now.finite || !all || step->basis == BST_BASIS_IMPLIED);
    EXPECT(step->basis == BST_BASIS_ASSUMED || step->confidence == 1);
}

/* Which step a claim means is sure where another claim of this step is sure of it. */
static void check_doubt(const bst_walk_step *step, const oracle_walk *best, uint32_t number) {
    bool sure = step->claim == BST_NONE;
    for (uint32_t c = 0; c < now.question.claim_count; c++)
        sure = sure || (now.claims[c].rank != BST_NONE && best->met_at[c] == number &&
                        best->met_late[c] == number);
    EXPECT(step->latest == (sure ? number : best->met_late[step->claim]));
    doubts += !sure;
}

static void check_found(const bst_answer *answer) {
    uint32_t transitions[ORACLE_STEPS];
    if (!now.finite && answer->step_count > truths.steps_max)
        return;
    for (uint32_t i = 0; i < answer->step_count; i++)
        transitions[i] = answer->steps[i].transition;
    const oracle_walk *const best = find_walk(transitions, answer->step_count);
    EXPECT(best);
    /* What the oracle did not see: at most the penalty for that many steps. */
    if (!now.finite && pow(now.weights.step_penalty, truths.steps_max + 1) > 1e-7 * truths.mass)
        return;
    loops += !now.finite;
    check_best(answer, best);
    for (uint32_t i = 0; i < answer->step_count; i++) {
        EXPECT(answer->steps[i].claim == oracle_claim(&truths, best, i));
        check_doubt(&answer->steps[i], best, i);
        if (answer->steps[i].claim != BST_NONE)
            check_recorded(&answer->steps[i], best, i);
        else
            check_other(&answer->steps[i], best, i);
    }
}

/* ---- values ---- */

/* Steps add to a sum; one that would go beyond the cap is ruled out, and so is a walk that does not
 * end at the target. Some steps fork: only the half that a walk decides at its end is right. */
typedef struct tally {
    uint32_t adds[64], cap, target;
    const bst_possible_step *steps;
} tally;

static uint32_t tally_step(void *context, uint32_t values, uint32_t step, uint32_t *ret) {
    const tally *const t = context;
    const uint32_t add = t->adds[t->steps[step].transition % 64], sum = values / 2 + add;
    if (sum > t->cap)
        return 0;
    /* whether the sum is odd is guessed at the start, and must come true */
    if (values == 0 && t->target % 3 == 0) {
        ret[0] = sum * 2;
        ret[1] = sum * 2 + 1;
        return 2;
    }
    ret[0] = sum * 2 + values % 2;
    return 1;
}

static bool tally_accept(void *context, uint32_t values) {
    const tally *const t = context;
    const bool guessed = t->target % 3 != 0 || values % 2 == t->target % 2;
    return values / 2 == t->target && guessed;
}

static bool tally_fits(const tally *t, const oracle_walk *walk) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < walk->count; i++) {
        sum += t->adds[walk->steps[i] % 64];
        if (sum > t->cap)
            return false;
    }
    return sum == t->target;
}

/* Leaves in the oracle only what fits. */
static void keep_fitting(const tally *t) {
    uint32_t count = 0;
    truths.mass = 0;
    for (uint32_t w = 0; w < truths.count; w++) {
        if (tally_fits(t, &truths.walks[w])) {
            truths.mass += truths.walks[w].mass;
            truths.walks[count++] = truths.walks[w];
        }
    }
    truths.count = count;
}

/* The walks that fit are those of the oracle that do, and all that is said of them is said of these
 * alone. */
static void check_fits(bst_arena *arena) {
    tally t = {.cap = 4 + roll(12)};
    bst_walks *walks;
    bst_fit fit;
    bst_answer answer;
    uint32_t count;
    for (uint32_t i = 0; i < 64; i++)
        t.adds[i] = 1 + roll(2);
    for (uint32_t i = 0; i < truths.walks[0].count; i++)
        t.target += t.adds[truths.walks[0].steps[i] % 64];
    EXPECT(bst_walks_new(&now.small.machine, &now.weights, &now.question, &walks, NULL) == BST_OK);
    EXPECT(walks);
    t.steps = bst_walks_steps(walks, &count);
    const bst_lens lens = {&t, 0, tally_step, tally_accept};
    EXPECT(bst_fit_make(walks, &lens, 100000, arena, &fit, NULL) == BST_OK);
    EXPECT(!fit.open);
    keep_fitting(&t);
    EXPECT((fit.outcome == BST_FOUND) == (truths.count > 0));
    if (fit.outcome == BST_FOUND) {
        EXPECT(bst_fit_answer(walks, &fit, 0, arena, &answer, NULL) == BST_OK);
        EXPECT(answer.outcome == BST_FOUND);
        check_found(&answer);
        fit_cases++;
    }
    bst_walks_free(walks);
}

/* What comes out when only these claims are there. */
static bst_outcome outcome_of(const uint8_t *keep) {
    bst_claim claims[ORACLE_CLAIMS];
    uint32_t number[ORACLE_CLAIMS], count = 0;
    for (uint32_t c = 0; c < now.question.claim_count; c++)
        number[c] = keep[c] ? count++ : BST_NONE;
    for (uint32_t c = 0; c < now.question.claim_count; c++) {
        if (!keep[c])
            continue;
        claims[number[c]] = now.claims[c];
        if (now.claims[c].after != BST_NONE)
            claims[number[c]].after = number[now.claims[c].after];
    }
    const bst_question question = {
        .state = now.question.state, .claims = claims, .claim_count = count};
    bst_answer answer = {.outcome = BST_TOO_AMBIGUOUS};
    bst_arena *const arena = bst_arena_new();
    EXPECT(arena);
    EXPECT(bst_infer(&now.small.machine, &now.weights, &question, arena, &answer, NULL) == BST_OK);
    bst_arena_free(arena);
    return answer.outcome;
}

static void check_contradiction(const bst_answer *answer) {
    uint8_t keep[ORACLE_CLAIMS];
    contradictions++;
    EXPECT(now.lied);
    memset(keep, 0, sizeof keep);
    for (uint32_t i = 0; i < answer->conflict_count; i++)
        keep[answer->conflict[i]] = 1;
    EXPECT(outcome_of(keep) == BST_CONTRADICTION);
    for (uint32_t i = 0; i < answer->conflict_count; i++) {
        keep[answer->conflict[i]] = 0;
        EXPECT(outcome_of(keep) == BST_FOUND);
        keep[answer->conflict[i]] = 1;
    }
    for (uint32_t c = 0; c < now.question.claim_count; c++) {
        bool listed = false;
        for (uint32_t i = 0; i < answer->repair_count; i++)
            listed = listed || answer->repairs[i] == c;
        memset(keep, 1, sizeof keep);
        keep[c] = 0;
        EXPECT(listed == (outcome_of(keep) == BST_FOUND));
    }
}

/* Some of the walks were seen before, in all and where the evidence was the same. */
static void make_seen(void) {
    double total = 0, here = 0;
    now.weights.steps_worth = 0.5 * (1 + roll(8));
    now.weights.rest_worth = 0.5 * (1 + roll(8));
    for (uint32_t w = roll(3); w < truths.count && now.weights.seen_count < SEEN_MAX;
         w += 1 + roll(3)) {
        const uint32_t number = now.weights.seen_count++;
        memcpy(now.seen_steps[number], truths.walks[w].steps, sizeof now.seen_steps[number]);
        now.seen[number] =
            (bst_seen_walk){1 + roll(6), truths.walks[w].count, now.seen_steps[number]};
        now.here[number] = roll(2) * roll(4);
        here += now.here[number];
        truths.walks[w].mass += now.seen[number].times / now.weights.steps_worth;
    }
    for (uint32_t w = 0; w < truths.count; w++)
        total += truths.walks[w].mass;
    for (uint32_t s = 0; s < now.weights.seen_count && here > 0; s++) {
        for (uint32_t w = 0; w < truths.count; w++) {
            if (truths.walks[w].count == now.seen[s].step_count &&
                memcmp(truths.walks[w].steps, now.seen_steps[s],
                       truths.walks[w].count * sizeof(uint32_t)) == 0)
                truths.walks[w].mass += now.here[s] * total / now.weights.rest_worth;
        }
    }
    truths.mass = 0;
    for (uint32_t w = 0; w < truths.count; w++)
        truths.mass += truths.walks[w].mass;
    now.weights.seen = now.seen;
    now.weights.here = roll(2) == 0 || here > 0 ? now.here : NULL;
    seen_cases += now.weights.seen_count > 0;
}

static void check_situation(bst_arena *arena) {
    bst_answer answer;
    truths.machine = &now.small.machine;
    truths.weights = &now.weights;
    truths.question = &now.question;
    oracle_run(&truths);
    if (!truths.full && now.finite && roll(2) == 0)
        make_seen();
    EXPECT(bst_infer(&now.small.machine, &now.weights, &now.question, arena, &answer, NULL) ==
           BST_OK);
    EXPECT(answer.outcome != BST_TOO_AMBIGUOUS);
    EXPECT(now.lied || answer.outcome == BST_FOUND);
    if (truths.full) {
        skipped++;
        return;
    }
    EXPECT(answer.outcome == BST_FOUND || truths.count == 0);
    if (now.finite)
        EXPECT(answer.outcome == BST_CONTRADICTION || truths.count > 0);
    found_cases += answer.outcome == BST_FOUND;
    certain_cases += answer.outcome == BST_FOUND && answer.certain;
    if (answer.outcome == BST_FOUND)
        check_found(&answer);
    else
        check_contradiction(&answer);
    if (answer.outcome == BST_FOUND && now.finite)
        check_fits(arena);
}

int main(void) {
    const uint64_t first = random_setting("BACKSTORY_SEED", 1),
                   cases = random_setting("BACKSTORY_CASES", 50000);
    bst_arena *arena = bst_arena_new();
    if (!arena)
        return EXIT_FAILURE;
    for (seed = first; seed < first + cases; seed++) {
        random_state = seed * UINT64_C(0x2545F4914F6CDD1D);
        make_situation(arena);
        check_situation(arena);
        bst_arena_clear(arena);
    }
    bst_arena_free(arena);
    printf("%llu cases: %u found (%u certain, %u with loops compared, %u with histories seen), "
           "%u with contexts, "
           "%u with values, %u contradictions, %u too large to write down\n",
           (unsigned long long)cases, found_cases, certain_cases, loops, seen_cases, context_cases,
           fit_cases, contradictions, skipped);
    /* A generator that stopped making what is to be tested must not look like success. */
    if (cases >= 1000 &&
        (found_cases < cases / 2 || certain_cases < cases / 20 || contradictions < cases / 50 ||
         loops < cases / 20 || seen_cases < cases / 20 || context_cases < cases / 4 ||
         doubts < cases / 50 || fit_cases < cases / 10 || skipped > cases / 4))
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
