/* Synthesis against truths: random machines, random walks through them, and the legacy rows that
 * such walks leave behind, with evidence of every kind in random columns. Then:
 *
 *     a row is never called impossible, for its truth is possible
 *     what is migrated replays to exactly the row
 *     what is called certain is the truth, event by event, and its times hold the true ones
 *     times never run backwards
 *
 * The truth fits its values. So a row is refused for its values (guards, folds) only where only a
 * sum tells several amounts, or, rarely, where the search among them ends; never as impossible.
 *
 * Then the row is spoiled: a field, a time or a counter is changed. Whatever the policies of the
 * mapping are, what is migrated replays to exactly the spoiled row; what a policy wrote says so;
 * and where everything is to come over, only a row without any time is refused.
 *
 * BACKSTORY_CASES: how many rows (100000), BACKSTORY_SEED: the seed of the first machine.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "random.h"

#include "../../migrate/synth/synth_private.h"

#define ROWS_A_MACHINE 25u
#define STATES_MAX     7u
#define EVENTS_MAX     5u
#define COMMANDS_MAX   6u
#define ITEMS_MAX      9u
#define STEPS_MAX      8u
#define FIELDS         2u
#define NOON           INT64_C(600000000000000)

typedef struct truth {
    uint32_t count;
    uint32_t transitions[STEPS_MAX];
    int64_t times[STEPS_MAX];
    bst_value amounts[EVENTS_MAX + 3]; /* of each event type: the same each time, or the last */
    bst_value paid[STEPS_MAX];         /* of each step, where it has one */
    bst_value note;
    bst_entity entity;
    bst_value fields[FIELDS];
} truth;

static uint64_t seed;
static uint64_t state;
static bst_mapping *mapping;
static const bst_machine *machine;
static truth now;
static bst_cell cells[64];
static unsigned migrated, certain, assumed, refused, given_up, logged, parted, undivided, summed;
static unsigned searched, hazy;
static unsigned spoiled, remedied[BST_REMEDY_COUNT];
static bst_entity claimed; /* what the row says */
static bst_value claimed_fields[FIELDS];

static uint32_t roll(uint32_t sides) {
    return (uint32_t)(random_next(&state) >> 33) % sides;
}

static void fail(int line, const char *what) {
    fprintf(stderr, "line %d: %s: BACKSTORY_SEED=%" PRIu64 "\ntruth:", line, what, seed);
    for (uint32_t i = 0; i < now.count; i++) {
        const bst_transition *t = &machine->transitions[now.transitions[i]];
        fprintf(stderr, " %s->%s@%" PRId64, machine->events[t->event].name,
                machine->states[t->to].name, now.times[i] - NOON);
    }
    size_t machine_len = 0;
    size_t mapping_len = 0;
    const char *machine_text = bst_json_source_text(machine->source, &machine_len);
    const char *mapping_text = bst_json_source_text(mapping->json, &mapping_len);
    fprintf(stderr, "\n%.*s\n%.*s\n", (int)machine_len, machine_text, (int)mapping_len,
            mapping_text);
    for (uint32_t l = 0; l < mapping->log_count; l++) {
        const bst_value *log = &cells[mapping->log[l].cell].value;
        if (!log->present) {
            continue;
        }
        fprintf(stderr, "log %.*s\n", (int)log->len, log->u.text);
    }
    exit(EXIT_FAILURE);
}

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__LINE__, #condition);                                                            \
    } while (0)

/* ---- machines and mappings ---- */

