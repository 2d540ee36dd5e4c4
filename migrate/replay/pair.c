/* Both sides of every entity, step by step. The old side acts first; then the machine decides, and
 * what both hold is compared. Where they differ the machine goes on from the old side's row.
 */
#include "replay_private.h"

#include <stdlib.h>

#include "backstory/step.h"

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

/* One entity as the machine has it. */
typedef struct actor {
    bool started;    /* its row has been looked for */
    bool lost;       /* its row cannot be read: it is not followed any further */
    const char *key; /* of its row: as in the log, or as the old side gave it */
    bst_entity entity;
} actor;

struct bst__pair {
    const bst_mapping *mapping;
    const bst_machine *machine;
    const bst__replay_log *log;
    bst__old *old;
    bst_arena *arena; /* as long as the pair */
    bst_arena *run;   /* since the restart: texts and fields of the actors */
    actor *actors;
    bst_value *row_fields;
    bst_event event;
    bst_strbuf old_text, new_text;
    /* of the step at hand */
    size_t step;
    bst__on_difference on_difference;
    void *context;
    uint32_t state; /* before */
    bool differs;
    bst_diags *diags;
};

bst_status bst__pair_new(const bst_mapping *mapping, const bst__replay_log *log, bst__old *old,
                         bst__pair **ret, bst_diags *diags) {
    const bst_machine *const machine = mapping->machine;
    bst__pair *const pair = calloc(1, sizeof *pair);
    if (!pair)
        return bst_diag_nomem(diags);
    *pair = (bst__pair){.mapping = mapping, .machine = machine, .log = log, .old = old};
    bst_strbuf_init(&pair->old_text);
    bst_strbuf_init(&pair->new_text);
    pair->arena = bst_arena_new();
    pair->run = bst_arena_new();
    *ret = pair;
    if (!pair->arena || !pair->run)
        return bst_diag_nomem(diags);
    pair->actors = bst_arena_array(pair->arena, log->entity_count, sizeof *pair->actors);
    pair->row_fields = bst_arena_array(pair->arena, machine->field_count, sizeof *pair->row_fields);
    pair->event.fields =
        bst_arena_array(pair->arena, bst_machine_payload_max(machine), sizeof(bst_value));
    return pair->actors && pair->row_fields && pair->event.fields ? BST_OK : bst_diag_nomem(diags);
}

bst__pair *bst__pair_free(bst__pair *pair) {
    if (pair) {
        bst_arena_free(pair->arena);
        bst_arena_free(pair->run);
        bst_strbuf_release(&pair->old_text);
        bst_strbuf_release(&pair->new_text);
        free(pair);
    }
    return NULL;
}

bst_status bst__pair_restart(bst__pair *pair, bst_diags *diags) {
    bst_arena_clear(pair->run);
    for (uint32_t i = 0; i < pair->log->entity_count; i++)
        pair->actors[i] = (actor){.key = pair->log->entities[i]};
    return pair->old->ops->restart(pair->old, diags);
}

/* ---- telling */

static bst_status tell(bst__pair *pair, bst_mismatch_kind kind, uint32_t field,
                       const char *old_text, const char *new_text) {
    const bst__replay_difference difference = {kind, field, pair->state, old_text, new_text};
    pair->differs = true;
    return pair->on_difference ? pair->on_difference(pair->context, pair->step, &difference)
                               : BST_OK;
}

static const char *state_name(const bst__pair *pair, uint32_t state) {
    return state == BST_NONE ? "no entity" : pair->machine->states[state].name;
}

static const char *value_text(const bst_type *type, const bst_value *value, bst_strbuf *text) {
    bst_strbuf_clear(text);
    if (!value->present)
        return NULL;
    bst_value_to_text(type, value, text);
    return text->text;
}

static bst_status compare_fields(bst__pair *pair, const actor *one, const bst__old_row *row) {
    bst_status status = BST_OK;
    for (uint32_t f = 0; status == BST_OK && f < pair->machine->field_count; f++) {
        const bst_type *const type = &pair->machine->fields[f].type;
        const bst_value *const was = &row->entity.fields[f];
        const bst_value *const is = &one->entity.fields[f];
        if (pair->mapping->fields[f].kind != BST_FROM_NOTHING && !bst_value_equal(type, was, is))
            status = tell(pair, BST_MISMATCH_FIELD, f, value_text(type, was, &pair->old_text),
                          value_text(type, is, &pair->new_text));
    }
    return status;
}

static bst_status compare_rows(bst__pair *pair, const actor *one, const bst__old_row *row) {
    const bool exists = one->entity.state != BST_NONE;
    if (row->there && row->trouble)
        return tell(pair, BST_MISMATCH_UNREADABLE, BST_NONE, row->trouble,
                    state_name(pair, one->entity.state));
    if (row->there != exists)
        return exists ? tell(pair, BST_MISMATCH_NO_ROW, BST_NONE, "no row",
                             state_name(pair, one->entity.state))
                      : tell(pair, BST_MISMATCH_STATE, BST_NONE,
                             state_name(pair, row->entity.state), "no entity");
    if (!exists)
        return BST_OK;
    const bst_status status =
        row->entity.state == one->entity.state
            ? BST_OK
            : tell(pair, BST_MISMATCH_STATE, BST_NONE, state_name(pair, row->entity.state),
                   state_name(pair, one->entity.state));
    return status == BST_OK ? compare_fields(pair, one, row) : status;
}

/* ---- the machine's side */

static bst_status keep_fields(bst__pair *pair, bst_entity *entity) {
    for (uint32_t f = 0; f < pair->machine->field_count; f++) {
        if (!bst_value_copy(&pair->machine->fields[f].type, &entity->fields[f], pair->run,
                            &entity->fields[f]))
            return bst_diag_nomem(pair->diags);
    }
    return BST_OK;
}

