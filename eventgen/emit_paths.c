/* Test paths: sequences of commands that lead an entity through every state and every transition,
 * and into every refusal, with what is to come of each. As JSON, for anybody's tests; docs/schema
 * has its schema.
 *
 * A path is the shortest way to a transition that no path has taken yet (emit_paths_explore.c knows
 * it), and goes on from there as long as there is another such transition, first to where life goes
 * on. On its way it tries in each state, once, what is refused there.
 */
#include <string.h>

#include "backstory/json_layout.h"
#include "emit_paths_private.h"
#include "emit_private.h"

#define STEPS_MAX 60 /* of a path that goes on; nobody reads longer ones */
/* Pairs of a state and a command that it does not know, all of which are tried; of more, one for
 * each state and one for each command. */
#define UNKNOWN_MAX 20000u

typedef struct writer {
    const bst_machine *machine;
    bst__lives *lives;
    bst_arena *arena;
    bst_strbuf text; /* of the path on its way */
    bst_strbuf name;
    bst_entity entity; /* where it stands */
    uint32_t steps;
    json_t *paths;
    bool *taken;   /* by transition: some path does */
    bool *refused; /* by first transition: some path tried what all its guards refuse */
    bool *visited; /* by state */
    bool *unknown; /* by command: some path tried it where it is not known */
    uint32_t transitions, refusals, unknowns; /* that are covered */
    bool all_unknown;
    bool failed; /* out of memory */
} writer;

/* ---- steps ---- */

static void add_values(bst_strbuf *out, const bst_field *fields, uint32_t count,
                       const bst_value *values) {
    const char *between = "";
    bst_strbuf_addc(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].present) {
            bst_strbuf_addf(out, "%s\"%s\":", between, fields[i].name);
            bst_value_to_json(&fields[i].type, &values[i], out);
            between = ",";
        }
    }
    bst_strbuf_addc(out, '}');
}

static void begin_step(writer *w, uint32_t command, const bst_value *payload) {
    const bst_command *type = &w->machine->commands[command];
    bst_strbuf_addf(&w->text, "%s{\"command\":\"%s\",\"data\":", w->steps++ > 0 ? "," : "",
                    type->name);
    add_values(&w->text, type->fields, type->field_count, payload);
    bst_strbuf_adds(&w->text, ",\"expect\":{");
}

static void add_refusal(writer *w, uint32_t command, const bst_value *payload) {
    bst_value fields[BST_FIELDS_MAX];
    bst_event event = {.fields = fields};
    const bst_decision d = bst_decide(w->machine, &w->entity, command, payload, &event);
    begin_step(w, command, payload);
    bst_strbuf_addf(&w->text, "\"refused\":\"%s\"", bst_verdict_text(d.verdict));
    if (d.guard != BST_NONE && w->machine->guards[d.guard].name) {
        bst_strbuf_addf(&w->text, ",\"guard\":\"%s\"", w->machine->guards[d.guard].name);
    }
    bst_strbuf_adds(&w->text, "}}");
}

/* Takes the transition; false when this entity cannot. */
static bool take(writer *w, uint32_t transition, const bst_value *payload) {
    const bst_machine *m = w->machine;
    const bst_transition *t = &m->transitions[transition];
    bst_value event_fields[BST_FIELDS_MAX];
    bst_value fields[BST_FIELDS_MAX];
    bst_event event = {.fields = event_fields};
    bst_entity after = {.fields = fields};
    if (!payload) {
        payload = bst__lives_step(w->lives, &w->entity, t->command, transition, &event, &after);
        if (!payload) {
            return false;
        }
    }
    const bst_decision d = bst_decide(m, &w->entity, t->command, payload, &event);
    if (d.transition != transition || bst_apply(m, &w->entity, &event) != BST_APPLY_OK) {
        return false;
    }
    begin_step(w, t->command, payload);
    bst_strbuf_addf(&w->text, "\"event\":\"%s\",\"data\":", m->events[event.type].name);
    add_values(&w->text, m->events[event.type].fields, m->events[event.type].field_count,
               event.fields);
    bst_strbuf_adds(&w->text, ",\"state\":");
    const char *state = m->states[event.state].name;
    bst_strbuf_add_json(&w->text, state, strlen(state));
    bst_strbuf_adds(&w->text, ",\"fields\":");
    add_values(&w->text, m->fields, m->field_count, w->entity.fields);
    bst_strbuf_adds(&w->text, "}}");
    bst_strbuf_addf(&w->name, "%s%s", w->name.len > 0 ? ", " : "", m->commands[t->command].name);
    w->transitions += !w->taken[transition];
    w->taken[transition] = true;
    return true;
}

