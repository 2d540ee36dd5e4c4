/* What the files of learning share.
 *
 *     rows, log -> classes, walks, cells   learn.c
 *     classes -> graphs                    graph.c
 *     all of them -> what to believe       fit.c
 *     classes alone -> what to believe     em.c
 *     all of it -> the file                write.c
 */
#ifndef BACKSTORY_LEARN_PRIVATE_H
#define BACKSTORY_LEARN_PRIVATE_H

#include "backstory/learn.h"

#include "infer/infer_private.h"
#include "synth/log_rows_private.h"
#define bst__item bst__evidence_item /* inference has a type of this name too */
#include "synth/synth_private.h"
#undef bst__item

#define BST__FOLDS 5u

/* A whole history, and how often each part of the entities had it. */
typedef struct bst__learn_walk {
    uint32_t number, step_count;
    const uint32_t *transitions;
    double times[BST__FOLDS], total;
    bool lost;
    UT_hash_handle hh;
} bst__learn_walk;

/* A signature. */
typedef struct bst__learn_class {
    uint32_t number, state;
    const uint8_t *bytes;
    const char *text; /* readable, and unique */
    size_t claim_count;
    const bst_claim *claims;
    double rows;
    bool lost;
    UT_hash_handle hh;
    /* fit.c: NULL: it leaves no choice, or too much of it */
    bst_arena *arena;
    bst__rules rules;
    bst__graph graph;
    uint32_t path_count;
    const uint32_t *path_walks; /* which walks are possible */
    const bst__path *paths;
} bst__learn_class;

/* How often a signature had a walk. */
typedef struct bst__learn_cell {
    uint32_t key[2]; /* class, walk */
    double times[BST__FOLDS];
    bool lost;
    UT_hash_handle hh;
} bst__learn_cell;

typedef struct bst__learner {
    const bst_mapping *mapping;
    const bst_machine *machine;
    bst_arena *arena, *scratch;
    bst__learn_class *classes; /* hash tables, in order of arrival */
    bst__learn_walk *walks;
    bst__learn_cell *cells;
    uint32_t class_count, walk_count;
    uint32_t nodes;         /* of all graphs */
    double *counts, *stops; /* what the file will say: by transition, by state */
    bst_learn_figures figures;
    bst_diags *diags;
} bst__learner;

/* graph.c */
bst_question bst__learn_question(const bst__learn_class *class);
/* The graph of its possible walks. There are none, or too many: then class->arena is NULL. */
bst_status bst__learn_graph(bst__learner *learner, bst__learn_class *class) BST_MUST_USE;

/* fit.c */
bst_status bst__learn_fit(bst__learner *learner) BST_MUST_USE;

/* em.c */
bst_status bst__learn_em(bst__learner *learner) BST_MUST_USE;

/* write.c */
bst_status bst__learn_write(const bst__learner *learner, bst_strbuf *out) BST_MUST_USE;

#endif
