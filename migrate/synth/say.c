/* What the evidence says of one row, and the signature that follows from it.
 *
 *     state (4 bytes)  then for each item: what it says (1, with the flag "late")  number (4)
 *     then the rows of the log (log.c)
 *
 * The number is the rank of a time, or a count. Of the times only their order counts: two rows
 * whose columns are set in the same order have one signature, and so one plan.
 */
#include "synth_private.h"

#include <string.h>

#include "backstory/words.h"

/* ---- names of items ---- */

static void add_once(bst_strbuf *out, const char *separator, const char *text, size_t *count) {
    bst_strbuf_addf(out, "%s%s", (*count)++ > 0 ? separator : "", text);
}

/* The states that an item names: "entry into state \"failed\"". */
static void add_states(const bst_synth *synth, const bst_evidence *evidence, bool brief,
                       bst_strbuf *out) {
    size_t count = 0;
    bst_strbuf_adds(out, brief ? "" : "entry into state ");
    for (uint32_t i = 0; i < evidence->node_count; i++) {
        const char *path = synth->machine->nodes[evidence->nodes[i]].path;
        bst_strbuf name = BST_STRBUF_INIT;
        bst_strbuf_addf(&name, brief ? "%s" : "\"%s\"", path);
        add_once(out, brief ? "|" : " or ", name.text, &count);
        bst_strbuf_release(&name);
    }
}

/* The distinct events of an item's transitions; "any event" for all of them. */
static void add_events(const bst_synth *synth, const bst_evidence *evidence, bool brief,
                       bst_strbuf *out) {
    const bst_machine *machine = synth->machine;
    size_t count = 0;
    bool all = true;
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        all = all && evidence->transitions[t];
    }
    if (all) {
        bst_strbuf_adds(out, "any event");
        return;
    }
    for (uint32_t i = 0; i < machine->event_count; i++) {
        bool there = false;
        for (uint32_t t = 0; t < machine->transition_count && !there; t++) {
            there = evidence->transitions[t] && machine->transitions[t].event == i;
        }
        if (!there) {
            continue;
        }
        bst_strbuf name = BST_STRBUF_INIT;
        if (brief) {
            bst__add_event_short(machine, i, &name);
        } else {
            bst_strbuf_adds(&name, machine->events[i].name);
        }
        add_once(out, brief ? "|" : " or ", name.text, &count);
        bst_strbuf_release(&name);
    }
}

static const char *item_text(bst_synth *synth, const bst_evidence *evidence, bool brief) {
    bst_strbuf text = BST_STRBUF_INIT;
    if (evidence->kind == BST_EVIDENCE_CREATION) {
        bst_strbuf_adds(&text, brief ? "created" : "the creation");
    } else if (evidence->kind == BST_EVIDENCE_LAST_CHANGE) {
        bst_strbuf_adds(&text, brief ? "last change" : "the last event");
    } else {
        (evidence->kind == BST_EVIDENCE_STATE ? add_states : add_events)(synth, evidence, brief,
                                                                         &text);
    }
    const char *kept = text.failed ? NULL : bst_arena_strdup(synth->arena, text.text);
    bst_strbuf_release(&text);
    return kept;
}

/* Two items of one name are told apart by their columns, and by their number if need be. */
static bool make_names_unique(bst_synth *synth) {
    const bst_mapping *mapping = synth->mapping;
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        const char *column = mapping->source.columns[mapping->evidence[i].column].name;
        bool counts = mapping->evidence[i].kind == BST_EVIDENCE_COUNT;
        bool twin = false;
        for (uint32_t k = 0; k < i && !twin; k++) {
            twin = (mapping->evidence[k].kind == BST_EVIDENCE_COUNT) == counts &&
                   strcmp(synth->items[k].name, synth->items[i].name) == 0;
        }
        if (twin) {
            synth->items[i].name = bst_arena_printf(synth->arena, "%s (%s, item %u)",
                                                    synth->items[i].name, column, i + 1);
        }
        if (!synth->items[i].name) {
            return false;
        }
    }
    return true;
}

/* The last change, where it only says that nothing is later. */
static bool is_bound(const bst_evidence *evidence) {
    return evidence->kind == BST_EVIDENCE_LAST_CHANGE && !evidence->exact;
}

bool bst__say_init(bst_synth *synth) {
    const bst_mapping *mapping = synth->mapping;
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        const bst_evidence *evidence = &mapping->evidence[i];
        bst__item *item = &synth->items[i];
        bst__getter *payload =
            bst_arena_array(synth->arena, evidence->payload_count, sizeof *payload);
        item->column = evidence->column;
        item->when_null = evidence->absent_is_never ? BST__SAY_NEVER : BST__SAY_NOTHING;
        item->when_there = evidence->kind == BST_EVIDENCE_COUNT ? BST__SAY_COUNT
                           : is_bound(evidence)                 ? BST__SAY_BOUND
                                                                : BST__SAY_AT;
        synth->has_bounds = synth->has_bounds || is_bound(evidence);
        item->name = item_text(synth, evidence, true);
        item->phrase = item_text(synth, evidence, false);
        item->payload = payload;
        if (!payload || !item->name || !item->phrase ||
            !bst__row_expr_init(synth, evidence->when, &item->when)) {
            return false;
        }
        for (uint32_t p = 0; p < evidence->payload_count; p++) {
            const bst_payload_from *from = &evidence->payload[p];
            const bst_type *type = &synth->machine->events[from->event].fields[from->field].type;
            if (!bst__getter_init(synth, &from->from, type, &payload[p])) {
                return false;
            }
        }
    }
    return make_names_unique(synth);
}

