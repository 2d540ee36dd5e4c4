/* decide and apply of the guarded machine, written by hand, to the same contract as the generated
 * ones: a verdict with the guard that refused, an event or none, and an apply that takes only an
 * event which some transition emits here. */
#ifndef BENCH_GUARDS_H
#define BENCH_GUARDS_H

#include "guarded.h"

void hand_init(void);
struct guarded_decision hand_decide(const struct guarded *entity,
                                    const struct guarded_command *command,
                                    struct guarded_event *event);
enum guarded_apply_result hand_apply(struct guarded *entity, const struct guarded_event *event);

#endif
