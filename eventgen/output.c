/* Generated files on disk.
 *
 * A file is written beside its place under a temporary name and renamed, so that a reader (a
 * compiler running at the same time) sees the old text or the new one, never half of either. A file
 * that holds the same bytes already is not touched: build tools go by its time. A device or a FIFO
 * is written as it stands. All texts are made before the first is written.
 */
#include "backstory/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backstory/output_path.h"
#include "emit_private.h"

static bst_status io_error(const char *path, const char *what, bst_diags *diags) {
    const bst_loc where = {path, 0, 0};
    return bst_diag_add(diags, BST_IO, BST_ERROR, "write-failed", &where, "could not %s: %s", what,
                        strerror(errno));
}

static bool has_same_bytes(const char *path, const bst_strbuf *text) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        return false;
    }
    char chunk[16384];
    size_t at = 0;
    size_t got;
    bool same = true;
    while (same && (got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        same = got <= text->len - at && memcmp(chunk, text->text + at, got) == 0;
        at += got;
    }
    same = same && !ferror(file) && at == text->len;
    fclose(file);
    return same;
}

static bool write_all(int fd, const bst_strbuf *text) {
    size_t at = 0;
    while (at < text->len) {
        const ssize_t put = write(fd, text->text + at, text->len - at);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        at += put < 0 ? 0 : (size_t)put;
    }
    return true;
}

static bst_status write_in_place(const char *path, const bst_strbuf *text, bst_diags *diags) {
    const int fd = bst_output_open_in_place(path);
    if (fd < 0) {
        return io_error(path, "open the file", diags);
    }
    const bst_status status =
        write_all(fd, text) ? BST_OK : io_error(path, "write the file", diags);
    close(fd);
    return status;
}

/* O_EXCL: two compilers that write the same file at the same time do not write into one temporary
 * file. */
static bst_status write_beside(const char *path, const char *temp, const bst_strbuf *text,
                               bst_diags *diags) {
    const int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return io_error(path, "create the file", diags);
    }
    if (!write_all(fd, text)) {
        const bst_status status = io_error(path, "write the file", diags);
        close(fd);
        unlink(temp);
        return status;
    }
    if (close(fd) != 0 || rename(temp, path) != 0) {
        const bst_status status = io_error(path, "put the file in its place", diags);
        unlink(temp);
        return status;
    }
    return BST_OK;
}

static bst_status write_regular(const char *path, const bst_strbuf *text, bst_diags *diags) {
    bst_strbuf temp = BST_STRBUF_INIT;
    bst_strbuf_addf(&temp, "%s.%ld.tmp", path, (long)getpid());
    const bst_status status =
        temp.failed ? bst_diag_nomem(diags) : write_beside(path, temp.text, text, diags);
    bst_strbuf_release(&temp);
    return status;
}

static bst_status write_file(const char *given, const bst_strbuf *text, bool *ret_changed,
                             bst_diags *diags) {
    bst_strbuf path = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    const bool in_place = bst_output_path(given, &path);
    *ret_changed = in_place || !has_same_bytes(path.text, text);
    if (path.failed) {
        status = bst_diag_nomem(diags);
    } else if (in_place) {
        status = write_in_place(path.text, text, diags);
    } else if (*ret_changed) {
        status = write_regular(path.text, text, diags);
    }
    bst_strbuf_release(&path);
    return status;
}

/* A path in a rule of Make: spaces, `#` and `$` have a meaning there, a colon would end the
 * targets. */
static void add_make_path(bst_strbuf *out, const char *path) {
    for (const char *p = path; *p; p++) {
        if (*p == '$') {
            bst_strbuf_addc(out, '$');
        } else if (*p == ' ' || *p == '#' || *p == ':') {
            bst_strbuf_addc(out, '\\');
        }
        bst_strbuf_addc(out, *p);
    }
}

static bst_status write_depfile(const char *depfile, const bst_machine *machine,
                                const bst_emit_options *options, const bst_emit_outputs *outputs,
                                bst_diags *diags) {
    bst_strbuf rule = BST_STRBUF_INIT;
    for (size_t i = 0; i < outputs->count; i++) {
        bst_strbuf_adds(&rule, i == 0 ? "" : " ");
        add_make_path(&rule, outputs->output[i].path);
    }
    bst_strbuf_addc(&rule, ':');
    if (machine->file && strcmp(machine->file, "-") != 0) {
        bst_strbuf_addc(&rule, ' ');
        add_make_path(&rule, machine->file);
    }
    if (options && options->legacy) {
        bst_strbuf_addc(&rule, ' ');
        add_make_path(&rule, options->legacy->file);
    }
    bst_strbuf_addc(&rule, '\n');
    bool changed;
    const bst_status status =
        rule.failed ? bst_diag_nomem(diags) : write_file(depfile, &rule, &changed, diags);
    bst_strbuf_release(&rule);
    return status;
}

void bst_emit_outputs_release(bst_emit_outputs *outputs) {
    for (size_t i = 0; i < outputs->count; i++) {
        free(outputs->output[i].path);
    }
    free(outputs->output);
    *outputs = (bst_emit_outputs){0, NULL};
}

static bst_status write_files(const char *dir, const bst_machine *machine,
                              const bst_emit_files *sets, size_t set_count,
                              bst_emit_outputs *outputs, bst_diags *diags) {
    bst_status status = BST_OK;
    for (size_t i = 0; i < set_count; i++) {
        for (size_t f = 0; f < sets[i].count && status == BST_OK; f++) {
            bst_emit_output *output = &outputs->output[outputs->count];
            bst_strbuf path = BST_STRBUF_INIT;
            bst_strbuf_addf(&path, "%s/%s%s", dir, machine->id, sets[i].file[f].suffix);
            output->path = bst_strbuf_detach(&path);
            if (!output->path) {
                return bst_diag_nomem(diags);
            }
            outputs->count++;
            status = write_file(output->path, &sets[i].file[f].text, &output->changed, diags);
        }
    }
    return status;
}

static bst_status make_dir(const char *dir, bst_diags *diags) {
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        return io_error(dir, "make the folder", diags);
    }
    return BST_OK;
}

bst_status bst_emit_write(const char *dir, const bst_machine *machine, const char *const *names,
                          size_t name_count, const bst_emit_options *options, const char *depfile,
                          bst_emit_outputs *ret, bst_diags *diags) {
    bst_status status = BST_OK;
    bst_emit_outputs outputs = {0, NULL};
    bst_emit_files *sets = calloc(name_count + 1, sizeof *sets);
    outputs.output = calloc(name_count * BST_EMIT_FILES_MAX + 1, sizeof *outputs.output);
    if (!sets || !outputs.output) {
        status = bst_diag_nomem(diags);
        goto out;
    }
    for (size_t i = 0; i < name_count; i++) {
        bst_emit_files_init(&sets[i]);
    }
    for (size_t i = 0; i < name_count && status == BST_OK; i++) {
        status = bst_emit(machine, names[i], options, &sets[i], diags);
    }
    if (status == BST_OK) {
        status = make_dir(dir, diags);
    }
    if (status == BST_OK) {
        status = write_files(dir, machine, sets, name_count, &outputs, diags);
    }
    if (status == BST_OK && depfile) {
        status = write_depfile(depfile, machine, options, &outputs, diags);
    }
out:
    for (size_t i = 0; sets && i < name_count; i++) {
        bst_emit_files_release(&sets[i]);
    }
    free(sets);
    if (status == BST_OK && ret) {
        *ret = outputs;
    } else {
        bst_emit_outputs_release(&outputs);
    }
    return status;
}
