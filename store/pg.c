/* Speaks libpq for everybody else.
 *
 * Calls wait (pg_wait.c says for how long); while they send they read, so a COPY in cannot lock up
 * against a server that answers, and hold at most a few buffers. What a server says of an error in
 * a COPY it says late: PQputCopyData goes on returning 1 long after the failure, and after -1 the
 * true cause is found only by draining the results. So callers keep each COPY short, and every
 * failure here drains before it reports.
 *
 * Nothing is retried, and no text of the server is matched: only its SQLSTATE counts.
 */
#include "backstory/pg.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/sink.h"
#include "pg_conn_private.h"

#define CONNECT_SECONDS 30u

struct bst_pg_rows {
    PGresult *result;
};

/* Nothing of a user's configuration may change what a value looks like, or cut a long run short. */
static const char session_sql[] =
    "SET statement_timeout = 0; SET TimeZone = 'UTC'; SET client_encoding = 'UTF8';"
    "SET search_path = '';"
    "SET default_transaction_read_only = off; SET default_transaction_isolation = 'read committed';"
    "SET default_transaction_deferrable = off;"
    "SET lc_monetary = 'C'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';"
    "SET extra_float_digits = 3; SET bytea_output = 'hex';"
    "SET standard_conforming_strings = on; SET quote_all_identifiers = off;"
    /* Which of these there are depends on the server's version. */
    "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN"
    " ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',"
    " 'idle_session_timeout', 'transaction_timeout')";

/* Reporting */

/* libpq's own messages have several lines, of which those that begin with a tab go on with the one
 * before: all of it becomes one line here. */
static void add_lines(bst_strbuf *out, const char *text) {
    for (const char *at = text; *at;) {
        const size_t line = strcspn(at, "\n");
        bst_strbuf_add(out, at, line);
        at += line;
        at += strspn(at, "\n\t ");
        if (*at)
            bst_strbuf_adds(out, line > 0 && at[-1] == '\t' ? ". " : "; ");
    }
}

static bst_status report_connection(const bst_pg *pg, bst_diags *diags) {
    bst_strbuf text = BST_STRBUF_INIT;
    add_lines(&text, PQerrorMessage(pg->conn));
    if (text.len == 0)
        bst_strbuf_adds(&text, "the connection to the server was lost");
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "connect", NULL, "%s %s: %s", bst__pg_side(pg),
                 pg->label.text, text.text);
    bst_strbuf_release(&text);
    return BST_DATABASE;
}

static bst_status status_of(const char *sqlstate) {
    if (strcmp(sqlstate, "23505") == 0 || strcmp(sqlstate, "BST01") == 0)
        return BST_CONFLICT; /* BST01: the store's own, see append.sql */
    const bool passes = strncmp(sqlstate, "40", 2) == 0 || strcmp(sqlstate, "BST03") == 0;
    return passes ? BST_RETRY : BST_DATABASE;
}

/* What to do, where the server does not say it; NULL: nothing is known. */
static const char *own_hint(const bst_pg *pg, const char *sqlstate, const char *primary) {
    if (strcmp(sqlstate, "55P03") == 0)
        return "Somebody changes the table, or waits to do so until this program "
               "lets go of it: see pg_locks. Then give the same command again.";
    if (strcmp(sqlstate, "42501") == 0 && primary && strstr(primary, "schema backstory"))
        return "Grant this role backstory_reader to read the store, or "
               "backstory_appender to load into it.";
    if (strcmp(sqlstate, "22P05") == 0 && pg->side == BST_PG_STORE)
        return "Load into a database WITH ENCODING 'UTF8', which holds every text.";
    return NULL;
}

static bst_status report_result(const bst_pg *pg, const PGresult *result, bst_diags *diags) {
    const char *const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *const detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *const context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *const hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    char code[32];
    snprintf(code, sizeof code, "sqlstate-%s", sqlstate);
    const bst_status status = status_of(sqlstate);
    bst_diag_add(diags, status, BST_ERROR, code, NULL, "%s %s: %s", bst__pg_side(pg),
                 pg->label.text, primary ? primary : "unknown error");
    /* Where in a COPY it happened is worth knowing; where in a function of ours is not. */
    if (detail && context && strncmp(sqlstate, "BST", 3) != 0)
        bst_diag_detail(diags, "%s; %s", detail, context);
    else if (detail || context)
        bst_diag_detail(diags, "%s", detail ? detail : context);
    const char *const advice = hint ? hint : own_hint(pg, sqlstate, primary);
    if (advice)
        bst_diag_hint(diags, "%s", advice);
    return status;
}