/* ---- a row ---- */

static const char *column_name(const bst_synth *synth, uint32_t column) {
    return synth->mapping->source.columns[column].name;
}

static bool say_count(bst_synth *synth, uint32_t column, int64_t count, bst__said *ret) {
    if (count >= 0 && count <= (int64_t)BST_WALK_STEPS_MAX) {
        *ret = (bst__said){.say = BST__SAY_COUNT, .number = (uint32_t)count};
        return true;
    }
    bst__refuse(synth, BST_REASON_BAD_COUNT);
    bst__blame(synth, column);
    bst_strbuf_addf(&synth->refusal.message, "%s %lld cannot be a number of events",
                    column_name(synth, column), (long long)count);
    return false;
}

static bool say_time(bst_synth *synth, const bst__item *item, int64_t time, bst__said *ret) {
    if (bst_time_is_finite(time)) {
        *ret = (bst__said){.say = item->when_there, .time = time};
        return true;
    }
    bst__refuse(synth, BST_REASON_NOT_FINITE);
    bst__blame(synth, item->column);
    bst_strbuf_addf(&synth->refusal.message, "%s is %s: nothing happens then",
                    column_name(synth, item->column),
                    time == BST_TIME_INFINITY ? "infinity" : "-infinity");
    return false;
}

static bool refuse_item(bst_synth *synth, const bst__item *item, const bst_row *row) {
    bst__refuse_cell(synth, row, item->column);
    if (item->when_there == BST__SAY_COUNT && row->cells[item->column].result == BST_VALUE_RANGE) {
        synth->refusal.reason = BST_REASON_BAD_COUNT;
    }
    return false;
}

static bool say_item(bst_synth *synth, const bst__item *item, const bst_row *row, bst__said *ret) {
    const bst_cell *cell = &row->cells[item->column];
    if (item->when.expr) {
        bst_value holds;
        if (!bst__row_eval(synth, &item->when, row, &holds)) {
            return false;
        }
        if (!holds.present || holds.u.i == 0) {
            *ret = (bst__said){.say = BST__SAY_OFF};
            return true;
        }
    }
    if (cell->result != BST_VALUE_OK) {
        return refuse_item(synth, item, row);
    }
    if (!cell->value.present) {
        *ret = (bst__said){.say = item->when_null};
        return true;
    }
    return item->when_there == BST__SAY_COUNT ? say_count(synth, item->column, cell->value.u.i, ret)
                                              : say_time(synth, item, cell->value.u.i, ret);
}

/* Items by time, ties by item; there are few, and they mostly come in order. */
static void insert_by_time(bst_synth *synth, uint32_t item) {
    if (synth->said[item].say != BST__SAY_AT) {
        return;
    }
    uint32_t at = synth->order_count++;
    while (at > 0 && synth->said[synth->order[at - 1]].time > synth->said[item].time) {
        synth->order[at] = synth->order[at - 1];
        at--;
    }
    synth->order[at] = item;
}

static void rank_times(bst_synth *synth) {
    uint32_t rank = 0;
    for (uint32_t i = 0; i < synth->order_count; i++) {
        bst__said *said = &synth->said[synth->order[i]];
        if (i > 0 && said->time > synth->said[synth->order[i - 1]].time) {
            rank++;
        }
        said->number = rank;
    }
}

/* An upper bound that holds says nothing more; only what breaks it belongs into the signature. */
static void check_bounds(bst_synth *synth) {
    for (uint32_t i = 0; synth->has_bounds && i < synth->mapping->evidence_count; i++) {
        bst__said *bound = &synth->said[i];
        for (uint32_t k = synth->order_count; bound->say == BST__SAY_BOUND && k > 0; k--) {
            bst__said *said = &synth->said[synth->order[k - 1]];
            if (said->time <= bound->time) {
                break;
            }
            said->late = true;
            bound->late = true;
        }
    }
}

static void write_signature(bst_synth *synth, uint32_t state) {
    uint8_t *at = synth->bytes;
    memcpy(at, &state, sizeof state);
    at += sizeof state;
    for (uint32_t i = 0; i < synth->mapping->evidence_count; i++) {
        const bst__said *said = &synth->said[i];
        bool silent = said->say == BST__SAY_BOUND && !said->late;
        *at = silent ? BST__SAY_NOTHING
                     : (uint8_t)((uint32_t)said->say | (said->late ? BST__LATE : 0u));
        memcpy(at + 1, &said->number, sizeof said->number);
        at += 1 + sizeof said->number;
    }
    synth->bytes_len = (size_t)(bst__write_log(synth, at) - synth->bytes);
}

