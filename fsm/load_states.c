/* States, transitions and creations. The names of all states are read first, so that a target
 * can stand before its state; then every transition is resolved to numbers as it is read. Only
 * the names of events that "events" does not list wait until the end: another transition may
 * still give rise to them.
 *
 * The tables are flat. A tree of states would be walked here, each leaf getting the transitions
 * of its ancestors after its own; the rest of the loader would not notice.
 */
#include <stdlib.h>
#include <string.h>

#include "load_private.h"

/* States. */

enum { STATE_ON, STATE_TYPE, STATE_LABEL, STATE_DESCRIPTION, STATE_WAS, STATE_META, STATE_KEYS };
static const char *const state_keys[STATE_KEYS] = {
    [STATE_ON] = "on",       [STATE_TYPE] = "type",
    [STATE_LABEL] = "label", [STATE_DESCRIPTION] = "description",
    [STATE_WAS] = "was",     [STATE_META] = "meta",
};

static void read_state_type(bst__load *l, const bst__path *path, const json_t *json,
                            bst_state *state) {
    const char *type = bst__string(l, path, json);
    state->final = type && strcmp(type, "final") == 0;
    if (!type || state->final || strcmp(type, "atomic") == 0) {
        return;
    }
    const bst_loc where = bst__value_at(l, path);
    bst__error(l, &where, "bad-state-type", "state \"%s\" has the type \"%s\"", state->name, type);
    const bool nested = strcmp(type, "compound") == 0 || strcmp(type, "parallel") == 0 ||
                        strcmp(type, "history") == 0;
    bst_diag_hint(l->diags, "%s",
                  nested ? bst__flat_advice : "A state is \"final\", or has no \"type\" at all.");
}

static void read_state(bst__load *l, const bst__path *path, json_t *json, uint32_t number) {
    bst_state *state = &l->states[number];
    const char *key;
    json_t *value;
    if (!bst__is_object(l, path, json)) {
        return;
    }
    json_object_foreach (json, key, value) {
        const bst__path here = {path, key, 0};
        switch (bst__key_number(l, &here, state_keys, STATE_KEYS)) {
        case STATE_ON:
            l->on[number] = bst__is_object(l, &here, value) ? value : NULL;
            break;
        case STATE_TYPE:
            read_state_type(l, &here, value, state);
            break;
        case STATE_LABEL:
            state->label = bst__string(l, &here, value);
            break;
        case STATE_DESCRIPTION:
            state->description = bst__string(l, &here, value);
            break;
        case STATE_WAS:
            state->was = bst__string(l, &here, value);
            break;
        default: /* meta is the user's own */
            break;
        }
    }
}

static bool find_state(bst__load *l, const bst__path *path, const json_t *json, uint32_t *ret) {
    const bst_machine *table = &l->m->table;
    const char *name = bst__string(l, path, json);
    *ret = name ? bst_machine_state(table, name) : BST_NONE;
    if (!name || *ret != BST_NONE || table->state_count == 0) {
        return *ret != BST_NONE;
    }
    const bst_loc where = bst__value_at(l, path);
    const bst__names names = {table->states, sizeof *table->states};
    bst__error(l, &where, "unknown-state", "state \"%s\" is not declared", name);
    bst__did_you_mean(l, name, &names, table->state_count,
                      *name == '#' || *name == '.' || strchr(name, '.')
                          ? "Write the name of the state alone, as it stands in \"states\"."
                          : "Add it to \"states\", or name a state that is there.");
    return false;
}

/* How many there are, at least one; 0 after a finding. */
static size_t count_states(bst__load *l, const bst__path *path, const json_t *list) {
    const size_t count = json_object_size(list);
    if (!list || !bst__is_object(l, path, list)) {
        return 0;
    }
    if (count == 0) {
        const bst_loc where = bst__value_at(l, path);
        bst__error(l, &where, "missing-key", "machine has no states");
        bst_diag_hint(l->diags, "Add at least one, such as \"open\": {}.");
    } else if (count > BST_STATES_MAX) {
        const bst_loc where = bst__value_at(l, path);
        bst__limit(l, &where, "states", BST_STATES_MAX);
        return 0;
    }
    return count;
}