static uint32_t states, events, commands, event_of[COMMANDS_MAX], kind_of[EVENTS_MAX];
static enum log_kind { CHANGES, WHOLE, VERSIONS, EVENTS } log_kind;
static uint32_t nested_from; /* states from here on lie in a state "p"; `states`: none do */
static bool parallel;        /* there is a state "q" of two regions */
static bool regional;        /* ... which have columns of their own */
static bool sums; /* amounts differ from step to step, and columns know the total and the last */
static bool wants_all; /* policies bring over whatever they can */

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
        const uint32_t to = roll(states + (nested_from < states) + parallel);
        if (to < states) {
            bst_strbuf_addf(out, ",\"target\":\"#m.%ss%u\"", to >= nested_from ? "p." : "", to);
        } else {
            bst_strbuf_addf(out, ",\"target\":\"#m.%s\"", to == states && parallel ? "q" : "p");
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

static void write_machine(bst_strbuf *out) {
    states = 2 + roll(STATES_MAX - 1);
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
    nested_from = roll(3) == 0 && states > 2 ? 2 + roll(states - 2) : states;
    parallel = roll(4) == 0;
    regional = parallel && roll(2);
    write_states(0, nested_from, out);
    if (nested_from < states) {
        bst_strbuf_addf(out, ",\"p\":{\"initial\":\"s%u\",", nested_from);
        write_on(2, out);
        bst_strbuf_adds(out, ",\"states\":{");
        write_states(nested_from, states, out);
        bst_strbuf_adds(out, "}}");
    }
    if (parallel) {
        write_regions(out);
    }
    bst_strbuf_adds(out, "}}");
}

/* Evidence names only what some transition does: anything else is an error. `index` is that of an
 * event, or of a node. */
static bool is_done(const bst_machine *of, bool by_event, uint32_t index) {
    for (uint32_t t = 0; t < of->transition_count; t++) {
        const bst_transition *at = &of->transitions[t];
        if (by_event ? at->event == index : bst_machine_enters(of, t, index)) {
            return true;
        }
    }
    return false;
}

static bool write_subject(const bst_machine *of, bst_strbuf *out) {
    bool by_event = roll(2) == 0;
    uint32_t index = by_event ? roll(of->event_count) : 1 + roll(of->node_count - 1);
    if (!is_done(of, by_event, index)) {
        return false;
    }
    if (by_event) {
        bst_strbuf_addf(out, "{\"event\":\"%s\"", of->events[index].name);
        return true;
    }
    bst_strbuf_addf(out, "{\"state\":[\"%s\"", of->nodes[index].name);
    uint32_t other = 1 + roll(of->node_count - 1);
    if (roll(3) == 0 && other != index && is_done(of, false, other)) {
        bst_strbuf_addf(out, ",\"%s\"", of->nodes[other].name);
    }
    bst_strbuf_addc(out, ']');
    return true;
}

static void write_item(const bst_machine *of, uint32_t i, bst_strbuf *out) {
    static const char *const relations[] = {"exact", "at_most", "at_least"};
    bst_strbuf item = BST_STRBUF_INIT;
    uint32_t kind = roll(6);
    if (kind < 2 && write_subject(of, &item)) {
        const bool only = roll(6) == 0;
        bst_strbuf_addf(&item, ",\"at\":\"t%u\",\"occurrence\":\"%s\",\"absent\":\"%s\"", i,
                        only      ? "only"
                        : roll(2) ? "first"
                                  : "last",
                        only || roll(2) ? "unknown" : "never");
    } else if (kind == 2 && write_subject(of, &item)) {
        bst_strbuf_addf(&item, ",\"count\":\"n%u\",\"relation\":\"%s\"", i, relations[roll(3)]);
    } else if (kind == 3) {
        bst_strbuf_addf(&item, "{\"event\":\"*\",\"count\":\"n%u\",\"relation\":\"%s\"", i,
                        relations[roll(3)]);
    } else if (kind == 4) {
        bst_strbuf_addf(&item, "{\"last_change\":\"t%u\",\"exact\":%s", i,
                        roll(2) ? "true" : "false");
    } else {
        bst_strbuf_addf(&item, "{\"creation\":\"t%u\"", i);
    }
    if (roll(4) == 0) {
        bst_strbuf_addf(&item, ",\"when\":\"f%u == 'y'\"", i);
    }
    bst_strbuf_addf(out, "%s%s}", i > 0 ? "," : "", item.text);
    bst_strbuf_release(&item);
}

/* Whose codes a log has: 3, the column "rg" says it of each row. */
static void write_one_log(uint32_t region, const char *kind, const char *order, bst_strbuf *out) {
    static const char *const regions[] = {"\"region\":\"m\",", "\"region\":\"r0\",",
                                          "\"region\":\"r1\",",
                                          "\"region\":{\"column\":\"rg\",\"values\":{\"m\":\"m\","
                                          "\"r0\":\"r0\",\"r1\":\"r1\",\"else\":null}},"};
    bst_strbuf_addf(out, "{\"table\":\"l%u\",\"entity\":\"e\",\"to\":\"to\",%s%s%s}", region,
                    regional ? regions[region] : "", kind, order);
}

/* Some have a log: of changes, perhaps without gaps, or of versions. Regions have one for all or
 * one each. */
static void write_log_key(bst_strbuf *out) {
    static const char *const orders[] = {"\"at\":\"at\"", "\"at\":\"at\",\"order\":\"o\"",
                                         "\"order\":\"o\""};
    static const char *const kinds[] = {"", "\"gaps\":false,", "\"rows\":\"versions\",",
                                        "\"event\":\"ev\","};
    if (roll(2) == 0) {
        return;
    }
    log_kind = (enum log_kind)roll(4);
    const char *const order = orders[roll(3)];
    bst_strbuf_adds(out, "\"log\":");
    if (!regional || roll(2)) {
        write_one_log(3, kinds[log_kind], order, out);
    } else {
        for (uint32_t r = 0; r < 3; r++) {
            bst_strbuf_adds(out, r == 0 ? "[" : ",");
            write_one_log(r, kinds[log_kind], order, out);
        }
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_addc(out, ',');
}

static void write_policy(bst_strbuf *out) {
    static const char *const contradiction[] = {"\"quarantine\"", "\"relax\"", "\"genesis\"",
                                                "[\"relax\",\"genesis\"]"};
    static const char *const residual[] = {"\"quarantine\"", "\"reconcile\"", "\"genesis\"",
                                           "[\"reconcile\",\"genesis\"]"};
    const uint32_t one = roll(4), other = roll(4);
    wants_all = one >= 2 && other >= 2;
    bst_strbuf_addf(out,
                    "\"policy\":{\"ambiguous\":\"likeliest\",\"contradiction\":%s,"
                    "\"residual\":%s,\"too_ambiguous\":\"%s\"}",
                    contradiction[one], residual[other], wants_all ? "genesis" : "quarantine");
}

/* Of the machine's own column, and of those of its regions. */
static void write_values(const bst_machine *of, bst_strbuf *out) {
    for (uint32_t s = 0; s < (regional ? states : of->state_count); s++) {
        if (regional) {
            bst_strbuf_addf(out, "%s\"%ss%u\":\"s%u\"", s > 0 ? "," : "",
                            s >= nested_from ? "p." : "", s, s);
        } else {
            bst_strbuf_addf(out, "%s\"%s\":\"%s\"", s > 0 ? "," : "", of->states[s].name,
                            of->states[s].name);
        }
    }
    if (regional) {
        bst_strbuf_adds(out, ",\"q\":\"q\"},\"regions\":{");
    }
    for (uint32_t r = 0; regional && r < 2; r++) {
        bst_strbuf_addf(out, "%s\"r%u\":{\"column\":\"s_r%u\",", r > 0 ? "," : "", r, r);
        bst_strbuf_addf(out, "\"values\":{\"x%u\":\"x%u\",\"y%u\":\"y%u\"}}", r, r, r, r);
    }
    bst_strbuf_addc(out, '}');
}

static void write_mapping(const bst_machine *of, bst_strbuf *out) {
    bst_strbuf_adds(out, "{\"machine\":\"m.fsm.json\",\"source\":{\"table\":\"t\",\"key\":\"id\"},"
                         "\"state\":{\"column\":\"s\",\"values\":{");
    write_values(of, out);
    bst_strbuf_adds(out, "},\"fields\":{\"total\":\"total\",\"note\":\"note\"},\"evidence\":[");
    uint32_t items = 1 + roll(ITEMS_MAX);
    for (uint32_t i = 0; i < items; i++) {
        write_item(of, i, out);
    }
    /* Where amounts come from: a column for all, which is never NULL, so it says nothing of what
     * happened; or one for the last of them, or none. */
    for (uint32_t e = 0; e < of->event_count; e++) {
        if (of->events[e].field_count != 1 || bst_event_field(&of->events[e], "amount") != 0 ||
            !is_done(of, true, e) || (sums && roll(2) == 0)) {
            continue;
        }
        bst_strbuf_addf(out, ",{\"event\":\"%s\",", of->events[e].name);
        bst_strbuf_addf(out, sums ? "\"at\":\"u%u\"" : "\"count\":\"x\"", e);
        bst_strbuf_addf(out, ",\"fields\":{\"amount\":\"a%u\"}}", e);
    }
    bst_strbuf_adds(out, "],");
    write_log_key(out);
    write_policy(out);
    bst_strbuf_addc(out, '}');
}

static char folder[256];

static const char *path_of(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const bst_strbuf *text) {
    FILE *file = fopen(path_of(name), "w");
    if (!file || fwrite(text->text, 1, text->len, file) != text->len || fclose(file) != 0) {
        perror(name);
        exit(EXIT_FAILURE);
    }
}

static void make_mapping(void) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_diags *diags = bst_diags_new();
    bst_machine *drawn = NULL;
    sums = roll(3) == 0;
    write_machine(&text);
    write_file("m.fsm.json", &text);
    bst_status status = bst_machine_parse("m", text.text, text.len, &drawn, diags);
    bst_strbuf_clear(&text);
    if (status == BST_OK) {
        write_mapping(drawn, &text);
        write_file("m.legacy.json", &text);
        status = bst_mapping_load(path_of("m.legacy.json"), &mapping, diags);
    }
    if (status != BST_OK) {
        bst_strbuf findings = BST_STRBUF_INIT;
        for (size_t i = 0; i < bst_diags_count(diags); i++) {
            bst_diag_format_text(bst_diags_at(diags, i), NULL, 0, &findings);
        }
        fprintf(stderr, "BACKSTORY_SEED=%" PRIu64 ": %s\n%s\n", seed, findings.text, text.text);
        exit(EXIT_FAILURE);
    }
    machine = mapping->machine;
    bst_machine_free(drawn);
    bst_diags_free(diags);
    bst_strbuf_release(&text);
}

/* ---- truths ---- */

static void step(uint32_t command) {
    bst_value payload[2];
    bst_value fields[2];
    bst_event event = {.fields = fields};
    uint32_t before = now.entity.state;
    const bst_command *of = &machine->commands[command];
    uint32_t first = 0;
    if (bst_machine_candidates(machine, before, command, &first) == 0) {
        return;
    }
    const bst_value next = {true, 0, {(int64_t)roll(2000)}};
    const bst_value paid = sums ? next : now.amounts[machine->transitions[first].event];
    for (uint32_t f = 0; f < of->field_count; f++) {
        bool amount = strcmp(of->fields[f].name, "amount") == 0;
        payload[f] = amount ? paid : now.note;
    }
    bst_decision decision = bst_decide(machine, &now.entity, command, payload, &event);
    if (decision.verdict == BST_ACCEPTED) {
        EXPECT(bst_apply(machine, &now.entity, &event) == BST_APPLY_OK);
        now.times[now.count] =
            now.count == 0 ? NOON : now.times[now.count - 1] + (int64_t)roll(4) * 10;
        now.amounts[event.type] = paid;
        now.paid[now.count] = paid;
        now.transitions[now.count++] = decision.transition;
    }
}

static void live(void) {
    static const char note[] = "noted";
    now.count = 0;
    now.entity.fields = now.fields;
    now.note = roll(2) ? (bst_value){true, sizeof note - 1, {.text = note}} : BST_ABSENT;
    for (uint32_t e = 0; e < machine->event_count; e++) {
        now.amounts[e] = (bst_value){true, 0, {(int64_t)roll(2000)}};
    }
    bst_entity_clear(machine, &now.entity);
    while (now.count == 0) {
        step(roll(machine->command_count));
    }
    for (uint32_t tries = roll(3 * STEPS_MAX); tries > 0 && now.count < STEPS_MAX; tries--) {
        step(roll(machine->command_count));
    }
}

/* ---- rows ---- */

static bst_value *cell(uint32_t column) {
    cells[column].result = BST_VALUE_OK;
    return &cells[column].value;
}

static uint32_t column_named(const char *name) {
    for (uint32_t c = 0; c < mapping->source.column_count; c++) {
        if (strcmp(mapping->source.columns[c].name, name) == 0) {
            return c;
        }
    }
    return BST_NONE;
}

static bst_value integer(int64_t value) {
    return (bst_value){true, 0, {value}};
}

static bst_value time_of(const bst_evidence *evidence) {
    uint32_t found = BST_NONE;
    uint32_t count = 0;
    for (uint32_t i = 0; i < now.count; i++) {
        bool first = evidence->occurrence == BST_OCCURRENCE_FIRST;
        count += evidence->transitions[now.transitions[i]];
        if (evidence->transitions[now.transitions[i]] && !(first && found != BST_NONE)) {
            found = i;
        }
    }
    /* "only" is said where it happened once */
    bool lost = (!evidence->absent_is_never && roll(5) == 0) ||
                (evidence->occurrence == BST_OCCURRENCE_ONLY && count > 1);
    return found == BST_NONE || lost ? BST_ABSENT : integer(now.times[found]);
}

static bst_value count_of(const bst_evidence *evidence) {
    int64_t count = 0;
    for (uint32_t i = 0; i < now.count; i++) {
        count += evidence->transitions[now.transitions[i]];
    }
    if (evidence->relation == BST_AT_MOST) {
        count += roll(2);
    } else if (evidence->relation == BST_AT_LEAST && count > 0) {
        count -= roll(2);
    }
    return roll(6) == 0 ? BST_ABSENT : integer(count);
}

static bst_value last_change_of(const bst_evidence *evidence) {
    int64_t last = now.times[now.count - 1];
    return roll(6) == 0 ? BST_ABSENT : integer(evidence->exact ? last : last + roll(3) * 10);
}

static void write_evidence(uint32_t i) {
    const bst_evidence *evidence = &mapping->evidence[i];
    bst_value *value = cell(evidence->column);
    char flag[16];
    snprintf(flag, sizeof flag, "f%u", i);
    uint32_t flag_column = column_named(flag);
    if (evidence->when && roll(3) == 0) { /* it does not apply, and what stands there is a lie */
        *cell(flag_column) = (bst_value){true, 1, {.text = "n"}};
        *value =
            roll(2) ? integer(evidence->kind == BST_EVIDENCE_COUNT ? 3 : NOON - 5) : BST_ABSENT;
        return;
    }
    if (evidence->when) {
        *cell(flag_column) = (bst_value){true, 1, {.text = "y"}};
    }
    switch (evidence->kind) {
    case BST_EVIDENCE_EVENT:
    case BST_EVIDENCE_STATE:
        *value = time_of(evidence);
        break;
    case BST_EVIDENCE_COUNT:
        *value = count_of(evidence);
        break;
    case BST_EVIDENCE_CREATION:
        *value = roll(10) == 0 ? BST_ABSENT : integer(now.times[0]);
        break;
    case BST_EVIDENCE_LAST_CHANGE:
        *value = last_change_of(evidence);
        break;
    }
}

static void add_log_row(const bst_log *log, uint32_t i, const char *region, const char *to,
                        bst_strbuf *out) {
    char time[BST_TIME_TEXT_MAX];
    const bst_transition *t = &machine->transitions[now.transitions[i]];
    bst_time_format(now.times[i], time);
    bst_strbuf_addf(out, "%s[", out->len == 0 ? "[" : ",");
    if (log_kind == EVENTS && roll(2)) {
        bst_strbuf_adds(out, "null");
    } else {
        bst_strbuf_addf(out, "\"%s\"", to);
    }
    bst_strbuf_addf(out, log->at == BST_NONE ? ",null" : ",\"%s\"", time);
    bst_strbuf_addf(out, log_kind == EVENTS ? ",\"%s\"" : ",null", machine->events[t->event].name);
    bst_strbuf_addf(out, region ? ",\"%s\"]" : "]", region);
    if (region && roll(6) == 0) {
        bst_strbuf_adds(out, ",[\"zzz\",null,null,\"else\"]");
    }
}

/* The rows that step `i` leaves in a log: one, or one for each region where something is
 * entered. Of versions, where something is. */
static void add_log_rows(const bst_log *log, uint32_t i, bst_strbuf *out) {
    const uint32_t step = now.transitions[i];
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    if (!regional) {
        add_log_row(log, i, NULL, machine->states[machine->transitions[step].to].name, out);
        return;
    }
    EXPECT(bst_mapping_codes_of(mapping, machine->transitions[step].to, codes));
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        const bst_state_code *code = codes[c] == BST_NONE ? NULL : &column->codes[codes[c]];
        const bool meant = log->region != BST_NONE || log->state_column == c;
        if (code && meant &&
            (log_kind == VERSIONS || bst_machine_enters(machine, step, code->node))) {
            add_log_row(log, i,
                        log->region == BST_NONE ? NULL
                        : column->region_key    ? column->region_key
                                                : "m",
                        code->text, out);
        }
    }
}

