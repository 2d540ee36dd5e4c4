/* A machine once it is made: look-ups by name and by step, places in the file, and its end.
 * Nothing here changes it.
 */
#include "backstory/machine.h"

#include <string.h>

#include "backstory/step.h"
#include "machine_private.h"

const bst__machine *bst__machine_of(const bst_machine *machine) {
    return (const bst__machine *)(const void *)machine;
}

bst_machine *bst_machine_free(bst_machine *machine) {
    if (machine) {
        bst__machine *m = (bst__machine *)(void *)machine;
        bst_json_source_free(m->source);
        bst_arena_free(m->arena); /* the machine itself lives in it */
    }
    return NULL;
}

/* By name. */

static uint32_t find(const bst_machine *machine, const bst__index *index, const void *items,
                     size_t size, const char *name) {
    const bst__names names = {items, size};
    return bst__name_find(index, bst__machine_of(machine)->seed, &names, name);
}

uint32_t bst_machine_state(const bst_machine *machine, const char *name) {
    return find(machine, &bst__machine_of(machine)->states, machine->states,
                sizeof *machine->states, name);
}

/* Whether `path` is `end`, or goes on to it after a dot. */
static bool ends_in(const char *path, const char *end) {
    const size_t path_len = strlen(path);
    const size_t len = strlen(end);
    return path_len >= len && strcmp(path + path_len - len, end) == 0 &&
           (path_len == len || path[path_len - len - 1] == '.');
}

uint32_t bst_machine_node_inside(const bst_machine *machine, uint32_t node, const char *path) {
    const char *const around = machine->nodes[node].path;
    const size_t skip = node == 0 ? 0 : strlen(around) + 1;
    uint32_t found = BST_NONE;
    uint32_t count = 0;
    for (uint32_t i = node + 1; i <= machine->nodes[node].last; i++) {
        const char *const here = machine->nodes[i].path + skip;
        if (strcmp(here, path) == 0) {
            return i;
        }
        if (ends_in(here, path)) {
            found = i;
            count++;
        }
    }
    return count == 1 ? found : BST_NONE;
}

uint32_t bst_machine_node(const bst_machine *machine, const char *path) {
    return bst_machine_node_inside(machine, 0, path);
}

bool bst_machine_is_active(const bst_machine *machine, uint32_t state, uint32_t node) {
    const bst_state *s = &machine->states[state];
    for (uint32_t i = 0; i < s->node_count; i++) {
        if (s->nodes[i] == node || bst__inside(machine->nodes, s->nodes[i], node)) {
            return true;
        }
    }
    return false;
}

bool bst_machine_enters(const bst_machine *machine, uint32_t transition, uint32_t node) {
    const bst__machine *m = bst__machine_of(machine);
    const bst_transition *t = &machine->transitions[transition];
    if (!m->entries) { /* flat: one node a state */
        return machine->states[t->to].nodes[0] == node &&
               (t->from != t->to || (t->reenter && !t->targetless));
    }
    const bst__nodes *entries = &m->entries[transition];
    for (uint32_t i = 0; i < entries->count; i++) {
        if (entries->items[i] == node) {
            return true;
        }
    }
    return false;
}

uint32_t bst_machine_command(const bst_machine *machine, const char *name) {
    return find(machine, &bst__machine_of(machine)->commands, machine->commands,
                sizeof *machine->commands, name);
}

uint32_t bst_machine_event(const bst_machine *machine, const char *name) {
    return find(machine, &bst__machine_of(machine)->events, machine->events,
                sizeof *machine->events, name);
}

uint32_t bst_machine_field(const bst_machine *machine, const char *name) {
    return find(machine, &bst__machine_of(machine)->fields, machine->fields,
                sizeof *machine->fields, name);
}

static uint32_t find_field(const bst_field *fields, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return i;
        }
    }
    return BST_NONE;
}

uint32_t bst_event_field(const bst_event_type *event, const char *name) {
    return find_field(event->fields, event->field_count, name);
}

uint32_t bst_field_stored(const bst_field *fields, uint32_t count, const char *name) {
    uint32_t found = find_field(fields, count, name);
    for (uint32_t i = 0; i < count && found == BST_NONE; i++) {
        if (fields[i].was && strcmp(fields[i].was, name) == 0) {
            found = i;
        }
    }
    return found;
}

uint32_t bst_command_field(const bst_command *command, const char *name) {
    return find_field(command->fields, command->field_count, name);
}

/* By former name. */

static bst__names former_states(const bst_machine *machine) {
    return (bst__names){&machine->states->was, sizeof *machine->states};
}

static bst__names former_events(const bst_machine *machine) {
    return (bst__names){&machine->events->was, sizeof *machine->events};
}

