/* The part "evidence" of a mapping: what columns prove. Each item has one of these forms:
 *
 *     creation: COLUMN                                       the time of the first event
 *     event|state: NAME, at: COLUMN, occurrence, absent      when it happened, when it was entered
 *     event|state: NAME, count: COLUMN, relation             how often
 *     last_change: COLUMN, exact                             nothing is later; or: the last is then
 *
 * and "when" (an expression over the row), "fields" (what it says of payloads) and "description".
 * Here names become sets of transitions: inference knows nothing of names or columns.
 */
#include "mapping_private.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const creation_keys[] = {"creation", "when", "fields", "description"};
static const char *const last_change_keys[] = {"last_change", "exact", "when", "description"};
static const char *const event_at_keys[] = {"event", "at",     "occurrence", "absent",
                                            "when",  "fields", "description"};
static const char *const state_at_keys[] = {"state", "at",     "occurrence", "absent",
                                            "when",  "fields", "description"};
static const char *const event_count_keys[] = {"event", "count",  "relation",
                                               "when",  "fields", "description"};
static const char *const state_count_keys[] = {"state", "count",  "relation",
                                               "when",  "fields", "description"};
static const char forms[] =
    "An item is { \"creation\": COLUMN }, { \"event\": NAME, \"at\": COLUMN }, "
    "{ \"state\": NAME, \"at\": COLUMN }, { \"event\": NAME, \"count\": COLUMN } or "
    "{ \"last_change\": COLUMN }.";

/* One item while it is read. */
typedef struct item {
    const json_t *json;
    const bst__map_path *path;
    const char *subject; /* "creation", "event", "state" or "last_change" */
    bool counts;
    uint8_t *flags;  /* of transitions; NULL when the machine is not known */
    uint32_t *nodes; /* room for as many as it names */
    uint32_t node_count;
} item;

static void bad_item(bst__map *map, const bst__map_path *path, const char *what) {
    bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "bad-evidence", "%s", what);
    bst_diag_hint(map->diags, "%s", forms);
}

static bool is_known_key(const char *key) {
    static const char *const keys[] = {
        "creation", "last_change", "event",  "state", "at",     "count",      "exact",
        "relation", "occurrence",  "absent", "when",  "fields", "description"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (strcmp(key, keys[i]) == 0)
            return true;
    }
    return false;
}

/* A key that says what an item is lacks when it is misspelt: true, and a finding, when one nearly
 * is what it needs. */
static bool is_misspelt(bst__map *map, const item *it, const char *const *needed, size_t count) {
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)it->json, key, value) {
        const char *nearest = is_known_key(key) ? NULL : bst_nearest_name(key, needed, count);
        if (!nearest)
            continue;
        const bst__map_path here = {it->path, key, 0};
        const bst_loc where = bst__map_key_at(map, &here);
        bst__map_error(map, &where, "unknown-key", "key \"%s\" is not known here", key);
        bst_diag_hint(map->diags, "Did you mean \"%s\"?", nearest);
        return true;
    }
    return false;
}

/* Which form it has; false (and a finding) when it has none, or two. */
static bool find_form(bst__map *map, item *it) {
    static const char *const subjects[] = {"creation", "event", "state", "last_change"};
    for (size_t i = 0; i < COUNT(subjects); i++) {
        if (!json_object_get(it->json, subjects[i])) {
            continue;
        }
        if (it->subject) {
            bst_strbuf what = BST_STRBUF_INIT;
            bst_strbuf_addf(&what, "an item speaks of one thing, not of \"%s\" and \"%s\"",
                            it->subject, subjects[i]);
            bad_item(map, it->path, what.text);
            bst_strbuf_release(&what);
            return false;
        }
        it->subject = subjects[i];
    }
    bool at = json_object_get(it->json, "at") != NULL;
    it->counts = json_object_get(it->json, "count") != NULL;
    if (!it->subject) {
        if (!is_misspelt(map, it, subjects, COUNT(subjects)))
            bad_item(map, it->path, "this evidence does not say what it speaks of");
        return false;
    }
    if (*it->subject == 'e' || *it->subject == 's') {
        static const char *const times[] = {"at", "count"};
        if (!at && !it->counts && is_misspelt(map, it, times, COUNT(times)))
            return false;
        if (at == it->counts) {
            bad_item(map, it->path,
                     at ? "an item has \"at\" or \"count\", not both: write two items"
                        : "this evidence has neither \"at\" nor \"count\"");
            return false;
        }
    }
    return true;
}

