/* The rows of an entity's logs, out of the cells that hold them as JSON:
 * [[to, at, event, region], ...]. */
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

/* Which state column has the codes of the row; *ret_silent: it speaks of something else. */
static uint32_t column_of(const bst_log *log, const char *region, bool *ret_silent) {
    *ret_silent = false;
    if (log->region == BST_NONE)
        return log->state_column;
    for (uint32_t i = 0; region && i < log->region_count; i++) {
        if (strcmp(log->regions[i].text, region) == 0) {
            *ret_silent = log->regions[i].state_column == BST_NONE;
            return log->regions[i].state_column;
        }
    }
    *ret_silent = !region;
    return BST_NONE;
}

/* The state that the text stands for, or the node. */
static bool read_place(const bst_mapping *mapping, const char *text, bst__log_row *row) {
    const uint32_t code = bst_mapping_code(mapping, row->column, text, strlen(text));
    if (code == BST_NONE)
        return false;
    const bst_state_code *const of = &mapping->state_columns[row->column].codes[code];
    row->state = of->state;
    row->node = of->state == BST_NONE ? of->node : BST_NONE;
    return true;
}

static void read_event(const bst_mapping *mapping, const char *event, bst__log_row *row) {
    row->event = bst_machine_event(mapping->machine, event);
    if (row->event == BST_NONE)
        row->command = find_command(mapping->machine, event);
    if (row->event == BST_NONE && row->command == BST_NONE && !row->to)
        row->mistake = BST__LOG_UNKNOWN_EVENT;
}

/* False: it speaks of something else. */
static bool read_row(const bst_mapping *mapping, uint32_t number, const json_t *json,
                     bst__log_row *ret) {
    const bst_log *const log = &mapping->log[number];
    const char *const to = text_of(json, 0), *const at = text_of(json, 1);
    const char *const event = text_of(json, 2);
    bool silent;
    bst__log_row row = {.log = number, .state = BST_NONE, .node = BST_NONE};
    row.event = row.command = row.before = BST_NONE;
    row.to = to;
    row.text = to ? to : event;
    row.column = column_of(log, text_of(json, 3), &silent);
    if (silent)
        return false;
    if (row.column == BST_NONE) {
        row.mistake = BST__LOG_UNKNOWN_REGION;
        row.text = text_of(json, 3);
    } else if (to && !read_place(mapping, to, &row)) {
        row.mistake = BST__LOG_UNKNOWN_STATE;
    }
    if (event)
        read_event(mapping, event, &row);
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
    *ret = row;
    return true;
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

static bool is_reentered(const bst_mapping *mapping, const bst__log_row *row) {
    return row->node != BST_NONE
               ? mapping->reentered[row->column * mapping->machine->node_count + row->node]
               : leads_to_itself(mapping->machine, row->state);
}

static bool says_nothing(const bst_mapping *mapping, const bst__log_row *before,
                         const bst__log_row *row) {
    return row->to && row->state == before->state && row->node == before->node &&
           row->event == BST_NONE && row->command == BST_NONE &&
           (mapping->log[row->log].versions || !is_reentered(mapping, row));
}

/* The last row of the same log and column. */
static uint32_t find_before(const bst__log_rows *rows, const bst__log_row *row) {
    for (size_t i = rows->count; i-- > 0 && rows->rows[i].log == row->log;) {
        if (rows->rows[i].column == row->column)
            return (uint32_t)i;
    }
    return BST_NONE;
}

static bool make_room(bst__log_rows *rows, size_t count) {
    if (rows->count + count <= rows->room)
        return true;
    const size_t room = 2 * (rows->count + count);
    bst__log_row *const more = realloc(rows->rows, room * sizeof *more);
    if (more) {
        rows->rows = more;
        rows->room = room;
    }
    return more;
}

void bst__log_clear(bst__log_rows *rows) {
    json_decref(rows->json);
    rows->json = NULL;
    rows->count = 0;
}

bool bst__log_add(bst__log_rows *rows, const bst_mapping *mapping, uint32_t number,
                  const bst_cell *cell) {
    if (cell->result != BST_VALUE_OK || !cell->value.present)
        return true;
    json_t *const json = json_loadb(cell->value.u.text, cell->value.len, 0, NULL);
    rows->json = rows->json ? rows->json : json_array();
    if (!json || !rows->json || json_array_append_new(rows->json, json) != 0 ||
        !make_room(rows, json_array_size(json)))
        return false;
    for (size_t i = 0; i < json_array_size(json); i++) {
        bst__log_row row;
        if (!read_row(mapping, number, json_array_get(json, i), &row))
            continue;
        row.before = find_before(rows, &row);
        if (row.before == BST_NONE || !says_nothing(mapping, &rows->rows[row.before], &row))
            rows->rows[rows->count++] = row;
    }
    return true;
}

void bst__log_release(bst__log_rows *rows) {
    json_decref(rows->json);
    free(rows->rows);
    *rows = (bst__log_rows){0};
}
