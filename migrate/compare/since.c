/* A comparison that remembers the one before. The keys fall into chunks; of each the file has a
 * mark of the rows, one of the histories (see marks.h), and whether they were equal. What has not
 * changed on either side, and was equal, is equal still: it is not read again.
 *
 *     {"compare":3,"mapping_sha256":..,"machine_sha256":..,"tolerance":[..],"made_at":..,
 *      "old_stamp":..,"new_stamp":..,
 *      "bounds":["1042",..],"chunks":[{"old":..,"new":..,"equal":true},..]}
 */
#include "compare_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>

#include "backstory/output_file.h"

#define CHUNK_ROWS   10000u
#define FILE_VERSION 3

static bst_status file_trouble(const bst__since *since, const char *what, bst_diags *diags) {
    const bst_loc where = {since->path, 0, 0};
    return bst_diag_add(diags, BST_IO, BST_ERROR, "cannot-write", &where, "could not %s: %s", what,
                        strerror(errno));
}

static bst_status not_ours(const bst__since *since, const char *what, bst_diags *diags) {
    const bst_loc where = {since->path, 0, 0};
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "other-comparison", &where, "%s", what);
    bst_diag_hint(diags, "Remove the file to begin anew, or name another one.");
    return BST_INVALID;
}

/* ---- the file */

/* By field, and that of the time of creation. */
static json_t *tolerances_of(const bst_mapping *mapping, const bst_compare_options *options) {
    json_t *list = json_array();
    for (uint32_t f = 0; f < mapping->machine->field_count; f++) {
        json_array_append_new(
            list, json_integer(options->tolerance ? (json_int_t)options->tolerance[f] : 0));
    }
    json_array_append_new(list, json_integer((json_int_t)options->creation_tolerance));
    return list;
}

static bool says(const json_t *root, const char *name, const char *text) {
    const char *said = json_string_value(json_object_get(root, name));
    return said && strcmp(said, text) == 0;
}

static bst_status check(const bst__since *since, const json_t *root, const bst_mapping *mapping,
                        const bst_compare_options *options, bst_diags *diags) {
    json_t *wanted = tolerances_of(mapping, options);
    const bool same = json_equal(wanted, json_object_get(root, "tolerance")) == 1;
    json_decref(wanted);
    const json_int_t version = json_integer_value(json_object_get(root, "compare"));
    if (version != FILE_VERSION) {
        return not_ours(since,
                        version > 0 && version < FILE_VERSION
                            ? "the comparison before was an older program's, which compared less"
                            : "this is no file of compare --since",
                        diags);
    }
    if (!says(root, "mapping_sha256", mapping->sha256)) {
        return not_ours(since, "the comparison before had another mapping", diags);
    }
    if (!says(root, "machine_sha256", mapping->machine->sha256)) {
        return not_ours(since, "the comparison before had another machine", diags);
    }
    return same ? BST_OK : not_ours(since, "the comparison before had other tolerances", diags);
}

static bool make_marks(bst_marks *marks, size_t count, bst_arena *arena) {
    marks->marks = bst_arena_array(arena, count, sizeof *marks->marks);
    marks->written = bst_arena_array(arena, count, sizeof *marks->written);
    return marks->marks && marks->written;
}

static bool make_room(bst__since *since, size_t bound_count, bst_arena *arena) {
    const size_t count = bound_count + 1;
    since->bound_count = bound_count;
    since->bounds = bst_arena_array(arena, bound_count, sizeof *since->bounds);
    since->was_equal = bst_arena_array(arena, count, sizeof *since->was_equal);
    since->differs = bst_arena_array(arena, count, sizeof *since->differs);
    return since->bounds && since->was_equal && since->differs &&
           make_marks(&since->old.before, count, arena) &&
           make_marks(&since->old.now, count, arena) &&
           make_marks(&since->new.before, count, arena) &&
           make_marks(&since->new.now, count, arena);
}

static const char *kept(const json_t *text, bst_arena *arena) {
    return json_is_string(text) ? bst_arena_strdup(arena, json_string_value(text)) : NULL;
}

