/* The two files of a draft, as JSON values.
 *
 * Which event sets which field no table says, so the creation carries all of them: then every
 * history folds to its row, and a person moves the fields to the events that set them. What was
 * guessed stands in the descriptions, how often a transition was seen in its `meta`.
 */
#include "draft_private.h"

#include <string.h>

#include "backstory/words.h"

static void set_text(json_t *object, const char *key, const char *text) {
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static json_t *number(uint64_t value) {
    return json_integer((json_int_t)value);
}

static char *event_of(draft *d, const char *command) {
    bst_strbuf name = BST_STRBUF_INIT;
    bst_event_name(d->id, command, &name);
    char *text = bst__draft_text(d, "%s", name.text);
    bst_strbuf_release(&name);
    return text;
}

static char *description(draft *d, const char *opening, bool of_machine) {
    bst_strbuf out = BST_STRBUF_INIT;

    bst_strbuf_adds(&out, opening);
    for (size_t i = 0; i < d->note_count; i++) {
        if (d->of_machine[i] == of_machine)
            bst_strbuf_addf(&out, " %s", d->notes[i]);
    }
    char *text = bst__draft_text(d, "%s", out.text);
    bst_strbuf_release(&out);
    return text;
}

/* ---- the machine */

static json_t *fields(draft *d, bool described) {
    json_t *object = json_object();

    for (uint32_t i = 0; i < d->column_count; i++) {
        const draft_column *c = &d->columns[i];
        if (!c->field)
            continue;
        const char *type = bst__draft_text(d, "%s%s", c->type, c->nulls > 0 ? "?" : "");
        const char *what = c->role == ROLE_PLAN
                               ? "A plan: when it is meant to happen, not when it did."
                           : c->role == ROLE_DOUBTED
                               ? "It looks like evidence, but contradicts the others in many rows."
                               : NULL;
        if (described && what)
            json_object_set_new(object, c->field,
                                json_pack("{s:s, s:s}", "type", type, "description", what));
        else
            set_text(object, c->field, type);
    }
    return object;
}

static json_t *events(draft *d) {
    json_t *object = json_object();
    json_t *created = json_object();

    set_text(created, "description",
             "Carries all fields, because no table says when each was set: move those that come "
             "later to their events.");
    json_object_set_new(created, "fields", fields(d, false));
    json_object_set_new(object, event_of(d, "create"), created);
    return object;
}

/* Only when the log saw entities born elsewhere than in the initial state. */
static json_t *creations(draft *d) {
    json_t *list = json_array();
    const char *event = event_of(d, "create");

    json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "command", "create", "event", event,
                                          "target", d->states[d->initial].name));
    for (size_t i = 0; i < d->edge_count; i++) {
        const draft_edge *edge = &d->edges[i];
        if (!edge->taken || edge->from != DRAFT_NONE || edge->to == d->initial)
            continue;
        const char *state = d->states[edge->to].name;
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:{s:o}}", "command",
                                        bst__draft_text(d, "create_as_%s", state), "event", event,
                                        "target", state, "meta", "count", number(edge->count)));
    }
    if (json_array_size(list) > 1)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *transition(draft *d, const draft_edge *edge) {
    json_t *object = json_object();

    if (edge->from == edge->to && edge->event_of != edge->to) {
        set_text(object, "event", event_of(d, d->states[edge->event_of].verb));
    } else {
        set_text(object, "target", d->states[edge->to].name);
        if (edge->from == edge->to)
            json_object_set_new(object, "reenter", json_true());
    }
    set_text(object, "description", edge->note);
    json_object_set_new(object, "meta", json_pack("{s:o}", "count", number(edge->count)));
    return object;
}

static json_t *state(draft *d, uint32_t index) {
    const draft_state *s = &d->states[index];
    json_t *object = json_object();
    json_t *on = json_object();

    set_text(object, "label", s->label);
    set_text(object, "description", s->note);
    if (s->exits == 0)
        set_text(object, "type", "final");
    json_object_set_new(object, "meta", json_pack("{s:o}", "rows", number(s->rows)));
    for (size_t i = 0; i < d->edge_count; i++) {
        const draft_edge *edge = &d->edges[i];
        if (edge->taken && edge->from == index)
            json_object_set_new(on, edge->command, transition(d, edge));
    }
    if (json_object_size(on) > 0)
        json_object_set_new(object, "on", on);
    else
        json_decref(on);
    return object;
}

json_t *bst__draft_machine(draft *d) {
    json_t *root = json_object();
    json_t *states = json_object();

    set_text(root, "id", d->id);
    set_text(root, "description",
             description(d,
                         bst__draft_text(d,
                                         "A draft from table %s (%llu rows): read it, mend it. "
                                         "\"meta\" says how often a transition was seen.",
                                         d->table, (unsigned long long)d->rows),
                         true));
    json_object_set_new(root, "fields", fields(d, true));
    json_object_set_new(root, "events", events(d));
    json_t *creates = creations(d);
    if (creates)
        json_object_set_new(root, "creates", creates);
    set_text(root, "initial", d->states[d->initial].name);
    for (uint32_t i = 0; i < d->state_count; i++)
        json_object_set_new(states, d->states[i].name, state(d, i));
    json_object_set_new(root, "states", states);
    return root;
}

/* ---- the mapping */

/* Whether a time without a zone is read anywhere. */
bool bst__draft_wants_zone(const draft *d) {
    for (uint32_t i = 0; i < d->column_count; i++) {
        const draft_column *c = &d->columns[i];
        const bool is_read_as_time =
            c->role == ROLE_CREATION || c->role == ROLE_LAST_CHANGE || c->role == ROLE_EVIDENCE;
        if ((c->naive && (c->field || is_read_as_time)) || (c->date && is_read_as_time))
            return true;
    }
    return false;
}

