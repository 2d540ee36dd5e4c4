/* Payloads: what a command carries and how the events that it emits take their fields from it.
 *
 * A command carries what "commands" says, else the union of its events' payloads: a field is
 * required when every event of the command requires it. Nearly always a command has one event;
 * then both share one array, and nothing is copied.
 */
#include "load_private.h"

/* Pairs. */

typedef struct wanted_pair {
    const bst__emission *emissions;
    uint32_t command, event;
} wanted_pair;

static bool same_pair(const void *wanted, uint32_t number) {
    const wanted_pair *w = wanted;
    const bst__emission *e = &w->emissions[number];
    return e->command == w->command && e->event == w->event;
}

static bool add_emission(bst__load *l, uint32_t hash, const bst_transition *t) {
    const uint32_t number = l->emission_count;
    if (number == l->emission_room) {
        const uint32_t room = bst__next_room(l->emission_room);
        l->emissions = bst__longer(l, l->emissions, sizeof *l->emissions, number, room);
        if (!l->emissions) {
            return false;
        }
        l->emission_room = room;
    }
    l->emission_count++;
    l->emissions[number] = (bst__emission){t->command, t->event, BST_NONE, NULL};
    bst__command_note *note = &l->command_notes[t->command];
    if (note->first_emission == BST_NONE) {
        note->first_emission = number;
    } else {
        l->emissions[note->last_emission].next = number;
    }
    note->last_emission = number;
    note->emission_count++;
    note->poisoned = note->poisoned || l->event_notes[t->event].poisoned;
    return bst__index_add(&l->emission_index, l->arena, hash, number) || bst__nomem(l);
}

static bool find_emissions(bst__load *l) {
    for (uint32_t i = 0; i < l->written_count; i++) {
        const bst_transition *t = &l->transitions[i];
        l->transition_notes[i].emission = BST_NONE;
        if (t->command == BST_NONE) {
            continue;
        }
        if (t->event == BST_NONE) { /* a mistake: what this command carries is not known */
            l->command_notes[t->command].poisoned = true;
            continue;
        }
        const wanted_pair wanted = {l->emissions, t->command, t->event};
        const uint32_t hash = bst__hash3(t->command, t->event, 0);
        uint32_t number = bst__index_find(&l->emission_index, hash, same_pair, &wanted);
        if (number == BST_NONE) {
            number = l->emission_count;
            if (!add_emission(l, hash, t)) {
                return false;
            }
        }
        l->transition_notes[i].emission = number;
    }
    return true;
}

/* Merging. */

static bool take_total(bst__load *l, uint32_t more) {
    if (more > BST_PAYLOADS_MAX - l->payload_total) {
        return bst__limit(l, NULL, "payload fields that have to be merged", BST_PAYLOADS_MAX);
    }
    l->payload_total += more;
    return true;
}

bst_loc bst__payload_field_where(const bst__load *l, uint32_t event, const char *field) {
    const uint32_t command = l->event_notes[event].fields_of;
    const bst__path list = {NULL, command == BST_NONE ? "events" : "commands", 0};
    const bst__path member = {
        &list, command == BST_NONE ? l->events[event].name : l->commands[command].name, 0};
    const bst__path fields = {&member, "fields", 0};
    const bst__path here = {&fields, field, 0};
    return bst__value_at(l, &here);
}

bool bst__types_agree(const bst_type *a, const bst_type *b) {
    bst_type left = *a;
    bst_type right = *b;
    left.optional = false;
    right.optional = false;
    return left.kind == BST_KIND_COUNT || right.kind == BST_KIND_COUNT ||
           bst_type_equal(&left, &right);
}

static void report_union_clash(bst__load *l, uint32_t command, uint32_t event,
                               const bst_field *field, uint32_t other_event,
                               const bst_field *other) {
    bst_strbuf type = BST_STRBUF_INIT;
    bst_strbuf other_type = BST_STRBUF_INIT;
    bst_type_format(&field->type, &type);
    bst_type_format(&other->type, &other_type);
    const bst_loc where = bst__payload_field_where(l, event, field->name);
    const bst_loc there = bst__payload_field_where(l, other_event, field->name);
    bst__error(
        l, &where, "payload-clash",
        "field \"%s\" of command \"%s\" would be %s for event \"%s\" and %s for event \"%s\"",
        field->name, l->commands[command].name, type.text, l->events[event].name, other_type.text,
        l->events[other_event].name);
    bst_diag_hint(l->diags, "Give both events the same type, or name the fields apart.");
    bst_diag_also(l->diags, &there, "the other type is here");
    bst_strbuf_release(&type);
    bst_strbuf_release(&other_type);
}

