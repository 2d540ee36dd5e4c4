/* Texts of Python. */
#include <string.h>

#include "emit_python_private.h"

void bst__py_string(bst_strbuf *out, const char *text) {
    bst_strbuf_add_json(out, text, strlen(text)); /* JSON's strings are Python's */
}

void bst__py_members(bst_strbuf *out, const bst_type *type, int indent) {
    const size_t start = out->len;
    for (uint32_t i = 0; i < type->member_count; i++) {
        bst_strbuf_adds(out, i == 0 ? "" : ", ");
        bst__py_string(out, type->members[i]);
    }
    if (out->failed || out->len - start + (size_t)indent < BST__PY_MEMBERS) {
        return;
    }
    out->len = start;
    for (uint32_t i = 0; i < type->member_count; i++) {
        bst_strbuf_addf(out, "\n%*s", indent + 4, "");
        bst__py_string(out, type->members[i]);
        bst_strbuf_addc(out, ',');
    }
    bst_strbuf_addf(out, "\n%*s", indent, "");
}
