/* Transitions and creations, each resolved to numbers as it is read. Only the names of events that
 * "events" does not list wait until the end: another transition may still give rise to them.
 *
 * They are kept as they are written, from node to node; flatten.c makes the table of them. In a
 * flat machine that is the table already.
 */
#include <stdlib.h>
#include <string.h>

#include "backstory/timestamp.h"
#include "load_private.h"

/* Transitions. */

/* What all have, then what only some have. */
enum { TO_TARGET, TO_GUARD, TO_EVENT, TO_DESCRIPTION, TO_META, TO_REENTER, TO_COMMAND, TO_KEYS };
#define TO_COMMON                                                                                  \
    [TO_TARGET] = "target", [TO_GUARD] = "guard", [TO_EVENT] = "event",                            \
    [TO_DESCRIPTION] = "description", [TO_META] = "meta"
static const char *const transition_keys[TO_KEYS] = {TO_COMMON, [TO_REENTER] = "reenter"};
static const char *const timer_keys[TO_KEYS] = {
    TO_COMMON, [TO_REENTER] = "reenter", [TO_COMMAND] = "command"};
static const char *const creation_keys[TO_KEYS] = {TO_COMMON, [TO_COMMAND] = "command"};
static const char *const silent_keys[TO_KEYS] = {[TO_TARGET] = "target",
                                                 [TO_GUARD] = "guard",
                                                 [TO_DESCRIPTION] = "description",
                                                 [TO_META] = "meta",
                                                 [TO_REENTER] = "reenter"};

/* Where a transition stands: its list, and its number there. */
typedef struct stand {
    bst__form form;
    uint32_t node;
    const char *key;
    bool listed;
    uint32_t place;
    const char *const *keys;
} stand;

static bool longer(bst__load *l, uint32_t count) {
    /* nearly right at once: growing from nothing would clear twice as much memory */
    const uint32_t next = bst__next_room(l->transition_room);
    const size_t creations = json_array_size(json_object_get(l->root, "creates"));
    const size_t expected = l->expected + (creations ? creations : 1);
    const uint32_t room = expected < next                  ? next
                          : expected < BST_TRANSITIONS_MAX ? (uint32_t)expected
                                                           : BST_TRANSITIONS_MAX;
    l->transitions = bst__longer(l, l->transitions, sizeof *l->transitions, count, room);
    l->transition_notes =
        bst__longer(l, l->transition_notes, sizeof *l->transition_notes, count, room);
    l->written = bst__longer(l, l->written, sizeof *l->written, count, room);
    l->transition_room = room;
    l->m->written = l->written;
    return l->transitions && l->transition_notes && l->written;
}

static bool add_transition(bst__load *l, const bst__path *path, const stand *at,
                           bst_transition **ret, bst__transition_note **ret_note) {
    const uint32_t count = l->written_count;
    if (count >= BST_TRANSITIONS_MAX) {
        const bst_loc where = bst__value_at(l, path);
        return bst__limit(l, &where, "transitions", BST_TRANSITIONS_MAX);
    }
    if (count == l->transition_room && !longer(l, count)) {
        return false;
    }
    l->written_count++;
    *ret = &l->transitions[count];
    *ret_note = &l->transition_notes[count];
    **ret = (bst_transition){.from = at->node,
                             .command = BST_NONE,
                             .guard = BST_NONE,
                             .event = BST_NONE,
                             .to = BST_NONE,
                             .targetless = true,
                             .place = at->place};
    **ret_note = (bst__transition_note){0};
    l->written[count] = (bst__written){.key = at->key,
                                       .node = at->node,
                                       .command = BST_NONE,
                                       .guard = BST_NONE,
                                       .place = at->place,
                                       .form = at->form,
                                       .listed = at->listed};
    return true;
}

