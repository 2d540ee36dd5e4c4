/* Loads the plans of a machine, and resolves the names in their steps to indices once, so that no
 * event does. A name that the machine does not know is kept with its step: it is an error only
 * where an event uses it.
 */
#include "plan_shelf_private.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/step.h"
#include "copy_row_private.h"

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (void)((entry)->plan.number = 0)
#include <uthash.h>

typedef struct shelf_key {
    int64_t run_id, number; /* hashed as bytes: no padding */
} shelf_key;

typedef struct shelf_entry {
    shelf_key key;
    bst__stored_plan plan;
    UT_hash_handle hh;
} shelf_entry;

struct bst__plan_shelf {
    const bst_machine *machine;
    bst_arena *arena;
    shelf_entry *entries;
    shelf_entry *last;
};

enum {
    STEP_RUN,
    STEP_PLAN,
    STEP_RECORDED_AT,
    STEP_TYPE,
    STEP_TYPE_VERSION,
    STEP_STATE,
    STEP_COMMAND,
    STEP_BASIS,
    STEP_CONFIDENCE,
    STEP_SOURCE,
    STEP_COLUMNS
};

bst__plan_shelf *bst__plan_shelf_free(bst__plan_shelf *shelf) {
    if (shelf) {
        HASH_CLEAR(hh, shelf->entries);
        bst_arena_free(shelf->arena);
        free(shelf);
    }
    return NULL;
}

static shelf_entry *find(bst__plan_shelf *shelf, shelf_key key) {
    shelf_entry *entry = shelf->last;
    if (entry && entry->key.run_id == key.run_id && entry->key.number == key.number)
        return entry;
    HASH_FIND(hh, shelf->entries, &key, sizeof key, entry);
    if (entry)
        shelf->last = entry;
    return entry;
}

const bst__stored_plan *bst__plan_shelf_find(bst__plan_shelf *shelf, int32_t run_id,
                                             int64_t number) {
    const shelf_entry *const entry = find(shelf, (shelf_key){.run_id = run_id, .number = number});
    return entry ? &entry->plan : NULL;
}

static shelf_entry *find_or_add(bst__plan_shelf *shelf, const bst__copy_field *row) {
    const shelf_key key = {.run_id = bst__copy_int(&row[STEP_RUN]),
                           .number = bst__copy_int(&row[STEP_PLAN])};
    shelf_entry *entry = find(shelf, key);
    if (entry)
        return entry;
    entry = bst_arena_alloc(shelf->arena, sizeof *entry);
    if (!entry)
        return NULL;
    entry->key = key;
    entry->plan.run_id = (int32_t)key.run_id;
    entry->plan.number = key.number;
    entry->plan.has_recorded_at = row[STEP_RECORDED_AT].bytes != NULL;
    entry->plan.recorded_at = bst__copy_int(&row[STEP_RECORDED_AT]);
    HASH_ADD(hh, shelf->entries, key, sizeof entry->key, entry);
    if (entry->plan.number == 0)
        return NULL;
    shelf->last = entry;
    return entry;
}

static bst__stored_step *add_step(bst__plan_shelf *shelf, bst__stored_plan *plan) {
    if (plan->step_count == plan->step_room) {
        const uint32_t room = plan->step_room ? plan->step_room * 2 : 4;
        bst__stored_step *const steps = bst_arena_array(shelf->arena, room, sizeof *steps);
        if (!steps)
            return NULL;
        if (plan->step_count > 0)
            memcpy(steps, plan->steps, plan->step_count * sizeof *steps);
        plan->steps = steps;
        plan->step_room = room;
    }
    return &plan->steps[plan->step_count++];
}

/* Resolves a name; NULL stands for none. False when out of memory. */
static bool resolve(bst__plan_shelf *shelf, bst__stored_step *step, const char *what,
                    const bst__copy_field *field,
                    uint32_t (*look_up)(const bst_machine *, const char *), uint32_t *ret) {
    *ret = BST_NONE;
    if (!field->bytes)
        return true;
    const char *const name = bst_arena_strndup(shelf->arena, field->bytes, field->len);
    if (!name)
        return false;
    *ret = look_up(shelf->machine, name);
    if (*ret != BST_NONE || step->unknown)
        return true;
    step->unknown = bst_arena_printf(shelf->arena, "%s \"%s\"", what, name);
    return step->unknown != NULL;
}

