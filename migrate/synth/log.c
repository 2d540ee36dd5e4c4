/* The rows of a log as items of evidence: each is a step into a state (or a step with an event)
 * that happened, in the order of the log. There may have been others between them.
 *
 * In a signature each row has 17 bytes: state, event, command, the rank of its time, what it says.
 */
#include "synth_private.h"

#include <string.h>

#include "source/source_private.h"

#define ROW_BYTES (4 * sizeof(uint32_t) + 1)

static const bst__log_row *row_of(const bst_synth *synth, uint32_t item) {
    return &synth->log.rows[item - synth->mapping->evidence_count];
}

static const char *table_name(const bst_synth *synth) {
    return synth->mapping->log->joined.name;
}

/* A log without gaps says one thing more, after its rows: how many steps there were. */
static bool is_whole(const bst_synth *synth) {
    return synth->log.count > 0 && synth->mapping->log->whole;
}

static bool is_the_whole(const bst_synth *synth, uint32_t item) {
    return item == synth->mapping->evidence_count + synth->log.count;
}

uint32_t bst__item_count(const bst_synth *synth) {
    return synth->mapping->evidence_count + (uint32_t)synth->log.count + is_whole(synth);
}

/* ---- reading ---- */

static bool refuse_row(bst_synth *synth, const bst__log_row *row) {
    bst_strbuf *const message = &synth->refusal.message;
    if (row->mistake == BST__LOG_NO_ZONE) {
        synth->status = bst__report_no_zone(
            synth->mapping->log->source.table,
            synth->mapping->log->source.columns[synth->mapping->log->at].name, synth->diags);
        return false;
    }
    bst__refuse(synth, row->mistake == BST__LOG_BAD_TIME ? BST_REASON_BAD_VALUE
                                                         : BST_REASON_UNKNOWN_STATE);
    bst__blame(synth, synth->mapping->log->cell);
    bst_strbuf_addf(message, "%s has ", table_name(synth));
    bst_strbuf_add_json(message, row->text, strlen(row->text));
    bst_strbuf_adds(message, row->mistake == BST__LOG_UNKNOWN_STATE
                                 ? ", which is no state that the mapping knows"
                             : row->mistake == BST__LOG_UNKNOWN_EVENT
                                 ? ", which is no event or command of the machine"
                                 : ", which is no time at which something happens");
    return false;
}

static bool refuse_length(bst_synth *synth) {
    bst__refuse(synth, BST_REASON_TOO_AMBIGUOUS);
    bst__blame(synth, synth->mapping->log->cell);
    bst_strbuf_addf(&synth->refusal.message, "%s has %zu rows of this entity; %u are the limit",
                    table_name(synth), synth->log.count, BST_LOG_ROWS_MAX);
    return false;
}

/* ---- rows of one time, when nothing gives their order ---- */

static bool is_later(const bst_synth *synth, uint32_t item, uint32_t than) {
    return row_of(synth, item)->time > row_of(synth, than)->time;
}

static bool is_same(const bst__log_row *a, const bst__log_row *b) {
    return a->state == b->state && a->event == b->event && a->command == b->command;
}

static bool may_agree(uint32_t a, uint32_t b) {
    return a == b || a == BST_NONE || b == BST_NONE;
}

/* Each row is a step of its own. Equal rows may be put one after the other, for that they are; but
 * of unequal ones that could be the same step, only the first can be given the time. */
static bool hides_behind(const bst_synth *synth, uint32_t item) {
    const bst__log_row *const row = row_of(synth, item);
    bool hides = false;
    for (uint32_t other = item; other-- > synth->mapping->evidence_count && !hides;) {
        const bst__log_row *const with = row_of(synth, other);
        if (row->time > with->time)
            break;
        hides = !is_same(row, with) && may_agree(row->state, with->state) &&
                may_agree(row->event, with->event) && may_agree(row->command, with->command);
    }
    return hides && synth->mapping->log->order_count == 0;
}

/* Whether the first row is the creation: as far as one can tell from where it leads. */
static void say_whole(bst_synth *synth) {
    const uint32_t first = synth->mapping->evidence_count;
    const bst_machine *const machine = synth->machine;
    const uint8_t *const flags = bst__log_transitions(synth, first);
    bool creation = false, step = false;
    for (uint32_t t = 0; flags && t < machine->transition_count; t++) {
        creation |= flags[t] && machine->transitions[t].from == BST_NONE;
        step |= flags[t] && machine->transitions[t].from != BST_NONE;
    }
    synth->whole_relation = creation && step ? BST_AT_MOST : BST_EXACTLY;
    synth->said[first + synth->log.count] = (bst__said){
        .say = BST__SAY_COUNT, .number = (uint32_t)synth->log.count - (creation && !step)};
    if (!flags)
        synth->status = bst_diag_nomem(synth->diags);
}

bool bst__say_log(bst_synth *synth, const bst_row *row) {
    const bst_log *const log = synth->mapping->log;
    synth->log.count = 0;
    if (!log || !log->evidence || synth->ignores_log)
        return true;
    if (!bst__log_read(&synth->log, synth->mapping, &row->cells[log->cell])) {
        synth->status = bst_diag_nomem(synth->diags);
        return false;
    }
    if (synth->log.count > BST_LOG_ROWS_MAX)
        return refuse_length(synth);
    for (size_t i = 0; i < synth->log.count; i++) {
        const bst__log_row *const from = &synth->log.rows[i];
        const uint32_t item = synth->mapping->evidence_count + (uint32_t)i;
        const bool dated = from->timed && !(log->versions && i == 0) && !hides_behind(synth, item);
        if (from->mistake != BST__LOG_FINE)
            return refuse_row(synth, from);
        synth->said[item] =
            (bst__said){.say = dated ? BST__SAY_AT : BST__SAY_HAPPENED, .time = from->time};
    }
    if (is_whole(synth))
        say_whole(synth);
    return synth->status == BST_OK;
}

