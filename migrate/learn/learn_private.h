/* What the files of learning share.
 *
 *     rows, log -> classes, walks, cells   learn.c
 *     rows of a log -> a walk              walk.c
 *     classes -> graphs                    graph.c
 *     all of them -> tables by number      tables.c
 *     a belief -> how it does, held out    judge.c
 *     beliefs -> the best                  fit.c
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

#define BST__FOLDS BST_LEARN_FOLDS

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
    double rows, rows_in[BST__FOLDS];
    bool lost;
    UT_hash_handle hh;
    /* NULL: it leaves no choice, or too much of it */
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

/* How often a signature had a walk that took about so long. */
typedef struct bst__learn_span {
    uint32_t key[4]; /* class, bst_span_of, span, walk */
    double times[BST__FOLDS];
    bool lost;
    UT_hash_handle hh;
} bst__learn_span;

typedef struct bst__learner {
    const bst_mapping *mapping;
    const bst_machine *machine;
    bst_arena *arena, *scratch;
    bst__learn_class *classes; /* hash tables, in order of arrival */
    bst__learn_walk *walks;
    bst__learn_cell *cells;
    bst__learn_span *spans;
    uint32_t class_count, walk_count;
    uint32_t nodes;         /* of all graphs */
    double *counts, *stops; /* what the file will say: by transition, by state */
    bst_learn_figures figures;
    bst_diags *diags;
} bst__learner;

/* walk.c: what the first row of a log can be. */
typedef enum bst__begins {
    BST__BEGINS_CREATED, /* only a creation */
    BST__BEGINS_LATER,   /* only what follows one */
    BST__BEGINS_EITHER,
    BST__BEGINS_NEITHER,
    BST__BEGINS_COUNT
} bst__begins;

/* The steps of one entity, from its creation to `end`. */
typedef struct bst__learn_steps {
    bst_arena *scratch; /* the caller's, who empties it */
    uint32_t *steps;    /* transitions; the caller frees them */
    uint32_t count, room;
    bool unwritten; /* the caller's: the log does not write creations, so far as one can tell */
    bst__begins begins;
    bool created, filled; /* the creation, or other steps, were not in the log */
} bst__learn_steps;

/* *ret is BST_LEFT_NONE, or why there is no such walk. Without any rows: the creation alone. */
bst_status bst__learn_walk_make(bst__learn_steps *steps, const bst_mapping *mapping,
                                const bst__log_rows *log, uint32_t end, bst_learn_left *ret,
                                bst_diags *diags) BST_MUST_USE;

/* graph.c */
bst_question bst__learn_question(const bst__learn_class *class);
/* The graph of its possible walks. There are none, or too many: then class->arena is NULL. Without
 * contexts where there would be too many with them. */
bst_status bst__learn_graph(bst__learner *learner, bst__learn_class *class,
                            const bst_contexts *contexts) BST_MUST_USE;

/* tables.c: all of it by number, and the folds. */
typedef struct bst__fitter {
    bst__learner *learner;
    bst__learn_class **classes;
    bst__learn_walk **walks;
    bst__learn_cell **cells; /* by class */
    uint32_t *first_cell;    /* [class_count + 1] */
    bst__learn_span **spans; /* by class */
    uint32_t *first_span;    /* [class_count + 1] */
    bst_seen_walk *seen;     /* the walks, as often as all folds but the one at hand have them */
    double *weight, *stop;   /* of the fold at hand */
    const uint8_t *leads_back;
    bst_arena *contexts_arena;
    bst_contexts contexts;   /* that the graphs have */
    uint32_t context_states; /* of those; 1: none */
} bst__fitter;

bst_status bst__fitter_make(bst__learner *learner, bst__fitter *ret) BST_MUST_USE;
void bst__fitter_release(bst__fitter *fitter);
/* Makes the graphs anew, with contexts of so many states. BST_LIMIT: there are too many. */
bst_status bst__fitter_graphs(bst__fitter *fitter, uint32_t context_states) BST_MUST_USE;
/* How many histories of the fold the class has. */
double bst__fitter_tested(const bst__fitter *fitter, uint32_t class, uint32_t fold);

/* judge.c: what single steps are believed to be, and how that does on what is held out, with each
 * way to weigh whole histories against them. */
#define BST__WORTHS    14u
#define BST__RESTS     8u
#define BST__DISCOUNTS 5u
#define BST__HERES     12u

typedef struct bst__here {
    double discount, each;
} bst__here;

/* the last of each: single steps alone; the signature alone says nothing */
extern const double bst__worths[BST__WORTHS], bst__rests[BST__RESTS];
extern const double bst__discounts[BST__DISCOUNTS];
extern const bst__here bst__heres[BST__HERES];

typedef struct bst__belief {
    bool learned; /* false: all steps alike */
    double smoothing, step_penalty, loop_penalty, context_worth;
} bst__belief;

/* Sums of logarithms. */
typedef struct bst__scores {
    bool here; /* whether signatures are asked; else the last of the rests alone is */
    double of[BST__WORTHS][BST__DISCOUNTS][BST__RESTS][BST__HERES][BST__FOLDS];
} bst__scores;

/* Which of the ways to weigh whole histories: indices. */
typedef struct bst__way {
    size_t worth, discount, rest, here;
} bst__way;

bst_status bst__judge(bst__fitter *fitter, const bst__belief *belief, bool here,
                      bst__scores *ret) BST_MUST_USE;

/* The weights of single steps that are believed in, one fold held out, in the fitter's arrays. */
void bst__believe(bst__fitter *fitter, const bst__belief *belief, uint32_t fold, bst_weights *ret);
/* p(walk | signature) of each of the class's paths, the fold held out. BST_LIMIT: out of range. */
bst_status bst__judge_paths(bst__fitter *fitter, const bst_weights *weights, const bst__way *way,
                            uint32_t class, uint32_t fold, double *ret) BST_MUST_USE;

/* spans.c: how it does when those that took as long speak besides, by their worth. */
#define BST__SPAN_WORTHS 6u
extern const double bst__span_worths[BST__SPAN_WORTHS];
typedef struct bst__span_scores {
    double of[BST_SPAN_KINDS][BST__SPAN_WORTHS][BST__FOLDS];
} bst__span_scores;
bst_status bst__judge_spans(bst__fitter *fitter, const bst__belief *belief, const bst__way *way,
                            bst__span_scores *ret) BST_MUST_USE;

/* fit.c */
bst_status bst__learn_fit(bst__learner *learner) BST_MUST_USE;

/* em.c */
bst_status bst__learn_em(bst__learner *learner) BST_MUST_USE;

/* write.c */
bst_status bst__learn_write(const bst__learner *learner, bst_strbuf *out) BST_MUST_USE;

#endif