/* What a log may hold of the truth. Of versions: all since some time. */
static void write_log(const bst_log *log, bst_strbuf *out) {
    const uint32_t from = log_kind == VERSIONS ? roll(now.count + 1) : 0;
    const bool with_creation = log_kind != WHOLE || roll(2);
    bst_strbuf_clear(out);
    for (uint32_t i = from; i < now.count; i++) {
        const bool step = !machine->transitions[now.transitions[i]].targetless;
        const bool wanted = log_kind == VERSIONS || (step && (log_kind == WHOLE || roll(3) > 0));
        if (wanted && (i > 0 || with_creation)) {
            add_log_rows(log, i, out);
        }
    }
    if (out->len > 0) {
        bst_strbuf_addc(out, ']');
        *cell(log->cell) = (bst_value){true, (uint32_t)out->len, {.text = out->text}};
        logged++;
        parted += regional;
    }
}

static void write_row(bst_row *row) {
    static bst_strbuf logs[BST_LOGS_MAX];
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    memset(cells, 0, sizeof cells);
    EXPECT(mapping->source.column_count <= sizeof cells / sizeof cells[0]);
    EXPECT(bst_mapping_codes_of(mapping, now.entity.state, codes));
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        const char *text = codes[c] == BST_NONE ? NULL : column->codes[codes[c]].text;
        if (text) {
            *cell(column->column) = (bst_value){true, (uint32_t)strlen(text), {.text = text}};
        }
    }
    memcpy(claimed_fields, now.fields, sizeof claimed_fields);
    claimed = (bst_entity){now.entity.state, claimed_fields};
    *cell(mapping->fields[0].column) = now.entity.fields[0];
    *cell(mapping->fields[1].column) = now.entity.fields[1];
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        if (mapping->evidence[i].payload_count > 0) { /* the column "x" is always NULL */
            const bst_payload_from *from = mapping->evidence[i].payload;
            *cell(from->from.column) = now.amounts[from->event];
            if (sums) {
                *cell(mapping->evidence[i].column) = time_of(&mapping->evidence[i]);
            }
        } else {
            write_evidence(i);
        }
    }
    for (uint32_t l = 0; l < mapping->log_count; l++) {
        write_log(&mapping->log[l], &logs[l]);
    }
    *row = (bst_row){.key = "k", .key_len = 1, .in_scope = true, .number = 1, .cells = cells};
}