static void check_keys(bst__map *map, const item *it) {
    const char *const *keys = creation_keys;
    size_t count = COUNT(creation_keys);
    if (*it->subject == 'l') {
        keys = last_change_keys;
        count = COUNT(last_change_keys);
    } else if (*it->subject == 'e') {
        keys = it->counts ? event_count_keys : event_at_keys;
        count = it->counts ? COUNT(event_count_keys) : COUNT(event_at_keys);
    } else if (*it->subject == 's') {
        keys = it->counts ? state_count_keys : state_at_keys;
        count = it->counts ? COUNT(state_count_keys) : COUNT(state_at_keys);
    }
    bst__map_keys(map, it->json, it->path, keys, count);
}

/* ---- names to transitions ---- */

static void flag_name(bst__map *map, item *it, const bst__map_path *path, const char *name) {
    const bst_machine *machine = map->machine;
    bool events = *it->subject == 'e';
    bool all = events && strcmp(name, "*") == 0;
    uint32_t index = events ? bst_machine_event(machine, name) : bst_machine_node(machine, name);
    bst_loc where = bst__map_value_at(map, path);
    if (!all && index == BST_NONE) {
        bst__map_error(map, &where, events ? "unknown-event" : "unknown-state",
                       "%s \"%s\" is not in the machine", it->subject, name);
        bst__map_did_you_mean(
            map, name, events ? (const void *)machine->events : (const void *)(machine->nodes + 1),
            events ? sizeof *machine->events : sizeof *machine->nodes,
            events ? machine->event_count : machine->node_count - 1,
            events ? "Name an event of the machine, or \"*\" for all of them."
                   : "Name a state of the machine.");
        return;
    }
    if (!events) {
        it->nodes[it->node_count++] = index;
    }
    bool any = false;
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        const bst_transition *transition = &machine->transitions[t];
        if (all || (events ? transition->event == index : bst_machine_enters(machine, t, index))) {
            it->flags[t] = 1;
            any = true;
        }
    }
    if (!any) {
        bst__map_error(map, &where, "no-transition", "no transition of the machine %s \"%s\"",
                       events ? "emits event" : "enters state", name);
        bst_diag_hint(map->diags, "Evidence of what cannot happen would put every row into "
                                  "quarantine: mend the machine, or leave the item out.");
    }
}

static void flag_names(bst__map *map, item *it) {
    const json_t *names = json_object_get(it->json, it->subject);
    bst__map_path path = {it->path, it->subject, 0};
    bst_loc where = bst__map_value_at(map, &path);
    if (json_is_string(names)) {
        if (it->flags) {
            flag_name(map, it, &path, json_string_value(names));
        }
        return;
    }
    if (!json_is_array(names) || json_array_size(names) == 0) {
        bst__map_error(map, &where, "wrong-type", "\"%s\" must be a name or an array of names",
                       it->subject);
        return;
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        bst__map_path each = {&path, NULL, i};
        const json_t *name = json_array_get(names, i);
        if (bst__map_is(map, name, &each, JSON_STRING) && it->flags) {
            flag_name(map, it, &each, json_string_value(name));
        }
    }
}

static void flag_creations_or_all(const bst_machine *machine, const item *it) {
    uint32_t count = *it->subject == 'c' ? machine->creation_count : machine->transition_count;
    if (it->flags) {
        memset(it->flags, 1, count);
    }
}

/* ---- payloads ---- */

