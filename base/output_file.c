/* A file of its owner's, in its place only when it is whole. */
#include "backstory/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backstory/output_path.h"

static int open_temporary(const char *path) {
    unlink(path); /* of somebody who was killed; it may have other rights */
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
}

static bool find_place(bst_output_file *output, const char *path) {
    bst_strbuf text = BST_STRBUF_INIT;
    const bool in_place = bst_output_path(path, &text);
    output->path = bst_strbuf_detach(&text);
    if (output->path && !in_place) {
        bst_strbuf_addf(&text, "%s.partial", output->path);
        output->temporary = bst_strbuf_detach(&text);
    }
    errno = ENOMEM;
    return output->path && (in_place || output->temporary);
}

bool bst_output_file_open(bst_output_file *output, const char *path) {
    *output = (bst_output_file){0};
    if (!find_place(output, path)) {
        return false;
    }
    const int fd = output->temporary ? open_temporary(output->temporary)
                                     : bst_output_open_in_place(output->path);
    if (fd < 0) {
        free(output->temporary); /* not ours to remove */
        output->temporary = NULL;
        return false;
    }
    output->file = fdopen(fd, "w");
    if (!output->file) {
        close(fd);
    }
    return output->file;
}

bool bst_output_file_keep(bst_output_file *output) {
    FILE *const file = output->file;
    output->file = NULL;
    bool safe = fflush(file) == 0 && (!output->temporary || fsync(fileno(file)) == 0);
    int error = errno;
    if (fclose(file) != 0 && safe) {
        safe = false;
        error = errno;
    }
    if (safe && output->temporary && rename(output->temporary, output->path) != 0) {
        safe = false;
        error = errno;
    }
    if (safe) {
        free(output->temporary);
        output->temporary = NULL;
    }
    bst_output_file_drop(output);
    errno = error;
    return safe;
}

void bst_output_file_drop(bst_output_file *output) {
    if (output->file) {
        fclose(output->file);
    }
    if (output->temporary) {
        unlink(output->temporary);
    }
    free(output->path);
    free(output->temporary);
    *output = (bst_output_file){0};
}
