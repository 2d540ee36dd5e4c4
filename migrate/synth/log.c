/* The rows of logs as items of evidence: each is a step into a state (or into a state of a
 * region, or a step with an event) that happened, in the order of its log. There may have been
 * others between them. Rows of different regions may be one step, so only those of one region
 * have an order; the times of all make one.
 *
 * In a signature each row has ROW_BYTES: log, column, state, node, event, command, the rank of
 * its time, what it says. */
#include "synth_private.h"

#include <string.h>

#include "source/source_private.h"

#define ROW_BYTES (8 * sizeof(uint32_t) + 1)

static const bst__log_row *row_of(const bst_synth *synth, uint32_t item) {
    return &synth->log.rows[item - synth->mapping->evidence_count];
}

static const bst_log *log_of(const bst_synth *synth, const bst__log_row *row) {
    return &synth->mapping->log[row->log];
}

static const char *table_name(const bst_log *log) {
    return log->joined.name;
}

/* A log without gaps says one thing more, after all rows: how many steps there were. */
static const bst__whole *whole_of(const bst_synth *synth, uint32_t item) {
    const uint32_t first = synth->mapping->evidence_count + (uint32_t)synth->log.count;
    return item < first ? NULL : &synth->wholes[item - first];
}

static const bst_log *log_at(const bst_synth *synth, uint32_t item) {
    const bst__whole *const whole = whole_of(synth, item);
    return whole ? &synth->mapping->log[whole->log] : log_of(synth, row_of(synth, item));
}

uint32_t bst__item_count(const bst_synth *synth) {
    return synth->mapping->evidence_count + (uint32_t)synth->log.count + synth->whole_count;
}

/* ---- reading ---- */

static bool refuse_row(bst_synth *synth, const bst__log_row *row) {
    static const char *const mistakes[] = {
        [BST__LOG_UNKNOWN_STATE] = "which is no state that the mapping knows",
        [BST__LOG_UNKNOWN_REGION] = "which is no region that the mapping knows",
        [BST__LOG_UNKNOWN_EVENT] = "which is no event or command of the machine",
        [BST__LOG_BAD_TIME] = "which is no time at which something happens"};
    bst_strbuf *const message = &synth->refusal.message;
    const bst_log *const log = log_of(synth, row);
    if (row->mistake == BST__LOG_NO_ZONE) {
        synth->status =
            bst__report_no_zone(log->source.table, log->source.columns[log->at].name, synth->diags);
        return false;
    }
    bst__refuse(synth, row->mistake == BST__LOG_BAD_TIME ? BST_REASON_BAD_VALUE
                                                         : BST_REASON_UNKNOWN_STATE);
    bst__blame(synth, log->cell);
    bst_strbuf_addf(message, "%s has ", table_name(log));
    bst_strbuf_add_json(message, row->text, strlen(row->text));
    bst_strbuf_addf(message, ", %s", mistakes[row->mistake]);
    return false;
}

static bool refuse_length(bst_synth *synth) {
    const bst_mapping *const mapping = synth->mapping;
    bst__refuse(synth, BST_REASON_TOO_AMBIGUOUS);
    for (uint32_t i = 0; i < mapping->log_count; i++) {
        if (mapping->log[i].evidence)
            bst__blame(synth, mapping->log[i].cell);
        bst_strbuf_addf(&synth->refusal.message, "%s%s", i > 0 ? " and " : "",
                        table_name(&mapping->log[i]));
    }
    bst_strbuf_addf(&synth->refusal.message, " %s %zu rows of this entity; %u are the limit",
                    mapping->log_count > 1 ? "have" : "has", synth->log.count, BST_LOG_ROWS_MAX);
    return false;
}

/* ---- rows of one time, when nothing gives their order ---- */

static bool is_same(const bst__log_row *a, const bst__log_row *b) {
    return a->log == b->log && a->column == b->column && a->state == b->state &&
           a->node == b->node && a->event == b->event && a->command == b->command;
}

static bool may_agree(uint32_t a, uint32_t b) {
    return a == b || a == BST_NONE || b == BST_NONE;
}

/* Each row of a region is a step of its own. Equal rows may be put one after the other, for that
 * they are; but of unequal ones that could be the same step, only the first can be given the
 * time. */
