/* Older versions of events: what they carried, and how that reads as the next version.
 *
 * An upcast is to payloads what `apply` is to entities: assignments, each an expression over the
 * payload as it was. A field that both versions have by name is handed on unless "set" speaks of
 * it; what is new and required has to be set; what is gone is not asked for. So each version says
 * only what it changed, and a payload climbs from version to version.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_private.h"

/* One version of one event, on the way to the next. */
typedef struct work {
    uint32_t event;
    const bst__path *path; /* "/events/PaymentCaptured/upcast/1" */
    bst_upcast *upcast;
    const bst_field *next; /* the fields of the version after it */
    uint32_t next_count;
    bool *assigned; /* by field of the next version */
    bst_assignment *assignments;
    uint32_t count;
} work;

/* Reading. */

enum { UPCAST_FIELDS, UPCAST_SET, UPCAST_KEYS };
static const char *const upcast_keys[UPCAST_KEYS] = {
    [UPCAST_FIELDS] = "fields",
    [UPCAST_SET] = "set",
};

/* The version that a key names: "1", "2" ... below that of the event; 0 after a finding. */
static uint32_t version_of(bst__load *l, const bst__path *path, const bst_event_type *event) {
    char *end;
    const unsigned long version = strtoul(path->key, &end, 10);
    if (path->key[0] >= '1' && path->key[0] <= '9' && *end == '\0' && version < event->version) {
        return (uint32_t)version;
    }
    const bst_loc where = bst__key_at(l, path);
    bst__error(l, &where, "bad-upcast", "event \"%s\" has no older version \"%s\"", event->name,
               path->key);
    if (event->version == 1) {
        bst_diag_hint(l->diags, "Say in \"version\" which one this is: \"version\": 2.");
    } else {
        bst_diag_hint(l->diags, "It has version %u: an upcast is from one of 1 to %u.",
                      (unsigned)event->version, (unsigned)event->version - 1);
    }
    return 0;
}

static int by_version(const void *a, const void *b) {
    const uint32_t left = ((const bst_upcast *)a)->version;
    const uint32_t right = ((const bst_upcast *)b)->version;
    return (left > right) - (left < right);
}

/* The chain must lead to this version without a gap. */
static bool is_whole(bst__load *l, const bst__path *path, const bst_event_type *event,
                     const bst_upcast *upcasts, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t next = upcasts[i].version + 1;
        if (next == (i + 1 < count ? upcasts[i + 1].version : event->version)) {
            continue;
        }
        const bst_loc where = bst__key_at(l, path);
        bst__error(l, &where, "upcast-gap",
                   "event \"%s\" has an upcast from version %u, and none from %u", event->name,
                   (unsigned)upcasts[i].version, (unsigned)next);
        bst_diag_hint(l->diags, "Add \"%u\": what that version carried, and how it reads as %u.",
                      (unsigned)next, (unsigned)next + 1);
        return false;
    }
    return true;
}

static bool read_upcast(bst__load *l, const bst__path *path, json_t *json, bst_upcast *upcast) {
    const char *key;
    json_t *value;
    if (!bst__is_object(l, path, json)) {
        return true;
    }
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        switch (bst__key_number(l, &here, upcast_keys, UPCAST_KEYS)) {
        case UPCAST_FIELDS:
            if (!bst__read_payload(l, &here, value, &upcast->fields, &upcast->field_count)) {
                return false;
            }
            break;
        case UPCAST_SET:
            bst__is_object(l, &here, value);
            break;
        default:
            break;
        }
    }
    return true;
}

/* Assignments. */

static void report_unset(bst__load *l, const work *w, const bst_field *field) {
    const bst_loc where = bst__key_at(l, w->path);
    bst__error(l, &where, "upcast-unset",
               "field \"%s\" of event \"%s\" has no value in version %u, and version %u requires "
               "it",
               field->name, l->events[w->event].name, (unsigned)w->upcast->version,
               (unsigned)w->upcast->version + 1);
    bst_diag_hint(l->diags,
                  "Say in \"set\" what an old event reads as, over its own fields (event.x), or "
                  "make the field optional.");
}

