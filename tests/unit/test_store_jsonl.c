/* Histories to a file and back. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "store_fixture.h"

static store_fixture fixture;
static char folder[] = "/tmp/bst-store.XXXXXX";
static char path[sizeof folder + 20];

static void setup(void) {
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out.jsonl", folder);
    store_setup(&fixture);
}

static size_t files_in_folder(void) {
    size_t count = 0;
    DIR *const dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void teardown(void) {
    store_teardown(&fixture);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void slurp(bst_strbuf *out) {
    char *text = NULL;
    size_t len = 0;
    ck_assert_int_eq(bst_file_read(path, 1u << 30, &text, &len, NULL), BST_OK);
    bst_strbuf_add(out, text, len);
    free(text);
}

START_TEST(what_is_written_is_read) {
    const bst_sink_totals totals = store_write_all(&fixture, path);
    struct stat status;
    ck_assert_uint_eq(totals.histories, STORE_KEYS);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(totals.bytes, (uint64_t)status.st_size);
    ck_assert_uint_eq(files_in_folder(), 1);
    store_read_all(&fixture, path, NULL);
}
END_TEST

START_TEST(one_key_is_read_alone) {
    store_write_all(&fixture, path);
    store_read_all(&fixture, path, store_keys[_i]);
}
END_TEST

START_TEST(a_key_that_is_not_there_has_no_events) {
    static const char *const keys[] = {"!", "C", "\xff"};
    store_write_all(&fixture, path);
    store_read_all(&fixture, path, keys[_i]);
}
END_TEST

START_TEST(two_runs_give_the_same_bytes) {
    bst_strbuf first = BST_STRBUF_INIT, second = BST_STRBUF_INIT, lines = BST_STRBUF_INIT;
    store_write_all(&fixture, path);
    slurp(&first);
    store_write_all(&fixture, path);
    slurp(&second);
    ck_assert_uint_eq(first.len, second.len);
    ck_assert_mem_eq(first.text, second.text, first.len);
    store_lines(&fixture, path, &lines); /* and so does what a reader hands out */
    ck_assert_str_eq(first.text, lines.text);
    bst_strbuf_release(&first);
    bst_strbuf_release(&second);
    bst_strbuf_release(&lines);
}
END_TEST

START_TEST(an_unfinished_sink_leaves_the_target_alone) {
    bst_sink *sink = store_sink(&fixture, path);
    store_expect(&fixture, store_put(&fixture, sink, 1, "a"), BST_OK);
    ck_assert_uint_eq(files_in_folder(), 1);
    bst_sink_free(sink);
    ck_assert_uint_eq(files_in_folder(), 0);

    store_write_all(&fixture, path);
    sink = store_sink(&fixture, path);
    store_expect(&fixture, store_put(&fixture, sink, 1, "a"), BST_OK);
    bst_sink_free(sink);
    ck_assert_uint_eq(files_in_folder(), 1);
    store_read_all(&fixture, path, NULL);
}
END_TEST

START_TEST(an_empty_run_is_an_empty_file) {
    bst_sink_totals totals;
    bst_sink *sink = store_sink(&fixture, path);
    store_expect(&fixture, bst_sink_finish(sink, &totals, fixture.diags), BST_OK);
    bst_sink_free(sink);
    ck_assert_uint_eq(totals.bytes, 0);
    store_read_all(&fixture, path, "none");
}
END_TEST

START_TEST(a_line_that_no_reader_takes_is_not_written) {
    store_write_around_large(&fixture, path, BST_EVENT_LINE_MAX / strlen("\\u0001") + 1);
    store_read_all(&fixture, path, NULL);
}
END_TEST

START_TEST(the_umask_decides_who_may_read) {
    struct stat status;
    const mode_t before = umask(027);
    store_write_all(&fixture, path);
    umask(before);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0640);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error) {
    const bst_run_info run = {0};
    bst_sink *sink = NULL;
    ck_assert_int_eq(
        bst_sink_open("/nowhere/at/all.jsonl", fixture.machine, &run, &sink, fixture.diags),
        BST_IO);
    ck_assert_str_eq(store_last_code(&fixture), "cannot-write");
    ck_assert_ptr_null(sink);
}
END_TEST