static bool hides_behind(const bst_synth *synth, uint32_t item) {
    const bst__log_row *const row = row_of(synth, item);
    bool hides = false;
    for (uint32_t other = row->before; other != BST_NONE && !hides;
         other = synth->log.rows[other].before) {
        const bst__log_row *const with = &synth->log.rows[other];
        if (row->time > with->time)
            break;
        hides = !is_same(row, with) && may_agree(row->state, with->state) &&
                may_agree(row->node, with->node) && may_agree(row->event, with->event) &&
                may_agree(row->command, with->command);
    }
    return hides && log_of(synth, row)->order_count == 0;
}

/* The steps that a whole log of a column speaks of: all that enter something it has a code for. */
static bool is_counted(const bst_synth *synth, const bst__whole *whole, uint32_t transition) {
    const bst_machine *const machine = synth->machine;
    const bst_transition *const step = &machine->transitions[transition];
    if (step->from == BST_NONE || step->targetless)
        return false;
    if (!synth->mapping->regional)
        return true;
    const bst_state_column *const column = &synth->mapping->state_columns[whole->column];
    for (uint32_t c = 0; c < column->code_count; c++) {
        if (bst_machine_enters(machine, transition, column->codes[c].node))
            return true;
    }
    return false;
}

/* Whether the first row is the creation: as far as one can tell from where it leads. */
static bool say_whole(bst_synth *synth, const bst__log_row *first, uint32_t count) {
    const uint32_t item = synth->mapping->evidence_count + (uint32_t)(first - synth->log.rows);
    const bst_machine *const machine = synth->machine;
    const uint8_t *const flags = bst__log_transitions(synth, item);
    bool creation = false, step = false;
    if (!flags)
        return false;
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        creation |= flags[t] && machine->transitions[t].from == BST_NONE;
        step |= flags[t] && machine->transitions[t].from != BST_NONE;
    }
    synth->wholes[synth->whole_count++] =
        (bst__whole){first->log, first->column, count - (creation && !step),
                     creation && step ? BST_AT_MOST : BST_EXACTLY};
    return true;
}

/* For each column that such a log has rows of. */
static bool say_wholes(bst_synth *synth) {
    for (uint32_t i = 0; i < synth->log.count; i++) {
        const bst__log_row *const first = &synth->log.rows[i];
        uint32_t count = 0;
        if (!log_of(synth, first)->whole || first->before != BST_NONE ||
            synth->whole_count == BST__WHOLES_MAX)
            continue;
        for (uint32_t k = i; k < synth->log.count; k++)
            count +=
                synth->log.rows[k].log == first->log && synth->log.rows[k].column == first->column;
        if (!say_whole(synth, first, count)) {
            synth->status = bst_diag_nomem(synth->diags);
            return false;
        }
    }
    for (uint32_t i = 0; i < synth->whole_count; i++)
        synth->said[synth->mapping->evidence_count + synth->log.count + i] =
            (bst__said){.say = BST__SAY_COUNT, .number = synth->wholes[i].count};
    return true;
}

static bool read_logs(bst_synth *synth, const bst_row *row) {
    const bst_mapping *const mapping = synth->mapping;
    bst__log_clear(&synth->log);
    synth->whole_count = 0;
    for (uint32_t i = 0; i < mapping->log_count && !synth->ignores_log; i++) {
        const bst_log *const log = &mapping->log[i];
        if (log->evidence && !bst__log_add(&synth->log, mapping, i, &row->cells[log->cell])) {
            synth->status = bst_diag_nomem(synth->diags);
            return false;
        }
    }
    return true;
}

bool bst__say_log(bst_synth *synth, const bst_row *row) {
    if (!read_logs(synth, row))
        return false;
    if (synth->log.count > BST_LOG_ROWS_MAX)
        return refuse_length(synth);
    for (size_t i = 0; i < synth->log.count; i++) {
        const bst__log_row *const from = &synth->log.rows[i];
        const uint32_t item = synth->mapping->evidence_count + (uint32_t)i;
        const bool undated = log_of(synth, from)->versions && from->before == BST_NONE;
        if (from->mistake != BST__LOG_FINE)
            return refuse_row(synth, from);
        const bool dated = from->timed && !undated && !hides_behind(synth, item);
        synth->said[item] =
            (bst__said){.say = dated ? BST__SAY_AT : BST__SAY_HAPPENED, .time = from->time};
    }
    return say_wholes(synth);
}

