/* A draft of a table with several status columns: each column is drafted by itself, and the drafts
 * become the regions of one parallel machine.
 *
 * What each knows of its states stays as it is. What they have in common is said once: fields
 * (without the status columns), the creation, times that bound all events. A command of two regions
 * would be one command for both, so it gets the region's name behind its own; the events derived
 * from it follow. A time that two drafts claim belongs to the first that knows it by its name.
 */
#include "backstory/draft.h"

#include <ctype.h>
#include <string.h>

#include <jansson.h>

#include "backstory/mapping.h"
#include "backstory/words.h"
#include "draft_private.h"

#define CREATIONS_MAX 16u /* where entities are born, over all regions together */

typedef struct part {
    bst_draft draft;
    const char *column, *region;
    json_t *machine, *mapping;
} part;

typedef struct merge {
    bst_arena *arena;
    uint32_t count;
    part parts[BST_STATE_COLUMNS_MAX];
    bool failed;
} merge;

static const char *text_of(merge *m, const char *format, ...) BST_PRINTF(2, 3);
static const char *text_of(merge *m, const char *format, ...) {
    bst_strbuf out = BST_STRBUF_INIT;
    va_list args;

    va_start(args, format);
    bst_strbuf_vaddf(&out, format, args);
    va_end(args);
    const char *text = out.failed ? NULL : bst_arena_strndup(m->arena, out.text, out.len);
    bst_strbuf_release(&out);
    m->failed = m->failed || !text;
    return text ? text : "";
}

static const char *member(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* ---- names ---- */

/* "shipment_state" -> "shipment", unless that is taken. */
static void name_region(merge *m, uint32_t number) {
    static const char *const tails[] = {"_status", "_state", "_code"};
    part *p = &m->parts[number];
    char *name = bst_arena_strdup(m->arena, p->column);
    bool taken = false;

    if (!name) {
        m->failed = true;
        return;
    }
    for (char *c = name; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    const char *whole =
        text_of(m, "%s%s", isdigit((unsigned char)*name) || !*name ? "state_" : "", name);
    p->region = whole;
    for (size_t i = 0; i < sizeof tails / sizeof *tails && p->region == whole; i++) {
        const size_t len = strlen(whole), tail = strlen(tails[i]);
        if (len > tail && strcmp(whole + len - tail, tails[i]) == 0)
            p->region = text_of(m, "%.*s", (int)(len - tail), whole);
    }
    for (uint32_t i = 0; i < number; i++)
        taken = taken || strcmp(m->parts[i].region, p->region) == 0;
    p->region = taken ? whole : p->region;
}

static bool knows_command(const part *p, const char *command) {
    const char *name;
    json_t *state;
    json_object_foreach (json_object_get(p->machine, "states"), name, state) {
        if (json_object_get(json_object_get(state, "on"), command))
            return true;
    }
    return false;
}

/* What a command of the part is called among all. */
static const char *command_name(merge *m, const part *p, const char *command) {
    for (uint32_t i = 0; i < m->count; i++) {
        if (&m->parts[i] != p && knows_command(&m->parts[i], command))
            return text_of(m, "%s_%s", command, p->region);
    }
    return command;
}

/* The same for an event, which is derived from a command of the part. */
static const char *event_name(merge *m, const part *p, const char *event) {
    const char *name, *command;
    json_t *state, *transition;
    const char *found = event;
    json_object_foreach (json_object_get(p->machine, "states"), name, state) {
        json_object_foreach (json_object_get(state, "on"), command, transition) {
            bst_strbuf old = BST_STRBUF_INIT;
            bst_event_name(p->draft.id, command, &old);
            if (strcmp(old.text, event) == 0) {
                bst_strbuf_clear(&old);
                bst_event_name(p->draft.id, command_name(m, p, command), &old);
                found = text_of(m, "%s", old.text);
            }
            bst_strbuf_release(&old);
        }
    }
    return found;
}

/* ---- the machine ---- */

static json_t *region_states(merge *m, const part *p) {
    json_t *states = json_object();
    const char *name, *command;
    json_t *state, *transition;
    json_object_foreach (json_object_get(p->machine, "states"), name, state) {
        json_t *copy = json_copy(state);
        json_t *on = json_object();
        json_object_foreach (json_object_get(state, "on"), command, transition) {
            json_t *made = json_copy(transition);
            if (member(made, "event"))
                json_object_set_new(made, "event",
                                    json_string(event_name(m, p, member(made, "event"))));
            json_object_set_new(on, command_name(m, p, command), made);
        }
        if (json_object_size(on) > 0)
            json_object_set(copy, "on", on);
        json_decref(on);
        json_object_set_new(states, name, copy);
    }
    return json_pack("{s:s, s:o}", "initial", member(p->machine, "initial"), "states", states);
}

/* Whether every draft has the column as a field: to none it is the state, or evidence. */
static bool is_field(const merge *m, const char *column) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const char *field;
        json_t *source;
        json_object_foreach (json_object_get(m->parts[i].mapping, "fields"), field, source)
            count += strcmp(json_string_value(source), column) == 0;
    }
    return count == m->count;
}

