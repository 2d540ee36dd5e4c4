/* What changed between two versions of a machine.
 *
 * First every old name is paired with a new one, just as a reader of what is stored does: the one
 * of the same name, else the one that says `was`. Then the pairs are compared, and what has no
 * partner is gone or new. Steps are compared as replay sees them, (state, event, state after): how
 * a command or a guard leads to them is the future's business only.
 */
#include "diff_private.h"

#include <string.h>

#include "backstory/step.h"

const char *bst_effect_text(bst_effect effect) {
    static const char *const texts[] = {
#define X(name, text) text,
        BST_EFFECT_LIST(X)
#undef X
    };
    return effect < BST_EFFECT_COUNT ? texts[effect] : "unknown";
}

const char *bst_changed_text(bst_changed what) {
    static const char *const texts[] = {
        [BST_CHANGED_STATE] = "state",           [BST_CHANGED_FIELD] = "field",
        [BST_CHANGED_EVENT] = "event",           [BST_CHANGED_COMMAND] = "command",
        [BST_CHANGED_GUARD] = "guard",           [BST_CHANGED_TRANSITION] = "transition",
        [BST_CHANGED_INITIAL] = "initial state",
    };
    return texts[what];
}

/* ---- pairing ---- */

/* What differs between states, fields and events when they are looked up by name. */
typedef struct lookup {
    uint32_t old_count;
    const char *(*name)(const bst_machine *machine, uint32_t number);
    uint32_t (*find)(const bst_machine *machine, const char *name); /* former names, too */
} lookup;

static const char *state_name(const bst_machine *m, uint32_t i) {
    return m->states[i].name;
}
static const char *field_name(const bst_machine *m, uint32_t i) {
    return m->fields[i].name;
}
static const char *event_name(const bst_machine *m, uint32_t i) {
    return m->events[i].name;
}
static uint32_t find_field(const bst_machine *m, const char *name) {
    return bst_field_stored(m->fields, m->field_count, name);
}

static uint32_t *pair(bst__differ *d, const lookup *k) {
    uint32_t *partners = bst_arena_array(d->arena, k->old_count, sizeof *partners);
    if (!partners) {
        d->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < k->old_count; i++) {
        partners[i] = k->find(d->after, k->name(d->before, i));
    }
    return partners;
}

/* ---- states ---- */

static void compare_states(bst__differ *d) {
    const bst_machine *before = d->before, *after = d->after;
    for (uint32_t i = 0; i < before->state_count; i++) {
        const char *name = before->states[i].name;
        const uint32_t now = d->states[i];
        if (now == BST_NONE) {
            const bst_loc where = bst_machine_state_where(before, i);
            bst__diff_add(d, BST_CHANGED_STATE, BST_EFFECT_STRANDS, &where, name,
                          "is gone; entities that stand in it, or once did, have no state there")
                ->old_state = i;
            continue;
        }
        const bst_loc where = bst_machine_state_where(after, now);
        const bst_state *state = &after->states[now];
        if (strcmp(state->name, name) != 0) {
            bst__diff_add(d, BST_CHANGED_STATE, BST_EFFECT_COMPATIBLE, &where, state->name,
                          bst_arena_printf(d->arena, "was named \"%s\"", name));
        }
        if (state->final != before->states[i].final) {
            bst__diff_add(d, BST_CHANGED_STATE, BST_EFFECT_COMPATIBLE, &where, state->name,
                          state->final ? "is final now" : "is not final any more");
        }
    }
    const bool *is_known = bst__diff_known(d, d->states, before->state_count, after->state_count);
    for (uint32_t i = 0; is_known && i < after->state_count; i++) {
        const bst_loc where = bst_machine_state_where(after, i);
        if (!is_known[i]) {
            bst__diff_add(d, BST_CHANGED_STATE, BST_EFFECT_COMPATIBLE, &where,
                          after->states[i].name, "is new");
        }
    }
    const uint32_t old_initial =
        before->initial == BST_NONE ? BST_NONE : d->states[before->initial];
    if (old_initial != BST_NONE && after->initial != BST_NONE && old_initial != after->initial) {
        const bst_loc where = bst_machine_state_where(after, after->initial);
        bst__diff_add(d, BST_CHANGED_INITIAL, BST_EFFECT_COMPATIBLE, &where,
                      after->states[after->initial].name,
                      bst_arena_printf(d->arena, "comes first now, in place of \"%s\"",
                                       after->states[old_initial].name));
    }
}

/* ---- fields of the entity ---- */

