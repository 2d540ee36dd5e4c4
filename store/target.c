/* Tells a file from a server by the form of the argument alone: nothing is opened to find out. */
#include "target_private.h"

#include <string.h>

#include "backstory/sink.h"

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A conninfo string starts with a keyword and "=". A "=" further on may be part of a path
 * (data/day=1/payments.csv). */
bool bst_is_connection_string(const char *target) {
    if (starts_with(target, "postgresql://") || starts_with(target, "postgres://"))
        return true;
    target += strspn(target, " \t\n");
    const size_t keyword = strspn(target, "abcdefghijklmnopqrstuvwxyz_");
    target += keyword;
    return keyword > 0 && target[strspn(target, " \t\n")] == '=';
}

bool bst__is_jsonl(const char *target) {
    static const char ending[] = ".jsonl";
    const size_t len = strlen(target), tail = sizeof ending - 1;
    return strcmp(target, "-") == 0 || (len > tail && strcmp(target + len - tail, ending) == 0);
}

bst_status bst__unknown_target(const char *target, bst_diags *diags) {
    /* It may be a connection string that is not quite one, with a password in it: not shown then.
     */
    if (strpbrk(target, "=:@"))
        bst_diag_add(diags, BST_USAGE, BST_ERROR, "unknown-store", NULL,
                     "the store is neither a .jsonl file nor a connection string");
    else
        bst_diag_add(diags, BST_USAGE, BST_ERROR, "unknown-store", NULL,
                     "store \"%s\" is neither a .jsonl file nor a connection string", target);
    bst_diag_hint(diags, "Give a path that ends in .jsonl, or a PostgreSQL connection string as in "
                         "postgresql://host/database or \"host=... dbname=...\".");
    return BST_USAGE;
}

bst_status bst_no_postgres(const char *instead, bst_diags *diags) {
    bst_diag_add(diags, BST_USAGE, BST_ERROR, "no-postgres", NULL,
                 "cannot reach PostgreSQL: this backstory was built without it");
    bst_diag_hint(diags, "Build with -DBACKSTORY_POSTGRES=ON%s%s.", instead ? ", or give " : "",
                  instead ? instead : "");
    return BST_USAGE;
}
