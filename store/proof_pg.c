/* The store's part of a proof. The server words it: it has the facts. */
#include "backstory/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pg_store_private.h"

/* A finished run has its row; of a run in one transaction (a retry) there is no load. All of it is
 * the digests of its chunks, put together as backstory.digest_all() does. They are held against
 * those of the first manifest: history is append-only, so they never change. */
static const char prove_sql[] =
    "WITH d AS MATERIALIZED (SELECT * FROM backstory.digest($1::int))"
    " SELECT json_build_object('run_id', r.run_id, 'started_at', r.started_at,"
    " 'finished_at', r.finished_at, 'role', r.role, 'source', r.source,"
    " 'histories', r.histories, 'events', r.events,"
    " 'snapshots', (SELECT coalesce(json_agg(json_build_object('lsn', s.lsn,"
    "   'taken_at', s.taken_at) ORDER BY s.snapshot), '[]')"
    "   FROM backstory.snapshot s WHERE s.run_id = r.run_id),"
    " 'chunks', (SELECT count(*) FROM backstory.chunk c WHERE c.run_id = r.run_id),"
    " 'quarantined', (SELECT count(*) FROM backstory.quarantine q WHERE q.run_id = r.run_id),"
    " 'digest', (SELECT json_build_object('all', encode(sha256(convert_to("
    "   coalesce(string_agg(d.sha256, '' ORDER BY d.chunk), ''), 'UTF8')), 'hex'), 'chunks',"
    "   coalesce(json_agg(json_build_object('chunk', d.chunk, 'items', d.items,"
    "     'sha256', d.sha256) ORDER BY d.chunk), '[]')) FROM d),"
    " 'first', (SELECT json_build_object('made_at', m.made_at, 'changed', (SELECT"
    "   coalesce(json_agg(coalesce(d.chunk, was.chunk) ORDER BY coalesce(d.chunk, was.chunk)),"
    "     '[]') FROM d FULL JOIN (SELECT c->>'chunk', c->>'sha256' FROM json_array_elements("
    "     m.manifest::json->'store'->'digest'->'chunks') AS c) AS was (chunk, sha256)"
    "   ON was.chunk = d.chunk WHERE d.sha256 IS DISTINCT FROM was.sha256))"
    "   FROM backstory.manifest m WHERE m.run_id = r.run_id ORDER BY m.made_at LIMIT 1))::text"
    " FROM backstory.run r WHERE r.run_id = $1::int";

typedef struct number_text {
    char text[16];
} number_text;

static number_text number_of(int32_t number) {
    number_text made;
    snprintf(made.text, sizeof made.text, "%" PRId32, number);
    return made;
}

bst_status bst_store_prove(const char *store, int32_t run_id, bst_strbuf *out, bst_diags *diags) {
    const number_text run = number_of(run_id);
    const char *const params[] = {run.text};
    bst_pg *pg = NULL;
    char *text = NULL;
    bst_status status = bst_pg_connect(store, BST_PG_STORE, &pg, diags);
    /* Digests sort the segments of the run: in memory, where it is little. */
    if (status == BST_OK)
        status = bst_pg_exec(pg, "BEGIN READ ONLY; SET LOCAL jit = off", diags);
    if (status == BST_OK)
        status = bst__pg_value(pg, prove_sql, 1, params, &text, diags);
    if (status == BST_OK && !text)
        status = bst_diag_add(diags, BST_DATABASE, BST_ERROR, "no-run", NULL,
                              "the store has no finished migration %s", run.text);
    if (status == BST_OK)
        bst_strbuf_adds(out, text);
    free(text);
    bst_pg_free(pg);
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}

/* A role that may only read is asked for nothing else. */
bst_status bst_store_keep_manifest(const char *store, int32_t run_id, const char *manifest,
                                   bool *ret_kept, bst_diags *diags) {
    const number_text run = number_of(run_id);
    const char *const params[] = {run.text, manifest};
    bst_pg *pg = NULL;
    char *text = NULL;
    bst_status status = bst_pg_connect(store, BST_PG_STORE, &pg, diags);
    if (status == BST_OK)
        status = bst__pg_truth(pg, "SELECT has_table_privilege('backstory.manifest', 'INSERT')", 0,
                               NULL, ret_kept, diags);
    if (status == BST_OK && *ret_kept)
        status = bst__pg_value(pg,
                               "INSERT INTO backstory.manifest (run_id, manifest)"
                               " VALUES ($1::int, $2) RETURNING run_id",
                               2, params, &text, diags);
    free(text);
    bst_pg_free(pg);
    return status;
}