static void report_shared(bst__load *l, const work *w, const bst_field *from, const bst_field *to,
                          bool same) {
    bst_strbuf type = BST_STRBUF_INIT;
    bst_strbuf wanted = BST_STRBUF_INIT;
    const bst__path fields = {w->path, "fields", 0};
    const bst__path field = {&fields, from->name, 0};
    const bst_loc where = bst__value_at(l, &field);
    bst_type_format(&from->type, &type);
    bst_type_format(&to->type, &wanted);
    bst__error(l, &where, same ? "optional-to-required" : "shared-type",
               "field \"%s\" of event \"%s\" is %s in version %u and %s in the next", from->name,
               l->events[w->event].name, type.text, (unsigned)w->upcast->version, wanted.text);
    bst_diag_hint(l->diags, "Say in \"set\" how the one becomes the other.");
    bst_strbuf_release(&type);
    bst_strbuf_release(&wanted);
}

static uint32_t field_of(const bst_field *fields, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return i;
        }
    }
    return BST_NONE;
}

/* "field": "expression" of "set". */
static bool assign(bst__load *l, work *w, const bst_scope *scope, const bst__path *path,
                   json_t *text, bst_strbuf *pointer) {
    const uint32_t field = field_of(w->next, w->next_count, path->key);
    if (field == BST_NONE) {
        const bst_loc where = bst__key_at(l, path);
        const bst__names names = {w->next, sizeof *w->next};
        bst__error(l, &where, "unknown-field", "version %u of event \"%s\" has no field \"%s\"",
                   (unsigned)w->upcast->version + 1, l->events[w->event].name, path->key);
        bst__did_you_mean(l, path->key, &names, w->next_count, NULL);
        return true;
    }
    w->assigned[field] = true;
    if (!bst__string(l, path, text) || w->next[field].type.kind == BST_KIND_COUNT) {
        return true;
    }
    const bst_expr *expr = NULL;
    const size_t len = pointer->len;
    bst_json_pointer_add(pointer, path->key);
    if (pointer->failed) {
        return bst__nomem(l);
    }
    const bool ok = bst__compile(l, text, pointer->text, scope, &w->next[field].type, &expr);
    pointer->len = len;
    pointer->text[len] = '\0';
    if (expr) {
        w->assignments[w->count++] = (bst_assignment){field, expr, BST_NONE};
    }
    return ok;
}

static bool assign_explicit(bst__load *l, work *w, json_t *set) {
    const bst__path path = {w->path, "set", 0};
    bst_scope scope = {0};
    bst_scope_field *fields = bst_arena_array(l->arena, w->upcast->field_count, sizeof *fields);
    bst_strbuf pointer = BST_STRBUF_INIT;
    const char *key;
    json_t *value;
    bool ok = true;
    if (!fields) {
        return bst__nomem(l);
    }
    bst__scope_root(&scope, BST_ROOT_EVENT, fields, w->upcast->fields, w->upcast->field_count);
    bst_json_pointer_add(&pointer, "events");
    bst_json_pointer_add(&pointer, l->events[w->event].name);
    bst_json_pointer_add(&pointer, "upcast");
    bst_json_pointer_add(&pointer, w->path->key);
    bst_json_pointer_add(&pointer, "set");
    json_object_foreach (set, key, value) {
        const bst__path here = {&path, key, 0};
        ok = ok && assign(l, w, &scope, &here, value, &pointer);
    }
    bst_strbuf_release(&pointer);
    return ok;
}

