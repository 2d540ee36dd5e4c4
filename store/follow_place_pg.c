/* Who follows a machine, and how far: for those who compare while the old system writes, and for
 * another follower. */
#include "backstory/loads.h"

#include <stdlib.h>
#include <time.h>

#include "pg_store_private.h"

#define GLANCE_NS 50000000

static const char asked_sql[] =
    "SELECT coalesce(min(f.lsn) >= $2::pg_lsn, false) FROM backstory.follow f"
    " JOIN backstory.machine m USING (machine_id) WHERE m.name = $1 AND f.lsn IS NOT NULL";

static bst_status is_followed(bst_pg *pg, const char *machine, bst_diags *diags) {
    const char *const params[] = {machine};
    bool followed = false;
    const bst_status status = bst__pg_truth(
        pg,
        "SELECT EXISTS (SELECT FROM backstory.follow JOIN backstory.machine m USING (machine_id)"
        " WHERE m.name = $1)",
        1, params, &followed, diags);
    if (status != BST_OK || followed)
        return status;
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "not-followed", NULL,
                 "nobody follows the old system for machine \"%s\" in this store", machine);
    bst_diag_hint(diags, "Start backstory follow, or compare without --recheck.");
    return BST_INVALID;
}

static bst_status lags(const char *lsn, uint32_t seconds, bst_diags *diags) {
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "follower-lags", NULL,
                 "the follower has not come to %s in %lu s", lsn, (unsigned long)seconds);
    bst_diag_hint(diags, "Look whether backstory follow is running, and how far it is behind.");
    return BST_RETRY;
}

bst_status bst_follow_await(const char *store, const char *machine, const char *lsn,
                            uint32_t seconds, bst_diags *diags) {
    const char *const params[] = {machine, lsn};
    const struct timespec glance = {.tv_nsec = GLANCE_NS};
    const time_t until = time(NULL) + (time_t)seconds;
    bst_pg *pg = NULL;
    bool there = false;
    bst_status status = bst_pg_connect(store, &pg, diags);
    if (status == BST_OK)
        status = is_followed(pg, machine, diags);
    while (status == BST_OK && !there) {
        status = bst__pg_truth(pg, asked_sql, 2, params, &there, diags);
        if (status == BST_OK && !there && time(NULL) > until)
            status = lags(lsn, seconds, diags);
        if (status == BST_OK && !there)
            nanosleep(&glance, NULL);
    }
    bst_pg_free(pg);
    return status;
}

/* A table without a schema is in public: "payments of ..." is "public.payments of ...". */
bst_status bst__follow_others(bst_pg *pg, const char *machine, const char *source, const char *slot,
                              bst_strbuf *out, bst_diags *diags) {
    const char *const params[] = {machine, source, slot};
    char *slots = NULL;
    const bst_status status = bst__pg_value(
        pg,
        "SELECT array_agg(f.slot ORDER BY f.slot) FROM backstory.follow f"
        " JOIN backstory.machine m USING (machine_id) WHERE m.name = $1 AND f.slot <> $3"
        " AND regexp_replace(f.source, '^public\\.', '') = regexp_replace($2, '^public\\.', '')",
        3, params, &slots, diags);
    if (slots)
        bst_strbuf_adds(out, slots);
    free(slots);
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}

bst_status bst_follow_others(const char *store, const char *machine, const char *source,
                             const char *slot, bst_strbuf *out, bst_diags *diags) {
    bst_pg *pg = NULL;
    bool found = false;
    bst_status status = bst_pg_connect(store, &pg, diags);
    if (status == BST_OK)
        status = bst__store_find(pg, &found, diags);
    if (status == BST_OK && found)
        status = bst__follow_others(pg, machine, source, slot, out, diags);
    bst_pg_free(pg);
    return status;
}
