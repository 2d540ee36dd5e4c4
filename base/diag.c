/* The list of findings.
 *
 * Texts live in an arena beside the list. Memory that runs out while a finding is being added costs
 * that finding, never the list: it is counted as dropped, and one place is always kept free for the
 * report of the failure itself, whose texts are constants. How findings look is told in
 * diag_text.c; the guess of a name in nearest_name.c.
 */
#include "backstory/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/arena.h"
#include "backstory/warnings.h"

#define FIRST_CAPACITY 8
#define NONE           SIZE_MAX

struct bst_diags {
    bst_arena *texts;
    bst_diag *items;
    size_t count, capacity; /* count < capacity: the free place is for bst_diag_nomem */
    size_t dropped;
    size_t last; /* index of the finding added last; NONE when there is none, or it was dropped */
    bst_strbuf scratch;
    bst_warnings line, file; /* what the command line and the file in hand say of warnings */
};

bst_diags *bst_diags_new(void) {
    bst_diags *diags = calloc(1, sizeof *diags);
    if (!diags)
        return NULL;
    bst_strbuf_init(&diags->scratch);
    diags->last = NONE;
    diags->capacity = FIRST_CAPACITY;
    diags->texts = bst_arena_new();
    diags->items = malloc(FIRST_CAPACITY * sizeof *diags->items);
    if (!diags->texts || !diags->items)
        return bst_diags_free(diags);
    return diags;
}

bst_diags *bst_diags_free(bst_diags *diags) {
    if (diags) {
        bst_strbuf_release(&diags->scratch);
        bst_arena_free(diags->texts);
        free(diags->items);
        free(diags);
    }
    return NULL;
}

void bst_diags_clear(bst_diags *diags) {
    bst_arena_clear(diags->texts);
    diags->count = 0;
    diags->dropped = 0;
    diags->last = NONE;
}

/* Room for one more finding, and the free place after it. */
static bool make_room(bst_diags *diags) {
    if (diags->count >= BST_DIAGS_LIMIT)
        return false;
    if (diags->count + 1 < diags->capacity)
        return true;
    bst_diag *items = realloc(diags->items, diags->capacity * 2 * sizeof *items);
    if (!items)
        return false;
    diags->items = items;
    diags->capacity *= 2;
    return true;
}

static const char *keep_formatted(bst_diags *diags, const char *format, va_list args)
    BST_PRINTF(2, 0);

static const char *keep_formatted(bst_diags *diags, const char *format, va_list args) {
    bst_strbuf *const scratch = &diags->scratch;
    bst_strbuf_clear(scratch);
    bst_strbuf_vaddf(scratch, format, args);
    return scratch->failed ? NULL : bst_arena_strndup(diags->texts, scratch->text, scratch->len);
}

/* Findings mostly come file by file: the name is shared with the finding before where it is the
 * same. */
static const char *keep_file(bst_diags *diags, const char *file) {
    const char *const before = diags->count > 0 ? diags->items[diags->count - 1].file : NULL;
    return before && strcmp(before, file) == 0 ? before : bst_arena_strdup(diags->texts, file);
}

void bst_diags_set_warnings(bst_diags *diags, const bst_warnings *line) {
    if (diags)
        diags->line = line ? *line : (bst_warnings){.all_errors = false};
}

void bst_diags_set_file_warnings(bst_diags *diags, const bst_warnings *file) {
    if (diags)
        diags->file = file ? *file : (bst_warnings){.all_errors = false};
}

static bst_warning_level level_of(const bst_diags *diags, bst_warning warning) {
    const bst_warning_level line = diags->line.level[warning];
    const bst_warning_level file = diags->file.level[warning];
    return line != BST_LEVEL_UNSAID   ? line
           : file != BST_LEVEL_UNSAID ? file
                                      : bst_warning_default(warning);
}

bool bst_diags_wants(const bst_diags *diags, bst_warning warning) {
    return !diags || level_of(diags, warning) != BST_LEVEL_OFF;
}

/* How a warning or a note is to be heard; false: not at all. */
static bool is_wanted(const bst_diags *diags, const char *code, bst_severity *severity) {
    const bst_warning warning = bst_warning_find(code, strlen(code));
    const bool raise = *severity == BST_WARNING && diags->line.all_errors;
    if (warning == BST_WARNING_COUNT) {
        *severity = raise ? BST_ERROR : *severity;
        return true;
    }
    const bst_warning_level level = level_of(diags, warning);
    *severity = raise || level == BST_LEVEL_ERROR ? BST_ERROR : *severity;
    return level != BST_LEVEL_OFF;
}

