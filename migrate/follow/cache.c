/* What is known of the entities that changed lately: so that most changes ask the store nothing.
 *
 * Bounded: when it is full, those that have not been touched since the last sweep go, and if that
 * is not enough, all. Whatever is gone is folded from the store again.
 */
#include "follow_private.h"

#include <stdlib.h>
#include <string.h>

#define ALLOCATION_BYTES 16u

static bool has_text(const bst_type *type) {
    switch (type->kind) {
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
    case BST_KIND_BYTEA:
    case BST_KIND_JSON:
        return true;
    default:
        return false;
    }
}

bst__known *bst__cache_find(bst__cache *cache, const char *key, size_t len) {
    bst__known *known;
    HASH_FIND(hh, cache->all, key, len, known);
    return known;
}

static size_t size_of(const bst__cache *cache, const bst__known *known) {
    const size_t record = cache->machine->field_count * sizeof(bst_value);
    /* Its trace may be there as well, and each piece of memory has a head. */
    return sizeof *known + sizeof *known->trace + 2 * (record + known->block_size) +
           known->image_size + known->key_len + 6 * ALLOCATION_BYTES;
}

bst__trace *bst__trace_new(const bst_machine *machine) {
    bst__trace *const trace = calloc(1, sizeof *trace);
    bst_value *const fields = calloc(machine->field_count + 1u, sizeof *fields);
    if (trace && fields) {
        trace->fields = fields;
        return trace;
    }
    free(trace);
    free(fields);
    return NULL;
}

bst__trace *bst__trace_free(bst__trace *trace) {
    if (trace) {
        free(trace->block);
        free(trace->fields);
        free(trace);
    }
    return NULL;
}

static void drop(bst__known *known) {
    bst__trace_free(known->trace);
    free(known->block);
    free(known->image);
    free(known);
}

bst__known *bst__cache_add(bst__cache *cache, const char *key, size_t len) {
    const size_t fields = cache->machine->field_count * sizeof(bst_value);
    bst__known *const known = calloc(1, sizeof *known + fields + len + 1);
    if (!known)
        return NULL;
    known->fields = (bst_value *)(known + 1);
    char *const copy = (char *)(known + 1) + fields;
    memcpy(copy, key, len);
    known->key = copy;
    known->key_len = len;
    known->state = BST_NONE;
    known->touched = true;
    HASH_ADD_KEYPTR(hh, cache->all, known->key, len, known);
    if (known->lost) {
        free(known);
        return NULL;
    }
    cache->bytes += size_of(cache, known);
    return known;
}

bool bst__cache_copy(const bst_machine *machine, const bst_value *fields, bst_value *ret_fields,
                     char **ret_block, size_t *ret_size) {
    size_t text = 0;
    for (uint32_t f = 0; f < machine->field_count; f++)
        text += fields[f].present && has_text(&machine->fields[f].type) ? fields[f].len : 0;
    char *const block = text > 0 ? malloc(text) : NULL;
    if (text > 0 && !block)
        return false;
    char *to = block;
    for (uint32_t f = 0; f < machine->field_count; f++) {
        bst_value value = fields[f];
        if (value.present && has_text(&machine->fields[f].type)) {
            if (value.len > 0)
                memcpy(to, value.u.text, value.len);
            value.u.text = value.len > 0 ? to : "";
            to += value.len;
        }
        ret_fields[f] = value;
    }
    *ret_block = block;
    *ret_size = text;
    return true;
}

bool bst__cache_set(bst__cache *cache, bst__known *known, uint32_t state, const bst_value *fields) {
    char *const old = known->block; /* the new values may point into it */
    const size_t old_size = known->block_size;
    if (!bst__cache_copy(cache->machine, fields, known->fields, &known->block, &known->block_size))
        return false;
    free(old);
    cache->bytes = cache->bytes - 2 * old_size + 2 * known->block_size;
    known->state = state;
    return true;
}

static void set_image(bst__cache *cache, bst__known *known, char *image, size_t size) {
    cache->bytes = cache->bytes - known->image_size + size;
    free(known->image);
    known->image = image;
    known->image_size = size;
}

bool bst__cache_set_aside(bst__cache *cache, bst__known *known, const char *image) {
    char *const copy = image ? strdup(image) : NULL;
    if (image && !copy)
        return false;
    set_image(cache, known, copy, image ? strlen(image) : 0);
    known->quarantined = true;
    return true;
}

void bst__cache_release(bst__cache *cache, bst__known *known) {
    set_image(cache, known, NULL, 0);
    known->quarantined = false;
}

void bst__cache_sweep(bst__cache *cache) {
    bst__known *known, *next;
    if (cache->bytes <= BST__CACHE_BYTES_MAX)
        return;
    HASH_ITER (hh, cache->all, known, next) {
        if (known->touched) {
            known->touched = false;
            continue;
        }
        cache->bytes -= size_of(cache, known);
        HASH_DEL(cache->all, known);
        drop(known);
    }
    if (cache->bytes > BST__CACHE_BYTES_MAX / 2)
        bst__cache_clear(cache);
}

void bst__cache_clear(bst__cache *cache) {
    bst__known *known, *next;
    HASH_ITER (hh, cache->all, known, next) {
        HASH_DEL(cache->all, known);
        drop(known);
    }
    cache->all = NULL;
    cache->bytes = 0;
}
