/* CSV records, the external sort, and the CSV source: NULL and '', keys, duplicates, bad cells. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstory/source.h"

#include "source/csv_reader_private.h"
#include "source/row_sort_private.h"

Suite *test_migrate_source_suite(void);

static char folder[64];

static void make_folder(void) {
    memcpy(folder, "/tmp/bst-source-XXXXXX", sizeof "/tmp/bst-source-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void) {
    char path[128];
    snprintf(path, sizeof path, "%s/t.csv", folder);
    unlink(path);
    rmdir(folder);
}

static const char *write_csv(const char *text, size_t len) {
    static char path[128];
    snprintf(path, sizeof path, "%s/t.csv", folder);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

/* What a source delivers, a line a row: key, flags, cells. Bad cells as !result:text, NULL as ~. */
static void dump(const char *text, const bst_source_spec *spec, bst_strbuf *out, bst_diags *diags) {
    bst_source *source = NULL;
    const bst_row *row = NULL;
    bst_status status = bst_source_open(write_csv(text, strlen(text)), spec, &source, diags);

    while (status == BST_OK) {
        status = bst_source_next(source, &row, diags);
        if (status != BST_OK || !row)
            break;
        bst_strbuf_addf(out, "%s%.*s%s", row->key_is_null ? "~" : "", (int)row->key_len, row->key,
                        row->key_is_double ? "(double)" : "");
        for (size_t i = 0; i < spec->column_count; i++) {
            const bst_cell *cell = &row->cells[i];
            bst_strbuf_addc(out, ' ');
            if (cell->result != BST_VALUE_OK)
                bst_strbuf_addf(out, "!%d:%.*s", (int)cell->result, (int)cell->text_len,
                                cell->text);
            else if (!cell->value.present)
                bst_strbuf_addc(out, '~');
            else
                bst_value_to_text(&spec->columns[i].type, &cell->value, out);
        }
        bst_strbuf_addc(out, '\n');
    }
    if (status != BST_OK)
        bst_strbuf_addf(out, "status %s\n", bst_status_text(status));
    bst_source_free(source);
}

static const char *const key_id[] = {"id"};
static const char *const key_two[] = {"a", "b"};

static void expect(const char *csv, const bst_source_spec *spec, const char *want) {
    bst_strbuf out = BST_STRBUF_INIT;
    bst_diags *diags = bst_diags_new();
    dump(csv, spec, &out, diags);
    for (size_t i = 0; i < bst_diags_count(diags); i++)
        bst_strbuf_addf(&out, "%s:%u %s\n", bst_diags_at(diags, i)->code,
                        bst_diags_at(diags, i)->line, bst_diags_at(diags, i)->message);
    ck_assert_str_eq(out.text, want);
    bst_strbuf_release(&out);
    bst_diags_free(diags);
}

static const bst_source_column text_note[] = {
    {.name = "note", .type = {.kind = BST_KIND_TEXT, .optional = true}}};
static const bst_source_spec notes = {
    .table = "t", .key = key_id, .key_count = 1, .columns = text_note, .column_count = 1};

START_TEST(quotes_nulls_and_line_ends) {
    expect("id,note\n1,plain\n2,\n3,\"\"\n4,\"a,\"\"b\"\"\"\n5,\"x\r\ny\"\n", &notes,
           "1 plain\n2 ~\n3 \n4 a,\"b\"\n5 x\r\ny\n");
    expect("\xEF\xBB\xBFid,note\r\n1,a\r\n\r\n2,b", &notes, "1 a\n2 b\n");
    expect("note,id,more\nn,7,z\n", &notes, "7 n\n");
    expect("id,note\n", &notes, "");
}
END_TEST

START_TEST(by_key_with_nulls_first_and_doubles_marked) {
    expect("id,note\nb,1\na,2\n,3\nb,4\nc,5\nB,6\n,7\n", &notes,
           "~ 3\n~ 7\nB 6\na 2\nb(double) 1\nb(double) 4\nc 5\n");
    expect("id,note\nx,1\nx,2\nx,3\n", &notes, "x(double) 1\nx(double) 2\nx(double) 3\n");
}
END_TEST

