/* A row that is quarantined is wanted with all its columns, mapped or not: it is fetched by its
 * key, or by its ctid where it may have none, with others, on a second connection that shares the
 * snapshot.
 * Views and foreign tables have no ctid: there, the mapped columns must do.
 */
#include <stdlib.h>
#include <string.h>

#include "pg_binary_private.h"
#include "source_pg_private.h"

#define ORIGINALS_FIRST 16u /* asked for while it is not known how large they are */
#define ORIGINALS_BYTES (1u << 20)

/* The mapped columns as they are at hand, where the whole row cannot be had. */
static void add_mapped(const bst__pg_source *s, bst_strbuf *out) {
    const bst_source_spec *spec = s->base.spec;

    bst_strbuf_addc(out, '{');
    for (size_t i = 0; i < spec->column_count; i++) {
        const bst_cell *cell = &s->cells[i];
        if (i > 0)
            bst_strbuf_addc(out, ',');
        bst_strbuf_add_json(out, spec->columns[i].name, strlen(spec->columns[i].name));
        bst_strbuf_addc(out, ':');
        if (cell->result != BST_VALUE_OK) {
            bst_strbuf_add_json(out, cell->text, cell->text_len);
        } else if (!cell->value.present) {
            bst_strbuf_adds(out, "null");
        } else {
            bst_strbuf text = BST_STRBUF_INIT;
            bst_value_to_text(&spec->columns[i].type, &cell->value, &text);
            bst_strbuf_add_json(out, text.text, text.len);
            out->failed = out->failed || text.failed;
            bst_strbuf_release(&text);
        }
    }
    bst_strbuf_addc(out, '}');
}

static bst_status open_second(bst__pg_source *s, bst_diags *diags) {
    const bst_status status = bst__pg_session(s, &s->second, diags);
    return status == BST_OK ? bst__pg_begin(s->second, s->snapshot, diags) : status;
}

/* The server's JSON without its spaces, so that a row looks the same from every source. False: it
 * is none, for the row has bytes that are no text. */
static bool add_compact(const char *json, bst_strbuf *out) {
    json_t *object = json_loads(json, 0, NULL);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text)
        bst_strbuf_adds(out, text);
    out->failed = out->failed || (object && !text);
    json_decref(object);
    free(text);
    return object != NULL;
}

/* ---- notes: the values by which the row is found again, as a row of VALUES; after their NUL the
 * mapped columns */

static bst_status add_identity(bst__pg_source *s, bst_strbuf *out, bst_diags *diags) {
    if (!s->has_ctid)
        return BST_OK;
    if (s->by_key)
        return bst__pg_add_key_values(s, s->row.key, s->row.key_len, out, diags);
    bst_strbuf_addf(out, "'(%lu,%u)', '%lu'", (unsigned long)(uint32_t)bst__pg_int4(s->ctid),
                    (unsigned)(uint16_t)bst__pg_int2(s->ctid + 4), (unsigned long)s->table_oid);
    return BST_OK;
}

bst_status bst__pg_note(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    const bst_status status = add_identity((bst__pg_source *)source, out, diags);
    bst_strbuf_addc(out, '\0');
    add_mapped((bst__pg_source *)source, out);
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}

static const char *mapped_of(const char *note) {
    return note + strlen(note) + 1;
}

/* `o` are the notes, with their numbers. The server hands out what fits: those before which less
 * than ORIGINALS_BYTES come. */
