/* A draft with one state column, or one of several. */
#include <string.h>

#include "draft_private.h"

bst_status bst_draft_make(const bst_draft_options *options, bst_draft *ret, bst_diags *diags) {
    const bool several = options->state && strchr(options->state, ',');
    return several ? bst__draft_regions(options, ret, diags) : bst__draft_one(options, ret, diags);
}
