/* What the log says of rows, laid over those that were read. */
#include <check.h>
#include <string.h>

#include "compare/compare_private.h"
#include "scratch.h"

static const char machine_text[] =
    "{ 'id': 'account', 'fields': { 'owner': { 'type': 'text?' }, 'note': { 'type': 'text?' } },"
    "  'events': { 'AccountOpened': { 'fields': { 'owner': 'text?', 'note': 'text?' } } },"
    "  'creates': [ { 'command': 'open', 'event': 'AccountOpened', 'target': 'open' } ],"
    "  'initial': 'open', 'states': { 'open': { 'type': 'final' } } }";

static const char mapping_text[] =
    "{ 'machine': 'm.fsm.json', 'source': { 'table': 'accounts', 'key': 'id' },"
    "  'state': { 'column': 'status', 'values': { '0': 'open' } },"
    "  'fields': { 'owner': 'owner', 'note': 'note' } }";

static const char rows[] = "id,status,owner,note\n"
                           "b,0,Bo,long b\n"
                           "d,0,Di,long d\n"
                           "f,0,Fa,\n";

static scratch s;
static bst_diags *diags;
static bst_mapping *mapping;
static bst__overlay *overlay;

/* A description of the table as the log gives it; the order of its columns is not that of the file.
 */
static const bst_wal_column columns[] = {
    {.name = "note"}, {.name = "id", .in_key = true}, {.name = "owner"}, {.name = "status"}};
static const bst_wal_column wider[] = {{.name = "more"},
                                       {.name = "note"},
                                       {.name = "id", .in_key = true},
                                       {.name = "owner"},
                                       {.name = "status"}};
static bool is_wider;

static void describe(const bst_wal_column *as) {
    is_wider = as == wider;
    const bst_wal_message relation = {.kind = BST_WAL_RELATION,
                                      .relation = 7,
                                      .schema = "public",
                                      .table = "accounts",
                                      .identity = 'd',
                                      .column_count = is_wider ? 5 : 4,
                                      .columns = as};
    bst__table *table = NULL;
    ck_assert_int_eq(bst__table_bind(mapping, &relation, &table, diags), BST_OK);
    ck_assert(bst__overlay_describe(overlay, table));
}

static void setup(void) {
    scratch_make(&s);
    diags = bst_diags_new();
    scratch_write(&s, "m.fsm.json", machine_text, 1);
    ck_assert_int_eq(
        bst_mapping_load(scratch_write(&s, "m.legacy.json", mapping_text, 1), &mapping, diags),
        BST_OK);
    scratch_write(&s, "accounts.csv", rows, 0);
    overlay = bst__overlay_new();
    describe(columns);
}

static void teardown(void) {
    bst__overlay_free(overlay);
    bst_mapping_free(mapping);
    bst_diags_free(diags);
    scratch_remove(&s);
}

static bst_text text_of(const char *text) {
    return (bst_text){text, strlen(text)};
}

static bst_wal_value value_of(const char *text) {
    if (!text) {
        return (bst_wal_value){.form = BST_WAL_NULL};
    }
    return strcmp(text, "(unchanged)") == 0
               ? (bst_wal_value){.form = BST_WAL_UNCHANGED}
               : (bst_wal_value){BST_WAL_TEXT, (uint32_t)strlen(text), text};
}

static void put(const char *key, const char *old_key, const char *owner, const char *note) {
    const bst_wal_value values[] = {value_of("more"), value_of(note), value_of(key),
                                    value_of(owner), value_of("0")};
    const bst_wal_tuple image =
        is_wider ? (bst_wal_tuple){5, values} : (bst_wal_tuple){4, values + 1};
    const bst_text new_text = text_of(key), old_text = text_of(old_key ? old_key : "");
    ck_assert(bst__overlay_put(overlay, &new_text, old_key ? &old_text : NULL, &image));
}

static void drop(const char *key) {
    const bst_text text = text_of(key);
    ck_assert(bst__overlay_remove(overlay, &text));
}

static void add_cell(const bst_row *row, const char *name, bst_strbuf *out) {
    for (size_t i = 0; i < mapping->source.column_count; i++) {
        const bst_cell *const cell = &row->cells[i];
        if (strcmp(mapping->source.columns[i].name, name) == 0) {
            bst_strbuf_addc(out, ' ');
            if (cell->result != BST_VALUE_OK || !cell->value.present) {
                bst_strbuf_adds(out, cell->result == BST_VALUE_OK ? "-" : "bad");
            } else {
                bst_strbuf_add(out, cell->value.u.text, cell->value.len);
            }
        }
    }
}

