/* A refusal as it begins: its reason, and the columns that are to blame. */
#include "synth_private.h"

const char *bst_reason_text(bst_reason reason) {
    static const char *const texts[] = {[BST_REASON_NONE] = "none",
#define X(name, text) [BST_REASON_##name] = (text),
                                        BST_REASON_LIST(X)
#undef X
    };
    _Static_assert(sizeof texts / sizeof texts[0] == BST_REASON_COUNT, "a text for each reason");
    return (unsigned)reason < BST_REASON_COUNT ? texts[reason] : "unknown";
}

void bst__refuse(bst_synth *synth, bst_reason reason) {
    bst_refusal *refusal = &synth->refusal;
    refusal->reason = reason;
    bst_strbuf_clear(&refusal->message);
    bst_strbuf_clear(&refusal->repair);
    refusal->evidence_count = 0;
    refusal->evidence = synth->refused_columns;
}

void bst__blame(bst_synth *synth, uint32_t column) {
    bst_refusal *refusal = &synth->refusal;
    for (uint32_t i = 0; i < refusal->evidence_count; i++) {
        if (synth->refused_columns[i] == column) {
            return;
        }
    }
    synth->refused_columns[refusal->evidence_count++] = column;
}

void bst__add_unread(const bst_type *type, bst_value_result result, bst_strbuf *message) {
    bst_type plain = *type;
    plain.optional = false;
    bst_strbuf_adds(message, " cannot be read as ");
    bst_type_format(&plain, message);
    bst_strbuf_addf(message, ": it %s", bst_value_result_text(result));
}

void bst__refuse_cell(bst_synth *synth, const bst_row *row, uint32_t column) {
    const bst_cell *cell = &row->cells[column];
    const bst_source_column *source = &synth->mapping->source.columns[column];
    bst_strbuf *message = &synth->refusal.message;
    bool local = cell->result == BST_VALUE_ZONE;
    bst__refuse(synth, local ? BST_REASON_NAIVE_TIME : BST_REASON_BAD_VALUE);
    bst__blame(synth, column);
    bst_strbuf_addf(message, "%s ", source->name);
    bst_strbuf_add_json(message, cell->text, cell->text_len);
    if (local) {
        bst_strbuf_adds(message, " is a local time that the clocks of its zone skipped or showed "
                                 "twice");
        return;
    }
    bst__add_unread(&source->type, cell->result, message);
}
