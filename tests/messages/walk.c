/* Random messages of a machine, with extreme values of every type, for what reads generated schemas
 * and types:
 *
 *     walk MACHINE events COUNT      lines of legal histories, as JSON Lines has them
 *     walk MACHINE commands COUNT    commands, legal or not
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/reader.h"
#include "backstory/step.h"
#include "random_value.h"

#define LIFE 40 /* commands an entity hears */

typedef struct walk {
    const bst_machine *machine;
    uint64_t random;
    bst_entity entity;
    bst_value *payload;
    bst_event event;
    bst_strbuf line, old;
} walk;

static uint32_t below(walk *w, uint32_t bound) {
    return (uint32_t)(random_next(&w->random) % bound);
}

/* JSON's null is no value of a required field. */
static bst_value value_of(walk *w, const bst_type *type) {
    bst_value value = random_value(&w->random, type);
    if (type->kind == BST_KIND_JSON && value.present && value.len == 4 &&
        memcmp(value.u.text, "null", 4) == 0) {
        value.u.text = "true";
    }
    return value;
}

static void make_payload(walk *w, uint32_t command) {
    const bst_command *type = &w->machine->commands[command];
    for (uint32_t i = 0; i < type->field_count; i++) {
        w->payload[i] = value_of(w, &type->fields[i].type);
    }
}

static uint32_t choose_command(walk *w) {
    const bst_machine *m = w->machine;
    const uint32_t state = w->entity.state;
    const uint32_t first = state == BST_NONE ? 0 : m->states[state].first_transition;
    const uint32_t count =
        state == BST_NONE ? m->creation_count : m->states[state].transition_count;
    return count == 0 ? below(w, m->command_count)
                      : m->transitions[first + below(w, count)].command;
}

static void add_payload(walk *w, const bst_field *fields, uint32_t count, const bst_value *values) {
    const char *between = "";
    bst_strbuf_addc(&w->line, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].present) {
            bst_strbuf_addf(&w->line, "%s\"%s\":", between, fields[i].name);
            bst_value_to_json(&fields[i].type, &values[i], &w->line);
            between = ",";
        }
    }
    bst_strbuf_addc(&w->line, '}');
}

static void print_command(walk *w, uint32_t command) {
    const bst_command *type = &w->machine->commands[command];
    bst_strbuf_clear(&w->line);
    bst_strbuf_addf(&w->line, "{\"type\":\"%s\",\"entity\":\"7\",\"data\":", type->name);
    add_payload(w, type->fields, type->field_count, w->payload);
    printf("%s}\n", w->line.text);
}

/* As an event of an older version was stored, in `w->old`. */
static void make_older(walk *w, const bst_upcast *old, bst_stored_event *stored) {
    for (uint32_t i = 0; i < old->field_count; i++) {
        w->payload[i] = value_of(w, &old->fields[i].type);
    }
    bst_strbuf_clear(&w->line);
    add_payload(w, old->fields, old->field_count, w->payload);
    bst_strbuf_clear(&w->old);
    bst_strbuf_add(&w->old, w->line.text, w->line.len);
    stored->data = w->old.text;
    stored->data_len = w->old.len;
    stored->type_version = old->version;
}

static void print_event(walk *w, const char *key, int64_t version, uint32_t command) {
    static const char *const sources[] = {NULL, "table.column", "a \"quoted\" source"};
    static const double confidences[] = {1, 0.5, 0.954369, 1e-9};
    bst_stored_event stored = {.key = key,
                               .key_len = strlen(key),
                               .version = version,
                               .type = w->event.type,
                               .state = w->event.state,
                               .command = below(w, 5) == 0 ? BST_NONE : command,
                               .occurred_at = random_between(&w->random, 0, 800000000000000),
                               .interval = below(w, 3) == 0,
                               .after = BST_TIME_MINUS_INFINITY,
                               .before = below(w, 2) == 0 ? BST_TIME_INFINITY : 800000000000001,
                               .has_recorded_at = below(w, 2) == 0,
                               .recorded_at = 800000000000000,
                               .basis = (bst_basis)below(w, BST_BASIS_COUNT),
                               .confidence = confidences[below(w, 4)],
                               .source = sources[below(w, 3)],
                               .fields = w->event.fields};
    const bst_event_type *type = &w->machine->events[w->event.type];
    if (type->upcast_count > 0 && below(w, 2) == 0) {
        make_older(w, &type->upcasts[below(w, type->upcast_count)], &stored);
    }
    bst_strbuf_clear(&w->line);
    bst_event_line(w->machine, &stored, &w->line);
    fputs(w->line.text, stdout);
}

/* A command of the life, or now and then what only a migration writes. */
static bool take_step(walk *w, uint32_t *ret_command) {
    const bst_machine *m = w->machine;
    const bst_builtin builtin =
        w->entity.state == BST_NONE ? BST_BUILTIN_GENESIS : BST_BUILTIN_RECONCILE;
    const uint32_t event = bst_machine_builtin(m, builtin);
    if (event != BST_NONE && below(w, 6) == 0) {
        w->event.type = event;
        w->event.state = w->entity.state == BST_NONE ? below(w, m->state_count) : w->entity.state;
        for (uint32_t i = 0; i < m->events[event].field_count; i++) {
            w->event.fields[i] = value_of(w, &m->events[event].fields[i].type);
        }
        *ret_command = BST_NONE;
    } else {
        *ret_command = choose_command(w);
        make_payload(w, *ret_command);
        if (bst_decide(m, &w->entity, *ret_command, w->payload, &w->event).verdict !=
            BST_ACCEPTED) {
            return false;
        }
    }
    return bst_apply(m, &w->entity, &w->event) == BST_APPLY_OK;
}

static void print_lives(walk *w, long count) {
    for (long entity = 1; count > 0; entity++) {
        char key[24];
        int64_t version = 0;
        snprintf(key, sizeof key, "%ld", entity);
        bst_entity_clear(w->machine, &w->entity);
        for (int i = 0; i < LIFE && count > 0; i++) {
            uint32_t command;
            if (take_step(w, &command)) {
                print_event(w, key, ++version, command);
                count--;
            }
        }
    }
}

int main(int argc, char **argv) {
    bst_machine *machine = NULL;
    if (argc != 4 || bst_machine_load(argv[1], &machine, NULL) != BST_OK) {
        fputs("usage: walk MACHINE events|commands COUNT\n", stderr);
        return 2;
    }
    bst_value fields[BST_FIELDS_MAX];
    bst_value payload[BST_FIELDS_MAX];
    bst_value event[BST_FIELDS_MAX];
    const long count = strtol(argv[3], NULL, 10);
    walk w = {.machine = machine,
              .random = 20261129,
              .entity = {.fields = fields},
              .payload = payload,
              .event = {.fields = event},
              .line = BST_STRBUF_INIT,
              .old = BST_STRBUF_INIT};
    if (strcmp(argv[2], "events") == 0) {
        print_lives(&w, count);
    } else {
        for (long i = 0; i < count; i++) {
            const uint32_t command = below(&w, machine->command_count);
            make_payload(&w, command);
            print_command(&w, command);
        }
    }
    bst_strbuf_release(&w.line);
    bst_strbuf_release(&w.old);
    bst_machine_free(machine);
    return 0;
}