START_TEST(composite_keys) {
    const bst_source_spec spec = {.table = "t", .key = key_two, .key_count = 2};
    expect("a,b\nx/y,1\nx,y/1\n50%,z\n,q\n", &spec, "~\n50%25/z\nx%2Fy/1\nx/y%2F1\n");
}
END_TEST

START_TEST(null_texts) {
    static const char *const nulls[] = {"?", "NULL"};
    bst_source_spec spec = notes;
    spec.null_texts = nulls;
    spec.null_text_count = 2;
    expect("id,note\n1,?\n2,NULL\n?,x\n3,\"?\"\n4,??\n", &spec, "~ x\n1 ~\n2 ~\n3 ~\n4 ??\n");
}
END_TEST

START_TEST(damaged_files_stop) {
    expect("", &notes,
           "status io\ncsv-header:0 the file is empty: its first line must name the columns\n");
    expect("\nid,note,other,\"note\"\n1,a,b,c\n", &notes,
           "status io\ncsv-header:2 columns 2 and 4 have the same name, \"note\"\n");
    expect("id,note\n1,a\n2\n", &notes,
           "status io\ncsv-fields:3 this record has 1 cells, and the header has 2\n");
    expect("id,note\n1,a\n2,\"b\n3,c\n", &notes,
           "status io\ncsv-quote:3 a quote is opened here and never closed\n");
}
END_TEST

START_TEST(bad_cells_do_not_stop) {
    const bst_zone *zone = bst_zone_new("Europe/Copenhagen");
    const bst_source_column columns[] = {
        {.name = "n", .type = {.kind = BST_KIND_INT2}},
        {.name = "d", .type = {.kind = BST_KIND_DECIMAL, .precision = 6, .scale = 2}},
        {.name = "t", .type = {.kind = BST_KIND_TIMESTAMPTZ}, .zone = zone}};
    const bst_source_spec spec = {
        .table = "t", .key = key_id, .key_count = 1, .columns = columns, .column_count = 3};
    char want[512];
    snprintf(want, sizeof want,
             "1 7 12.30 2021-07-01T10:00:00Z\n2 !%d:70000 !%d:1.005 !%d:2021-03-28 02:30:00\n"
             "3 !%d:x !%d:12345.6 !%d:2021-10-31 02:30:00\n4 ~ ~ infinity\n",
             BST_VALUE_RANGE, BST_VALUE_INEXACT, BST_VALUE_ZONE, BST_VALUE_SYNTAX, BST_VALUE_RANGE,
             BST_VALUE_ZONE);
    expect("id,n,d,t\n1,7,12.3,2021-07-01 12:00\n2,70000,1.005,2021-03-28 02:30:00\n"
           "3,x,12345.6,2021-10-31 02:30:00\n4,,,infinity\n",
           &spec, want);
    bst_zone_free(zone);
}
END_TEST

START_TEST(days_and_months_first) {
    const bst_zone *zone = bst_zone_new("UTC");
    bst_source_column time = {.name = "note",
                              .type = {.kind = BST_KIND_TIMESTAMPTZ},
                              .zone = zone,
                              .dates = BST_DATES_DMY};
    bst_source_spec spec = notes;
    char want[512];
    spec.columns = &time;
    snprintf(want, sizeof want,
             "1 2016-02-29T01:16:00Z\n2 2016-12-01T09:05:06Z\n3 2016-02-29T00:00:00Z\n"
             "4 2016-02-29T01:16:00Z\n5 !%d:30/2/2016 01:16\n6 !%d:2/29/2016\n7 !%d:1/2/16\n"
             "8 !%d:1/2/2016 x\n9 2015-12-31T22:30:00Z\n",
             BST_VALUE_RANGE, BST_VALUE_RANGE, BST_VALUE_SYNTAX, BST_VALUE_SYNTAX);
    expect("id,note\n1,29/2/2016 01:16\n2,01.12.2016 9:05:06\n3,29-2-2016\n4,2016-02-29 01:16\n"
           "5,30/2/2016 01:16\n6,2/29/2016\n7,1/2/16\n8,1/2/2016 x\n9,1/1/2016 00:30+02\n",
           &spec, want);
    time.dates = BST_DATES_MDY;
    expect("id,note\n1,2/29/2016 13:00\n", &spec, "1 2016-02-29T13:00:00Z\n");
    bst_zone_free(zone);
}
END_TEST