/* A server that ends a session says why, but where the connection breaks in a COPY libpq has by
 * then given up on it, and passes its last words on as a notice. Other notices are not for us. */
static void hear_notice(void *context, const PGresult *result) {
    bst_pg *const pg = context;
    const char *const severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
        report_result(pg, result, pg->last_words);
}

bst_status bst__diag_pass_on(const bst_diag *diag, bst_diags *diags) {
    bst_diag_add(diags, diag->status, diag->severity, diag->code, NULL, "%s", diag->message);
    if (diag->detail)
        bst_diag_detail(diags, "%s", diag->detail);
    if (diag->hint)
        bst_diag_hint(diags, "%s", diag->hint);
    return diag->status;
}

static bst_status report_silence(const bst_pg *pg, bst_diags *diags) {
    if (pg->hung)
        return bst__pg_report_hang(pg, diags);
    bst_diag_add(diags, BST_RETRY, BST_ERROR, "stalled", NULL,
                 "%s %s has not moved for %u seconds, and its session is not at work",
                 bst__pg_side(pg), pg->label.text, (unsigned)pg->patience);
    return BST_RETRY;
}

/* Takes the result that failed (NULL: none came) and all that follow it, and reports the first that
 * says why. */
bst_status bst__pg_failed(bst_pg *pg, PGresult *result, bst_diags *diags) {
    bst_status status = BST_OK;
    if (pg->dead) {
        PQclear(result);
        return report_silence(pg, diags);
    }
    if (!result)
        result = bst__pg_result(pg);
    for (; result; result = bst__pg_result(pg)) {
        const ExecStatusType kind = PQresultStatus(result);
        if (status == BST_OK && PQresultErrorField(result, PG_DIAG_SQLSTATE))
            status = report_result(pg, result, diags);
        PQclear(result);
        /* A COPY has no last result before it is left; a connection that is lost ends by itself. */
        if (kind == PGRES_COPY_IN && PQputCopyEnd(pg->conn, "abandoned") < 0)
            break;
        if (kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH)
            break;
    }
    if (status == BST_OK && bst_diags_count(pg->last_words) > 0)
        status = bst__diag_pass_on(bst_diags_at(pg->last_words, 0), diags);
    if (status == BST_OK)
        status = pg->dead ? report_silence(pg, diags) : report_connection(pg, diags);
    return status;
}

/* Connection */

/* libpq quotes a malformed connection string in its message, and a password may stand in that part.
 */
static bool well_formed(const char *conninfo, bool *ret_nomem) {
    errno = 0;
    PQconninfoOption *const options = PQconninfoParse(conninfo, NULL);
    *ret_nomem = !options && errno == ENOMEM;
    PQconninfoFree(options);
    return options != NULL;
}

/* Overwrites every occurrence of a piece in the text. */
static void blot(char *text, const char *piece, size_t len) {
    char *const copy = strndup(piece, len);
    for (char *at = copy ? strstr(text, copy) : NULL; at; at = strstr(at + len, copy))
        memset(at, '*', len);
    free(copy);
}

/* A password with a "/" or an "@" in it makes libpq take a part of it for something else, and show
 * that. So nothing is shown that stands before the last "@". */
static void hide_secrets(const char *conninfo, char *text) {
    static const char between[] = ":/@?";
    const char *const scheme = strstr(conninfo, "://");
    const char *at = scheme ? scheme + 3 : conninfo;
    const char *const end = strrchr(conninfo, '@');
    while (end && at < end) {
        size_t len = strcspn(at, between);
        if (len > (size_t)(end - at))
            len = (size_t)(end - at);
        if (len > 1)
            blot(text, at, len);
        at += len + 1;
    }
}

static bst_status report_refused(const bst_pg *pg, const char *conninfo, bst_diags *diags) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "%s: ", pg->label.text);
    const size_t said = text.len;
    add_lines(&text, PQerrorMessage(pg->conn));
    if (text.len == said)
        bst_strbuf_adds(&text, "the server could not be reached");
    char *const shown = bst_strbuf_detach(&text);
    if (!shown)
        return bst_diag_nomem(diags);
    hide_secrets(conninfo, shown);
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "connect", NULL, "%s %s", bst__pg_side(pg), shown);
    free(shown);
    return BST_DATABASE;
}

