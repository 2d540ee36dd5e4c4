/* Claims as an automaton: what one step does to the progress through them.
 *
 * The sums over walks are right only if each walk is exactly one path of the product graph. So the
 * progress through the claims has to be a function of the walk, although a claim may fit several of
 * its steps:
 * - FIRST and ONLY are met by the first step in their transitions, or never.
 * - ANY is met by the earliest step that can meet it. All conditions between claims have the form
 *   "an earlier step than", so if each of several claims can be met at some steps, they can all be
 *   met at the earliest of each: nothing is lost by being greedy.
 * - LAST is met by the last step. Going forwards that has to be guessed, so there the graph forks:
 *   met (and no step in its transitions may follow), or not yet. A walk agrees with one guess only.
 * A claim can be met when all claims of lower ranks are met by earlier steps, and the one it comes
 * `after` as well. Claims without a rank are met whenever they can be.
 */
#include "infer_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool bst__rules_met(const uint32_t *row, uint32_t item) {
    return (row[BST__ROW_MET + item / 32] >> item % 32) & 1;
}

void bst__rules_meet(uint32_t *row, uint32_t item) {
    row[BST__ROW_MET + item / 32] |= UINT32_C(1) << item % 32;
}

static bool touch_item(const bst__rules *rules, const uint32_t *row, uint32_t number,
                       uint32_t *next, bst__choice *choice) {
    const bst__item *const item = &rules->items[number];
    const bool last = item->occurrence == BST_OCCURRENCE_LAST;
    if (bst__rules_met(row, number))
        return !last && item->occurrence != BST_OCCURRENCE_ONLY;
    const bool ready = (item->place == BST_NONE || item->place == row[BST__ROW_PLACE]) &&
                       (item->after == BST_NONE || bst__rules_met(row, item->after));
    if (!ready)
        return last || item->occurrence == BST_OCCURRENCE_ANY;
    if (last)
        choice->items[choice->count++] = number;
    else
        bst__rules_meet(next, number);
    return true;
}

static bool count_up(const bst__counter *counter, uint32_t *number) {
    if (*number < counter->count)
        (*number)++;
    else if (counter->relation != BST_AT_LEAST)
        return false;
    return true;
}

void bst__rules_remember(bst__rules *rules, const bst_contexts *contexts) {
    rules->contexts = contexts;
    rules->stride++;
}

void bst__rules_begin(const bst__rules *rules, uint32_t *row) {
    row[BST__ROW_STATE] = rules->start;
    if (rules->contexts) /* a state alone has its own number */
        row[rules->stride - 1] = rules->start;
}

bool bst__rules_step(const bst__rules *rules, const uint32_t *row, uint32_t transition,
                     uint32_t *next, bst__choice *choice) {
    uint32_t *const numbers = next + BST__ROW_MET + rules->met_words;
    memcpy(next, row, rules->stride * sizeof *next);
    next[BST__ROW_STATE] = rules->machine->transitions[transition].to;
    if (rules->contexts)
        next[rules->stride - 1] =
            bst_context_after(rules->contexts, rules->machine, row[rules->stride - 1], transition);
    choice->count = 0;
    for (uint32_t i = rules->touch_first[transition]; i < rules->touch_first[transition + 1]; i++) {
        const uint32_t touched = rules->touch[i];
        const uint32_t counter = touched - rules->item_count;
        if (touched < rules->item_count ? !touch_item(rules, row, touched, next, choice)
                                        : !count_up(&rules->counters[counter], &numbers[counter]))
            return false;
    }
    return true;
}

void bst__rules_settle(const bst__rules *rules, uint32_t *row) {
    const uint32_t place = row[BST__ROW_PLACE];
    if (place == rules->place_count)
        return;
    const uint32_t *const group = rules->groups + (size_t)place * rules->met_words;
    for (uint32_t i = 0; i < rules->met_words; i++) {
        if ((row[BST__ROW_MET + i] & group[i]) != group[i])
            return;
    }
    row[BST__ROW_PLACE]++;
}

bool bst__rules_accept(const bst__rules *rules, const uint32_t *row) {
    const uint32_t *const numbers = row + BST__ROW_MET + rules->met_words;
    if (row[BST__ROW_STATE] != rules->state)
        return false;
    for (uint32_t i = 0; i < rules->item_count; i++) {
        if (!bst__rules_met(row, i))
            return false;
    }
    for (uint32_t i = 0; i < rules->counter_count; i++) {
        if (rules->counters[i].relation != BST_AT_MOST && numbers[i] != rules->counters[i].count)
            return false;
    }
    return true;
}

