/* Regions with tables of their own are the machine that one table is: the same random machine,
 * loaded both ways, takes the same steps into the same states on random walks, and refuses the
 * same.
 *
 * BACKSTORY_CASES: how many random machines (600), BACKSTORY_SEED: that of the first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/check.h"
#include "backstory/regions.h"
#include "random_regions.h"

#define STEPS 120

static uint64_t seed;
static random_regions spec;

static void fail(const char *what) {
    fprintf(stderr, "seed %llu: %s\n%s\n", (unsigned long long)seed, what, spec.text.text);
    exit(1);
}

static uint32_t roll(uint32_t bound) {
    return regions_roll(&spec, bound);
}

/* ---- walks ---- */

typedef struct both {
    const bst_machine *one, *split;
    bst_entity whole;
    bst_region_entity parts;
    bst_value whole_field, parts_field;
    bst_strbuf name;
    uint64_t steps, refusals;
} both;

static void check_place(both *b, const bst_place *place, uint32_t state) {
    bst_place found;
    bst_strbuf_clear(&b->name);
    bst_place_name(b->split, place, &b->name);
    if (strcmp(b->name.text, b->one->states[state].name) != 0) {
        fprintf(stderr, "%s, but %s in one table\n", b->name.text, b->one->states[state].name);
        fail("another state");
    }
    if (!bst_place_find(b->split, b->name.text, &found) ||
        !bst_place_equal(b->split, &found, place)) {
        fail("the name is not that of the place");
    }
    for (uint32_t n = 0; n < b->one->node_count; n++) {
        if (bst_machine_is_active(b->one, state, n) != bst_place_is_active(b->split, place, n)) {
            fail("another state is active");
        }
    }
}

static void take_step(both *b) {
    const uint32_t command = roll(b->one->command_count);
    bst_value payload = {.present = roll(20) > 0, .u.i = (int64_t)roll(5) - 1};
    bst_value one_fields;
    bst_value split_fields;
    bst_event one = {.fields = &one_fields};
    bst_region_event split = {.fields = &split_fields};
    if (roll(40) == 0) {
        payload.u.i = 32767; /* leaves the range of "n" soon */
    }
    const bst_decision d = bst_decide(b->one, &b->whole, command, &payload, &one);
    const bst_decision e = bst_regions_decide(b->split, &b->parts, command, &payload, &split);
    /* what state_in() alone refuses does not stand in one table at all */
    const bool unlisted = d.verdict == BST_NO_TRANSITION &&
                          (e.verdict == BST_GUARD_REFUSED || e.verdict == BST_INVALID_PAYLOAD);
    if (d.verdict != e.verdict && !unlisted) {
        fprintf(stderr, "%s, but %s in one table\n", bst_verdict_text(e.verdict),
                bst_verdict_text(d.verdict));
        fail("another verdict");
    }
    if (d.verdict != BST_ACCEPTED) {
        b->refusals++;
        return;
    }
    if (one.type != split.type) {
        fail("another event");
    }
    check_place(b, &split.at, one.state);
    if (bst_apply(b->one, &b->whole, &one) != BST_APPLY_OK ||
        bst_regions_apply(b->split, &b->parts, &split) != BST_APPLY_OK) {
        fail("a decided event cannot be applied");
    }
    if (b->whole_field.u.i != b->parts_field.u.i) {
        fail("another value");
    }
    b->steps++;
}

/* An event into any state: what one table allows the regions allow as well. (They take guards that
 * ask for other regions as possible, so they may allow more.) */
static void try_event(both *b) {
    const uint32_t state = roll(b->one->state_count);
    bst_value payload = {.present = true, .u.i = 0};
    bst_region_event event = {.type = roll(b->one->event_count), .fields = &payload};
    if (!bst_place_find(b->split, b->one->states[state].name, &event.at)) {
        fail("a state that the regions do not have");
    }
    if (b->whole.state == BST_NONE || b->one->events[event.type].field_count == 0) {
        return;
    }
    bst_value field = b->parts_field;
    bst_region_entity copy = {b->parts.at, &field};
    if (bst_machine_allows(b->one, b->whole.state, event.type, state) &&
        bst_regions_apply(b->split, &copy, &event) != BST_APPLY_OK) {
        fail("an event of one table is refused");
    }
}

static void walk(both *b) {
    b->whole_field = b->parts_field = BST_ABSENT;
    b->whole = (bst_entity){BST_NONE, &b->whole_field};
    b->parts = (bst_region_entity){{.state = BST_NONE}, &b->parts_field};
    for (unsigned i = 0; i < STEPS; i++) {
        take_step(b);
        try_event(b);
    }
}

static bool has_finding(const bst_diags *diags, const char *code) {
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        if (strcmp(bst_diags_at(diags, i)->code, code) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the machine could be loaded both ways. */
static bool try_machine(both *b) {
    bst_machine *one = NULL;
    bst_machine *split = NULL;
    bst_diags *diags = bst_diags_new();
    regions_write(&spec);
    if (bst_machine_parse("m", spec.text.text, spec.text.len, &one, diags) == BST_OK) {
        const bst_status status =
            bst_regions_parse("m", spec.text.text, spec.text.len, 0, &split, diags);
        if (status != BST_OK && !has_finding(diags, "too-many-configurations")) {
            fail("an error that one table does not have");
        }
    }
    const bool good = one && split;
    if (good) {
        b->one = one;
        b->split = split;
        if (!bst_machine_regions(split) || bst_regions_size(split) < one->state_count) {
            fail("not split");
        }
        for (unsigned i = 0; i < 4; i++) {
            walk(b);
        }
        if (bst_machine_check(split, diags) != BST_OK) {
            fail("not checked");
        }
    }
    bst_diags_free(diags);
    bst_machine_free(one);
    bst_machine_free(split);
    return good;
}

int main(void) {
    const uint64_t cases = random_setting("BACKSTORY_CASES", 600);
    const uint64_t first = random_setting("BACKSTORY_SEED", 1);
    uint64_t good = 0;
    both b = {.steps = 0};
    bst_strbuf_init(&spec.text);
    bst_strbuf_init(&b.name);
    for (seed = first; seed < first + cases; seed++) {
        spec.state = seed;
        good += try_machine(&b);
    }
    printf("%llu of %llu machines, %llu steps, %llu refusals\n", (unsigned long long)good,
           (unsigned long long)cases, (unsigned long long)b.steps, (unsigned long long)b.refusals);
    bst_strbuf_release(&spec.text);
    bst_strbuf_release(&b.name);
    return good * 2 < cases || b.steps < cases * 20 ? 1 : 0;
}
