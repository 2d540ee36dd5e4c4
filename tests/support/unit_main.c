/* Runs every suite of a test program. CK_FORK=no keeps all in one process, for gdb; CK_RUN_SUITE
 * and CK_RUN_CASE choose.
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit_suites.h"

int main(void) {
    /* Check would end a test after four seconds, which a busy machine needs for a good one. CTest
     * has a limit for them all. */
    setenv("CK_DEFAULT_TIMEOUT", "0", 0);
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; bst_suite_makers[i]; i++) {
        srunner_add_suite(runner, bst_suite_makers[i]());
    }
    srunner_run_all(runner, CK_ENV);
    /* CK_RUN_SUITE with a name that is not there must not look like success. */
    int run = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (run == 0) {
        fputs("no test was run\n", stderr);
    }
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
