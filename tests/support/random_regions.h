/* Random machines of regions that ask each other, leave their parallel state, enter it anew and end
 * it: for tests of regions with tables of their own. All events carry "k" and add it to the field
 * "n". The same seed gives the same text on every machine.
 */
#ifndef BACKSTORY_TESTS_RANDOM_REGIONS_H
#define BACKSTORY_TESTS_RANDOM_REGIONS_H

#include <stdbool.h>

#include "backstory/strbuf.h"
#include "random.h"

#define REGIONS_COMMANDS 5

typedef struct random_regions {
    uint64_t state;
    bst_strbuf text;
    unsigned regions;
    bool nested; /* the parallel state stands beside others */
} random_regions;

static inline uint32_t regions_roll(random_regions *r, uint32_t bound) {
    return (uint32_t)(random_next(&r->state) % bound);
}

static inline void regions_add_guard(random_regions *r) {
    switch (regions_roll(r, 6)) {
    case 0:
        bst_strbuf_addf(&r->text, ",\"guard\":{\"cel\":\"n > %u\"}", regions_roll(r, 6));
        break;
    case 1:
        bst_strbuf_addf(&r->text, ",\"guard\":{\"cel\":\"command.k == %u\"}", regions_roll(r, 3));
        break;
    case 2:
        bst_strbuf_addf(&r->text, ",\"guard\":{\"cel\":\"state_in(\\\"r%u.s%u\\\") || n < %u\"}",
                        regions_roll(r, r->regions), regions_roll(r, 3), regions_roll(r, 4));
        break;
    case 3:
        bst_strbuf_addf(&r->text, ",\"guard\":{\"cel\":\"!state_in(\\\"r%u.s%u\\\")\"}",
                        regions_roll(r, r->regions), regions_roll(r, 3));
        break;
    default:
        break;
    }
}

/* "c1": [ { ... }, ... ]; `targets`: where these may lead. */
static inline void regions_add_on(random_regions *r, const char *const *targets,
                                  uint32_t target_count, uint32_t density) {
    const char *between = "";
    bst_strbuf_adds(&r->text, "\"on\":{");
    for (uint32_t c = 0; c < REGIONS_COMMANDS; c++) {
        const uint32_t count = regions_roll(r, 100) < density ? 1 + regions_roll(r, 2) : 0;
        for (uint32_t i = 0; i < count; i++) {
            bst_strbuf_addf(&r->text, i == 0 ? "%s\"c%u\":[" : ",", between, c);
            bst_strbuf_addf(&r->text, "{\"event\":\"E%u\"", c);
            if (regions_roll(r, 5) > 0) {
                bst_strbuf_addf(&r->text, ",\"target\":\"%s\"",
                                targets[regions_roll(r, target_count)]);
                bst_strbuf_adds(&r->text, regions_roll(r, 5) == 0 ? ",\"reenter\":true" : "");
            }
            regions_add_guard(r);
            bst_strbuf_adds(&r->text, "}");
        }
        if (count > 0) {
            bst_strbuf_adds(&r->text, "]");
            between = ",";
        }
    }
    bst_strbuf_adds(&r->text, "}");
}

static inline void regions_add_region(random_regions *r, unsigned number) {
    static const char *const all[] = {"s0", "s1", "s2", "s3", "#m.end", "#m.start", "#m.box"};
    static const char *const inner[] = {"i0", "i1"};
    const uint32_t targets = r->nested ? (regions_roll(r, 3) == 0 ? 7 : 4) : 4;
    bst_strbuf_addf(&r->text, "%s\"r%u\":{\"initial\":\"s0\",", number ? "," : "", number);
    regions_add_on(r, all + 4, r->nested ? 2 : 0, r->nested ? 10 : 0);
    bst_strbuf_adds(&r->text, ",\"states\":{\"s0\":{");
    regions_add_on(r, all, targets, 60);
    bst_strbuf_adds(&r->text, "},\"s1\":{\"initial\":\"i0\",");
    regions_add_on(r, all, targets, 40);
    bst_strbuf_adds(&r->text, ",\"states\":{\"i0\":{");
    regions_add_on(r, inner, 2, 40);
    bst_strbuf_addf(&r->text, "},\"i1\":%s}%s},\"s2\":{",
                    regions_roll(r, 2) ? "{\"type\":\"final\"}" : "{}",
                    regions_roll(r, 3) == 0 ? ",\"onDone\":\"s2\"" : "");
    regions_add_on(r, all, targets, 50);
    if (regions_roll(r, 4) == 0) {
        bst_strbuf_adds(&r->text, ",\"always\":\"s0\"");
    }
    bst_strbuf_adds(&r->text,
                    regions_roll(r, 2) ? "},\"s3\":{\"type\":\"final\"}}}" : "},\"s3\":{}}}");
}

static inline void regions_write(random_regions *r) {
    static const char *const outside[] = {"end", "start", "box"};
    r->regions = 2 + regions_roll(r, 3);
    r->nested = regions_roll(r, 3) > 0;
    bst_strbuf_clear(&r->text);
    bst_strbuf_adds(&r->text, "{\"id\":\"m\",\"fields\":{\"n\":{\"type\":\"int2\",\"default\":0}},"
                              "\"events\":{");
    for (uint32_t c = 0; c < REGIONS_COMMANDS; c++) {
        bst_strbuf_addf(&r->text,
                        "%s\"E%u\":{\"fields\":{\"k\":\"int2\"},\"apply\":{\"n\":\"n + "
                        "event.k\"}}",
                        c ? "," : "", c);
    }
    bst_strbuf_adds(&r->text, "},");
    if (r->nested) {
        bst_strbuf_adds(&r->text, "\"initial\":\"start\",\"states\":{\"start\":{");
        regions_add_on(r, outside, 3, 60);
        bst_strbuf_adds(&r->text, "},\"end\":{},\"box\":{");
        regions_add_on(r, outside, 3, 20);
        bst_strbuf_adds(&r->text, regions_roll(r, 2) ? ",\"onDone\":\"end\"," : ",");
    } else {
        bst_strbuf_adds(&r->text,
                        regions_roll(r, 3) == 0 ? "\"on\":{\"c0\":{\"event\":\"E0\"}}," : "");
    }
    bst_strbuf_adds(&r->text, "\"type\":\"parallel\",\"states\":{");
    for (unsigned i = 0; i < r->regions; i++) {
        regions_add_region(r, i);
    }
    bst_strbuf_adds(&r->text, r->nested ? "}}}}" : "}}");
}

#endif
