/* What the tests of emitters share: the machines of tests/eventgen/, files, a scratch folder, a
 * compiler. */
#ifndef BACKSTORY_TESTS_EVENTGEN_FIXTURE_H
#define BACKSTORY_TESTS_EVENTGEN_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backstory/emit.h"

static const char *const eventgen_machines[] = {"payment", "account", "hostile", "everything",
                                                "versions"};
enum { EVENTGEN_MACHINES = sizeof eventgen_machines / sizeof eventgen_machines[0] };

/* The value of an environment variable that ctest sets. */
static inline const char *eventgen_env(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

/* A path in the source tree; the caller frees it. */
static inline char *eventgen_path(const char *folder, const char *name, const char *suffix) {
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/%s/%s%s", eventgen_env("SOURCE_DIR", "."), folder, name, suffix);
    char *text = bst_strbuf_detach(&path);
    ck_assert_ptr_nonnull(text);
    return text;
}

static inline void eventgen_fail(const bst_diags *diags) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_diags_format_json(diags, &text);
    ck_abort_msg("%s", text.text);
}

static inline bst_machine *eventgen_load(const char *name) {
    char *path = eventgen_path("tests/eventgen", name, ".fsm.json");
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = NULL;
    if (bst_machine_load(path, &machine, diags) != BST_OK) {
        eventgen_fail(diags);
    }
    bst_diags_free(diags);
    free(path);
    return machine;
}

static inline bst_machine *eventgen_parse(const char *text) {
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = NULL;
    if (bst_machine_parse("test.fsm.json", text, strlen(text), &machine, diags) != BST_OK) {
        fprintf(stderr, "%s\n", text);
        eventgen_fail(diags);
    }
    bst_diags_free(diags);
    return machine;
}

/* The text of a file, or NULL; the caller frees it. */
static inline char *eventgen_read(const char *path, size_t *ret_len) {
    char *text = NULL;
    if (access(path, R_OK) != 0 || bst_file_read(path, 1u << 28, &text, ret_len, NULL) != BST_OK) {
        return NULL;
    }
    return text;
}

/* A folder of this test; eventgen_remove() takes it away. */
static inline char *eventgen_scratch(void) {
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/eventgen-XXXXXX", eventgen_env("TMPDIR", "/tmp"));
    ck_assert_ptr_nonnull(mkdtemp(path.text));
    return bst_strbuf_detach(&path);
}

/* Runs a shell command; its exit status. */
static inline int eventgen_run(const char *command) {
    fflush(NULL);
    const int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static inline bool eventgen_has_program(const char *name) {
    bst_strbuf command = BST_STRBUF_INIT;
    bst_strbuf_addf(&command, "command -v %s >/dev/null", name);
    const bool has = eventgen_run(command.text) == 0;
    bst_strbuf_release(&command);
    return has;
}

static inline void eventgen_remove(char *folder) {
    bst_strbuf command = BST_STRBUF_INIT;
    bst_strbuf_addf(&command, "rm -r '%s'", folder);
    ck_assert_int_eq(eventgen_run(command.text), 0);
    bst_strbuf_release(&command);
    free(folder);
}

/* Writes what the emitters give into `folder`. */
static inline void eventgen_write(const bst_machine *machine, const char *folder,
                                  const char *emitter) {
    bst_diags *diags = bst_diags_new();
    if (bst_emit_write(folder, machine, &emitter, 1, NULL, NULL, NULL, diags) != BST_OK) {
        eventgen_fail(diags);
    }
    bst_diags_free(diags);
}

#endif
