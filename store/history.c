/* The words of a history: how a basis is written. */
#include "backstory/history.h"

#include <string.h>

static const char *const basis_texts[] = {
#define X(name, text) text,
    BST_BASIS_LIST(X)
#undef X
};

_Static_assert(sizeof basis_texts / sizeof *basis_texts == BST_BASIS_COUNT, "a text for each");

const char *bst_basis_text(bst_basis basis) {
    return (unsigned)basis < BST_BASIS_COUNT ? basis_texts[basis] : "?";
}

const char *bst_remedy_text(bst_remedy remedy) {
    static const char *const texts[] = {
#define X(name, text) text,
        BST_REMEDY_LIST(X)
#undef X
    };
    _Static_assert(sizeof texts / sizeof *texts == BST_REMEDY_COUNT, "a text for each");
    return (unsigned)remedy < BST_REMEDY_COUNT ? texts[remedy] : "?";
}

bool bst_basis_parse(const char *text, bst_basis *ret) {
    for (unsigned i = 0; i < BST_BASIS_COUNT; i++) {
        if (strcmp(text, basis_texts[i]) == 0) {
            *ret = (bst_basis)i;
            return true;
        }
    }
    return false;
}