/* An event that stands in the file. Unlisted ones are looked for at the end. */
static void read_event_name(bst__load *l, const bst__path *path, json_t *json, bst_transition *t,
                            bst__transition_note *note) {
    const char *name = bst__string(l, path, json);
    t->event = name ? bst_machine_event(&l->m->table, name) : BST_NONE;
    note->event = name && t->event == BST_NONE ? json : NULL;
}

static void read_target(bst__load *l, const bst__path *path, const json_t *json, bst_transition *t,
                        bst__transition_note *note) {
    const uint32_t source = t->from == BST_NONE ? 0 : t->from;
    t->targetless = false;
    if (!json_is_array(json)) {
        note->target_count = bst__find_target(l, path, json, source, &t->to) ? 1 : 0;
    } else if (bst__find_targets(l, path, json, source, &note->targets, &note->target_count)) {
        t->to = note->targets[0];
        l->nested = true;
    }
}

/* Fills what an object says; `command` is what a creation names, NULL when it does not. */
static void read_transition_object(bst__load *l, const bst__path *path, const char *const *keys,
                                   json_t *json, bst_transition *t, bst__transition_note *note,
                                   json_t **ret_command, bool *ret_named) {
    const char *key;
    json_t *value;
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        switch (bst__key_number(l, &here, keys, TO_KEYS)) {
        case TO_TARGET:
            read_target(l, &here, value, t, note);
            break;
        case TO_GUARD:
            bst__read_guard(l, &here, value, note);
            break;
        case TO_EVENT:
            *ret_named = true;
            read_event_name(l, &here, value, t, note);
            break;
        case TO_COMMAND:
            *ret_command = value;
            break;
        case TO_REENTER:
            t->reenter = json_is_true(value);
            if (!json_is_boolean(value)) {
                bst__wrong_kind(l, &here, "true or false", value);
            }
            break;
        case TO_DESCRIPTION:
            bst__string(l, &here, value);
            break;
        default:
            break;
        }
    }
}

/* The command that time sends, when it is not named: "time_out_authorized". */
static const char *timer_name(bst__load *l, uint32_t node) {
    char *name = node == 0 ? bst_arena_strdup(l->arena, "time_out")
                           : bst_arena_printf(l->arena, "time_out_%s", l->nodes[node].path);
    for (char *p = name; p && *p; p++) {
        *p = *p == '.' ? '_' : *p;
    }
    return name;
}

/* Two lists of one state cannot serve the same command: which is first? */
static bool check_single(bst__load *l, const bst__path *path, uint32_t number) {
    const bst__written *w = &l->written[number];
    bst__command_note *note = &l->command_notes[w->command];
    const uint32_t first = note->last_written;
    note->last_written = number;
    if (w->form != BST__AFTER || number == 0 || l->written[first].node != w->node ||
        l->written[first].command != w->command || l->written[first].key == w->key) {
        return true;
    }
    const bst_loc where = bst__value_at(l, path);
    const bst_loc there = bst__written_where(&l->m->table, first);
    bst__error(l, &where, "duplicate-command",
               "command \"%s\" of this timer stands in the same state already",
               l->commands[w->command].name);
    bst_diag_hint(l->diags, "Give the timer a \"command\" of its own.");
    bst_diag_also(l->diags, &there, "it is here");
    return false;
}

/* Which command it answers, and which event it emits. */
static bool complete(bst__load *l, const bst__path *path, const stand *at, json_t *command_json,
                     bool named, uint32_t number) {
    const bst__path command_path = {path, "command", 0};
    bst_transition *t = &l->transitions[number];
    const bool timer = at->form == BST__AFTER;
    const char *command = at->form == BST__ON ? at->key : timer ? NULL : "create";
    if (at->form == BST__ALWAYS || at->form == BST__DONE) {
        if (t->targetless) {
            const bst_loc where = bst__value_at(l, path);
            bst__error(l, &where, "missing-key", "\"%s\" without a \"target\" does nothing",
                       at->form == BST__DONE ? "onDone" : "always");
            bst_diag_hint(l->diags, "Name the state that it leads to.");
        }
        return true;
    }
    if (command_json) {
        command = bst__string(l, &command_path, command_json);
        if (!command) {
            return true;
        }
    } else if (timer) {
        command = timer_name(l, at->node);
        if (!command) {
            return bst__nomem(l);
        }
    }
    const bst__path *name_path = at->form == BST__ON && path->key == NULL ? path->up : path;
    if (!bst__intern_command(l, command_json ? &command_path : name_path,
                             at->form == BST__ON || (timer && !command_json), command,
                             &t->command)) {
        return false;
    }
    l->written[number].command = t->command;
    if (t->command != BST_NONE && !check_single(l, path, number)) {
        return true;
    }
    return named || bst__derive_event(l, t->command, &t->event);
}

