/* One row's way to its history.
 *
 * The order of the questions is the order of the reasons: is the row in scope, can it be told from
 * others, is its state known, are its values good, does its evidence agree, do the events add up.
 * The first "no" sends it to quarantine.
 */
#include "lens_private.h"

#include <stdlib.h>
#include <string.h>

#define SAY_BYTES 5u /* of an item in a signature: what it says, and a number */

/* ---- life ---- */

static bool make_buffers(bst_synth *synth) {
    const bst_machine *machine = synth->machine;
    uint32_t evidence = synth->mapping->evidence_count;
    size_t columns = synth->mapping->source.column_count;
    uint32_t command_fields = 0;
    for (uint32_t c = 0; c < machine->command_count; c++) {
        if (machine->commands[c].field_count > command_fields) {
            command_fields = machine->commands[c].field_count;
        }
    }
    const bool logged = synth->mapping->log_count > 0;
    const size_t items = (size_t)evidence + (logged ? BST_LOG_ROWS_MAX + BST__WHOLES_MAX : 0);
    synth->bytes = bst_arena_alloc(synth->arena, sizeof(uint32_t) + (size_t)evidence * SAY_BYTES +
                                                     1 + (logged ? bst__log_bytes_max() : 0));
    synth->said = bst_arena_array(synth->arena, items, sizeof *synth->said);
    synth->order = bst_arena_array(synth->arena, items, sizeof *synth->order);
    synth->record = bst_arena_array(synth->arena, columns, sizeof *synth->record);
    synth->refused_columns = bst_arena_array(synth->arena, columns, sizeof *synth->refused_columns);
    synth->expected = bst_arena_array(synth->arena, machine->field_count, sizeof *synth->expected);
    synth->folded = bst_arena_array(synth->arena, machine->field_count, sizeof *synth->folded);
    synth->command = bst_arena_array(synth->arena, command_fields, sizeof *synth->command);
    synth->difference =
        bst_arena_array(synth->arena, machine->field_count, sizeof *synth->difference);
    synth->fields = bst_arena_array(synth->arena, machine->field_count, sizeof *synth->fields);
    synth->mapped = bst_arena_array(synth->arena, machine->field_count, sizeof *synth->mapped);
    synth->items = bst_arena_array(synth->arena, evidence, sizeof *synth->items);
    return synth->bytes && synth->said && synth->order && synth->record && synth->refused_columns &&
           synth->expected && synth->folded && synth->command && synth->difference &&
           synth->fields && synth->mapped && synth->items;
}

static bool prepare(bst_synth *synth) {
    const bst_mapping *mapping = synth->mapping;
    synth->arena = bst_arena_new();
    synth->scratch = bst_arena_new();
    synth->fit_arena = bst_arena_new();
    synth->weights = mapping->weights;
    synth->span = BST_NONE;
    if (!synth->arena || !synth->scratch || !synth->fit_arena || !make_buffers(synth) ||
        !bst__row_expr_init(synth, mapping->where, &synth->where)) {
        return false;
    }
    for (uint32_t f = 0; f < synth->machine->field_count; f++) {
        if (!bst__getter_init(synth, &mapping->fields[f], &synth->machine->fields[f].type,
                              &synth->fields[f])) {
            return false;
        }
        if (mapping->fields[f].kind != BST_FROM_NOTHING) {
            synth->mapped[synth->mapped_count++] = f;
        }
    }
    return bst__say_init(synth) && bst__lens_plan_make(synth, &synth->lens);
}

bst_status bst_synth_new(const bst_mapping *mapping, bst_synth **ret, bst_diags *diags) {
    bst_synth *synth = calloc(1, sizeof *synth);
    if (!synth) {
        return bst_diag_nomem(diags);
    }
    synth->mapping = mapping;
    synth->machine = mapping->machine;
    synth->genesis = bst_machine_builtin(mapping->machine, BST_BUILTIN_GENESIS);
    synth->reconcile = bst_machine_builtin(mapping->machine, BST_BUILTIN_RECONCILE);
    synth->outcomes_end = &synth->outcomes;
    bst_strbuf_init(&synth->refusal.message);
    bst_strbuf_init(&synth->refusal.repair);
    if (!prepare(synth)) {
        bst_synth_free(synth);
        return bst_diag_nomem(diags);
    }
    *ret = synth;
    return BST_OK;
}

