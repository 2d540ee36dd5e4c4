/* The keys of quarantined rows, from a file or from a store: compare expects these to have no
 * history, and a retry is for them alone. */
#include "backstory/loads.h"
#include "quarantine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

#define LINE_BYTES_MAX (256u << 20) /* of a quarantine file */

typedef struct key {
    const char *text;
    bool lost;
    UT_hash_handle hh;
} key;

struct bst__key_set {
    bst_arena *arena;
    key *keys;
};

static bst_status add_key(bst__key_set *set, const char *text, size_t len, bst_diags *diags) {
    if (bst__key_set_has(set, text, len)) {
        return BST_OK;
    }
    key *entry = bst_arena_alloc(set->arena, sizeof *entry);
    if (!entry || !(entry->text = bst_arena_strndup(set->arena, text, len))) {
        return bst_diag_nomem(diags);
    }
    HASH_ADD_KEYPTR(hh, set->keys, entry->text, len, entry);
    return entry->lost ? bst_diag_nomem(diags) : BST_OK;
}

static bst_status add_line(bst__key_set *set, const char *path, uint32_t number, const char *line,
                           size_t len, bst_diags *diags) {
    json_t *json = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    const json_t *text = json_object_get(json, "key");
    bst_status status = BST_OK;
    if (json_is_string(text)) {
        status = add_key(set, json_string_value(text), json_string_length(text), diags);
    } else if (!json_is_null(text)) {
        bst_loc where = {path, number, 1};
        status = bst_diag_add(diags, BST_IO, BST_ERROR, "quarantine-file", &where,
                              "this line of a quarantine file has no key");
    }
    json_decref(json);
    return status;
}

static bst_status read_lines(bst__key_set *set, const char *path, FILE *file, bst_diags *diags) {
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    bst_status status = BST_OK;
    uint32_t number = 0;
    while (status == BST_OK && (len = getline(&line, &size, file)) >= 0) {
        number++;
        if ((size_t)len > LINE_BYTES_MAX) {
            status = bst_diag_add(diags, BST_LIMIT, BST_ERROR, "quarantine-file", NULL,
                                  "line %u of quarantine file \"%s\" is too long", number, path);
        } else {
            status = add_line(set, path, number, line, (size_t)len, diags);
        }
    }
    if (status == BST_OK && ferror(file)) {
        status = bst_diag_add(diags, BST_IO, BST_ERROR, "quarantine-file", NULL,
                              "could not read quarantine file \"%s\": %s", path, strerror(errno));
    }
    free(line);
    return status;
}

static bst__key_set *new_set(void) {
    bst__key_set *set = calloc(1, sizeof *set);
    if (set && !(set->arena = bst_arena_new())) {
        free(set);
        return NULL;
    }
    return set;
}

typedef struct filling {
    bst__key_set *set;
    bst_diags *diags;
} filling;

#if BACKSTORY_POSTGRES
static bst_status add_aside(void *context, const bst_aside *aside) {
    const filling *f = context;
    return aside->key ? add_key(f->set, aside->key, aside->key_len, f->diags) : BST_OK;
}
#endif

static bst_status fill_from_store(const char *store, const char *machine, bst__aside_kind kind,
                                  const char *moment, filling *f) {
#if BACKSTORY_POSTGRES
    return kind == BST__ASIDE_WITHOUT_HISTORY
               ? bst_store_aside(store, machine, NULL, moment, add_aside, f, f->diags)
               : bst_follow_aside(store, machine, NULL, moment, add_aside, f, f->diags);
#else
    (void)store;
    (void)machine;
    (void)kind;
    (void)moment;
    (void)f;
    return BST_OK;
#endif
}

bst_status bst__key_set_of_store(const char *store, const char *machine, bst__aside_kind kind,
                                 const char *moment, bst__key_set **ret, bst_diags *diags) {
    filling f = {new_set(), diags};
    if (!f.set) {
        return bst_diag_nomem(diags);
    }
    bst_status status = fill_from_store(store, machine, kind, moment, &f);
    if (status != BST_OK) {
        bst__key_set_free(f.set);
        return status;
    }
    *ret = f.set;
    return BST_OK;
}

bst_status bst__key_set_read(const char *path, bst__key_set **ret, bst_diags *diags) {
    bst__key_set *set = new_set();
    if (!set) {
        return bst_diag_nomem(diags);
    }
    FILE *file = path ? fopen(path, "r") : NULL;
    bst_status status = BST_OK;
    if (file) {
        status = read_lines(set, path, file, diags);
        fclose(file);
    } else if (path && errno != ENOENT) {
        status = bst_diag_add(diags, BST_IO, BST_ERROR, "quarantine-file", NULL,
                              "could not read quarantine file \"%s\": %s", path, strerror(errno));
    }
    if (status != BST_OK) {
        bst__key_set_free(set);
        return status;
    }
    *ret = set;
    return BST_OK;
}

bool bst__key_set_has(const bst__key_set *set, const char *text, size_t len) {
    const key *found = NULL;
    HASH_FIND(hh, set->keys, text, len, found);
    return found != NULL;
}

bst__key_set *bst__key_set_free(bst__key_set *set) {
    if (set) {
        HASH_CLEAR(hh, set->keys);
        bst_arena_free(set->arena);
        free(set);
    }
    return NULL;
}
