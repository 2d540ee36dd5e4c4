/* Warnings about a mapping: what no history can recover, said before the first row is read. Each
 * looks at one thing and needs no data; what only the rows can tell, `plan` tells.
 */
#include "mapping_private.h"

static bst_loc place(const bst_mapping *mapping, const char *pointer) {
    return bst_json_source_value(mapping->json, pointer);
}

static void report_uncoded(const bst_mapping *mapping, bst_diags *diags, const char *name,
                           const bst_loc *declared) {
    const bst_loc where = place(mapping, mapping->regional ? "/state" : "/state/values");
    bst_diag_add(diags, BST_INVALID, BST_WARNING, "state-without-code", &where,
                 "no value stands for state \"%s\"", name);
    bst_diag_hint(diags,
                  "Add its value to \"values\". If no row is ever in this state, all is well.");
    bst_diag_also(diags, declared, "the state is declared here");
}

/* Where regions have columns states are combinations: what is missing is said of their leaves. */
static bool check_leaves(const bst_mapping *mapping, bst_diags *diags, bst_arena *arena) {
    const bst_machine *machine = mapping->machine;
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    uint8_t *seen = bst_arena_array(arena, machine->node_count, sizeof *seen); /* 1; coded: 2 */
    for (uint32_t s = 0; seen && s < machine->state_count; s++) {
        const bool coded = bst_mapping_codes_of(mapping, s, codes);
        for (uint32_t i = 0; i < machine->states[s].node_count; i++) {
            uint8_t *leaf = &seen[machine->states[s].nodes[i]];
            *leaf = coded || *leaf == 2 ? 2 : 1;
        }
    }
    for (uint32_t n = 0; seen && n < machine->node_count; n++) {
        if (seen[n] == 1) {
            const bst_loc declared = bst_machine_node_where(machine, n);
            report_uncoded(mapping, diags, machine->nodes[n].path, &declared);
        }
    }
    return seen != NULL;
}

static bool check_states(const bst_mapping *mapping, bst_diags *diags, bst_arena *arena) {
    const bst_machine *machine = mapping->machine;
    uint32_t code;
    if (mapping->regional) {
        return check_leaves(mapping, diags, arena);
    }
    for (uint32_t s = 0; s < machine->state_count; s++) {
        if (!bst_mapping_codes_of(mapping, s, &code)) {
            const bst_loc declared = bst_machine_state_where(machine, s);
            report_uncoded(mapping, diags, machine->states[s].name, &declared);
        }
    }
    return true;
}

static void check_fields(const bst_mapping *mapping, bst_diags *diags) {
    const bst_machine *machine = mapping->machine;
    bst_loc where = place(mapping, "/fields");
    for (uint32_t f = 0; f < machine->field_count; f++) {
        if (mapping->fields[f].kind != BST_FROM_NOTHING) {
            continue;
        }
        bst_diag_add(diags, BST_INVALID, BST_WARNING, "unmapped-field", &where,
                     "field \"%s\" is not mapped: no history is held against it",
                     machine->fields[f].name);
        bst_diag_hint(diags, "Add it to \"fields\" with the column that holds it.");
        bst_loc declared = bst_machine_field_where(machine, f);
        bst_diag_also(diags, &declared, "the field is declared here");
    }
}

/* Whether some column says what field `f` of event `e` was. */
static bool is_supplied(const bst_mapping *mapping, uint32_t e, uint32_t f) {
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        const bst_evidence *evidence = &mapping->evidence[i];
        for (uint32_t p = 0; p < evidence->payload_count; p++) {
            if (evidence->payload[p].event == e && evidence->payload[p].field == f) {
                return true;
            }
        }
    }
    bool negative = false;
    const uint32_t sum = bst__sum_of(mapping->machine, e, f, &negative);
    if (sum != BST_NONE && mapping->fields[sum].kind != BST_FROM_NOTHING) {
        return true; /* the one amount that no column tells is what the sum leaves */
    }
    const bst_field *field = &mapping->machine->events[e].fields[f];
    uint32_t same = bst_machine_field(mapping->machine, field->name);
    return same != BST_NONE && mapping->fields[same].kind != BST_FROM_NOTHING &&
           bst__map_converts(&mapping->machine->fields[same].type, &field->type);
}

static void check_payloads(const bst_mapping *mapping, bst_diags *diags) {
    const bst_machine *machine = mapping->machine;
    bst_loc where = place(mapping, "/evidence");
    for (uint32_t e = 0; e < machine->event_count; e++) {
        /* What a migration writes itself carries what "fields" has; that is another warning. */
        const bool builtin = machine->events[e].builtin != BST_BUILTIN_NONE;
        for (uint32_t f = 0; !builtin && f < machine->events[e].field_count; f++) {
            const bst_field *field = &machine->events[e].fields[f];
            if (field->type.optional || is_supplied(mapping, e, f)) {
                continue;
            }
            bst_diag_add(diags, BST_INVALID, BST_WARNING, "unsupplied-payload", &where,
                         "no column supplies \"%s\" of event \"%s\": every history with it goes to "
                         "quarantine",
                         field->name, machine->events[e].name);
            bst_diag_hint(diags, "Give it in the \"fields\" of an item that speaks of this event, "
                                 "or make it optional in the machine.");
            bst_loc declared = bst_machine_event_where(machine, e);
            bst_diag_also(diags, &declared, "the event is declared here");
        }
    }
}

