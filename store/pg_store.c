/* Finds the event store in a database, or puts it there.
 *
 * It is installed inside the transaction of the run that needs it first: a run that fails leaves
 * not even an empty store, and one that succeeds loads into tables that nobody else can see yet,
 * which is the fastest way there is.
 */
#include "pg_store_private.h"

#include "backstory/loads.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backstory/clock.h"
#include "pg_private.h"

extern const char bst__schema_sql[];
extern const char bst__views_sql[];
extern const char bst__append_sql[];
extern const char bst__follow_sql[];
extern const char bst__rights_sql[];

#define SERVER_VERSION_MIN 140000
#define INSTALL_WAIT_US                                                                            \
    INT64_C(5000000) /* for another run that is making the store: a second's work */

bst_status bst__pg_value(bst_pg *pg, const char *sql, size_t param_count, const char *const *params,
                         char **ret, bst_diags *diags) {
    bst_pg_rows *rows;
    const bst_status status = bst_pg_query(pg, sql, param_count, params, &rows, diags);
    if (status != BST_OK)
        return status;
    const char *const text = bst_pg_rows_count(rows) > 0 ? bst_pg_rows_text(rows, 0, 0) : NULL;
    char *const copy = text ? malloc(strlen(text) + 1) : NULL;
    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    bst_pg_rows_free(rows);
    if (text && !copy)
        return bst_diag_nomem(diags);
    *ret = copy;
    return BST_OK;
}

bst_status bst__pg_number(bst_pg *pg, const char *sql, size_t param_count,
                          const char *const *params, int64_t *ret, bst_diags *diags) {
    char *text = NULL;
    const bst_status status = bst__pg_value(pg, sql, param_count, params, &text, diags);
    if (status == BST_OK)
        *ret = text ? strtoll(text, NULL, 10) : 0;
    free(text);
    return status;
}

bst_status bst__pg_truth(bst_pg *pg, const char *sql, size_t param_count, const char *const *params,
                         bool *ret, bst_diags *diags) {
    char *text = NULL;
    const bst_status status = bst__pg_value(pg, sql, param_count, params, &text, diags);
    if (status == BST_OK)
        *ret = text && strcmp(text, "t") == 0;
    free(text);
    return status;
}

static bst_status check_version(bst_pg *pg, bst_diags *diags) {
    int64_t version;
    const bst_status status = bst__pg_number(
        pg, "SELECT max(version) FROM backstory.schema_version", 0, NULL, &version, diags);
    if (status != BST_OK || version == BST__STORE_VERSION)
        return status;
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "store-version", NULL,
                 "the event store in %s has version %lld, and this backstory knows version %d",
                 bst_pg_label(pg), (long long)version, BST__STORE_VERSION);
    bst_diag_hint(diags, "Use the backstory that belongs to the store, or another database.");
    return BST_DATABASE;
}

bst_status bst__store_find(bst_pg *pg, bool *ret_found, bst_diags *diags) {
    if (bst_pg_version(pg) < SERVER_VERSION_MIN)
        return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "server-version", NULL,
                            "the event store needs PostgreSQL 14 or later; %s is %d",
                            bst_pg_label(pg), bst_pg_version(pg) / 10000);
    const bst_status status =
        bst__pg_truth(pg, "SELECT to_regclass('backstory.schema_version') IS NOT NULL", 0, NULL,
                      ret_found, diags);
    return status == BST_OK && *ret_found ? check_version(pg, diags) : status;
}

bst_status bst__store_need(bst_pg *pg, bst_diags *diags) {
    bool found = false;
    const bst_status status = bst__store_find(pg, &found, diags);
    if (status != BST_OK || found)
        return status;
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "no-store", NULL, "there is no event store in %s",
                 bst_pg_label(pg));
    bst_diag_hint(diags, "backstory migrate makes one; or the connection names another database.");
    return BST_DATABASE;
}

bst_status bst__store_look(const char *conninfo, bst_pg **ret, bool *ret_found, bst_diags *diags) {
    *ret_found = false;
    const bst_status status = bst_pg_connect(conninfo, BST_PG_STORE, ret, diags);
    return status == BST_OK ? bst__store_find(*ret, ret_found, diags) : status;
}

bst_status bst_store_open(const char *conninfo, bst_pg **ret, bst_diags *diags) {
    const bst_status status = bst_pg_connect(conninfo, BST_PG_STORE, ret, diags);
    return status == BST_OK ? bst__store_need(*ret, diags) : status;
}

bst_status bst__pg_begin_at(bst_pg *pg, const char *moment, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_strbuf_adds(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (moment) {
        bst_strbuf_adds(&sql, "; SET TRANSACTION SNAPSHOT ");
        if (!bst_pg_add_literal(pg, moment, &sql))
            sql.failed = true;
    }
    const bst_status status = sql.failed ? bst_diag_nomem(diags) : bst_pg_exec(pg, sql.text, diags);
    bst_strbuf_release(&sql);
    return status;
}

bst_status bst__store_open_at(const char *conninfo, const char *moment, bst_pg **ret,
                              bst_diags *diags) {
    const bst_status status = bst_store_open(conninfo, ret, diags);
    return status == BST_OK && moment ? bst__pg_begin_at(*ret, moment, diags) : status;
}

/* Whoever makes the store is soon done with it, also the session of a run that was killed; but a
 * sink makes it in the transaction of its run, which may last. */
static bst_status lock_install(bst_pg *pg, bst_diags *diags) {
    const struct timespec nap = {.tv_nsec = 50000000};
    const int64_t end = bst_clock_us() + INSTALL_WAIT_US;
    bool locked = false;

    for (;;) {
        const bst_status status =
            bst__pg_truth(pg, "SELECT pg_try_advisory_xact_lock(hashtext('backstory'), 0)", 0, NULL,
                          &locked, diags);
        if (status != BST_OK || locked)
            return status;
        if (bst_clock_us() > end)
            break;
        nanosleep(&nap, NULL);
    }
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "store-busy", NULL,
                 "another run is just making the event store in %s", bst_pg_label(pg));
    bst_diag_hint(diags, "Wait until it has finished, and try again.");
    return BST_RETRY;
}

bst_status bst__store_install(bst_pg *pg, bool *ret_new, bst_diags *diags) {
    bool found;
    bst_status status = bst__store_find(pg, &found, diags);
    *ret_new = false;
    if (status != BST_OK || found)
        return status;
    status = lock_install(pg, diags);
    if (status != BST_OK)
        return status;
    status = bst__store_find(pg, &found, diags); /* it may have finished in between */
    if (status != BST_OK || found)
        return status;
    *ret_new = true;
    const char *const scripts[] = {bst__schema_sql, bst__views_sql, bst__append_sql,
                                   bst__follow_sql, bst__rights_sql};
    for (size_t i = 0; status == BST_OK && i < sizeof scripts / sizeof *scripts; i++)
        status = bst_pg_exec(pg, scripts[i], diags);
    return status;
}
