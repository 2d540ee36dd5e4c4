/* Messages of the log, byte by byte; cut short anywhere and with anything behind them they are
 * refused. */
#include <check.h>
#include <string.h>

#include "backstory/wal.h"

static bst_arena *arena;

static void begin(void) {
    arena = bst_arena_new();
}

static void end(void) {
    arena = bst_arena_free(arena);
}

#define BEGIN_MESSAGE  "B\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\4"
#define COMMIT_MESSAGE "C\0\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\3"
#define RELATION_MESSAGE                                                                           \
    "R\0\0\0\7public\0payments\0f\0\2\1id\0\0\0\0\24\377\377\377\377\0note\0\0\0\0\31\377\377\377" \
    "\377"
#define INSERT_MESSAGE   "I\0\0\0\7N\0\2t\0\0\0\00242n"
#define UPDATE_MESSAGE   "U\0\0\0\7O\0\2t\0\0\0\1\x34t\0\0\0\1xN\0\2t\0\0\0\1\x35u"
#define DELETE_MESSAGE   "D\0\0\0\7K\0\2t\0\0\0\1\x34n"
#define TRUNCATE_MESSAGE "T\0\0\0\2\0\0\0\0\7\0\0\0\10"
#define TYPE_MESSAGE     "Y\0\0\0\1public\0status\0"

static const struct {
    const char *bytes;
    size_t len;
} messages[] = {
    {BEGIN_MESSAGE, sizeof BEGIN_MESSAGE - 1},       {COMMIT_MESSAGE, sizeof COMMIT_MESSAGE - 1},
    {RELATION_MESSAGE, sizeof RELATION_MESSAGE - 1}, {INSERT_MESSAGE, sizeof INSERT_MESSAGE - 1},
    {UPDATE_MESSAGE, sizeof UPDATE_MESSAGE - 1},     {DELETE_MESSAGE, sizeof DELETE_MESSAGE - 1},
    {TRUNCATE_MESSAGE, sizeof TRUNCATE_MESSAGE - 1}};
#define MESSAGE_COUNT ((int)(sizeof messages / sizeof *messages))

static bst_wal_message parse(const char *bytes, size_t len) {
    bst_wal_message message;
    ck_assert_int_eq(bst_wal_parse(bytes, len, arena, &message), BST_WAL_OK);
    return message;
}
#define PARSE(text) parse(text, sizeof text - 1)

START_TEST(transactions) {
    const bst_wal_message first = PARSE(BEGIN_MESSAGE), last = PARSE(COMMIT_MESSAGE);
    ck_assert_int_eq(first.kind, BST_WAL_BEGIN);
    ck_assert_uint_eq(first.lsn, UINT64_C(0x100000002));
    ck_assert_int_eq(first.time, 3);
    ck_assert_uint_eq(first.xid, 4);
    ck_assert_int_eq(last.kind, BST_WAL_COMMIT);
    ck_assert_uint_eq(last.end_lsn, UINT64_C(0x100000005));
}
END_TEST

START_TEST(relations) {
    const bst_wal_message message = PARSE(RELATION_MESSAGE);
    ck_assert_uint_eq(message.relation, 7);
    ck_assert_str_eq(message.schema, "public");
    ck_assert_str_eq(message.table, "payments");
    ck_assert_int_eq(message.identity, 'f');
    ck_assert_uint_eq(message.column_count, 2);
    ck_assert_str_eq(message.columns[1].name, "note");
    ck_assert(message.columns[0].in_key && !message.columns[1].in_key);
    ck_assert_uint_eq(message.columns[0].type_oid, 20);
}
END_TEST

START_TEST(rows) {
    const bst_wal_message inserted = PARSE(INSERT_MESSAGE), updated = PARSE(UPDATE_MESSAGE),
                          deleted = PARSE(DELETE_MESSAGE);
    ck_assert_uint_eq(inserted.new_row.count, 2);
    ck_assert_uint_eq(inserted.new_row.values[0].len, 2);
    ck_assert_mem_eq(inserted.new_row.values[0].text, "42", 2);
    ck_assert_int_eq(inserted.new_row.values[1].form, BST_WAL_NULL);
    ck_assert_int_eq(updated.old_kind, 'O');
    ck_assert_mem_eq(updated.old_row.values[1].text, "x", 1);
    ck_assert_int_eq(updated.new_row.values[1].form, BST_WAL_UNCHANGED);
    ck_assert_int_eq(deleted.old_kind, 'K');
    ck_assert_uint_eq(deleted.new_row.count, 0);
}
END_TEST

START_TEST(truncated_tables) {
    const bst_wal_message message = PARSE(TRUNCATE_MESSAGE);
    ck_assert_uint_eq(message.relation_count, 2);
    ck_assert_uint_eq(message.relations[1], 8);
}
END_TEST

START_TEST(others_are_passed_over) {
    ck_assert_int_eq(PARSE(TYPE_MESSAGE).kind, BST_WAL_OTHER);
}
END_TEST

START_TEST(cut_short_anywhere) {
    bst_wal_message message;
    for (size_t len = 0; len < messages[_i].len; len++)
        ck_assert_int_eq(bst_wal_parse(messages[_i].bytes, len, arena, &message),
                         BST_WAL_MALFORMED);
}
END_TEST

START_TEST(with_more_behind) {
    char bytes[200];
    bst_wal_message message;
    memcpy(bytes, messages[_i].bytes, messages[_i].len);
    bytes[messages[_i].len] = 'n';
    ck_assert_int_eq(bst_wal_parse(bytes, messages[_i].len + 1, arena, &message),
                     BST_WAL_MALFORMED);
}
END_TEST

START_TEST(absurd_counts) {
    bst_wal_message message;
    static const char many_columns[] = "I\0\0\0\7N\377\377";
    static const char long_value[] = "I\0\0\0\7N\0\1t\377\377\377\377x";
    static const char many_tables[] = "T\377\377\377\377\0\0\0\0\7";
    static const char no_mark[] = "U\0\0\0\7\0\0\2";
    ck_assert_int_eq(bst_wal_parse(many_columns, sizeof many_columns - 1, arena, &message),
                     BST_WAL_MALFORMED);
    ck_assert_int_eq(bst_wal_parse(long_value, sizeof long_value - 1, arena, &message),
                     BST_WAL_MALFORMED);
    ck_assert_int_eq(bst_wal_parse(many_tables, sizeof many_tables - 1, arena, &message),
                     BST_WAL_MALFORMED);
    ck_assert_int_eq(bst_wal_parse(no_mark, sizeof no_mark - 1, arena, &message),
                     BST_WAL_MALFORMED);
}
END_TEST

Suite *test_migrate_wal_suite(void) {
    Suite *const suite = suite_create("wal");
    TCase *const tcase = tcase_create("wal");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, transactions);
    tcase_add_test(tcase, relations);
    tcase_add_test(tcase, rows);
    tcase_add_test(tcase, truncated_tables);
    tcase_add_test(tcase, others_are_passed_over);
    tcase_add_loop_test(tcase, cut_short_anywhere, 0, MESSAGE_COUNT);
    tcase_add_loop_test(tcase, with_more_behind, 0, MESSAGE_COUNT);
    tcase_add_test(tcase, absurd_counts);
    suite_add_tcase(suite, tcase);
    return suite;
}