START_TEST(the_mapping_may_be_wrong) {
    const bst_source_column naive[] = {{.name = "note", .type = {.kind = BST_KIND_TIMESTAMPTZ}}};
    const bst_source_column typo[] = {
        {.name = "notes", .type = {.kind = BST_KIND_TEXT}},
        {.name = "notes", .type = {.kind = BST_KIND_INT4}},
        {.name = "sum", .sql = "a + b", .type = {.kind = BST_KIND_INT4}}};
    bst_source_spec spec = notes;
    spec.columns = naive;
    bst_strbuf out = BST_STRBUF_INIT;
    bst_diags *diags = bst_diags_new();
    dump("id,note\n1,2021-01-01 10:00\n", &spec, &out, diags);
    ck_assert_uint_eq(bst_diags_count(diags), 1);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "naive-timestamp");
    bst_diags_clear(diags);
    spec.columns = typo;
    spec.column_count = 3;
    spec.where_sql = "true";
    dump("id,note\n", &spec, &out, diags);
    ck_assert_uint_eq(bst_diags_count(diags), 3);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "unknown-column");
    ck_assert_str_eq(bst_diags_at(diags, 0)->hint, "Did you mean \"note\"?");
    ck_assert_str_eq(bst_diags_at(diags, 1)->code, "needs-postgres");
    ck_assert_str_eq(bst_diags_at(diags, 2)->code, "needs-postgres");
    bst_strbuf_release(&out);
    bst_diags_free(diags);
}
END_TEST

START_TEST(originals_are_whole) {
    bst_diags *diags = bst_diags_new();
    bst_strbuf out = BST_STRBUF_INIT;
    bst_source *source = NULL;
    const bst_row *row;
    const char *text = "id,note,other\n1,\"a\"\"\n\",\n";
    ck_assert_int_eq(bst_source_open(write_csv(text, strlen(text)), &notes, &source, diags),
                     BST_OK);
    ck_assert_int_eq(bst_source_next(source, &row, diags), BST_OK);
    ck_assert_int_eq(bst_source_original(source, &out, diags), BST_OK);
    ck_assert_str_eq(out.text, "{\"id\":\"1\",\"note\":\"a\\\"\\n\",\"other\":null}");
    ck_assert_uint_eq(row->number, 2);
    bst_strbuf_release(&out);
    bst_source_free(source);
    bst_diags_free(diags);
}
END_TEST

/* A file of several windows, with what is read in place: quotes, a byte order mark, CRLF. */
static void big_csv(bst_strbuf *out, char mark) {
    bst_strbuf_clear(out);
    bst_strbuf_adds(out, "\xEF\xBB\xBF\"id\",\"note\"\r\n");
    for (int i = 0; i < 40000; i++)
        bst_strbuf_addf(out, "%d,\"a \"\"%c\"\", twice\"\r\n", i, i == 39000 ? mark : '=');
    ck_assert_uint_gt(out->len, 800000);
}

static void read_all(bst_source *source, bst_diags *diags) {
    const bst_row *row = NULL;
    do
        ck_assert_int_eq(bst_source_next(source, &row, diags), BST_OK);
    while (row);
}