/* What nothing is said about: handed on by name, or absent. */
static void assign_shared(bst__load *l, work *w) {
    for (uint32_t i = 0; i < w->next_count; i++) {
        const bst_field *to = &w->next[i];
        const uint32_t from = field_of(w->upcast->fields, w->upcast->field_count, to->name);
        if (w->assigned[i] || to->type.kind == BST_KIND_COUNT) {
            continue;
        }
        if (from == BST_NONE) {
            if (!to->type.optional) {
                report_unset(l, w, to);
            }
            continue;
        }
        const bst_field *old = &w->upcast->fields[from];
        const bool same = bst__types_agree(&old->type, &to->type);
        if (old->type.kind == BST_KIND_COUNT) {
            continue;
        }
        if (same && (!old->type.optional || to->type.optional)) {
            w->assignments[w->count++] = (bst_assignment){i, NULL, from};
        } else {
            report_shared(l, w, old, to, same);
        }
    }
}

static bool link_versions(bst__load *l, work *w, json_t *set) {
    w->count = 0;
    w->assigned = bst_arena_array(l->arena, w->next_count, sizeof *w->assigned);
    w->assignments = bst_arena_array(l->arena, w->next_count, sizeof *w->assignments);
    if (!w->assigned || !w->assignments) {
        return bst__nomem(l);
    }
    if (json_is_object(set) && !assign_explicit(l, w, set)) {
        return false;
    }
    assign_shared(l, w);
    w->upcast->assignments = w->assignments;
    w->upcast->assignment_count = w->count;
    return true;
}

/* Whether a member is what it should be, or not there; anything else has been reported. */
static bool is_form(const json_t *json, const char *key) {
    const json_t *value = json_object_get(json, key);
    return json_is_object(json) && (!value || json_is_object(value));
}

/* The upcasts of one event: first what all versions carried, then each into the next. */

static bool read_versions(bst__load *l, const bst__path *path, json_t *json, bst_event_type *event,
                          bst_upcast *upcasts, uint32_t *ret_count) {
    const char *key;
    json_t *value;
    uint32_t count = 0;
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        const uint32_t version = version_of(l, &here, event);
        if (version == 0) {
            continue;
        }
        bst_upcast *upcast = &upcasts[count];
        *upcast = (bst_upcast){.version = version};
        if (!read_upcast(l, &here, value, upcast)) {
            return false;
        }
        if (upcast->field_count > l->m->payload_max) {
            l->m->payload_max = upcast->field_count;
        }
        count += is_form(value, "fields") && is_form(value, "set");
    }
    *ret_count = count;
    return true;
}

static bool load_event(bst__load *l, uint32_t number, const bst__path *path, json_t *json) {
    bst_event_type *event = &l->events[number];
    const size_t room = json_object_size(json);
    uint32_t count = 0;
    bst_upcast *upcasts = bst_arena_array(l->arena, room, sizeof *upcasts);
    if (!upcasts) {
        return bst__nomem(l);
    }
    if (!read_versions(l, path, json, event, upcasts, &count)) {
        return false;
    }
    if (count < room || count == 0) {
        return true; /* what has been reported is missing from the chain */
    }
    qsort(upcasts, count, sizeof *upcasts, by_version);
    if (!is_whole(l, path, event, upcasts, count)) {
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        char key[11];
        snprintf(key, sizeof key, "%u", (unsigned)upcasts[i].version);
        const bst__path here = {path, key, 0};
        const bool last = i + 1 == count;
        work w = {.event = number,
                  .path = &here,
                  .upcast = &upcasts[i],
                  .next = last ? event->fields : upcasts[i + 1].fields,
                  .next_count = last ? event->field_count : upcasts[i + 1].field_count};
        if (!link_versions(l, &w, json_object_get(json_object_get(json, key), "set"))) {
            return false;
        }
    }
    event->upcasts = upcasts;
    event->upcast_count = count;
    return true;
}

bool bst__load_upcasts(bst__load *l) {
    const bst__path events = {NULL, "events", 0};
    for (uint32_t i = 0; i < l->m->table.event_count; i++) {
        json_t *json = l->event_notes[i].upcast;
        const bst__path event = {&events, l->events[i].name, 0};
        const bst__path path = {&event, "upcast", 0};
        if (json && !l->event_notes[i].poisoned && !load_event(l, i, &path, json)) {
            return false;
        }
    }
    return true;
}
