/* A folder of a test's own, with files in it. Texts are written with ' for ", which C reads
 * badly. */
#ifndef BACKSTORY_TEST_SCRATCH_H
#define BACKSTORY_TEST_SCRATCH_H

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct scratch {
    char folder[256];
    char path[512]; /* of the file asked for last */
} scratch;

static inline void scratch_make(scratch *s) {
    const char *tmp = getenv("TMPDIR");
    snprintf(s->folder, sizeof s->folder, "%s/backstory-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(s->folder));
}

static inline const char *scratch_path(scratch *s, const char *name) {
    snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);
    return s->path;
}

/* Writes the text as it is, or (`quotes`) with " for each '. Returns the path. */
static inline const char *scratch_write(scratch *s, const char *name, const char *text,
                                        int quotes) {
    FILE *file = fopen(scratch_path(s, name), "w");
    ck_assert_ptr_nonnull(file);
    for (; *text; text++) {
        fputc(quotes && *text == '\'' ? '"' : *text, file);
    }
    ck_assert_int_eq(fclose(file), 0);
    return s->path;
}

/* The text of a file, malloc'd; NULL when there is none. */
static inline char *scratch_read(scratch *s, const char *name) {
    FILE *file = fopen(scratch_path(s, name), "r");
    if (!file) {
        return NULL;
    }
    size_t size = 1 << 20;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    return text;
}

static inline void scratch_remove(scratch *s) {
    DIR *dir = opendir(s->folder);
    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        unlink(scratch_path(s, entry->d_name));
    }
    closedir(dir);
    rmdir(s->folder);
}

#endif