/* Takes out of `fields` (field -> anything) those that are something else to another draft. */
static void drop_others(const merge *m, json_t *fields) {
    const char *field;
    json_t *column;
    json_object_foreach (json_object_get(m->parts[0].mapping, "fields"), field, column) {
        if (!is_field(m, json_string_value(column)))
            json_object_del(fields, field);
    }
}

/* The states in which a part's entities are born: its creations, or its initial state. */
static const char *birth(const part *p, size_t number) {
    const json_t *list = json_object_get(p->machine, "creates");
    return list          ? member(json_array_get(list, number), "target")
           : number == 0 ? member(p->machine, "initial")
                         : NULL;
}

/* Every combination of births; NULL when all are born where the machine begins, or when there are
 * too many. */
static json_t *creations(merge *m) {
    json_t *list = json_array();
    size_t births[BST_STATE_COLUMNS_MAX], all = 1;
    for (uint32_t i = 0; i < m->count; i++) {
        for (births[i] = 0; birth(&m->parts[i], births[i]);)
            births[i]++;
        all = all > CREATIONS_MAX ? all : all * births[i];
    }
    for (size_t k = 0; all > 1 && all <= CREATIONS_MAX && k < all; k++) {
        json_t *targets = json_array();
        bst_strbuf command = BST_STRBUF_INIT;
        bst_strbuf event = BST_STRBUF_INIT;
        size_t rest = k;
        for (uint32_t i = 0; i < m->count; i++) {
            const char *state = birth(&m->parts[i], rest % births[i]);
            rest /= births[i];
            json_array_append_new(targets,
                                  json_string(text_of(m, "%s.%s", m->parts[i].region, state)));
            bst_strbuf_addf(&command, "%s%s", i == 0 ? "create_as_" : "_and_", state);
        }
        bst_event_name(m->parts[0].draft.id, "create", &event);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "command",
                                              k == 0 ? "create" : command.text, "event", event.text,
                                              "target", targets));
        bst_strbuf_release(&command);
        bst_strbuf_release(&event);
    }
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}

static const char *description(merge *m, bool of_machine) {
    bst_strbuf out = BST_STRBUF_INIT;
    bst_strbuf_adds(&out, "A draft of several status columns, each a region by itself: what one "
                          "region waits for in another no column says; add it as guards with "
                          "state_in().");
    for (uint32_t i = 0; i < m->count; i++) {
        const part *p = &m->parts[i];
        bst_strbuf_addf(&out, " %s: %s", p->region,
                        member(of_machine ? p->machine : p->mapping, "description"));
    }
    const char *text = text_of(m, "%s", out.text);
    bst_strbuf_release(&out);
    return text;
}

static json_t *merge_machines(merge *m) {
    const part *first = &m->parts[0];
    json_t *root = json_object();
    json_t *states = json_object();
    json_t *fields = json_copy(json_object_get(first->machine, "fields"));
    json_t *events = json_deep_copy(json_object_get(first->machine, "events"));
    const char *name;
    json_t *event;
    drop_others(m, fields);
    json_object_foreach (events, name, event)
        drop_others(m, json_object_get(event, "fields"));
    for (uint32_t i = 0; i < m->count; i++)
        json_object_set_new(states, m->parts[i].region, region_states(m, &m->parts[i]));
    json_object_set_new(root, "id", json_string(first->draft.id));
    json_object_set_new(root, "description", json_string(description(m, true)));
    json_object_set_new(root, "fields", fields);
    json_object_set_new(root, "events", events);
    json_t *creates = creations(m);
    if (creates)
        json_object_set_new(root, "creates", creates);
    json_object_set_new(root, "type", json_string("parallel"));
    json_object_set_new(root, "states", states);
    return root;
}

