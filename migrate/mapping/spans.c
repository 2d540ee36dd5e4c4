/* How long something took, coarsely, and what entities had that took so long. */
#include "mapping_private.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE INT64_C(60000000)
#define DAY    (24 * 60 * MINUTE)

/* About a logarithm. */
static const struct span {
    int64_t most;
    const char *text;
} spans[BST_SPANS] = {{0, "at once"},
                      {MINUTE, "within a minute"},
                      {60 * MINUTE, "within an hour"},
                      {DAY, "within a day"},
                      {7 * DAY, "within a week"},
                      {30 * DAY, "within a month"},
                      {INT64_MAX, "longer than a month"}};

static const char *const kinds[] = {"whole", "first", "last"};

const char *bst_span_text(uint32_t span) {
    return spans[span].text;
}

const char *bst_span_of_text(bst_span_of of) {
    return kinds[of];
}

uint32_t bst_span_of_time(int64_t from, int64_t to) {
    uint32_t span = 0;
    /* times of some 600,000 years lie within an int64_t, their difference may not */
    const uint64_t took = to > from ? (uint64_t)to - (uint64_t)from : 0;
    while (took > (uint64_t)spans[span].most)
        span++;
    return span;
}

uint32_t bst__map_span(const char *text) {
    for (uint32_t i = 0; i < BST_SPANS; i++) {
        if (strcmp(spans[i].text, text) == 0)
            return i;
    }
    return BST_NONE;
}

uint32_t bst__map_span_of(const char *text) {
    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], text) == 0)
            return i;
    }
    return BST_NONE;
}

static int compare(const void *a, const void *b) {
    const bst_seen_span *const x = a, *const y = b;
    const int order = strcmp(x->here.signature, y->here.signature);
    return order != 0 ? order : (x->span > y->span) - (x->span < y->span);
}

void bst__map_sort_spans(bst_seen_span *all, uint32_t count) {
    qsort(all, count, sizeof *all, compare);
}

const bst_seen_here *bst_mapping_span(const bst_mapping *mapping, const char *signature,
                                      uint32_t span) {
    const bst_seen_span wanted = {.here.signature = signature, .span = span};
    const bst_seen_span *const found =
        mapping->seen_span_count > 0 ? bsearch(&wanted, mapping->seen_spans,
                                               mapping->seen_span_count, sizeof wanted, compare)
                                     : NULL;
    return found ? &found->here : NULL;
}

static int compare_signature(const void *text, const void *here) {
    return strcmp(text, ((const bst_seen_here *)here)->signature);
}

const bst_seen_here *bst_mapping_seen(const bst_mapping *mapping, const char *signature) {
    return mapping->seen_here_count > 0
               ? bsearch(signature, mapping->seen_here, mapping->seen_here_count,
                         sizeof *mapping->seen_here, compare_signature)
               : NULL;
}
