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
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "random.h"

#include "synth/synth_case.h"

uint64_t seed;
bst_mapping *mapping;
const bst_machine *machine;
synth_shape shape;
synth_truth now;
synth_tally tally;

static uint64_t state; /* of the random numbers */

uint32_t roll(uint32_t sides) {
    return (uint32_t)(random_next(&state) >> 33) % sides;
}

void fail(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s: BACKSTORY_SEED=%" PRIu64 "\ntruth:", file, line, what, seed);
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
    shape.sums = roll(3) == 0;
    draw_machine(&text);
    write_file("m.fsm.json", &text);
    bst_status status = bst_machine_parse("m", text.text, text.len, &drawn, diags);
    bst_strbuf_clear(&text);
    if (status == BST_OK) {
        draw_mapping(drawn, &text);
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

int main(void) {
    const uint64_t first = random_setting("BACKSTORY_SEED", 1);
    const uint64_t cases = random_setting("BACKSTORY_CASES", 100000);
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
            judge_row(synth, diags);
        }
        judge_names(synth, diags);
        bst_synth_free(synth);
        mapping = bst_mapping_free(mapping);
        bst_diags_free(diags);
    }
    unlink(path_of("m.fsm.json"));
    unlink(path_of("m.legacy.json"));
    rmdir(folder);
    printf("%u migrated (%u certain, %u likeliest), %u refused (%u after many, %u undivided of %u "
           "with sums); %u with a log (%u of regions)\n",
           tally.migrated, tally.certain, tally.assumed, tally.refused, tally.given_up,
           tally.undivided, tally.summed, tally.logged, tally.parted);
    printf("%u searched as they were tried, %u of them with amounts that only a sum tells\n",
           tally.searched + tally.hazy, tally.hazy);
    printf("%u spoiled; %u relaxed, %u reconciled, %u genesis\n", tally.spoiled,
           tally.remedied[BST_REMEDY_RELAXED], tally.remedied[BST_REMEDY_RECONCILED],
           tally.remedied[BST_REMEDY_GENESIS]);
    /* A generator that stopped making what is to be tested must not look like success. */
    bool thin = tally.certain < cases / 10 || tally.assumed < cases / 10 ||
                tally.refused > cases / 4 || tally.given_up > cases / 1000 ||
                tally.logged < cases / 10 || tally.parted < cases / 100 ||
                tally.searched < cases / 100 || tally.undivided < cases / 1000 ||
                tally.remedied[BST_REMEDY_RELAXED] < cases / 200 ||
                tally.remedied[BST_REMEDY_RECONCILED] < cases / 200 ||
                tally.remedied[BST_REMEDY_GENESIS] < cases / 200;
    return cases >= 1000 && thin ? EXIT_FAILURE : EXIT_SUCCESS;
}