/* An empty one leaves all to libpq's environment. */
static bst_status check_form(const char *conninfo, bst_diags *diags) {
    bool nomem = false;
    if ((!*conninfo || bst_is_connection_string(conninfo)) && well_formed(conninfo, &nomem))
        return BST_OK;
    if (nomem)
        return bst_diag_nomem(diags);
    if (strpbrk(conninfo, "=:@"))
        bst_diag_add(diags, BST_USAGE, BST_ERROR, "connect", NULL,
                     "the connection string is not well formed");
    else
        bst_diag_add(diags, BST_USAGE, BST_ERROR, "connect", NULL,
                     "a PostgreSQL server is needed here, and \"%s\" is no connection string",
                     conninfo);
    bst_diag_hint(diags, "Write it as postgresql://user@host/database, or as host=... "
                         "dbname=... with values that hold spaces in single quotes.");
    return BST_USAGE;
}

static void set_label(bst_pg *pg) {
    const char *const host = PQhost(pg->conn), *const port = PQport(pg->conn);
    const char *const database = PQdb(pg->conn);
    bst_strbuf_addf(&pg->label, "%s@%s:%s", database ? database : "", host ? host : "",
                    port ? port : "");
}

/* Before anything is set in a session that somebody else may get next. */
static bst_status find_backend(bst_pg *pg, bst_diags *diags) {
    PGresult *const result = bst__pg_run(pg, BST__PG_BACKEND_SQL);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return bst__pg_failed(pg, result, diags);
    pg->backend = bst__pg_take_backend(result);
    if (pg->backend == PQbackendPID(pg->conn) || !bst__pg_is_shared(pg))
        return BST_OK;
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "shared-session", NULL,
                 "%s %s: a pooler lends its sessions for a transaction at a time", bst__pg_side(pg),
                 pg->label.text);
    bst_diag_hint(diags, "Connect to the server itself, or let the pooler keep a session for a "
                         "connection (pool_mode = session in PgBouncer).");
    return BST_DATABASE;
}

static bst_status start_session(bst_pg *pg, const char *conninfo, bst_diags *diags) {
    if (!pg->conn || !pg->last_words)
        return bst_diag_nomem(diags);
    set_label(pg);
    if (pg->label.failed)
        return bst_diag_nomem(diags);
    if (PQstatus(pg->conn) != CONNECTION_OK)
        return report_refused(pg, conninfo, diags);
    PQsetNoticeReceiver(pg->conn, hear_notice, pg);
    PQsetnonblocking(pg->conn, 1); /* pg_wait.c waits */
    const bst_status status = find_backend(pg, diags);
    return status == BST_OK ? bst_pg_exec(pg, session_sql, diags) : status;
}

bst_status bst__pg_connect(const char *conninfo, bst_pg_side side, bool replicating,
                           uint32_t patience, bst_pg **ret, bst_diags *diags) {
    char limit[16];
    const bst_status form = check_form(conninfo, diags);
    if (form != BST_OK)
        return form;
    bst_pg *pg = calloc(1, sizeof *pg);
    if (!pg)
        return bst_diag_nomem(diags);
    bst_strbuf_init(&pg->label);
    bst_strbuf_init(&pg->sign);
    bst_strbuf_init(&pg->does);
    bst_strbuf_init(&pg->blockers);
    pg->last_words = bst_diags_new();
    pg->side = side;
    pg->patience = patience;
    snprintf(limit, sizeof limit, "%u",
             patience < CONNECT_SECONDS ? (unsigned)patience : CONNECT_SECONDS);
    /* What comes after the connection string overrides it. */
    const char *const names[] = {"fallback_application_name", "connect_timeout", "dbname",
                                 replicating ? "replication" : NULL, NULL};
    const char *const values[] = {"backstory", limit, conninfo, "database", NULL};
    pg->conn = PQconnectdbParams(names, values, 1);
    const bst_status status = start_session(pg, conninfo, diags);
    if (status != BST_OK) {
        bst_pg_free(pg);
        return status;
    }
    *ret = pg;
    return BST_OK;
}

