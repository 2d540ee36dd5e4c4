/* The transition table of generated C: packing it, and writing down what stands around it.
 *
 * A cell holds the next state itself, for that is nearly always the whole answer; a command's usual
 * event stands in a table of its own. Cells with guards, several candidates or an unusual event
 * hold a number past the last state, which leads into the list of candidates.
 *
 * Row 0 and cell 0 do double duty: as a row, 0 is the entity that does not exist yet (creations
 * leave it); as a cell it is "no", since nothing leads back there.
 */
#include <string.h>

#include "emit_c_private.h"

/* ---- packing ---- */

/* Transitions of one (from, command) are consecutive: those from `first` on. */
static uint32_t group_end(const bst_machine *machine, uint32_t first) {
    const bst_transition *t = &machine->transitions[first];
    uint32_t end = first + 1;
    while (end < machine->transition_count && machine->transitions[end].from == t->from &&
           machine->transitions[end].command == t->command) {
        end++;
    }
    return end;
}

static bool is_plain(const bst__c *c, uint32_t first, uint32_t end) {
    const bst_regions *r = c->regions;
    return end == first + 1 && c->machine->transitions[first].guard == BST_NONE &&
           (!r || (r->moves[first] && r->entry[first] == BST_NONE));
}

/* Transitions grouped by a small number of theirs: those of group g are item[start[g]] to
 * item[start[g + 1] - 1]. */
typedef struct groups {
    uint32_t *start, *item;
} groups;

static uint32_t key_of(const bst_transition *t, bool by_event) {
    return by_event ? t->event : t->command;
}

static groups group_transitions(bst__c *c, uint32_t group_count, bool by_event) {
    const bst_machine *machine = c->machine;
    groups g = {bst__c_array(c, (size_t)group_count + 1, sizeof(uint32_t)),
                bst__c_array(c, machine->transition_count, sizeof(uint32_t))};
    uint32_t *filled = bst__c_array(c, group_count, sizeof *filled);
    if (c->failed) {
        return g;
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        g.start[key_of(&machine->transitions[i], by_event) + 1]++;
    }
    for (uint32_t k = 0; k < group_count; k++) {
        g.start[k + 1] += g.start[k];
    }
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const uint32_t key = key_of(&machine->transitions[i], by_event);
        g.item[g.start[key] + filled[key]++] = i;
    }
    return g;
}

/* The event that most transitions of a command emit, the first of equals. */
static void find_usual_events(bst__c *c) {
    const bst_machine *machine = c->machine;
    const groups by_command = group_transitions(c, machine->command_count, false);
    uint32_t *count = bst__c_array(c, machine->event_count, sizeof *count); /* 0 between commands */
    for (uint32_t command = 0; !c->failed && command < machine->command_count; command++) {
        uint32_t best = BST_NONE;
        for (uint32_t k = by_command.start[command]; k < by_command.start[command + 1]; k++) {
            const uint32_t event = machine->transitions[by_command.item[k]].event;
            count[event]++;
            if (best == BST_NONE || count[event] > count[best]) {
                best = event;
            }
        }
        for (uint32_t k = by_command.start[command]; k < by_command.start[command + 1]; k++) {
            count[machine->transitions[by_command.item[k]].event] = 0;
        }
        c->table.usual_event[command] = best == BST_NONE ? 0 : best;
    }
}

static void fill_cells(bst__c *c) {
    const bst_machine *machine = c->machine;
    bst__c_table *table = &c->table;
    uint32_t end;
    for (uint32_t first = 0; first < machine->transition_count; first = end) {
        const bst_transition *t = &machine->transitions[first];
        end = group_end(machine, first);
        uint32_t value = t->to + 1;
        if (!is_plain(c, first, end) || t->event != table->usual_event[t->command]) {
            value = table->rows + table->candidate_count;
            for (uint32_t i = first; i < end; i++) {
                table->candidates[table->candidate_count++] = (bst__c_candidate){i, i + 1 < end};
            }
        }
        const uint32_t row = t->from == BST_NONE ? 0 : t->from + 1;
        table->cells[table->cell_count++] = (bst__c_cell){row, t->command, value};
        table->cell_max = value > table->cell_max ? value : table->cell_max;
    }
}