static void add_query(bst__pg_source *s, const char *const *notes, size_t count, bst_strbuf *sql) {
    const size_t width = s->by_key ? s->base.spec->key_count : 2;
    bst_strbuf_adds(sql, "SELECT n, original FROM (SELECT o.n, j.original,"
                         " sum(octet_length(j.original)) OVER (ORDER BY o.n)"
                         " - octet_length(j.original) AS before FROM (VALUES ");
    for (size_t i = 0; i < count; i++)
        bst_strbuf_addf(sql, "%s(%zu, %s)", i > 0 ? ", " : "", i, notes[i]);
    bst_strbuf_adds(sql, ") o (n");
    for (size_t i = 0; i < width; i++)
        bst_strbuf_addf(sql, ", k%zu", i + 1);
    bst_strbuf_addf(sql, ") JOIN %s t ON ", s->table.text);
    if (s->by_key)
        bst__pg_add_key_matches(s, sql);
    else
        bst_strbuf_adds(sql, "t.ctid = o.k1::tid AND t.tableoid = o.k2::oid");
    bst_strbuf_addf(sql,
                    ", LATERAL (SELECT json_object_agg(key, value)::text AS original"
                    " FROM json_each_text(row_to_json(t))) j) x WHERE before < %u ORDER BY n",
                    ORIGINALS_BYTES);
}

/* What comes back, each at its number. */
static bst_status take_originals(const bst_pg_rows *rows, size_t count, bst_arena *arena,
                                 const char **ret, size_t *ret_count, bst_diags *diags) {
    bst_strbuf text = BST_STRBUF_INIT;
    size_t bytes = 0, number = 0;
    bool good = true;
    for (size_t i = 0; good && i < bst_pg_rows_count(rows); i++) {
        const char *const json = bst_pg_rows_text(rows, i, 1);
        number = strtoul(bst_pg_rows_text(rows, i, 0), NULL, 10);
        good = number < count && json;
        bst_strbuf_clear(&text);
        if (good && add_compact(json, &text)) {
            ret[number] = text.failed ? NULL : bst_arena_strndup(arena, text.text, text.len);
            good = ret[number] != NULL;
        }
        bytes += good ? strlen(json) : 0;
    }
    bst_strbuf_release(&text);
    *ret_count = bytes < ORIGINALS_BYTES ? count : number + 1;
    return good ? BST_OK : bst_diag_nomem(diags);
}

static bst_status fetch(bst__pg_source *s, const char *const *notes, size_t count, bst_arena *arena,
                        const char **ret, size_t *ret_count, bst_diags *diags) {
    bst_strbuf sql = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_status status = s->second ? BST_OK : open_second(s, diags);
    add_query(s, notes, count, &sql);
    if (status == BST_OK)
        status = sql.failed ? bst_diag_nomem(diags)
                            : bst_pg_query(s->second, sql.text, 0, NULL, &rows, diags);
    if (status == BST_OK)
        status = take_originals(rows, count, arena, ret, ret_count, diags);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&sql);
    return status;
}

/* No more are asked for than twice those that fitted: what does not, the server makes in vain. */
bst_status bst__pg_originals(bst_source *source, const char *const *notes, size_t count,
                             bst_arena *arena, const char **ret, size_t *ret_count,
                             bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    for (size_t i = 0; i < count; i++)
        ret[i] = mapped_of(notes[i]);
    *ret_count = count;
    if (!s->has_ctid || count == 0)
        return BST_OK;
    const size_t most = s->originals_fit > 0 ? 2 * s->originals_fit : ORIGINALS_FIRST;
    const size_t asked = count < most ? count : most;
    const bst_status status = fetch(s, notes, asked, arena, ret, ret_count, diags);
    if (*ret_count < asked || asked == most)
        s->originals_fit = *ret_count;
    return status;
}

bst_status bst__pg_original(bst_source *source, bst_strbuf *out, bst_diags *diags) {
    bst__pg_source *const s = (bst__pg_source *)source;
    const char *note = NULL, *original = NULL;
    size_t count = 0;
    bst_status status = bst_source_note(source, s->arena, &note, diags);
    if (status == BST_OK)
        status = bst__pg_originals(source, &note, 1, s->arena, &original, &count, diags);
    if (status == BST_OK)
        bst_strbuf_adds(out, original);
    return status == BST_OK && out->failed ? bst_diag_nomem(diags) : status;
}