static bool read_transition(bst__load *l, const bst__path *path, json_t *json, const stand *at,
                            int64_t after_us) {
    bst_transition *t = NULL;
    bst__transition_note *note = NULL;
    const uint32_t number = l->written_count;
    bool named = false;
    json_t *command = NULL;
    if (!add_transition(l, path, at, &t, &note)) {
        return false;
    }
    t->after_us = after_us;
    if (json_is_string(json) && at->form != BST__CREATION) {
        read_target(l, path, json, t, note);
    } else if (json_is_object(json)) {
        read_transition_object(l, path, at->keys, json, t, note, &command, &named);
    } else if (json) {
        bst__wrong_kind(
            l, path, at->form == BST__CREATION ? "an object" : "the name of a state or an object",
            json);
    }
    return complete(l, path, at, command, named, number);
}

/* One transition, or a list of them. */
static bool read_list(bst__load *l, const bst__path *path, json_t *json, stand at,
                      int64_t after_us) {
    if (!json_is_array(json)) {
        return read_transition(l, path, json, &at, after_us);
    }
    const size_t count = json_array_size(json);
    if (count == 0) {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "missing-key", "%s \"%s\" has no transition here",
                   at.form == BST__ON ? "command" : "list", path->key);
        bst_diag_hint(l->diags, "Name a target, or remove the command from this state.");
    }
    at.listed = true;
    for (size_t i = 0; i < count; i++) {
        const bst__path item = {path, NULL, i};
        at.place = (uint32_t)i;
        if (!read_transition(l, &item, json_array_get(json, i), &at, after_us)) {
            return false;
        }
    }
    return true;
}

static bool read_on(bst__load *l, const bst__path *state, uint32_t node) {
    const bst__path on = {state, "on", 0};
    const char *name;
    json_t *value;
    json_object_foreach (l->node_notes[node].on, name, value) {
        const bst__path here = {&on, name, 0};
        const stand at = {.form = BST__ON, .node = node, .key = name, .keys = transition_keys};
        if (!read_list(l, &here, value, at, 0)) {
            return false;
        }
    }
    return true;
}

/* The duration of an "after"; 0 after a finding. */
static int64_t read_duration(bst__load *l, const bst__path *path, const char *text) {
    int64_t us = 0;
    const bst_time_result result = bst_duration_parse(text, strlen(text), &us);
    if (result == BST_TIME_OK && us > 0) {
        return us;
    }
    const bst_loc where = bst__key_at(l, path);
    bst__error(l, &where, "bad-duration", "\"%s\" is not a duration%s", text,
               result == BST_TIME_OK ? " that passes" : "");
    bst_diag_hint(l->diags, "Write it as ISO 8601 does: \"P7D\" is seven days, \"PT30M\" half an "
                            "hour; months and years have no fixed length.");
    return 0;
}

static bool read_after(bst__load *l, const bst__path *state, uint32_t node) {
    const bst__path after = {state, "after", 0};
    const char *text;
    json_t *value;
    json_object_foreach (l->node_notes[node].after, text, value) {
        const bst__path here = {&after, text, 0};
        const stand at = {.form = BST__AFTER, .node = node, .key = text, .keys = timer_keys};
        if (!read_list(l, &here, value, at, read_duration(l, &here, text))) {
            return false;
        }
    }
    return true;
}