/* The rows of a part as "key owner note;". */
static void expect_of(const char *from, const char *before, bst_status wanted, const char *text) {
    const bst__compare_part part = {.mapping = mapping,
                                    .options = {.from = scratch_path(&s, "accounts.csv")},
                                    .keys = {.from = from, .before = before},
                                    .overlay = overlay};
    bst_source_spec spec = mapping->source;
    bst__old_rows side = {.part = NULL};
    bst_strbuf out = BST_STRBUF_INIT;
    const bst_row *row = NULL;
    spec.ordered = true;
    ck_assert(bst__overlay_sort(overlay));
    bst_status status = bst__old_rows_open(&side, &part, &spec, diags);
    while (status == BST_OK && (status = bst__old_rows_next(&side, &row, diags)) == BST_OK && row) {
        if (bst_key_part_has(&part.keys, row->key, row->key_len)) {
            bst_strbuf_add(&out, row->key, row->key_len);
            add_cell(row, "owner", &out);
            add_cell(row, "note", &out);
            bst_strbuf_addc(&out, ';');
        }
    }
    ck_assert_int_eq(status, wanted);
    ck_assert_str_eq(out.text, text);
    bst__old_rows_release(&side);
    bst_strbuf_release(&out);
}

static void expect(const char *text) {
    expect_of(NULL, NULL, BST_OK, text);
}

START_TEST(nothing) {
    expect("b Bo long b;d Di long d;f Fa -;");
}
END_TEST

START_TEST(before_between_and_behind) {
    put("a", NULL, "An", "1");
    put("c", NULL, "Cy", NULL);
    put("g", NULL, "Gus", "3");
    put("f", NULL, NULL, "4");
    expect("a An 1;b Bo long b;c Cy -;d Di long d;f - 4;g Gus 3;");
    expect_of("c", "f", BST_OK, "c Cy -;d Di long d;");
}
END_TEST

START_TEST(gone) {
    drop("b");
    drop("x"); /* came and went between the two moments */
    put("d", NULL, "Dora", "n");
    drop("d");
    drop("f");
    put("f", NULL, "Fay", "new");
    expect("f Fay new;");
}
END_TEST

START_TEST(values_that_are_not_sent) {
    put("b", NULL, "Bea", "(unchanged)"); /* of the row that was read */
    put("d", NULL, "Di", "another");
    put("d", NULL, "Dee", "(unchanged)"); /* of the image before */
    expect("b Bea long b;d Dee another;f Fa -;");
}
END_TEST

START_TEST(other_keys) {
    put("e", "d", "Di", "sent again");
    put("h", "f", "Fa", NULL);
    put("i", "h", "Fa", "(unchanged)");
    expect("b Bo long b;e Di sent again;i Fa -;");
}
END_TEST

/* A large value of a row that has another key now is in neither of what was read. */
START_TEST(a_value_that_nobody_has) {
    put("e", "d", "Di", "(unchanged)");
    expect_of(NULL, NULL, BST_RETRY, "b Bo long b;");
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "value-not-sent");
}
END_TEST

START_TEST(emptied) {
    put("a", NULL, "An", "1");
    bst__overlay_empty(overlay);
    put("d", NULL, "Dan", "anew");
    expect("d Dan anew;");
}
END_TEST

/* The log describes a table again whenever something about it may have changed. */
START_TEST(described_again) {
    put("b", NULL, "Bo", "first");
    describe(wider);
    put("b", NULL, "Bob", "(unchanged)");
    put("d", NULL, "Dee", "(unchanged)");
    expect("b Bob first;d Dee long d;f Fa -;");
}
END_TEST

Suite *test_migrate_overlay_suite(void) {
    Suite *suite = suite_create("overlay");
    TCase *tcase = tcase_create("overlay");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing);
    tcase_add_test(tcase, before_between_and_behind);
    tcase_add_test(tcase, gone);
    tcase_add_test(tcase, values_that_are_not_sent);
    tcase_add_test(tcase, other_keys);
    tcase_add_test(tcase, a_value_that_nobody_has);
    tcase_add_test(tcase, emptied);
    tcase_add_test(tcase, described_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
