/* Why a row has no history, in one sentence, with the columns and values that clash. Made for rows
 * in quarantine only, so nothing here is hurried.
 */
#include "synth_private.h"

#include <string.h>

#include "backstory/words.h"

#define RUN_SHORTENED 4u /* so many of one event in a row are written once: "failed x100" */

void bst__add_event_short(const bst_machine *machine, uint32_t event, bst_strbuf *out) {
    bst_strbuf name = BST_STRBUF_INIT;
    bst_strbuf prefix = BST_STRBUF_INIT;
    bst_snake_case(machine->events[event].name, &name);
    bst_snake_case(machine->id, &prefix);
    bst_strbuf_addc(&prefix, '_');
    bool starts = name.len > prefix.len && memcmp(name.text, prefix.text, prefix.len) == 0;
    bst_strbuf_adds(out, name.text + (starts ? prefix.len : 0));
    bst_strbuf_release(&name);
    bst_strbuf_release(&prefix);
}

void bst__add_history(const bst_synth *synth, const bst__walk *walk, bst_strbuf *out) {
    bst_strbuf_adds(out, walk->plan.certain ? "in the only possible history ("
                                            : "in the likeliest history (");
    for (uint32_t i = 0; i < walk->plan.event_count;) {
        uint32_t run = 1;
        while (i + run < walk->plan.event_count &&
               walk->plan.events[i + run].type == walk->plan.events[i].type) {
            run++;
        }
        run = run >= RUN_SHORTENED ? run : 1;
        bst_strbuf_adds(out, i > 0 ? ", " : "");
        bst__add_event_short(synth->machine, walk->plan.events[i].type, out);
        if (run > 1) {
            bst_strbuf_addf(out, " x%u", run);
        }
        i += run;
    }
    bst_strbuf_addc(out, ')');
}

/* ---- contradictions ---- */

static void add_time(const bst_synth *synth, uint32_t item, bst_strbuf *out) {
    char text[BST_TIME_TEXT_MAX];
    bst_time_format(synth->said[item].time, text);
    bst__add_item_column(synth, item, out);
    bst_strbuf_addf(out, " %s", text);
}

static void add_fact(const bst_synth *synth, uint32_t item, bst_strbuf *out) {
    const bst__said *said = &synth->said[item];
    if (said->say == BST__SAY_AT || said->say == BST__SAY_BOUND) {
        add_time(synth, item, out);
        return;
    }
    bst__add_item_column(synth, item, out);
    if (said->say == BST__SAY_NEVER) {
        bst_strbuf_adds(out, " is NULL");
    } else if (said->say == BST__SAY_COUNT) {
        bst_strbuf_addf(out, " is %u", said->number);
    }
}

/* Times first, in their order; then what never was; then counts. */
static bool comes_before(const bst_synth *synth, uint32_t a, uint32_t b) {
    static const int places[] = {[BST__SAY_AT] = 0,
                                 [BST__SAY_HAPPENED] = 1,
                                 [BST__SAY_NEVER] = 2,
                                 [BST__SAY_COUNT] = 3,
                                 [BST__SAY_BOUND] = 4};
    const bst__said *one = &synth->said[a];
    const bst__said *other = &synth->said[b];
    if (one->say != other->say) {
        return places[one->say] < places[other->say];
    }
    return one->say == BST__SAY_AT && one->number != other->number ? one->number < other->number
                                                                   : a < b;
}

