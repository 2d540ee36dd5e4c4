/* What guards and applies share: the scope in which a text stands, and silence where a mistake was
 * reported already.
 */
#include <ctype.h>
#include <string.h>

#include "load_private.h"

void bst__scope_root(bst_scope *scope, bst_root root, bst_scope_field *scope_fields,
                     const bst_field *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        scope_fields[i] = (bst_scope_field){fields[i].name, fields[i].type};
    }
    scope->root[root].known = true;
    scope->root[root].count = count;
    scope->root[root].fields = scope_fields;
}

const char *bst__next_word(const char *text, size_t *ret_len) {
    while (*text && !isalpha((unsigned char)*text) && *text != '_') {
        text++;
    }
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) || text[len] == '_') {
        len++;
    }
    *ret_len = len;
    return len ? text : NULL;
}

static bool is_poisoned(const bst_scope *scope, const char *word, size_t len) {
    for (int root = 0; root < BST_ROOT_COUNT; root++) {
        for (size_t i = 0; i < scope->root[root].count; i++) {
            const bst_scope_field *field = &scope->root[root].fields[i];
            if (field->type.kind == BST_KIND_COUNT && strncmp(field->name, word, len) == 0 &&
                field->name[len] == '\0') {
                return true;
            }
        }
    }
    return false;
}

/* Whether the text speaks of a field whose type could not be read: whatever is wrong with the text
 * may come from that. */
static bool mentions_poisoned(const char *text, const bst_scope *scope) {
    size_t len;
    for (const char *word = bst__next_word(text, &len); word;
         word = bst__next_word(word + len, &len)) {
        if (is_poisoned(scope, word, len)) {
            return true;
        }
    }
    return false;
}

bool bst__compile(bst__load *l, const json_t *text, const char *pointer, const bst_scope *scope,
                  const bst_type *want, const bst_expr **ret) {
    *ret = NULL;
    if (bst__is_broken(l, "fields")) {
        return true;
    }
    if (l->status != BST_OK && mentions_poisoned(json_string_value(text), scope)) {
        return true;
    }
    const bst_expr_place place = {l->source, pointer};
    const bst_status status = bst_expr_compile(json_string_value(text), json_string_length(text),
                                               scope, want, &place, l->arena, ret, l->diags);
    if (status == BST_NOMEM) {
        l->status = BST_NOMEM;
        return false;
    }
    if (status != BST_OK) {
        *ret = NULL;
        l->status = BST_INVALID;
    }
    return true;
}

typedef struct search {
    bst_root root;
    const bst_expr *found;
} search;

static void match(const bst_expr *ref, void *context) {
    search *s = context;
    if (!s->found && ref->root == s->root) {
        s->found = ref;
    }
}

const bst_expr *bst__expr_reads(const bst_expr *expr, bst_root root) {
    search s = {root, NULL};
    bst_expr_each_ref(expr, match, &s);
    return s.found;
}