/* Which commands emit which event: apply() looks for an event's transition among these. */
static void find_emissions(bst__c *c) {
    const bst_machine *machine = c->machine;
    bst__c_table *table = &c->table;
    const groups by_event = group_transitions(c, machine->event_count, true);
    uint32_t *seen_with =
        bst__c_array(c, machine->command_count, sizeof *seen_with); /* event + 1 */
    uint32_t total = 0;
    for (uint32_t event = 0; !c->failed && event < machine->event_count; event++) {
        table->emission_first[event] = total;
        for (uint32_t k = by_event.start[event]; k < by_event.start[event + 1]; k++) {
            const bst_transition *t = &machine->transitions[by_event.item[k]];
            if (seen_with[t->command] != event + 1) {
                seen_with[t->command] = event + 1;
                table->emissions[total++] = (bst__c_emission){t->command, event, t};
            }
        }
    }
    if (!c->failed) {
        table->emission_first[machine->event_count] = total;
    }
}

static void sort_emissions_by_command(bst__c *c) {
    const bst_machine *machine = c->machine;
    bst__c_table *table = &c->table;
    uint32_t *filled = bst__c_array(c, machine->command_count, sizeof *filled);
    const uint32_t total = table->emission_first[machine->event_count];
    for (uint32_t k = 0; k < total; k++) {
        table->command_first[table->emissions[k].command + 1]++;
    }
    for (uint32_t i = 0; i < machine->command_count; i++) {
        table->command_first[i + 1] += table->command_first[i];
    }
    for (uint32_t k = 0; filled && k < total; k++) {
        const uint32_t command = table->emissions[k].command;
        table->of_command[table->command_first[command] + filled[command]++] = k;
    }
}

void bst__c_pack_table(bst__c *c) {
    const bst_machine *machine = c->machine;
    bst__c_table *table = &c->table;
    table->rows = machine->state_count + 1;
    table->cell_max = table->rows;
    table->cells = bst__c_array(c, machine->transition_count, sizeof *table->cells);
    table->usual_event = bst__c_array(c, machine->command_count, sizeof(uint32_t));
    table->candidates = bst__c_array(c, machine->transition_count, sizeof *table->candidates);
    table->emissions = bst__c_array(c, machine->transition_count, sizeof *table->emissions);
    table->emission_first = bst__c_array(c, (size_t)machine->event_count + 1, sizeof(uint32_t));
    table->of_command = bst__c_array(c, machine->transition_count, sizeof(uint32_t));
    table->command_first = bst__c_array(c, (size_t)machine->command_count + 1, sizeof(uint32_t));
    if (!c->failed) {
        find_usual_events(c);
        fill_cells(c);
        find_emissions(c);
    }
    if (!c->failed) {
        sort_emissions_by_command(c);
    }
}

/* ---- writing ---- */

#define OVERVIEW_TRANSITIONS_MAX 400u /* more than that nobody reads */

static size_t wider(size_t width, const char *text) {
    const size_t len = strlen(text);
    return len > width ? len : width;
}

static const char *state_text(const bst_machine *machine, uint32_t state) {
    return state == BST_NONE ? "-" : machine->states[state].name;
}

static void add_overview_line(bst__c *c, bst_strbuf *out, const bst_transition *t,
                              const size_t width[4]) {
    const bst_machine *machine = c->machine;
    const char *event = machine->events[t->event].name;
    bst_strbuf_addf(out, " *   %-*s  %-*s  %-*s  ", (int)width[0], state_text(machine, t->from),
                    (int)width[1], machine->commands[t->command].name, (int)width[2],
                    state_text(machine, t->to));
    if (t->guard != BST_NONE) {
        bst_strbuf_addf(out, "%-*s  if %s\n", (int)width[3], event, c->guard_suffixes[t->guard]);
    } else {
        bst_strbuf_addf(out, "%s\n", event);
    }
}

/* The machine as a list, for the eyes of whoever reviews a change of it. */
static void add_overview(bst__c *c, bst_strbuf *out) {
    const bst_machine *machine = c->machine;
    if (machine->transition_count > OVERVIEW_TRANSITIONS_MAX) {
        return;
    }
    size_t width[4] = {1, 1, 1, 1};
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const bst_transition *t = &machine->transitions[i];
        width[0] = wider(width[0], state_text(machine, t->from));
        width[1] = wider(width[1], machine->commands[t->command].name);
        width[2] = wider(width[2], state_text(machine, t->to));
        width[3] = wider(width[3], machine->events[t->event].name);
    }
    bst_strbuf_adds(out, "/* From, command, to, event, guard; `-` does not exist yet:\n *\n");
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        add_overview_line(c, out, &machine->transitions[i], width);
    }
    bst_strbuf_adds(out, " */\n\n");
}