size_t bst__log_bytes_max(void) {
    return BST_LOG_ROWS_MAX * ROW_BYTES;
}

uint8_t *bst__write_log(const bst_synth *synth, uint8_t *at) {
    for (size_t i = 0; i < synth->log.count; i++) {
        const bst__log_row *const row = &synth->log.rows[i];
        const bst__said *const said = &synth->said[synth->mapping->evidence_count + i];
        const uint32_t numbers[] = {row->state, row->event, row->command, said->number};
        memcpy(at, numbers, sizeof numbers);
        at += sizeof numbers;
        *at++ = (uint8_t)((uint32_t)said->say | (said->late ? BST__LATE : 0u));
    }
    return at;
}

/* ---- what it claims ---- */

const uint8_t *bst__log_transitions(const bst_synth *synth, uint32_t item) {
    const bst_machine *const machine = synth->machine;
    const bst__log_row *const row = row_of(synth, item);
    uint8_t *const flags = bst_arena_array(synth->scratch, machine->transition_count, 1);
    for (uint32_t t = 0; flags && t < machine->transition_count; t++) {
        const bst_transition *const step = &machine->transitions[t];
        if (is_the_whole(synth, item)) {
            flags[t] = step->from != BST_NONE && !step->targetless;
            continue;
        }
        flags[t] = (row->state == BST_NONE || (step->to == row->state && !step->targetless)) &&
                   (row->event == BST_NONE || step->event == row->event) &&
                   (row->command == BST_NONE || step->command == row->command);
    }
    return flags;
}

uint32_t bst__log_before(const bst_synth *synth, uint32_t item) {
    const uint32_t first = synth->mapping->evidence_count;
    if (item == first || is_the_whole(synth, item))
        return BST_NONE;
    if (synth->mapping->log->order_count > 0)
        return item - 1;
    if (synth->said[first].say == BST__SAY_HAPPENED && is_later(synth, item, first))
        return item - 1;
    for (uint32_t other = item; other-- > first && !is_later(synth, item, other);) {
        if (is_same(row_of(synth, other), row_of(synth, item)))
            return other;
    }
    return BST_NONE;
}

/* ---- in words ---- */

/* What it says of the step: a state, else an event, else a command. */
static const char *subject(const bst_synth *synth, const bst__log_row *row) {
    return row->state != BST_NONE   ? synth->machine->states[row->state].name
           : row->event != BST_NONE ? synth->machine->events[row->event].name
                                    : synth->machine->commands[row->command].name;
}

/* All that it says: no two rows of different meaning have one name. */
static void add_row_name(const bst_synth *synth, const bst__log_row *row, bst_strbuf *out) {
    const bst_machine *const machine = synth->machine;
    const char *separator = "log:";
    if (row->state != BST_NONE) {
        bst_strbuf_addf(out, "%s%s", separator, machine->states[row->state].name);
        separator = " by ";
    }
    if (row->event != BST_NONE)
        bst_strbuf_addf(out, "%s%s", separator, machine->events[row->event].name);
    else if (row->command != BST_NONE)
        bst_strbuf_addf(out, "%s%s", separator, machine->commands[row->command].name);
}

void bst__add_item_name(const bst_synth *synth, uint32_t item, bst_strbuf *out) {
    if (is_the_whole(synth, item))
        bst_strbuf_adds(out, "log");
    else if (bst__is_log_row(synth, item))
        add_row_name(synth, row_of(synth, item), out);
    else
        bst_strbuf_adds(out, synth->items[item].name);
}

const char *bst__item_phrase(const bst_synth *synth, uint32_t item) {
    if (!bst__is_log_row(synth, item))
        return synth->items[item].phrase;
    if (is_the_whole(synth, item))
        return "steps after the creation";
    const bst__log_row *const row = row_of(synth, item);
    const char *const what = row->state != BST_NONE   ? "entry into state "
                             : row->event != BST_NONE ? ""
                                                      : "command ";
    const char *const made =
        bst_arena_printf(synth->scratch, "%s\"%s\"", what, subject(synth, row));
    return made ? made : "this";
}

void bst__add_item_column(const bst_synth *synth, uint32_t item, bst_strbuf *out) {
    if (is_the_whole(synth, item))
        bst_strbuf_addf(out, "the number of steps in %s", table_name(synth));
    else if (bst__is_log_row(synth, item))
        bst_strbuf_addf(out, "%s row %u (%s)", table_name(synth),
                        item - synth->mapping->evidence_count + 1,
                        subject(synth, row_of(synth, item)));
    else
        bst_strbuf_adds(out, synth->mapping->source.columns[bst__item_column(synth, item)].name);
}

uint32_t bst__item_column(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? synth->mapping->log->cell
                                        : synth->mapping->evidence[item].column;
}

const char *bst__item_label(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? table_name(synth) : synth->mapping->evidence[item].label;
}

bst_evidence_kind bst__item_kind(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? BST_EVIDENCE_STATE : synth->mapping->evidence[item].kind;
}

bst_relation bst__item_relation(const bst_synth *synth, uint32_t item) {
    return bst__is_log_row(synth, item) ? synth->whole_relation
                                        : synth->mapping->evidence[item].relation;
}