static void compare_field(bst__differ *d, uint32_t old, uint32_t new) {
    const bst_field *before = &d->before->fields[old], *after = &d->after->fields[new];
    const bst_loc where = bst_machine_field_where(d->after, new);

    if (strcmp(before->name, after->name) != 0) {
        bst__diff_add(d, BST_CHANGED_FIELD, BST_EFFECT_COMPATIBLE, &where, after->name,
                      bst_arena_printf(d->arena, "was named \"%s\"", before->name));
    }
    if (!bst_type_equal(&before->type, &after->type)) {
        const bst_effect effect = bst__diff_widens(&before->type, &after->type)
                                      ? BST_EFFECT_COMPATIBLE
                                      : BST_EFFECT_BREAKS_REPLAY;
        bst__diff_add(
            d, BST_CHANGED_FIELD, effect, &where, after->name,
            bst_arena_printf(
                d->arena, "is %s now, and was %s%s", bst__diff_type_text(d, &after->type),
                bst__diff_type_text(d, &before->type),
                effect == BST_EFFECT_COMPATIBLE ? "" : "; values that are stored may not fit"));
    }
    const bool both = before->default_value.present && after->default_value.present;
    if (before->default_value.present != after->default_value.present ||
        (both && before->type.kind == after->type.kind &&
         !bst_value_equal(&after->type, &before->default_value, &after->default_value))) {
        bst__diff_add(d, BST_CHANGED_FIELD, BST_EFFECT_CHANGES_FOLD, &where, after->name,
                      "has another default: entities that never set it change");
    }
}

static void compare_fields(bst__differ *d) {
    const bst_machine *before = d->before, *after = d->after;
    for (uint32_t i = 0; i < before->field_count; i++) {
        if (d->fields[i] != BST_NONE) {
            compare_field(d, i, d->fields[i]);
            continue;
        }
        const bst_loc where = bst_machine_field_where(before, i);
        bst__diff_add(d, BST_CHANGED_FIELD, BST_EFFECT_CHANGES_FOLD, &where, before->fields[i].name,
                      "is gone; the events keep what they said of it");
    }
    for (uint32_t i = 0; i < after->field_count; i++) {
        if (bst__diff_has_partner(d->fields, before->field_count, i)) {
            continue;
        }
        const bst_field *field = &after->fields[i];
        const bst_loc where = bst_machine_field_where(after, i);
        const bool filled = field->type.optional || field->default_value.present;
        bst__diff_add(
            d, BST_CHANGED_FIELD, filled ? BST_EFFECT_COMPATIBLE : BST_EFFECT_BREAKS_REPLAY, &where,
            field->name,
            filled ? "is new"
                   : "is new and required without a default: stored histories do not fill it");
    }
}

/* ---- transitions ---- */

static const char *step_name(bst__differ *d, const bst_machine *m, const bst_transition *t) {
    return bst_arena_printf(d->arena, "%s -%s-> %s",
                            t->from == BST_NONE ? "(new)" : m->states[t->from].name,
                            m->commands[t->command].name, m->states[t->to].name);
}

/* By new index: the old one, or BST_NONE. NULL without memory. */
static uint32_t *inverse(bst__differ *d, const uint32_t *partners, uint32_t old_count,
                         uint32_t new_count) {
    uint32_t *old = bst_arena_array(d->arena, new_count, sizeof *old);
    if (!old) {
        d->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < new_count; i++) {
        old[i] = BST_NONE;
    }
    for (uint32_t i = 0; i < old_count; i++) {
        if (partners[i] != BST_NONE) {
            old[partners[i]] = i;
        }
    }
    return old;
}

/* Steps whose state or event is gone were told already. */
static void compare_old_step(bst__differ *d, uint32_t number) {
    const bst_transition *t = &d->before->transitions[number];
    const uint32_t from = t->from == BST_NONE ? BST_NONE : d->states[t->from];
    const uint32_t to = d->states[t->to], event = d->events[t->event];

    if ((t->from != BST_NONE && from == BST_NONE) || to == BST_NONE || event == BST_NONE) {
        return;
    }
    if (bst_machine_find_transition(d->after, from, event, to) == BST_NONE) {
        const bst_loc where = bst_machine_transition_where(d->before, number);
        bst__diff_add(d, BST_CHANGED_TRANSITION, BST_EFFECT_BREAKS_REPLAY, &where,
                      step_name(d, d->before, t),
                      bst_arena_printf(d->arena, "is gone, and nothing else takes %s there",
                                       d->after->events[event].name))
            ->old_transition = number;
    }
}

