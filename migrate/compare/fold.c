/* The new side of a comparison: the events of a store, folded into entities one history at a time.
 * The head outlives the events it was made of, so what they lend is copied.
 */
#include "compare_private.h"

#include <string.h>

/* The next event of the part: a file hands out those of all. */
static bst_status read_event(bst__fold *fold, bst_diags *diags) {
    bst_status status;
    do {
        status = bst_reader_next(fold->reader, &fold->next, diags);
    } while (status == BST_OK && fold->next &&
             !bst_key_part_has(fold->part, fold->next->key, fold->next->key_len));
    fold->figures->events += status == BST_OK && fold->next;
    return status;
}

static const char *apply_trouble(bst_apply_result result) {
    switch (result) {
    case BST_APPLY_OK:
        break;
    case BST_APPLY_ILLEGAL:
        return "the machine has no such step from";
    case BST_APPLY_OVERFLOW:
        return "its apply leaves the range of a field in";
    case BST_APPLY_INVALID:
        return "a required field is missing in its payload, in";
    }
    return "";
}

static bst_status fold_event(bst__fold *fold, bst_diags *diags) {
    const bst_stored_event *stored = fold->next;
    const bst_event_type *type = &fold->machine->events[stored->type];
    if (fold->trouble.len > 0) {
        return BST_OK;
    }
    for (uint32_t f = 0; f < type->field_count; f++) {
        if (!bst_value_copy(&type->fields[f].type, &stored->fields[f], fold->texts,
                            &fold->payload[f])) {
            return bst_diag_nomem(diags);
        }
    }
    const bst_event event = {stored->type, stored->state, fold->payload};
    const char *before =
        fold->entity.state == BST_NONE ? "nothing" : fold->machine->states[fold->entity.state].name;
    bst_apply_result result = bst_apply(fold->machine, &fold->entity, &event);
    if (result != BST_APPLY_OK) {
        bst_strbuf_addf(&fold->trouble, "event %lld, %s into \"%s\": %s \"%s\"",
                        (long long)stored->version, type->name,
                        fold->machine->states[stored->state].name, apply_trouble(result), before);
    }
    return BST_OK;
}

static bool is_of_head(const bst__fold *fold) {
    return fold->next && fold->next->key_len == fold->key.len &&
           memcmp(fold->next->key, fold->key.text, fold->key.len) == 0;
}

/* The event has the very time that the item gave; what a policy ignored may be named behind it. */
static bool is_recorded_by(const bst_stored_event *event, const bst_evidence *item) {
    if (!item || !event->source || event->basis != BST_BASIS_RECORDED || event->interval) {
        return false;
    }
    const size_t len = strlen(item->label);
    return strncmp(event->source, item->label, len) == 0 &&
           (event->source[len] == '\0' || event->source[len] == ';');
}

/* The first event of a history is its creation. */
static void begin_head(bst__fold *fold) {
    bst_strbuf_add(&fold->key, fold->next->key, fold->next->key_len);
    fold->has_created = is_recorded_by(fold->next, fold->creation);
    fold->created = fold->next->occurred_at;
    fold->figures->histories++;
}

bst_status bst__fold_next(bst__fold *fold, bst_diags *diags) {
    bst_status status = BST_OK;
    fold->there = fold->next != NULL;
    bst_strbuf_clear(&fold->key);
    bst_strbuf_clear(&fold->trouble);
    bst_arena_clear(fold->texts);
    bst_entity_clear(fold->machine, &fold->entity);
    if (!fold->there) {
        return BST_OK;
    }
    begin_head(fold);
    while (status == BST_OK && is_of_head(fold)) {
        status = fold_event(fold, diags);
        if (status == BST_OK) {
            status = read_event(fold, diags);
        }
    }
    if (status == BST_OK && (fold->key.failed || fold->trouble.failed)) {
        return bst_diag_nomem(diags);
    }
    return status;
}

bst_status bst__fold_open(bst__fold *fold, const char *store, const char *moment,
                          bst_diags *diags) {
    const bst_machine *machine = fold->machine;
    fold->arena = bst_arena_new();
    fold->texts = bst_arena_new();
    if (!fold->arena || !fold->texts) {
        return bst_diag_nomem(diags);
    }
    fold->payload =
        bst_arena_array(fold->arena, bst_machine_payload_max(machine), sizeof *fold->payload);
    fold->entity.fields =
        bst_arena_array(fold->arena, machine->field_count, sizeof *fold->entity.fields);
    if (!fold->payload || !fold->entity.fields) {
        return bst_diag_nomem(diags);
    }
    bst_status status =
        bst_reader_open_part(store, machine, fold->part, moment, &fold->reader, diags);
    if (status == BST_OK) {
        status = read_event(fold, diags);
    }
    return status == BST_OK ? bst__fold_next(fold, diags) : status;
}

void bst__fold_release(bst__fold *fold) {
    bst_reader_free(fold->reader);
    bst_arena_free(fold->texts);
    bst_arena_free(fold->arena);
    bst_strbuf_release(&fold->key);
    bst_strbuf_release(&fold->trouble);
}