static bool speaks_of(const bst_machine *machine, const uint8_t *flags, uint32_t event) {
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        if (flags[t] && machine->transitions[t].event == event) {
            return true;
        }
    }
    return false;
}

static void unknown_payload_field(bst__map *map, const item *it, const bst__map_path *path) {
    bst_loc where = bst__map_key_at(map, path);
    const bst_field *near = NULL;
    size_t count = 0;
    for (uint32_t e = 0; e < map->machine->event_count && !near; e++) {
        if (speaks_of(map->machine, it->flags, e)) {
            near = map->machine->events[e].fields;
            count = map->machine->events[e].field_count;
        }
    }
    bst__map_error(map, &where, "unknown-field", "no event this item speaks of has a field \"%s\"",
                   path->key);
    bst__map_did_you_mean(map, path->key, near, sizeof *near, near ? count : 0,
                          "Name a field of the event's payload.");
}

/* One value source serves every event of the item that has a field of this name. */
static void read_payload_field(bst__map *map, const item *it, const bst__map_path *path,
                               const json_t *json, bst_evidence *evidence,
                               bst_payload_from *payload) {
    const bst_machine *machine = map->machine;
    uint32_t before = evidence->payload_count;
    if (!it->flags) {
        bst_value_from unused;
        bst__map_value(map, json, path, NULL, &unused);
        return;
    }
    for (uint32_t e = 0; e < machine->event_count; e++) {
        uint32_t field = bst_event_field(&machine->events[e], path->key);
        if (field == BST_NONE || !speaks_of(machine, it->flags, e)) {
            continue;
        }
        bst_payload_from *entry = &payload[evidence->payload_count++];
        entry->event = e;
        entry->field = field;
        bst_status status = map->status;
        map->status = BST_OK;
        bst__map_value(map, json, path, &machine->events[e].fields[field].type, &entry->from);
        bool good = map->status == BST_OK;
        map->status = good ? status : map->status;
        if (!good) {
            return; /* the same mistake once, not once an event */
        }
    }
    if (evidence->payload_count == before) {
        unknown_payload_field(map, it, path);
    }
}

static void read_payload(bst__map *map, const item *it, bst_evidence *evidence) {
    const json_t *fields = bst__map_get(map, it->json, it->path, "fields", JSON_OBJECT);
    if (!fields) {
        return;
    }
    bst__map_path path = {it->path, "fields", 0};
    size_t events = it->flags ? map->machine->event_count : 1;
    bst_payload_from *payload =
        bst_arena_array(map->arena, json_object_size(fields) * events, sizeof *payload);
    if (!payload) {
        bst__map_nomem(map);
        return;
    }
    const char *name;
    json_t *json;
    json_object_foreach ((json_t *)(uintptr_t)fields, name, json) {
        bst__map_path here = {&path, name, 0};
        read_payload_field(map, it, &here, json, evidence, payload);
    }
    evidence->payload = payload;
}

/* ---- items ---- */

static void read_column(bst__map *map, const item *it, bst_evidence *evidence) {
    static const bst_type time = {.kind = BST_KIND_TIMESTAMPTZ};
    static const bst_type number = {.kind = BST_KIND_INT8};
    bool named = *it->subject == 'e' || *it->subject == 's';
    const char *key = it->counts && named ? "count" : named ? "at" : it->subject;
    bst__map_path path = {it->path, key, 0};
    evidence->column = bst__map_plain(map, json_object_get(it->json, key), &path,
                                      it->counts && named ? &number : &time);
    if (evidence->column != BST_NONE) {
        evidence->label =
            bst_arena_printf(map->arena, "%s.%s", map->table, map->columns[evidence->column].name);
        if (!evidence->label) {
            bst__map_nomem(map);
        }
    }
}