static bool read_silent(bst__load *l, const bst__path *state, uint32_t node, bst__form form) {
    const bst__node_note *note = &l->node_notes[node];
    const bst__path here = {state, form == BST__DONE ? "onDone" : "always", 0};
    const stand at = {.form = form, .node = node, .keys = silent_keys};
    json_t *list = form == BST__DONE ? note->done : note->always;
    return !list || read_list(l, &here, list, at, 0);
}

/* The path of a node is a chain as deep as the node. */
static bool read_node(bst__load *l, const bst__path *up, uint32_t node) {
    bst__node_note *note = &l->node_notes[node];
    note->first = l->written_count;
    if (!read_on(l, up, node) || !read_after(l, up, node)) {
        return false;
    }
    note->command_count = l->written_count - note->first;
    if (!read_silent(l, up, node, BST__ALWAYS)) {
        return false;
    }
    note->always_count = l->written_count - note->first - note->command_count;
    if (!read_silent(l, up, node, BST__DONE)) {
        return false;
    }
    note->done_count = l->written_count - note->first - note->command_count - note->always_count;
    const bst__path states = {up, "states", 0};
    for (uint32_t c = l->nodes[node].first_child; c != BST_NONE; c = l->nodes[c].next_sibling) {
        const bst__path here = {&states, l->nodes[c].name, 0};
        if (!read_node(l, &here, c)) {
            return false;
        }
    }
    return true;
}

static void find_late_event(bst__load *l, uint32_t number, const char *name) {
    const bst_machine *table = &l->m->table;
    bst_transition *t = &l->transitions[number];
    t->event = bst_machine_event(table, name);
    if (t->event != BST_NONE || bst__is_broken(l, "events")) {
        return;
    }
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__written_pointer(table, number, &pointer);
    bst_json_pointer_add(&pointer, "event");
    const bst_loc where = bst_json_source_value(l->source, pointer.text);
    const bst__names names = {table->events, sizeof *table->events};
    bst_strbuf_release(&pointer);
    bst__error(l, &where, "unknown-event", "event \"%s\" is not declared", name);
    bst__did_you_mean(l, name, &names, table->event_count,
                      "Add it to \"events\": an event without a payload is {}.");
}

static void refuse_builtin(bst__load *l, uint32_t number, const char *event) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__written_pointer(&l->m->table, number, &pointer);
    const bst_loc where = bst_json_source_value(l->source, pointer.text);
    bst_strbuf_release(&pointer);
    bst__error(l, &where, "builtin-emitted", "event \"%s\" is built in: no transition emits it",
               event);
    bst_diag_hint(l->diags, "Name another event: this one is written by migrations alone.");
}

/* All BST_NONE; NULL when out of memory. */
static uint32_t *no_users(bst__load *l, uint32_t count) {
    uint32_t *users = bst_arena_array(l->arena, count, sizeof *users);
    if (!users) {
        bst__nomem(l);
    }
    for (uint32_t i = 0; users && i < count; i++) {
        users[i] = BST_NONE;
    }
    return users;
}

/* Looks again for the events that were not listed; notes the first transition of each event and
 * command. */
static bool resolve_events(bst__load *l) {
    const bst_machine *table = &l->m->table;
    uint32_t *event_user = no_users(l, table->event_count);
    uint32_t *command_user = no_users(l, table->command_count);
    l->m->event_user = event_user;
    l->m->command_user = command_user;
    if (!event_user || !command_user) {
        return false;
    }
    for (uint32_t i = 0; i < l->written_count; i++) {
        bst_transition *t = &l->transitions[i];
        if (l->transition_notes[i].event) {
            find_late_event(l, i, json_string_value(l->transition_notes[i].event));
        }
        if (t->command != BST_NONE && command_user[t->command] == BST_NONE) {
            command_user[t->command] = i;
        }
        if (t->event != BST_NONE) {
            bst__event_note *note = &l->event_notes[t->event];
            if (l->events[t->event].builtin != BST_BUILTIN_NONE) {
                refuse_builtin(l, i, l->events[t->event].name);
            }
            note->creates = note->creates || t->from == BST_NONE;
            event_user[t->event] = event_user[t->event] == BST_NONE ? i : event_user[t->event];
        }
    }
    return true;
}

