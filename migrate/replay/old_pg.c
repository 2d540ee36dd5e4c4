/* The legacy side of replayed commands. One transaction that never commits; each command stands
 * behind a savepoint, so that one that is refused leaves the others as they were.
 *
 * A function refuses by raising an error, or by returning false. An error that is not about what
 * the command asks (no such function, no right, a deadlock, a lost connection) ends the replay.
 */
#include "replay_private.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/pg.h"

#include "source/source_private.h"

typedef struct old_pg {
    bst__old base;
    const bst_mapping *mapping;
    bst_pg *pg;
    bst_synth *synth;
    bst_strbuf row_sql;
    bst_pg_rows *rows; /* of the row read last: its cells point there */
    bst_cell *cells;
    bst_arena *arena; /* of the row read last */
    bst_diags *heard; /* what the server said of the command */
    bst_strbuf refusal, key, text;
    char **parts; /* of the key at hand */
} old_pg;

/* ---- opening */

static void add_quoted(old_pg *old, const char *name, size_t len, bst_strbuf *out) {
    char *const part = strndup(name, len);
    if (!part || !bst_pg_add_identifier(old->pg, part, out))
        out->failed = true;
    free(part);
}

/* "legacy.capture" part by part. */
static void add_name(old_pg *old, const char *name, bst_strbuf *out) {
    for (const char *at = name;;) {
        const size_t len = strcspn(at, ".");
        add_quoted(old, at, len, out);
        if (at[len] == '\0')
            return;
        bst_strbuf_addc(out, '.');
        at += len + 1;
    }
}

/* SELECT in scope, columns as text FROM table WHERE key = $1 ... : by the key's own type, so that
 * its index serves. */
static bst_status make_row_sql(old_pg *old, bst_diags *diags) {
    const bst_source_spec *const spec = &old->mapping->source;
    bst_strbuf *const sql = &old->row_sql;
    bst_strbuf_addf(sql, "SELECT (%s) IS TRUE", spec->where_sql ? spec->where_sql : "true");
    for (size_t i = 0; i < spec->column_count; i++) {
        bst_strbuf_adds(sql, ", ");
        if (spec->columns[i].sql) {
            bst_strbuf_addf(sql, "(%s)", spec->columns[i].sql);
        } else {
            bst_strbuf_adds(sql, "t.");
            add_quoted(old, spec->columns[i].name, strlen(spec->columns[i].name), sql);
        }
        bst_strbuf_adds(sql, "::text");
    }
    bst_strbuf_adds(sql, " FROM ");
    add_name(old, spec->table, sql);
    bst_strbuf_adds(sql, " t WHERE ");
    for (size_t i = 0; i < spec->key_count; i++) {
        bst_strbuf_adds(sql, i ? " AND t." : "t.");
        add_quoted(old, spec->key[i], strlen(spec->key[i]), sql);
        bst_strbuf_addf(sql, " = $%zu", i + 1);
    }
    return sql->failed ? bst_diag_nomem(diags) : BST_OK;
}

static bst_status open_all(old_pg *old, const char *from, bst_diags *diags) {
    const bst_source_spec *const spec = &old->mapping->source;
    old->arena = bst_arena_new();
    old->heard = bst_diags_new();
    old->cells = calloc(spec->column_count + 1, sizeof *old->cells);
    old->parts = calloc(spec->key_count + 1, sizeof *old->parts);
    if (!old->arena || !old->heard || !old->cells || !old->parts)
        return bst_diag_nomem(diags);
    bst_status status = bst_synth_new(old->mapping, &old->synth, diags);
    if (status == BST_OK)
        status = bst_pg_connect(from, BST_PG_SOURCE, &old->pg, diags);
    /* The functions are the users' own: they look for names where they always do. */
    if (status == BST_OK)
        status = bst_pg_exec(old->pg, "RESET search_path", diags);
    if (status == BST_OK)
        status = make_row_sql(old, diags);
    return status == BST_OK ? bst_pg_exec(old->pg, "BEGIN", diags) : status;
}

static void free_parts(old_pg *old) {
    for (size_t i = 0; old->parts && i < old->mapping->source.key_count; i++) {
        free(old->parts[i]);
        old->parts[i] = NULL;
    }
}

static void pg_free(bst__old *base) {
    old_pg *const old = (old_pg *)base;
    bst_pg_rows_free(old->rows);
    bst_pg_free(old->pg);
    bst_synth_free(old->synth);
    bst_arena_free(old->arena);
    bst_diags_free(old->heard);
    free_parts(old);
    free(old->parts);
    free(old->cells);
    bst_strbuf_release(&old->row_sql);
    bst_strbuf_release(&old->refusal);
    bst_strbuf_release(&old->key);
    bst_strbuf_release(&old->text);
    free(old);
}

static bst_status pg_restart(bst__old *base, bst_diags *diags) {
    return bst_pg_exec(((old_pg *)base)->pg, "ROLLBACK; BEGIN", diags);
}

