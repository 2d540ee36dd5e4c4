/* Emitters: machine -> text. Each takes a checked machine and gives one or more files; none of them
 * prints, reads a clock or writes a path, so the same machine always gives the same bytes.
 *
 *     bst_emit_files files;
 *     bst_emit_files_init(&files);
 *     if (bst_emit(machine, "c", NULL, &files, diags) == BST_OK) {
 *         fputs(files.file[0].text.text, stdout);
 *     }
 *     bst_emit_files_release(&files);
 *
 * What is generated belongs to whoever generated it, under any terms; the C files say so
 * themselves.
 */
#ifndef BACKSTORY_EMIT_H
#define BACKSTORY_EMIT_H

#include "backstory/machine.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_EMIT_FILES_MAX 4 /* of one emitter */

/* One file: its name is the machine's id and `suffix` (".h", a constant text). */
typedef struct bst_emit_file {
    const char *suffix;
    bst_strbuf text;
} bst_emit_file;

typedef struct bst_emit_files {
    size_t count;
    bst_emit_file file[BST_EMIT_FILES_MAX];
} bst_emit_files;

BST_API void bst_emit_files_init(bst_emit_files *files);
BST_API void bst_emit_files_release(bst_emit_files *files);

/* What a column of the legacy table says of an entity, as histories can say it too. */
typedef enum bst_legacy_source {
    BST_LEGACY_KEY,     /* part `number` of the key, from 0 */
    BST_LEGACY_STATE,   /* the code of its state */
    BST_LEGACY_FIELD,   /* field `number` of the entity */
    BST_LEGACY_CREATED, /* when its first event happened */
    BST_LEGACY_CHANGED, /* when its last event happened */
    BST_LEGACY_FIRST,   /* when an event of `transitions` happened, the first time */
    BST_LEGACY_LAST,    /* the last time */
    BST_LEGACY_COUNT    /* how often */
} bst_legacy_source;

typedef struct bst_legacy_column {
    const char *name;
    bst_legacy_source from;
    uint32_t number;
    int minor_digits;           /* FIELD: in units of 10^-minor_digits; -1: as it is */
    const bst_type *type;       /* KEY: NULL is text */
    const char *const *codes;   /* STATE: by state; NULL: it has none */
    const uint8_t *transitions; /* FIRST, LAST, COUNT: flags */
} bst_legacy_column;

/* The table that a machine takes the place of: "public.payments". */
typedef struct bst_legacy_table {
    const char *file; /* that says so, for the dependency file */
    const char *name;
    uint32_t key_count;
    uint32_t column_count;
    const bst_legacy_column *columns;
} bst_legacy_table;

/* NULL in place of the options, and 0 or NULL in any of them, means the default. */
typedef struct bst_emit_options {
    const char *prefix;    /* instead of the id in snake case; C: what every name starts with; */
                           /* SQL: the schema */
    const char *direction; /* diagrams: "LR" (default), "TB", "RL", "BT" */
    /* diagrams: by transition, how often it was taken; machine->transition_count of them. NULL: not
     * known */
    const uint64_t *weights;
    const bst_legacy_table *legacy; /* SQL: also a view in its shape; NULL: none */
} bst_emit_options;

typedef bst_status (*bst_emit_fn)(const bst_machine *machine, const bst_emit_options *options,
                                  bst_emit_files *files, bst_diags *diags);

typedef struct bst_emitter {
    const char *name;            /* "c": what the command line calls it */
    const char *summary;         /* one line, lower case, no period */
    const char *const *suffixes; /* of its files, in order; NULL at the end */
    bst_emit_fn emit;
} bst_emitter;

/* All of them, by name. */
BST_API const bst_emitter *bst_emitters(size_t *ret_count);
/* NULL when there is none of that name. */
BST_API const bst_emitter *bst_emitter_find(const char *name);

/* Whether another program writes its text: that may not be there, and its next version may write
 * something else. */
BST_API bool bst_emitter_is_external(const bst_emitter *emitter);

/* Runs one emitter. `files` must be initialised and empty. An unknown name is a finding
 * (`unknown-emitter`) and BST_USAGE. */
BST_API bst_status bst_emit(const bst_machine *machine, const char *name,
                            const bst_emit_options *options, bst_emit_files *files,
                            bst_diags *diags) BST_MUST_USE;

/* What bst_emit_write() did with one file. */
typedef struct bst_emit_output {
    char *path;
    bool changed; /* false: the same bytes were there, and the file was not touched */
} bst_emit_output;

typedef struct bst_emit_outputs {
    size_t count;
    bst_emit_output *output;
} bst_emit_outputs;

BST_API void bst_emit_outputs_release(bst_emit_outputs *outputs);

/* Runs the named emitters and writes `dir`/<id><suffix> for each file, as one move each (temporary
 * file, rename), and only where the bytes differ. Nothing is written unless every emitter
 * succeeded. `dir` is made when it is missing (its parent must be there). `depfile`, unless NULL,
 * is the path of a rule for Make and Ninja: outputs, colon, machine file; it is written always.
 * `ret` may be NULL; released by the caller, filled on success only. */
BST_API bst_status bst_emit_write(const char *dir, const bst_machine *machine,
                                  const char *const *names, size_t name_count,
                                  const bst_emit_options *options, const char *depfile,
                                  bst_emit_outputs *ret, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
