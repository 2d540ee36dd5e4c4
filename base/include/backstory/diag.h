/* Diagnostics: what is wrong, where, and what to do about it.
 *
 * A library function that can fail takes a `bst_diags *` and adds to it; it prints nothing. One
 * call may add several (a checker reports every mistake of a file in one run). The list copies
 * every text it is given. `diags` may be NULL: then only the status tells.
 *
 * Wording: a message starts in lower case, has no final period and names the kind of thing before
 * its quoted name (`state "captrued" is not declared`); detail and hint are sentences. Codes are
 * kebab-case and stable: users filter on them, and each has a page in docs/.
 */
#ifndef BACKSTORY_DIAG_H
#define BACKSTORY_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backstory/status.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bst_severity { BST_ERROR, BST_WARNING, BST_NOTE } bst_severity;

/* A place in a file. Lines and columns count from 1, columns in UTF-8 characters; 0 means "the file
 * as a whole". `file` is borrowed and may be NULL (no file is meant). */
typedef struct bst_loc {
    const char *file;
    uint32_t line;
    uint32_t column;
} bst_loc;

/* One finding. All texts belong to the list; `detail`, `hint`, `file` and `also_message` may be
 * NULL. */
typedef struct bst_diag {
    bst_status status;
    bst_severity severity;
    const char *code;
    const char *file;
    uint32_t line, column;
    const char *message;
    const char *detail;
    const char *hint;
    /* The other place, where two things clash: "first declared here". also_line == 0: there is
     * none. */
    const char *also_file;
    uint32_t also_line, also_column;
    const char *also_message;
} bst_diag;

#define BST_DIAGS_LIMIT 1000 /* findings kept in one list; the rest are counted in `dropped` */

typedef struct bst_diags bst_diags;

/* NULL when out of memory. */
BST_API bst_diags *bst_diags_new(void);
/* Takes NULL, returns NULL. */
BST_API bst_diags *bst_diags_free(bst_diags *diags);
BST_API void bst_diags_clear(bst_diags *diags);

/* Adds a finding and returns `status`, so that a failure reads
 *     return bst_diag_add(diags, BST_INVALID, BST_ERROR, "unknown-state", &where,
 *                         "state \"%s\" is not declared", name);
 * `where` may be NULL. */
BST_API bst_status bst_diag_add(bst_diags *diags, bst_status status, bst_severity severity,
                                const char *code, const bst_loc *where, const char *format, ...)
    BST_PRINTF(6, 7);

/* These three speak of the finding added last; without one they do nothing. */
BST_API void bst_diag_detail(bst_diags *diags, const char *format, ...) BST_PRINTF(2, 3);
BST_API void bst_diag_hint(bst_diags *diags, const char *format, ...) BST_PRINTF(2, 3);
BST_API void bst_diag_also(bst_diags *diags, const bst_loc *where, const char *format, ...)
    BST_PRINTF(3, 4);

/* Adds the usual report of a failed allocation; returns BST_NOMEM. */
BST_API bst_status bst_diag_nomem(bst_diags *diags);

/* Those of `from`, in their order, come behind those of `to`, and `from` is empty. */
BST_API void bst_diags_move(bst_diags *from, bst_diags *to);

BST_API size_t bst_diags_count(const bst_diags *diags);
BST_API size_t bst_diags_dropped(const bst_diags *diags);
/* How many of one severity; takes NULL. */
BST_API size_t bst_diags_count_of(const bst_diags *diags, bst_severity severity);
/* Borrowed until the list changes. */
BST_API const bst_diag *bst_diags_at(const bst_diags *diags, size_t index);
/* By file, line, column, order of arrival: the order in which a person mends a file. */
BST_API void bst_diags_sort(bst_diags *diags);

/* `file:line:column: error: message [code]`, then the source line with a caret, detail, hint and
 * the other place. `source` is the text of the file the finding is about; NULL when it is not at
 * hand (then there is no caret line). */
BST_API void bst_diag_format_text(const bst_diag *diag, const char *source, size_t source_len,
                                  bst_strbuf *out);

/* The whole list as
 * `{"diagnostics":[{"severity","code","file","line","column","message","detail","hint","also"}]}`
 * and a line feed. Keys without a value are left out. */
BST_API void bst_diags_format_json(const bst_diags *diags, bst_strbuf *out);

/* The name among `names` that the user probably meant by `name` (Damerau-Levenshtein distance at
 * most a third of its length, the nearest, the first of equals; else one that begins nearly so), or
 * NULL. For "Did you mean ...?".
 */
BST_API const char *bst_nearest_name(const char *name, const char *const *names, size_t count);

#ifdef __cplusplus
}
#endif
#endif
