/* Who follows a machine, and how far: for those who compare while the old system writes, and for
 * another follower. */
#include "backstory/loads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pg_store_private.h"

#define GLANCE_NS 50000000

/* Whoever follows by a slot holds its lock (see journal_pg.c). */
#define IS_RUNNING                                                                                 \
    "EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.granted"        \
    " AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_catalog.pg_database"                 \
    "  WHERE datname = current_database())"                                                        \
    " AND l.classid = (hashtext('backstory follow')::bigint & 4294967295)::oid"                    \
    " AND l.objid = (hashtext('slot ' || f.slot)::bigint & 4294967295)::oid)"

/* Those that are followed come first. A slot that was dropped, and another one has taken over from,
 * has no place. */
static const char place_sql[] =
    "SELECT slot, lsn, running FROM (SELECT f.slot, f.lsn, " IS_RUNNING " AS running,"
    "  CASE WHEN $3::text IS NOT NULL THEN f.slot = $3 WHEN $2::text IS NOT NULL"
    "   THEN regexp_replace(f.source, '^public\\.', '') = regexp_replace($2, '^public\\.', '')"
    "  END AS wanted"
    "  FROM backstory.follow f JOIN backstory.machine m USING (machine_id) WHERE m.name = $1) x"
    " WHERE coalesce(wanted, true) ORDER BY running DESC, lsn DESC NULLS LAST LIMIT 1";

static const char all_sql[] = "SELECT min(f.lsn), bool_and(" IS_RUNNING ") FROM backstory.follow f"
                              " JOIN backstory.machine m USING (machine_id)"
                              " WHERE m.name = $1 AND f.lsn IS NOT NULL";

static bool is_true(const char *text) {
    return text && strcmp(text, "t") == 0;
}

static void take_place(const bst_pg_rows *rows, size_t lsn_at, bst_follow_place *ret) {
    const char *const lsn = bst_pg_rows_text(rows, 0, lsn_at);
    ret->running = is_true(bst_pg_rows_text(rows, 0, lsn_at + 1));
    if (!lsn || !bst_lsn_parse(lsn, &ret->lsn))
        ret->lsn = 0;
}

static bst_status find_place(bst_pg *pg, const char *machine, const char *source, const char *slot,
                             bst_follow_place *ret, bst_diags *diags) {
    const char *const params[] = {machine, source, slot};
    bst_pg_rows *rows = NULL;
    *ret = (bst_follow_place){.slot = ""};
    const bst_status status = bst_pg_query(pg, place_sql, 3, params, &rows, diags);
    if (status == BST_OK && bst_pg_rows_count(rows) == 1) {
        snprintf(ret->slot, sizeof ret->slot, "%s", bst_pg_rows_text(rows, 0, 0));
        take_place(rows, 1, ret);
    }
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_follow_find(const char *store, const char *machine, const char *source,
                           const char *moment, bst_follow_place *ret, bst_diags *diags) {
    bst_pg *pg = NULL;
    bool found = false;
    *ret = (bst_follow_place){.slot = ""};
    bst_status status = bst_pg_connect(store, BST_PG_STORE, &pg, diags);
    if (status == BST_OK && moment)
        status = bst__pg_begin_at(pg, moment, diags);
    if (status == BST_OK)
        status = bst__store_find(pg, &found, diags);
    if (status == BST_OK && found)
        status = find_place(pg, machine, source, NULL, ret, diags);
    bst_pg_free(pg);
    return status;
}

/* ---- waiting */

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

static bst_status lags(const bst_follow_wait *wait, const bst_follow_place *at, bst_diags *diags) {
    char wanted[BST_LSN_TEXT_MAX], reached[BST_LSN_TEXT_MAX];
    bst_lsn_format(wait->lsn, wanted);
    bst_lsn_format(at->lsn, reached);
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "follower-lags", NULL,
                 "the follower has not come to %s in %lu s: it is at %s%s", wanted,
                 (unsigned long)wait->seconds, reached,
                 at->running ? "" : ", and it is not running");
    bst_diag_hint(diags, "Look whether backstory follow is running, and how far it is behind.");
    return BST_RETRY;
}

static bst_status look(bst_pg *pg, const char *machine, const bst_follow_wait *wait,
                       bst_follow_place *ret, bst_diags *diags) {
    const char *const params[] = {machine};
    bst_pg_rows *rows = NULL;
    if (wait->slot)
        return find_place(pg, machine, NULL, wait->slot, ret, diags);
    *ret = (bst_follow_place){.slot = ""};
    const bst_status status = bst_pg_query(pg, all_sql, 1, params, &rows, diags);
    if (status == BST_OK)
        take_place(rows, 0, ret);
    bst_pg_rows_free(rows);
    return status;
}