/* ---- the mapping ---- */

/* The columns that an item reads, as the text by which two items are held against each other. */
static const char *reads(const json_t *item) {
    static const char *const keys[] = {"at", "creation", "last_change", "count"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (member(item, keys[i]))
            return member(item, keys[i]);
    }
    return NULL;
}

static bool is_guess(const json_t *item) {
    return member(item, "description") != NULL;
}

/* An item of a region speaks of its states by their paths, and of its events by their new names. */
static json_t *qualified(merge *m, const part *p, const json_t *item) {
    json_t *made = json_deep_copy(item);
    const char *key = json_object_get(made, "state") ? "state" : "event";
    json_t *names = json_object_get(made, key);
    json_t *list = json_array();
    for (size_t i = 0; names && i < (json_is_array(names) ? json_array_size(names) : 1); i++) {
        const char *name =
            json_string_value(json_is_array(names) ? json_array_get(names, i) : names);
        json_array_append_new(list, json_string(*key == 's' ? text_of(m, "%s.%s", p->region, name)
                                                            : event_name(m, p, name)));
    }
    if (names)
        json_object_set(made, key, json_array_size(list) == 1 ? json_array_get(list, 0) : list);
    json_decref(list);
    return made;
}

/* Whether another part knows better what the column of the item means, or said it before. */
static bool is_beaten(const merge *m, uint32_t number, const json_t *item) {
    for (uint32_t i = 0; i < m->count; i++) {
        const json_t *other;
        size_t k;
        json_array_foreach (json_object_get(m->parts[i].mapping, "evidence"), k, other) {
            const bool same = reads(item) && reads(other) && strcmp(reads(item), reads(other)) == 0;
            if (i != number && same &&
                (is_guess(item) != is_guess(other) ? is_guess(item) : i < number))
                return true;
        }
    }
    return false;
}

static json_t *evidence(merge *m) {
    json_t *list = json_array();
    json_t *last = json_array();
    for (uint32_t i = 0; i < m->count; i++) {
        json_t *item;
        size_t k;
        json_array_foreach (json_object_get(m->parts[i].mapping, "evidence"), k, item) {
            const char *event = member(item, "event");
            /* a count of all events is one of all regions together, which no draft has counted */
            if ((event && strcmp(event, "*") == 0) || is_beaten(m, i, item))
                continue;
            json_array_append_new(member(item, "last_change") ? last : list,
                                  qualified(m, &m->parts[i], item));
        }
    }
    json_array_extend(list, last);
    json_decref(last);
    return list;
}

static json_t *merge_mappings(merge *m) {
    json_t *root = json_object();
    json_t *regions = json_object();
    json_t *source = json_object_get(m->parts[0].mapping, "source");
    json_t *fields = json_copy(json_object_get(m->parts[0].mapping, "fields"));
    drop_others(m, fields);
    for (uint32_t i = 0; i < m->count; i++) {
        const part *p = &m->parts[i];
        json_t *of = json_object_get(p->mapping, "source");
        source = json_object_get(of, "zone") ? of : source;
        json_object_set(regions, p->region, json_object_get(p->mapping, "state"));
    }
    json_object_set_new(root, "description", json_string(description(m, false)));
    json_object_set(root, "machine", json_object_get(m->parts[0].mapping, "machine"));
    json_object_set(root, "source", source);
    json_object_set_new(root, "state", json_pack("{s:o}", "regions", regions));
    json_object_set_new(root, "fields", fields);
    json_object_set_new(root, "evidence", evidence(m));
    return root;
}

/* ---- the summary ---- */

static const char *as_text(merge *m, json_t *json) {
    bst_strbuf out = BST_STRBUF_INIT;
    if (json)
        bst__draft_layout(json, &out);
    m->failed = m->failed || !json || out.failed;
    json_decref(json);
    const char *text = text_of(m, "%s", out.text);
    bst_strbuf_release(&out);
    return text;
}

static void *array(merge *m, size_t count, size_t size) {
    void *made = bst_arena_array(m->arena, count + 1, size);
    m->failed = m->failed || !made;
    return made;
}

