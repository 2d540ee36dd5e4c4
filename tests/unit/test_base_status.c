#include <check.h>

#include "backstory/status.h"

START_TEST(test_texts_and_exits) {
    ck_assert_str_eq(bst_status_text(BST_OK), "ok");
    ck_assert_str_eq(bst_status_text(BST_DIFFERENT), "differ");
    ck_assert_str_eq(bst_status_text(BST_INTERNAL), "internal");
    ck_assert_int_eq(bst_status_exit(BST_OK), 0);
    ck_assert_int_eq(bst_status_exit(BST_INVALID), 1);
    ck_assert_int_eq(bst_status_exit(BST_USAGE), 2);
    ck_assert_int_eq(bst_status_exit(BST_DATABASE), 3);
    ck_assert_int_eq(bst_status_exit(BST_CONFLICT), 4);
    ck_assert_int_eq(bst_status_exit(BST_INTERNAL), 70);
}
END_TEST

START_TEST(test_no_status_is_a_bug) {
    ck_assert_str_eq(bst_status_text(BST_STATUS_COUNT), "internal");
    ck_assert_int_eq(bst_status_exit((bst_status)-1), 70);
}
END_TEST

Suite *test_base_status_suite(void) {
    Suite *suite = suite_create("status");
    TCase *tc = tcase_create("status");
    tcase_add_test(tc, test_texts_and_exits);
    tcase_add_test(tc, test_no_status_is_a_bug);
    suite_add_tcase(suite, tc);
    return suite;
}