bool bst__load_states(bst__load *l) {
    bst_machine *table = &l->m->table;
    json_t *list = json_object_get(l->root, "states");
    const bst__path path = {NULL, "states", 0};
    const size_t count = count_states(l, &path, list);
    table->initial = BST_NONE;
    if (count == 0) {
        return true;
    }
    l->states = bst_arena_array(l->arena, count, sizeof *l->states);
    l->on = bst_arena_array(l->arena, count, sizeof *l->on);
    if (!l->states || !l->on || !bst__index_reserve(&l->m->states, l->arena, (uint32_t)count)) {
        return bst__nomem(l);
    }
    table->states = l->states;
    const char *name;
    json_t *value;
    json_object_foreach (list, name, value) {
        const bst__path here = {&path, name, 0};
        const uint32_t number = table->state_count++;
        bst__good_name(l, &here, true, "state", name);
        l->states[number].name = name;
        read_state(l, &here, value, number);
        if (!bst__index_add(&l->m->states, l->arena, bst__name_hash(l->m->seed, name), number)) {
            return bst__nomem(l);
        }
    }
    const bst__path initial_path = {NULL, "initial", 0};
    const json_t *initial = json_object_get(l->root, "initial");
    if (initial) {
        find_state(l, &initial_path, initial, &table->initial);
    }
    const bst__names names = {table->states, sizeof *table->states};
    return bst__check_clashes(l, "state", &names, table->state_count, bst_machine_state_where);
}

/* Transitions. */

/* What all have, then what only transitions or only creations have. */
enum { TO_TARGET, TO_GUARD, TO_EVENT, TO_DESCRIPTION, TO_META, TO_REENTER, TO_COMMAND, TO_KEYS };
#define TO_COMMON                                                                                  \
    [TO_TARGET] = "target", [TO_GUARD] = "guard", [TO_EVENT] = "event",                            \
    [TO_DESCRIPTION] = "description", [TO_META] = "meta"
static const char *const transition_keys[TO_KEYS] = {TO_COMMON, [TO_REENTER] = "reenter"};
static const char *const creation_keys[TO_KEYS] = {TO_COMMON, [TO_COMMAND] = "command"};

static bool add_transition(bst__load *l, const bst__path *path, bst_transition **ret,
                           bst__transition_note **ret_note) {
    bst_machine *table = &l->m->table;
    const uint32_t count = table->transition_count;
    if (count >= BST_TRANSITIONS_MAX) {
        const bst_loc where = bst__value_at(l, path);
        return bst__limit(l, &where, "transitions", BST_TRANSITIONS_MAX);
    }
    if (count == l->transition_room) {
        const uint32_t room = bst__next_room(l->transition_room);
        l->transitions = bst__longer(l, l->transitions, sizeof *l->transitions, count, room);
        l->transition_notes =
            bst__longer(l, l->transition_notes, sizeof *l->transition_notes, count, room);
        if (!l->transitions || !l->transition_notes) {
            return false;
        }
        l->transition_room = room;
        table->transitions = l->transitions;
    }
    table->transition_count++;
    *ret = &l->transitions[count];
    *ret_note = &l->transition_notes[count];
    **ret = (bst_transition){.from = BST_NONE,
                             .command = BST_NONE,
                             .guard = BST_NONE,
                             .event = BST_NONE,
                             .to = BST_NONE,
                             .targetless = true};
    **ret_note = (bst__transition_note){0};
    return true;
}

/* An event that stands in the file. Unlisted ones are looked for at the end. */
static void read_event_name(bst__load *l, const bst__path *path, json_t *json, bst_transition *t,
                            bst__transition_note *note) {
    const char *name = bst__string(l, path, json);
    t->event = name ? bst_machine_event(&l->m->table, name) : BST_NONE;
    note->event = name && t->event == BST_NONE ? json : NULL;
}