START_TEST(a_full_disk_is_an_error) {
    /* Large enough for a flush, so that the file's own error shows in the middle. */
    const int full = open("/dev/full", O_WRONLY), out = dup(STDOUT_FILENO);
    ck_assert(full >= 0 && out >= 0);
    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    bst_sink *sink = store_sink(&fixture, "-");
    bst_status status = BST_OK;
    for (int i = 0; status == BST_OK && i < 5000; i++) {
        char key[20];
        snprintf(key, sizeof key, "%08d", i);
        status = store_put(&fixture, sink, 1, key);
    }
    bst_sink_free(sink);
    dup2(out, STDOUT_FILENO);
    close(full);
    close(out);
    ck_assert_int_eq(status, BST_IO);
}
END_TEST

START_TEST(an_entity_has_one_history) {
    bst_sink *sink = store_sink(&fixture, path);
    store_expect(&fixture, store_put(&fixture, sink, 1, "a"), BST_OK);
    store_expect(&fixture, store_put(&fixture, sink, 2, "a"), BST_CONFLICT);
    ck_assert_str_eq(store_last_code(&fixture), "history-exists");
    bst_sink_free(sink);
}
END_TEST

static const struct {
    const char *key;
    size_t len;
    bst_status status;
} bad_keys[] = {
    {"", 0, BST_INVALID},
    {"\xff", 1, BST_INVALID},
    {"a\0b", 3, BST_INVALID},
    {NULL, BST_KEY_BYTES_MAX + 1, BST_LIMIT},
};

START_TEST(a_bad_key_is_refused) {
    char *const large = calloc(1, BST_KEY_BYTES_MAX + 2);
    memset(large, 'k', BST_KEY_BYTES_MAX + 1);
    bst_sink *sink = store_sink(&fixture, path);
    store_history made;
    store_make(&fixture, 1, "", &made);
    made.history.key = bad_keys[_i].key ? bad_keys[_i].key : large;
    made.history.key_len = bad_keys[_i].len;
    bool fits;
    store_expect(&fixture, bst_sink_write(sink, &made.history, &fits, fixture.diags),
                 bad_keys[_i].status);
    bst_sink_free(sink);
    free(large);
}
END_TEST

START_TEST(a_history_that_cannot_be_is_a_bug_of_ours) {
    bst_sink *sink = store_sink(&fixture, path);
    store_history made;
    store_make(&fixture, 1, "a", &made);
    if (_i == 0)
        fixture.plans[1].event_count = 0;
    else if (_i == 1)
        made.events[1].occurred_at = BST_TIME_INFINITY;
    else if (_i == 2)
        fixture.steps[1][2].confidence = -1;
    else
        fixture.steps[1][2].type = fixture.machine->event_count;
    bool fits;
    store_expect(&fixture, bst_sink_write(sink, &made.history, &fits, fixture.diags), BST_INTERNAL);
    bst_sink_free(sink);
}
END_TEST