static bst_status wait_for(bst_pg *pg, const char *machine, const bst_follow_wait *wait,
                           bst_diags *diags) {
    const struct timespec glance = {.tv_nsec = GLANCE_NS};
    const time_t until = time(NULL) + (time_t)wait->seconds;
    time_t told = time(NULL);
    for (;;) {
        bst_follow_place at;
        const bst_status status = look(pg, machine, wait, &at, diags);
        if (status != BST_OK || (at.lsn != 0 && at.lsn >= wait->lsn))
            return status;
        const time_t now = time(NULL);
        if (now > until)
            return lags(wait, &at, diags);
        if (wait->on_wait && now > told)
            wait->on_wait(wait->context, &at);
        told = now;
        nanosleep(&glance, NULL);
    }
}

bst_status bst_follow_await(const char *store, const char *machine, const bst_follow_wait *wait,
                            bst_diags *diags) {
    bst_pg *pg = NULL;
    bst_status status = bst_pg_connect(store, BST_PG_STORE, &pg, diags);
    if (status == BST_OK)
        status = is_followed(pg, machine, diags);
    if (status == BST_OK)
        status = wait_for(pg, machine, wait, diags);
    bst_pg_free(pg);
    return status;
}

/* ---- others */

/* A table without a schema is in public: "payments of ..." is "public.payments of ...". Where
 * nobody has followed this source, it is held against the tables that were migrated, too: by the
 * server's number where that could be read; of a file nothing is known that could be compared. */
static const char others_sql[] =
    "WITH own AS (SELECT machine_id, regexp_replace($2, '^public\\.', '') AS label"
    "  FROM backstory.machine WHERE name = $1),"
    " known AS (SELECT f.slot, f.source, f.lsn, regexp_replace(f.source, '^public\\.', '')"
    "  = own.label AS same FROM backstory.follow f JOIN own USING (machine_id)),"
    " migrated AS (SELECT l.i ->> 'table' || named || coalesce(l.i ->> 'server', '?') AS source,"
    "  starts_with(own.label, regexp_replace(l.i ->> 'table', '^public\\.', '') || named"
    "   || coalesce(l.i ->> 'server', '')) AS same"
    "  FROM (SELECT machine_id, source_identity::json AS i FROM backstory.load) AS l"
    "  JOIN own USING (machine_id) CROSS JOIN LATERAL"
    "   (SELECT ' of ' || (l.i ->> 'database') || ' in cluster ' AS named) AS n)"
    " SELECT (SELECT array_agg(slot ORDER BY slot) FROM known WHERE same AND slot <> $3),"
    "  o.slot, o.source FROM (SELECT) AS one LEFT JOIN LATERAL (SELECT slot, source FROM known"
    "  WHERE NOT same AND lsn IS NOT NULL AND slot <> $3"
    "  UNION ALL SELECT NULL, source FROM migrated"
    "   WHERE NOT same AND NOT EXISTS (SELECT FROM known WHERE same)"
    "  ORDER BY slot NULLS LAST, source LIMIT 1) AS o ON true";

static void add_text(const bst_pg_rows *rows, size_t column, bst_strbuf *out) {
    const char *const text = bst_pg_rows_text(rows, 0, column);
    bst_strbuf_adds(out, text ? text : "");
}

bst_status bst__follow_find_others(bst_pg *pg, const char *machine, const char *source,
                                   const char *slot, bst_follow_others *ret, bst_diags *diags) {
    const char *const params[] = {machine, source, slot};
    bst_pg_rows *rows = NULL;
    bst_status status = bst_pg_query(pg, others_sql, 3, params, &rows, diags);
    if (status == BST_OK) {
        add_text(rows, 0, &ret->slots);
        add_text(rows, 1, &ret->other_slot);
        add_text(rows, 2, &ret->other_source);
        if (ret->slots.failed || ret->other_slot.failed || ret->other_source.failed)
            status = bst_diag_nomem(diags);
    }
    bst_pg_rows_free(rows);
    return status;
}

bst_status bst_follow_find_others(const char *store, const char *machine, const char *source,
                                  const char *slot, bst_follow_others *ret, bst_diags *diags) {
    bst_pg *pg = NULL;
    bool found = false;
    bst_status status = bst__store_look(store, &pg, &found, diags);
    if (status == BST_OK && found)
        status = bst__follow_find_others(pg, machine, source, slot, ret, diags);
    bst_pg_free(pg);
    return status;
}

void bst_follow_others_release(bst_follow_others *others) {
    bst_strbuf_release(&others->slots);
    bst_strbuf_release(&others->other_slot);
    bst_strbuf_release(&others->other_source);
}
