/* The two tables behind bst_status, made from the one list in the header so that they cannot drift
 * apart. A number that is no status counts as a bug of ours: it reads "internal" and exits as
 * BST_INTERNAL does.
 */
#include "backstory/status.h"

static const char *const texts[] = {
#define X(name, text, exit_status) text,
    BST_STATUS_LIST(X)
#undef X
};

static const int exits[] = {
#define X(name, text, exit_status) exit_status,
    BST_STATUS_LIST(X)
#undef X
};

_Static_assert(sizeof texts / sizeof *texts == BST_STATUS_COUNT, "a text for every status");
_Static_assert(sizeof exits / sizeof *exits == BST_STATUS_COUNT, "an exit status for every status");

static bst_status known(bst_status status) {
    return (unsigned)status < BST_STATUS_COUNT ? status : BST_INTERNAL;
}

const char *bst_status_text(bst_status status) {
    return texts[known(status)];
}

int bst_status_exit(bst_status status) {
    return exits[known(status)];
}
