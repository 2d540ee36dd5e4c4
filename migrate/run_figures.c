/* The figures of a run: added up over chunks, and as JSON in the checkpoint of each.
 *
 *     {"read":..,"migrated":..,"quarantined":..,"out_of_scope":..,"events":..,"certain":..,
 *      "relaxed":..,
 *      "by_basis":{"recorded":..},"by_reason":{"null-key":..},"by_confidence":[..]}
 *
 * What is 0 is left out of by_basis and by_reason.
 */
#include <stddef.h>
#include <string.h>

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
    {"relaxed", offsetof(bst_run_figures, relaxed)},
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

char *bst__figures_write(const bst_run_figures *figures) {
    json_t *root = json_object();
    json_t *basis = json_object(), *reason = json_object(), *confidence = json_array();
    for (size_t i = 0; i < COUNTS; i++) {
        set_count(root, counts[i].name, count_of(figures, i));
    }
    for (int i = 0; i < BST_BASIS_COUNT; i++) {
        if (figures->by_basis[i] > 0) {
            set_count(basis, bst_basis_text((bst_basis)i), figures->by_basis[i]);
        }
    }
    for (int i = 1; i < BST_REASON_COUNT; i++) {
        if (figures->by_reason[i] > 0) {
            set_count(reason, bst_reason_text((bst_reason)i), figures->by_reason[i]);
        }
    }
    for (int i = 0; i < TENTHS; i++) {
        json_array_append_new(confidence, json_integer((json_int_t)figures->by_confidence[i]));
    }
    json_object_set_new(root, "by_basis", basis);
    json_object_set_new(root, "by_reason", reason);
    json_object_set_new(root, "by_confidence", confidence);
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
    const json_t *reason = json_object_get(root, "by_reason");
    const json_t *confidence = json_object_get(root, "by_confidence");
    for (size_t i = 0; i < COUNTS; i++) {
        *count_in(ret, i) = get_count(root, counts[i].name);
    }
    for (int i = 0; i < BST_BASIS_COUNT; i++) {
        ret->by_basis[i] = get_count(basis, bst_basis_text((bst_basis)i));
    }
    for (int i = 1; i < BST_REASON_COUNT; i++) {
        ret->by_reason[i] = get_count(reason, bst_reason_text((bst_reason)i));
    }
    for (int i = 0; i < TENTHS; i++) {
        ret->by_confidence[i] = (uint64_t)json_integer_value(json_array_get(confidence, (size_t)i));
    }
    json_decref(root);
    return true;
}

void bst__diags_move(bst_diags *from, bst_diags *to) {
    for (size_t i = 0; i < bst_diags_count(from); i++) {
        const bst_diag *diag = bst_diags_at(from, i);
        const bst_loc where = {diag->file, diag->line, diag->column};
        bst_diag_add(to, diag->status, diag->severity, diag->code, diag->file ? &where : NULL, "%s",
                     diag->message);
        if (diag->detail) {
            bst_diag_detail(to, "%s", diag->detail);
        }
        if (diag->hint) {
            bst_diag_hint(to, "%s", diag->hint);
        }
    }
    bst_diags_clear(from);
}
