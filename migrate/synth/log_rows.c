/* The rows of an entity's log, out of the cell that holds them as JSON: [[to, at, event], ...]. */
#include <stdlib.h>
#include <string.h>

#include "log_rows_private.h"

#include "source/source_private.h"

static const char *text_of(const json_t *row, size_t at) {
    const json_t *const part = json_array_get(row, at);
    return json_is_string(part) ? json_string_value(part) : NULL;
}

static uint32_t find_command(const bst_machine *machine, const char *name) {
    for (uint32_t c = 0; c < machine->command_count; c++) {
        if (strcmp(machine->commands[c].name, name) == 0)
            return c;
    }
    return BST_NONE;
}

static bst__log_row read_row(const bst_mapping *mapping, const json_t *json) {
    const bst_log *const log = mapping->log;
    const char *const to = text_of(json, 0), *const at = text_of(json, 1);
    const char *const event = text_of(json, 2);
    bst__log_row row = {BST_NONE, BST_NONE, BST_NONE, BST__LOG_FINE, false, 0, to ? to : event};
    if (to)
        row.state = bst_mapping_state(mapping, to, strlen(to));
    if (event)
        row.event = bst_machine_event(mapping->machine, event);
    if (event && row.event == BST_NONE)
        row.command = find_command(mapping->machine, event);
    if (to && row.state == BST_NONE)
        row.mistake = BST__LOG_UNKNOWN_STATE;
    else if (!to && row.event == BST_NONE && row.command == BST_NONE)
        row.mistake = BST__LOG_UNKNOWN_EVENT;
    if (at) {
        const bst_time_result result =
            bst__time_read(&log->source.columns[log->at], at, strlen(at), &row.time);
        row.timed = result == BST_TIME_OK && bst_time_is_finite(row.time);
        if (result == BST_TIME_NO_ZONE)
            row.mistake = BST__LOG_NO_ZONE;
        else if (!row.timed && row.mistake == BST__LOG_FINE)
            row.mistake = BST__LOG_BAD_TIME;
        if (row.mistake == BST__LOG_BAD_TIME)
            row.text = at;
    }
    return row;
}

/* Whether a step leads from the state into itself: then the same state again is such a step. */
static bool leads_to_itself(const bst_machine *machine, uint32_t state) {
    const bst_state *const of = &machine->states[state];
    for (uint32_t i = 0; i < of->transition_count; i++) {
        const bst_transition *const step = &machine->transitions[of->first_transition + i];
        if (step->to == state && !step->targetless)
            return true;
    }
    return false;
}

static bool says_nothing(const bst_mapping *mapping, const bst__log_row *before,
                         const bst__log_row *row) {
    return row->state != BST_NONE && row->state == before->state && row->event == BST_NONE &&
           row->command == BST_NONE &&
           (mapping->log->versions || !leads_to_itself(mapping->machine, row->state));
}

bool bst__log_read(bst__log_rows *rows, const bst_mapping *mapping, const bst_cell *cell) {
    json_decref(rows->json);
    rows->json = NULL;
    rows->count = 0;
    if (cell->result != BST_VALUE_OK || !cell->value.present)
        return true;
    rows->json = json_loadb(cell->value.u.text, cell->value.len, 0, NULL);
    if (!rows->json)
        return false;
    const size_t count = json_array_size(rows->json);
    if (count > rows->room) {
        bst__log_row *const more = realloc(rows->rows, 2 * count * sizeof *more);
        if (!more)
            return false;
        rows->rows = more;
        rows->room = 2 * count;
    }
    for (size_t i = 0; i < count; i++) {
        const bst__log_row row = read_row(mapping, json_array_get(rows->json, i));
        if (rows->count == 0 || !says_nothing(mapping, &rows->rows[rows->count - 1], &row))
            rows->rows[rows->count++] = row;
    }
    return true;
}

void bst__log_release(bst__log_rows *rows) {
    json_decref(rows->json);
    free(rows->rows);
    *rows = (bst__log_rows){0};
}
