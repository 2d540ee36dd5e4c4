/* What changed in events: their payloads and versions, and what they do to the entity. */
#include "diff_private.h"

#include <string.h>

#include "backstory/step.h"

static const char *member(bst__differ *d, const bst_event_type *event, const char *field) {
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
static void compare_versions(bst__differ *d, uint32_t old_event, uint32_t new_event) {
    const bst_event_type *before = &d->before->events[old_event];
    const bst_event_type *after = &d->after->events[new_event];
    const bst_loc where = bst_machine_event_where(d->after, new_event);
    uint32_t count;
    if (after->version < before->version) {
        bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_NEEDS_UPCAST, &where, after->name,
                      bst_arena_printf(d->arena, "goes back from version %u to %u", before->version,
                                       after->version))
            ->old_event = old_event;
        return;
    }
    for (uint32_t v = before->version - before->upcast_count; v <= before->version; v++) {
        if (!bst_event_fields_at(after, v, &count)) {
            bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_NEEDS_UPCAST, &where, after->name,
                          bst_arena_printf(d->arena,
                                           "is version %u now, and no upcast leads there from %u",
                                           after->version, v))
                ->old_event = old_event;
        }
    }
    if (!is_upcast(before, after)) {
        return;
    }
    const bst_field *fields = bst_event_fields_at(after, before->version, &count);
    const bool same = same_payload(before, fields, count);
    bst__diff_add(
        d, BST_CHANGED_EVENT, same ? BST_EFFECT_COMPATIBLE : BST_EFFECT_NEEDS_UPCAST, &where,
        after->name,
        bst_arena_printf(d->arena,
                         same ? "is version %u now, and has an upcast from %u"
                              : "is version %u now, and its upcast from %u takes other fields than "
                                "that version has",
                         after->version, before->version))
        ->old_event = old_event;
}

static void compare_payload_field(bst__differ *d, uint32_t old_event, uint32_t new_event,
                                  const bst_field *old) {
    const bst_event_type *after = &d->after->events[new_event];
    const uint32_t partner = payload_partner(after, old);
    const bst_loc where = bst_machine_event_where(d->after, new_event);

    if (partner == BST_NONE) {
        bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_NEEDS_UPCAST, &where,
                      member(d, after, old->name),
                      "is gone: stored events have a field that this version does not know")
            ->old_event = old_event;
        return;
    }
    const bst_field *field = &after->fields[partner];
    if (strcmp(field->name, old->name) != 0) {
        bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_COMPATIBLE, &where,
                      member(d, after, field->name),
                      bst_arena_printf(d->arena, "was named \"%s\"", old->name))
            ->old_event = old_event;
    }
    if (!bst_type_equal(&old->type, &field->type)) {
        bst__diff_add(d, BST_CHANGED_EVENT,
                      bst__diff_widens(&old->type, &field->type) ? BST_EFFECT_COMPATIBLE
                                                                 : BST_EFFECT_NEEDS_UPCAST,
                      &where, member(d, after, field->name),
                      bst_arena_printf(d->arena, "is %s now, and was %s",
                                       bst__diff_type_text(d, &field->type),
                                       bst__diff_type_text(d, &old->type)))
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
    const bst__differ *d;
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
static void compare_apply(bst__differ *d, uint32_t old_event, uint32_t new_event) {
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
        bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_CHANGES_FOLD, &where,
                      member(d, after, d->after->fields[d->fields[i]].name),
                      bst_arena_printf(d->arena, "is applied as \"%s\" now, and was as \"%s\"",
                                       is.text, was.text))
            ->old_event = old_event;
        bst_strbuf_release(&was);
        bst_strbuf_release(&is);
    }
}

static void compare_event(bst__differ *d, uint32_t old_event, uint32_t new_event) {
    const bst_event_type *before = &d->before->events[old_event];
    const bst_event_type *after = &d->after->events[new_event];
    const bst_loc where = bst_machine_event_where(d->after, new_event);

    if (strcmp(before->name, after->name) != 0) {
        bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_COMPATIBLE, &where, after->name,
                      bst_arena_printf(d->arena, "was named \"%s\"", before->name))
            ->old_event = old_event;
    }
    compare_versions(d, old_event, new_event);
    if (after->builtin != before->builtin) {
        bst__diff_add(
            d, BST_CHANGED_EVENT, BST_EFFECT_BREAKS_REPLAY, &where, after->name,
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
        bst__diff_add(d, BST_CHANGED_EVENT,
                      field->type.optional ? BST_EFFECT_COMPATIBLE : BST_EFFECT_NEEDS_UPCAST,
                      &where, member(d, after, field->name),
                      field->type.optional ? "is new"
                                           : "is new and required: stored events lack it")
            ->old_event = old_event;
    }
    compare_apply(d, old_event, new_event);
}

void bst__diff_events(bst__differ *d) {
    const bst_machine *before = d->before, *after = d->after;
    for (uint32_t i = 0; i < before->event_count; i++) {
        if (d->events[i] != BST_NONE) {
            compare_event(d, i, d->events[i]);
            continue;
        }
        const bst_loc where = bst_machine_event_where(before, i);
        bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_BREAKS_REPLAY, &where,
                      before->events[i].name,
                      "is gone; stored events of this type mean nothing any more")
            ->old_event = i;
    }
    const bool *is_known = bst__diff_known(d, d->events, before->event_count, after->event_count);
    for (uint32_t i = 0; is_known && i < after->event_count; i++) {
        const bst_loc where = bst_machine_event_where(after, i);
        if (!is_known[i]) {
            bst__diff_add(d, BST_CHANGED_EVENT, BST_EFFECT_COMPATIBLE, &where,
                          after->events[i].name, "is new");
        }
    }
}
