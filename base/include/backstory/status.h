/* What a call can come back with. One list gives the enum, the stable text and the exit status.
 *
 * What holds in every header, unless it says otherwise. `ret_...` is written when the call has
 * come back with BST_OK (or true), `reterr_...` when it has not. What *_new() and *_open() give,
 * *_free() takes back, which takes NULL and returns NULL; what *_init() fills is given back by
 * *_release(). Texts out of an object are borrowed until it is freed. What is const may be
 * shared by threads; all else is used by one thread at a time. */
#ifndef BACKSTORY_STATUS_H
#define BACKSTORY_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* BST_API marks every public function: the libraries are built with hidden visibility. */
#if defined(__GNUC__)
#define BST_API                             __attribute__((visibility("default")))
#define BST_PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#define BST_MUST_USE                        __attribute__((warn_unused_result))
#else
#define BST_API
#define BST_PRINTF(format_index, first_arg)
#define BST_MUST_USE
#endif

/*        name       text        exit  meaning */
#define BST_STATUS_LIST(X)                                                                         \
    X(OK, "ok", 0)              /* done */                                                         \
    X(INVALID, "invalid", 1)    /* findings in what the user wrote, or in the rows */              \
    X(DIFFERENT, "differ", 1)   /* old and new are not the same */                                 \
    X(USAGE, "usage", 2)        /* the command line is wrong */                                    \
    X(IO, "io", 3)              /* a file failed */                                                \
    X(DATABASE, "database", 3)  /* a server failed, or refused */                                  \
    X(NOMEM, "nomem", 3)        /* out of memory */                                                \
    X(LIMIT, "limit", 3)        /* a named limit was passed */                                     \
    X(CONFLICT, "conflict", 4)  /* somebody else was faster: read again, decide again */           \
    X(RETRY, "retry", 4)        /* may work if tried again as it is */                             \
    X(INTERNAL, "internal", 70) /* a bug of ours */

typedef enum bst_status {
#define X(name, text, exit_status) BST_##name,
    BST_STATUS_LIST(X)
#undef X
        BST_STATUS_COUNT
} bst_status;

/* The stable text of a status, for machines to read. Never NULL. */
BST_API const char *bst_status_text(bst_status status);

/* The exit status of a program that ends with this. */
BST_API int bst_status_exit(bst_status status);

#ifdef __cplusplus
}
#endif
#endif
