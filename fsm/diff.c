/* What changed between two versions of a machine.
 *
 * First every old name is paired with a new one, just as a reader of what is stored does: the one
 * of the same name, else the one that says `was`. Then the pairs are compared, and what has no
 * partner is gone or new. Steps are compared as replay sees them, (state, event, state after): how
 * a command or a guard leads to them is the future's business only.
 */
#include "backstory/diff.h"

#include <string.h>

#include "backstory/step.h"

typedef struct differ {
    const bst_machine *before, *after;
    bst_arena *arena;
    bst_change *changes;
    size_t count, room;
    uint32_t *states, *fields, *events; /* by old index: the new one, or BST_NONE */
    bool failed;                        /* out of memory */
    bst_change nobody;                  /* takes what has no room, seen by nobody */
} differ;

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

/* Adds a change; the caller fills in what it speaks of. Never NULL: without memory a dummy that
 * nobody sees. */
static bst_change *add(differ *d, bst_changed what, bst_effect effect, const bst_loc *where,
                       const char *name, const char *message) {
    if (d->count == d->room) {
        const size_t room = d->room ? d->room * 2 : 32;
        bst_change *longer = bst_arena_array(d->arena, room, sizeof *longer);
        if (!longer) {
            d->failed = true;
            return &d->nobody;
        }
        if (d->count > 0) {
            memcpy(longer, d->changes, d->count * sizeof *longer);
        }
        d->changes = longer;
        d->room = room;
    }
    d->failed = d->failed || !name || !message;
    bst_change *change = &d->changes[d->count++];
    *change = (bst_change){.what = what,
                           .effect = effect,
                           .name = name,
                           .message = message,
                           .old_state = BST_NONE,
                           .old_event = BST_NONE,
                           .old_command = BST_NONE,
                           .old_transition = BST_NONE};
    if (where) {
        change->where = *where;
    }
    return change;
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

static uint32_t *pair(differ *d, const lookup *k) {
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

static bool has_partner(const uint32_t *partners, uint32_t count, uint32_t number) {
    for (uint32_t i = 0; i < count; i++) {
        if (partners[i] == number) {
            return true;
        }
    }
    return false;
}

/* By new index: whether some old one is its partner. NULL without memory. */
static bool *known(differ *d, const uint32_t *partners, uint32_t old_count, uint32_t new_count) {
    bool *is_known = bst_arena_array(d->arena, new_count, sizeof *is_known);
    d->failed = d->failed || !is_known;
    for (uint32_t i = 0; is_known && i < old_count; i++) {
        if (partners[i] != BST_NONE) {
            is_known[partners[i]] = true;
        }
    }
    return is_known;
}

/* ---- states ---- */

static void compare_states(differ *d) {
    const bst_machine *before = d->before, *after = d->after;
    for (uint32_t i = 0; i < before->state_count; i++) {
        const char *name = before->states[i].name;
        const uint32_t now = d->states[i];
        if (now == BST_NONE) {
            const bst_loc where = bst_machine_state_where(before, i);
            add(d, BST_CHANGED_STATE, BST_EFFECT_STRANDS, &where, name,
                "is gone; entities that stand in it, or once did, have no state there")
                ->old_state = i;
            continue;
        }
        const bst_loc where = bst_machine_state_where(after, now);
        const bst_state *state = &after->states[now];
        if (strcmp(state->name, name) != 0) {
            add(d, BST_CHANGED_STATE, BST_EFFECT_COMPATIBLE, &where, state->name,
                bst_arena_printf(d->arena, "was named \"%s\"", name));
        }
        if (state->final != before->states[i].final) {
            add(d, BST_CHANGED_STATE, BST_EFFECT_COMPATIBLE, &where, state->name,
                state->final ? "is final now" : "is not final any more");
        }
    }
    const bool *is_known = known(d, d->states, before->state_count, after->state_count);
    for (uint32_t i = 0; is_known && i < after->state_count; i++) {
        const bst_loc where = bst_machine_state_where(after, i);
        if (!is_known[i]) {
            add(d, BST_CHANGED_STATE, BST_EFFECT_COMPATIBLE, &where, after->states[i].name,
                "is new");
        }
    }
    const uint32_t old_initial =
        before->initial == BST_NONE ? BST_NONE : d->states[before->initial];
    if (old_initial != BST_NONE && after->initial != BST_NONE && old_initial != after->initial) {
        const bst_loc where = bst_machine_state_where(after, after->initial);
        add(d, BST_CHANGED_INITIAL, BST_EFFECT_COMPATIBLE, &where,
            after->states[after->initial].name,
            bst_arena_printf(d->arena, "comes first now, in place of \"%s\"",
                             after->states[old_initial].name));
    }
}

/* ---- types ---- */

static const char *type_text(differ *d, const bst_type *type) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_type_format(type, &text);
    const char *kept = text.failed ? NULL : bst_arena_strndup(d->arena, text.text, text.len);
    bst_strbuf_release(&text);
    d->failed = d->failed || !kept;
    return kept ? kept : "";
}

static int integer_rank(bst_kind kind) {
    switch (kind) {
    case BST_KIND_INT2:
        return 1;
    case BST_KIND_INT4:
        return 2;
    case BST_KIND_INT8:
        return 3;
    default:
        return 0;
    }
}

static bool is_text(bst_kind kind) {
    return kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR || kind == BST_KIND_CHAR;
}

/* Every member of `a` is one of `b`. */
static bool has_members(const bst_type *a, const bst_type *b) {
    for (uint32_t i = 0; i < a->member_count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < b->member_count && !found; j++) {
            found = strcmp(a->members[i], b->members[j]) == 0;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* Whether every value of the type `a`, as it is stored, reads as a value of `b`. */
static bool widens(const bst_type *a, const bst_type *b) {
    if (a->optional && !b->optional) {
        return false;
    }
    if (is_text(a->kind) && is_text(b->kind)) {
        return b->kind == BST_KIND_TEXT || b->length == 0 ||
               (a->length != 0 && a->length <= b->length);
    }
    /* int8 is a JSON string and the others numbers; both are read. */
    if (integer_rank(a->kind) && integer_rank(b->kind)) {
        return integer_rank(a->kind) <= integer_rank(b->kind);
    }
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == BST_KIND_DECIMAL) {
        return a->scale <= b->scale && a->precision - a->scale <= b->precision - b->scale;
    }
    return a->kind != BST_KIND_ENUM || has_members(a, b);
}

/* ---- fields of the entity ---- */

static void compare_field(differ *d, uint32_t old, uint32_t new) {
    const bst_field *before = &d->before->fields[old], *after = &d->after->fields[new];
    const bst_loc where = bst_machine_field_where(d->after, new);

    if (strcmp(before->name, after->name) != 0) {
        add(d, BST_CHANGED_FIELD, BST_EFFECT_COMPATIBLE, &where, after->name,
            bst_arena_printf(d->arena, "was named \"%s\"", before->name));
    }
    if (!bst_type_equal(&before->type, &after->type)) {
        const bst_effect effect =
            widens(&before->type, &after->type) ? BST_EFFECT_COMPATIBLE : BST_EFFECT_BREAKS_REPLAY;
        add(d, BST_CHANGED_FIELD, effect, &where, after->name,
            bst_arena_printf(
                d->arena, "is %s now, and was %s%s", type_text(d, &after->type),
                type_text(d, &before->type),
                effect == BST_EFFECT_COMPATIBLE ? "" : "; values that are stored may not fit"));
    }
    const bool both = before->default_value.present && after->default_value.present;
    if (before->default_value.present != after->default_value.present ||
        (both && before->type.kind == after->type.kind &&
         !bst_value_equal(&after->type, &before->default_value, &after->default_value))) {
        add(d, BST_CHANGED_FIELD, BST_EFFECT_CHANGES_FOLD, &where, after->name,
            "has another default: entities that never set it change");
    }
}

static void compare_fields(differ *d) {
    const bst_machine *before = d->before, *after = d->after;
    for (uint32_t i = 0; i < before->field_count; i++) {
        if (d->fields[i] != BST_NONE) {
            compare_field(d, i, d->fields[i]);
            continue;
        }
        const bst_loc where = bst_machine_field_where(before, i);
        add(d, BST_CHANGED_FIELD, BST_EFFECT_CHANGES_FOLD, &where, before->fields[i].name,
            "is gone; the events keep what they said of it");
    }
    for (uint32_t i = 0; i < after->field_count; i++) {
        if (has_partner(d->fields, before->field_count, i)) {
            continue;
        }
        const bst_field *field = &after->fields[i];
        const bst_loc where = bst_machine_field_where(after, i);
        const bool filled = field->type.optional || field->default_value.present;
        add(d, BST_CHANGED_FIELD, filled ? BST_EFFECT_COMPATIBLE : BST_EFFECT_BREAKS_REPLAY, &where,
            field->name,
            filled ? "is new"
                   : "is new and required without a default: stored histories do not fill it");
    }
}

/* ---- events ---- */

static const char *member(differ *d, const bst_event_type *event, const char *field) {
    return bst_arena_printf(d->arena, "%s.%s", event->name, field);
}

/* Whether the new machine has an upcast from the version that the old one wrote. */
static bool is_upcast(const bst_event_type *before, const bst_event_type *after) {
    uint32_t count;
    return before->version < after->version && bst_event_fields_at(after, before->version, &count);
}

/* The new payload field that an old one is now: the one that it is read as. */
static uint32_t payload_partner(const bst_event_type *after, const bst_field *old) {
    return bst_field_stored(after->fields, after->field_count, old->name);
}

/* Whether two versions of a machine mean the same by a version of an event. */
static bool same_payload(const bst_event_type *before, const bst_field *fields, uint32_t count) {
    bool same = before->field_count == count;
    for (uint32_t i = 0; i < count && same; i++) {
        const uint32_t old = bst_event_field(before, fields[i].name);
        same = old != BST_NONE && bst_type_equal(&before->fields[old].type, &fields[i].type);
    }
    return same;
}

/* Every version that the old machine reads the new one must read, too. */
static void compare_versions(differ *d, uint32_t old_event, uint32_t new_event) {
    const bst_event_type *before = &d->before->events[old_event];
    const bst_event_type *after = &d->after->events[new_event];
    const bst_loc where = bst_machine_event_where(d->after, new_event);
    uint32_t count;
    if (after->version < before->version) {
        add(d, BST_CHANGED_EVENT, BST_EFFECT_NEEDS_UPCAST, &where, after->name,
            bst_arena_printf(d->arena, "goes back from version %u to %u", before->version,
                             after->version))
            ->old_event = old_event;
        return;
    }
    for (uint32_t v = before->version - before->upcast_count; v <= before->version; v++) {
        if (!bst_event_fields_at(after, v, &count)) {
            add(d, BST_CHANGED_EVENT, BST_EFFECT_NEEDS_UPCAST, &where, after->name,
                bst_arena_printf(d->arena, "is version %u now, and no upcast leads there from %u",
                                 after->version, v))
                ->old_event = old_event;
        }
    }
    if (!is_upcast(before, after)) {
        return;
    }
    const bst_field *fields = bst_event_fields_at(after, before->version, &count);
    const bool same = same_payload(before, fields, count);
    add(d, BST_CHANGED_EVENT, same ? BST_EFFECT_COMPATIBLE : BST_EFFECT_NEEDS_UPCAST, &where,
        after->name,
        bst_arena_printf(d->arena,
                         same ? "is version %u now, and has an upcast from %u"
                              : "is version %u now, and its upcast from %u takes other fields than "
                                "that version has",
                         after->version, before->version))
        ->old_event = old_event;
}

static void compare_payload_field(differ *d, uint32_t old_event, uint32_t new_event,
                                  const bst_field *old) {
    const bst_event_type *after = &d->after->events[new_event];
    const uint32_t partner = payload_partner(after, old);
    const bst_loc where = bst_machine_event_where(d->after, new_event);

    if (partner == BST_NONE) {
        add(d, BST_CHANGED_EVENT, BST_EFFECT_NEEDS_UPCAST, &where, member(d, after, old->name),
            "is gone: stored events have a field that this version does not know")
            ->old_event = old_event;
        return;
    }
    const bst_field *field = &after->fields[partner];
    if (strcmp(field->name, old->name) != 0) {
        add(d, BST_CHANGED_EVENT, BST_EFFECT_COMPATIBLE, &where, member(d, after, field->name),
            bst_arena_printf(d->arena, "was named \"%s\"", old->name))
            ->old_event = old_event;
    }
    if (!bst_type_equal(&old->type, &field->type)) {
        add(d, BST_CHANGED_EVENT,
            widens(&old->type, &field->type) ? BST_EFFECT_COMPATIBLE : BST_EFFECT_NEEDS_UPCAST,
            &where, member(d, after, field->name),
            bst_arena_printf(d->arena, "is %s now, and was %s", type_text(d, &field->type),
                             type_text(d, &old->type)))
            ->old_event = old_event;
    }
}

/* The new field of an event that has one, whether the old event had it or not. */
static bool had_field(const bst_event_type *before, const bst_field *field) {
    return bst_event_field(before, field->name) != BST_NONE ||
           (field->was && bst_event_field(before, field->was) != BST_NONE);
}

/* Two versions of an event whose applies are compared. */
typedef struct pairing {
    const differ *d;
    const bst_event_type *before, *after;
    uint32_t written; /* the version down to which the new one's reads are followed */
} pairing;

static bool same_expr(const pairing *p, uint32_t version, const bst_expr *then,
                      const bst_expr *now);

/* Whether the old expression says what a field of this version is set to by the upcast to it. */
static bool same_as_upcast(const pairing *p, uint32_t version, const bst_expr *then,
                           uint32_t field) {
    const uint32_t oldest = p->after->version - p->after->upcast_count;
    const bst_upcast *upcast = &p->after->upcasts[version - 1 - oldest];
    for (uint32_t i = 0; i < upcast->assignment_count; i++) {
        const bst_assignment *a = &upcast->assignments[i];
        const bst_expr handed_on = {
            .op = BST_EXPR_REF, .root = BST_ROOT_EVENT, .index = a->event_field};
        if (a->field == field) {
            const bst_expr *from = a->expr ? a->expr : &handed_on;
            /* how it is kept on the way does not change its value */
            return same_expr(p, version - 1, then,
                             from->op == BST_EXPR_CONVERT ? from->args[0] : from);
        }
    }
    return false;
}

static bool same_field(const pairing *p, uint32_t then, uint32_t now) {
    if (p->written == p->after->version) {
        return payload_partner(p->after, &p->before->fields[then]) == now;
    }
    uint32_t count;
    const bst_field *fields = bst_event_fields_at(p->after, p->written, &count);
    return strcmp(p->before->fields[then].name, fields[now].name) == 0;
}

/* Whether two expressions say the same, an old name being as good as the new one it became, and
 * what an upcast makes of an old field as good as the field. */
static bool same_expr(const pairing *p, uint32_t version, const bst_expr *then,
                      const bst_expr *now) {
    if (now->op == BST_EXPR_REF && now->root == BST_ROOT_EVENT && version > p->written) {
        return same_as_upcast(p, version, then, now->index);
    }
    if (then->op != now->op || then->arg_count != now->arg_count || then->root != now->root) {
        return false;
    }
    if (then->op == BST_EXPR_REF && then->root == BST_ROOT_ENTITY) {
        return p->d->fields[then->index] == now->index;
    }
    if (then->op == BST_EXPR_REF && then->root == BST_ROOT_EVENT) {
        return same_field(p, then->index, now->index);
    }
    for (uint32_t i = 0; i < then->arg_count; i++) {
        if (!same_expr(p, version, then->args[i], now->args[i])) {
            return false;
        }
    }
    return then->arg_count > 0 || bst_expr_equal(then, now);
}

static const bst_assignment *assignment_of(const bst_event_type *event, uint32_t field) {
    for (uint32_t i = 0; i < event->assignment_count; i++) {
        if (event->assignments[i].field == field) {
            return &event->assignments[i];
        }
    }
    return NULL;
}

static bool same_assignment(const pairing *p, const bst_assignment *then,
                            const bst_assignment *now) {
    if (!then || !now) {
        return then == now;
    }
    const bst_expr ref = {.op = BST_EXPR_REF, .root = BST_ROOT_EVENT};
    bst_expr shared_then = ref, shared_now = ref;
    shared_then.index = then->event_field;
    shared_now.index = now->event_field;
    return same_expr(p, p->after->version, then->expr ? then->expr : &shared_then,
                     now->expr ? now->expr : &shared_now);
}

static void add_assignment(const bst_event_type *event, const bst_assignment *assignment,
                           bst_strbuf *out) {
    if (!assignment) {
        bst_strbuf_adds(out, "(unchanged)");
    } else if (assignment->expr) {
        bst_expr_format(assignment->expr, out);
    } else {
        bst_strbuf_addf(out, "event.%s", event->fields[assignment->event_field].name);
    }
}

/* Fields that both machines have and that the event now sets otherwise. */
static void compare_apply(differ *d, uint32_t old_event, uint32_t new_event) {
    const bst_event_type *before = &d->before->events[old_event];
    const bst_event_type *after = &d->after->events[new_event];
    const bst_loc where = bst_machine_event_where(d->after, new_event);
    const pairing p = {d, before, after,
                       is_upcast(before, after) ? before->version : after->version};

    for (uint32_t i = 0; i < d->before->field_count; i++) {
        if (d->fields[i] == BST_NONE) {
            continue;
        }
        const bst_assignment *then = assignment_of(before, i);
        const bst_assignment *now = assignment_of(after, d->fields[i]);
        if (same_assignment(&p, then, now)) {
            continue;
        }
        bst_strbuf was = BST_STRBUF_INIT, is = BST_STRBUF_INIT;
        add_assignment(before, then, &was);
        add_assignment(after, now, &is);
        d->failed = d->failed || was.failed || is.failed;
        add(d, BST_CHANGED_EVENT, BST_EFFECT_CHANGES_FOLD, &where,
            member(d, after, d->after->fields[d->fields[i]].name),
            bst_arena_printf(d->arena, "is applied as \"%s\" now, and was as \"%s\"", is.text,
                             was.text))
            ->old_event = old_event;
        bst_strbuf_release(&was);
        bst_strbuf_release(&is);
    }
}

static void compare_event(differ *d, uint32_t old_event, uint32_t new_event) {
    const bst_event_type *before = &d->before->events[old_event];
    const bst_event_type *after = &d->after->events[new_event];
    const bst_loc where = bst_machine_event_where(d->after, new_event);

    if (strcmp(before->name, after->name) != 0) {
        add(d, BST_CHANGED_EVENT, BST_EFFECT_COMPATIBLE, &where, after->name,
            bst_arena_printf(d->arena, "was named \"%s\"", before->name))
            ->old_event = old_event;
    }
    compare_versions(d, old_event, new_event);
    if (after->builtin != before->builtin) {
        add(d, BST_CHANGED_EVENT, BST_EFFECT_BREAKS_REPLAY, &where, after->name,
            "is built in otherwise: stored events may stand where it cannot happen any more")
            ->old_event = old_event;
    }
    const bool upcast = is_upcast(before, after); /* which says what becomes of each field */
    for (uint32_t i = 0; i < before->field_count && !upcast; i++) {
        compare_payload_field(d, old_event, new_event, &before->fields[i]);
    }
    for (uint32_t i = 0; i < after->field_count && !upcast; i++) {
        const bst_field *field = &after->fields[i];
        if (had_field(before, field)) {
            continue;
        }
        add(d, BST_CHANGED_EVENT,
            field->type.optional ? BST_EFFECT_COMPATIBLE : BST_EFFECT_NEEDS_UPCAST, &where,
            member(d, after, field->name),
            field->type.optional ? "is new" : "is new and required: stored events lack it")
            ->old_event = old_event;
    }
    compare_apply(d, old_event, new_event);
}

static void compare_events(differ *d) {
    const bst_machine *before = d->before, *after = d->after;
    for (uint32_t i = 0; i < before->event_count; i++) {
        if (d->events[i] != BST_NONE) {
            compare_event(d, i, d->events[i]);
            continue;
        }
        const bst_loc where = bst_machine_event_where(before, i);
        add(d, BST_CHANGED_EVENT, BST_EFFECT_BREAKS_REPLAY, &where, before->events[i].name,
            "is gone; stored events of this type mean nothing any more")
            ->old_event = i;
    }
    const bool *is_known = known(d, d->events, before->event_count, after->event_count);
    for (uint32_t i = 0; is_known && i < after->event_count; i++) {
        const bst_loc where = bst_machine_event_where(after, i);
        if (!is_known[i]) {
            add(d, BST_CHANGED_EVENT, BST_EFFECT_COMPATIBLE, &where, after->events[i].name,
                "is new");
        }
    }
}

/* ---- transitions ---- */

static const char *step_name(differ *d, const bst_machine *m, const bst_transition *t) {
    return bst_arena_printf(d->arena, "%s -%s-> %s",
                            t->from == BST_NONE ? "(new)" : m->states[t->from].name,
                            m->commands[t->command].name, m->states[t->to].name);
}

/* By new index: the old one, or BST_NONE. NULL without memory. */
static uint32_t *inverse(differ *d, const uint32_t *partners, uint32_t old_count,
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
static void compare_old_step(differ *d, uint32_t number) {
    const bst_transition *t = &d->before->transitions[number];
    const uint32_t from = t->from == BST_NONE ? BST_NONE : d->states[t->from];
    const uint32_t to = d->states[t->to], event = d->events[t->event];

    if ((t->from != BST_NONE && from == BST_NONE) || to == BST_NONE || event == BST_NONE) {
        return;
    }
    if (bst_machine_find_transition(d->after, from, event, to) == BST_NONE) {
        const bst_loc where = bst_machine_transition_where(d->before, number);
        add(d, BST_CHANGED_TRANSITION, BST_EFFECT_BREAKS_REPLAY, &where, step_name(d, d->before, t),
            bst_arena_printf(d->arena, "is gone, and nothing else takes %s there",
                             d->after->events[event].name))
            ->old_transition = number;
    }
}

static void compare_transitions(differ *d) {
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
        add(d, BST_CHANGED_TRANSITION, BST_EFFECT_COMPATIBLE, &where, step_name(d, after, t),
            "is new");
    }
}

/* ---- commands and guards: they decide the future; of the past a command is only a name ---- */

static void compare_commands(differ *d) {
    for (uint32_t i = 0; i < d->before->command_count; i++) {
        const char *name = d->before->commands[i].name;
        if (bst_machine_command(d->after, name) == BST_NONE) {
            add(d, BST_CHANGED_COMMAND, BST_EFFECT_BREAKS_REPLAY, NULL, name,
                "is gone; stored events that it led to name it, and whoever still sends it will be "
                "refused")
                ->old_command = i;
        }
    }
    for (uint32_t i = 0; i < d->after->command_count; i++) {
        const char *name = d->after->commands[i].name;
        if (bst_machine_command(d->before, name) == BST_NONE) {
            add(d, BST_CHANGED_COMMAND, BST_EFFECT_COMPATIBLE, NULL, name, "is new");
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

static void compare_guards(differ *d) {
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
            add(d, BST_CHANGED_GUARD, BST_EFFECT_COMPATIBLE, &where, guard->name,
                bst_arena_printf(d->arena, "asks \"%s\" now, and asked \"%s\"", now.text,
                                 then.text));
        }
        bst_strbuf_release(&then);
        bst_strbuf_release(&now);
    }
}

bst_status bst_machine_diff(const bst_machine *before, const bst_machine *after, bst_arena *arena,
                            const bst_change **ret_changes, size_t *ret_count, bst_diags *diags) {
    differ d = {.before = before, .after = after, .arena = arena};
    const lookup states = {before->state_count, state_name, bst_machine_state_stored};
    const lookup fields = {before->field_count, field_name, find_field};
    const lookup events = {before->event_count, event_name, bst_machine_event_stored};

    d.states = pair(&d, &states);
    d.fields = pair(&d, &fields);
    d.events = pair(&d, &events);
    if (!d.failed) {
        compare_states(&d);
        compare_fields(&d);
        compare_events(&d);
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
