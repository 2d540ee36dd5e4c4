/* The figures of a run: added up over chunks, and as JSON in the checkpoint of each.
 *
 *     {"read":..,"migrated":..,"quarantined":..,"out_of_scope":..,"events":..,"certain":..,
 *      "bytes":..,
 *      "by_basis":{"recorded":..},"by_remedy":{"genesis":..},"by_reason":{"null-key":..},
 *      "by_confidence":[..],
 *      "retries":..,"waited_for":".."}
 *
 * What is 0 is left out of the objects inside, and the last line where nothing was waited for. */
#include <stddef.h>

#include <jansson.h>

#include "run_private.h"

#define TENTHS 10

static const struct {
    const char *name;
    size_t offset;
} counts[] = {
    {"read", offsetof(bst_run_figures, read)},
    {"migrated", offsetof(bst_run_figures, migrated)},
    {"quarantined", offsetof(bst_run_figures, quarantined)},
    {"out_of_scope", offsetof(bst_run_figures, out_of_scope)},
    {"events", offsetof(bst_run_figures, events)},
    {"certain", offsetof(bst_run_figures, certain)},
    {"bytes", offsetof(bst_run_figures, bytes)},
};
#define COUNTS (sizeof counts / sizeof *counts)

static uint64_t *count_in(bst_run_figures *figures, size_t i) {
    return (uint64_t *)(void *)((char *)figures + counts[i].offset);
}

static uint64_t count_of(const bst_run_figures *figures, size_t i) {
    return *(const uint64_t *)(const void *)((const char *)figures + counts[i].offset);
}

void bst__figures_add(bst_run_figures *sum, const bst_run_figures *part) {
    for (size_t i = 0; i < COUNTS; i++) {
        *count_in(sum, i) += count_of(part, i);
    }
    for (int i = 0; i < BST_BASIS_COUNT; i++) {
        sum->by_basis[i] += part->by_basis[i];
    }
    for (int i = 0; i < BST_REMEDY_COUNT; i++) {
        sum->by_remedy[i] += part->by_remedy[i];
    }
    for (int i = 0; i < BST_REASON_COUNT; i++) {
        sum->by_reason[i] += part->by_reason[i];
    }
    for (int i = 0; i < TENTHS; i++) {
        sum->by_confidence[i] += part->by_confidence[i];
    }
}

static void set_count(json_t *object, const char *name, uint64_t count) {
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

static json_t *counts_by(const uint64_t *numbers, int first, int count, const char *name_of(int)) {
    json_t *object = json_object();
    for (int i = first; i < count; i++) {
        if (numbers[i] > 0) {
            set_count(object, name_of(i), numbers[i]);
        }
    }
    return object;
}

static const char *basis_name(int i) {
    return bst_basis_text((bst_basis)i);
}

static const char *remedy_name(int i) {
    return bst_remedy_text((bst_remedy)i);
}

static const char *reason_name(int i) {
    return bst_reason_text((bst_reason)i);
}

char *bst__figures_write(const bst_run_figures *figures, const bst__trouble *trouble) {
    json_t *root = json_object(), *confidence = json_array();
    for (size_t i = 0; i < COUNTS; i++) {
        set_count(root, counts[i].name, count_of(figures, i));
    }
    for (int i = 0; i < TENTHS; i++) {
        json_array_append_new(confidence, json_integer((json_int_t)figures->by_confidence[i]));
    }
    json_object_set_new(root, "by_basis",
                        counts_by(figures->by_basis, 0, BST_BASIS_COUNT, basis_name));
    json_object_set_new(root, "by_remedy",
                        counts_by(figures->by_remedy, 1, BST_REMEDY_COUNT, remedy_name));
    json_object_set_new(root, "by_reason",
                        counts_by(figures->by_reason, 1, BST_REASON_COUNT, reason_name));
    json_object_set_new(root, "by_confidence", confidence);
    if (trouble->retries > 0) {
        set_count(root, "retries", trouble->retries);
        json_object_set_new(root, "waited_for", json_string(trouble->last));
    }
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

static uint64_t get_count(const json_t *object, const char *name) {
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

bool bst__figures_read(const char *text, bst_run_figures *ret) {
    json_t *root = json_loads(text, 0, NULL);
    *ret = (bst_run_figures){0};
    if (!json_is_object(root)) {
        json_decref(root);
        return false;
    }
    const json_t *basis = json_object_get(root, "by_basis");
    const json_t *remedy = json_object_get(root, "by_remedy");
    const json_t *reason = json_object_get(root, "by_reason");
    const json_t *confidence = json_object_get(root, "by_confidence");
    for (size_t i = 0; i < COUNTS; i++) {
        *count_in(ret, i) = get_count(root, counts[i].name);
    }
    for (int i = 0; i < BST_BASIS_COUNT; i++) {
        ret->by_basis[i] = get_count(basis, basis_name(i));
    }
    for (int i = 1; i < BST_REMEDY_COUNT; i++) {
        ret->by_remedy[i] = get_count(remedy, remedy_name(i));
    }
    for (int i = 1; i < BST_REASON_COUNT; i++) {
        ret->by_reason[i] = get_count(reason, reason_name(i));
    }
    for (int i = 0; i < TENTHS; i++) {
        ret->by_confidence[i] = (uint64_t)json_integer_value(json_array_get(confidence, (size_t)i));
    }
    json_decref(root);
    return true;
}