/* ---- what must hold ---- */

static void check_times(const bst_history *history) {
    int64_t before = BST_TIME_MINUS_INFINITY;
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        const bst_happening *at = &history->events[i];
        EXPECT(bst_time_is_finite(at->occurred_at));
        EXPECT(at->occurred_at >= before);
        EXPECT(at->after <= at->occurred_at && at->occurred_at <= at->before);
        EXPECT(history->plan->remedy != BST_REMEDY_NONE ||
               at->interval == (history->plan->events[i].source == NULL));
        before = at->occurred_at;
    }
}

static void check_replay(const bst_history *history) {
    bst_value fields[FIELDS];
    bst_entity entity = {BST_NONE, fields};
    bst_entity_clear(machine, &entity);
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        bst_value payload[2];
        const bst_plan_event *planned = &history->plan->events[i];
        for (uint32_t f = 0; f < machine->events[planned->type].field_count; f++) {
            payload[f] = history->events[i].fields[f];
        }
        const bst_event event = {planned->type, planned->state, payload};
        EXPECT(bst_apply(machine, &entity, &event) == BST_APPLY_OK);
    }
    EXPECT(entity.state == claimed.state);
    for (uint32_t f = 0; f < FIELDS; f++) {
        EXPECT(bst_value_equal(&machine->fields[f].type, &fields[f], &claimed.fields[f]));
    }
}

