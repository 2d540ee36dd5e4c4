/* How the preflight tells what is missing, and how it reads an answer of the server.
 */
#include "check_private.h"

#include <stdarg.h>
#include <string.h>

void bst__complain(bst__preflight *p, const char *code, const char *message, const char *hint,
                   ...) {
    bst_strbuf text = BST_STRBUF_INIT;
    va_list args;
    va_start(args, hint);
    bst_strbuf_vaddf(&text, hint, args);
    va_end(args);
    bst_diag_add(p->diags, BST_DATABASE, BST_ERROR, code, NULL, "%s", message);
    bst_diag_hint(p->diags, "%s", text.text);
    bst_strbuf_release(&text);
    p->failed = true;
}

bool bst__answer_is(const bst_pg_rows *rows, size_t column, const char *wanted) {
    const char *const text = bst_pg_rows_text(rows, 0, column);
    return text && strcmp(text, wanted) == 0;
}
