/* Warnings by name: who says what, and who has the last word. */
#include <check.h>
#include <string.h>

#include "backstory/warnings.h"

START_TEST(names) {
    for (int i = 0; i < BST_WARNING_COUNT; i++) {
        const char *name = bst_warning_name((bst_warning)i);
        ck_assert_int_eq(bst_warning_find(name, strlen(name)), i);
        ck_assert(strlen(bst_warning_summary((bst_warning)i)) > 0);
        ck_assert(bst_warning_default((bst_warning)i) == BST_LEVEL_ON ||
                  bst_warning_default((bst_warning)i) == BST_LEVEL_OFF);
    }
    ck_assert_int_eq(bst_warning_find("dead-en", 7), BST_WARNING_COUNT);
    ck_assert_int_eq(bst_warning_find("dead-ends", 9), BST_WARNING_COUNT);
    ck_assert_int_eq(bst_warning_find("dead-ends", 8), BST_WARNING_DEAD_END);
    ck_assert_str_eq(bst_warning_nearest("dead-and"), "dead-end");
}
END_TEST

START_TEST(options) {
    static const struct {
        const char *option;
        bst_warning_level level; /* of dead-end afterwards */
        bool known, all_errors;
    } cases[] = {
        {"-Wdead-end", BST_LEVEL_ON, true, false},
        {"-Wno-dead-end", BST_LEVEL_OFF, true, false},
        {"-Werror=dead-end", BST_LEVEL_ERROR, true, false},
        {"-Wno-error=dead-end", BST_LEVEL_ON, true, false},
        {"-Wall", BST_LEVEL_ON, true, false},
        {"-Wno-all", BST_LEVEL_OFF, true, false},
        {"-Werror", BST_LEVEL_UNSAID, true, true},
        {"-Wno-error", BST_LEVEL_UNSAID, true, false},
        {"-Wdead_end", BST_LEVEL_UNSAID, false, false},
        {"-Werror=", BST_LEVEL_UNSAID, false, false},
        {"-W", BST_LEVEL_UNSAID, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bst_warnings said = {.all_errors = false};
        const char *name;
        ck_assert_int_eq(bst_warnings_option(&said, cases[i].option, &name), cases[i].known);
        ck_assert_int_eq(said.level[BST_WARNING_DEAD_END], cases[i].level);
        ck_assert_int_eq(said.all_errors, cases[i].all_errors);
    }
}
END_TEST

/* What becomes of one warning: its severity, or -1 when it is not kept. */
static int heard(bst_warning_level line, bst_warning_level file, bool all_errors,
                 bst_severity severity, const char *code) {
    bst_warnings on_line = {.all_errors = all_errors};
    bst_warnings in_file = {.all_errors = false};
    bst_diags *diags = bst_diags_new();
    on_line.level[BST_WARNING_DEAD_END] = (uint8_t)line;
    in_file.level[BST_WARNING_DEAD_END] = (uint8_t)file;
    bst_diags_set_warnings(diags, &on_line);
    bst_diags_set_file_warnings(diags, &in_file);
    bst_diag_add(diags, BST_OK, severity, code, NULL, "message");
    bst_diag_hint(diags, "Hint.");
    const int result = bst_diags_count(diags) ? (int)bst_diags_at(diags, 0)->severity : -1;
    ck_assert_uint_eq(bst_diags_dropped(diags), 0);
    bst_diags_free(diags);
    return result;
}

START_TEST(last_word) {
    static const struct {
        bst_warning_level line, file;
        bool all_errors;
        int heard;
    } cases[] = {
        {BST_LEVEL_UNSAID, BST_LEVEL_UNSAID, false, BST_WARNING},
        {BST_LEVEL_UNSAID, BST_LEVEL_OFF, false, -1},
        {BST_LEVEL_UNSAID, BST_LEVEL_ERROR, false, BST_ERROR},
        {BST_LEVEL_ON, BST_LEVEL_OFF, false, BST_WARNING},
        {BST_LEVEL_OFF, BST_LEVEL_ERROR, false, -1},
        {BST_LEVEL_ERROR, BST_LEVEL_OFF, false, BST_ERROR},
        {BST_LEVEL_UNSAID, BST_LEVEL_UNSAID, true, BST_ERROR},
        {BST_LEVEL_OFF, BST_LEVEL_UNSAID, true, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(
            heard(cases[i].line, cases[i].file, cases[i].all_errors, BST_WARNING, "dead-end"),
            cases[i].heard);
    }
    /* off unless asked for; errors are not warnings; a note stays one */
    ck_assert_int_eq(heard(BST_LEVEL_ON, BST_LEVEL_ON, false, BST_WARNING, "guard-gap"), -1);
    ck_assert_int_eq(heard(BST_LEVEL_OFF, BST_LEVEL_OFF, false, BST_ERROR, "dead-end"), BST_ERROR);
    ck_assert_int_eq(heard(BST_LEVEL_UNSAID, BST_LEVEL_OFF, true, BST_NOTE, "unused-code"),
                     BST_NOTE);
}
END_TEST

Suite *test_base_warnings_suite(void);
Suite *test_base_warnings_suite(void) {
    Suite *suite = suite_create("warnings");
    TCase *tcase = tcase_create("warnings");
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, options);
    tcase_add_test(tcase, last_word);
    suite_add_tcase(suite, tcase);
    return suite;
}
