/* A machine with fields, guards and folds, drawn at random: states that nest, a state of
 * regions, commands that several of them answer. */
#include "synth_case.h"

#define STATES_MAX   7u
#define COMMANDS_MAX 6u

static uint32_t events, commands, event_of[COMMANDS_MAX], kind_of[EVENTS_MAX];

/* Kinds of events: 0 says nothing, 1 has an amount, 2 has a note. */
static void write_events(bst_strbuf *out) {
    static const char *const bodies[] = {"{}",
                                         ("{\"fields\":{\"amount\":\"decimal(12,2)\"},"
                                          "\"apply\":{\"total\":\"total + event.amount\"}}"),
                                         "{\"fields\":{\"note\":\"text?\"}}"};
    bst_strbuf_adds(out, "\"events\":{\"MBorn\":{}");
    for (uint32_t e = 0; e < events; e++) {
        kind_of[e] = roll(3);
        bst_strbuf_addf(out, ",\"M%uDone\":%s", e, bodies[kind_of[e]]);
    }
    bst_strbuf_adds(out, ",\"MImported\":{\"builtin\":\"genesis\"},"
                         "\"MReconciled\":{\"builtin\":\"reconcile\"}}");
}

static void write_target(uint32_t command, const char *guard, bst_strbuf *out) {
    bst_strbuf_addf(out, "{\"event\":\"M%uDone\"", event_of[command]);
    if (guard) {
        bst_strbuf_addf(out, ",\"guard\":{\"cel\":\"%s\"}", guard);
    }
    if (roll(6) > 0) { /* else it stays where it is */
        const uint32_t to =
            roll(shape.states + (shape.nested_from < shape.states) + shape.parallel);
        if (to < shape.states) {
            bst_strbuf_addf(out, ",\"target\":\"#m.%ss%u\"", to >= shape.nested_from ? "p." : "",
                            to);
        } else {
            bst_strbuf_addf(out, ",\"target\":\"#m.%s\"",
                            to == shape.states && shape.parallel ? "q" : "p");
        }
        bst_strbuf_adds(out, roll(8) == 0 ? ",\"reenter\":true" : "");
    }
    bst_strbuf_addc(out, '}');
}

/* What a state does with commands, each with a share of `share` in all of them. */
static void write_on(uint32_t share, bst_strbuf *out) {
    uint32_t written = 0;
    bst_strbuf_adds(out, "\"on\":{");
    for (uint32_t c = 0; c < commands; c++) {
        const char *guard =
            kind_of[event_of[c]] == 1 ? "total + command.amount <= 30.00" : "total < 20.00";
        if (roll(commands * 2) >= share) {
            continue;
        }
        bst_strbuf_addf(out, "%s\"c%u\":[", written++ > 0 ? "," : "", c);
        if (roll(5) == 0) {
            write_target(c, guard, out);
            bst_strbuf_addc(out, ',');
        }
        write_target(c, roll(12) == 0 ? "total >= 1.00" : NULL, out);
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_addc(out, '}');
}

static void write_states(uint32_t from, uint32_t end, bst_strbuf *out) {
    for (uint32_t s = from; s < end; s++) {
        bst_strbuf_addf(out, "%s\"s%u\":{", s > from ? "," : "", s);
        write_on(4, out);
        bst_strbuf_addc(out, '}');
    }
}

/* Two regions of two states; a command that both answer is one step. */
static void write_regions(bst_strbuf *out) {
    bst_strbuf_adds(out, ",\"q\":{\"type\":\"parallel\",");
    write_on(1, out);
    bst_strbuf_adds(out, ",\"states\":{");
    for (uint32_t r = 0; r < 2; r++) {
        bst_strbuf_addf(out, "%s\"r%u\":{\"initial\":\"x%u\",\"states\":{", r > 0 ? "," : "", r, r);
        for (uint32_t s = 0; s < 2; s++) {
            const uint32_t command = roll(commands);
            bst_strbuf_addf(
                out, "%s\"%c%u\":{\"on\":{\"c%u\":{\"event\":\"M%uDone\",\"target\":\"%c%u\"}}}",
                s > 0 ? "," : "", s == 0 ? 'x' : 'y', r, command, event_of[command],
                s == 0 ? 'y' : 'x', r);
        }
        bst_strbuf_adds(out, "}}");
    }
    bst_strbuf_adds(out, "}}");
}

void draw_machine(bst_strbuf *out) {
    shape.states = 2 + roll(STATES_MAX - 1);
    events = 1 + roll(EVENTS_MAX);
    commands = 1 + roll(COMMANDS_MAX);
    bst_strbuf_adds(out, "{\"id\":\"m\",\"fields\":{\"total\":{\"type\":\"decimal(12,2)\","
                         "\"default\":\"0.00\"},\"note\":{\"type\":\"text?\"}},");
    write_events(out);
    bst_strbuf_adds(out, ",\"creates\":[{\"command\":\"bear\",\"event\":\"MBorn\","
                         "\"target\":\"s0\"}");
    if (roll(4) == 0) {
        bst_strbuf_adds(out, ",{\"command\":\"adopt\",\"event\":\"MBorn\",\"target\":\"s1\"}");
    }
    bst_strbuf_adds(out, "],\"initial\":\"s0\",\"states\":{");
    for (uint32_t c = 0; c < commands; c++) {
        event_of[c] = roll(events);
    }
    shape.nested_from =
        roll(3) == 0 && shape.states > 2 ? 2 + roll(shape.states - 2) : shape.states;
    shape.parallel = roll(4) == 0;
    shape.regional = shape.parallel && roll(2);
    write_states(0, shape.nested_from, out);
    if (shape.nested_from < shape.states) {
        bst_strbuf_addf(out, ",\"p\":{\"initial\":\"s%u\",", shape.nested_from);
        write_on(2, out);
        bst_strbuf_adds(out, ",\"states\":{");
        write_states(shape.nested_from, shape.states, out);
        bst_strbuf_adds(out, "}}");
    }
    if (shape.parallel) {
        write_regions(out);
    }
    bst_strbuf_adds(out, "}}");
}