/* The digest before rows are read is that of the file; afterwards it is that of what was read. */
START_TEST(a_file_that_changes_is_noticed) {
    bst_source_spec spec = notes;
    bst_diags *diags = bst_diags_new();
    bst_strbuf text = BST_STRBUF_INIT, before = BST_STRBUF_INIT, after = BST_STRBUF_INIT;
    spec.digested = true;
    for (int changed = 0; changed < 2; changed++) {
        bst_source *source = NULL;
        big_csv(&text, '=');
        ck_assert_int_eq(bst_source_open(write_csv(text.text, text.len), &spec, &source, diags),
                         BST_OK);
        bst_strbuf_clear(&before);
        bst_strbuf_clear(&after);
        ck_assert_int_eq(bst_source_identity(source, &before, diags), BST_OK);
        big_csv(&text, changed ? '!' : '=');
        write_csv(text.text, text.len);
        read_all(source, diags);
        write_csv("", 0); /* what becomes of it now is no matter */
        ck_assert_int_eq(bst_source_identity(source, &after, diags), BST_OK);
        ck_assert_int_eq(strcmp(before.text, after.text) != 0, changed);
        bst_source_free(source);
    }
    bst_strbuf_release(&text);
    bst_strbuf_release(&before);
    bst_strbuf_release(&after);
    bst_diags_free(diags);
}
END_TEST

/* Much more than the sorter may hold: everything comes back, once, in order. */
START_TEST(sorting_beyond_memory) {
    enum { COUNT = 20000 };
    bst_diags *diags = bst_diags_new();
    bst__row_sort *sort = bst__row_sort_new(4096);
    uint64_t state = 88172645463325252u;
    uint64_t sum = 0;
    uint64_t got = 0;
    char last[32] = "";
    uint64_t last_number = 0;

    for (uint64_t i = 1; i <= COUNT; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char key[32];
        char bytes[64];
        snprintf(key, sizeof key, "%llu", (unsigned long long)(state % 5000));
        snprintf(bytes, sizeof bytes, "%s;%llu", key, (unsigned long long)i);
        const bst__sort_row row = {
            i % 1000 == 0, i, i % 1000 ? key : "", i % 1000 ? strlen(key) : 0, bytes,
            strlen(bytes)};
        ck_assert_int_eq(bst__row_sort_add(sort, &row, diags), BST_OK);
        sum += i;
    }
    for (;;) {
        bst__sort_row row;
        bool end;
        ck_assert_int_eq(bst__row_sort_next(sort, &row, &end, diags), BST_OK);
        if (end)
            break;
        got++;
        sum -= row.number;
        ck_assert_int_eq(row.key_is_null, got <= COUNT / 1000);
        char key[32];
        memcpy(key, row.key, row.key_len);
        key[row.key_len] = 0;
        const int c = strcmp(last, key);
        ck_assert(c < 0 || (c == 0 && last_number < row.number));
        if (!row.key_is_null)
            ck_assert(memcmp(row.bytes, row.key, row.key_len) == 0);
        memcpy(last, key, sizeof key);
        last_number = row.number;
    }
    ck_assert_uint_eq(got, COUNT);
    ck_assert_uint_eq(sum, 0);
    bst__row_sort_free(sort);
    bst_diags_free(diags);
}
END_TEST

Suite *test_migrate_source_suite(void) {
    Suite *suite = suite_create("source");
    TCase *files = tcase_create("csv");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, quotes_nulls_and_line_ends);
    tcase_add_test(files, by_key_with_nulls_first_and_doubles_marked);
    tcase_add_test(files, composite_keys);
    tcase_add_test(files, null_texts);
    tcase_add_test(files, days_and_months_first);
    tcase_add_test(files, damaged_files_stop);
    tcase_add_test(files, bad_cells_do_not_stop);
    tcase_add_test(files, the_mapping_may_be_wrong);
    tcase_add_test(files, originals_are_whole);
    tcase_add_test(files, a_file_that_changes_is_noticed);
    suite_add_tcase(suite, files);
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, sorting_beyond_memory);
    suite_add_tcase(suite, parts);
    return suite;
}