static void sort_items(const bst_synth *synth, uint32_t *items, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        uint32_t item = items[i];
        uint32_t at = i;
        for (; at > 0 && comes_before(synth, item, items[at - 1]); at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

static void add_two(const bst_synth *synth, uint32_t a, uint32_t b, const char *state,
                    bst_strbuf *out) {
    const bst__said *first = &synth->said[a];
    const bst__said *second = &synth->said[b];
    const char *one = bst__item_phrase(synth, a);
    const char *other = bst__item_phrase(synth, b);
    add_fact(synth, a, out);
    if (bst__log_is_after(synth, a, b)) {
        bst_strbuf_adds(out, " comes after ");
        add_fact(synth, b, out);
        bst_strbuf_adds(out, " in the log, but its time is earlier");
    } else if (first->number < second->number) {
        bst_strbuf_adds(out, " is before ");
        add_fact(synth, b, out);
        bst_strbuf_addf(out, ", and no path to state \"%s\" has %s before %s", state, one, other);
    } else {
        bst_strbuf_adds(out, " and ");
        add_fact(synth, b, out);
        bst_strbuf_addf(out, " are both set, and no path to state \"%s\" has %s and %s", state, one,
                        other);
    }
}

static void add_one(const bst_synth *synth, uint32_t item, const char *state, bst_strbuf *out) {
    static const char *const relations[] = {"", "at most ", "at least "};
    const bst__said *said = &synth->said[item];
    const char *phrase = bst__item_phrase(synth, item);
    add_fact(synth, item, out);
    if (said->say == BST__SAY_NEVER) {
        bst_strbuf_addf(out, ", but every path to state \"%s\" has %s", state, phrase);
    } else if (said->say == BST__SAY_COUNT) {
        bst_strbuf_addf(out, ", and no path to state \"%s\" has %s %s%u %s", state, phrase,
                        relations[bst__item_relation(synth, item)], said->number,
                        said->number == 1 ? "time" : "times");
    } else {
        bst_strbuf_addf(out, " is set, but no path to state \"%s\" has %s", state, phrase);
    }
}

static void add_contradiction(const bst_synth *synth, const uint32_t *items, uint32_t count,
                              const char *state, bst_strbuf *out) {
    if (count == 0) {
        bst_strbuf_addf(out, "no path of the machine leads to state \"%s\"", state);
    } else if (count == 1) {
        add_one(synth, items[0], state, out);
    } else if (count == 2 && synth->said[items[1]].say == BST__SAY_AT) {
        add_two(synth, items[0], items[1], state, out);
    } else if (count == 2 && synth->said[items[0]].say == BST__SAY_AT &&
               synth->said[items[1]].say == BST__SAY_NEVER) {
        add_fact(synth, items[0], out);
        bst_strbuf_adds(out, " is set and ");
        add_fact(synth, items[1], out);
        bst_strbuf_addf(out, ", but no path to state \"%s\" has %s without %s", state,
                        bst__item_phrase(synth, items[0]), bst__item_phrase(synth, items[1]));
    } else {
        for (uint32_t i = 0; i < count; i++) {
            bst_strbuf_adds(out, i == 0 ? "" : i + 1 < count ? ", " : " and ");
            add_fact(synth, items[i], out);
        }
        bst_strbuf_addf(out, " cannot hold together: no path to state \"%s\" agrees with all",
                        state);
    }
}

/* `items`: those that are out of order, then what they are held against. */
static void add_disorder(const bst_synth *synth, const uint32_t *items, uint32_t count,
                         const char *relation, const char *meaning, bst_strbuf *out) {
    for (uint32_t i = 0; i + 1 < count; i++) {
        bst_strbuf_adds(out, i == 0 ? "" : i + 2 < count ? ", " : " and ");
        add_fact(synth, items[i], out);
    }
    bst_strbuf_addf(out, " %s %s ", count > 2 ? "are" : "is", relation);
    add_fact(synth, items[count - 1], out);
    bst_strbuf_addf(out, ", %s", meaning);
}

void bst__add_repairs(bst_synth *synth, const uint32_t *items, uint32_t count) {
    bst_strbuf *out = &synth->refusal.repair;
    bst_strbuf_adds(out, count > 0 && out->len > 0 ? "; " : "");
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_adds(out, i == 0 ? "holds if " : i + 1 < count ? ", " : " or ");
        bst__add_item_column(synth, items[i], out);
    }
    bst_strbuf_adds(out, count > 0 ? " is ignored" : "");
}

static void add_walk(const bst_synth *synth, const bst_plan *plan, double confidence,
                     bst_strbuf *out) {
    for (uint32_t i = 0; i < plan->event_count; i++) {
        bst_strbuf_adds(out, i > 0 ? ", " : "");
        bst__add_event_short(synth->machine, plan->events[i].type, out);
    }
    bst_strbuf_addf(out, " (%.2f)", confidence);
}

void bst__refuse_ambiguous(bst_synth *synth, const bst__outcome *outcome) {
    bst_strbuf *message = &synth->refusal.message;
    bst__refuse(synth, BST_REASON_AMBIGUOUS);
    bst_strbuf_adds(message, "several histories are possible: ");
    add_walk(synth, &outcome->plan, outcome->plan.confidence, message);
    if (outcome->next_walk != BST_NONE) {
        bst_strbuf_adds(message, "; ");
        add_walk(synth, &outcome->signature->walks[outcome->next_walk].plan,
                 outcome->next_confidence, message);
    }
}

void bst__refuse_signature(bst_synth *synth, const bst__signature *signature, uint32_t state) {
    const char *name = synth->machine->states[state].name;
    const bst_reason reason =
        signature->reason != BST_REASON_NONE ? signature->reason : signature->cause;
    bst_strbuf *message = &synth->refusal.message;
    bst__refuse(synth, reason);
    for (uint32_t i = 0; i < signature->conflict_count; i++) {
        bst__blame(synth, bst__item_column(synth, signature->conflict[i]));
    }
    uint32_t sorted[BST_CLAIMS_MAX + 1];
    uint32_t count = signature->conflict_count;
    if (count > 0) {
        memcpy(sorted, signature->conflict, count * sizeof *sorted);
    }
    switch (reason) {
    case BST_REASON_BEFORE_CREATION:
        add_disorder(synth, sorted, count, "before", "when the entity was created", message);
        break;
    case BST_REASON_AFTER_LAST_CHANGE:
        add_disorder(synth, sorted, count, "after", "the last change", message);
        break;
    case BST_REASON_TOO_AMBIGUOUS:
        bst_strbuf_addf(message, "so many paths lead to state \"%s\" that the search was given up",
                        name);
        break;
    default:
        sort_items(synth, sorted, count);
        add_contradiction(synth, sorted, count, name, message);
    }
    bst__add_repairs(synth, signature->repairs, signature->repair_count);
}

/* ---- what the values refuse ---- */

static void blame_step(bst_synth *synth, const bst__walk *walk, uint32_t step) {
    const bst__step *of = &walk->steps[step];
    for (uint32_t f = 0; f < of->filler_count; f++) {
        if (of->fillers[f].getter) {
            bst__getter_columns(synth, of->fillers[f].getter);
        } else if (of->fillers[f].entity_field != BST_NONE) {
            bst__getter_columns(synth, &synth->fields[of->fillers[f].entity_field]);
        }
    }
}

/* The columns of the entity's fields that an expression reads. */
static void blame_entity(bst_synth *synth, const bst_expr *expr) {
    if (expr->op == BST_EXPR_REF && expr->root == BST_ROOT_ENTITY) {
        bst__getter_columns(synth, &synth->fields[expr->index]);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        blame_entity(synth, expr->args[i]);
    }
}

void bst__refuse_guard(bst_synth *synth, const bst__walk *walk, uint32_t step,
                       const bst__guard_check *check) {
    const bst_machine *machine = synth->machine;
    const bst_transition *taken = &machine->transitions[walk->steps[step].transition];
    bst_strbuf *message = &synth->refusal.message;
    bst__refuse(synth, BST_REASON_GUARD_REFUSED);
    blame_step(synth, walk, step);
    bst__add_history(synth, walk, message);
    if (check->guard == BST_NONE) {
        bst_strbuf_addf(message, " command \"%s\" would have led to state \"%s\", not to \"%s\"",
                        machine->commands[taken->command].name, machine->states[check->to].name,
                        machine->states[taken->to].name);
        return;
    }
    const bst_guard *guard = &machine->guards[check->guard];
    blame_entity(synth, guard->expr);
    bst_strbuf_adds(message, " guard ");
    if (guard->name) {
        bst_strbuf_addf(message, "\"%s\" ", guard->name);
    }
    bst_strbuf_addc(message, '(');
    bst_expr_format(guard->expr, message);
    bst_strbuf_addf(
        message, check->expected ? ") does not hold for event %u, %s" : ") holds for event %u, %s",
        step + 1, machine->events[taken->event].name);
    if (!check->expected) {
        bst_strbuf_addf(message, ": it would have led to state \"%s\", not to \"%s\"",
                        machine->states[check->to].name, machine->states[taken->to].name);
    }
}

static void add_value(const bst_type *type, const bst_value *value, bst_strbuf *out) {
    if (value->present) {
        bst_value_to_json(type, value, out);
    } else {
        bst_strbuf_adds(out, "NULL");
    }
}

void bst__refuse_fold(bst_synth *synth, const bst__walk *walk, uint32_t field) {
    const bst_field *of = &synth->machine->fields[field];
    bst_strbuf *message = &synth->refusal.message;
    bst__refuse(synth, BST_REASON_FOLD_DIFFERS);
    bst__getter_columns(synth, &synth->fields[field]);
    bst__add_history(synth, walk, message);
    bst_strbuf_addf(message, " the events give %s ", of->name);
    add_value(&of->type, &synth->folded[field], message);
    bst_strbuf_adds(message, ", but the row has ");
    add_value(&of->type, &synth->expected[field], message);
}

void bst__refuse_step(bst_synth *synth, const bst__walk *walk, uint32_t step, const char *what,
                      bool overflow) {
    bst__refuse(synth, overflow ? BST_REASON_OVERFLOW : BST_REASON_MISSING_VALUE);
    blame_step(synth, walk, step);
    bst__add_history(synth, walk, &synth->refusal.message);
    bst_strbuf_addf(&synth->refusal.message, " %s of event %u, %s, %s", what, step + 1,
                    synth->machine->events[walk->plan.events[step].type].name,
                    overflow ? "leaves its range" : "reads a field that has no value yet");
}
