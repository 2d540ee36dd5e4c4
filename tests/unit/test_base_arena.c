#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "backstory/arena.h"
#include "random.h"

/* Check notes each assertion in a file; so not one a byte. */
static bool all_bytes(const unsigned char *memory, size_t size, size_t expected) {
    for (size_t i = 0; i < size; i++) {
        if (memory[i] != expected)
            return false;
    }
    return true;
}

START_TEST(test_zeroed_and_aligned) {
    bst_arena *arena = bst_arena_new();
    uint64_t seed = 3;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2000; i++) {
            const size_t size = random_next(&seed) % 300;
            unsigned char *const memory = bst_arena_alloc(arena, size);
            ck_assert_ptr_nonnull(memory);
            ck_assert_uint_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
            ck_assert(all_bytes(memory, size, 0));
            memset(memory, 0xA5, size);
            ck_assert_ptr_nonnull(bst_arena_strdup(arena, "odd"));
        }
        bst_arena_clear(arena);
    }
    ck_assert_ptr_null(bst_arena_free(arena));
}
END_TEST

/* Each allocation keeps its own bytes, however large its neighbours. */
START_TEST(test_nothing_overlaps) {
    enum { COUNT = 500 };
    bst_arena *arena = bst_arena_new();
    unsigned char *memory[COUNT];
    size_t sizes[COUNT];
    uint64_t seed = 4;
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = random_next(&seed) % (i % 50 == 0 ? 300000 : 500) + 1;
        memory[i] = bst_arena_alloc(arena, sizes[i]);
        memset(memory[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        ck_assert(all_bytes(memory[i], sizes[i], i % 251));
    bst_arena_free(arena);
}
END_TEST

START_TEST(test_sizes) {
    bst_arena *arena = bst_arena_new();
    ck_assert_uint_eq(bst_arena_used(arena), 0);
    void *const nothing = bst_arena_alloc(arena, 0);
    ck_assert_ptr_nonnull(nothing);
    ck_assert_ptr_ne(nothing, bst_arena_alloc(arena, 0));
    ck_assert_ptr_nonnull(bst_arena_array(arena, 0, 8));
    ck_assert_ptr_nonnull(bst_arena_array(arena, 8, 0));
    ck_assert_ptr_null(bst_arena_alloc(arena, SIZE_MAX));
    ck_assert_ptr_null(bst_arena_alloc(arena, SIZE_MAX - 8));
    ck_assert_ptr_null(bst_arena_array(arena, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(bst_arena_strndup(arena, "x", SIZE_MAX));
    const size_t before = bst_arena_used(arena);
    ck_assert_ptr_nonnull(bst_arena_alloc(arena, 100));
    ck_assert_uint_eq(bst_arena_used(arena), before + 100);
    bst_arena_clear(arena);
    ck_assert_uint_eq(bst_arena_used(arena), 0);
    bst_arena_free(arena);
    ck_assert_ptr_null(bst_arena_free(NULL));
}
END_TEST

START_TEST(test_texts) {
    bst_arena *arena = bst_arena_new();
    ck_assert_str_eq(bst_arena_strdup(arena, ""), "");
    ck_assert_str_eq(bst_arena_strdup(arena, "state"), "state");
    ck_assert_str_eq(bst_arena_strndup(arena, "state", 3), "sta");
    ck_assert_str_eq(bst_arena_strndup(arena, NULL, 0), "");
    ck_assert_mem_eq(bst_arena_strndup(arena, "a\0b", 3), "a\0b", 4);
    ck_assert_str_eq(bst_arena_printf(arena, "%s/%d", "x", 7), "x/7");
    ck_assert_uint_eq(strlen(bst_arena_printf(arena, "%0100000d", 1)), 100000);
    bst_arena_free(arena);
}
END_TEST

/* The first block is kept: a round that fits into it asks for no memory. */
START_TEST(test_clear_reuses) {
    bst_arena *arena = bst_arena_new();
    const void *const first = bst_arena_alloc(arena, 64);
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_nonnull(bst_arena_alloc(arena, 1000));
    bst_arena_clear(arena);
    ck_assert_ptr_eq(bst_arena_alloc(arena, 64), first);
    bst_arena_free(arena);
}
END_TEST

Suite *test_base_arena_suite(void) {
    Suite *suite = suite_create("arena");
    TCase *tc = tcase_create("arena");
    tcase_add_test(tc, test_zeroed_and_aligned);
    tcase_add_test(tc, test_nothing_overlaps);
    tcase_add_test(tc, test_sizes);
    tcase_add_test(tc, test_texts);
    tcase_add_test(tc, test_clear_reuses);
    suite_add_tcase(suite, tc);
    return suite;
}
