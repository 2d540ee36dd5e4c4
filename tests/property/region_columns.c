/* A status column for each region: what random machines of regions leave behind in such columns
 * leads back to where they stood, and to a history; any other values are read as the state that has
 * all of them, and refused when there is none.
 *
 * BACKSTORY_CASES: how many random machines (150), BACKSTORY_SEED: that of the first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstory/synth.h"
#include "random_regions.h"

#define WALKS       12
#define STEPS       9
#define COLUMNS_MAX 40

static uint64_t seed;
static random_regions spec;
static bst_mapping *mapping;
static const bst_machine *machine;
static bst_strbuf text;
static char folder[] = "/tmp/bst-region-columns-XXXXXX";
static uint64_t migrated, refused, impossible;

static void fail(const char *what) {
    fprintf(stderr, "seed %llu: %s\n%s\n%s\n", (unsigned long long)seed, what, spec.text.text,
            text.text);
    exit(1);
}

/* ---- the mapping ---- */

static bool is_leaf(uint32_t node) {
    return machine->nodes[node].kind == BST_NODE_ATOMIC ||
           machine->nodes[node].kind == BST_NODE_FINAL;
}

/* Every leaf inside the node has a value: its path. */
static void add_values(uint32_t node) {
    const char *between = "";
    bst_strbuf_adds(&text, "\"values\":{");
    for (uint32_t n = node + 1; n <= machine->nodes[node].last; n++) {
        if (is_leaf(n)) {
            bst_strbuf_addf(&text, "%s\"%s\":\"%s\"", between, machine->nodes[n].path,
                            machine->nodes[n].path);
            between = ",";
        }
    }
    bst_strbuf_adds(&text, "}");
}

static void write_mapping(void) {
    bst_strbuf_clear(&text);
    bst_strbuf_adds(&text,
                    "{\"machine\":\"m.fsm.json\",\"source\":{\"table\":\"t\",\"key\":\"id\"},"
                    "\"state\":{");
    if (spec.nested) {
        bst_strbuf_adds(&text,
                        "\"column\":\"whole\",\"values\":{\"start\":\"start\",\"end\":\"end\","
                        "\"box\":\"box\"},");
    }
    bst_strbuf_adds(&text, "\"regions\":{");
    for (unsigned i = 0; i < spec.regions; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%u", i);
        bst_strbuf_addf(&text, "%s\"%s\":{\"column\":\"c%u\",", i ? "," : "", name, i);
        add_values(bst_machine_node(machine, name));
        bst_strbuf_adds(&text, "}");
    }
    bst_strbuf_adds(&text, "}},\"evidence\":[{\"creation\":\"created\"}");
    for (unsigned i = 0; i < REGIONS_COMMANDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "E%u", i);
        bool emitted = false;
        for (uint32_t t = 0; t < machine->transition_count; t++) {
            emitted = emitted || machine->transitions[t].event == bst_machine_event(machine, name);
        }
        if (emitted) {
            bst_strbuf_addf(&text, ",{\"event\":\"%s\",\"count\":\"%s\",\"fields\":{\"k\":\"k\"}}",
                            name, name);
        }
    }
    bst_strbuf_adds(&text, "]}");
}

static void write_file(const char *name, const bst_strbuf *content) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(content->text, 1, content->len, file) != content->len ||
        fclose(file) != 0) {
        fail("a file cannot be written");
    }
}

/* ---- a row ---- */

typedef struct life {
    bst_value n, field;
    bst_entity entity;
    uint32_t counts[REGIONS_COMMANDS];
} life;

static void live(life *l) {
    const bst_value nought = {.present = true, .u.i = 0};
    *l = (life){.n = BST_ABSENT};
    l->entity = (bst_entity){BST_NONE, &l->n};
    for (unsigned i = 0; i < STEPS; i++) {
        bst_event event = {.fields = &l->field};
        const uint32_t command = regions_roll(&spec, machine->command_count);
        if (bst_decide(machine, &l->entity, command, &nought, &event).verdict == BST_ACCEPTED &&
            bst_apply(machine, &l->entity, &event) == BST_APPLY_OK) {
            const char *name = machine->events[event.type].name;
            if (name[0] == 'E' && name[2] == '\0') {
                l->counts[name[1] - '0']++;
            }
        }
    }
}

static bst_value value_of(const char *name, const life *l, const bst_value *states) {
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        if (strcmp(mapping->source.columns[mapping->state_columns[c].column].name, name) == 0) {
            return states[c];
        }
    }
    const bool counts = name[0] == 'E';
    const int64_t number = counts ? (int64_t)l->counts[name[1] - '0'] : 0;
    return (bst_value){.present = true, .u.i = strcmp(name, "created") == 0 ? 1000000 : number};
}

static bst_value code_value(uint32_t column, uint32_t code) {
    const char *name =
        code == BST_NONE ? "nobody asks" : mapping->state_columns[column].codes[code].text;
    return (bst_value){.present = true, .len = (uint32_t)strlen(name), .u.text = name};
}

