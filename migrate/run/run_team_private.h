/* What the workers of a run share. Built only with BACKSTORY_POSTGRES. */
#ifndef BACKSTORY_RUN_TEAM_PRIVATE_H
#define BACKSTORY_RUN_TEAM_PRIVATE_H

#include <pthread.h>

#include "backstory/load.h"
#include "run_private.h"

struct bst__worker;

typedef struct bst__team {
    const bst_mapping *mapping;
    const bst_source_spec *spec;
    const bst_run_options *options;
    const bst_load *load;
    const char *snapshot; /* its name at the source, and its number in the store */
    int32_t snapshot_number;
    uint32_t count;
    struct bst__worker *workers;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    bst_run_figures done;       /* of chunks that are committed; and the retries */
    bst__trouble *trouble;      /* of the run, to be told with the next chunk */
    uint32_t working;           /* workers that have not ended */
    bool stop;                  /* no further chunk is begun */
    struct bst__worker *failed; /* the first that did */
} bst__team;

typedef struct bst__worker {
    bst__team *team;
    pthread_t thread;
    bool started;
    bst_synth *synth;
    bool owns_synth;
    bst_source *source;
    bst_sink *sink;
    bst_status status;
    bst_diags *diags;
    uint64_t seen_rows; /* of all chunks that were committed, when it last had trouble */
    bst_run_wait waits; /* under the team's lock; and the sink's process at its server, or 0 */
    int sink_process;
    uint64_t rows; /* of the chunk at hand, as far as it is; under the team's lock */
} bst__worker;

/* A thread's body; `context` is a bst__worker. Ends when no chunk is left, when the team stops,
 * when the snapshot can no longer be had, or when it fails. */
void *bst__worker_run(void *context);

/* retry_pg.c: trouble that may pass is waited for, longer each time, up to a limit in all. */
typedef struct bst__patience {
    int64_t since_us; /* when it began; 0: there is none */
    int64_t limit_us;
    uint32_t tries;
    uint64_t chance; /* the state of the draws of how long exactly; the same draws the same */
} bst__patience;
/* With draws of its own, other ones for each worker and each process. A limit of 0: two minutes. */
bst__patience bst__patience_new(uint32_t worker, uint32_t limit_seconds);
/* The trouble has passed. */
void bst__patience_rest(bst__patience *patience);
/* Whether the last finding is of that kind, and the limit is not reached. */
bool bst__patience_left(bst__patience *patience, const bst_diags *diags);
/* How long to wait before the next try: the time of so many tries, or a part of it, at least half.
 */
int64_t bst__patience_us(bst__patience *patience);
/* What is waited for, and until when: the last finding, after bst__patience_us() has said so. */
void bst__patience_tell(const bst__patience *patience, const bst_diags *diags, int64_t wait_us,
                        bst_run_wait *ret);
/* The last finding has this code. */
bool bst__diags_end_with(const bst_diags *diags, const char *code);

#endif