/* The machine's entity becomes what the row says; an unreadable row ends the following. */
static bst_status take_over(bst__pair *pair, actor *one, const bst__old_row *row) {
    one->lost = row->there && row->trouble;
    if (one->lost || !row->there) {
        bst_entity_clear(pair->machine, &one->entity);
        return BST_OK;
    }
    one->entity.state = row->entity.state;
    for (uint32_t f = 0; f < pair->machine->field_count; f++) {
        if (pair->mapping->fields[f].kind != BST_FROM_NOTHING)
            one->entity.fields[f] = row->entity.fields[f];
    }
    return keep_fields(pair, &one->entity);
}

static bst_status start(bst__pair *pair, actor *one) {
    bst__old_row row = {.entity = {BST_NONE, pair->row_fields}};
    one->started = true;
    one->entity.fields =
        bst_arena_array(pair->run, pair->machine->field_count, sizeof *one->entity.fields);
    if (!one->entity.fields)
        return bst_diag_nomem(pair->diags);
    bst_entity_clear(pair->machine, &one->entity);
    const bst_status status = pair->old->ops->read(pair->old, one->key, &row, pair->diags);
    return status == BST_OK ? take_over(pair, one, &row) : status;
}

/* What the machine says. *ret_refusal NULL: accepted, and applied. */
static bst_status decide(bst__pair *pair, actor *one, const bst__replay_step *step,
                         const char **ret_refusal) {
    const bst_decision decision =
        bst_decide(pair->machine, &one->entity, step->command, step->payload, &pair->event);
    *ret_refusal = NULL;
    if (decision.verdict != BST_ACCEPTED) {
        *ret_refusal = bst_verdict_text(decision.verdict);
        return BST_OK;
    }
    if (bst_apply(pair->machine, &one->entity, &pair->event) != BST_APPLY_OK)
        return bst_diag_add(pair->diags, BST_INTERNAL, BST_ERROR, "not-applied", NULL,
                            "an event that was decided could not be applied");
    return keep_fields(pair, &one->entity);
}

/* ---- digests */

static uint64_t digest_of(uint64_t hash, const char *text) {
    for (; text && *text; text++)
        hash = (hash ^ (uint8_t)*text) * FNV_PRIME;
    return hash;
}

static void fill_digest(bst__pair *pair, const char *refusal, const bst__old_row *row,
                        bst__replay_digest *ret) {
    const bool readable = row->there && !row->trouble;
    ret->verdict = refusal ? 1 : 0;
    ret->row = !row->there ? 0 : row->trouble ? 1 : 2 + (uint64_t)row->entity.state;
    for (uint32_t f = 0; f < pair->machine->field_count; f++) {
        const char *const text = readable ? value_text(&pair->machine->fields[f].type,
                                                       &row->entity.fields[f], &pair->old_text)
                                          : NULL;
        ret->fields[f] = text ? digest_of(FNV_BASIS, text) : 0;
    }
}

/* ---- a step */

static bst_status take_key(bst__pair *pair, actor *one, const char *key) {
    if (!key || one->entity.state != BST_NONE)
        return BST_OK;
    one->key = bst_arena_strdup(pair->run, key);
    return one->key ? BST_OK : bst_diag_nomem(pair->diags);
}

static bst_status act(bst__pair *pair, actor *one, const bst__replay_step *step,
                      bst__step_end *ret_end, bst__replay_digest *ret_digest) {
    bst__old_row row = {.entity = {BST_NONE, pair->row_fields}};
    const char *old_refusal = NULL;
    const char *new_refusal = NULL;
    const char *key = NULL;
    const bst__old_ops *const ops = pair->old->ops;
    pair->state = one->entity.state;
    pair->differs = false;
    bst_status status = ops->carry_out(pair->old, step, one->key, &old_refusal, &key, pair->diags);
    if (status == BST_OK)
        status = take_key(pair, one, key);
    if (status == BST_OK)
        status = decide(pair, one, step, &new_refusal);
    if (status == BST_OK && !old_refusal != !new_refusal)
        status = old_refusal
                     ? tell(pair, BST_MISMATCH_OLD_REFUSED, BST_NONE, old_refusal, "accepted")
                     : tell(pair, BST_MISMATCH_NEW_REFUSED, BST_NONE, "accepted", new_refusal);
    if (status == BST_OK)
        status = ops->read(pair->old, one->key, &row, pair->diags);
    if (status == BST_OK && !pair->differs)
        status = compare_rows(pair, one, &row);
    if (status != BST_OK)
        return status;
    if (ret_digest)
        fill_digest(pair, old_refusal, &row, ret_digest);
    *ret_end = pair->differs ? BST__DIFFERED : old_refusal ? BST__REFUSED : BST__ACCEPTED;
    return pair->differs ? take_over(pair, one, &row) : BST_OK;
}

bst_status bst__pair_step(bst__pair *pair, size_t step, bst__on_difference on_difference,
                          void *context, bst__step_end *ret_end, bst__replay_digest *ret_digest,
                          bst_diags *diags) {
    const bst__replay_step *const what = &pair->log->steps[step];
    actor *const one = &pair->actors[what->entity];
    pair->step = step;
    pair->on_difference = on_difference;
    pair->context = context;
    pair->diags = diags;
    *ret_end = BST__SKIPPED;
    const bst_status status = one->started ? BST_OK : start(pair, one);
    if (status != BST_OK || one->lost)
        return status;
    return act(pair, one, what, ret_end, ret_digest);
}
