/* The quarantine file: written beside its final place and renamed at the end, so that a run that
 * fails leaves the old one as it was.
 */
#include "quarantine_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bst__quarantine {
    const bst_mapping *mapping;
    char *path; /* NULL: nothing is written */
    char *temporary;
    FILE *file;
    bst_strbuf line;
};

static bst_status failed(const bst__quarantine *quarantine, const char *what, bst_diags *diags) {
    return bst_diag_add(diags, BST_IO, BST_ERROR, "quarantine-file", NULL,
                        "could not %s quarantine file \"%s\": %s", what, quarantine->path,
                        strerror(errno));
}

bst_status bst__quarantine_new(const char *path, const bst_mapping *mapping, bst__quarantine **ret,
                               bst_diags *diags) {
    bst__quarantine *quarantine = calloc(1, sizeof *quarantine);
    bst_strbuf text = BST_STRBUF_INIT;
    if (!quarantine) {
        return bst_diag_nomem(diags);
    }
    quarantine->mapping = mapping;
    bst_strbuf_init(&quarantine->line);
    if (path) {
        bst_strbuf_adds(&text, path);
        quarantine->path = bst_strbuf_detach(&text);
        bst_strbuf_addf(&text, "%s.partial", path);
        quarantine->temporary = bst_strbuf_detach(&text);
        if (!quarantine->path || !quarantine->temporary) {
            bst__quarantine_free(quarantine);
            return bst_diag_nomem(diags);
        }
    }
    *ret = quarantine;
    return BST_OK;
}

static bst_status open_file(bst__quarantine *quarantine, bst_diags *diags) {
    unlink(quarantine->temporary); /* of a run that was killed; it may have other rights */
    int fd =
        open(quarantine->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return failed(quarantine, "create", diags);
    }
    quarantine->file = fdopen(fd, "w");
    if (!quarantine->file) {
        close(fd);
        return failed(quarantine, "create", diags);
    }
    return BST_OK;
}

static void add_text(bst_strbuf *line, const char *name, const char *text, size_t len) {
    bst_strbuf_addf(line, ",\"%s\":", name);
    bst_strbuf_add_json(line, text, len);
}

static void add_evidence(const bst__quarantine *quarantine, const bst_row *row,
                         const bst_refusal *refusal, bst_strbuf *line) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(line, ",\"evidence\":{");
    for (uint32_t i = 0; i < refusal->evidence_count; i++) {
        const bst_source_column *column =
            &quarantine->mapping->source.columns[refusal->evidence[i]];
        const bst_cell *cell = &row->cells[refusal->evidence[i]];
        bst_strbuf_adds(line, i > 0 ? "," : "");
        bst_strbuf_add_json(line, column->name, strlen(column->name));
        bst_strbuf_addc(line, ':');
        if (cell->result != BST_VALUE_OK) {
            bst_strbuf_add_json(line, cell->text, cell->text_len);
        } else if (!cell->value.present) {
            bst_strbuf_adds(line, "null");
        } else {
            bst_strbuf_clear(&text);
            bst_value_to_text(&column->type, &cell->value, &text);
            bst_strbuf_add_json(line, text.text, text.len);
        }
    }
    bst_strbuf_addc(line, '}');
    line->failed = line->failed || text.failed;
    bst_strbuf_release(&text);
}

bst_status bst__quarantine_add(bst__quarantine *quarantine, const bst_row *row,
                               const bst_refusal *refusal, bst_source *source, bst_diags *diags) {
    bst_strbuf *line = &quarantine->line;
    if (!quarantine->path) {
        return BST_OK;
    }
    if (!quarantine->file) {
        bst_status status = open_file(quarantine, diags);
        if (status != BST_OK) {
            return status;
        }
    }
    bst_strbuf_clear(line);
    bst_strbuf_adds(line, "{\"key\":");
    if (row->key_is_null) {
        bst_strbuf_adds(line, "null");
    } else {
        bst_strbuf_add_json(line, row->key, row->key_len);
    }
    const char *code = bst_reason_text(refusal->reason);
    add_text(line, "code", code, strlen(code));
    add_text(line, "reason", refusal->message.text, refusal->message.len);
    if (refusal->repair.len > 0) {
        add_text(line, "repair", refusal->repair.text, refusal->repair.len);
    }
    add_evidence(quarantine, row, refusal, line);
    bst_strbuf_adds(line, ",\"row\":");
    bst_status status = bst_source_original(source, line, diags);
    bst_strbuf_adds(line, ",\"line\":");
    bst_strbuf_add_int(line, (int64_t)row->number);
    bst_strbuf_adds(line, "}\n");
    if (status != BST_OK || line->failed) {
        return status != BST_OK ? status : bst_diag_nomem(diags);
    }
    bool written = fwrite(line->text, 1, line->len, quarantine->file) == line->len;
    return written ? BST_OK : failed(quarantine, "write", diags);
}

bst_status bst__quarantine_finish(bst__quarantine *quarantine, bst_diags *diags) {
    if (!quarantine->path) {
        return BST_OK;
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
            unlink(quarantine->temporary);
        }
        bst_strbuf_release(&quarantine->line);
        free(quarantine->path);
        free(quarantine->temporary);
        free(quarantine);
    }
    return NULL;
}
