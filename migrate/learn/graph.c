/* The possible walks of each signature, made once: they do not depend on weights. */
#include "learn_private.h"

#define NODES_MAX 20000u   /* of one signature's graph */
#define NODES_ALL 4000000u /* of all together */

bst_question bst__learn_question(const bst__learn_class *class) {
    return (bst_question){
        .state = class->state, .claims = class->claims, .claim_count = class->claim_count};
}

static bst_status explore(bst__rules *rules, const bst_contexts *contexts, bst_arena *arena,
                          bst_outcome *ret_outcome, bst__reached *ret) {
    const bst__rules plain = *rules;
    if (contexts) {
        bst__rules_remember(rules, contexts);
        const bst_status status = bst__explore(rules, NODES_MAX, arena, ret_outcome, ret);
        if (status != BST_OK || *ret_outcome != BST_TOO_AMBIGUOUS)
            return status;
        *rules = plain;
    }
    return bst__explore(rules, NODES_MAX, arena, ret_outcome, ret);
}

bst_status bst__learn_graph(bst__learner *learner, bst__learn_class *class,
                            const bst_contexts *contexts) {
    const bst_question question = bst__learn_question(class);
    bst_outcome outcome;
    bst__reached reached;
    bst_arena *const arena = bst_arena_new();
    bst_status status = arena && question.claim_count <= BST_CLAIMS_MAX ? BST_OK : BST_NOMEM;
    if (status == BST_OK)
        status = bst__rules_make(learner->machine, &question, NULL, arena, &class->rules);
    if (status == BST_OK)
        status = explore(&class->rules, contexts, arena, &outcome, &reached);
    if (status == BST_OK && outcome == BST_FOUND) {
        status = bst__graph_make(&class->rules, &reached, arena, &class->graph);
        if (status == BST_OK && learner->nodes + class->graph.node_count <= NODES_ALL) {
            learner->nodes += class->graph.node_count;
            class->arena = arena;
            return BST_OK;
        }
    }
    bst_arena_free(arena);
    return status;
}
