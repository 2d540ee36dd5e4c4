#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backstory/output_file.h"
#include "scratch.h"

static void check_text(scratch *s, const char *name, const char *text) {
    char got[64] = "";
    FILE *const file = fopen(scratch_path(s, name), "r");
    ck_assert_ptr_nonnull(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    ck_assert_str_eq(got, text);
}

static void write_new(scratch *s, const char *name, bst_output_file *ret) {
    ck_assert(bst_output_file_open(ret, scratch_path(s, name)));
    ck_assert_int_ge(fputs("new", ret->file), 0);
}

START_TEST(test_kept) {
    scratch s;
    bst_output_file output;
    struct stat st;
    scratch_make(&s);
    scratch_write(&s, "file", "old", 0);
    write_new(&s, "file", &output);
    check_text(&s, "file", "old");
    ck_assert(bst_output_file_keep(&output));
    check_text(&s, "file", "new");
    ck_assert_int_eq(stat(s.path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(access(scratch_path(&s, "file.partial"), F_OK), -1);
    bst_output_file_drop(&output);
    scratch_remove(&s);
}
END_TEST

START_TEST(test_dropped) {
    scratch s;
    bst_output_file output;
    scratch_make(&s);
    scratch_write(&s, "file", "old", 0);
    write_new(&s, "file", &output);
    bst_output_file_drop(&output);
    bst_output_file_drop(&output);
    check_text(&s, "file", "old");
    ck_assert_int_eq(access(scratch_path(&s, "file.partial"), F_OK), -1);
    scratch_remove(&s);
}
END_TEST

START_TEST(test_not_there) {
    scratch s;
    bst_output_file output;
    scratch_make(&s);
    ck_assert(!bst_output_file_open(&output, scratch_path(&s, "no/file")));
    ck_assert_int_eq(errno, ENOENT);
    bst_output_file_drop(&output);
    write_new(&s, "file", &output);
    ck_assert_int_eq(mkdir(scratch_path(&s, "file"), 0700), 0); /* meanwhile */
    ck_assert(!bst_output_file_keep(&output));
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_int_eq(access(scratch_path(&s, "file.partial"), F_OK), -1);
    ck_assert_int_eq(rmdir(scratch_path(&s, "file")), 0);
    scratch_remove(&s);
}
END_TEST

START_TEST(test_full_device) {
    bst_output_file output;
    ck_assert(bst_output_file_open(&output, "/dev/full"));
    ck_assert_int_ge(fputs("new", output.file), 0);
    ck_assert(!bst_output_file_keep(&output));
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_int_eq(access("/dev/full", F_OK), 0);
}
END_TEST

Suite *test_base_output_file_suite(void) {
    Suite *suite = suite_create("output file");
    TCase *tcase = tcase_create("output file");
    tcase_add_test(tcase, test_kept);
    tcase_add_test(tcase, test_dropped);
    tcase_add_test(tcase, test_not_there);
    tcase_add_test(tcase, test_full_device);
    suite_add_tcase(suite, tcase);
    return suite;
}