/* What a policy wrote says so, and claims nothing. */
static void check_remedy(const bst_history *history) {
    const bst_plan *plan = history->plan;
    const bst_builtin first = machine->events[plan->events[0].type].builtin;
    const bst_plan_event *last = &plan->events[plan->event_count - 1];
    const bst_builtin end = machine->events[last->type].builtin;
    remedied[plan->remedy]++;
    EXPECT((plan->remedy == BST_REMEDY_GENESIS) == (first == BST_BUILTIN_GENESIS));
    EXPECT((plan->remedy == BST_REMEDY_RECONCILED) == (end == BST_BUILTIN_RECONCILE));
    EXPECT(!(plan->remedy != BST_REMEDY_NONE && plan->certain));
    EXPECT(plan->remedy != BST_REMEDY_GENESIS || plan->event_count == 1);
    if (end != BST_BUILTIN_NONE) {
        EXPECT(last->basis != BST_BASIS_RECORDED && !(last->confidence > 0));
        EXPECT(!(plan->confidence > 0));
    } else {
        EXPECT(plan->confidence > 0 && plan->confidence <= 1);
    }
    for (uint32_t i = 0; i < plan->event_count; i++) {
        EXPECT(plan->remedy == BST_REMEDY_NONE || plan->events[i].basis != BST_BASIS_IMPLIED);
    }
}

