/* Amounts that only a sum tells: several captures, and one column with the total of them.
 *
 * A field of an event is an amount when the event adds it to a field of the entity, or takes it
 * away (mapping/sum.c). A column knows an amount when it speaks of that
 * very event (the item that dates it), of all such events alike (the item that counts them), or
 * when there is no other such event; the column that holds the entity's own field is the total, and
 * knows none where there are several. Of the amounts that no column knows,
 *
 *     one      is the rest: the row's total less what the other events give
 *     several  stay unknown: absent where the event allows it, else the row is refused
 *
 * for nobody can know how a sum was divided. The rest is never of the other sign than the total.
 */
#include "synth_private.h"

#include "backstory/decimal.h"

#include "mapping/mapping_private.h"

/* ---- which amounts are known ---- */

/* Whether the value comes from where the total does. */
static bool is_total(const bst_synth *synth, const bst__filler *filler) {
    const bst_value_from *total = &synth->mapping->fields[filler->sum];
    if (!filler->getter) {
        return filler->entity_field == filler->sum;
    }
    const bst_value_from *from = filler->getter->from;
    return total->kind == BST_FROM_COLUMN && from->kind == BST_FROM_COLUMN &&
           total->column == from->column;
}

/* The item that a getter belongs to; BST_NONE: none. */
static uint32_t item_of(const bst_synth *synth, const bst__getter *getter) {
    for (uint32_t i = 0; getter && i < synth->mapping->evidence_count; i++) {
        const bst__getter *first = synth->items[i].payload;
        if (getter >= first && getter < first + synth->mapping->evidence[i].payload_count) {
            return i;
        }
    }
    return BST_NONE;
}

/* Whether the item dates step `at`: its time is the step's, or that of another item which says the
 * same time, and of several such steps it is the one that the item means. */
static bool dates(const bst_synth *synth, const bst__walk *walk, const bst__step *steps,
                  uint32_t item, uint32_t at) {
    const uint8_t *transitions = synth->mapping->evidence[item].transitions;
    const bool first = synth->mapping->evidence[item].occurrence == BST_OCCURRENCE_FIRST;
    uint32_t found = BST_NONE;
    if (synth->said[item].say != BST__SAY_AT) {
        return false;
    }
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        const uint32_t of = steps[i].item;
        if (of == item) {
            return i == at;
        }
        const bool same = of != BST_NONE && transitions && transitions[steps[i].transition] &&
                          synth->said[of].number == synth->said[item].number;
        found = same && !(first && found != BST_NONE) ? i : found;
    }
    return found == at;
}

static bool is_unknown(const bst_synth *synth, const bst__walk *walk, const bst__step *steps,
                       uint32_t at, const bst__filler *filler, uint32_t together) {
    const bool mapped = synth->mapping->fields[filler->sum].kind != BST_FROM_NOTHING;
    const uint32_t item = item_of(synth, filler->getter);
    if (together == 1) { /* the total is its amount; another field of that name is a guess */
        return mapped && !filler->getter && filler->entity_field != filler->sum;
    }
    return is_total(synth, filler) || item == BST_NONE ||
           !(synth->mapping->evidence[item].kind == BST_EVIDENCE_COUNT ||
             dates(synth, walk, steps, item, at));
}

/* The same for any walk that has the step, whose time is that of `item`, as far as the step alone
 * tells. */
bool bst__amount_is_known(const bst_synth *synth, const bst__filler *filler, uint32_t item,
                          bool among_others) {
    const bool mapped = synth->mapping->fields[filler->sum].kind != BST_FROM_NOTHING;
    const uint32_t of = item_of(synth, filler->getter);
    if (!among_others) {
        return !(mapped && !filler->getter && filler->entity_field != filler->sum);
    }
    return !is_total(synth, filler) && of != BST_NONE &&
           (synth->mapping->evidence[of].kind == BST_EVIDENCE_COUNT || of == item);
}

void bst__sums_mark(const bst_synth *synth, bst__walk *walk, bst__step *steps) {
    const bst_machine *machine = synth->machine;
    uint32_t together[BST_FIELDS_MAX] = {0}; /* amounts, by the field that they add up to */
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        for (uint32_t f = 0; f < steps[i].filler_count; f++) {
            bst__filler *filler = &steps[i].fillers[f];
            filler->sum = bst__sum_of(machine, walk->plan.events[i].type, f, &filler->negative);
            together[filler->sum == BST_NONE ? 0 : filler->sum] += filler->sum != BST_NONE;
        }
    }
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        for (uint32_t f = 0; f < steps[i].filler_count; f++) {
            bst__filler *filler = &steps[i].fillers[f];
            filler->unknown = filler->sum != BST_NONE &&
                              is_unknown(synth, walk, steps, i, filler, together[filler->sum]);
            walk->has_unknown = walk->has_unknown || filler->unknown;
        }
    }
}

