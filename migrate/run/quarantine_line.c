/* One line of a quarantine file: why a row has no history, and all of the row. */
#include <string.h>

#include "quarantine_private.h"

static void add_text(bst_strbuf *line, const char *name, const char *text, size_t len) {
    bst_strbuf_addf(line, ",\"%s\":", name);
    bst_strbuf_add_json(line, text, len);
}

static void add_evidence(const bst_mapping *mapping, const bst_row *row, const bst_refusal *refusal,
                         bst_strbuf *line) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(line, ",\"evidence\":{");
    for (uint32_t i = 0; i < refusal->evidence_count; i++) {
        const bst_source_column *column = &mapping->source.columns[refusal->evidence[i]];
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

void bst__quarantine_begin(const bst_mapping *mapping, const bst_row *row,
                           const bst_refusal *refusal, bst_strbuf *out) {
    const char *code = bst_reason_text(refusal->reason);
    bst_strbuf_adds(out, "{\"key\":");
    if (row->key_is_null) {
        bst_strbuf_adds(out, "null");
    } else {
        bst_strbuf_add_json(out, row->key, row->key_len);
    }
    add_text(out, "code", code, strlen(code));
    add_text(out, "reason", refusal->message.text, refusal->message.len);
    if (refusal->repair.len > 0) {
        add_text(out, "repair", refusal->repair.text, refusal->repair.len);
    }
    add_evidence(mapping, row, refusal, out);
}

void bst__quarantine_end(const char *original, uint64_t number, bst_strbuf *out) {
    bst_strbuf_adds(out, ",\"row\":");
    bst_strbuf_adds(out, original);
    if (number > 0) {
        bst_strbuf_adds(out, ",\"line\":");
        bst_strbuf_add_int(out, (int64_t)number);
    }
    bst_strbuf_addc(out, '}');
}