static void check_certain(const bst_history *history) {
    EXPECT(history->plan->confidence == 1);
    EXPECT(history->plan->event_count == now.count);
    for (uint32_t i = 0; i < now.count; i++) {
        const bst_transition *t = &machine->transitions[now.transitions[i]];
        const bst_plan_event *planned = &history->plan->events[i];
        const bst_happening *at = &history->events[i];
        EXPECT(planned->type == t->event && planned->state == t->to);
        EXPECT(planned->basis != BST_BASIS_ASSUMED && planned->confidence == 1);
        EXPECT(at->after <= now.times[i] && now.times[i] <= at->before);
        if (bst_event_field(&machine->events[t->event], "amount") == 0) {
            EXPECT(at->fields[0].u.i == now.paid[i].u.i);
        }
    }
}

/* `remedied_here`: by a reconciliation, which does not say how many were tried. */
static void check_refusal(const bst_refusal *refusal, bool remedied_here) {
    switch (refusal->reason) {
    case BST_REASON_TOO_AMBIGUOUS: /* never a code that says "impossible" */
        EXPECT(strstr(refusal->message.text, "more are possible than were tried") != NULL);
        given_up++;
        break;
    case BST_REASON_FOLD_DIFFERS: /* of the likeliest history, which was reconciled */
        EXPECT(remedied_here);
        break;
    case BST_REASON_UNDIVIDED:
        EXPECT(sums);
        undivided++;
        break;
    case BST_REASON_MISSING_VALUE:
        EXPECT(strstr(refusal->message.text, "no column says when") != NULL);
        break;
    default:
        fail(__LINE__, refusal->message.text);
    }
    refused++;
}

