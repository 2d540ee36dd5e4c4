/* Why nothing is possible: claims that clash, and which one to give up.
 *
 * Leaving claims out only adds walks. So a conflict is found by growing: the shortest run of claims
 * that is impossible ends in a claim that is needed for it; keep that one, look again among those
 * before it together with what is kept, until what is kept is impossible by itself. Each run is
 * found by bisection, so a conflict of m among n claims takes m log n searches, and none of its
 * claims can be left out. Claims with ranks come first in the order: a conflict among times is the
 * easiest to explain.
 *
 * A search that runs out of its budget proves nothing, so the claim in question stays: the set is
 * still a conflict then, but perhaps not a smallest one. A single claim mends everything only if it
 * is in every conflict, so only those of the one found are tried.
 */
#include "infer_private.h"

#define BUDGETS 4 /* all searches together may make so many times nodes_max nodes */

typedef struct finder {
    const bst_machine *machine;
    const bst_weights *weights;
    const bst_question *question;
    bst_arena *scratch; /* of one search */
    uint32_t nodes_max, nodes_left;
    uint32_t count;
    uint32_t order[BST_CLAIMS_MAX];
    uint8_t kept[BST_CLAIMS_MAX], use[BST_CLAIMS_MAX]; /* flags of claims */
} finder;

/* Ranked claims, in the order of their times; then those without a rank, the forbidden, the
 * counted.
 */
static uint64_t sort_key(const bst_claim *claim) {
    return (uint64_t)claim->kind << 32 | (claim->kind == BST_CLAIM_HAPPENED ? claim->rank : 0);
}

static void make_order(finder *f) {
    for (uint32_t c = 0; c < f->question->claim_count; c++) {
        const bst_claim *const claims = f->question->claims;
        uint32_t at = f->count++;
        for (; at > 0 && sort_key(&claims[f->order[at - 1]]) > sort_key(&claims[c]); at--)
            f->order[at] = f->order[at - 1];
        f->order[at] = c;
    }
}

/* Are what is kept and the first `run` claims of the order impossible together? */
static bst_status is_impossible(finder *f, uint32_t run, bool *ret) {
    bst__rules rules;
    bst_outcome outcome = BST_TOO_AMBIGUOUS;
    for (uint32_t c = 0; c < f->question->claim_count; c++)
        f->use[c] = f->kept[c];
    for (uint32_t i = 0; i < run; i++)
        f->use[f->order[i]] = 1;
    bst_arena_clear(f->scratch);
    bst_status status = bst__rules_make(f->machine, f->question, f->use, f->scratch, &rules);
    if (status == BST_OK)
        status = bst__probe(&rules, &f->nodes_left, f->scratch, &outcome);
    *ret = outcome == BST_CONTRADICTION;
    return status;
}

static bst_status find_conflict(finder *f) {
    bool impossible;
    uint32_t run = f->count;
    bst_status status;
    while ((status = is_impossible(f, 0, &impossible)) == BST_OK && !impossible && run > 0) {
        uint32_t possible = 0;
        while (run - possible > 1 && status == BST_OK) {
            const uint32_t middle = possible + (run - possible) / 2;
            status = is_impossible(f, middle, &impossible);
            if (impossible)
                run = middle;
            else
                possible = middle;
        }
        if (status != BST_OK)
            break;
        f->kept[f->order[--run]] = 1;
    }
    return status;
}

/* The cost of the best walk when the claim is left out; BST__COST_NEVER: there is none. */
static bst_status cost_without(finder *f, uint32_t claim, bst__cost *ret) {
    bst__rules rules;
    bst__reached reached;
    bst__graph graph;
    bst__costs costs;
    const bst__cost *distance;
    bst_outcome outcome;
    *ret = BST__COST_NEVER;
    for (uint32_t c = 0; c < f->question->claim_count; c++)
        f->use[c] = c != claim;
    bst_arena_clear(f->scratch);
    const uint32_t budget = f->nodes_max < f->nodes_left ? f->nodes_max : f->nodes_left;
    bst_status status = bst__rules_make(f->machine, f->question, f->use, f->scratch, &rules);
    if (status == BST_OK)
        status = bst__explore(&rules, budget, f->scratch, &outcome, &reached);
    if (status != BST_OK)
        return status;
    f->nodes_left -= reached.node_count < f->nodes_left ? reached.node_count : f->nodes_left;
    if (outcome != BST_FOUND)
        return BST_OK;
    status = bst__graph_make(&rules, &reached, f->scratch, &graph);
    if (status == BST_OK)
        status = bst__costs_make(&rules, &graph, f->weights, f->question, f->scratch, &costs);
    if (status == BST_OK)
        status = bst__distances(&graph, &costs, f->scratch, &distance);
    if (status == BST_OK)
        *ret = distance[0];
    return status;
}

static bst_status find_repairs(finder *f, uint32_t *repairs, bst_answer *ret) {
    bst__cost costs[BST_CLAIMS_MAX];
    for (uint32_t i = 0; i < ret->conflict_count; i++) {
        const uint32_t claim = ret->conflict[i];
        bst__cost cost;
        const bst_status status = cost_without(f, claim, &cost);
        if (status != BST_OK)
            return status;
        if (cost == BST__COST_NEVER)
            continue;
        uint32_t at = ret->repair_count++;
        for (; at > 0 && costs[at - 1] > cost; at--) {
            costs[at] = costs[at - 1];
            repairs[at] = repairs[at - 1];
        }
        costs[at] = cost;
        repairs[at] = claim;
    }
    ret->repairs = repairs;
    return BST_OK;
}

bst_status bst__conflict_find(const bst_machine *machine, const bst_weights *weights,
                              const bst_question *question, uint32_t nodes_max, bst_arena *arena,
                              bst_answer *ret) {
    finder f = {.machine = machine, .weights = weights, .question = question};
    uint32_t *const conflict = bst_arena_array(arena, question->claim_count, sizeof *conflict);
    uint32_t *const repairs = bst_arena_array(arena, question->claim_count, sizeof *repairs);
    f.scratch = bst_arena_new();
    f.nodes_max = nodes_max;
    f.nodes_left = nodes_max * BUDGETS;
    bst_status status = conflict && repairs && f.scratch ? BST_OK : BST_NOMEM;
    if (status != BST_OK)
        goto out;
    make_order(&f);
    status = find_conflict(&f);
    if (status != BST_OK)
        goto out;
    for (uint32_t c = 0; c < question->claim_count; c++) {
        if (f.kept[c])
            conflict[ret->conflict_count++] = c;
    }
    ret->conflict = conflict;
    status = find_repairs(&f, repairs, ret);
out:
    bst_arena_free(f.scratch);
    return status;
}