typedef struct merged {
    bst_field *fields;
    uint32_t *event; /* by field: the first event that has it */
    uint32_t *seen;  /* by field: how many events have it */
    uint32_t count;
    bst__index index;
} merged;

static bool merge_field(bst__load *l, uint32_t command, uint32_t event, const bst_field *field,
                        merged *into) {
    const bst__names names = {into->fields, sizeof *into->fields};
    const uint32_t number = bst__name_find(&into->index, l->m->seed, &names, field->name);
    if (number == BST_NONE) {
        into->fields[into->count] = *field;
        into->event[into->count] = event;
        into->seen[into->count] = 1;
        return bst__index_add(&into->index, l->arena, bst__name_hash(l->m->seed, field->name),
                              into->count++) ||
               bst__nomem(l);
    }
    bst_field *known = &into->fields[number];
    if (!bst__types_agree(&known->type, &field->type)) {
        report_union_clash(l, command, event, field, into->event[number], known);
        known->type.kind = BST_KIND_COUNT;
    }
    known->type.optional = known->type.optional || field->type.optional;
    into->seen[number]++;
    return true;
}

/* The union of the payloads of a command's events, which are several. */
static bool merge_payloads(bst__load *l, uint32_t command, bst__index *ret_index) {
    const bst__command_note *note = &l->command_notes[command];
    uint32_t total = 0;
    for (uint32_t e = note->first_emission; e != BST_NONE; e = l->emissions[e].next) {
        const uint32_t more = l->events[l->emissions[e].event].field_count;
        if (!take_total(l, more)) {
            return false;
        }
        total += more;
    }
    merged into = {.fields = bst_arena_array(l->arena, total, sizeof *into.fields),
                   .event = bst_arena_array(l->arena, total, sizeof *into.event),
                   .seen = bst_arena_array(l->arena, total, sizeof *into.seen)};
    if (!into.fields || !into.event || !into.seen) {
        return bst__nomem(l);
    }
    for (uint32_t e = note->first_emission; e != BST_NONE; e = l->emissions[e].next) {
        const uint32_t event = l->emissions[e].event;
        for (uint32_t i = 0; i < l->events[event].field_count; i++) {
            if (!merge_field(l, command, event, &l->events[event].fields[i], &into)) {
                return false;
            }
        }
    }
    if (into.count > BST_FIELDS_MAX) {
        return bst__limit(l, NULL, "fields of one command", BST_FIELDS_MAX);
    }
    for (uint32_t i = 0; i < into.count; i++) {
        into.fields[i].type.optional =
            into.fields[i].type.optional || into.seen[i] < note->emission_count;
    }
    l->commands[command].fields = into.fields;
    l->commands[command].field_count = into.count;
    *ret_index = into.index;
    return true;
}

/* From command to event. */

static void report_missing(bst__load *l, uint32_t command, uint32_t event, const bst_field *field) {
    const bst__path list = {NULL, "commands", 0};
    const bst__path member = {&list, l->commands[command].name, 0};
    const bst__path fields = {&member, "fields", 0};
    const bst_loc where = bst__key_at(l, &fields);
    const bst_loc there = bst__payload_field_where(l, event, field->name);
    bst__error(l, &where, "missing-payload",
               "command \"%s\" lacks field \"%s\", which event \"%s\" requires",
               l->commands[command].name, field->name, l->events[event].name);
    bst_diag_hint(l->diags, "Add the field to the command, or make it optional in the event.");
    bst_diag_also(l->diags, &there, "required here");
}