/* ---- refusals ---- */

static void try_guards(writer *w, uint32_t first, uint32_t count) {
    bst_value fields[BST_FIELDS_MAX];
    bst_event event = {.fields = fields};
    for (uint32_t t = first; t < first + count; t++) {
        uint32_t group;
        if (!bst__all_guarded(w->machine, t, &group) || group != t || w->refused[t] ||
            w->lives->refusals[t].life == BST_NONE) {
            continue;
        }
        const uint32_t command = w->machine->transitions[t].command;
        const bst_value *payload =
            bst__lives_step(w->lives, &w->entity, command, BST_NONE, &event, NULL);
        if (payload) {
            add_refusal(w, command, payload);
            w->refused[t] = true;
            w->refusals++;
        }
    }
}

/* Commands that the state does not know at all. */
static void try_unknown(writer *w) {
    bool any = false;
    for (uint32_t c = 0; c < w->machine->command_count; c++) {
        uint32_t first;
        const bool wanted = w->all_unknown || !any || !w->unknown[c];
        if (!wanted || bst_machine_candidates(w->machine, w->entity.state, c, &first) > 0) {
            continue;
        }
        const bst_value *payload = bst__usual_payload(&w->machine->commands[c], w->arena);
        if (!payload) {
            w->failed = true;
            return;
        }
        add_refusal(w, c, payload);
        w->unknown[c] = true;
        w->unknowns++;
        any = true;
        if (!w->all_unknown && w->unknowns > UNKNOWN_MAX) {
            return;
        }
    }
}

/* What is refused where the path stands now. */
static void arrive(writer *w) {
    const bst_machine *m = w->machine;
    const uint32_t state = w->entity.state;
    const bool before = state == BST_NONE;
    const uint32_t place = before ? m->state_count : state;
    try_guards(w, before ? 0 : m->states[state].first_transition,
               before ? m->creation_count : m->states[state].transition_count);
    if (!w->visited[place]) {
        w->visited[place] = true;
        try_unknown(w);
    }
}

/* ---- paths ---- */

/* From nothing to the life, by the commands that made it. */
static void follow(writer *w, uint32_t life) {
    const bst__life *l = &w->lives->list[life];
    if (l->parent != BST_NONE) {
        follow(w, l->parent);
        w->failed = !take(w, l->transition, l->payload) || w->failed;
    }
    arrive(w);
}

/* A transition that no path has taken, out of the state; to where life goes on, if there is one. */
static bool go_on(writer *w) {
    const bst_machine *m = w->machine;
    const bst_state *state = &m->states[w->entity.state];
    for (int ends = 0; ends < 2; ends++) {
        for (uint32_t i = 0; i < state->transition_count; i++) {
            const uint32_t t = state->first_transition + i;
            const bool end = m->states[m->transitions[t].to].transition_count == 0;
            if (!w->taken[t] && w->lives->taken_to[t] != BST_NONE && end == (ends == 1) &&
                take(w, t, NULL)) {
                arrive(w);
                return true;
            }
        }
    }
    return false;
}

static void begin_path(writer *w) {
    bst_strbuf_clear(&w->text);
    bst_strbuf_clear(&w->name);
    bst_strbuf_addc(&w->text, '[');
    bst_entity_clear(w->machine, &w->entity);
    w->steps = 0;
}

static void end_path(writer *w) {
    bst_strbuf_addc(&w->text, ']');
    w->failed = w->failed || w->text.failed || w->name.failed;
    json_t *steps = w->failed ? NULL : json_loadb(w->text.text, w->text.len, 0, NULL);
    json_t *path = json_pack("{s: s, s: o}", "name", w->name.text, "steps", steps);
    w->failed = json_array_append_new(w->paths, path) != 0 || w->failed;
}