/* ---- a row ---- */

/* The unknown amounts of a field: how many, and the last of them. */
typedef struct unknowns {
    uint32_t count, known, step, events;
    const bst__filler *filler;
    bst_value *value;
} unknowns;

static unknowns find_unknowns(const bst_synth *synth, const bst__walk *walk, uint32_t sum) {
    unknowns found = {0};
    bst_value *value = synth->values;
    for (uint32_t i = 0; i < walk->plan.event_count; i++) {
        const bst__step *step = &walk->steps[i];
        for (uint32_t f = 0; f < step->filler_count; f++, value++) {
            const bst__filler *filler = &step->fillers[f];
            if (filler->sum == sum && filler->unknown) {
                found.count++;
                found.step = i;
                found.filler = filler;
                found.value = value;
            }
            found.known += filler->sum == sum && !filler->unknown && value->present;
        }
    }
    return found;
}

static bool refuse_undivided(bst_synth *synth, const bst__walk *walk, const unknowns *of) {
    const bst_machine *machine = synth->machine;
    const char *event = machine->events[walk->plan.events[of->step].type].name;
    const char *amount = of->filler->field->name;
    const bst_field *sum = &machine->fields[of->filler->sum];
    const uint32_t count = of->count + of->known;
    bst_strbuf *message = &synth->refusal.message;
    bst__refuse(synth, count > 1 ? BST_REASON_UNDIVIDED : BST_REASON_MISSING_VALUE);
    bst__getter_columns(synth, &synth->fields[of->filler->sum]);
    bst__add_history(synth, walk, message);
    if (count == 1) {
        bst_strbuf_addf(message, " no column tells \"%s\" of event %u, %s", amount, of->step + 1,
                        event);
        return false;
    }
    bst_strbuf_addf(message, " %u events add up to %s", count, sum->name);
    if (synth->expected[of->filler->sum].present) {
        bst_strbuf_addc(message, ' ');
        bst_value_to_json(&sum->type, &synth->expected[of->filler->sum], message);
    }
    bst_strbuf_addf(message, ", and no column tells \"%s\" of %u of them, such as event %u, %s",
                    amount, of->count, of->step + 1, event);
    bst_strbuf_addf(&synth->refusal.repair,
                    "holds if \"%s\" of %s is optional and the policy for residues is reconcile",
                    amount, event);
    return false;
}

/* Zero for what is to be found, nothing for what cannot be and may be absent: a reconciliation will
 * carry the sum. False: nobody can know. */
static bool prepare(bst_synth *synth, const bst__walk *walk) {
    const bool reconciles = synth->mapping->policy.reconcile && synth->reconcile != BST_NONE;
    for (uint32_t sum = 0; sum < synth->machine->field_count; sum++) {
        const unknowns of = find_unknowns(synth, walk, sum);
        const bool mapped = synth->mapping->fields[sum].kind != BST_FROM_NOTHING;
        if (of.count == 1 && mapped && synth->expected[sum].present) {
            *of.value = (bst_value){.present = true};
        } else if (of.count > 0) {
            synth->undivided = !of.filler->field->type.optional || (mapped && !reconciles);
            if (synth->undivided) {
                return refuse_undivided(synth, walk, &of);
            }
            synth->open_sums = mapped;
        }
    }
    return true;
}

static bool is_negative(const bst_value *value) {
    return value->present && value->u.i < 0;
}

/* The rest, once everything else has been folded. */
static bool solve(bst_synth *synth, const bst__walk *walk, uint32_t sum) {
    const bst_type *type = &synth->machine->fields[sum].type;
    const unknowns of = find_unknowns(synth, walk, sum);
    const bst_value *total = &synth->expected[sum];
    bst_value rest = {.present = true};
    if (of.count != 1 || !of.value->present) {
        return true;
    }
    bool fits =
        synth->folded[sum].present &&
        bst_decimal_sub(of.filler->negative ? synth->folded[sum].u.i : total->u.i,
                        of.filler->negative ? total->u.i : synth->folded[sum].u.i, &rest.u.i);
    fits = fits && !(of.known > 0 && is_negative(&rest) && !is_negative(total)) &&
           bst__map_converts(type, &of.filler->field->type) &&
           bst__cell_convert(type, -1, &of.filler->field->type, &rest, synth->scratch, of.value) ==
               BST_VALUE_OK;
    if (!fits) {
        synth->undivided = true;
        bst__refuse_fold(synth, walk, sum);
    }
    return fits;
}

bool bst__sums_solve(bst_synth *synth, const bst__walk *walk) {
    if (!prepare(synth, walk) || !bst__walk_fold(synth, walk)) {
        return false;
    }
    for (uint32_t sum = 0; sum < synth->machine->field_count; sum++) {
        if (!solve(synth, walk, sum)) {
            return false;
        }
    }
    return true;
}