static void report_listed_clash(bst__load *l, uint32_t command, const bst_field *have,
                                uint32_t event, const bst_field *want) {
    bst_strbuf type = BST_STRBUF_INIT;
    bst_strbuf wanted = BST_STRBUF_INIT;
    bst_type_format(&have->type, &type);
    bst_type_format(&want->type, &wanted);
    const bst__path list = {NULL, "commands", 0};
    const bst__path member = {&list, l->commands[command].name, 0};
    const bst__path fields = {&member, "fields", 0};
    const bst__path here = {&fields, have->name, 0};
    const bst_loc where = bst__value_at(l, &here);
    const bst_loc there = bst__payload_field_where(l, event, want->name);
    bst__error(l, &where, "payload-clash",
               "field \"%s\" of command \"%s\" is %s, event \"%s\" has %s", have->name,
               l->commands[command].name, type.text, l->events[event].name, wanted.text);
    bst_diag_hint(l->diags, "Give both the same type.");
    bst_diag_also(l->diags, &there, "the other type is here");
    bst_strbuf_release(&type);
    bst_strbuf_release(&wanted);
}

static bool fill_payload_from(bst__load *l, bst__emission *emission, const bst__index *index) {
    const bst_event_type *event = &l->events[emission->event];
    const bst_command *command = &l->commands[emission->command];
    const bst__names names = {command->fields, sizeof *command->fields};
    if (!take_total(l, event->field_count)) {
        return false;
    }
    uint32_t *from = bst_arena_array(l->arena, event->field_count, sizeof *from);
    if (!from) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < event->field_count; i++) {
        const bst_field *field = &event->fields[i];
        from[i] = bst__name_find(index, l->m->seed, &names, field->name);
        if (from[i] == BST_NONE && !field->type.optional) {
            report_missing(l, emission->command, emission->event, field);
        } else if (from[i] != BST_NONE && l->command_notes[emission->command].has_fields &&
                   !bst__types_agree(&command->fields[from[i]].type, &field->type)) {
            report_listed_clash(l, emission->command, &command->fields[from[i]], emission->event,
                                field);
        }
    }
    emission->payload_from = from;
    return true;
}

static bool index_fields(bst__load *l, const bst_command *command, bst__index *ret_index) {
    for (uint32_t i = 0; i < command->field_count; i++) {
        const uint32_t hash = bst__name_hash(l->m->seed, command->fields[i].name);
        if (!bst__index_add(ret_index, l->arena, hash, i)) {
            return bst__nomem(l);
        }
    }
    return true;
}

static bool load_payload(bst__load *l, uint32_t number, const uint32_t *identity) {
    bst_command *command = &l->commands[number];
    const bst__command_note *note = &l->command_notes[number];
    bst__index index = {0};
    if (note->poisoned || note->first_emission == BST_NONE) {
        return true;
    }
    if (note->has_fields) {
        if (!index_fields(l, command, &index)) {
            return false;
        }
    } else if (note->emission_count == 1) {
        const bst_event_type *event = &l->events[l->emissions[note->first_emission].event];
        command->fields = event->fields;
        command->field_count = event->field_count;
    } else if (!merge_payloads(l, number, &index)) {
        return false;
    }
    for (uint32_t e = note->first_emission; e != BST_NONE; e = l->emissions[e].next) {
        if (l->events[l->emissions[e].event].fields == command->fields) {
            l->emissions[e].payload_from = identity;
        } else if (!fill_payload_from(l, &l->emissions[e], &index)) {
            return false;
        }
    }
    return true;
}

bool bst__load_payloads(bst__load *l) {
    const bst_machine *table = &l->m->table;
    uint32_t *identity;
    for (uint32_t i = 0; i < table->event_count; i++) {
        const uint32_t count = table->events[i].field_count;
        l->m->payload_max = count > l->m->payload_max ? count : l->m->payload_max;
    }
    identity = bst_arena_array(l->arena, l->m->payload_max, sizeof *identity);
    if (!identity) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < l->m->payload_max; i++) {
        identity[i] = i;
    }
    if (!find_emissions(l)) {
        return false;
    }
    for (uint32_t i = 0; i < table->command_count; i++) {
        if (!load_payload(l, i, identity)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < l->written_count; i++) {
        const uint32_t emission = l->transition_notes[i].emission;
        if (emission != BST_NONE) {
            l->transitions[i].payload_from = l->emissions[emission].payload_from;
        }
    }
    return true;
}