static bool has_walk(const bst__signature *sig, const bst__walk *walk) {
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        const bst__walk *one = &sig->walks[w];
        bool same = one->plan.event_count == walk->plan.event_count;
        for (uint32_t i = 0; same && i < walk->plan.event_count; i++) {
            same = one->steps[i].transition == walk->steps[i].transition;
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* Where all walks are known and were tried one by one, the search among them finds the same. */
static void check_search(bst_synth *synth, const bst_row *row) {
    const bst__outcome *tried = synth->last_outcome;
    bst__signature *sig = (bst__signature *)(uintptr_t)tried->signature, *fits = NULL;
    bst_outcome outcome;
    uint32_t left = 0;
    if (!sig->asks || !sig->complete || sig->alike || sig->ignored != BST_NONE) {
        return;
    }
    for (uint32_t w = 0; w < sig->walk_count; w++) {
        left += !(tried->verdict.unfit >> w & 1);
    }
    EXPECT(bst__fits_find(synth, claimed.state, sig, row, &outcome, &fits) == BST_OK);
    EXPECT(outcome == BST_FOUND);
    if (!fits->exact) { /* what passes may not fit, but what fits passes */
        EXPECT(has_walk(fits, &sig->walks[tried->verdict.walk]));
        hazy++;
        return;
    }
    EXPECT(fits->complete ? fits->walk_count == left : fits->walk_count <= left);
    EXPECT(fits->walks[0].plan.certain == tried->plan.certain);
    EXPECT(fabs(fits->walks[0].plan.confidence - tried->plan.confidence) < 1e-6);
    searched++;
}

/* A field, or an item of evidence, that is not what it was. False: nothing was there to spoil. */
static bool spoil(void) {
    const uint32_t i = roll(mapping->evidence_count + 2);
    if (i >= mapping->evidence_count) {
        const uint32_t field = i - mapping->evidence_count;
        static const char note[] = "spoiled";
        claimed_fields[field] = field == 0 ? integer(now.fields[0].u.i + (int64_t)roll(900) - 450)
                                : roll(2)  ? BST_ABSENT
                                           : (bst_value){true, sizeof note - 1, {.text = note}};
        *cell(mapping->fields[field].column) = claimed_fields[field];
        return true;
    }
    bst_value *value = cell(mapping->evidence[i].column);
    if (!value->present || mapping->evidence[i].payload_count > 0) {
        return false;
    }
    if (mapping->evidence[i].kind == BST_EVIDENCE_COUNT) {
        value->u.i += 1 + roll(3);
    } else {
        *value = roll(3) == 0 ? BST_ABSENT : integer(value->u.i + ((int64_t)roll(9) - 4) * 10);
    }
    return true;
}

/* The truth is not possible any more, or it is but the row denies it. */
static void check_spoiled(bst_synth *synth, const bst_row *row, bst_diags *diags) {
    bst_fate fate = BST_OUT_OF_SCOPE;
    bst_history history;
    const bst_refusal *refusal = NULL;
    spoiled++;
    EXPECT(bst_synth_row(synth, row, &fate, &history, &refusal, diags) == BST_OK);
    if (fate == BST_MIGRATED) {
        EXPECT((refusal != NULL) == (history.plan->remedy != BST_REMEDY_NONE));
        check_times(&history);
        check_replay(&history);
        check_remedy(&history);
    } else if (wants_all) {
        EXPECT(strstr(refusal->message.text, "no column says when") != NULL);
    }
}

static void check_row(bst_synth *synth, bst_diags *diags) {
    bst_row row;
    bst_fate fate = BST_OUT_OF_SCOPE;
    bst_history history;
    const bst_refusal *refusal = NULL;
    live();
    write_row(&row);
    summed += sums;
    EXPECT(bst_synth_row(synth, &row, &fate, &history, &refusal, diags) == BST_OK);
    EXPECT(fate != BST_OUT_OF_SCOPE);
    if (fate == BST_QUARANTINED) {
        check_refusal(refusal, false);
    } else if (history.plan->remedy != BST_REMEDY_NONE) { /* of those that would be refused */
        EXPECT(refusal != NULL);
        check_times(&history);
        check_replay(&history);
        check_remedy(&history);
        check_refusal(refusal, history.plan->remedy == BST_REMEDY_RECONCILED);
    } else {
        migrated++;
        check_times(&history);
        check_replay(&history);
        check_remedy(&history);
        check_search(synth, &row);
        certain += history.plan->certain;
        assumed += !history.plan->certain;
        if (history.plan->certain) {
            check_certain(&history);
        }
    }
    if (roll(2) == 0 && spoil()) {
        check_spoiled(synth, &row, diags);
    }
}

/* A plan's signature is its name: no two have the same. */
static void check_names(bst_synth *synth, bst_diags *diags) {
    bst_signature_info infos[2 * ROWS_A_MACHINE];
    size_t count = bst_synth_signature_count(synth);
    EXPECT(count <= 2 * ROWS_A_MACHINE);
    EXPECT(bst_synth_signatures(synth, infos, count, diags) == BST_OK);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(infos[i].text, infos[k].text) == 0) {
                fail(__LINE__, infos[i].text);
            }
        }
    }
}

