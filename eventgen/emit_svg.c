/* SVG, drawn by Graphviz: the DOT that emit_dot.c writes goes through the program `dot`.
 *
 * It is run without a shell. Its input comes from a file without a name, and what it says on its
 * error output goes into another, so no pipe can fill up while both sides wait.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emit_private.h"

/* Graphviz needs minutes for more, and nobody can read what it draws. */
#define STATES_MAX      300
#define TRANSITIONS_MAX 1500

extern char **environ;

static bst_status too_large(const bst_machine *machine, bst_diags *diags) {
    bst_diag_add(diags, BST_LIMIT, BST_ERROR, "too-large-to-draw", NULL,
                 "%u states and %u transitions are too many for a picture (at most %d and %d)",
                 (unsigned)machine->state_count, (unsigned)machine->transition_count, STATES_MAX,
                 TRANSITIONS_MAX);
    bst_diag_hint(diags, "Write --emit dot and draw it with Graphviz' sfdp, or a part of it.");
    return BST_LIMIT;
}

static bst_status no_drawing(const char *why, bst_diags *diags) {
    bst_diag_add(diags, BST_IO, BST_ERROR, "no-drawing", NULL, "could not draw with dot: %s", why);
    bst_diag_hint(diags, "dot belongs to Graphviz (Debian: apt install graphviz). Or take --emit "
                         "dot, and draw it elsewhere.");
    return BST_IO;
}

/* Runs `dot -Tsvg` from file to file. Its exit status, or -1 with errno. */
static int run_dot(FILE *in, FILE *out, FILE *err) {
    static char name[] = "dot";
    static char format[] = "-Tsvg";
    char *const arguments[] = {name, format, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 0;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return -1;
    }
    int error = posix_spawn_file_actions_adddup2(&actions, fileno(in), STDIN_FILENO);
    error = error ? error : posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    error = error ? error : posix_spawn_file_actions_adddup2(&actions, fileno(err), STDERR_FILENO);
    error = error ? error : posix_spawnp(&pid, name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        errno = error;
        return -1;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static bool read_all(FILE *file, bst_strbuf *out) {
    char chunk[16384];
    size_t got;
    rewind(file);
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        bst_strbuf_add(out, chunk, got);
    }
    return !ferror(file);
}

static bst_status draw(const bst_strbuf *dot, FILE *const *files, bst_strbuf *out,
                       bst_diags *diags) {
    bst_strbuf said = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    int ended = -1;
    if (fwrite(dot->text, 1, dot->len, files[0]) == dot->len && fflush(files[0]) == 0) {
        rewind(files[0]);
        ended = run_dot(files[0], files[1], files[2]);
    }
    if (ended < 0 || ended == 127) {
        status = no_drawing(ended < 0 ? strerror(errno) : "it does not start", diags);
    } else if (ended > 0) {
        (void)read_all(files[2], &said);
        said.text[strcspn(said.text, "\n")] = '\0';
        status = no_drawing(*said.text ? said.text : "it failed", diags);
    } else if (!read_all(files[1], out)) {
        status = no_drawing(strerror(errno), diags);
    }
    bst_strbuf_release(&said);
    return status;
}

bst_status bst__emit_svg(const bst_machine *machine, const bst_emit_options *options,
                         bst_emit_files *files, bst_diags *diags) {
    if (machine->state_count > STATES_MAX || machine->transition_count > TRANSITIONS_MAX) {
        return too_large(machine, diags);
    }
    bst_emit_files dot;
    bst_emit_files_init(&dot);
    bst_status status = bst__emit_dot(machine, options, &dot, diags);
    FILE *temporary[3] = {NULL, NULL, NULL};
    for (int i = 0; i < 3 && status == BST_OK; i++) {
        temporary[i] = tmpfile();
        status = temporary[i] ? BST_OK : no_drawing(strerror(errno), diags);
    }
    if (status == BST_OK) {
        status = dot.file[0].text.failed
                     ? bst_diag_nomem(diags)
                     : draw(&dot.file[0].text, temporary, &files->file[0].text, diags);
    }
    for (int i = 0; i < 3; i++) {
        if (temporary[i]) {
            fclose(temporary[i]);
        }
    }
    bst_emit_files_release(&dot);
    return status;
}
