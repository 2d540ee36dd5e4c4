/* Which entities there can be: a breadth-first search over concrete ones, so that guards are asked
 * with values that really come about. A state is kept with a few different entities only; that is
 * enough to fill and to empty an account, and never many.
 */
#include <string.h>

#include "backstory/timestamp.h"
#include "backstory/witness.h"
#include "emit_paths_private.h"

#define KEPT_MIN   6      /* entities of one state */
#define KEPT_MAX   64     /* of a machine with few states */
#define KEPT_ALL   20000u /* of all states */
#define LIVES_MAX  300000u
#define VARIANTS   8 /* payloads of a transition, where fields have few values */
#define BUDGET     3000000u
#define BUDGET_ONE 2000u /* evaluations for one payload */

/* ---- payloads ---- */

static bst_value usual_value(const bst_field *field, bst_arena *arena) {
    bst_value value = {.present = true};
    int64_t one = 1;
    switch (field->type.kind) {
    case BST_KIND_DECIMAL:
        for (int i = 0; i < field->type.scale; i++) {
            one *= 10;
        }
        value.u.i = field->type.precision - field->type.scale >= 2 ? 10 * one : one / 10 + 1;
        break;
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
    case BST_KIND_BOOL:
        value.u.i = 1;
        break;
    case BST_KIND_TIMESTAMPTZ:
        value.u.i = INT64_C(762523200000000); /* 2024-02-29T12:00:00Z */
        break;
    case BST_KIND_DATE:
        value.u.i = 8825; /* 2024-02-29 */
        break;
    case BST_KIND_JSON:
        value.u.text = "{}";
        value.len = 2;
        break;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
    case BST_KIND_BYTEA:
        value.u.text =
            strcmp(field->name, "currency") == 0 ? "EUR" : bst_arena_strdup(arena, field->name);
        value.len = value.u.text ? (uint32_t)strlen(value.u.text) : 0;
        if (field->type.length > 0 && value.len > field->type.length) {
            value.len = field->type.length;
        }
        break;
    default: /* the first member; the uuid of zeros */
        break;
    }
    return value;
}

/* Another value of a type that has few of them, as guards may ask for it later. */
static void vary(const bst_type *type, uint32_t variant, bst_value *value) {
    if (type->optional && variant % 2 == 1) {
        *value = BST_ABSENT;
    } else if (type->kind == BST_KIND_ENUM) {
        value->u.i = variant % type->member_count;
    } else if (type->kind == BST_KIND_BOOL) {
        value->u.i = variant / 2 % 2 == 0;
    }
}

/* How many are worth trying: more than one only where they differ. */
static uint32_t variants_of(const bst_command *command) {
    uint32_t count = 1;
    for (uint32_t i = 0; i < command->field_count; i++) {
        const bst_type *type = &command->fields[i].type;
        const uint32_t own = type->kind == BST_KIND_ENUM   ? type->member_count
                             : type->kind == BST_KIND_BOOL ? 4
                             : type->optional              ? 2
                                                           : 1;
        count = own > count ? own : count;
    }
    return count < VARIANTS ? count : VARIANTS;
}

static bst_value *make_payload(const bst_command *command, uint32_t variant, bst_arena *arena) {
    bst_value *payload = bst_arena_array(arena, command->field_count, sizeof *payload);
    for (uint32_t i = 0; payload && i < command->field_count; i++) {
        payload[i] = usual_value(&command->fields[i], arena);
        vary(&command->fields[i].type, variant, &payload[i]);
    }
    return payload;
}

const bst_value *bst__usual_payload(const bst_command *command, bst_arena *arena) {
    return make_payload(command, 0, arena);
}

/* With a payload like that, as far as guards allow. */
static const bst_value *step(bst__lives *lives, const bst_entity *entity, uint32_t command,
                             uint32_t transition, uint32_t variant, bst_event *ret_event,
                             bst_entity *ret_after) {
    const bst_machine *machine = lives->machine;
    uint32_t budget = lives->budget < BUDGET_ONE ? lives->budget : BUDGET_ONE;
    const uint32_t given = budget;
    bst_value *payload = make_payload(&machine->commands[command], variant, lives->arena);
    const bool found = payload && bst_payload_for(machine, entity, command, transition, payload,
                                                  lives->arena, &budget);
    lives->budget -= given - budget;
    if (!found) {
        return NULL;
    }
    const bst_decision d = bst_decide(machine, entity, command, payload, ret_event);
    if (transition == BST_NONE) {
        return d.verdict == BST_GUARD_REFUSED ? payload : NULL;
    }
    if (d.verdict != BST_ACCEPTED || d.transition != transition) {
        return NULL;
    }
    ret_after->state = entity->state;
    if (machine->field_count > 0) {
        memcpy(ret_after->fields, entity->fields, machine->field_count * sizeof *entity->fields);
    }
    return bst_apply(machine, ret_after, ret_event) == BST_APPLY_OK ? payload : NULL;
}

const bst_value *bst__lives_step(bst__lives *lives, const bst_entity *entity, uint32_t command,
                                 uint32_t transition, bst_event *ret_event, bst_entity *ret_after) {
    return step(lives, entity, command, transition, 0, ret_event, ret_after);
}

/* ---- lives ---- */