size_t bst__log_bytes_max(void) {
    return BST_LOG_ROWS_MAX * ROW_BYTES;
}

uint8_t *bst__write_log(const bst_synth *synth, uint8_t *at) {
    for (size_t i = 0; i < synth->log.count; i++) {
        const bst__log_row *const row = &synth->log.rows[i];
        const bst__said *const said = &synth->said[synth->mapping->evidence_count + i];
        const uint32_t item = synth->mapping->evidence_count + (uint32_t)i;
        const uint32_t numbers[] = {
            row->log,   row->column,  row->state,   row->node,
            row->event, row->command, said->number, bst__log_before(synth, item)};
        memcpy(at, numbers, sizeof numbers);
        at += sizeof numbers;
        *at++ = (uint8_t)((uint32_t)said->say | (said->late ? BST__LATE : 0u));
    }
    return at;
}

/* ---- what it claims ---- */

/* Of a region that is entered together with those beside it the row may be missing, so a step that
 * enters the node is meant however it does. */
static bool leads_there(const bst_synth *synth, const bst__log_row *row, uint32_t transition) {
    const bst_transition *const step = &synth->machine->transitions[transition];
    if (row->node != BST_NONE)
        return !step->targetless && bst_machine_enters(synth->machine, transition, row->node);
    return row->state == BST_NONE || (step->to == row->state && !step->targetless);
}

const uint8_t *bst__log_transitions(const bst_synth *synth, uint32_t item) {
    const bst_machine *const machine = synth->machine;
    const bst__whole *const whole = whole_of(synth, item);
    const bst__log_row *const row = whole ? NULL : row_of(synth, item);
    uint8_t *const flags = bst_arena_array(synth->scratch, machine->transition_count, 1);
    for (uint32_t t = 0; flags && t < machine->transition_count; t++) {
        const bst_transition *const step = &machine->transitions[t];
        flags[t] = whole ? is_counted(synth, whole, t)
                         : leads_there(synth, row, t) &&
                               (row->event == BST_NONE || step->event == row->event) &&
                               (row->command == BST_NONE || step->command == row->command);
    }
    return flags;
}

uint32_t bst__log_before(const bst_synth *synth, uint32_t item) {
    const uint32_t first = synth->mapping->evidence_count;
    if (whole_of(synth, item))
        return BST_NONE;
    const bst__log_row *const row = row_of(synth, item);
    const uint32_t before = row->before;
    if (before == BST_NONE || log_of(synth, row)->order_count > 0)
        return before == BST_NONE ? BST_NONE : first + before;
    const bst__log_row *earliest = row;
    while (earliest->before != BST_NONE)
        earliest = &synth->log.rows[earliest->before];
    if (synth->said[first + (uint32_t)(earliest - synth->log.rows)].say == BST__SAY_HAPPENED &&
        row->time > earliest->time)
        return first + before;
    for (uint32_t other = before; other != BST_NONE && row->time <= synth->log.rows[other].time;
         other = synth->log.rows[other].before) {
        if (is_same(&synth->log.rows[other], row))
            return first + other;
    }
    return BST_NONE;
}

void bst__add_log_order(const bst_synth *synth, uint32_t item, bst_strbuf *out) {
    const uint32_t first = synth->mapping->evidence_count;
    const bst__log_row *const row = row_of(synth, item);
    const uint32_t before = bst__log_before(synth, item);
    if (log_of(synth, row)->order_count > 0)
        return;
    if (before != BST_NONE)
        bst_strbuf_addf(out, " after row %u", before - first + 1);
    for (uint32_t i = item + 1; i < first + synth->log.count; i++) {
        if (row_of(synth, i)->before == item - first && synth->said[i].say == BST__SAY_AT &&
            bst__log_before(synth, i) != item)
            bst_strbuf_addf(out, " at the time of row %u", i - first + 1);
    }
}

bool bst__log_is_after(const bst_synth *synth, uint32_t item, uint32_t than) {
    const uint32_t first = synth->mapping->evidence_count;
    if (!bst__is_log_row(synth, item) || whole_of(synth, item))
        return false;
    uint32_t before = row_of(synth, item)->before;
    while (before != BST_NONE && first + before != than)
        before = synth->log.rows[before].before;
    return before != BST_NONE;
}