/* Of several that say the same, the first has it. */
static bool index_former(bst__machine *m, bst__index *index, bst__names former, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const char *was = bst__name_at(&former, i);
        if (was && bst__name_find(index, m->seed, &former, was) == BST_NONE &&
            !bst__index_add(index, m->arena, bst__name_hash(m->seed, was), i)) {
            return false;
        }
    }
    return true;
}

bool bst__machine_index_former(bst__machine *m) {
    const bst_machine *table = &m->table;
    return index_former(m, &m->former_states, former_states(table), table->state_count) &&
           (table->event_count == 0 ||
            index_former(m, &m->former_events, former_events(table), table->event_count));
}

uint32_t bst_machine_state_stored(const bst_machine *machine, const char *name) {
    const bst__machine *m = bst__machine_of(machine);
    const bst__names former = former_states(machine);
    const uint32_t state = bst_machine_state(machine, name);
    return state != BST_NONE ? state : bst__name_find(&m->former_states, m->seed, &former, name);
}

uint32_t bst_machine_event_stored(const bst_machine *machine, const char *name) {
    const bst__machine *m = bst__machine_of(machine);
    const bst__names former = former_events(machine);
    const uint32_t event = bst_machine_event(machine, name);
    return event != BST_NONE ? event : bst__name_find(&m->former_events, m->seed, &former, name);
}

/* By step. */

typedef struct wanted_step {
    const bst_transition *transitions;
    uint32_t from, by, to; /* `by`: a command or an event */
} wanted_step;

static bool same_group(const void *wanted, uint32_t number) {
    const wanted_step *w = wanted;
    const bst_transition *t = &w->transitions[number];
    return t->from == w->from && t->command == w->by;
}

static bool same_step(const void *wanted, uint32_t number) {
    const wanted_step *w = wanted;
    const bst_transition *t = &w->transitions[number];
    return t->from == w->from && t->event == w->by && t->to == w->to;
}

static uint32_t group_hash(uint32_t from, uint32_t command) {
    return bst__hash3(from, command, 0);
}

bool bst__machine_index_steps(bst__machine *m) {
    const bst_machine *table = &m->table;
    if (!bst__index_reserve(&m->groups, m->arena, table->transition_count) ||
        !bst__index_reserve(&m->steps, m->arena, table->transition_count)) {
        return false;
    }
    for (uint32_t i = 0; i < table->transition_count; i++) {
        const bst_transition *t = &table->transitions[i];
        const wanted_step step = {table->transitions, t->from, t->event, t->to};
        const uint32_t hash = bst__hash3(t->from, t->event, t->to);
        const bool first = i == 0 || t[-1].from != t->from || t[-1].command != t->command;
        if (first && !bst__index_add(&m->groups, m->arena, group_hash(t->from, t->command), i)) {
            return false;
        }
        if (bst__index_find(&m->steps, hash, same_step, &step) == BST_NONE &&
            !bst__index_add(&m->steps, m->arena, hash, i)) {
            return false;
        }
    }
    return true;
}

uint32_t bst_machine_candidates(const bst_machine *machine, uint32_t from, uint32_t command,
                                uint32_t *ret_first) {
    const wanted_step wanted = {machine->transitions, from, command, 0};
    const uint32_t first = bst__index_find(&bst__machine_of(machine)->groups,
                                           group_hash(from, command), same_group, &wanted);
    if (first == BST_NONE) {
        return 0;
    }
    uint32_t end = first + 1;
    while (end < machine->transition_count && same_group(&wanted, end)) {
        end++;
    }
    *ret_first = first;
    return end - first;
}

uint32_t bst_machine_builtin(const bst_machine *machine, bst_builtin builtin) {
    for (uint32_t i = 0; i < machine->event_count; i++) {
        if (machine->events[i].builtin == builtin) {
            return i;
        }
    }
    return BST_NONE;
}

uint32_t bst_machine_find_transition(const bst_machine *machine, uint32_t from, uint32_t event,
                                     uint32_t to) {
    const wanted_step wanted = {machine->transitions, from, event, to};
    return bst__index_find(&bst__machine_of(machine)->steps, bst__hash3(from, event, to), same_step,
                           &wanted);
}

/* Places. */

