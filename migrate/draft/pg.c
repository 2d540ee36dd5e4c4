/* The profile of a PostgreSQL table: the catalogue, and aggregates over the rows.
 *
 * Everything happens in one REPEATABLE READ READ ONLY transaction, so the figures agree with each
 * other while others write. Rows are counted where they are: what comes back is a few lines for
 * each state. Row security that would hide rows is an error, as everywhere.
 */
#include "draft_pg_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- times */

static bool wants_matrix(const draft_column *c) {
    return c->time && c->role == ROLE_FIELD;
}

static void matrix_line(draft *d, const bst_pg_rows *rows, size_t row) {
    const uint32_t s = bst__draft_state_of(d, bst_pg_rows_text(rows, row, 0));
    const uint64_t count = bst__draft_number(rows, row, 1);
    size_t at = 2;

    d->rows += count;
    if (s == DRAFT_NONE)
        d->without_state += count;
    else
        d->states[s].rows += count;
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_column *c = &d->columns[i];
        if (!wants_matrix(c))
            continue;
        const uint64_t set = bst__draft_number(rows, row, at);
        c->set += set;
        c->early += bst__draft_number(rows, row, at + 1);
        c->late += bst__draft_number(rows, row, at + 2);
        if (s != DRAFT_NONE) {
            d->states[s].set[i] += set;
            d->states[s].last[i] += bst__draft_number(rows, row, at + 3);
        }
        at += 4;
    }
}

static bst_status pg_matrix(draft *d) {
    bst_strbuf sql = BST_STRBUF_INIT, all = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    const char *first =
        d->creation == DRAFT_NONE ? "NULL" : bst__draft_quoted_column(d, d->creation);
    const char *last =
        d->last_change == DRAFT_NONE ? "NULL" : bst__draft_quoted_column(d, d->last_change);

    for (uint32_t i = 0; i < d->column_count; i++) {
        if (wants_matrix(&d->columns[i]))
            bst_strbuf_addf(&all, "%s%s", all.len ? ", " : "", bst__draft_quoted_column(d, i));
    }
    bst_strbuf_addf(&sql, "SELECT %s::text, count(*)",
                    bst__draft_quoted_column(d, d->state_column));
    for (uint32_t i = 0; i < d->column_count; i++) {
        const char *q = bst__draft_quoted_column(d, i);
        if (wants_matrix(&d->columns[i]))
            bst_strbuf_addf(
                &sql,
                ", count(*) FILTER (WHERE isfinite(%s)), count(*) FILTER (WHERE %s < %s),"
                " count(*) FILTER (WHERE isfinite(%s) AND %s > %s),"
                " count(*) FILTER (WHERE isfinite(%s) AND %s = greatest(%s))",
                q, q, first, q, q, last, q, q, all.text);
    }
    bst_strbuf_addf(&sql, " FROM %s%s GROUP BY 1", bst__draft_pg_of(d)->from, bst__draft_scope(d));
    const bst_status status = bst__draft_query(d, sql.text, 0, NULL, &rows);
    bst_strbuf_release(&sql);
    bst_strbuf_release(&all);
    if (status != BST_OK)
        return status;
    d->rows = 0;
    for (size_t s = 0; s < d->state_count; s++)
        d->states[s].rows = 0;
    for (size_t i = 0; i < bst_pg_rows_count(rows); i++)
        matrix_line(d, rows, i);
    bst_pg_rows_free(rows);
    return BST_OK;
}

static void take_path(draft *d, const bst_pg_rows *rows, size_t row) {
    const uint32_t state = bst__draft_state_of(d, bst_pg_rows_text(rows, row, 0));
    const char *at = bst_pg_rows_text(rows, row, 1);
    draft_path *path = &d->paths[d->path_count];

    if (state == DRAFT_NONE)
        return;
    *path = (draft_path){.state = state, .rows = bst__draft_number(rows, row, 2)};
    while (at && *at && path->len < DRAFT_PATH_MAX) {
        char *end;
        path->columns[path->len++] = (uint32_t)strtoul(at, &end, 10);
        at = *end ? end + 1 : end;
    }
    d->path_count++;
}