/* ---- in words ---- */

static const char *place_name(const bst_synth *synth, const bst__log_row *row) {
    return row->state != BST_NONE  ? synth->machine->states[row->state].name
           : row->node != BST_NONE ? synth->machine->nodes[row->node].name
                                   : NULL;
}

/* What it says of the step: a state, else an event, else a command. */
static const char *subject(const bst_synth *synth, const bst__log_row *row) {
    const char *const place = place_name(synth, row);
    return place                    ? place
           : row->event != BST_NONE ? synth->machine->events[row->event].name
                                    : synth->machine->commands[row->command].name;
}

/* All that it says: no two rows of different meaning have one name. */
static void add_row_name(const bst_synth *synth, const bst__log_row *row, bst_strbuf *out) {
    const bst_machine *const machine = synth->machine;
    bst_strbuf_adds(out, synth->mapping->log_count > 1 ? table_name(log_of(synth, row)) : "log");
    bst_strbuf_addc(out, ':');
    if (row->state != BST_NONE)
        bst_strbuf_adds(out, machine->states[row->state].name);
    else if (row->node != BST_NONE)
        bst_strbuf_adds(out, machine->nodes[row->node].path);
    if (row->event == BST_NONE && row->command == BST_NONE)
        return;
    bst_strbuf_adds(out, place_name(synth, row) ? " by " : "");
    bst_strbuf_adds(out, row->event != BST_NONE ? machine->events[row->event].name
                                                : machine->commands[row->command].name);
}

static void add_whole_name(const bst_synth *synth, const bst__whole *whole, bst_strbuf *out) {
    const char *const region = synth->mapping->state_columns[whole->column].region_key;
    bst_strbuf_adds(
        out, synth->mapping->log_count > 1 ? table_name(&synth->mapping->log[whole->log]) : "log");
    if (region)
        bst_strbuf_addf(out, ":%s", region);
}

void bst__add_item_name(const bst_synth *synth, uint32_t item, bst_strbuf *out) {
    if (!bst__is_log_row(synth, item))
        bst_strbuf_adds(out, synth->items[item].name);
    else if (whole_of(synth, item))
        add_whole_name(synth, whole_of(synth, item), out);
    else
        add_row_name(synth, row_of(synth, item), out);
}

const char *bst__item_phrase(const bst_synth *synth, uint32_t item) {
    if (!bst__is_log_row(synth, item))
        return synth->items[item].phrase;
    if (whole_of(synth, item))
        return "steps after the creation";
    const bst__log_row *const row = row_of(synth, item);
    const char *const what = place_name(synth, row)   ? "entry into state "
                             : row->event != BST_NONE ? ""
                                                      : "command ";
    const char *const made =
        bst_arena_printf(synth->scratch, "%s\"%s\"", what, subject(synth, row));
    return made ? made : "this";
}

/* Its place among the rows of its own log. */
static uint32_t row_number(const bst_synth *synth, uint32_t item) {
    uint32_t at = item - synth->mapping->evidence_count, number = 1;
    for (; at > 0 && synth->log.rows[at - 1].log == synth->log.rows[at].log; at--)
        number++;
    return number;
}

void bst__add_item_column(const bst_synth *synth, uint32_t item, bst_strbuf *out) {
    if (!bst__is_log_row(synth, item))
        bst_strbuf_adds(out, synth->mapping->source.columns[bst__item_column(synth, item)].name);
    else if (whole_of(synth, item))
        bst_strbuf_addf(out, "the number of steps in %s", table_name(log_at(synth, item)));
    else
        bst_strbuf_addf(out, "%s row %u (%s)", table_name(log_at(synth, item)),
                        row_number(synth, item), subject(synth, row_of(synth, item)));
}

uint32_t bst__item_column(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? log_at(synth, item)->cell
                                        : synth->mapping->evidence[item].column;
}

const char *bst__item_label(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? table_name(log_at(synth, item))
                                        : synth->mapping->evidence[item].label;
}

bst_evidence_kind bst__item_kind(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? BST_EVIDENCE_STATE : synth->mapping->evidence[item].kind;
}

bst_relation bst__item_relation(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? whole_of(synth, item)->relation
                                        : synth->mapping->evidence[item].relation;
}