static void read_words(bst__map *map, const item *it, bst_evidence *evidence) {
    static const char *const occurrences[] = {"first", "last", "only"};
    static const bst_occurrence occurrence_of[] = {BST_OCCURRENCE_FIRST, BST_OCCURRENCE_LAST,
                                                   BST_OCCURRENCE_ONLY};
    static const char *const absences[] = {"never", "unknown"};
    static const char *const relations[] = {"exact", "at_most", "at_least"};
    static const bst_relation relation_of[] = {BST_EXACTLY, BST_AT_MOST, BST_AT_LEAST};
    if (*it->subject == 'c') {
        evidence->kind = BST_EVIDENCE_CREATION;
        evidence->occurrence = BST_OCCURRENCE_ONLY;
    } else if (*it->subject == 'l') {
        const json_t *exact = bst__map_get(map, it->json, it->path, "exact", JSON_TRUE);
        evidence->kind = BST_EVIDENCE_LAST_CHANGE;
        evidence->exact = json_is_true(exact);
        evidence->occurrence = BST_OCCURRENCE_LAST;
    } else if (it->counts) {
        evidence->kind = BST_EVIDENCE_COUNT;
        evidence->relation = relation_of[bst__map_choice(map, it->json, it->path, "relation",
                                                         relations, COUNT(relations), 0)];
    } else {
        evidence->kind = *it->subject == 'e' ? BST_EVIDENCE_EVENT : BST_EVIDENCE_STATE;
        evidence->occurrence = occurrence_of[bst__map_choice(map, it->json, it->path, "occurrence",
                                                             occurrences, COUNT(occurrences), 1)];
        evidence->absent_is_never =
            bst__map_choice(map, it->json, it->path, "absent", absences, COUNT(absences), 0) == 0;
    }
}

static void read_item(bst__map *map, const json_t *json, const bst__map_path *path,
                      bst_evidence *evidence) {
    item it = {.json = json, .path = path};
    evidence->column = BST_NONE;
    evidence->where = bst__map_value_at(map, path);
    if (!bst__map_is(map, json, path, JSON_OBJECT) || !find_form(map, &it)) {
        return;
    }
    check_keys(map, &it);
    if (map->machine) {
        const json_t *names = json_object_get(json, it.subject);
        const size_t count = json_is_array(names) ? json_array_size(names) : 1;
        it.flags = bst_arena_array(map->arena, map->machine->transition_count, 1);
        it.nodes = bst_arena_array(map->arena, count, sizeof *it.nodes);
        if (!it.flags || !it.nodes) {
            bst__map_nomem(map);
            return;
        }
        evidence->transitions = it.flags;
        evidence->nodes = it.nodes;
    }
    if (*it.subject == 'e' || *it.subject == 's') {
        flag_names(map, &it);
        evidence->node_count = it.node_count;
    } else if (map->machine) {
        flag_creations_or_all(map->machine, &it);
    }
    read_words(map, &it, evidence);
    read_column(map, &it, evidence);
    const json_t *when = bst__map_get(map, json, path, "when", JSON_STRING);
    if (when) {
        bst__map_path here = {path, "when", 0};
        bst__map_expression(map, &here, json_string_value(when), json_string_length(when), NULL,
                            &evidence->when);
    }
    read_payload(map, &it, evidence);
}

void bst__map_evidence(bst__map *map, const json_t *root) {
    const json_t *list = bst__map_get(map, root, NULL, "evidence", JSON_ARRAY);
    bst__map_path path = {NULL, "evidence", 0};
    if (!list) {
        return;
    }
    size_t count = json_array_size(list);
    if (count > BST_EVIDENCE_MAX) {
        bst_loc where = bst__map_value_at(map, &path);
        bst__map_error(map, &where, "too-many", "there are %zu items of evidence; %u are the limit",
                       count, BST_EVIDENCE_MAX);
        return;
    }
    bst_evidence *evidence = bst_arena_array(map->arena, count, sizeof *evidence);
    if (!evidence) {
        bst__map_nomem(map);
        return;
    }
    for (size_t i = 0; i < count && map->status != BST_NOMEM; i++) {
        bst__map_path here = {&path, NULL, i};
        read_item(map, json_array_get(list, i), &here, &evidence[i]);
    }
    map->mapping->evidence = evidence;
    map->mapping->evidence_count = (uint32_t)count;
}
