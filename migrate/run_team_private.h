/* What the workers of a run share. Built only with BACKSTORY_POSTGRES. */
#ifndef BACKSTORY_RUN_TEAM_PRIVATE_H
#define BACKSTORY_RUN_TEAM_PRIVATE_H

#include <pthread.h>

#include "backstory/load.h"
#include "run_private.h"

struct bst__worker;

typedef struct bst__team {
    const bst_mapping *mapping;
    const bst_run_options *options;
    const bst_load *load;
    const char *snapshot; /* its name at the source, and its number in the store */
    int32_t snapshot_number;
    uint32_t count;
    struct bst__worker *workers;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    bst_run_figures done; /* of chunks that are committed */
    uint32_t working;     /* workers that have not ended */
    bool stop;            /* no further chunk is begun */
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
    uint64_t rows; /* of the chunk at hand, as far as it is; under the team's lock */
} bst__worker;

/* A thread's body; `context` is a bst__worker. Ends when no chunk is left, when the team stops or
 * when it fails. */
void *bst__worker_run(void *context);

#endif