void bst_synth_explain(bst_synth *synth) {
    synth->explains = true;
}

bst_synth *bst_synth_free(bst_synth *synth) {
    if (synth) {
        for (bst__signature *sig = synth->signatures; sig; sig = sig->hh.next) {
            bst__fits_free(sig);
        }
        HASH_CLEAR(hh, synth->signatures);
        bst_arena_free(synth->arena);
        bst_arena_free(synth->scratch);
        bst_arena_free(synth->fit_arena);
        bst_strbuf_release(&synth->refusal.message);
        bst_strbuf_release(&synth->refusal.repair);
        bst__log_release(&synth->log);
        free(synth->happenings);
        free(synth->values);
        free(synth);
    }
    return NULL;
}

/* ---- rows ---- */

/* What is wrong with the row's key, "" where another has it too; NULL: nothing. */
static const char *find_key_fault(bst_synth *synth, const bst_row *row, bst_reason *ret_reason) {
    const bst_type text = {.kind = BST_KIND_TEXT};
    bst_value value;
    *ret_reason = BST_REASON_NULL_KEY;
    if (row->key_is_null || row->key_len == 0) {
        return row->key_is_null ? "is NULL" : "is empty";
    }
    *ret_reason = BST_REASON_BAD_VALUE;
    if (row->key_len > BST_KEY_BYTES_MAX) {
        return "is longer than any key may be";
    }
    if (bst_value_parse(&text, row->key, row->key_len, synth->scratch, &value) != BST_VALUE_OK) {
        return "is not UTF-8 text";
    }
    *ret_reason = BST_REASON_DUPLICATE_KEY;
    return row->key_is_double ? "" : NULL;
}

bool bst__key_serves(bst_synth *synth, const bst_row *row) {
    bst_reason reason = BST_REASON_NONE;
    const char *fault = find_key_fault(synth, row, &reason);
    return !fault || reason == BST_REASON_DUPLICATE_KEY;
}

static bool check_key(bst_synth *synth, const bst_row *row) {
    bst_reason reason = BST_REASON_NONE;
    const char *fault = find_key_fault(synth, row, &reason);
    if (!fault) {
        return true;
    }
    bst__refuse(synth, reason);
    const bst_source_spec *spec = &synth->mapping->source;
    bst_strbuf_adds(&synth->refusal.message,
                    *fault ? "the key (" : "another row has the same key (");
    for (size_t i = 0; i < spec->key_count; i++) {
        bst_strbuf_addf(&synth->refusal.message, "%s%s", i > 0 ? ", " : "", spec->key[i]);
    }
    bst_strbuf_addf(&synth->refusal.message, *fault ? ") %s" : ")%s", fault);
    for (uint32_t c = 0; c < spec->column_count; c++) {
        for (size_t i = 0; i < spec->key_count; i++) {
            if (strcmp(spec->columns[c].name, spec->key[i]) == 0) {
                bst__blame(synth, c);
            }
        }
    }
    return false;
}

static bool make_history(bst_synth *synth, const bst_row *row, bst_history *ret) {
    uint32_t state = BST_NONE;
    uint32_t bad_field = BST_NONE;
    bst__signature *sig = NULL;
    return check_key(synth, row) && bst__read_state(synth, row, &state) &&
           bst__read_fields(synth, row, &bad_field) && bst__say_row(synth, row, state) &&
           bst__signature_find(synth, state, &sig) &&
           bst__history_choose(synth, sig, state, row, ret);
}

void bst__synth_begin(bst_synth *synth, bst_diags *diags) {
    synth->status = BST_OK;
    synth->timeless = false;
    synth->last_outcome = NULL;
    synth->diags = diags;
    bst_arena_clear(synth->scratch);
}

