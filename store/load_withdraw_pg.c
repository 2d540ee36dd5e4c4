/* A load that failed before any of its chunks was done: nobody has seen anything of it, and nothing
 * in it is worth to go on from. It is taken back, so that it stands in no other run's way.
 *
 * No segment, plan or quarantined row is there without a chunk that is done: all that goes are rows
 * about work to do, and history stays append-only.
 */
#include "load_private.h"

#include "pg_store_private.h"

bst_status bst__load_withdraw(bst_load *load, const char *run_id, bool *ret_withdrawn,
                              bst_diags *diags) {
    const char *const params[] = {run_id};
    *ret_withdrawn = false;
    bst_status status = bst_pg_exec(load->pg, "SET lock_timeout = '5s'", diags);
    if (status == BST_OK)
        status = bst__pg_truth(load->pg, "SELECT backstory.withdraw_load($1)", 1, params,
                               ret_withdrawn, diags);
    if (status == BST_OK)
        status = bst_pg_exec(load->pg, "SET lock_timeout = 0", diags);
    return status;
}

void bst_load_withdraw(bst_load *load) {
    bool withdrawn;
    bst_strbuf run_id = BST_STRBUF_INIT;
    bst_diags *const ignored = bst_diags_new();
    bst_strbuf_add_int(&run_id, load->run_id);
    if (load->pg && load->state == BST_LOAD_UNFINISHED && ignored && !run_id.failed)
        (void)!bst__load_withdraw(load, run_id.text, &withdrawn, ignored);
    bst_diags_free(ignored);
    bst_strbuf_release(&run_id);
}