static bool add_life(bst__lives *lives, const bst__life *life) {
    if (lives->count == lives->room) {
        const uint32_t room = lives->room > 0 ? 2 * lives->room : 64;
        bst__life *longer = bst_arena_array(lives->arena, room, sizeof *longer);
        if (!longer) {
            return false;
        }
        if (lives->count > 0) {
            memcpy(longer, lives->list, lives->count * sizeof *longer);
        }
        lives->list = longer;
        lives->room = room;
    }
    bst__life *added = &lives->list[lives->count];
    *added = *life;
    const uint32_t count = lives->machine->field_count;
    added->entity.fields = bst_arena_array(lives->arena, count, sizeof *added->entity.fields);
    if (!added->entity.fields) {
        return false;
    }
    if (count > 0) {
        memcpy(added->entity.fields, life->entity.fields, count * sizeof *life->entity.fields);
    }
    if (life->entity.state != BST_NONE) {
        added->next = lives->first_in[life->entity.state];
        lives->first_in[life->entity.state] = lives->count;
        lives->kept[life->entity.state]++;
    }
    lives->count++;
    return true;
}

static bool is_known(const bst__lives *lives, const bst_entity *entity) {
    const bst_machine *machine = lives->machine;
    for (uint32_t i = lives->first_in[entity->state]; i != BST_NONE; i = lives->list[i].next) {
        bool same = true;
        for (uint32_t f = 0; same && f < machine->field_count; f++) {
            const bst_value *a = &entity->fields[f];
            const bst_value *b = &lives->list[i].entity.fields[f];
            same = a->present == b->present &&
                   (!a->present || bst_value_equal(&machine->fields[f].type, a, b));
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* One transition from one life. False: out of memory. */
static bool try_transition(bst__lives *lives, uint32_t from, uint32_t transition,
                           uint32_t variant) {
    bst_value event_fields[BST_FIELDS_MAX];
    bst_value fields[BST_FIELDS_MAX];
    bst_event event = {.fields = event_fields};
    bst__life child = {.parent = from, .transition = transition, .entity = {.fields = fields}};
    const bst_transition *t = &lives->machine->transitions[transition];
    const bool first = lives->taken_to[transition] == BST_NONE;
    if (!first && lives->kept[t->to] >= lives->kept_max) {
        return true;
    }
    child.payload = step(lives, &lives->list[from].entity, t->command, transition, variant, &event,
                         &child.entity);
    if (!child.payload || (!first && is_known(lives, &child.entity))) {
        return true;
    }
    if (first) {
        lives->taken_to[transition] = lives->count;
    }
    return add_life(lives, &child);
}

bool bst__all_guarded(const bst_machine *machine, uint32_t transition, uint32_t *ret_first) {
    const bst_transition *t = &machine->transitions[transition];
    const uint32_t count = bst_machine_candidates(machine, t->from, t->command, ret_first);
    return machine->transitions[*ret_first + count - 1].guard != BST_NONE;
}

static void try_refusal(bst__lives *lives, uint32_t life, uint32_t transition) {
    uint32_t first;
    bst_value fields[BST_FIELDS_MAX];
    bst_event event = {.fields = fields};
    if (!bst__all_guarded(lives->machine, transition, &first) ||
        lives->refusals[first].life != BST_NONE) {
        return;
    }
    const uint32_t command = lives->machine->transitions[transition].command;
    const bst_value *payload =
        bst__lives_step(lives, &lives->list[life].entity, command, BST_NONE, &event, NULL);
    if (payload) {
        lives->refusals[first] = (bst__refusal){life, command, payload};
    }
}

static bool expand(bst__lives *lives, uint32_t life) {
    const bst_machine *machine = lives->machine;
    const uint32_t state = lives->list[life].entity.state;
    const uint32_t first = state == BST_NONE ? 0 : machine->states[state].first_transition;
    const uint32_t count =
        state == BST_NONE ? machine->creation_count : machine->states[state].transition_count;
    for (uint32_t t = first; t < first + count; t++) {
        const bst_command *command = &machine->commands[machine->transitions[t].command];
        for (uint32_t v = 0; v < variants_of(command); v++) {
            if (!try_transition(lives, life, t, v)) {
                return false;
            }
        }
        try_refusal(lives, life, t);
    }
    return true;
}

static bool fill(uint32_t *list, size_t count) {
    for (size_t i = 0; list && i < count; i++) {
        list[i] = BST_NONE;
    }
    return list != NULL;
}

bst__lives *bst__lives_explore(const bst_machine *machine, bst_arena *arena) {
    bst__lives *lives = bst_arena_alloc(arena, sizeof *lives);
    bst_value fields[BST_FIELDS_MAX];
    bst__life nothing = {.parent = BST_NONE, .transition = BST_NONE, .entity.fields = fields};
    if (!lives) {
        return NULL;
    }
    *lives = (bst__lives){.machine = machine, .arena = arena, .budget = BUDGET};
    lives->first_in = bst_arena_array(arena, machine->state_count, sizeof *lives->first_in);
    lives->kept = bst_arena_array(arena, machine->state_count, sizeof *lives->kept);
    lives->taken_to = bst_arena_array(arena, machine->transition_count, sizeof *lives->taken_to);
    lives->refusals = bst_arena_array(arena, machine->transition_count, sizeof *lives->refusals);
    const uint32_t share = KEPT_ALL / machine->state_count;
    lives->kept_max = share < KEPT_MIN ? KEPT_MIN : share > KEPT_MAX ? KEPT_MAX : share;
    bst_entity_clear(machine, &nothing.entity);
    if (!fill(lives->first_in, machine->state_count) || !lives->kept ||
        !fill(lives->taken_to, machine->transition_count) || !lives->refusals ||
        !add_life(lives, &nothing)) {
        return NULL;
    }
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        lives->refusals[t].life = BST_NONE;
    }
    for (uint32_t i = 0; i < lives->count && i < LIVES_MAX && lives->budget > 0; i++) {
        if (!expand(lives, i)) {
            return NULL;
        }
    }
    return lives;
}