bst_status bst_pg_connect(const char *conninfo, bst_pg_side side, bst_pg **ret, bst_diags *diags) {
    return bst__pg_connect(conninfo, side, false, BST_PG_PATIENCE, ret, diags);
}

bst_status bst_pg_connect_watched(const char *conninfo, bst_pg_side side, const bst_pg_watch *watch,
                                  bst_pg **ret, bst_diags *diags) {
    const uint32_t seconds = watch->stall_seconds > 0 ? watch->stall_seconds : BST_PG_PATIENCE;
    const bst_status status = bst__pg_connect(conninfo, side, false, seconds, ret, diags);
    if (status == BST_OK) {
        (*ret)->watch = *watch;
        (*ret)->watch.stall_seconds = seconds;
    }
    return status;
}

bool bst_pg_heals(const bst_diag *diag) {
    /* Codes of ours where the server said nothing, then its own: connections that are ended, a
     * server that stops, starts or is full, and transactions that lost against another. */
    static const char *const passing[] = {
        "connect",        "stalled",        "server-hangs",   "rolled-back",    "store-busy",
        "sqlstate-57P01", "sqlstate-57P02", "sqlstate-57P03", "sqlstate-53300", "sqlstate-40001",
        "sqlstate-40P01", "sqlstate-25P03", "sqlstate-08000", "sqlstate-08003", "sqlstate-08006"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (strcmp(diag->code, passing[i]) == 0)
            return diag->status != BST_USAGE;
    }
    return false;
}

PGconn *bst__pg_conn(const bst_pg *pg) {
    return pg->conn;
}

bst_pg *bst_pg_free(bst_pg *pg) {
    if (pg) {
        PQfreemem(pg->message);
        PQfinish(pg->conn);
        bst_strbuf_release(&pg->label);
        bst_strbuf_release(&pg->sign);
        bst_strbuf_release(&pg->does);
        bst_strbuf_release(&pg->blockers);
        bst_diags_free(pg->last_words);
        free(pg);
    }
    return NULL;
}

const char *bst_pg_label(const bst_pg *pg) {
    return pg->label.text;
}

const char *bst_pg_own_words(const bst_pg *pg, const char *message) {
    bst_strbuf before = BST_STRBUF_INIT;
    bst_strbuf_addf(&before, "%s %s: ", bst__pg_side(pg), pg->label.text);
    const bool said = strncmp(message, before.text, before.len) == 0;
    message += said ? before.len : 0;
    bst_strbuf_release(&before);
    return message;
}

int bst_pg_process(const bst_pg *pg) {
    return pg->backend;
}

int bst_pg_version(const bst_pg *pg) {
    return PQserverVersion(pg->conn);
}

/* Statements */

/* The server answers COMMIT with ROLLBACK, and without an error, when the transaction has failed
 * before. */
static bool rolled_back(const char *sql, PGresult *result) {
    return strcmp(sql, "COMMIT") == 0 && strcmp(PQcmdStatus(result), "COMMIT") != 0;
}

bst_status bst_pg_exec(bst_pg *pg, const char *sql, bst_diags *diags) {
    PGresult *const result = bst__pg_run(pg, sql);
    const ExecStatusType kind = PQresultStatus(result);
    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && kind != PGRES_EMPTY_QUERY)
        return bst__pg_failed(pg, result, diags);
    const bool undone = rolled_back(sql, result);
    PQclear(result);
    return undone ? bst_diag_add(diags, BST_DATABASE, BST_ERROR, "rolled-back", NULL,
                                 "%s %s: the server rolled the transaction back instead of "
                                 "committing it",
                                 bst__pg_side(pg), pg->label.text)
                  : BST_OK;
}

bst_status bst_pg_query(bst_pg *pg, const char *sql, size_t param_count, const char *const *params,
                        bst_pg_rows **ret, bst_diags *diags) {
    assert(param_count <= 1000);
    PGresult *const result = bst__pg_run_with(pg, sql, (int)param_count, params);
    const ExecStatusType kind = PQresultStatus(result);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK)
        return bst__pg_failed(pg, result, diags);
    bst_pg_rows *const rows = malloc(sizeof *rows);
    if (!rows) {
        PQclear(result);
        return bst_diag_nomem(diags);
    }
    rows->result = result;
    *ret = rows;
    return BST_OK;
}

size_t bst_pg_rows_count(const bst_pg_rows *rows) {
    return (size_t)PQntuples(rows->result);
}

