/* Rows by key, in bounded memory.
 *
 * Rows are packed into one block; when it is full it is sorted by a table of offsets and written to
 * an unnamed temporary file, a run. At the end the runs are merged by a binary heap that holds the
 * head of each. What fits into one block never touches the disk.
 */
#include "row_sort_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As it stands in a block and in a run, followed by the key and the bytes. */
typedef struct packed {
    uint64_t number;
    uint32_t key_len;
    uint32_t len;
    uint32_t key_is_null;
    uint32_t unused;
} packed;

typedef struct run {
    FILE *file;
    char *head; /* the packed row at its front */
    size_t head_size;
    bool ended;
} run;

struct bst__row_sort {
    char *block;
    size_t used, size;
    size_t *rows; /* offsets of rows in the block */
    size_t row_count, row_room;
    size_t next; /* of `rows`, when there are no runs */
    run *runs;
    size_t run_count;
    size_t *heap; /* runs by their heads, smallest first */
    size_t heap_count;
    bool merging;
};

static packed header_of(const char *at) {
    packed h;
    memcpy(&h, at, sizeof h);
    return h;
}

static size_t packed_size(const packed *h) {
    return sizeof *h + h->key_len + (size_t)h->len;
}

static int compare_packed(const char *a, const char *b) {
    const packed x = header_of(a);
    const packed y = header_of(b);

    if (x.key_is_null != y.key_is_null)
        return x.key_is_null ? -1 : 1;
    const size_t shorter = x.key_len < y.key_len ? x.key_len : y.key_len;
    const int c = memcmp(a + sizeof x, b + sizeof y, shorter);
    if (c != 0)
        return c;
    if (x.key_len != y.key_len)
        return x.key_len < y.key_len ? -1 : 1;
    return x.number < y.number ? -1 : x.number > y.number;
}

bst__row_sort *bst__row_sort_new(size_t memory) {
    bst__row_sort *sort = calloc(1, sizeof *sort);
    if (!sort)
        return NULL;
    sort->size = memory;
    sort->block = malloc(sort->size);
    return sort->block ? sort : bst__row_sort_free(sort);
}

bst__row_sort *bst__row_sort_free(bst__row_sort *sort) {
    if (!sort)
        return NULL;
    for (size_t i = 0; i < sort->run_count; i++) {
        if (sort->runs[i].file)
            fclose(sort->runs[i].file);
        free(sort->runs[i].head);
    }
    free(sort->runs);
    free(sort->heap);
    free(sort->rows);
    free(sort->block);
    free(sort);
    return NULL;
}

/* Merge sort of the offsets: qsort has no context argument in C11, and the C library's may use
 * memory we did not bound. */
static void sort_rows(const char *block, size_t *rows, size_t count, size_t *spare) {
    if (count < 2)
        return;
    const size_t half = count / 2;
    sort_rows(block, rows, half, spare);
    sort_rows(block, rows + half, count - half, spare);
    memcpy(spare, rows, half * sizeof *rows);
    size_t left = 0;
    size_t right = half;
    for (size_t out = 0; left < half; out++) {
        if (right == count || compare_packed(block + spare[left], block + rows[right]) <= 0)
            rows[out] = spare[left++];
        else
            rows[out] = rows[right++];
    }
}

static bst_status sort_block(bst__row_sort *sort, bst_diags *diags) {
    size_t *spare = malloc((sort->row_count / 2 + 1) * sizeof *spare);
    if (!spare)
        return bst_diag_nomem(diags);
    sort_rows(sort->block, sort->rows, sort->row_count, spare);
    free(spare);
    return BST_OK;
}

static bst_status io_failed(bst_diags *diags) {
    bst_diag_add(diags, BST_IO, BST_ERROR, "io", NULL, "could not sort the rows on disk: %s",
                 strerror(errno));
    bst_diag_hint(diags, "Sorting needs about the size of the source; TMPDIR says where.");
    return BST_IO;
}

static FILE *temporary_file(void) {
    const char *folder = getenv("TMPDIR");
    char path[4096];
    const int len =
        snprintf(path, sizeof path, "%s/backstory-sort-XXXXXX", folder ? folder : "/tmp");

    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    const int fd = mkstemp(path);
    if (fd < 0)
        return NULL;
    unlink(path);
    FILE *file = fdopen(fd, "w+b");
    if (!file)
        close(fd);
    return file;
}

/* Sorts the block and writes it away as a run. */
static bst_status spill(bst__row_sort *sort, bst_diags *diags) {
    bst_status status = sort_block(sort, diags);
    if (status != BST_OK)
        return status;
    run *larger = realloc(sort->runs, (sort->run_count + 1) * sizeof *larger);
    if (!larger)
        return bst_diag_nomem(diags);
    sort->runs = larger;
    run *r = &sort->runs[sort->run_count];
    *r = (run){.file = temporary_file()};
    if (!r->file)
        return io_failed(diags);
    sort->run_count++;
    for (size_t i = 0; i < sort->row_count; i++) {
        const char *row = sort->block + sort->rows[i];
        const packed h = header_of(row);
        if (fwrite(row, packed_size(&h), 1, r->file) != 1)
            return io_failed(diags);
    }
    if (fflush(r->file) != 0 || fseek(r->file, 0, SEEK_SET) != 0)
        return io_failed(diags);
    sort->row_count = 0;
    sort->used = 0;
    return BST_OK;
}