/* The place of the key "/<list>/<name>". */
static bst_loc member_where(const bst_machine *machine, const char *list, const char *name) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst_json_pointer_add(&pointer, list);
    bst_json_pointer_add(&pointer, name);
    const bst_loc where = bst_json_source_key(machine->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

void bst__node_pointer(const bst_machine *machine, uint32_t node, bst_strbuf *pointer) {
    uint32_t chain[BST_NESTING_MAX + 1];
    uint32_t count = 0;
    for (; node != 0; node = machine->nodes[node].parent) {
        chain[count++] = node;
    }
    while (count > 0) {
        bst_json_pointer_add(pointer, "states");
        bst_json_pointer_add(pointer, machine->nodes[chain[--count]].name);
    }
}

uint32_t bst__origin(const bst_machine *machine, uint32_t transition) {
    const bst__machine *m = bst__machine_of(machine);
    return m->origin ? m->origin[transition] : transition;
}

/* The key under which it is written: "/states/a/on/go", "/states/a/always". */
static void add_key(const bst_machine *machine, const bst__written *w, bst_strbuf *pointer) {
    static const char *const lists[] = {[BST__CREATION] = "creates",
                                        [BST__ON] = "on",
                                        [BST__AFTER] = "after",
                                        [BST__ALWAYS] = "always",
                                        [BST__DONE] = "onDone"};
    bst__node_pointer(machine, w->node, pointer);
    bst_json_pointer_add(pointer, lists[w->form]);
    if (w->key) {
        bst_json_pointer_add(pointer, w->key);
    }
}

/* "/states/a/on/go" and, of several, "/states/a/on/go/2"; "/creates/2"; "/initial" for the
 * creation that nobody wrote. */
void bst__written_pointer(const bst_machine *machine, uint32_t written, bst_strbuf *pointer) {
    const bst__written *w = &bst__machine_of(machine)->written[written];
    if (w->form == BST__CREATION) {
        bst_json_pointer_add(pointer, w->listed ? "creates" : "initial");
    } else {
        add_key(machine, w, pointer);
    }
    if (w->listed) {
        bst_json_pointer_add_index(pointer, w->place);
    }
}

bst_loc bst__written_where(const bst_machine *machine, uint32_t written) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__written_pointer(machine, written, &pointer);
    const bst_loc where = bst_json_source_value(machine->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

bst_loc bst_machine_transition_where(const bst_machine *machine, uint32_t transition) {
    return bst__written_where(machine, bst__origin(machine, transition));
}

/* The place of the command's key: where a derived event name comes from. */
static bst_loc written_command_where(const bst_machine *machine, uint32_t written) {
    const bst__written *w = &bst__machine_of(machine)->written[written];
    if (w->form == BST__CREATION) {
        return bst__written_where(machine, written);
    }
    bst_strbuf pointer = BST_STRBUF_INIT;
    add_key(machine, w, &pointer);
    const bst_loc where = bst_json_source_key(machine->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

bst_loc bst_machine_node_where(const bst_machine *machine, uint32_t node) {
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__node_pointer(machine, node, &pointer);
    const bst_loc where = node == 0 ? bst_json_source_value(machine->source, pointer.text)
                                    : bst_json_source_key(machine->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

bst_loc bst_machine_state_where(const bst_machine *machine, uint32_t state) {
    return bst_machine_node_where(machine, machine->states[state].nodes[0]);
}

bst_loc bst_machine_event_where(const bst_machine *machine, uint32_t event) {
    const uint32_t user = bst__machine_of(machine)->event_user[event];
    if (machine->events[event].derived && user != BST_NONE) {
        return written_command_where(machine, user);
    }
    return member_where(machine, "events", machine->events[event].name);
}

bst_loc bst__command_where(const bst_machine *machine, uint32_t command) {
    const char *name = machine->commands[command].name;
    const uint32_t user = bst__machine_of(machine)->command_user[command];
    const json_t *listed = json_object_get(bst_json_source_root(machine->source), "commands");
    if (user != BST_NONE && !json_object_get(listed, name)) {
        return written_command_where(machine, user);
    }
    return member_where(machine, "commands", name);
}

bst_loc bst_machine_field_where(const bst_machine *machine, uint32_t field) {
    return member_where(machine, "fields", machine->fields[field].name);
}

bst_loc bst__written_guard_where(const bst_machine *machine, uint32_t guard) {
    const bst__machine *m = bst__machine_of(machine);
    if (m->written_guards[guard].name) {
        return member_where(machine, "guards", m->written_guards[guard].name);
    }
    bst_strbuf pointer = BST_STRBUF_INIT;
    bst__written_pointer(machine, m->guard_user[guard], &pointer);
    bst_json_pointer_add(&pointer, "guard");
    const bst_loc where = bst_json_source_value(machine->source, pointer.text);
    bst_strbuf_release(&pointer);
    return where;
}

bst_loc bst_machine_guard_where(const bst_machine *machine, uint32_t guard) {
    const bst__machine *m = bst__machine_of(machine);
    return bst__written_guard_where(machine, m->guard_origin ? m->guard_origin[guard] : guard);
}