static bst_status take(bst__since *since, const json_t *root, bst_arena *arena, bst_diags *diags) {
    const json_t *bounds = json_object_get(root, "bounds");
    const json_t *chunks = json_object_get(root, "chunks");
    if (!make_room(since, json_array_size(bounds), arena)) {
        return bst_diag_nomem(diags);
    }
    if (json_array_size(chunks) != since->bound_count + 1) {
        return not_ours(since, "the file is damaged: chunks and bounds do not fit", diags);
    }
    for (size_t i = 0; i < since->bound_count; i++) {
        since->bounds[i] = kept(json_array_get(bounds, i), arena);
        if (!since->bounds[i] || (i > 0 && strcmp(since->bounds[i - 1], since->bounds[i]) >= 0)) {
            return not_ours(since, "the file is damaged: its bounds are not in order", diags);
        }
    }
    for (size_t i = 0; i <= since->bound_count; i++) {
        const json_t *chunk = json_array_get(chunks, i);
        since->old.before.marks[i] = kept(json_object_get(chunk, "old"), arena);
        since->new.before.marks[i] = kept(json_object_get(chunk, "new"), arena);
        since->was_equal[i] = json_is_true(json_object_get(chunk, "equal"));
    }
    since->old.before.stamp = kept(json_object_get(root, "old_stamp"), arena);
    since->new.before.stamp = kept(json_object_get(root, "new_stamp"), arena);
    since->made_at = kept(json_object_get(root, "made_at"), arena);
    return BST_OK;
}

static bst_status read_file(bst__since *since, const bst_mapping *mapping,
                            const bst_compare_options *options, bst_arena *arena,
                            bst_diags *diags) {
    json_error_t error;
    json_t *root = json_load_file(since->path, 0, &error);
    if (!root) {
        return not_ours(since, "this is no file of compare --since", diags);
    }
    bst_status status = check(since, root, mapping, options, diags);
    if (status == BST_OK) {
        status = take(since, root, arena, diags);
    }
    json_decref(root);
    return status;
}

static json_t *as_json(const bst__since *since, const bst_mapping *mapping,
                       const bst_compare_options *options) {
    char now[BST_TIME_TEXT_MAX];
    json_t *bounds = json_array();
    json_t *chunks = json_array();
    for (size_t i = 0; i < since->bound_count; i++) {
        json_array_append_new(bounds, json_string(since->bounds[i]));
    }
    for (size_t i = 0; i <= since->bound_count; i++) {
        json_array_append_new(chunks,
                              json_pack("{s:s?, s:s?, s:b}", "old", since->old.now.marks[i], "new",
                                        since->new.now.marks[i], "equal", !since->differs[i]));
    }
    bst_time_format(BST_TIME_UNIX_EPOCH + (int64_t)time(NULL) * 1000000, now);
    return json_pack("{s:i, s:s, s:s, s:o, s:s, s:s?, s:s?, s:o, s:o}", "compare", FILE_VERSION,
                     "mapping_sha256", mapping->sha256, "machine_sha256", mapping->machine->sha256,
                     "tolerance", tolerances_of(mapping, options), "made_at", now, "old_stamp",
                     since->old.now.stamp, "new_stamp", since->new.now.stamp, "bounds", bounds,
                     "chunks", chunks);
}

static bool dump(const json_t *root, const char *path) {
    bst_output_file out;
    if (!bst_output_file_open(&out, path) || json_dumpf(root, out.file, JSON_INDENT(1)) != 0) {
        const int error = errno;
        bst_output_file_drop(&out);
        errno = error;
        return false;
    }
    return bst_output_file_keep(&out);
}

/* A comparison that is broken off leaves the file as it was. */
bst_status bst__since_write(const bst__since *since, const bst_mapping *mapping,
                            const bst_compare_options *options, bst_diags *diags) {
    json_t *root = as_json(since, mapping, options);
    bst_status status = root ? BST_OK : bst_diag_nomem(diags);
    if (status == BST_OK && !dump(root, since->path)) {
        status = file_trouble(since, "write the file", diags);
    }
    json_decref(root);
    return status;
}

/* ---- what is to be read */

/* Where there was no comparison before: about equal chunks. */
static bst_status cut(bst__since *since, bst_source *source, bst_reader *reader, bst_arena *arena,
                      bst_diags *diags) {
    const uint64_t expected = bst_source_expected(source);
    const char *const *keys = NULL;
    size_t count = 0;
    bst_status status =
        bst_reader_cut(reader, (uint32_t)(expected / CHUNK_ROWS + 1), arena, &keys, &count, diags);
    if (status == BST_OK && !make_room(since, count, arena)) {
        return bst_diag_nomem(diags);
    }
    for (size_t i = 0; status == BST_OK && i < count; i++) {
        since->bounds[i] = keys[i];
    }
    return status;
}