START_TEST(a_line_is_json_with_its_keys_in_order) {
    static const char *const keys[] = {
        "id",          "machine", "entity",     "version",     "type",
        "data",        "state",   "command",    "occurred_at", "occurred_between",
        "recorded_at", "basis",   "confidence", "source"};
    bst_strbuf lines = BST_STRBUF_INIT;
    size_t count = 0;
    store_write_all(&fixture, path);
    slurp(&lines);
    for (const char *at = lines.text; *at; count++) {
        const char *const end = strchr(at, '\n');
        ck_assert_ptr_nonnull(end);
        json_error_t error;
        json_t *const json = json_loadb(at, (size_t)(end - at),
                                        JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
        ck_assert_msg(json, "%s in %.*s", error.text, (int)(end - at), at);
        size_t i = 0;
        /* the one key that is left out when it says nothing */
        const json_t *const version = json_object_get(json, "type_version");
        ck_assert(!version || json_real_value(version) > 1);
        for (void *iter = json_object_iter(json); iter; iter = json_object_iter_next(json, iter)) {
            if (json_object_iter_value(iter) != version)
                ck_assert_str_eq(json_object_iter_key(iter), keys[i++]);
            else
                ck_assert_str_eq(keys[i - 1], "type");
        }
        ck_assert_uint_eq(i, sizeof keys / sizeof *keys);
        ck_assert(json_is_object(json_object_get(json, "data")));
        json_decref(json);
        at = end + 1;
    }
    ck_assert_uint_gt(count, STORE_KEYS);
    bst_strbuf_release(&lines);
}
END_TEST

/* Damage */

static const struct {
    const char *code;
    uint32_t line;
    int offset;       /* of the place that is shown, in `text`; -1: the start of the line */
    const char *text; /* what is put in the place of */
    const char *old;  /* NULL: as many bytes as `text` has, where it differs first */
} damages[] = {
    {"not-an-event", 1, 0, "l", "{"},
    {"not-an-event", 1, 5, "{\"id\"", "{\"id\":"},
    {"not-an-event", 2, 0, "\n\n", "\n"},
    {"unknown-key", 1, 0, "\"Id\":", "\"id\":"},
    {"unknown-key", 1, 0, "\"id\":\"thing\"", "\"machine\":\"thing\""},
    {"missing-key", 1, -1, "}", ",\"source\":null}"},
    {"wrong-id", 1, 5, "\"id\":\"00000000", NULL},
    {"wrong-machine", 1, 10, "\"machine\":\"other\"", "\"machine\":\"thing\""},
    {"bad-value", 1, 9, "\"entity\":7", "\"entity\":\"\xe2\x82\xac\""},
    {"bad-value", 1, 9, "\"entity\":\"\"", "\"entity\":\"\xe2\x82\xac\""},
    {"bad-value", 1, 10, "\"version\":\"1\"", "\"version\":1"},
    {"bad-value", 1, 10, "\"version\":01", "\"version\":1"},
    {"bad-value", 1, 10, "\"version\":9223372036854775808", "\"version\":1"},
    {"version-gap", 1, 10, "\"version\":2", "\"version\":1"},
    {"version-gap", 2, 10, "\"version\":3", "\"version\":2"},
    {"unknown-name", 1, 7, "\"type\":\"ThingBorn\"", "\"type\":\"ThingClosed\""},
    {"unknown-name", 1, 8, "\"state\":\"shut\"", "\"state\":\"closed\""},
    {"unknown-name", 1, 10, "\"command\":\"slam\"", "\"command\":\"close\""},
    {"bad-payload", 1, 7, "\"data\":[]", "\"data\":{}"},
    {"bad-payload", 1, 8, "\"data\":{\"x\":1}", "\"data\":{}"},
    {"bad-value", 1, 14, "\"occurred_at\":\"yesterday\"",
     "\"occurred_at\":\"2021-03-02T00:00:00Z\""},
    {"bad-value", 1, 14, "\"occurred_at\":\"infinity\"",
     "\"occurred_at\":\"2021-03-02T00:00:00Z\""},
    {"bad-value", 1, 19, "\"occurred_between\":[1,2]", "\"occurred_between\":null"},
    {"bad-value", 1, 14, "\"recorded_at\":0", "\"recorded_at\":null"},
    {"bad-value", 1, 8, "\"basis\":\"guessed\"", "\"basis\":\"recorded\""},
    {"bad-value", 1, 13, "\"confidence\":-1", "\"confidence\":1"},
    {"bad-value", 1, 13, "\"confidence\":1.5", "\"confidence\":1"},
    {"bad-value", 1, 13, "\"confidence\":\"1\"", "\"confidence\":1"},
    {"bad-value", 1, 13, "\"confidence\":1e", "\"confidence\":1"},
    {"bad-value", 1, 9, "\"source\":5", "\"source\":null"},
    {"bad-value", 1, 9, "\"source\":\"\\x\"", "\"source\":null"},
    {"not-an-event", 1, 13, "\"source\":null", "\"source\":null}"},
    {"not-an-event", 1, -1, "\xff", "\xe2"},
};

static void add_closed(const char *key, int64_t version, bst_strbuf *out) {
    bst_stored_event event = {.key = key,
                              .key_len = strlen(key),
                              .version = version,
                              .type = bst_machine_event(fixture.machine, "ThingClosed"),
                              .state = bst_machine_state(fixture.machine, "closed"),
                              .command = bst_machine_command(fixture.machine, "close"),
                              .occurred_at = INT64_C(667958400000000),
                              .basis = BST_BASIS_RECORDED,
                              .confidence = 1};
    bst_event_line(fixture.machine, &event, out);
}

static void write_text(const char *text, size_t len) {
    FILE *const file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

/* Reads to the end or to the first error. */
static bst_status read_through(const char *key) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    bst_status status = bst_reader_open(path, fixture.machine, key, &reader, fixture.diags);
    do {
        if (status == BST_OK)
            status = bst_reader_next(reader, &event, fixture.diags);
    } while (status == BST_OK && event);
    bst_reader_free(reader);
    return status;
}

/* The column of a place that is shown, in characters. */
static uint32_t column_of(const char *text, const char *at) {
    const char *line = at;
    uint32_t column = 1;
    while (line > text && line[-1] != '\n')
        line--;
    for (; line < at; line++)
        column += (*line & 0xc0) != 0x80;
    return column;
}

START_TEST(damage_is_found_at_its_place) {
    bst_strbuf text = BST_STRBUF_INIT, damaged = BST_STRBUF_INIT;
    add_closed("\xe2\x82\xac", 1, &text);
    add_closed("\xe2\x82\xac", 2, &text);
    write_text(text.text, text.len);
    store_expect(&fixture, read_through(NULL), BST_OK);

    const char *const old = damages[_i].old ? damages[_i].old : damages[_i].text;
    const char *const at = damages[_i].old ? strstr(text.text, old) : strstr(text.text, "\"id\"");
    ck_assert_ptr_nonnull(at);
    const size_t before = (size_t)(at - text.text);
    bst_strbuf_add(&damaged, text.text, before);
    bst_strbuf_adds(&damaged, damages[_i].text);
    bst_strbuf_adds(&damaged, at + strlen(old));
    write_text(damaged.text, damaged.len);
    store_expect(&fixture, read_through(NULL), BST_INVALID);
    const bst_diag *const diag = bst_diags_at(fixture.diags, bst_diags_count(fixture.diags) - 1);
    ck_assert_str_eq(diag->code, damages[_i].code);
    ck_assert_str_eq(diag->file, path);
    ck_assert_uint_eq(diag->line, damages[_i].line);
    const int offset = damages[_i].offset;
    const bool at_start = offset < 0 || damages[_i].text[0] == '\n';
    ck_assert_uint_eq(diag->column,
                      at_start ? 1 : column_of(damaged.text, damaged.text + before + offset));
    bst_strbuf_release(&text);
    bst_strbuf_release(&damaged);
}
END_TEST

START_TEST(disorder_says_how_to_sort) {
    bst_strbuf text = BST_STRBUF_INIT;
    add_closed("b", 1, &text);
    add_closed("a", 1, &text);
    write_text(text.text, text.len);
    store_expect(&fixture, read_through(NULL), BST_INVALID);
    const bst_diag *const diag = bst_diags_at(fixture.diags, 0);
    ck_assert_str_eq(diag->code, "not-in-order");
    ck_assert_uint_eq(diag->line, 2);
    ck_assert_ptr_nonnull(strstr(diag->hint, "sort_by"));
    /* Also where only one key is wanted: it might stand further down. */
    store_expect(&fixture, read_through("c"), BST_INVALID);
    bst_strbuf_release(&text);
}
END_TEST

START_TEST(lines_of_any_length_are_read) {
    bst_strbuf text = BST_STRBUF_INIT;
    char *const spaces = malloc(700001);
    memset(spaces, ' ', 700000);
    spaces[700000] = '\0';
    add_closed("k", 1, &text);
    text.len--; /* white space before the line feed */
    bst_strbuf_adds(&text, spaces);
    bst_strbuf_adds(&text, "\n");
    add_closed("k", 2, &text);
    text.len--; /* and none after the last */
    write_text(text.text, text.len);
    store_expect(&fixture, read_through(NULL), BST_OK);
    free(spaces);
    bst_strbuf_release(&text);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error) {
    store_expect(&fixture, read_through(NULL), BST_IO);
    ck_assert_str_eq(store_last_code(&fixture), "cannot-read");
}
END_TEST

Suite *test_store_jsonl_suite(void) {
    Suite *const suite = suite_create("store jsonl");
    TCase *const tests = tcase_create("files");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_loop_test(tests, one_key_is_read_alone, 0, (int)STORE_KEYS);
    tcase_add_loop_test(tests, a_key_that_is_not_there_has_no_events, 0, 3);
    tcase_add_test(tests, two_runs_give_the_same_bytes);
    tcase_add_test(tests, an_unfinished_sink_leaves_the_target_alone);
    tcase_add_test(tests, an_empty_run_is_an_empty_file);
    tcase_add_test(tests, a_line_that_no_reader_takes_is_not_written);
    tcase_add_test(tests, the_umask_decides_who_may_read);
    tcase_add_test(tests, a_folder_that_is_not_there_is_an_error);
    tcase_add_test(tests, a_full_disk_is_an_error);
    tcase_add_test(tests, an_entity_has_one_history);
    tcase_add_loop_test(tests, a_bad_key_is_refused, 0, 4);
    tcase_add_loop_test(tests, a_history_that_cannot_be_is_a_bug_of_ours, 0, 4);
    tcase_add_test(tests, a_line_is_json_with_its_keys_in_order);
    tcase_add_loop_test(tests, damage_is_found_at_its_place, 0,
                        (int)(sizeof damages / sizeof *damages));
    tcase_add_test(tests, disorder_says_how_to_sort);
    tcase_add_test(tests, lines_of_any_length_are_read);
    tcase_add_test(tests, a_file_that_is_not_there_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}