static void add_usual_events(bst__c *c, bst_strbuf *out) {
    const bst_machine *machine = c->machine;
    bst__c_comment(out, 0, "The usual event of each command.");
    bst_strbuf_addf(out, "static const %s usual_event[%s] = {\n", bst__c_uint(machine->event_count),
                    c->fixed.command_count);
    bst__c_line *lines = bst__c_array(c, machine->command_count, sizeof *lines);
    for (uint32_t i = 0; lines && i < machine->command_count; i++) {
        lines[i].code = bst__c_text(c, "%s,", c->events[c->table.usual_event[i]].constant);
        lines[i].comment = machine->commands[i].name;
    }
    bst__c_add_lines(out, 4, lines, lines ? machine->command_count : 0);
    bst_strbuf_adds(out, "};\n\n");
}

static const char *moves_text(const bst__c *c, uint32_t transition) {
    return c->regions && c->regions->moves[transition] ? "true" : "false";
}

static const char *entry_text(bst__c *c, uint32_t transition) {
    const uint32_t entry = c->regions ? c->regions->entry[transition] : BST_NONE;
    return entry == BST_NONE ? "0" : bst__c_text(c, "%u", (unsigned)entry + 1);
}

static void add_candidates(bst__c *c, bst_strbuf *out) {
    const bst_machine *machine = c->machine;
    const bst__c_table *table = &c->table;
    if (table->candidate_count == 0) {
        return;
    }
    bst__c_comment(out, 0, "A way on that is taken when its guard holds.");
    bst_strbuf_addf(out, "struct %s {\n", c->fixed.candidate);
    const bst__c_line fields[] = {
        {bst__c_text(c, "%s guard;", bst__c_uint(machine->guard_count)), NULL},
        {bst__c_text(c, "%s event;", bst__c_uint(machine->event_count)), NULL},
        {bst__c_text(c, "%s to;", bst__c_uint(machine->state_count)), NULL},
        {"bool more;", "the next one is tried when this one is refused"},
        {"bool moves;", "it leaves a state, and not only emits its event"},
        {"uint32_t entry;", "entries[entry - 1] is where the regions are then; 0: none"}};
    bst__c_add_lines(out, 4, fields, c->regions ? 6 : 4);
    bst_strbuf_addf(out, "};\n\nstatic const struct %s candidates[] = {\n", c->fixed.candidate);
    for (uint32_t i = 0; i < table->candidate_count; i++) {
        const bst_transition *t = &machine->transitions[table->candidates[i].transition];
        const char *const items[] = {c->guards[t->guard == BST_NONE ? 0 : t->guard + 1],
                                     c->events[t->event].constant,
                                     c->states[t->to + 1],
                                     table->candidates[i].more ? "true" : "false",
                                     moves_text(c, table->candidates[i].transition),
                                     entry_text(c, table->candidates[i].transition)};
        bst__c_add_list(out, 4, "{", items, c->regions ? 6 : 4, "},");
    }
    bst_strbuf_adds(out, "};\n\n");
}

static void add_emitters(bst__c *c, bst_strbuf *out) {
    const bst_machine *machine = c->machine;
    const bst__c_table *table = &c->table;
    const uint32_t total = table->emission_first[machine->event_count];
    bst__c_comment(out, 0,
                   "The commands that emit an event: those from first_emitter[event] to "
                   "first_emitter[event + 1].");
    bst_strbuf_addf(out, "static const %s emitters[] = {\n", bst__c_uint(machine->command_count));
    bst__c_line *lines = bst__c_array(c, (size_t)total + machine->event_count + 1, sizeof *lines);
    for (uint32_t i = 0; lines && i < total; i++) {
        lines[i].code = bst__c_text(c, "%s,", c->commands[table->emissions[i].command].constant);
        lines[i].comment = machine->events[table->emissions[i].event].name;
    }
    bst__c_add_lines(out, 4, lines, lines ? total : 0);
    bst_strbuf_addf(out, "};\nstatic const %s first_emitter[%s + 1] = {\n", bst__c_uint(total),
                    c->fixed.event_count);
    for (uint32_t e = 0; lines && e <= machine->event_count; e++) {
        lines[e].code = bst__c_text(c, "%u,", (unsigned)table->emission_first[e]);
        lines[e].comment = e < machine->event_count ? machine->events[e].name : "the end";
    }
    bst__c_add_lines(out, 4, lines, lines ? (size_t)machine->event_count + 1 : 0);
    bst_strbuf_adds(out, "};\n\n");
}

void bst__c_add_tables(bst__c *c, bst_strbuf *out) {
    add_overview(c, out);
    bst__c_add_cells(c, out);
    add_usual_events(c, out);
    add_candidates(c, out);
    add_emitters(c, out);
}