/* ---- what the server refuses */

/* Whether the server said no to what the command asks, and not to us. */
static bool is_refusal(const bst_diag *diag) {
    static const char *const ours[] = {"08", "0A", "25", "26", "28", "2D", "3D", "3F", "40",
                                       "42", "53", "54", "55", "57", "58", "F0", "HV", "XX"};
    static const char prefix[] = "sqlstate-";
    if (strncmp(diag->code, prefix, sizeof prefix - 1) != 0)
        return false;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strncmp(diag->code + sizeof prefix - 1, ours[i], 2) == 0)
            return false;
    }
    return true;
}

static bst_status pass_on(const old_pg *old, const bst_diag *heard, const char *what,
                          bst_diags *diags) {
    const char *const words = bst_pg_own_words(old->pg, heard->message);
    bst_diag_add(diags, heard->status, BST_ERROR, heard->code, NULL, "%.*s%s: %s",
                 (int)(words - heard->message), heard->message, what, words);
    if (heard->detail)
        bst_diag_detail(diags, "%s", heard->detail);
    if (heard->hint)
        bst_diag_hint(diags, "%s", heard->hint);
    return heard->status;
}

/* ---- rows */

/* Undoes what bst__key_add() does to a part of a composite key. */
static char *unescape(const char *text, size_t len) {
    char *const part = malloc(len + 1);
    char *end = part;
    for (size_t i = 0; part && i < len; i++) {
        if (len - i >= 3 && strncmp(text + i, "%2F", 3) == 0) {
            *end++ = '/';
            i += 2;
        } else if (len - i >= 3 && strncmp(text + i, "%25", 3) == 0) {
            *end++ = '%';
            i += 2;
        } else {
            *end++ = text[i];
        }
    }
    if (part)
        *end = '\0';
    return part;
}

/* False: the key does not have as many parts as the mapping says, or there is no memory. */
static bool split_key(old_pg *old, const char *key) {
    const size_t count = old->mapping->source.key_count;
    free_parts(old);
    if (count == 1) {
        old->parts[0] = strdup(key);
        return old->parts[0] != NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t len = strcspn(key, "/");
        old->parts[i] = unescape(key, len);
        if (!old->parts[i] || (key[len] == '\0') != (i + 1 == count))
            return false;
        key += len + 1;
    }
    return true;
}

static bst_status fill_cells(old_pg *old, bst_diags *diags) {
    const bst_source_spec *const spec = &old->mapping->source;
    bst_arena_clear(old->arena);
    for (size_t i = 0; i < spec->column_count; i++) {
        const char *const text = bst_pg_rows_text(old->rows, 0, i + 1);
        old->cells[i] = (bst_cell){.value = BST_ABSENT, .result = BST_VALUE_OK};
        if (text &&
            !bst__cell_from_text(&spec->columns[i], text, strlen(text), old->arena, &old->cells[i]))
            return bst__report_no_zone(spec->table, spec->columns[i].name, diags);
        if (old->cells[i].result == BST_VALUE_NOMEM)
            return bst_diag_nomem(diags);
    }
    return BST_OK;
}

/* old->rows NULL: a text that the key's type does not have is the key of no row. */
static bst_status ask_for_row(old_pg *old, bst_diags *diags) {
    const bst_source_spec *const spec = &old->mapping->source;
    old->rows = bst_pg_rows_free(old->rows);
    bst_diags_clear(old->heard);
    bst_status status = bst_pg_exec(old->pg, "SAVEPOINT backstory_row", diags);
    if (status != BST_OK)
        return status;
    status = bst_pg_query(old->pg, old->row_sql.text, spec->key_count,
                          (const char *const *)old->parts, &old->rows, old->heard);
    if (status != BST_OK && !is_refusal(bst_diags_at(old->heard, 0)))
        return pass_on(old, bst_diags_at(old->heard, 0), spec->table, diags);
    return bst_pg_exec(old->pg,
                       status == BST_OK ? "RELEASE backstory_row"
                                        : "ROLLBACK TO backstory_row; RELEASE backstory_row",
                       diags);
}

static bst_status pg_read(bst__old *base, const char *key, bst__old_row *ret, bst_diags *diags) {
    old_pg *const old = (old_pg *)base;
    const bst_source_spec *const spec = &old->mapping->source;
    const bst_refusal *refusal = NULL;
    if (!split_key(old, key))
        return bst_diag_add(diags, BST_INVALID, BST_ERROR, "bad-key", NULL,
                            "entity \"%s\" is no key of table \"%s\"", key, spec->table);
    ret->trouble = NULL;
    ret->there = false;
    bst_status status = ask_for_row(old, diags);
    if (status != BST_OK || !old->rows)
        return status;
    ret->there = bst_pg_rows_count(old->rows) > 0 && *bst_pg_rows_text(old->rows, 0, 0) == 't';
    if (!ret->there)
        return BST_OK;
    if (bst_pg_rows_count(old->rows) > 1) {
        ret->trouble = "there are several rows with this key";
        return BST_OK;
    }
    status = fill_cells(old, diags);
    if (status != BST_OK)
        return status;
    const bst_row row = {
        .key = key, .key_len = strlen(key), .in_scope = true, .number = 1, .cells = old->cells};
    if (!bst_synth_entity(old->synth, &row, &ret->entity, &refusal))
        ret->trouble = refusal->message.text;
    return BST_OK;
}

