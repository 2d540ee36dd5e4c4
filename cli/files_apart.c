/* Two names on the command line for one file: found before the file is lost. */
#include "files_apart.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backstory/output_path.h"

/* What a path leads to. A file that is not there yet is told by its folder and its name. */
typedef struct place {
    bool is_file, exists, is_folder;
    dev_t device; /* of the file or the folder itself, where it exists */
    ino_t inode;
    dev_t folder_device; /* of the folder around it */
    ino_t folder_inode;
    bst_strbuf path;
    const char *name; /* within `path` */
} place;

static void find_folder(place *p) {
    struct stat st;
    bst_strbuf folder = BST_STRBUF_INIT;
    const char *slash = strrchr(p->path.text, '/');

    p->name = slash ? slash + 1 : p->path.text;
    bst_strbuf_adds(&folder, "./");
    if (slash) {
        bst_strbuf_clear(&folder);
        bst_strbuf_add(&folder, p->path.text, (size_t)(slash - p->path.text) + 1);
    }
    p->is_file = !folder.failed && stat(folder.text, &st) == 0;
    if (p->is_file) {
        p->folder_device = st.st_dev;
        p->folder_inode = st.st_ino;
    }
    bst_strbuf_release(&folder);
}

static place find_place(const char *path) {
    place p = {.path = BST_STRBUF_INIT};
    struct stat st;

    if (!path || strcmp(path, "-") == 0 || bst_is_connection_string(path) ||
        bst_output_path(path, &p.path) || p.path.failed)
        return p;
    find_folder(&p);
    p.exists = stat(path, &st) == 0;
    if (p.exists) {
        p.is_folder = S_ISDIR(st.st_mode);
        p.device = st.st_dev;
        p.inode = st.st_ino;
    }
    return p;
}

/* Tables of a folder of CSV files. */
static bool holds(const place *folder, const place *file) {
    const size_t len = file->is_file ? strlen(file->name) : 0;
    return folder->is_folder && file->exists && len > 4 &&
           strcmp(file->name + len - 4, ".csv") == 0 && file->folder_device == folder->device &&
           file->folder_inode == folder->inode;
}

static bool same(const place *a, const place *b) {
    if (!a->is_file || !b->is_file)
        return false;
    if (a->exists && b->exists)
        return a->device == b->device && a->inode == b->inode;
    return !a->exists && !b->exists && a->folder_device == b->folder_device &&
           a->folder_inode == b->folder_inode && strcmp(a->name, b->name) == 0;
}

static bool clash(const cli_named_file *a, const cli_named_file *b) {
    place at = find_place(a->path);
    place bt = find_place(b->path);
    const bool found = (a->written || b->written) &&
                       (same(&at, &bt) || (b->written && !a->written && holds(&at, &bt)) ||
                        (a->written && !b->written && holds(&bt, &at)));
    bst_strbuf_release(&at.path);
    bst_strbuf_release(&bt.path);
    return found;
}

bst_status cli_files_apart(cli_call *call, const cli_named_file *files, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (clash(&files[k], &files[i]))
                return cli_usage(call, "%s and %s name one file, \"%s\", which would be lost",
                                 files[k].name, files[i].name,
                                 files[i].written ? files[i].path : files[k].path);
    return BST_OK;
}

bst_status cli_mapping_apart(cli_call *call, const bst_mapping *mapping, const char *from,
                             const cli_named_file *others, size_t count) {
    cli_named_file files[3 + BST_LOGS_MAX + CLI_OTHER_FILES_MAX] = {
        {"the mapping", mapping->file, false},
        {"the machine", mapping->machine->file, false},
        {"--from", from, false}};
    const size_t logs = bst_is_connection_string(from) ? 0 : mapping->log_count;
    char *paths[BST_LOGS_MAX] = {NULL};

    assert(count <= CLI_OTHER_FILES_MAX);
    for (size_t i = 0; i < logs; i++) {
        paths[i] = bst_log_file(from, &mapping->log[i]);
        files[3 + i] = (cli_named_file){"the log", paths[i], false};
    }
    memcpy(files + 3 + logs, others, count * sizeof *others);
    const bst_status status = cli_files_apart(call, files, 3 + logs + count);
    for (size_t i = 0; i < logs; i++)
        free(paths[i]);
    return status;
}
