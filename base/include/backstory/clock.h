/* The two clocks. */
#ifndef BACKSTORY_CLOCK_H
#define BACKSTORY_CLOCK_H

#include <stdint.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One that only goes forward, in microseconds from some beginning: for how long things take. */
BST_API int64_t bst_clock_us(void);
/* The same in milliseconds. */
BST_API int64_t bst_clock_ms(void);
/* What time it is, as a timestamp (backstory/timestamp.h). It may be set back. */
BST_API int64_t bst_clock_now(void);

#ifdef __cplusplus
}
#endif

#endif