/* States, steps and notes of all parts, with their regions before them. */
static void fill(merge *m, bst_draft *ret) {
    size_t states = 0, steps = 0, notes = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        states += m->parts[i].draft.state_count;
        steps += m->parts[i].draft.step_count;
        notes += m->parts[i].draft.note_count;
    }
    bst_draft_state *state = array(m, states, sizeof *state);
    bst_draft_step *step = array(m, steps, sizeof *step);
    const char **note = array(m, notes, sizeof *note);
    const char *columns = "";
    if (m->failed)
        return;
    for (uint32_t i = 0; i < m->count; i++) {
        const part *p = &m->parts[i];
        columns = text_of(m, "%s%s%s", columns, i > 0 ? ", " : "", p->column);
        for (size_t k = 0; k < p->draft.state_count; k++) {
            bst_draft_state *made = &state[ret->state_count++];
            *made = p->draft.states[k];
            made->name = text_of(m, "%s.%s", p->region, made->name);
            made->code = text_of(m, "%s", made->code);
        }
        for (size_t k = 0; k < p->draft.step_count; k++) {
            bst_draft_step *made = &step[ret->step_count++];
            *made = p->draft.steps[k];
            made->from = text_of(m, "%s.%s", p->region, made->from);
            made->to = text_of(m, "%s.%s", p->region, made->to);
            made->command = text_of(m, "%s", command_name(m, p, made->command));
        }
        for (size_t k = 0; k < p->draft.note_count; k++)
            note[ret->note_count++] = text_of(m, "%s: %s", p->region, p->draft.notes[k]);
    }
    const bst_draft *first = &m->parts[0].draft;
    ret->states = state;
    ret->steps = step;
    ret->notes = note;
    ret->id = text_of(m, "%s", first->id);
    ret->table = text_of(m, "%s", first->table);
    ret->log = first->log ? text_of(m, "%s", first->log) : NULL;
    ret->rows = first->rows;
    ret->state_column = columns;
}

/* ---- the whole ---- */

static bst_status draft_part(merge *m, const bst_draft_options *options, const char *column,
                             bst_diags *diags) {
    if (m->count == BST_STATE_COLUMNS_MAX - 1) {
        bst_diag_add(diags, BST_USAGE, BST_ERROR, "too-many", NULL,
                     "%u status columns are the limit", BST_STATE_COLUMNS_MAX - 1);
        return BST_USAGE;
    }
    part *p = &m->parts[m->count];
    bst_draft_options wishes = *options;
    wishes.state = column;
    const bst_status status = bst__draft_one(&wishes, &p->draft, diags);
    if (status != BST_OK)
        return status;
    m->count++;
    p->column = text_of(m, "%s", p->draft.state_column);
    p->machine = json_loads(p->draft.machine, 0, NULL);
    p->mapping = json_loads(p->draft.mapping, 0, NULL);
    m->failed = m->failed || !p->machine || !p->mapping;
    name_region(m, m->count - 1);
    return m->failed ? bst_diag_nomem(diags) : BST_OK;
}

static bst_status draft_parts(merge *m, const bst_draft_options *options, bst_diags *diags) {
    const char *names = options->state;
    bst_status status = BST_OK;
    while (status == BST_OK && names) {
        const char *comma = strchr(names, ',');
        const int len = comma ? (int)(comma - names) : (int)strlen(names);
        status = draft_part(m, options, text_of(m, "%.*s", len, names), diags);
        names = comma ? comma + 1 : NULL;
    }
    return status;
}

bst_status bst__draft_regions(const bst_draft_options *options, bst_draft *ret, bst_diags *diags) {
    merge m = {.arena = bst_arena_new()};
    *ret = (bst_draft){.arena = m.arena};
    bst_status status = m.arena ? draft_parts(&m, options, diags) : bst_diag_nomem(diags);
    if (status == BST_OK) {
        ret->machine = as_text(&m, merge_machines(&m));
        ret->mapping = as_text(&m, merge_mappings(&m));
        fill(&m, ret);
        status = m.failed ? bst_diag_nomem(diags) : BST_OK;
    }
    for (uint32_t i = 0; i < m.count; i++) {
        json_decref(m.parts[i].machine);
        json_decref(m.parts[i].mapping);
        bst_draft_release(&m.parts[i].draft);
    }
    if (status != BST_OK)
        bst_draft_release(ret);
    return status;
}