static void compare_transitions(bst__differ *d) {
    const bst_machine *before = d->before, *after = d->after;
    for (uint32_t i = 0; i < before->transition_count; i++) {
        compare_old_step(d, i);
    }
    const uint32_t *old_state = inverse(d, d->states, before->state_count, after->state_count);
    const uint32_t *old_event = inverse(d, d->events, before->event_count, after->event_count);
    if (!old_state || !old_event) {
        return;
    }
    for (uint32_t i = 0; i < after->transition_count; i++) {
        const bst_transition *t = &after->transitions[i];
        const uint32_t from = t->from == BST_NONE ? BST_NONE : old_state[t->from];
        const uint32_t to = old_state[t->to];
        const uint32_t event = old_event[t->event];
        const bool comparable =
            (t->from == BST_NONE || from != BST_NONE) && to != BST_NONE && event != BST_NONE;
        if (comparable && bst_machine_find_transition(before, from, event, to) != BST_NONE) {
            continue;
        }
        const bst_loc where = bst_machine_transition_where(after, i);
        bst__diff_add(d, BST_CHANGED_TRANSITION, BST_EFFECT_COMPATIBLE, &where,
                      step_name(d, after, t), "is new");
    }
}

/* ---- commands and guards: they decide the future; of the past a command is only a name ---- */

static void compare_commands(bst__differ *d) {
    for (uint32_t i = 0; i < d->before->command_count; i++) {
        const char *name = d->before->commands[i].name;
        if (bst_machine_command(d->after, name) == BST_NONE) {
            bst__diff_add(
                d, BST_CHANGED_COMMAND, BST_EFFECT_BREAKS_REPLAY, NULL, name,
                "is gone; stored events that it led to name it, and whoever still sends it will be "
                "refused")
                ->old_command = i;
        }
    }
    for (uint32_t i = 0; i < d->after->command_count; i++) {
        const char *name = d->after->commands[i].name;
        if (bst_machine_command(d->before, name) == BST_NONE) {
            bst__diff_add(d, BST_CHANGED_COMMAND, BST_EFFECT_COMPATIBLE, NULL, name, "is new");
        }
    }
}

static uint32_t find_guard(const bst_machine *m, const char *name) {
    for (uint32_t i = 0; i < m->guard_count; i++) {
        if (m->guards[i].name && strcmp(m->guards[i].name, name) == 0) {
            return i;
        }
    }
    return BST_NONE;
}

static void compare_guards(bst__differ *d) {
    for (uint32_t i = 0; i < d->after->guard_count; i++) {
        const bst_guard *guard = &d->after->guards[i];
        const uint32_t old = guard->name ? find_guard(d->before, guard->name) : BST_NONE;
        if (old == BST_NONE) {
            continue;
        }
        bst_strbuf then = BST_STRBUF_INIT, now = BST_STRBUF_INIT;
        bst_expr_format(d->before->guards[old].expr, &then);
        bst_expr_format(guard->expr, &now);
        d->failed = d->failed || then.failed || now.failed;
        if (strcmp(then.text, now.text) != 0) {
            const bst_loc where = bst_machine_guard_where(d->after, i);
            bst__diff_add(d, BST_CHANGED_GUARD, BST_EFFECT_COMPATIBLE, &where, guard->name,
                          bst_arena_printf(d->arena, "asks \"%s\" now, and asked \"%s\"", now.text,
                                           then.text));
        }
        bst_strbuf_release(&then);
        bst_strbuf_release(&now);
    }
}

bst_status bst_machine_diff(const bst_machine *before, const bst_machine *after, bst_arena *arena,
                            const bst_change **ret_changes, size_t *ret_count, bst_diags *diags) {
    bst__differ d = {.before = before, .after = after, .arena = arena};
    const lookup states = {before->state_count, state_name, bst_machine_state_stored};
    const lookup fields = {before->field_count, field_name, find_field};
    const lookup events = {before->event_count, event_name, bst_machine_event_stored};

    d.states = pair(&d, &states);
    d.fields = pair(&d, &fields);
    d.events = pair(&d, &events);
    if (!d.failed) {
        compare_states(&d);
        compare_fields(&d);
        bst__diff_events(&d);
        compare_transitions(&d);
        compare_commands(&d);
        compare_guards(&d);
    }
    if (d.failed) {
        return bst_diag_nomem(diags);
    }
    *ret_changes = d.changes;
    *ret_count = d.count;
    return BST_OK;
}