/* The old side is marked while the new side is. */
typedef struct marker {
    bst__since *since;
    bst_source *source;
    bst_arena *arena;
    bst_diags *diags;
    bst_status status;
} marker;

static void *mark_old(void *context) {
    marker *m = context;
    bst__since_side *old = &m->since->old;
    m->status = bst_source_mark(m->source, m->since->bounds, m->since->bound_count, &old->before,
                                m->arena, &old->now, m->diags);
    return NULL;
}

static bst_status mark(bst__since *since, bst_source *source, bst_reader *reader, bst_arena *arena,
                       bst_diags *diags) {
    since->arena = bst_arena_new();
    marker m = {.since = since, .source = source, .arena = since->arena, .diags = bst_diags_new()};
    pthread_t thread;
    bst_status status = BST_NOMEM;
    if (m.arena && m.diags && pthread_create(&thread, NULL, mark_old, &m) == 0) {
        status = bst_reader_mark(reader, since->bounds, since->bound_count, &since->new.before,
                                 arena, &since->new.now, diags);
        pthread_join(thread, NULL);
        if (status == BST_OK && m.status != BST_OK) {
            status = m.status;
            bst_diags_move(m.diags, diags);
        }
    } else {
        bst_diag_nomem(diags);
    }
    bst_diags_free(m.diags);
    return status;
}

static bool is_same(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_unchanged(const bst__since_side *side, size_t chunk) {
    return !side->now.written[chunk] && is_same(side->before.marks[chunk], side->now.marks[chunk]);
}

/* Chunks that have to be read, those side by side as one range. */
static bst_status find_ranges(bst__since *since, bst_arena *arena, bst_diags *diags) {
    const size_t count = since->bound_count + 1;
    since->ranges = bst_arena_array(arena, count, sizeof *since->ranges);
    if (!since->ranges) {
        return bst_diag_nomem(diags);
    }
    bool open = false;
    for (size_t i = 0; i < count; i++) {
        const bool skip = since->made_at && since->was_equal[i] && !since->differs[i] &&
                          is_unchanged(&since->old, i) && is_unchanged(&since->new, i);
        if (!skip) {
            if (!open) {
                since->ranges[since->range_count++].from = i > 0 ? since->bounds[i - 1] : NULL;
            }
            since->ranges[since->range_count - 1].before =
                i < since->bound_count ? since->bounds[i] : NULL;
            since->read++;
        }
        open = !skip;
    }
    return BST_OK;
}

/* A device or a FIFO keeps nothing of a comparison before. */
static bool is_kept(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* The marks are of the rows below what lies over them: where something does, they say nothing,
 * neither now nor the next time. */
static void mind_overlay(bst__since *since, const bst__overlay *overlay) {
    for (size_t i = 0; overlay && i < overlay->count; i++) {
        bst__since_differs(since, overlay->rows[i]->key, overlay->rows[i]->key_len);
    }
    for (size_t i = 0; overlay && overlay->emptied && i <= since->bound_count; i++) {
        since->differs[i] = true;
    }
}

void bst__since_release(bst__since *since) {
    bst_arena_free(since->arena);
}

bst_status bst__since_open(bst__since *since, const bst_mapping *mapping,
                           const bst_compare_options *options, bst_source *source,
                           const bst__overlay *overlay, bst_reader *reader, bst_arena *arena,
                           bst_diags *diags) {
    since->path = options->since;
    bst_status status = is_kept(since->path) ? read_file(since, mapping, options, arena, diags)
                                             : cut(since, source, reader, arena, diags);
    if (status == BST_OK) {
        status = mark(since, source, reader, arena, diags);
    }
    if (status != BST_OK) {
        return status;
    }
    mind_overlay(since, overlay);
    return find_ranges(since, arena, diags);
}

void bst__since_differs(bst__since *since, const char *key, size_t len) {
    size_t low = 0;
    size_t high = since->bound_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const char *bound = since->bounds[middle];
        const size_t bound_len = strlen(bound);
        int order = memcmp(bound, key, bound_len < len ? bound_len : len);
        order = order != 0 ? order : (bound_len > len) - (bound_len < len);
        if (order <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    since->differs[low] = true;
}
