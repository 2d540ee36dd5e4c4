/* How fast rows are read, by all readers together: so that who is read stays well. */
#ifndef BACKSTORY_PACE_H
#define BACKSTORY_PACE_H

#include <stdint.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Shared by readers in several threads. */
typedef struct bst_pace bst_pace;

/* `rows_per_second`: at least 1. NULL: no memory. */
BST_API bst_pace *bst_pace_new(uint64_t rows_per_second);
BST_API bst_pace *bst_pace_free(bst_pace *pace);
/* How many rows a reader may read before it asks again. */
BST_API uint64_t bst_pace_step(const bst_pace *pace);
/* So many rows were read; returns when the next one may be. */
BST_API void bst_pace_keep(bst_pace *pace, uint64_t rows);

#ifdef __cplusplus
}
#endif

#endif