bool bst__load_transitions(bst__load *l) {
    const bst_machine *table = &l->m->table;
    if (!read_node(l, NULL, 0)) {
        return false;
    }
    const bst__names commands = {table->commands, sizeof *table->commands};
    const bst__names events = {table->events, sizeof *table->events};
    return resolve_events(l) &&
           bst__check_clashes(l, "command", &commands, table->command_count, bst__command_where) &&
           bst__check_clashes(l, "event", &events, table->event_count, bst_machine_event_where);
}

/* Creations. */

/* One without a target enters the machine as its "initial" says. */
static bool add_creation(bst__load *l, const bst__path *path, json_t *json, bool listed,
                         uint32_t place) {
    const uint32_t number = l->written_count;
    const stand at = {.form = BST__CREATION,
                      .node = BST_NONE,
                      .listed = listed,
                      .place = place,
                      .keys = creation_keys};
    const bool ok = read_transition(l, path, json, &at, 0);
    if (l->written_count > number) {
        l->creation_count++;
        if (l->transitions[number].targetless) {
            l->transitions[number].to = l->parallel ? 0 : l->nodes[0].initial;
            l->transition_notes[number].target_count = 1;
        }
        l->transitions[number].targetless = false;
    }
    return ok;
}

typedef struct creation {
    bst_transition transition;
    bst__transition_note note;
    bst__written written;
    uint32_t group; /* place of the first creation with the same command */
} creation;

static int by_group_and_place(const void *left, const void *right) {
    const creation *a = left;
    const creation *b = right;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    return (a->transition.place > b->transition.place) -
           (a->transition.place < b->transition.place);
}

/* Brings creations of one command together, otherwise in file order. */
static bool group_creations(bst__load *l) {
    const uint32_t count = l->creation_count;
    creation *list = bst_arena_array(l->arena, count, sizeof *list);
    uint32_t *group = bst_arena_array(l->arena, l->m->table.command_count, sizeof *group);
    if (!list || !group) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t command = l->transitions[i].command;
        uint32_t first = i;
        if (command != BST_NONE) {
            group[command] = group[command] ? group[command] : i + 1;
            first = group[command] - 1;
        }
        list[i] = (creation){l->transitions[i], l->transition_notes[i], l->written[i], first};
    }
    qsort(list, count, sizeof *list, by_group_and_place);
    for (uint32_t i = 0; i < count; i++) {
        l->transitions[i] = list[i].transition;
        l->transition_notes[i] = list[i].note;
        l->written[i] = list[i].written;
    }
    return true;
}

bool bst__load_creations(bst__load *l) {
    json_t *list = json_object_get(l->root, "creates");
    const bst__path path = {NULL, "creates", 0};
    const bst__path initial = {NULL, "initial", 0};
    if (!list) {
        return add_creation(l, &initial, NULL, false, 0);
    }
    if (!json_is_array(list)) {
        bst__wrong_kind(l, &path, "an array", list);
        return true;
    }
    if (json_array_size(list) == 0) {
        const bst_loc where = bst__value_at(l, &path);
        bst__error(l, &where, "missing-key", "\"creates\" lists no creation");
        bst_diag_hint(l->diags,
                      "Leave it out to have the command \"create\" lead to the initial state.");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const bst__path item = {&path, NULL, i};
        if (!add_creation(l, &item, json_array_get(list, i), true, (uint32_t)i)) {
            return false;
        }
    }
    return group_creations(l);
}