static bool tells_apart(const bst_mapping *mapping, uint32_t a, uint32_t b) {
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        const uint8_t *flags = mapping->evidence[i].transitions;
        if (flags[a] != flags[b]) {
            return true;
        }
    }
    return false;
}

#define TWINS_MAX 64u

/* Pairs of events of which it was said: where states are combinations one step is many. */
typedef struct twins {
    const bst_mapping *mapping;
    bst_diags *diags;
    uint32_t count;
    uint32_t pairs[TWINS_MAX][2];
} twins;

static bool is_said(twins *t, const bst_transition *one, const bst_transition *other) {
    if (t->mapping->machine->states[one->from].node_count == 1) {
        return false;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->pairs[i][0] == one->event && t->pairs[i][1] == other->event) {
            return true;
        }
    }
    if (t->count == TWINS_MAX) {
        return true;
    }
    t->pairs[t->count][0] = one->event;
    t->pairs[t->count++][1] = other->event;
    return false;
}

static void report_twins(const twins *t, const bst_transition *one, const bst_transition *other) {
    const bst_machine *machine = t->mapping->machine;
    const bst_loc where = place(t->mapping, "/evidence");
    bst_diag_add(t->diags, BST_INVALID, BST_WARNING, "indistinct-events", &where,
                 "no evidence tells event \"%s\" from \"%s\" between \"%s\" and \"%s\"",
                 machine->events[one->event].name, machine->events[other->event].name,
                 machine->states[one->from].name, machine->states[one->to].name);
    bst_diag_hint(t->diags,
                  "Name a column that is set by one of them only; without it the likelier "
                  "one is assumed.");
}

/* Two events that lead from the same state to the same state, and no column knows which it was. */
static void check_twins(const bst_mapping *mapping, bst_diags *diags) {
    const bst_machine *machine = mapping->machine;
    twins t = {.mapping = mapping, .diags = diags};
    for (uint32_t a = machine->creation_count; a < machine->transition_count; a++) {
        const bst_transition *one = &machine->transitions[a];
        const bst_state *state = &machine->states[one->from];
        const uint32_t end = state->first_transition + state->transition_count;
        for (uint32_t b = a + 1; b < end; b++) {
            const bst_transition *other = &machine->transitions[b];
            if (one->to == other->to && one->event != other->event && !tells_apart(mapping, a, b)) {
                if (!is_said(&t, one, other)) {
                    report_twins(&t, one, other);
                }
                break; /* one finding a transition */
            }
        }
    }
}

static void check_times(const bst_mapping *mapping, bst_diags *diags) {
    for (uint32_t i = 0; i < mapping->log_count; i++) {
        if (mapping->log[i].evidence && mapping->log[i].at != BST_NONE) {
            return;
        }
    }
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        if (mapping->evidence[i].kind != BST_EVIDENCE_COUNT) {
            return;
        }
    }
    bst_loc where = place(mapping, "/evidence");
    bst_diag_add(diags, BST_INVALID, BST_WARNING, "no-times", &where,
                 "no evidence says when anything happened: every row goes to quarantine");
    bst_diag_hint(diags,
                  "Add { \"creation\": ... } with the column that holds when a row was made.");
}

/* Values that mean one state: what told them apart in the old system is lost. */
static void check_folded(const bst_mapping *mapping, const bst_state_column *column,
                         bst_diags *diags) {
    for (uint32_t c = 1; c < column->code_count; c++) {
        const bst_state_code *code = &column->codes[c];
        const bst_state_code *before = column->codes;
        while (before->state != code->state || before->node != code->node) {
            before++;
        }
        if (before == code) {
            continue;
        }
        const bst_loc where = bst__map_code_where(mapping, column, code);
        const bst_loc there = bst__map_code_where(mapping, column, before);
        bst_diag_add(diags, BST_OK, BST_NOTE, "folded-states", &where,
                     "values \"%s\" and \"%s\" both mean state \"%s\": what tells them apart is "
                     "lost",
                     before->text, code->text,
                     mapping->regional ? mapping->machine->nodes[code->node].path
                                       : mapping->machine->states[code->state].name);
        bst_diag_hint(diags, "Give one of them a state of its own if they are not synonyms.");
        bst_diag_also(diags, &there, "the first of them is here");
    }
}

void bst__map_warnings_begin(const bst_mapping *mapping, bst_diags *diags) {
    bst_warnings both = {.all_errors = false};
    const bst_warnings *const said[] = {mapping->machine->warnings, mapping->warnings};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; said[i] && k < BST_WARNING_COUNT; k++) {
            both.level[k] = said[i]->level[k] ? said[i]->level[k] : both.level[k];
        }
    }
    bst_diags_set_file_warnings(diags, &both);
}

bst_status bst_mapping_check(const bst_mapping *mapping, bst_diags *diags) {
    bst_arena *arena = bst_arena_new();
    bst__map_warnings_begin(mapping, diags);
    bst_status status =
        arena && check_states(mapping, diags, arena) ? BST_OK : bst_diag_nomem(diags);
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        check_folded(mapping, &mapping->state_columns[c], diags);
    }
    check_fields(mapping, diags);
    check_payloads(mapping, diags);
    check_twins(mapping, diags);
    check_times(mapping, diags);
    if (status == BST_OK) {
        status = bst__map_check_histories(mapping, diags);
    }
    bst_diags_set_file_warnings(diags, NULL);
    bst_arena_free(arena);
    return status;
}
