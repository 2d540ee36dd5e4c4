/* The way from "--from" to a kind of source. */
#include "backstory/source.h"

#include <string.h>
#include <unistd.h>

#include "backstory/sink.h"

#include "source_private.h"

/* A connection string that is not quite one, or one of another kind of server: not shown then. */
static bool may_hold_secret(const char *from) {
    return strpbrk(from, "@=") || strstr(from, "://");
}

static bst_status report_unknown_source(bst_diags *diags) {
    bst_diag_add(diags, BST_USAGE, BST_ERROR, "unknown-source", NULL,
                 "the source is neither a file or folder nor a connection string of PostgreSQL");
    bst_diag_hint(diags,
                  "Write it as postgresql://user@host/database, as host=... dbname=..., or as "
                  "a path.");
    return BST_USAGE;
}

bst_status bst_source_open(const char *from, const bst_source_spec *spec, bst_source **ret,
                           bst_diags *diags) {
    return bst_source_open_at(from, spec, NULL, ret, diags);
}

bst_status bst_source_open_at(const char *from, const bst_source_spec *spec, const char *snapshot,
                              bst_source **ret, bst_diags *diags) {
    if (!bst_is_connection_string(from)) {
        if (may_hold_secret(from) && access(from, F_OK) != 0)
            return report_unknown_source(diags);
        return bst__source_files_open(from, spec, ret, diags);
    }
#if BACKSTORY_POSTGRES
    return bst__source_pg_open(from, spec, snapshot, ret, diags);
#else
    (void)snapshot;
    return bst_no_postgres("a .csv file", diags);
#endif
}
