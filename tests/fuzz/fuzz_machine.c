/* Fuzz target: any bytes as a machine file. A file that is refused must say why; one that loads
 * is checked, its tables must be sound, and every step that decide accepts must be one that
 * apply takes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/check.h"
#include "backstory/regions.h"
#include "backstory/step.h"
#include "backstory/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static bst_value *values(uint32_t count) {
    bst_value *list = calloc(count + 1, sizeof *list);
    require(list != NULL);
    return list;
}

/* Something present for each required field: number 0, empty text. */
static void fill(const bst_field *fields, uint32_t count, bst_value *list) {
    for (uint32_t i = 0; i < count; i++) {
        list[i] = (bst_value){.present = !fields[i].type.optional, .u.i = 0};
        if (fields[i].type.kind == BST_KIND_JSON) {
            list[i].len = 4;
            list[i].u.text = "null";
        } else if (fields[i].type.kind == BST_KIND_TEXT || fields[i].type.kind == BST_KIND_CHAR ||
                   fields[i].type.kind == BST_KIND_VARCHAR ||
                   fields[i].type.kind == BST_KIND_BYTEA) {
            list[i].u.text = "";
        }
    }
}

static void sound(const bst_machine *m) {
    require(m->initial < m->state_count && m->creation_count > 0);
    for (uint32_t i = 0; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        require((t->from == BST_NONE) == (i < m->creation_count));
        require(t->from == BST_NONE || t->from < m->state_count);
        require(t->to < m->state_count && t->event < m->event_count);
        require(t->command < m->command_count);
        require(t->guard == BST_NONE || t->guard < m->guard_count);
        for (uint32_t f = 0; f < m->events[t->event].field_count; f++) {
            const uint32_t from = t->payload_from[f];
            require(from == BST_NONE || from < m->commands[t->command].field_count);
            require(from != BST_NONE || m->events[t->event].fields[f].type.optional);
        }
        require(bst_machine_transition_where(m, i).line > 0);
    }
    for (uint32_t i = 0; i < m->guard_count; i++) {
        require(m->guards[i].expr != NULL);
        require(bst_machine_guard_where(m, i).line > 0);
    }
    for (uint32_t i = 0; i < m->state_count; i++) {
        require(bst_machine_state(m, m->states[i].name) == i);
    }
}

/* A short life: whatever is accepted, in the order of the commands. */
static void live(const bst_machine *m) {
    bst_entity entity = {BST_NONE, values(m->field_count)};
    bst_event event = {0, 0, values(bst_machine_payload_max(m))};
    bst_entity_clear(m, &entity);
    for (uint32_t step = 0; step < 20; step++) {
        for (uint32_t c = 0; c < m->command_count; c++) {
            bst_value *payload = values(m->commands[c].field_count);
            fill(m->commands[c].fields, m->commands[c].field_count, payload);
            if (bst_decide(m, &entity, c, payload, &event).verdict == BST_ACCEPTED) {
                require(bst_apply(m, &entity, &event) == BST_APPLY_OK);
            }
            free(payload);
        }
    }
    free(entity.fields);
    free(event.fields);
}

/* The same where regions keep tables of their own. */
static void live_apart(const bst_machine *m) {
    bst_region_entity entity = {{.state = BST_NONE}, values(m->field_count)};
    bst_region_event event = {.fields = values(bst_machine_payload_max(m))};
    bst_strbuf name = BST_STRBUF_INIT;
    for (uint32_t step = 0; step < 20; step++) {
        for (uint32_t c = 0; c < m->command_count; c++) {
            bst_value *payload = values(m->commands[c].field_count);
            bst_place found;
            fill(m->commands[c].fields, m->commands[c].field_count, payload);
            if (bst_regions_decide(m, &entity, c, payload, &event).verdict == BST_ACCEPTED) {
                require(bst_regions_apply(m, &entity, &event) == BST_APPLY_OK);
                bst_strbuf_clear(&name);
                bst_place_name(m, &entity.at, &name);
                require(bst_place_find(m, name.text, &found));
                require(bst_place_equal(m, &found, &entity.at));
            }
            free(payload);
        }
    }
    bst_strbuf_release(&name);
    free(entity.fields);
    free(event.fields);
}

static void split(const uint8_t *data, size_t size) {
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = NULL;
    const bst_status status =
        bst_regions_parse("fuzz.fsm.json", (const char *)data, size, 0, &machine, diags);
    require((status == BST_OK) == (machine != NULL));
    require((status == BST_OK) == (bst_diags_count_of(diags, BST_ERROR) == 0));
    if (machine) {
        require(bst_machine_check(machine, diags) == BST_OK);
    }
    if (machine && bst_machine_regions(machine)) {
        live_apart(machine);
    }
    bst_machine_free(machine);
    bst_diags_free(diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = NULL;
    const bst_status status =
        bst_machine_parse("fuzz.fsm.json", (const char *)data, size, &machine, diags);
    require((status == BST_OK) == (machine != NULL));
    require((status == BST_OK) == (bst_diags_count_of(diags, BST_ERROR) == 0));
    if (machine) {
        sound(machine);
        require(bst_machine_check(machine, diags) == BST_OK);
        live(machine);
    }
    bst_machine_free(machine);
    bst_diags_free(diags);
    split(data, size);
    return 0;
}
