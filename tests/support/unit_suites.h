/* The suites of one test program: a list that CMake writes, ended by NULL. */
#ifndef UNIT_SUITES_H
#define UNIT_SUITES_H

#include <check.h>

typedef Suite *bst_suite_maker(void);

extern bst_suite_maker *const bst_suite_makers[];

#endif
