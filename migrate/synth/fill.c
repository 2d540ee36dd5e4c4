/* A walk and a row make a history: times and payloads; fold.c proves that it holds.
 *
 * Times. An event with evidence has its time. One without lies between the nearest recorded times
 * before and after it (after the last: the last change, when the row has one), and that interval is
 * kept. The point chosen in it: k events between two times are spread evenly, in whole
 * microseconds. Where one side is open the point is the other side's time, so that nothing is later
 * or earlier than what is known.
 */
#include "synth_private.h"

#include <stdlib.h>

bool bst__room(bst_synth *synth, size_t events, size_t values) {
    if (events > synth->happening_room) {
        bst_happening *more = realloc(synth->happenings, 2 * events * sizeof *more);
        if (!more) {
            synth->status = bst_diag_nomem(synth->diags);
            return false;
        }
        synth->happenings = more;
        synth->happening_room = 2 * events;
    }
    if (values > synth->value_room) {
        bst_value *more = realloc(synth->values, 2 * values * sizeof *more);
        if (!more) {
            synth->status = bst_diag_nomem(synth->diags);
            return false;
        }
        synth->values = more;
        synth->value_room = 2 * values;
    }
    return true;
}

/* One event more: a reconciliation may follow. */
static bool make_room(bst_synth *synth, const bst__walk *walk) {
    return bst__room(synth, (size_t)walk->plan.event_count + 1, walk->value_count);
}

/* ---- times ---- */

int64_t bst__upper_bound(const bst_synth *synth) {
    int64_t bound = BST_TIME_INFINITY;
    for (uint32_t i = 0; synth->has_bounds && i < synth->mapping->evidence_count; i++) {
        if (synth->said[i].say == BST__SAY_BOUND && synth->said[i].time < bound) {
            bound = synth->said[i].time;
        }
    }
    return bound;
}

/* The j-th of k points that divide [low, high] evenly, 1 <= j <= k; exact, whatever the
 * distance. */
static int64_t point_between(int64_t low, int64_t high, uint64_t j, uint64_t k) {
    uint64_t distance = (uint64_t)high - (uint64_t)low;
    uint64_t parts = k + 1;
    uint64_t offset = distance / parts * j + distance % parts * j / parts;
    return (int64_t)((uint64_t)low + offset);
}

static void spread(bst_happening *happenings, uint32_t first, uint32_t end, int64_t low,
                   int64_t high) {
    for (uint32_t i = first; i < end; i++) {
        bst_happening *happening = &happenings[i];
        happening->interval = true;
        happening->after = low;
        happening->before = high;
        if (low == BST_TIME_MINUS_INFINITY) {
            happening->occurred_at = high;
        } else if (high == BST_TIME_INFINITY) {
            happening->occurred_at = low;
        } else {
            happening->occurred_at = point_between(low, high, i - first + 1, end - first);
        }
    }
}

static bool refuse_timeless(bst_synth *synth) {
    synth->timeless = true;
    bst__refuse(synth, BST_REASON_MISSING_VALUE);
    bst_strbuf *message = &synth->refusal.message;
    bst_strbuf_adds(message, "no column says when anything happened");
    for (uint32_t i = 0; i < synth->mapping->evidence_count; i++) {
        if (synth->mapping->evidence[i].kind != BST_EVIDENCE_COUNT) {
            bst__blame(synth, synth->mapping->evidence[i].column);
        }
    }
    for (uint32_t i = 0; i < synth->refusal.evidence_count; i++) {
        bst_strbuf_addf(message, "%s%s", i == 0 ? ": NULL in " : ", ",
                        synth->mapping->source.columns[synth->refused_columns[i]].name);
    }
    return false;
}

/* Into the interval, and not before the event before. */
static void move_point(bst_happening *at, const bst_happening *before) {
    if (!bst_time_is_finite(at->occurred_at)) {
        at->occurred_at = bst_time_is_finite(at->before) ? at->before : at->after;
    }
    if (at->occurred_at < at->after) {
        at->occurred_at = at->after;
    }
    if (before && at->occurred_at < before->occurred_at) {
        at->occurred_at = before->occurred_at;
    }
    if (at->occurred_at > at->before) {
        at->occurred_at = at->before;
    }
}

/* Where a row of a log may mean one of several steps, the first is not later than it, and the last
 * not earlier. */
static void tighten(const bst_synth *synth, const bst__walk *walk) {
    bst_happening *happenings = synth->happenings;
    int64_t high = BST_TIME_INFINITY;
    int64_t low = BST_TIME_MINUS_INFINITY;
    for (uint32_t i = walk->plan.event_count; i-- > 0;) {
        const uint32_t until = walk->steps[i].until;
        if (until != BST_NONE && synth->said[until].time < high) {
            high = synth->said[until].time;
        }
        if (happenings[i].before > high) {
            happenings[i].before = high;
        }
    }
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        const uint32_t since = walk->steps[i].since;
        if (since != BST_NONE && synth->said[since].time > low) {
            low = synth->said[since].time;
        }
        if (happenings[i].after < low) {
            happenings[i].after = low;
        }
        if (happenings[i].interval) {
            move_point(&happenings[i], i > 0 ? &happenings[i - 1] : NULL);
        }
    }
}

