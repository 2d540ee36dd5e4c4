/* Machines whose regions multiply beyond what one table can hold. Five regions of ten states are
 * 100,000 configurations, but only fifty states: here each region keeps a table of its own, and an
 * entity stands in one state of each.
 *
 * bst_machine_load() refuses such a machine (too-many-configurations). bst_regions_load() takes it,
 * and makes tables that stand one after another in machine->states and machine->transitions, in
 * the order of the file:
 *
 *     states outside, the split state, those of region 0, of region 1, ..., states outside
 *
 * The split state stands for the parallel state that was split, whatever its regions are in; its
 * transitions are those of the parallel state itself and of those around it. A transition of a
 * region leads to a state of that region, or out of the split; one into the split says where each
 * region begins. What a command does: each region takes the first of its transitions that holds;
 * the parallel state's own are tried when no region has taken one. That is what the one table would
 * do, state for state (a property test holds them against each other).
 *
 * Such a machine is for this header, for check.h, for the emitters of C, diagrams, XState and
 * SCXML, and for what looks names up; the rest of the program reads one table.
 *
 * What cannot be split, and stays an error that says why: histories; "always" of the parallel state
 * or around it, and one with a guard in a region; an "onDone" in a region that asks for another; an
 * "onDone" of the parallel state that has a guard.
 *
 * One difference shows: a command that nothing but state_in() refuses is guard-refused here; one
 * table has no such transition (no-transition).
 */
#ifndef BACKSTORY_REGIONS_H
#define BACKSTORY_REGIONS_H

#include "backstory/machine.h"
#include "backstory/step.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_REGIONS_MAX 250u /* regions of the parallel state that is split */
#define BST_ASKED_MAX   250u /* states of other regions that guards ask for */

typedef struct bst_region {
    uint32_t node; /* of the machine */
    uint32_t first_state, state_count;
} bst_region;

/* Where an entity stands. */
typedef struct bst_place {
    uint32_t state;                  /* of machine->states; BST_NONE: it does not exist yet */
    uint32_t parts[BST_REGIONS_MAX]; /* in the split state: the state of each region */
} bst_place;

typedef struct bst_regions {
    uint32_t split; /* state */
    uint32_t count;
    const bst_region *regions;
    /* by transition: BST_NONE; or it leads into the split, and `&parts[entry * count]` are the
     * states of the regions then */
    const uint32_t *entry;
    const uint32_t *parts;
    const bool *moves; /* by transition: it leaves some state (or creates), and not only emits */
    /* where the parallel state's "onDone" leads once all regions are final; BST_NONE: nowhere */
    uint32_t done_state, done_entry;
    uint32_t asked_count; /* nodes: what BST_ROOT_STATE of a guard of these tables means */
    const uint32_t *asked;
} bst_regions;

/* As bst_machine_load(), but when more than `together_max` configurations can be reached
 * (BST_CONFIGURATIONS_MAX is what bst_machine_load() bears; 0 splits whatever can be split) the
 * regions keep tables of their own. */
BST_API bst_status bst_regions_load(const char *path, uint32_t together_max, bst_machine **ret,
                                    bst_diags *diags) BST_MUST_USE;
BST_API bst_status bst_regions_parse(const char *name, const char *text, size_t len,
                                     uint32_t together_max, bst_machine **ret,
                                     bst_diags *diags) BST_MUST_USE;
/* NULL: the machine has one table. */
BST_API const bst_regions *bst_machine_regions(const bst_machine *machine);
/* How many configurations there are at most; UINT64_MAX: more than that. */
BST_API uint64_t bst_regions_size(const bst_machine *machine);

/* The name that the state would have in one table: "payment.paid+shipment.packed". */
BST_API void bst_place_name(const bst_machine *machine, const bst_place *place, bst_strbuf *out);
/* The place of that name. False: there is none. */
BST_API bool bst_place_find(const bst_machine *machine, const char *name, bst_place *ret);
BST_API bool bst_place_equal(const bst_machine *machine, const bst_place *a, const bst_place *b);
BST_API bool bst_place_is_active(const bst_machine *machine, const bst_place *place, uint32_t node);

/* As those of step.h. */
typedef struct bst_region_entity {
    bst_place at;
    bst_value *fields;
} bst_region_entity;

typedef struct bst_region_event {
    uint32_t type;
    bst_place at; /* after it */
    bst_value *fields;
} bst_region_event;

/* `transition` of the decision: the first that was taken. */
BST_API bst_decision bst_regions_decide(const bst_machine *machine, const bst_region_entity *entity,
                                        uint32_t command, const bst_value *payload,
                                        bst_region_event *ret_event);
BST_API bst_apply_result bst_regions_apply(const bst_machine *machine, bst_region_entity *entity,
                                           const bst_region_event *event);

#ifdef __cplusplus
}
#endif
#endif