/* ---- commands */

static bst_status call(old_pg *old, const bst__replay_step *step, const char *key,
                       bst_pg_rows **ret, bst_diags *diags) {
    const bst_legacy_command *const how = &old->mapping->commands[step->command];
    const bst_command *const command = &old->mapping->machine->commands[step->command];
    bst_arena *const arena = bst_arena_new();
    const char **const params =
        arena ? bst_arena_array(arena, how->argument_count, sizeof *params) : NULL;
    bst_strbuf sql = BST_STRBUF_INIT;
    bool fine = params != NULL;
    bst_strbuf_adds(&sql, "SELECT (");
    add_name(old, how->function, &sql);
    for (uint32_t i = 0; fine && i < how->argument_count; i++) {
        const uint32_t field = how->arguments[i];
        bst_strbuf_addf(&sql, "%s$%u", i ? ", " : "(", i + 1);
        if (field == BST_NONE) {
            params[i] = key;
        } else if (step->payload[field].present) {
            bst_strbuf_clear(&old->text);
            bst_value_to_text(&command->fields[field].type, &step->payload[field], &old->text);
            params[i] = bst_arena_strdup(arena, old->text.text);
            fine = params[i] && !old->text.failed;
        }
    }
    bst_strbuf_adds(&sql, how->argument_count ? "))::text" : "())::text");
    const bst_status status =
        fine && !sql.failed
            ? bst_pg_query(old->pg, sql.text, how->argument_count, params, ret, diags)
            : bst_diag_nomem(diags);
    bst_strbuf_release(&sql);
    bst_arena_free(arena);
    return status;
}

/* What a function that went well returned: false refuses; a text may be the key of a new row. */
static void read_answer(old_pg *old, const bst_pg_rows *rows, const char **ret_refusal,
                        const char **ret_key) {
    const char *const answer = bst_pg_rows_count(rows) > 0 ? bst_pg_rows_text(rows, 0, 0) : NULL;
    if (!answer || *answer == '\0' || strcmp(answer, "true") == 0)
        return;
    if (strcmp(answer, "false") == 0) {
        *ret_refusal = "it returned false";
        return;
    }
    bst_strbuf_clear(&old->key);
    bst_strbuf_adds(&old->key, answer);
    *ret_key = old->key.text;
}

static bst_status pg_carry_out(bst__old *base, const bst__replay_step *step, const char *key,
                               const char **ret_refusal, const char **ret_key, bst_diags *diags) {
    old_pg *const old = (old_pg *)base;
    bst_pg_rows *rows = NULL;
    *ret_refusal = *ret_key = NULL;
    bst_status status = bst_pg_exec(old->pg, "SAVEPOINT backstory_step", diags);
    if (status != BST_OK)
        return status;
    bst_diags_clear(old->heard);
    status = call(old, step, key, &rows, old->heard);
    if (status == BST_OK) {
        read_answer(old, rows, ret_refusal, ret_key);
        bst_pg_rows_free(rows);
        return bst_pg_exec(old->pg, "RELEASE backstory_step", diags);
    }
    const bst_diag *const heard = bst_diags_at(old->heard, 0);
    if (!is_refusal(heard))
        return pass_on(old, heard, old->mapping->commands[step->command].function, diags);
    bst_strbuf_clear(&old->refusal);
    bst_strbuf_addf(&old->refusal, "%s [%s]", bst_pg_own_words(old->pg, heard->message),
                    heard->code);
    *ret_refusal = old->refusal.text;
    return bst_pg_exec(old->pg, "ROLLBACK TO backstory_step; RELEASE backstory_step", diags);
}

static const bst__old_ops pg_ops = {pg_restart, pg_read, pg_carry_out, pg_free};

bst_status bst__old_pg_open(const char *from, const bst_mapping *mapping, bst__old **ret,
                            bst_diags *diags) {
    old_pg *const old = calloc(1, sizeof *old);
    if (!old)
        return bst_diag_nomem(diags);
    old->base.ops = &pg_ops;
    old->mapping = mapping;
    bst_strbuf_init(&old->row_sql);
    bst_strbuf_init(&old->refusal);
    bst_strbuf_init(&old->key);
    bst_strbuf_init(&old->text);
    const bst_status status = open_all(old, from, diags);
    if (status == BST_OK)
        *ret = &old->base;
    else
        pg_free(&old->base);
    return status;
}
