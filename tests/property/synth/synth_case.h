/* One case of the property in ../synth.c: a machine and a mapping drawn at random, a walk
 * through the machine, the row that it left behind, and what must hold of it. A program tries
 * one case at a time, so what is drawn is global. */
#ifndef SYNTH_CASE_H
#define SYNTH_CASE_H

#include "../../../migrate/synth/synth_private.h"

#define ROWS_A_MACHINE 25u
#define EVENTS_MAX     5u
#define STEPS_MAX      8u
#define FIELDS         2u
#define CELLS_MAX      64u
#define NOON           INT64_C(600000000000000)

/* What is drawn of the machine and the mapping, and asked for again when rows are written. */
typedef struct synth_shape {
    uint32_t states;
    uint32_t nested_from; /* states from here on lie in a state "p"; `states`: none do */
    bool parallel;        /* there is a state "q" of two regions */
    bool regional;        /* ... which have columns of their own */
    bool sums;      /* amounts differ from step to step, and columns know the total and the last */
    bool wants_all; /* policies bring over whatever they can */
    enum log_kind { CHANGES, WHOLE, VERSIONS, EVENTS } log_kind;
} synth_shape;

typedef struct synth_truth {
    uint32_t count;
    uint32_t transitions[STEPS_MAX];
    int64_t times[STEPS_MAX];
    bst_value amounts[EVENTS_MAX + 3]; /* of each event type: the same each time, or the last */
    bst_value paid[STEPS_MAX];         /* of each step, where it has one */
    bst_value note;
    bst_entity entity;
    bst_value fields[FIELDS];
} synth_truth;

/* How many rows there were of each kind: a generator that stops making one is found out. */
typedef struct synth_tally {
    unsigned migrated, certain, assumed, refused, given_up, logged, parted, undivided, summed;
    unsigned searched, hazy;
    unsigned spoiled, remedied[BST_REMEDY_COUNT];
} synth_tally;

extern uint64_t seed;
extern bst_mapping *mapping;
extern const bst_machine *machine;
extern synth_shape shape;
extern synth_truth now;
extern bst_cell cells[CELLS_MAX]; /* of the row */
extern bst_entity claimed;        /* what the row says */
extern synth_tally tally;

/* 0 to sides - 1. */
uint32_t roll(uint32_t sides);

/* Prints the case, and ends. */
void fail(const char *file, int line, const char *what) __attribute__((noreturn));

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__FILE__, __LINE__, #condition);                                                  \
    } while (0)

void draw_machine(bst_strbuf *out);
void draw_mapping(const bst_machine *of, bst_strbuf *out);

/* Draws `now`, then the row that says so; its cells are those of the case, until the next one is
 * written. */
void truth_live(void);
void row_write(bst_row *row);

/* A field, or an item of evidence, that is not what it was. False: nothing was there to spoil. */
bool row_spoil(void);

void judge_row(bst_synth *synth, bst_diags *diags);

/* A plan's signature is its name: no two have the same. */
void judge_names(bst_synth *synth, bst_diags *diags);

#endif
