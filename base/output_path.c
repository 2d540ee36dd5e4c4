/* Where an output goes: links are followed, devices and FIFOs are written in place. */
#include "backstory/output_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as Linux has it; the kernel says ELOOP before we come here */

/* One link further: false when the path is none. A target without "/" in front begins in the
 * link's folder. */
static bool follow(bst_strbuf *path) {
    char target[PATH_MAX];
    const ssize_t len = readlink(path->text, target, sizeof target);
    if (len < 0 || (size_t)len == sizeof target) {
        return false;
    }
    const char *const slash = target[0] == '/' ? NULL : strrchr(path->text, '/');
    bst_strbuf next = BST_STRBUF_INIT;
    if (slash) {
        bst_strbuf_add(&next, path->text, (size_t)(slash - path->text) + 1);
    }
    bst_strbuf_add(&next, target, (size_t)len);
    bst_strbuf_release(path);
    *path = next;
    return !next.failed;
}

bool bst_output_path(const char *given, bst_strbuf *ret) {
    struct stat target;
    struct stat found;
    bst_strbuf_clear(ret);
    bst_strbuf_adds(ret, given);
    const bool exists = stat(given, &target) == 0;
    if (exists ? !S_ISREG(target.st_mode) : errno != ENOENT) {
        return !exists || !S_ISDIR(target.st_mode); /* renaming over a folder fails, and says why */
    }
    for (int i = 0; i < LINKS_MAX && follow(ret); i++) {
    }
    if (!exists || (stat(ret->text, &found) == 0 && found.st_dev == target.st_dev &&
                    found.st_ino == target.st_ino)) {
        return false;
    }
    bst_strbuf_clear(ret); /* an open file without a name, as /dev/fd/3 may lead to */
    bst_strbuf_adds(ret, given);
    return true;
}

int bst_output_open_in_place(const char *path) {
    return open(path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
}

bool bst_output_possible(const char *given) {
    bst_strbuf path = BST_STRBUF_INIT;
    struct stat found;
    bool possible = false;
    if (stat(given, &found) == 0 && S_ISDIR(found.st_mode)) {
        errno = EISDIR;
    } else if (bst_output_path(given, &path)) {
        possible = access(path.text, W_OK) == 0;
    } else if (!path.failed) {
        char *const slash = strrchr(path.text, '/');
        if (slash) {
            slash[slash == path.text] = '\0'; /* "/" itself stays */
        }
        possible = access(slash ? path.text : ".", W_OK | X_OK) == 0;
    }
    bst_strbuf_release(&path);
    return possible;
}
