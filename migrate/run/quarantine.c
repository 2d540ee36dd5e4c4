/* The quarantine file. It is opened with the first row, so that a run without one leaves none. */
#include "quarantine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstory/output_file.h"
#include "backstory/output_path.h"

struct bst__quarantine {
    char *path;
    bool in_place; /* a device or a FIFO: never removed */
    bst_output_file output;
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
        if (!quarantine->path) {
            bst__quarantine_free(quarantine);
            return bst_diag_nomem(diags);
        }
    }
    *ret = quarantine;
    return BST_OK;
}

static bst_status open_file(bst__quarantine *quarantine, bst_diags *diags) {
    return bst_output_file_open(&quarantine->output, quarantine->path)
               ? BST_OK
               : failed(quarantine, quarantine->in_place ? "open" : "create", diags);
}

bst_status bst__quarantine_add(bst__quarantine *quarantine, const char *line, size_t len,
                               bst_diags *diags) {
    bst_status status = quarantine->output.file ? BST_OK : open_file(quarantine, diags);
    if (status != BST_OK) {
        return status;
    }
    FILE *const file = quarantine->output.file;
    bool written = fwrite(line, 1, len, file) == len && putc('\n', file) != EOF;
    return written ? BST_OK : failed(quarantine, "write", diags);
}

bst_status bst__quarantine_finish(bst__quarantine *quarantine, bst_diags *diags) {
    if (!quarantine->output.file && !quarantine->in_place) {
        bool gone = unlink(quarantine->path) == 0 || errno == ENOENT;
        return gone ? BST_OK : failed(quarantine, "remove the old", diags);
    }
    /* In place also when there was no row: whoever reads a FIFO waits for its end. */
    bst_status status = quarantine->output.file ? BST_OK : open_file(quarantine, diags);
    if (status != BST_OK) {
        return status;
    }
    return bst_output_file_keep(&quarantine->output) ? BST_OK : failed(quarantine, "write", diags);
}

bst__quarantine *bst__quarantine_free(bst__quarantine *quarantine) {
    if (quarantine) {
        bst_output_file_drop(&quarantine->output);
        free(quarantine->path);
        free(quarantine);
    }
    return NULL;
}
