/* Loaded before the C library (LD_PRELOAD): memory runs out at a chosen allocation of a program.
 *
 *     NOMEM_FROM=N    the Nth and all that follow are refused; with
 *     NOMEM_UNTIL=M   only those before the Mth
 *     NOMEM_COUNT=F   how many there were is written to the file F at the end
 *
 * Memory that is given back, or that the C library takes for itself, is left alone.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The C library's own, by the names under which it can still be called. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static atomic_long count;
static long from, until;

static long number(const char *name) {
    const char *const text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

static bool is_refused(void) {
    const long at = atomic_fetch_add(&count, 1) + 1;
    if (at == 1) {
        until = number("NOMEM_UNTIL");
        from = number("NOMEM_FROM");
    }
    const bool refused = from > 0 && at >= from && (until == 0 || at < until);
    if (refused)
        errno = ENOMEM;
    return refused;
}

void *malloc(size_t size) {
    return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number_of, size_t size) {
    return is_refused() ? NULL : __libc_calloc(number_of, size);
}

void *realloc(void *memory, size_t size) {
    return is_refused() ? NULL : __libc_realloc(memory, size);
}

__attribute__((destructor)) static void tell(void) {
    const char *const path = getenv("NOMEM_COUNT");
    const long all = count;
    from = 0;
    FILE *const file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", all);
        fclose(file);
    }
}
