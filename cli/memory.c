/* When memory runs out.
 *
 * The libraries say so with a status, undo what they were at, and the call ends with a finding, as
 * after any failure. Two things cannot: jansson, for which a text that it has no memory to read is
 * one that is no JSON, and an object that it has no memory to add to one that lacks a member; and
 * printing, where a line would be missing. There the program ends at once. That is safe at any
 * instant, as `kill -9` is: what is not committed was never there.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

void cli_out_of_memory(void) {
    static const char said[] = "error: out of memory [out-of-memory]\n";
    const ssize_t written = write(STDERR_FILENO, said, sizeof said - 1);
    (void)written;
    _exit(bst_status_exit(BST_NOMEM));
}

static void *allocate(size_t size) {
    void *const memory = malloc(size);
    if (!memory && size > 0)
        cli_out_of_memory();
    return memory;
}

void cli_mind_memory(void) {
    json_set_alloc_funcs(allocate, free);
}