static bool room_for_row(bst__row_sort *sort) {
    if (sort->row_count < sort->row_room)
        return true;
    const size_t room = sort->row_room ? sort->row_room * 2 : 1024;
    size_t *larger = realloc(sort->rows, room * sizeof *larger);
    if (!larger)
        return false;
    sort->rows = larger;
    sort->row_room = room;
    return true;
}

bst_status bst__row_sort_add(bst__row_sort *sort, const bst__sort_row *row, bst_diags *diags) {
    const packed h = {row->number, (uint32_t)row->key_len, (uint32_t)row->len, row->key_is_null, 0};
    const size_t size = packed_size(&h);

    if (row->key_len > UINT32_MAX || row->len > UINT32_MAX)
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "limit", NULL,
                            "row %llu is larger than 4 GB", (unsigned long long)row->number);
    if (size > sort->size - sort->used && sort->row_count > 0) {
        const bst_status status = spill(sort, diags);
        if (status != BST_OK)
            return status;
    }
    if (size > sort->size) { /* one row larger than the block */
        char *larger = realloc(sort->block, size);
        if (!larger)
            return bst_diag_nomem(diags);
        sort->block = larger;
        sort->size = size;
    }
    if (!room_for_row(sort))
        return bst_diag_nomem(diags);
    char *to = sort->block + sort->used;
    memcpy(to, &h, sizeof h);
    if (h.key_len)
        memcpy(to + sizeof h, row->key, h.key_len);
    if (h.len)
        memcpy(to + sizeof h + h.key_len, row->bytes, h.len);
    sort->rows[sort->row_count++] = sort->used;
    sort->used += size;
    return BST_OK;
}

/* Reads the next row of a run into its head. */
static bst_status advance(run *r, bst_diags *diags) {
    packed h;

    if (fread(&h, sizeof h, 1, r->file) != 1) {
        r->ended = true;
        return ferror(r->file) ? io_failed(diags) : BST_OK;
    }
    const size_t size = packed_size(&h);
    if (size > r->head_size) {
        char *larger = realloc(r->head, size);
        if (!larger)
            return bst_diag_nomem(diags);
        r->head = larger;
        r->head_size = size;
    }
    memcpy(r->head, &h, sizeof h);
    const size_t rest = size - sizeof h;
    if (rest > 0 && fread(r->head + sizeof h, rest, 1, r->file) != 1)
        return io_failed(diags);
    return BST_OK;
}

static bool heap_less(const bst__row_sort *sort, size_t a, size_t b) {
    return compare_packed(sort->runs[sort->heap[a]].head, sort->runs[sort->heap[b]].head) < 0;
}

static void sift_down(bst__row_sort *sort, size_t at) {
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < sort->heap_count; child++) {
            if (heap_less(sort, child, least))
                least = child;
        }
        if (least == at)
            return;
        const size_t swapped = sort->heap[at];
        sort->heap[at] = sort->heap[least];
        sort->heap[least] = swapped;
        at = least;
    }
}

static bst_status start_merge(bst__row_sort *sort, bst_diags *diags) {
    sort->merging = true;
    if (sort->run_count == 0)
        return sort_block(sort, diags);
    if (sort->row_count > 0) {
        const bst_status status = spill(sort, diags);
        if (status != BST_OK)
            return status;
    }
    sort->heap = malloc(sort->run_count * sizeof *sort->heap);
    if (!sort->heap)
        return bst_diag_nomem(diags);
    for (size_t i = 0; i < sort->run_count; i++) {
        const bst_status status = advance(&sort->runs[i], diags);
        if (status != BST_OK)
            return status;
        if (!sort->runs[i].ended)
            sort->heap[sort->heap_count++] = i;
    }
    for (size_t i = sort->heap_count / 2; i-- > 0;)
        sift_down(sort, i);
    return BST_OK;
}

static void hand_out(char *row, bst__sort_row *ret) {
    const packed h = header_of(row);
    *ret = (bst__sort_row){.key_is_null = h.key_is_null != 0,
                           .number = h.number,
                           .key = row + sizeof h,
                           .key_len = h.key_len,
                           .bytes = row + sizeof h + h.key_len,
                           .len = h.len};
}

bst_status bst__row_sort_next(bst__row_sort *sort, bst__sort_row *ret, bool *ret_end,
                              bst_diags *diags) {
    *ret_end = false;
    if (!sort->merging) {
        const bst_status status = start_merge(sort, diags);
        if (status != BST_OK)
            return status;
    } else if (sort->run_count > 0 && sort->heap_count > 0) {
        /* The row handed out last is the heap's first head: replace it now that the caller is done
         * with it. */
        run *r = &sort->runs[sort->heap[0]];
        const bst_status status = advance(r, diags);
        if (status != BST_OK)
            return status;
        if (r->ended)
            sort->heap[0] = sort->heap[--sort->heap_count];
        sift_down(sort, 0);
    }
    if (sort->run_count == 0) {
        if (sort->next == sort->row_count) {
            *ret_end = true;
            return BST_OK;
        }
        hand_out(sort->block + sort->rows[sort->next++], ret);
        return BST_OK;
    }
    if (sort->heap_count == 0) {
        *ret_end = true;
        return BST_OK;
    }
    hand_out(sort->runs[sort->heap[0]].head, ret);
    return BST_OK;
}