const char *bst_pg_rows_text(const bst_pg_rows *rows, size_t row, size_t column) {
    assert(row < bst_pg_rows_count(rows) && column < (size_t)PQnfields(rows->result));
    if (PQgetisnull(rows->result, (int)row, (int)column))
        return NULL;
    return PQgetvalue(rows->result, (int)row, (int)column);
}

bst_pg_rows *bst_pg_rows_free(bst_pg_rows *rows) {
    if (rows) {
        PQclear(rows->result);
        free(rows);
    }
    return NULL;
}

/* COPY */

static bst_status copy_start(bst_pg *pg, const char *sql, ExecStatusType wanted, bst_diags *diags) {
    PGresult *const result = bst__pg_run(pg, sql);
    if (PQresultStatus(result) != wanted)
        return bst__pg_failed(pg, result, diags);
    PQclear(result);
    return BST_OK;
}

/* Takes the result that ends a COPY, and all that follow; gives the row count of its tag. */
static bst_status copy_result(bst_pg *pg, uint64_t *ret_rows, bst_diags *diags) {
    PGresult *result = bst__pg_result(pg);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return bst__pg_failed(pg, result, diags);
    *ret_rows = strtoull(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    result = bst__pg_result(pg);
    return result ? bst__pg_failed(pg, result, diags) : BST_OK;
}

bst_status bst_pg_copy_out(bst_pg *pg, const char *sql, bst_diags *diags) {
    return copy_start(pg, sql, PGRES_COPY_OUT, diags);
}

bst_status bst_pg_copy_read(bst_pg *pg, const char **ret_bytes, size_t *ret_len, uint64_t *ret_rows,
                            bst_diags *diags) {
    PQfreemem(pg->message);
    pg->message = NULL;
    const int len = bst__pg_get_copy(pg);
    if (len > 0) {
        *ret_bytes = pg->message;
        *ret_len = (size_t)len;
        return BST_OK;
    }
    if (len != -1)
        return bst__pg_failed(pg, NULL, diags);
    uint64_t rows = 0;
    const bst_status status = copy_result(pg, &rows, diags);
    if (status != BST_OK)
        return status;
    *ret_bytes = NULL;
    *ret_len = 0;
    if (ret_rows)
        *ret_rows = rows;
    return BST_OK;
}

bst_status bst_pg_copy_in(bst_pg *pg, const char *sql, bst_diags *diags) {
    return copy_start(pg, sql, PGRES_COPY_IN, diags);
}

bst_status bst_pg_copy_write(bst_pg *pg, const void *bytes, size_t len, bst_diags *diags) {
    static const size_t piece_max = 1u << 20;
    for (const char *at = bytes; len > 0;) {
        const size_t piece = len < piece_max ? len : piece_max;
        if (!bst__pg_put_copy(pg, at, (int)piece))
            return bst__pg_failed(pg, NULL, diags);
        at += piece;
        len -= piece;
    }
    return BST_OK;
}

bst_status bst_pg_copy_finish(bst_pg *pg, uint64_t rows, bst_diags *diags) {
    if (!bst__pg_end_copy(pg))
        return bst__pg_failed(pg, NULL, diags);
    uint64_t taken = 0;
    const bst_status status = copy_result(pg, &taken, diags);
    if (status != BST_OK || taken == rows)
        return status;
    bst_diag_add(diags, BST_DATABASE, BST_ERROR, "copy-cut-short", NULL,
                 "%s %s: the server took %llu of %llu rows", bst__pg_side(pg), pg->label.text,
                 (unsigned long long)taken, (unsigned long long)rows);
    bst_diag_hint(diags, "Look for a trigger of somebody's own on the tables of schema backstory.");
    return BST_DATABASE;
}

/* Quoting */

static bool add_quoted(char *quoted, bst_strbuf *out) {
    if (!quoted)
        return false;
    bst_strbuf_adds(out, quoted);
    PQfreemem(quoted);
    return !out->failed;
}

bool bst_pg_add_identifier(bst_pg *pg, const char *name, bst_strbuf *out) {
    return add_quoted(PQescapeIdentifier(pg->conn, name, strlen(name)), out);
}

bool bst_pg_add_literal(bst_pg *pg, const char *text, bst_strbuf *out) {
    return add_quoted(PQescapeLiteral(pg->conn, text, strlen(text)), out);
}