/* A payload of another version has other fields: the machine must say how it reads now. */
static bool take_type_version(bst__plan_shelf *shelf, bst__stored_step *step, int64_t version) {
    uint32_t count;
    step->type_version = version > 0 && version < UINT32_MAX ? (uint32_t)version : 0;
    if (step->type == BST_NONE ||
        bst_event_fields_at(&shelf->machine->events[step->type], step->type_version, &count))
        return true;
    if (!step->unknown)
        step->unknown =
            bst_arena_printf(shelf->arena, "version %lld of type \"%s\"", (long long)version,
                             shelf->machine->events[step->type].name);
    return step->unknown != NULL;
}

static bool read_provenance(bst__plan_shelf *shelf, bst__stored_step *step,
                            const bst__copy_field *row) {
    const char *const basis =
        bst_arena_strndup(shelf->arena, row[STEP_BASIS].bytes, row[STEP_BASIS].len);
    if (!basis)
        return false;
    if (!bst_basis_parse(basis, &step->basis) && !step->unknown)
        step->unknown = "basis";
    step->confidence = bst__copy_double(&row[STEP_CONFIDENCE]);
    if (!row[STEP_SOURCE].bytes)
        return true;
    step->source = bst_arena_strndup(shelf->arena, row[STEP_SOURCE].bytes, row[STEP_SOURCE].len);
    return step->source != NULL;
}

static bool take_step(bst__plan_shelf *shelf, const bst__copy_field *row) {
    shelf_entry *const entry = find_or_add(shelf, row);
    bst__stored_step *const step = entry ? add_step(shelf, &entry->plan) : NULL;
    return step &&
           resolve(shelf, step, "type", &row[STEP_TYPE], bst_machine_event_stored, &step->type) &&
           take_type_version(shelf, step, bst__copy_int(&row[STEP_TYPE_VERSION])) &&
           resolve(shelf, step, "state", &row[STEP_STATE], bst_machine_state_stored,
                   &step->state) &&
           resolve(shelf, step, "command", &row[STEP_COMMAND], bst_machine_command,
                   &step->command) &&
           read_provenance(shelf, step, row);
}

static bst_status load(bst__plan_shelf *shelf, bst_pg *pg, const char *condition,
                       bst_diags *diags) {
    bst__copy_reader reader;
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_addf(
        &sql,
        "COPY (SELECT run_id, plan, recorded_at, step.type, step.type_version, step.state,"
        " step.command, step.basis, step.confidence, step.source"
        " FROM backstory.plan JOIN backstory.run USING (run_id)"
        " CROSS JOIN LATERAL unnest(plan.type, plan.type_version, plan.state, plan.command,"
        " plan.basis, plan.event_confidence, plan.source) WITH ORDINALITY AS step (type,"
        " type_version, state, command, basis, confidence, source, place)"
        " WHERE %s ORDER BY run_id, plan, place) TO STDOUT (FORMAT binary)",
        condition);
    bst_status status = sql.failed
                            ? bst_diag_nomem(diags)
                            : bst__copy_reader_start(&reader, pg, sql.text, STEP_COLUMNS, diags);
    bst_strbuf_release(&sql);
    for (bool more = true; status == BST_OK && more;) {
        status = bst__copy_reader_next(&reader, &more, diags);
        if (status == BST_OK && more && !take_step(shelf, reader.fields))
            status = bst_diag_nomem(diags);
    }
    return status;
}

bst_status bst__plan_shelf_load(bst_pg *pg, const bst_machine *machine, const char *condition,
                                bst__plan_shelf **ret, bst_diags *diags) {
    bst__plan_shelf *const shelf = calloc(1, sizeof *shelf);
    if (!shelf)
        return bst_diag_nomem(diags);
    shelf->machine = machine;
    shelf->arena = bst_arena_new();
    const bst_status status =
        shelf->arena ? load(shelf, pg, condition, diags) : bst_diag_nomem(diags);
    if (status != BST_OK) {
        bst__plan_shelf_free(shelf);
        return status;
    }
    *ret = shelf;
    return BST_OK;
}
