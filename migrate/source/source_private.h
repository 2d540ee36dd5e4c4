/* What the kinds of source share: the dispatch table, and how a text becomes a cell. */
#ifndef BACKSTORY_SOURCE_PRIVATE_H
#define BACKSTORY_SOURCE_PRIVATE_H

#include "backstory/arena.h"
#include "backstory/source.h"

/* The first member of every kind of source. */
struct bst_source {
    const struct bst__source_ops *ops;
    const bst_source_spec *spec;
    const char *label;
    uint64_t unpaced_rows; /* that the pace does not know of yet */
    /* files: the rows wanted, by their place in the order of keys, and where it stands there */
    bool limited;
    uint64_t begin, end, place;
    char asked_at[BST_TIME_TEXT_MAX];
};

struct bst__source_ops {
    bst_status (*next)(bst_source *source, const bst_row **ret_row, bst_diags *diags);
    bst_status (*original)(bst_source *source, bst_strbuf *out, bst_diags *diags);
    /* NULL: a note is the original itself, which is at hand */
    bst_status (*note)(bst_source *source, bst_strbuf *out, bst_diags *diags);
    bst_status (*originals)(bst_source *source, const char *const *notes, size_t count,
                            bst_arena *arena, const char **ret, size_t *ret_count,
                            bst_diags *diags);
    uint64_t (*expected)(const bst_source *source);
    double (*progress)(const bst_source *source);
    size_t (*column_count)(const bst_source *source);
    const char *(*column_name)(const bst_source *source, size_t index);
    void (*free)(bst_source *source);
    /* NULL: it hands out all */
    bst_status (*keep)(bst_source *source, const bst_key_part *part, bst_diags *diags);
    /* NULL: it has none */
    bst_status (*mark)(bst_source *source, const char *const *bounds, size_t count,
                       const bst_marks *before, bst_arena *arena, bst_marks *ret, bst_diags *diags);
    /* in chunks: see source.h; files take those of chunk_file.c */
    bst_status (*split)(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                        const char *const **ret, size_t *ret_count, bst_diags *diags);
    const char *(*one_reader)(const bst_source *source);
    bst_status (*select)(bst_source *source, const char *bounds, bst_diags *diags);
    bst_status (*identity)(bst_source *source, bst_strbuf *out, bst_diags *diags);
    bst_status (*moment)(bst_source *source, bst_source_moment *ret, bst_diags *diags);
    /* files: appends members of an object of texts, "SHA-256 of payments.csv": "..." */
    bst_status (*digest)(bst_source *source, bst_strbuf *out, bst_diags *diags);
};

bst_status bst__source_csv_open(const char *path, const bst_source_spec *spec, bst_source **ret,
                                bst_diags *diags) BST_MUST_USE;
/* log.c: a file, with those of logs beside it where columns are made of them. */
bst_status bst__source_files_open(const char *from, const bst_source_spec *spec, bst_source **ret,
                                  bst_diags *diags) BST_MUST_USE;
bst_status bst__source_pg_open(const char *conninfo, const bst_source_spec *spec,
                               const char *snapshot, bst_source **ret,
                               bst_diags *diags) BST_MUST_USE;

/* chunk_file.c */
bst_status bst__file_split(bst_source *source, const bst_source_cut *cut, bst_arena *arena,
                           const char *const **ret, size_t *ret_count, bst_diags *diags);
const char *bst__file_one_reader(const bst_source *source);
bst_status bst__file_select(bst_source *source, const char *bounds, bst_diags *diags);
bst_status bst__file_identity(bst_source *source, bst_strbuf *out, bst_diags *diags);
bst_status bst__file_moment(bst_source *source, bst_source_moment *ret, bst_diags *diags);
/* The next row, when only those of a chunk are wanted. */
bst_status bst__file_next(bst_source *source, const bst_row **ret_row,
                          bst_diags *diags) BST_MUST_USE;

/* cell.c */
/* The cell that `text` gives in a column. False: the text is a naive time and the mapping names no
 * zone, which is the mapping's mistake, not the row's. */
bool bst__cell_from_text(const bst_source_column *column, const char *text, size_t len,
                         bst_arena *arena, bst_cell *ret);
/* The same for a naive timestamp that is already a count of microseconds. `arena` keeps its text
 * when it is bad. */
bool bst__cell_from_naive(const bst_source_column *column, int64_t naive, bst_arena *arena,
                          bst_cell *ret);
void bst__cell_bad(bst_cell *cell, bst_value_result result, const char *text, size_t len);

/* Appends one part of a key; the parts of a composite key are escaped and joined. */
void bst__key_add(bst_strbuf *key, const bst_source_spec *spec, size_t part, const char *text,
                  size_t len);

/* Reports a column that is not there, once for each, with the nearest of `names`. */
bst_status bst__report_missing_column(const char *where, const char *column,
                                      const char *const *names, size_t count, bst_diags *diags);
bst_status bst__report_no_zone(const char *where, const char *column, bst_diags *diags);

/* dates.c: a time as the column writes it. */
bst_time_result bst__time_read(const bst_source_column *column, const char *text, size_t len,
                               int64_t *ret);

#endif
