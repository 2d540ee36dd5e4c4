/* Lines out of a buffer that is refilled when it holds no whole one, and grows when one line does
 * not fit. */
#include "line_file_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES (256u << 10)

static bst_status failed(const bst__line_file *file, const char *what, bst_diags *diags) {
    const bst_loc where = {file->path, 0, 0};
    return bst_diag_add(diags, BST_IO, BST_ERROR, "cannot-read", &where, "could not %s: %s", what,
                        strerror(errno));
}

bst_status bst__line_file_open(bst__line_file *file, const char *path, bst_diags *diags) {
    *file = (bst__line_file){.fd = STDIN_FILENO, .path = path};
    if (strcmp(path, "-") != 0)
        file->fd = open(path, O_RDONLY | O_CLOEXEC);
    return file->fd < 0 ? failed(file, "open the file", diags) : BST_OK;
}

void bst__line_file_close(bst__line_file *file) {
    if (file->fd > STDIN_FILENO)
        close(file->fd);
    file->fd = -1;
    free(file->bytes);
    file->bytes = NULL;
}

/* Room for at least one more byte. */
static bst_status make_room(bst__line_file *file, size_t limit, bst_diags *diags) {
    if (file->start > 0) {
        memmove(file->bytes, file->bytes + file->start, file->end - file->start);
        file->end -= file->start;
        file->start = 0;
    }
    if (file->end < file->size)
        return BST_OK;
    if (file->size > limit) {
        const bst_loc where = {file->path, file->number + 1, 0};
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "line-too-long", &where,
                            "the line has more than %zu bytes", limit);
    }
    const size_t size = file->size ? file->size * 2 : FIRST_BYTES;
    char *const bytes = realloc(file->bytes, size);
    if (!bytes)
        return bst_diag_nomem(diags);
    file->bytes = bytes;
    file->size = size;
    return BST_OK;
}

static bst_status fill(bst__line_file *file, size_t limit, bst_diags *diags) {
    const bst_status status = make_room(file, limit, diags);
    if (status != BST_OK)
        return status;
    ssize_t got;
    do
        got = read(file->fd, file->bytes + file->end, file->size - file->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return failed(file, "read", diags);
    file->end += (size_t)got;
    file->ended = got == 0;
    return BST_OK;
}

static void hand_out(bst__line_file *file, size_t len, const char **ret_line, size_t *ret_len) {
    *ret_line = file->bytes + file->start;
    *ret_len = len;
    file->number++;
}

bst_status bst__line_file_next(bst__line_file *file, size_t limit, const char **ret_line,
                               size_t *ret_len, bst_diags *diags) {
    for (size_t searched = 0;;) {
        const size_t held = file->end - file->start;
        const char *const from = held > searched ? file->bytes + file->start + searched : NULL;
        const char *const feed = from ? memchr(from, '\n', held - searched) : NULL;
        if (feed) {
            const size_t len = (size_t)(feed - (file->bytes + file->start));
            hand_out(file, len, ret_line, ret_len);
            file->start += len + 1;
            return BST_OK;
        }
        searched = held;
        if (file->ended && held > 0) { /* the last line, without a line feed */
            hand_out(file, held, ret_line, ret_len);
            file->start = file->end;
            return BST_OK;
        }
        if (file->ended) {
            *ret_line = NULL;
            *ret_len = 0;
            return BST_OK;
        }
        const bst_status status = fill(file, limit, diags);
        if (status != BST_OK)
            return status;
    }
}
