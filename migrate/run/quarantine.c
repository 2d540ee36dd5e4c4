/* The quarantine file: written beside its final place and renamed at the end, so that a run that
 * fails leaves the old one as it was. A device or a FIFO is written as it stands.
 */
#include "quarantine_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backstory/output_path.h"

struct bst__quarantine {
    char *path;
    char *temporary;
    bool in_place; /* `temporary` is never made */
    FILE *file;
};

static bst_status failed(const bst__quarantine *quarantine, const char *what, bst_diags *diags) {
    return bst_diag_add(diags, BST_IO, BST_ERROR, "quarantine-file", NULL,
                        "could not %s quarantine file \"%s\": %s", what, quarantine->path,
                        strerror(errno));
}

bst_status bst__quarantine_new(const char *path, bst__quarantine **ret, bst_diags *diags) {
    bst__quarantine *quarantine = calloc(1, sizeof *quarantine);
    bst_strbuf text = BST_STRBUF_INIT;
    if (!quarantine) {
        return bst_diag_nomem(diags);
    }
    if (path) {
        quarantine->in_place = bst_output_path(path, &text);
        quarantine->path = bst_strbuf_detach(&text);
        bst_strbuf_addf(&text, "%s.partial", quarantine->path ? quarantine->path : path);
        quarantine->temporary = bst_strbuf_detach(&text);
        if (!quarantine->path || !quarantine->temporary) {
            bst__quarantine_free(quarantine);
            return bst_diag_nomem(diags);
        }
    }
    *ret = quarantine;
    return BST_OK;
}

static int open_temporary(const char *path) {
    unlink(path); /* of a run that was killed; it may have other rights */
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
}

static bst_status open_file(bst__quarantine *quarantine, bst_diags *diags) {
    int fd = quarantine->in_place ? bst_output_open_in_place(quarantine->path)
                                  : open_temporary(quarantine->temporary);
    if (fd < 0) {
        return failed(quarantine, quarantine->in_place ? "open" : "create", diags);
    }
    quarantine->file = fdopen(fd, "w");
    if (!quarantine->file) {
        close(fd);
        return failed(quarantine, "create", diags);
    }
    return BST_OK;
}

bst_status bst__quarantine_add(bst__quarantine *quarantine, const char *line, size_t len,
                               bst_diags *diags) {
    bst_status status = quarantine->file ? BST_OK : open_file(quarantine, diags);
    if (status != BST_OK) {
        return status;
    }
    bool written =
        fwrite(line, 1, len, quarantine->file) == len && putc('\n', quarantine->file) != EOF;
    return written ? BST_OK : failed(quarantine, "write", diags);
}

/* Opened also when there was no row: whoever reads a FIFO waits for its end. */
static bst_status finish_in_place(bst__quarantine *quarantine, bst_diags *diags) {
    bst_status status = quarantine->file ? BST_OK : open_file(quarantine, diags);
    if (status != BST_OK) {
        return status;
    }
    bool safe = fclose(quarantine->file) == 0;
    quarantine->file = NULL;
    return safe ? BST_OK : failed(quarantine, "write", diags);
}

bst_status bst__quarantine_finish(bst__quarantine *quarantine, bst_diags *diags) {
    if (quarantine->in_place) {
        return finish_in_place(quarantine, diags);
    }
    if (!quarantine->file) {
        bool gone = unlink(quarantine->path) == 0 || errno == ENOENT;
        return gone ? BST_OK : failed(quarantine, "remove the old", diags);
    }
    bool safe = fflush(quarantine->file) == 0 && fsync(fileno(quarantine->file)) == 0;
    safe = fclose(quarantine->file) == 0 && safe;
    quarantine->file = NULL;
    if (!safe || rename(quarantine->temporary, quarantine->path) != 0) {
        bst_status status = failed(quarantine, "write", diags);
        unlink(quarantine->temporary);
        return status;
    }
    return BST_OK;
}

bst__quarantine *bst__quarantine_free(bst__quarantine *quarantine) {
    if (quarantine) {
        if (quarantine->file) {
            fclose(quarantine->file);
            if (!quarantine->in_place) {
                unlink(quarantine->temporary);
            }
        }
        free(quarantine->path);
        free(quarantine->temporary);
        free(quarantine);
    }
    return NULL;
}
