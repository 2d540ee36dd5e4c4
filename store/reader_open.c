/* Readers of what a name on the command line leads to: a file of events, or a store on a server. */
#include "backstory/sink.h"
#include "reader_private.h"
#include "target_private.h"

static bst_status open_any(const char *store, const bst_machine *machine, const char *key,
                           const bst_key_part *part, const char *moment, bst_reader **ret,
                           bst_diags *diags) {
    if (bst__is_jsonl(store))
        return bst__reader_jsonl_open(store, machine, key, ret, diags);
    if (!bst_is_connection_string(store))
        return bst__unknown_target(store, diags);
#if BACKSTORY_POSTGRES
    return bst__reader_pg_open(store, machine, key, part, moment, ret, diags);
#else
    (void)part;
    (void)moment;
    return bst_no_postgres("a .jsonl file", diags);
#endif
}

bst_status bst_reader_open(const char *store, const bst_machine *machine, const char *key,
                           bst_reader **ret, bst_diags *diags) {
    return open_any(store, machine, key, NULL, NULL, ret, diags);
}

bst_status bst_reader_open_part(const char *store, const bst_machine *machine,
                                const bst_key_part *part, const char *moment, bst_reader **ret,
                                bst_diags *diags) {
    return open_any(store, machine, NULL, part, moment, ret, diags);
}