static void read_target(bst__load *l, const bst__path *path, const json_t *json,
                        bst_transition *t) {
    t->targetless = false;
    find_state(l, path, json, &t->to);
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
            read_target(l, &here, value, t);
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
                bst__wrong_kind(l, &here, "a boolean", value);
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

/* Stays where it is without a target, emits the event named after its command without one. */
static bool complete(bst__load *l, bst_transition *t, bool named, uint32_t stay) {
    if (t->targetless) {
        t->to = stay;
    }
    return named || bst__derive_event(l, t->command, &t->event);
}

static bool read_transition(bst__load *l, const bst__path *path, json_t *json, uint32_t from,
                            uint32_t command, uint32_t place) {
    bst_transition *t;
    bst__transition_note *note;
    bool named = false;
    json_t *none = NULL;
    if (!add_transition(l, path, &t, &note)) {
        return false;
    }
    t->from = from;
    t->command = command;
    t->place = place;
    if (json_is_string(json)) {
        read_target(l, path, json, t);
    } else if (json_is_object(json)) {
        read_transition_object(l, path, transition_keys, json, t, note, &none, &named);
    } else {
        bst__wrong_kind(l, path, "the name of a state or an object", json);
    }
    return complete(l, t, named, from);
}

static bool read_on(bst__load *l, uint32_t from) {
    const bst__path states = {NULL, "states", 0};
    const bst__path state = {&states, l->states[from].name, 0};
    const bst__path on = {&state, "on", 0};
    const char *name;
    json_t *value;
    l->states[from].first_transition = l->m->table.transition_count;
    json_object_foreach (l->on[from], name, value) {
        const bst__path here = {&on, name, 0};
        uint32_t command;
        if (!bst__intern_command(l, &here, true, name, &command)) {
            return false;
        }
        if (!json_is_array(value)) {
            if (!read_transition(l, &here, value, from, command, 0)) {
                return false;
            }
            continue;
        }
        const size_t count = json_array_size(value);
        if (count == 0) {
            const bst_loc where = bst__value_at(l, &here);
            bst__error(l, &where, "missing-key", "command \"%s\" has no transition here", name);
            bst_diag_hint(l->diags, "Name a target, or remove the command from this state.");
        }
        for (size_t i = 0; i < count; i++) {
            const bst__path item = {&here, NULL, i};
            if (!read_transition(l, &item, json_array_get(value, i), from, command, (uint32_t)i)) {
                return false;
            }
        }
    }
    l->states[from].transition_count =
        l->m->table.transition_count - l->states[from].first_transition;
    return true;
}

static void find_late_event(bst__load *l, bst_transition *t, const char *name) {
    const bst_machine *table = &l->m->table;
    t->event = bst_machine_event(table, name);
    if (t->event != BST_NONE || bst__is_broken(l, "events")) {
        return;
    }
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__transition_pointer(table, t, &pointer);
    bst_json_pointer_add(&pointer, "event");
    const bst_loc where = bst_json_source_value(l->source, pointer.text);
    const bst__names names = {table->events, sizeof *table->events};
    bst_strbuf_release(&pointer);
    bst__error(l, &where, "unknown-event", "event \"%s\" is not declared", name);
    bst__did_you_mean(l, name, &names, table->event_count,
                      "Add it to \"events\": an event without a payload is {}.");
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
    for (uint32_t i = 0; i < table->transition_count; i++) {
        bst_transition *t = &l->transitions[i];
        if (l->transition_notes[i].event) {
            find_late_event(l, t, json_string_value(l->transition_notes[i].event));
        }
        if (t->command != BST_NONE && command_user[t->command] == BST_NONE) {
            command_user[t->command] = i;
        }
        if (t->event != BST_NONE) {
            bst__event_note *note = &l->event_notes[t->event];
            note->creates = note->creates || t->from == BST_NONE;
            event_user[t->event] = event_user[t->event] == BST_NONE ? i : event_user[t->event];
        }
    }
    return true;
}

bool bst__load_transitions(bst__load *l) {
    const bst_machine *table = &l->m->table;
    for (uint32_t from = 0; from < table->state_count; from++) {
        if (l->on[from] && !read_on(l, from)) {
            return false;
        }
    }
    const bst__names commands = {table->commands, sizeof *table->commands};
    const bst__names events = {table->events, sizeof *table->events};
    return resolve_events(l) &&
           bst__check_clashes(l, "command", &commands, table->command_count, bst__command_where) &&
           bst__check_clashes(l, "event", &events, table->event_count, bst_machine_event_where);
}

/* Creations. */

static bool add_creation(bst__load *l, const bst__path *path, json_t *json, uint32_t place) {
    bst_machine *table = &l->m->table;
    bst_transition *t;
    bst__transition_note *note;
    bool named = false;
    json_t *command = NULL;
    if (!add_transition(l, path, &t, &note)) {
        return false;
    }
    table->creation_count++;
    t->place = place;
    if (json && bst__is_object(l, path, json)) {
        read_transition_object(l, path, creation_keys, json, t, note, &command, &named);
    }
    const bst__path command_path = {path, "command", 0};
    const char *name = command ? bst__string(l, &command_path, command) : "create";
    if (!name) {
        return true;
    }
    if (!bst__intern_command(l, &command_path, false, name, &t->command)) {
        return false;
    }
    const bool ok = complete(l, t, named, table->initial);
    t->targetless = false;
    return ok;
}

typedef struct creation {
    bst_transition transition;
    bst__transition_note note;
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
    const uint32_t count = l->m->table.creation_count;
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
        list[i] = (creation){l->transitions[i], l->transition_notes[i], first};
    }
    qsort(list, count, sizeof *list, by_group_and_place);
    for (uint32_t i = 0; i < count; i++) {
        l->transitions[i] = list[i].transition;
        l->transition_notes[i] = list[i].note;
    }
    return true;
}

bool bst__load_creations(bst__load *l) {
    json_t *list = json_object_get(l->root, "creates");
    const bst__path path = {NULL, "creates", 0};
    const bst__path initial = {NULL, "initial", 0};
    if (!list) {
        return add_creation(l, &initial, NULL, 0);
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
        if (!add_creation(l, &item, json_array_get(list, i), (uint32_t)i)) {
            return false;
        }
    }
    return group_creations(l);
}