static bool fill_times(bst_synth *synth, const bst__walk *walk) {
    bst_happening *happenings = synth->happenings;
    uint32_t count = walk->plan.event_count;
    int64_t low = BST_TIME_MINUS_INFINITY;
    uint32_t first = 0; /* of the events that wait for an upper neighbour */
    for (uint32_t i = 0; i < count; i++) {
        if (walk->steps[i].item == BST_NONE) {
            continue;
        }
        int64_t time = synth->said[walk->steps[i].item].time;
        spread(happenings, first, i, low, time);
        happenings[i] = (bst_happening){.occurred_at = time, .after = time, .before = time};
        low = time;
        first = i + 1;
    }
    int64_t high = bst__upper_bound(synth);
    if (low == BST_TIME_MINUS_INFINITY && high == BST_TIME_INFINITY && !walk->doubts) {
        return refuse_timeless(synth);
    }
    spread(happenings, first, count, low, high);
    if (walk->doubts) {
        tighten(synth, walk);
    }
    return true;
}

/* ---- payloads ---- */

static bool refuse_null(bst_synth *synth, const bst__walk *walk, uint32_t step,
                        const bst__filler *filler) {
    bst_strbuf *message = &synth->refusal.message;
    bst__refuse(synth, BST_REASON_MISSING_VALUE);
    if (filler->getter) {
        bst__getter_columns(synth, filler->getter);
    } else if (filler->entity_field != BST_NONE) {
        bst__getter_columns(synth, &synth->fields[filler->entity_field]);
    }
    for (uint32_t i = 0; i < synth->refusal.evidence_count; i++) {
        bst_strbuf_addf(message, "%s%s", i > 0 ? ", " : "",
                        synth->mapping->source.columns[synth->refused_columns[i]].name);
    }
    bst_strbuf_addf(
        message, "%s event %u, %s, must have \"%s\"",
        synth->refusal.evidence_count > 0 ? " is NULL, but" : "no column supplies it, but",
        step + 1, synth->machine->events[walk->plan.events[step].type].name, filler->field->name);
    return false;
}

static bool refuse_conversion(bst_synth *synth, const bst__filler *filler,
                              bst_value_result result) {
    bst_strbuf *message = &synth->refusal.message;
    const bst_field *from = &synth->machine->fields[filler->entity_field];
    bst__refuse(synth, BST_REASON_BAD_VALUE);
    bst__getter_columns(synth, &synth->fields[filler->entity_field]);
    bst_strbuf_addf(message, "field \"%s\" ", from->name);
    bst_value_to_json(&from->type, &synth->expected[filler->entity_field], message);
    bst__add_unread(&filler->field->type, result, message);
    return false;
}

bool bst__filler_get(bst_synth *synth, const bst__filler *filler, const bst_row *row,
                     bst_value *ret) {
    if (filler->getter) {
        return bst__getter_get(synth, filler->getter, row, ret);
    }
    *ret = BST_ABSENT;
    if (filler->entity_field == BST_NONE || !synth->expected[filler->entity_field].present) {
        return true;
    }
    const bst_value *value = &synth->expected[filler->entity_field];
    *ret = *value;
    if (filler->plain) {
        return true;
    }
    const bst_type *from = &synth->machine->fields[filler->entity_field].type;
    const bst_value_result result =
        bst__cell_convert(from, -1, &filler->field->type, value, synth->scratch, ret);
    return result == BST_VALUE_OK || refuse_conversion(synth, filler, result);
}

static bool fill_payloads(bst_synth *synth, const bst__walk *walk, const bst_row *row) {
    bst_value *values = synth->values;
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        const bst__step *step = &walk->steps[i];
        synth->happenings[i].fields = values;
        for (uint32_t f = 0; f < step->filler_count; f++) {
            if (step->fillers[f].unknown) {
                values[f] = BST_ABSENT;
                continue;
            }
            if (!bst__filler_get(synth, &step->fillers[f], row, &values[f])) {
                return false;
            }
            if (!values[f].present && !step->fillers[f].field->type.optional) {
                return refuse_null(synth, walk, i, &step->fillers[f]);
            }
        }
        values += step->filler_count;
    }
    return true;
}

bool bst__walk_fill(bst_synth *synth, const bst__walk *walk, const bst_row *row) {
    synth->undivided = synth->open_sums = false;
    return make_room(synth, walk) && fill_times(synth, walk) && fill_payloads(synth, walk, row) &&
           (!walk->has_unknown || bst__sums_solve(synth, walk)) && bst__walk_replay(synth, walk);
}