/* A count that no walk within the limits can pass says nothing, and costs no counter. */
static bool idle(const bst_claim *claim) {
    return claim->relation == BST_AT_LEAST
               ? claim->count == 0
               : claim->relation == BST_AT_MOST && claim->count >= BST_WALK_STEPS_MAX;
}

static bool forbids(const bst_claim *claim) {
    return claim->kind == BST_CLAIM_NEVER ||
           (claim->kind == BST_CLAIM_COUNT && claim->relation != BST_AT_LEAST && claim->count == 0);
}

static int by_number(const void *a, const void *b) {
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* What is being put together. number[c] is the item or counter that claim c became, or BST_NONE. */
typedef struct maker {
    const bst_question *question;
    const uint8_t *use;
    bst_arena *arena;
    bst__rules rules;
    bst__item *items;
    bst__counter *counters;
    uint32_t number[BST_CLAIMS_MAX];
} maker;

static bool used(const maker *m, uint32_t claim) {
    return !m->use || m->use[claim];
}

static bool count_parts(maker *m) {
    for (uint32_t c = 0; c < m->question->claim_count; c++) {
        const bst_claim *const claim = &m->question->claims[c];
        m->number[c] = BST_NONE;
        if (!used(m, c))
            continue;
        if (claim->kind == BST_CLAIM_HAPPENED)
            m->number[c] = m->rules.item_count++;
        else if (claim->kind == BST_CLAIM_COUNT && !forbids(claim) && !idle(claim))
            m->number[c] = m->rules.counter_count++;
    }
    bst__rules *const rules = &m->rules;
    rules->met_words = (rules->item_count + 31) / 32;
    rules->stride = BST__ROW_MET + rules->met_words + rules->counter_count;
    m->items = bst_arena_array(m->arena, rules->item_count, sizeof *m->items);
    m->counters = bst_arena_array(m->arena, rules->counter_count, sizeof *m->counters);
    rules->items = m->items;
    rules->counters = m->counters;
    return m->items && m->counters;
}

/* What comes after a claim that is not there (left out to find a conflict) comes at any time. */
static void make_parts(maker *m) {
    bool awaited[BST_CLAIMS_MAX] = {false};
    for (uint32_t c = 0; c < m->question->claim_count; c++) {
        const bst_claim *const claim = &m->question->claims[c];
        const uint32_t number = m->number[c];
        if (number == BST_NONE)
            continue;
        if (claim->kind == BST_CLAIM_COUNT) {
            m->counters[number] = (bst__counter){claim->relation, claim->count};
            continue;
        }
        assert(claim->after == BST_NONE ||
               (claim->after < m->question->claim_count &&
                m->question->claims[claim->after].kind == BST_CLAIM_HAPPENED));
        const uint32_t after = claim->after == BST_NONE ? BST_NONE : m->number[claim->after];
        m->items[number] = (bst__item){c, claim->rank, after, claim->occurrence};
        if (after != BST_NONE)
            awaited[after] = true;
    }
    /* The last of something at an unknown time is there when any of it is. */
    for (uint32_t i = 0; i < m->rules.item_count; i++) {
        bst__item *const item = &m->items[i];
        if (item->place == BST_NONE && item->occurrence == BST_OCCURRENCE_LAST && !awaited[i])
            item->occurrence = BST_OCCURRENCE_ANY;
    }
}

/* Ranks, so far as the caller gave them, become places 0, 1, 2, ... */
static bool make_places(maker *m) {
    uint32_t ranks[BST_CLAIMS_MAX];
    uint32_t count = 0, places = 0;
    for (uint32_t i = 0; i < m->rules.item_count; i++) {
        if (m->items[i].place != BST_NONE)
            ranks[count++] = m->items[i].place;
    }
    qsort(ranks, count, sizeof *ranks, by_number);
    for (uint32_t i = 0; i < count; i++) {
        if (places == 0 || ranks[places - 1] != ranks[i])
            ranks[places++] = ranks[i];
    }
    const uint32_t words = m->rules.met_words;
    uint32_t *const groups = bst_arena_array(m->arena, (size_t)places * words, sizeof *groups);
    if (!groups)
        return false;
    for (uint32_t i = 0; i < m->rules.item_count; i++) {
        uint32_t *const rank = &m->items[i].place;
        if (*rank == BST_NONE)
            continue;
        const uint32_t *const found = bsearch(rank, ranks, places, sizeof *ranks, by_number);
        *rank = (uint32_t)(found - ranks);
        groups[(size_t)*rank * words + i / 32] |= UINT32_C(1) << i % 32;
    }
    m->rules.place_count = places;
    m->rules.groups = groups;
    return true;
}

/* The claims that became parts, in the order of their numbers: items, then counters. */
static uint32_t list_parts(const maker *m, const uint8_t *ret[BST_CLAIMS_MAX]) {
    const bst_claim *const claims = m->question->claims;
    for (uint32_t c = 0; c < m->question->claim_count; c++) {
        const uint32_t before = claims[c].kind == BST_CLAIM_COUNT ? m->rules.item_count : 0;
        if (m->number[c] != BST_NONE)
            ret[before + m->number[c]] = claims[c].transitions;
    }
    return m->rules.item_count + m->rules.counter_count;
}

static bool make_touch(maker *m) {
    const uint32_t transitions = m->rules.machine->transition_count;
    const uint8_t *flags[BST_CLAIMS_MAX];
    const uint32_t parts = list_parts(m, flags);
    uint32_t *const first = bst_arena_array(m->arena, (size_t)transitions + 2, sizeof *first);
    if (!first)
        return false;
    for (uint32_t p = 0; p < parts; p++) {
        for (uint32_t t = 0; t < transitions; t++)
            first[t + 2] += flags[p][t] != 0;
    }
    for (uint32_t t = 0; t < transitions; t++)
        first[t + 2] += first[t + 1];
    uint32_t *const touch = bst_arena_array(m->arena, first[transitions + 1], sizeof *touch);
    if (!touch)
        return false;
    for (uint32_t p = 0; p < parts; p++) {
        for (uint32_t t = 0; t < transitions; t++) {
            if (flags[p][t])
                touch[first[t + 1]++] = p;
        }
    }
    m->rules.touch_first = first;
    m->rules.touch = touch;
    return true;
}

/* Closes the transitions that lead where the end cannot be reached from; so the search through the
 * product graph stays on this side of them. */
static bool close_dead_ends(const bst__rules *rules, uint8_t *closed, bst_arena *arena) {
    const bst_machine *const machine = rules->machine;
    uint32_t *const first = bst_arena_array(arena, (size_t)machine->state_count + 2, sizeof *first);
    uint32_t *const into = bst_arena_array(arena, machine->transition_count, sizeof *into);
    uint32_t *const stack = bst_arena_array(arena, machine->state_count, sizeof *stack);
    uint8_t *const alive = bst_arena_array(arena, machine->state_count, sizeof *alive);
    if (!first || !into || !stack || !alive)
        return false;
    for (uint32_t t = 0; t < machine->transition_count; t++)
        first[machine->transitions[t].to + 2]++;
    for (uint32_t s = 0; s < machine->state_count; s++)
        first[s + 2] += first[s + 1];
    for (uint32_t t = 0; t < machine->transition_count; t++)
        into[first[machine->transitions[t].to + 1]++] = t;
    uint32_t depth = 0;
    alive[rules->state] = 1;
    stack[depth++] = rules->state;
    while (depth > 0) {
        const uint32_t state = stack[--depth];
        for (uint32_t i = first[state]; i < first[state + 1]; i++) {
            const uint32_t from = machine->transitions[into[i]].from;
            if (!closed[into[i]] && from != BST_NONE && !alive[from]) {
                alive[from] = 1;
                stack[depth++] = from;
            }
        }
    }
    for (uint32_t t = 0; t < machine->transition_count; t++)
        closed[t] |= !alive[machine->transitions[t].to];
    return true;
}

static bool make_closed(maker *m) {
    const uint32_t transitions = m->rules.machine->transition_count;
    uint8_t *const closed = bst_arena_array(m->arena, transitions, sizeof *closed);
    if (!closed)
        return false;
    for (uint32_t c = 0; c < m->question->claim_count; c++) {
        const bst_claim *const claim = &m->question->claims[c];
        if (!used(m, c) || !forbids(claim))
            continue;
        for (uint32_t t = 0; t < transitions; t++)
            closed[t] |= claim->transitions[t] != 0;
    }
    m->rules.closed = closed;
    return close_dead_ends(&m->rules, closed, m->arena);
}

bst_status bst__rules_make(const bst_machine *machine, const bst_question *question,
                           const uint8_t *use, bst_arena *arena, bst__rules *ret) {
    assert(question->state < machine->state_count);
    assert(question->claim_count <= BST_CLAIMS_MAX);
    maker m = {.question = question, .use = use, .arena = arena};
    m.rules.machine = machine;
    m.rules.start = question->started ? question->start : BST_NONE;
    m.rules.state = question->state;
    if (!count_parts(&m))
        return BST_NOMEM;
    make_parts(&m);
    if (!make_places(&m) || !make_touch(&m) || !make_closed(&m))
        return BST_NOMEM;
    *ret = m.rules;
    return BST_OK;
}
