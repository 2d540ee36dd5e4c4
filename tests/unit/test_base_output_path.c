#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backstory/output_path.h"
#include "scratch.h"

static bool lead(scratch *s, const char *name, bst_strbuf *ret) {
    return bst_output_path(scratch_path(s, name), ret);
}

static void link_to(scratch *s, const char *target, const char *name) {
    ck_assert_int_eq(symlink(target, scratch_path(s, name)), 0);
}

static void check_leads(scratch *s, const char *name, const char *to) {
    bst_strbuf path = BST_STRBUF_INIT;
    ck_assert(!lead(s, name, &path));
    ck_assert_str_eq(path.text, scratch_path(s, to));
    bst_strbuf_release(&path);
}

START_TEST(test_files_and_links) {
    scratch s;
    scratch_make(&s);
    scratch_write(&s, "file", "old", 0);
    link_to(&s, "file", "link");
    link_to(&s, "link", "link2");
    link_to(&s, "later", "dangling");
    link_to(&s, "dangling", "dangling2");
    check_leads(&s, "file", "file");
    check_leads(&s, "none", "none");
    check_leads(&s, "link", "file");
    check_leads(&s, "link2", "file");
    check_leads(&s, "dangling2", "later");
    scratch_remove(&s);
}
END_TEST

START_TEST(test_written_in_place) {
    scratch s;
    bst_strbuf path = BST_STRBUF_INIT;
    scratch_make(&s);
    ck_assert_int_eq(mkfifo(scratch_path(&s, "fifo"), 0600), 0);
    link_to(&s, "fifo", "link");
    link_to(&s, "round", "round");
    ck_assert(lead(&s, "fifo", &path));
    ck_assert_str_eq(path.text, scratch_path(&s, "fifo"));
    ck_assert(lead(&s, "link", &path));
    ck_assert(lead(&s, "round", &path));
    ck_assert_int_eq(bst_output_open_in_place(path.text), -1);
    ck_assert_int_eq(errno, ELOOP);
    const int reader = open(scratch_path(&s, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = bst_output_open_in_place(s.path);
    ck_assert_int_ge(reader, 0);
    ck_assert_int_ge(writer, 0);
    close(reader);
    close(writer);
    bst_strbuf_release(&path);
    scratch_remove(&s);
}
END_TEST

START_TEST(test_unnamed_file) {
    scratch s;
    bst_strbuf path = BST_STRBUF_INIT;
    char name[64];
    scratch_make(&s);
    const int fd = open(scratch_path(&s, "gone"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(s.path), 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ck_assert(bst_output_path(name, &path));
    ck_assert_str_eq(path.text, name);
    close(fd);
    bst_strbuf_release(&path);
    scratch_remove(&s);
}
END_TEST

START_TEST(test_possible) {
    scratch s;
    scratch_make(&s);
    ck_assert(bst_output_possible(scratch_path(&s, "new")));
    ck_assert(bst_output_possible("new")); /* here */
    ck_assert(bst_output_possible("/dev/null"));
    ck_assert(!bst_output_possible(s.folder));
    ck_assert_int_eq(errno, EISDIR);
    ck_assert(!bst_output_possible(scratch_path(&s, "no/new")));
    ck_assert_int_eq(errno, ENOENT);
    scratch_write(&s, "file", "", 0);
    ck_assert(!bst_output_possible(scratch_path(&s, "file/new")));
    ck_assert_int_eq(errno, ENOTDIR);
    scratch_remove(&s);
}
END_TEST

Suite *test_base_output_path_suite(void) {
    Suite *suite = suite_create("output path");
    TCase *tcase = tcase_create("output path");
    tcase_add_test(tcase, test_files_and_links);
    tcase_add_test(tcase, test_written_in_place);
    tcase_add_test(tcase, test_unnamed_file);
    tcase_add_test(tcase, test_possible);
    suite_add_tcase(suite, tcase);
    return suite;
}
