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

/* NULL in place of the options, and 0 or NULL in any of them, means the default. */
typedef struct bst_emit_options {
    const char *prefix;    /* instead of the id in snake case; C: what every name starts with; */
                           /* SQL: the schema */
    const char *direction; /* diagrams: "LR" (default), "TB", "RL", "BT" */
    /* diagrams: by transition, how often it was taken; machine->transition_count of them. NULL: not
     * known */
    const uint64_t *weights;
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