static bst_status pg_paths(draft *d) {
    bst_strbuf sql = BST_STRBUF_INIT, values = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;

    for (uint32_t i = 0; i < d->column_count; i++) {
        if (d->columns[i].role == ROLE_EVIDENCE)
            bst_strbuf_addf(&values, "%s(%u, %s::timestamptz)", values.len ? ", " : "", i,
                            bst__draft_quoted_column(d, i));
    }
    bst_strbuf_addf(&sql, "SELECT %s::text, %s, count(*) FROM %s",
                    bst__draft_quoted_column(d, d->state_column), values.len ? "p.path" : "NULL",
                    bst__draft_pg_of(d)->from);
    if (values.len > 0)
        bst_strbuf_addf(&sql,
                        " CROSS JOIN LATERAL (SELECT string_agg(x.i::text, ',' ORDER BY x.at, x.i)"
                        " AS path FROM (VALUES %s) x (i, at) WHERE isfinite(x.at)) p",
                        values.text);
    bst_strbuf_addf(&sql, "%s GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %u", bst__draft_scope(d),
                    BST_DRAFT_PATHS_MAX);
    const bst_status status = bst__draft_query(d, sql.text, 0, NULL, &rows);
    bst_strbuf_release(&sql);
    bst_strbuf_release(&values);
    if (status != BST_OK)
        return status;
    d->paths = bst__draft_array(d, bst_pg_rows_count(rows) + 1, sizeof *d->paths);
    for (size_t i = 0; i < bst_pg_rows_count(rows) && d->paths; i++)
        take_path(d, rows, i);
    bst_pg_rows_free(rows);
    return d->failed ? bst_diag_nomem(d->diags) : BST_OK;
}

/* ---- counters */

static bst_status pg_tally(draft *d, uint32_t column, uint32_t against, draft_tally *ret) {
    const char *c = bst__draft_quoted_column(d, column), *from = bst__draft_pg_of(d)->from,
               *where = bst__draft_scope(d);
    bst_strbuf times = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    const char *sql;

    if (against != DRAFT_NONE) {
        const char *e = bst__draft_quoted_column(d, against);
        sql = bst__draft_text(d,
                              "SELECT min(%s), max(%s), count(*) FILTER (WHERE %s IS NULL),"
                              " count(*) FILTER (WHERE coalesce(%s, 0) = 0 AND %s IS NOT NULL),"
                              " count(*) FILTER (WHERE %s > 0 AND %s IS NULL) FROM %s%s",
                              c, c, c, c, e, c, e, from, where);
    } else {
        for (uint32_t i = 0; i < d->column_count; i++) {
            if (d->columns[i].role == ROLE_EVIDENCE)
                bst_strbuf_addf(&times, ", %s", bst__draft_quoted_column(d, i));
        }
        sql = bst__draft_text(d,
                              "SELECT min(v), max(v), count(*) FILTER (WHERE v IS NULL),"
                              " count(*) FILTER (WHERE v + (lowest = 0)::int < k),"
                              " count(*) FILTER (WHERE v + (lowest = 0)::int > k)"
                              " FROM (SELECT %s::int8 AS v, min(%s) OVER () AS lowest,"
                              "  num_nonnulls('creation'%s) AS k FROM %s%s) x",
                              c, c, times.text, from, where);
        bst_strbuf_release(&times);
    }
    const bst_status status = bst__draft_query(d, sql, 0, NULL, &rows);
    if (status == BST_OK) {
        const char *min = bst_pg_rows_text(rows, 0, 0), *max = bst_pg_rows_text(rows, 0, 1);
        *ret = (draft_tally){min ? strtoll(min, NULL, 10) : 0, max ? strtoll(max, NULL, 10) : 0,
                             bst__draft_number(rows, 0, 2), bst__draft_number(rows, 0, 3),
                             bst__draft_number(rows, 0, 4)};
    }
    bst_pg_rows_free(rows);
    return status;
}

static void pg_close(draft *d) {
    bst_pg_free(bst__draft_pg_of(d)->pg);
}

static const draft_ops pg_ops = {bst__draft_pg_columns,
                                 bst__draft_pg_distinct,
                                 bst__draft_pg_codes,
                                 pg_matrix,
                                 pg_paths,
                                 pg_tally,
                                 bst__draft_log,
                                 pg_close};

bst_status bst__draft_open_pg(draft *d) {
    draft_pg *p = bst__draft_array(d, 1, sizeof *p);

    if (!p)
        return bst_diag_nomem(d->diags);
    d->source = p;
    const bst_status status = bst_pg_connect(d->options->from, BST_PG_SOURCE, &p->pg, d->diags);
    if (status != BST_OK)
        return status;
    d->ops = &pg_ops;
    return bst_pg_exec(p->pg,
                       "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                       " SET LOCAL row_security = off",
                       d->diags);
}
