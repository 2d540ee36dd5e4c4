/* The functions of generated C. What they need decides their parameters: none has one that it does
 * not use. */
#ifndef BACKSTORY_EMIT_C_STEP_PRIVATE_H
#define BACKSTORY_EMIT_C_STEP_PRIVATE_H

#include "emit_c_expr_private.h"

/* What a set of expressions does. */
typedef struct bst__c_needs {
    bool entity, command, event; /* reads it */
    bool overflow, absent;       /* may set it */
    bool linked;                 /* asks a C function of the user's, which takes both as they are */
} bst__c_needs;

typedef struct bst__c_step {
    bst__c *c;
    bst__c_needs guards, events; /* all of them together */
    bst__c_needs failing;        /* the events that the entity may be unable to take */
    bool events_change;          /* some event assigns something */
    bool payloads, lacking; /* some event has a payload; some payload may lack a required field */
    uint32_t helpers;       /* used so far */
} bst__c_step;

void bst__c_find_needs(bst__c *c, bst__c_step *step);

bst__c_needs bst__c_guard_needs(bst__c *c, uint32_t guard);
bst__c_needs bst__c_event_needs(bst__c *c, uint32_t event);
/* Whether the event changes any field, and not just the state. */
bool bst__c_event_changes(const bst__c *c, uint32_t event);

/* emit_c_guard.c: guard_<name>(), holds() */
void bst__c_add_guards(bst__c_step *step, bst_strbuf *out);
/* emit_c_fill.c: fill() */
void bst__c_add_fill(bst__c_step *step, bst_strbuf *out);
/* emit_c_apply.c: apply_<event>(), change() */
void bst__c_add_applies(bst__c_step *step, bst_strbuf *out);
/* Assignments to the members of a record: `to->x = ...`. */
typedef struct bst__c_assigning {
    bst__c_scope scope;
    const bst__c_record *to;
    const char *target; /* "after->" */
} bst__c_assigning;
/* One of them. `answers`: the function returns the field that has no value to take, or NULL;
 * `last`: here. */
void bst__c_add_assignment(bst__c_assigning *assigning, const bst_assignment *assignment,
                           bool answers, bool last, bst_strbuf *out);
/* emit_c_upcast.c: <event>_from_v<n>(), upcast */
void bst__c_add_upcasts(bst__c_step *step, bst_strbuf *out);
/* emit_c_regions.c: asks_<n>(), which guards call; choose() and is_legal() */
void bst__c_add_asks(bst__c *c, bst_strbuf *out);
void bst__c_add_region_choose(bst__c_step *step, bst_strbuf *out);
void bst__c_add_region_legal(bst__c_step *step, bst_strbuf *out);
/* emit_c_batch.c: step_all */
void bst__c_add_batch(bst__c *c, bst_strbuf *out);
/* emit_c_step.c: init, decide, apply */
void bst__c_add_step(bst__c_step *step, bst_strbuf *out);

#endif