static void add_paths(writer *w) {
    const bst_machine *m = w->machine;
    for (uint32_t i = 1; i < w->lives->count && !w->failed; i++) {
        const uint32_t transition = w->lives->list[i].transition;
        if (w->taken[transition] || w->lives->taken_to[transition] != i) {
            continue;
        }
        begin_path(w);
        follow(w, i);
        while (!w->failed && w->steps < STEPS_MAX && go_on(w)) {
        }
        end_path(w);
    }
    for (uint32_t t = 0; t < m->transition_count && !w->failed; t++) {
        const bst__refusal *refusal = &w->lives->refusals[t];
        if (refusal->life != BST_NONE && !w->refused[t]) {
            begin_path(w);
            follow(w, refusal->life); /* tries it when it arrives */
            end_path(w);
        }
    }
}

/* ---- the document ---- */

/* What no path takes: nothing leads there, or no values were found. */
static json_t *uncovered(writer *w) {
    const bst_machine *m = w->machine;
    json_t *list = json_array();
    for (uint32_t t = 0; t < m->transition_count; t++) {
        if (w->taken[t]) {
            continue;
        }
        const bst_transition *transition = &m->transitions[t];
        json_t *item =
            json_pack("{s: s?, s: s, s: s, s: s}", "from",
                      transition->from == BST_NONE ? NULL : m->states[transition->from].name,
                      "command", m->commands[transition->command].name, "event",
                      m->events[transition->event].name, "to", m->states[transition->to].name);
        w->failed = json_array_append_new(list, item) != 0 || w->failed;
    }
    return list;
}

static json_t *covers(writer *w) {
    uint32_t states = 0;
    for (uint32_t s = 0; s < w->machine->state_count; s++) {
        states += w->visited[s];
    }
    return json_pack("{s: i, s: i, s: i, s: i, s: o}", "states", (int)states, "transitions",
                     (int)w->transitions, "guard_refusals", (int)w->refusals, "unknown_commands",
                     (int)w->unknowns, "uncovered", uncovered(w));
}

static json_t *document(writer *w) {
    bst_strbuf notice = BST_STRBUF_INIT;
    bst__emit_notice(w->machine, &notice);
    json_t *out = json_pack("{s: s, s: s, s: s, s: o, s: O}", "generated", notice.text, "machine",
                            w->machine->id, "sha256", w->machine->sha256, "covers", covers(w),
                            "paths", w->paths);
    w->failed = w->failed || notice.failed || !out;
    bst_strbuf_release(&notice);
    return out;
}

static bool prepare(writer *w, bst_value *fields) {
    const bst_machine *m = w->machine;
    w->entity.fields = fields;
    w->lives = w->arena ? bst__lives_explore(m, w->arena) : NULL;
    if (!w->lives) {
        return false;
    }
    w->taken = bst_arena_array(w->arena, m->transition_count, sizeof *w->taken);
    w->refused = bst_arena_array(w->arena, m->transition_count, sizeof *w->refused);
    w->visited = bst_arena_array(w->arena, (size_t)m->state_count + 1, sizeof *w->visited);
    w->unknown = bst_arena_array(w->arena, m->command_count, sizeof *w->unknown);
    w->all_unknown = (uint64_t)m->state_count * m->command_count <= UNKNOWN_MAX;
    return w->taken && w->refused && w->visited && w->unknown && w->paths;
}

bst_status bst__emit_paths(const bst_machine *machine, const bst_emit_options *options,
                           bst_emit_files *files, bst_diags *diags) {
    (void)options;
    bst_value fields[BST_FIELDS_MAX];
    writer w = {.machine = machine, .arena = bst_arena_new(), .paths = json_array()};
    json_t *json = NULL;
    bst_strbuf_init(&w.text);
    bst_strbuf_init(&w.name);
    if (prepare(&w, fields)) {
        add_paths(&w);
        json = document(&w);
    }
    if (json) {
        bst_json_layout(json, &files->file[0].text);
        bst_strbuf_addc(&files->file[0].text, '\n');
    }
    const bool failed = w.failed || !json;
    json_decref(json);
    json_decref(w.paths);
    bst_strbuf_release(&w.text);
    bst_strbuf_release(&w.name);
    bst_arena_free(w.arena);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}