bool bst__say_row(bst_synth *synth, const bst_row *row, uint32_t state) {
    synth->order_count = 0;
    for (uint32_t i = 0; i < synth->mapping->evidence_count; i++) {
        if (!say_item(synth, &synth->items[i], row, &synth->said[i])) {
            return false;
        }
        insert_by_time(synth, i);
    }
    if (!bst__say_log(synth, row)) {
        return false;
    }
    for (uint32_t i = synth->mapping->evidence_count; i < bst__item_count(synth); i++) {
        insert_by_time(synth, i);
    }
    rank_times(synth);
    check_bounds(synth);
    write_signature(synth, state);
    return true;
}

uint32_t bst__row_span(const bst_synth *synth, bst_span_of of) {
    const uint32_t count = synth->order_count;
    if (count == 0) {
        return 0;
    }
    const bst__said *first = &synth->said[synth->order[0]];
    const bst__said *last = &synth->said[synth->order[count - 1]];
    int64_t from = first->time;
    int64_t to = last->time;
    for (uint32_t i = 0; i < count; i++) {
        const bst__said *said = &synth->said[synth->order[i]];
        if (of == BST_SPAN_FIRST && said->number == first->number + 1) {
            to = said->time;
        }
        if (of == BST_SPAN_LAST && said->number + 1 == last->number) {
            from = said->time;
        }
    }
    return bst_span_of_time(from, to);
}

/* ---- the signature, readable ---- */

static void add_all(const bst_synth *synth, bst__say say, const char *lead, bst_strbuf *out) {
    size_t count = 0;
    for (uint32_t i = 0; i < synth->mapping->evidence_count; i++) {
        if (synth->said[i].say == say) {
            bool counts = synth->mapping->evidence[i].kind == BST_EVIDENCE_COUNT;
            bst_strbuf_addf(out, "%s%s%s", count++ == 0 ? lead : ", ", counts ? "count of " : "",
                            synth->items[i].name);
        }
    }
}

static void add_counts(const bst_synth *synth, bst_strbuf *out) {
    static const char *const relations[] = {"", "at most ", "at least "};
    for (uint32_t i = 0; i < synth->mapping->evidence_count; i++) {
        if (synth->said[i].say == BST__SAY_COUNT) {
            bst_strbuf_addf(out, "; %s %s%u", synth->items[i].name,
                            relations[synth->mapping->evidence[i].relation], synth->said[i].number);
            bst_strbuf_adds(out, synth->said[i].number == 1 ? " time" : " times");
        }
    }
}

/* What is later than an upper bound; and which bound, where there are several. */
static void add_late(const bst_synth *synth, bst_strbuf *out) {
    size_t count = 0;
    size_t bounds = 0;
    for (uint32_t i = 0; i < synth->order_count; i++) {
        if (synth->said[synth->order[i]].late) {
            bst_strbuf_adds(out, count == 0 ? "; after the last change: " : "");
            add_once(out, ", ", "", &count);
            bst__add_item_name(synth, synth->order[i], out);
        }
    }
    for (uint32_t i = 0; count > 0 && i < synth->mapping->evidence_count; i++) {
        const bst_evidence *evidence = &synth->mapping->evidence[i];
        bounds += is_bound(evidence);
    }
    for (uint32_t i = 0; bounds > 1 && i < synth->mapping->evidence_count; i++) {
        if (synth->said[i].say == BST__SAY_BOUND && synth->said[i].late) {
            bst_strbuf_addf(out, " (%s)", synth->items[i].name);
        }
    }
}

void bst__signature_text(const bst_synth *synth, uint32_t state, bst_strbuf *out) {
    bst_strbuf_addf(out, "%s: ", synth->machine->states[state].name);
    for (uint32_t i = 0; i < synth->order_count; i++) {
        const bst__said *said = &synth->said[synth->order[i]];
        bool tie = i > 0 && said->number == synth->said[synth->order[i - 1]].number;
        bst_strbuf_adds(out, i == 0 ? "" : tie ? " = " : ", ");
        bst__add_item_name(synth, synth->order[i], out);
    }
    if (synth->order_count == 0) {
        bst_strbuf_adds(out, "no times");
    }
    size_t undated = 0;
    bool dated = false;
    for (uint32_t i = 0; i < synth->order_count; i++) {
        dated = dated || bst__is_log_row(synth, synth->order[i]);
    }
    for (uint32_t i = 0; i < bst__item_count(synth); i++) {
        if (synth->said[i].say == BST__SAY_HAPPENED) {
            bst_strbuf_adds(out, undated++ == 0 ? "; undated " : ", ");
            bst__add_item_name(synth, i, out);
            if (dated) { /* where it stands among those with a time */
                bst_strbuf_addf(out, " (row %u)", i - synth->mapping->evidence_count + 1);
            }
            bst__add_log_order(synth, i, out);
        }
    }
    add_all(synth, BST__SAY_NEVER, "; never ", out);
    add_counts(synth, out);
    add_all(synth, BST__SAY_OFF, "; does not apply: ", out);
    add_late(synth, out);
}