bst_status bst_synth_row(bst_synth *synth, const bst_row *row, bst_fate *ret_fate,
                         bst_history *ret_history, const bst_refusal **ret_refusal,
                         bst_diags *diags) {
    bool unclear = false;
    bst__synth_begin(synth, diags);
    if (bst__in_scope(synth, row, &unclear)) {
        *ret_fate = make_history(synth, row, ret_history) ? BST_MIGRATED : BST_QUARANTINED;
    } else {
        *ret_fate = unclear ? BST_QUARANTINED : BST_OUT_OF_SCOPE;
    }
    if (synth->refusal.message.failed || synth->refusal.repair.failed) {
        synth->status = bst_diag_nomem(diags);
    }
    const bool remedied = synth->last_outcome && synth->last_outcome->cause != BST_REASON_NONE;
    *ret_refusal = *ret_fate == BST_QUARANTINED || remedied ? &synth->refusal : NULL;
    return synth->status;
}

bool bst_synth_entity(bst_synth *synth, const bst_row *row, bst_entity *ret_entity,
                      const bst_refusal **ret_refusal) {
    uint32_t bad_field = BST_NONE;
    bst_arena_clear(synth->scratch);
    ret_entity->state = BST_NONE;
    for (uint32_t f = 0; f < synth->machine->field_count; f++) {
        synth->expected[f] = BST_ABSENT;
    }
    *ret_refusal = &synth->refusal;
    bool good =
        bst__read_state(synth, row, &ret_entity->state) && bst__read_fields(synth, row, &bad_field);
    if (synth->machine->field_count > 0) {
        memcpy(ret_entity->fields, synth->expected,
               synth->machine->field_count * sizeof *synth->expected);
    }
    return good;
}

/* ---- what was seen ---- */

size_t bst_synth_signature_count(const bst_synth *synth) {
    return synth->outcome_count;
}

static int compare_by_rows(const void *a, const void *b) {
    const bst__outcome *const *one = a;
    const bst__outcome *const *other = b;
    if ((*one)->rows != (*other)->rows) {
        return (*one)->rows > (*other)->rows ? -1 : 1;
    }
    return (*one)->number < (*other)->number ? -1 : (*one)->number > (*other)->number;
}

static bst_signature_info describe(const bst__outcome *outcome) {
    const bool told = outcome->verdict.walk != BST_NONE && !outcome->replaced;
    const bool planned = told || outcome->plan.remedy == BST_REMEDY_GENESIS;
    const bst__walk *next = !told || outcome->next_walk == BST_NONE
                                ? NULL
                                : &outcome->signature->walks[outcome->next_walk];
    return (bst_signature_info){.rows = outcome->rows,
                                .example_key = outcome->example_key,
                                .reason = outcome->verdict.reason,
                                .cause = outcome->cause,
                                .plan = planned ? &outcome->plan : NULL,
                                .runner_up = next ? &next->plan : NULL,
                                .runner_up_confidence = outcome->next_confidence,
                                .text = outcome->text,
                                .message = outcome->message,
                                .repair = outcome->repair,
                                .columns = outcome->columns};
}

bst_status bst_synth_signatures(bst_synth *synth, bst_signature_info *ret, size_t count,
                                bst_diags *diags) {
    size_t found = 0;
    const bst__outcome **sorted = calloc(synth->outcome_count + 1, sizeof *sorted);
    if (!sorted) {
        return bst_diag_nomem(diags);
    }
    for (const bst__outcome *outcome = synth->outcomes; outcome; outcome = outcome->next) {
        sorted[found++] = outcome;
    }
    qsort(sorted, found, sizeof *sorted, compare_by_rows);
    for (size_t i = 0; i < count && i < found; i++) {
        ret[i] = describe(sorted[i]);
    }
    free(sorted);
    return BST_OK;
}

size_t bst_synth_alternatives(const bst_synth *synth, bst_alternative *ret, size_t max) {
    const bst__outcome *outcome = synth->last_outcome;
    size_t count = 0;
    if (!outcome || outcome->verdict.walk == BST_NONE || outcome->next_walk == BST_NONE) {
        return 0;
    }
    const bst__walk *walks = outcome->signature->walks;
    double unit = outcome->next_confidence / walks[outcome->next_walk].plan.confidence;
    for (uint32_t w = outcome->next_walk; w < outcome->signature->walk_count && count < max; w++) {
        if (w != outcome->verdict.walk && !(outcome->verdict.unfit >> w & 1)) {
            ret[count++] = (bst_alternative){&walks[w].plan, walks[w].plan.confidence * unit};
        }
    }
    return count;
}