bst_status bst_diag_add(bst_diags *diags, bst_status status, bst_severity severity,
                        const char *code, const bst_loc *where, const char *format, ...) {
    if (!diags)
        return status;
    diags->last = NONE;
    if (severity != BST_ERROR && !is_wanted(diags, code, &severity))
        return status;
    bool kept = make_room(diags);
    if (kept) {
        const bool placed = where && where->file;
        bst_diag added = {.status = status, .severity = severity};
        va_list args;
        va_start(args, format);
        added.message = keep_formatted(diags, format, args);
        va_end(args);
        added.code = bst_arena_strdup(diags->texts, code);
        if (placed) {
            added.file = keep_file(diags, where->file);
            added.line = where->line;
            added.column = where->column;
        }
        kept = added.message && added.code && (added.file || !placed);
        if (kept) {
            diags->last = diags->count;
            diags->items[diags->count++] = added;
        }
    }
    diags->dropped += !kept;
    return status;
}

static bst_diag *last_of(bst_diags *diags) {
    return diags && diags->last != NONE ? &diags->items[diags->last] : NULL;
}

void bst_diag_detail(bst_diags *diags, const char *format, ...) {
    bst_diag *const last = last_of(diags);
    if (!last)
        return;
    va_list args;
    va_start(args, format);
    last->detail = keep_formatted(diags, format, args);
    va_end(args);
}

void bst_diag_hint(bst_diags *diags, const char *format, ...) {
    bst_diag *const last = last_of(diags);
    if (!last)
        return;
    va_list args;
    va_start(args, format);
    last->hint = keep_formatted(diags, format, args);
    va_end(args);
}

void bst_diag_also(bst_diags *diags, const bst_loc *where, const char *format, ...) {
    bst_diag *const last = last_of(diags);
    if (!last || where->line == 0)
        return;
    va_list args;
    va_start(args, format);
    const char *const message = keep_formatted(diags, format, args);
    va_end(args);
    const char *const file = where->file ? keep_file(diags, where->file) : last->file;
    if (message && (file || !where->file)) {
        last->also_message = message;
        last->also_file = file;
        last->also_line = where->line;
        last->also_column = where->column;
    }
}

bst_status bst_diag_nomem(bst_diags *diags) {
    static const bst_diag nomem = {.status = BST_NOMEM,
                                   .severity = BST_ERROR,
                                   .code = "out-of-memory",
                                   .message = "out of memory"};
    if (!diags)
        return BST_NOMEM;
    diags->last = NONE;
    const bool reported = diags->count > 0 && diags->items[diags->count - 1].status == BST_NOMEM;
    if (!reported && diags->count < diags->capacity)
        diags->items[diags->count++] = nomem;
    return BST_NOMEM;
}

size_t bst_diags_count(const bst_diags *diags) {
    return diags ? diags->count : 0;
}

size_t bst_diags_dropped(const bst_diags *diags) {
    return diags ? diags->dropped : 0;
}

size_t bst_diags_count_of(const bst_diags *diags, bst_severity severity) {
    size_t count = 0;
    for (size_t i = 0; i < bst_diags_count(diags); i++)
        count += diags->items[i].severity == severity;
    return count;
}

const bst_diag *bst_diags_at(const bst_diags *diags, size_t index) {
    return index < bst_diags_count(diags) ? &diags->items[index] : NULL;
}

static int compare_places(const bst_diag *a, const bst_diag *b) {
    const int files = strcmp(a->file ? a->file : "", b->file ? b->file : "");
    if (files != 0)
        return files;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* By insertion, which keeps the order of arrival and is quick on lists that are nearly in order: at
 * most BST_DIAGS_LIMIT findings, mostly found from the top of a file to its end.
 */
void bst_diags_sort(bst_diags *diags) {
    for (size_t i = 1; i < bst_diags_count(diags); i++) {
        const bst_diag moved = diags->items[i];
        size_t at = i;
        for (; at > 0 && compare_places(&moved, &diags->items[at - 1]) < 0; at--)
            diags->items[at] = diags->items[at - 1];
        diags->items[at] = moved;
    }
    if (diags)
        diags->last = NONE;
}

void bst_diags_move(bst_diags *from, bst_diags *to) {
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
    if (bst_diags_count(from) == 0 && bst_diags_dropped(from) > 0) {
        bst_diag_nomem(to); /* there was none for what it had to say */
    }
    bst_diags_clear(from);
}