/* The true place leads to a history. */
static void try_row(bst_synth *synth, const life *l, const bst_value *states, bst_diags *diags) {
    bst_cell cells[COLUMNS_MAX] = {{.result = BST_VALUE_OK}};
    const bst_row row = {.key = "1", .key_len = 1, .in_scope = true, .number = 1, .cells = cells};
    bst_fate fate;
    bst_history history;
    const bst_refusal *refusal = NULL;
    for (size_t i = 0; i < mapping->source.column_count && i < COLUMNS_MAX; i++) {
        cells[i].value = value_of(mapping->source.columns[i].name, l, states);
    }
    if (bst_synth_row(synth, &row, &fate, &history, &refusal, diags) != BST_OK) {
        fail("a row fails");
    }
    if (fate == BST_MIGRATED) {
        migrated++;
        return;
    }
    /* no walk among those that were tried has all guards hold */
    refused++;
    if (refusal->reason != BST_REASON_GUARD_REFUSED && refusal->reason != BST_REASON_FOLD_DIFFERS &&
        refusal->reason != BST_REASON_TOO_AMBIGUOUS) {
        fprintf(stderr, "%s: %s\n", bst_reason_text(refusal->reason), refusal->message.text);
        fail("a true row has no history");
    }
}

/* ---- values against all states ---- */

/* The state whose columns these are, found by looking at all of them; BST_NONE. */
static uint32_t search(const uint32_t *codes) {
    for (uint32_t s = 0; s < machine->state_count; s++) {
        uint32_t of[BST_STATE_COLUMNS_MAX];
        bool same = bst_mapping_codes_of(mapping, s, of);
        for (uint32_t c = 0; same && c < mapping->state_column_count; c++) {
            same = of[c] == BST_NONE || of[c] == codes[c];
        }
        if (same) {
            return s;
        }
    }
    return BST_NONE;
}

static void try_any(void) {
    bst_value values[BST_STATE_COLUMNS_MAX];
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    bst_state_reading reading;
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        codes[c] = regions_roll(&spec, mapping->state_columns[c].code_count);
        values[c] = code_value(c, codes[c]);
    }
    bst_mapping_read_state(mapping, values, &reading);
    const uint32_t state = search(codes);
    if (reading.state != state ||
        (state == BST_NONE) != (reading.verdict == BST_STATE_IMPOSSIBLE)) {
        fail("read as another state");
    }
    impossible += state == BST_NONE;
}

static void try_mapping(bst_diags *diags) {
    bst_synth *synth = NULL;
    if (bst_synth_new(mapping, &synth, diags) != BST_OK) {
        fail("no synthesis");
    }
    for (unsigned i = 0; i < WALKS; i++) {
        life l;
        uint32_t codes[BST_STATE_COLUMNS_MAX];
        bst_value values[BST_STATE_COLUMNS_MAX];
        bst_state_reading reading;
        live(&l);
        if (l.entity.state == BST_NONE) {
            continue;
        }
        if (!bst_mapping_codes_of(mapping, l.entity.state, codes)) {
            fail("a state without codes");
        }
        for (uint32_t c = 0; c < mapping->state_column_count; c++) {
            values[c] = code_value(c, codes[c]);
        }
        bst_mapping_read_state(mapping, values, &reading);
        if (reading.verdict != BST_STATE_KNOWN || reading.state != l.entity.state) {
            fail("not read as the state it was");
        }
        try_row(synth, &l, values, diags);
        try_any();
    }
    bst_synth_free(synth);
}

static bool try_machine(void) {
    bst_machine *alone = NULL;
    bst_diags *diags = bst_diags_new();
    char path[96];
    regions_write(&spec);
    const bool good =
        bst_machine_parse("m", spec.text.text, spec.text.len, &alone, diags) == BST_OK;
    if (good) {
        machine = alone;
        write_mapping();
        write_file("m.fsm.json", &spec.text);
        write_file("m.legacy.json", &text);
        snprintf(path, sizeof path, "%s/m.legacy.json", folder);
        if (bst_mapping_load(path, &mapping, diags) != BST_OK) {
            fprintf(stderr, "%s\n", bst_diags_at(diags, 0)->message);
            fail("the mapping is not accepted");
        }
        machine = mapping->machine;
        try_mapping(diags);
        mapping = bst_mapping_free(mapping);
    }
    bst_machine_free(alone);
    bst_diags_free(diags);
    return good;
}

int main(void) {
    const uint64_t cases = random_setting("BACKSTORY_CASES", 150);
    const uint64_t first = random_setting("BACKSTORY_SEED", 1);
    uint64_t good = 0;
    char path[96];
    bst_strbuf_init(&spec.text);
    bst_strbuf_init(&text);
    if (!mkdtemp(folder)) {
        return 1;
    }
    for (seed = first; seed < first + cases; seed++) {
        spec.state = seed;
        good += try_machine();
    }
    printf("%llu machines, %llu rows with a history, %llu refused, %llu impossible\n",
           (unsigned long long)good, (unsigned long long)migrated, (unsigned long long)refused,
           (unsigned long long)impossible);
    snprintf(path, sizeof path, "%s/m.fsm.json", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/m.legacy.json", folder);
    unlink(path);
    rmdir(folder);
    bst_strbuf_release(&spec.text);
    bst_strbuf_release(&text);
    return good * 2 < cases || migrated < refused || impossible == 0 ? 1 : 0;
}
