/* Fields of a payload as values. */
#include "emit_sql_private.h"

void bst__sql_payload_value(const bst_field *field, bool operand, bst_strbuf *out) {
    const bst_kind kind = field->type.kind;
    const bool is_text = kind == BST_KIND_TEXT || kind == BST_KIND_VARCHAR ||
                         kind == BST_KIND_CHAR || kind == BST_KIND_ENUM;
    if (kind == BST_KIND_JSON) { /* the JSON word null is no value */
        bst_strbuf_adds(out, "nullif(data->");
        bst__sql_literal(field->name, out);
        bst_strbuf_adds(out, ", 'null')");
        return;
    }
    bst_strbuf_adds(out, is_text && !operand ? "data->>" : "(data->>");
    bst__sql_literal(field->name, out);
    bst_strbuf_adds(out, !is_text ? ")::" : operand ? ")" : "");
    if (!is_text) {
        bst__sql_type(&field->type, out);
    }
}
