/* What the store can say of a migration afterwards, and where the proof of it is kept. Built
 * only with BACKSTORY_POSTGRES. */
#ifndef BACKSTORY_PROOF_H
#define BACKSTORY_PROOF_H

#include <stdbool.h>

#include "backstory/diag.h"
#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends a JSON object: {"run_id","started_at","finished_at","role","source","snapshots":
 * [{"lsn","taken_at"}],"histories","events","quarantined","chunks","digest":{"all","chunks":
 * [{"chunk","items","sha256"}]}}. The digests are those of backstory.digest(); working them out
 * reads all that the run has written. */
BST_API bst_status bst_store_prove(const char *store, int32_t run_id, bst_strbuf *out,
                                   bst_diags *diags) BST_MUST_USE;
/* Keeps a manifest (JSON) in the store, beside the run. *ret_kept false: the role may not write
 * there. */
BST_API bst_status bst_store_keep_manifest(const char *store, int32_t run_id, const char *manifest,
                                           bool *ret_kept, bst_diags *diags) BST_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