static uint64_t number_from(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

int main(void) {
    const uint64_t first = number_from("BACKSTORY_SEED", 1);
    const uint64_t cases = number_from("BACKSTORY_CASES", 100000);
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/backstory-synth-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        return EXIT_FAILURE;
    }
    for (seed = first; seed < first + (cases + ROWS_A_MACHINE - 1) / ROWS_A_MACHINE; seed++) {
        bst_diags *diags = bst_diags_new();
        bst_synth *synth = NULL;
        state = seed * UINT64_C(0x2545F4914F6CDD1D);
        make_mapping();
        EXPECT(bst_synth_new(mapping, &synth, diags) == BST_OK);
        for (uint32_t i = 0; i < ROWS_A_MACHINE; i++) {
            check_row(synth, diags);
        }
        check_names(synth, diags);
        bst_synth_free(synth);
        mapping = bst_mapping_free(mapping);
        bst_diags_free(diags);
    }
    unlink(path_of("m.fsm.json"));
    unlink(path_of("m.legacy.json"));
    rmdir(folder);
    printf("%u migrated (%u certain, %u likeliest), %u refused (%u after many, %u undivided of %u "
           "with sums); %u with a log (%u of regions)\n",
           migrated, certain, assumed, refused, given_up, undivided, summed, logged, parted);
    printf("%u searched as they were tried, %u of them with amounts that only a sum tells\n",
           searched + hazy, hazy);
    printf("%u spoiled; %u relaxed, %u reconciled, %u genesis\n", spoiled,
           remedied[BST_REMEDY_RELAXED], remedied[BST_REMEDY_RECONCILED],
           remedied[BST_REMEDY_GENESIS]);
    /* A generator that stopped making what is to be tested must not look like success. */
    bool thin = certain < cases / 10 || assumed < cases / 10 || refused > cases / 4 ||
                given_up > cases / 1000 || logged < cases / 10 || parted < cases / 100 ||
                searched < cases / 100 || undivided < cases / 1000 ||
                remedied[BST_REMEDY_RELAXED] < cases / 200 ||
                remedied[BST_REMEDY_RECONCILED] < cases / 200 ||
                remedied[BST_REMEDY_GENESIS] < cases / 200;
    return cases >= 1000 && thin ? EXIT_FAILURE : EXIT_SUCCESS;
}