/* Needs no quotes in SQL. */
static bool is_plain(const char *name) {
    return strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name);
}

static json_t *source(draft *d) {
    json_t *object = json_object();
    json_t *key = json_array();

    set_text(object, "table", d->table);
    for (size_t i = 0; i < d->key_count; i++)
        json_array_append_new(key, json_string(d->columns[d->key[i]].name));
    if (d->key_count == 1)
        set_text(object, "key", d->columns[d->key[0]].name);
    else
        json_object_set(object, "key", key);
    json_decref(key);
    const char *deleted = d->deleted == DRAFT_NONE ? NULL : d->columns[d->deleted].name;
    if (deleted)
        set_text(object, "where",
                 is_plain(deleted) ? bst__draft_text(d, "%s IS NULL", deleted)
                                   : bst__draft_text(d, "\"%s\" IS NULL", deleted));
    if (bst__draft_wants_zone(d)) {
        set_text(object, "zone", "UTC");
        set_text(object, "description",
                 "The zone is a guess: the table has times without one. Ask whoever wrote them.");
    }
    return object;
}

static json_t *codes(draft *d) {
    json_t *values = json_object();
    for (size_t i = 0; i < d->code_count; i++)
        set_text(values, d->codes[i].text, d->states[d->codes[i].state].name);
    return json_pack("{s:s, s:o}", "column", d->columns[d->state_column].name, "values", values);
}

static json_t *field_sources(draft *d) {
    json_t *object = json_object();
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (d->columns[i].field)
            set_text(object, d->columns[i].field, d->columns[i].name);
    }
    return object;
}

static bool stays(const draft *d, const uint8_t *states) {
    for (size_t i = 0; i < d->edge_count; i++) {
        const draft_edge *e = &d->edges[i];
        if (e->taken && states[e->event_of] && e->from == e->to && e->event_of != e->to)
            return true;
    }
    return false;
}

static void add_name(json_t *list, const char *name) {
    json_t *value;
    size_t i;
    json_array_foreach (list, i, value) {
        if (strcmp(json_string_value(value), name) == 0)
            return;
    }
    json_array_append_new(list, json_string(name));
}

/* What a column speaks of: states, or their events where those may happen without entering. */
static json_t *about(draft *d, const draft_column *c) {
    json_t *list = json_array();
    const bool events_needed = stays(d, c->states);

    for (uint32_t s = 0; s < d->state_count && !events_needed; s++) {
        if (c->states[s])
            add_name(list, d->states[s].name);
    }
    for (size_t i = 0; i < d->edge_count && events_needed; i++) {
        const draft_edge *e = &d->edges[i];
        const bool stay = e->from == e->to && e->event_of != e->to;
        if (e->taken && e->from != DRAFT_NONE && c->states[e->event_of])
            add_name(list, event_of(d, stay ? d->states[e->event_of].verb : e->command));
    }
    json_t *item = json_object();
    const char *key = events_needed ? "event" : "state";
    if (json_array_size(list) == 1)
        json_object_set(item, key, json_array_get(list, 0));
    else
        json_object_set(item, key, list);
    json_decref(list);
    return item;
}

static json_t *evidence_item(draft *d, const draft_column *c) {
    json_t *item = NULL;

    if (c->role == ROLE_CREATION)
        return json_pack("{s:s}", "creation", c->name);
    if (c->role == ROLE_LAST_CHANGE)
        return json_pack("{s:s}", "last_change", c->name);
    if (c->role == ROLE_EVIDENCE) {
        item = about(d, c);
        set_text(item, "at", c->name);
        if (c->first)
            set_text(item, "occurrence", "first");
        set_text(item, "absent", c->always ? "never" : "unknown");
    } else if (c->role == ROLE_COUNT) {
        item = about(d, c);
        set_text(item, "count", c->name);
    } else if (c->role == ROLE_COUNT_ALL) {
        item = json_pack("{s:s}", "event", "*");
        if (c->from_zero)
            json_object_set_new(
                item, "count",
                json_pack("{s:o}", "sql", json_string(bst__draft_text(d, "\"%s\" + 1", c->name))));
        else
            set_text(item, "count", c->name);
    }
    if (item && c->at_most)
        set_text(item, "relation", "at_most");
    if (item)
        set_text(item, "description", c->note);
    return item;
}

static json_t *evidence(draft *d) {
    static const draft_role order[] = {ROLE_CREATION, ROLE_EVIDENCE, ROLE_COUNT, ROLE_COUNT_ALL,
                                       ROLE_LAST_CHANGE};
    json_t *list = json_array();

    for (size_t r = 0; r < sizeof order / sizeof *order; r++) {
        for (uint32_t i = 0; i < d->column_count; i++) {
            if (d->columns[i].role == order[r])
                json_array_append_new(list, evidence_item(d, &d->columns[i]));
        }
    }
    return list;
}

json_t *bst__draft_mapping(draft *d) {
    json_t *root = json_object();
    const char *log = d->log ? bst__draft_text(d, " Its log is %s.", d->log) : "";

    set_text(root, "description",
             description(d, bst__draft_text(d, "A draft from table %s.%s", d->table, log), false));
    set_text(root, "machine", bst__draft_text(d, "%s.fsm.json", d->id));
    json_object_set_new(root, "source", source(d));
    json_object_set_new(root, "state", codes(d));
    json_object_set_new(root, "fields", field_sources(d));
    json_object_set_new(root, "evidence", evidence(d));
    return root;
}
