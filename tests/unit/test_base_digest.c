#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/digest.h"

/* The examples of FIPS 180-4. */
START_TEST(test_sha256) {
    char text[BST_SHA256_HEX];
    bst_sha256_hex(NULL, 0, text);
    ck_assert_str_eq(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    bst_sha256_hex("abc", 3, text);
    ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char *const many = malloc(1000000);
    memset(many, 'a', 1000000);
    bst_sha256_hex(many, 1000000, text);
    ck_assert_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    bst_sha256 *const pieces = bst_sha256_new();
    for (int round = 0; round < 2; round++) { /* the second is another text */
        for (size_t at = 0, len = 1; at < 1000000; at += len, len = len * 3 % 1009) {
            len = len < 1000000 - at ? len : 1000000 - at;
            bst_sha256_add(pieces, many + at, len);
        }
        bst_sha256_take(pieces, text);
        ck_assert_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
    bst_sha256_free(pieces);
    free(many);
}
END_TEST

static const uint8_t dns[16] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

/* The example of RFC 9562, appendix A.4. */
START_TEST(test_uuid_v5) {
    uint8_t uuid[16];
    char text[BST_UUID_TEXT];
    bst_uuid_v5(dns, "www.example.com", 15, uuid);
    bst_uuid_format(uuid, text);
    ck_assert_str_eq(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}
END_TEST

START_TEST(test_namespace) {
    uint8_t uuid[16];
    char text[BST_UUID_TEXT];
    bst_uuid_v5(dns, "backstory", 9, uuid);
    ck_assert_mem_eq(uuid, bst_uuid_namespace, 16);
    bst_uuid_format(bst_uuid_namespace, text);
    ck_assert_str_eq(text, "cdb3843e-ce35-52f0-acca-b6d5cb516b9b");
}
END_TEST

START_TEST(test_event_id) {
    static const struct {
        int64_t version;
        const char *name;
        size_t len;
    } cases[] = {
        {1,
         "payment\0k 7\0"
         "1",
         13},
        {1234567890123,
         "payment\0k 7\0"
         "1234567890123",
         25},
        {INT64_MIN, "payment\0k 7\0-9223372036854775808", 32},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t expected[16], id[16];
        bst_uuid_v5(bst_uuid_namespace, cases[i].name, cases[i].len, expected);
        bst_event_id("payment", "k 7", 3, cases[i].version, id);
        ck_assert_mem_eq(id, expected, 16);
    }
    uint8_t id[16], other[16];
    bst_event_id("payment", "", 0, 1, id);
    bst_event_id("paymen", "t", 1, 1, other);
    ck_assert_mem_ne(id, other, 16);
}
END_TEST

/* The id of an event is kept for ever: this one must never change. */
START_TEST(test_event_id_is_stable) {
    uint8_t id[16];
    char text[BST_UUID_TEXT];
    bst_event_id("payment", "42", 2, 3, id);
    bst_uuid_format(id, text);
    ck_assert_str_eq(text, "24ced27d-c9cd-58a5-bf6a-4bb9f0ff9205");
}
END_TEST

/* As `('x' || substr(md5('1:42'), 1, 8))::bit(32)::int8` of PostgreSQL. */
START_TEST(test_key_draw) {
    ck_assert_uint_eq(bst_key_draw(1, "42", 2), 0xa15a53f9);
    ck_assert_uint_eq(bst_key_draw(4294967295, "", 0), 0xe3ff9f5e);
}
END_TEST

Suite *test_base_digest_suite(void) {
    Suite *suite = suite_create("digest");
    TCase *tc = tcase_create("digest");
    tcase_add_test(tc, test_sha256);
    tcase_add_test(tc, test_key_draw);
    tcase_add_test(tc, test_uuid_v5);
    tcase_add_test(tc, test_namespace);
    tcase_add_test(tc, test_event_id);
    tcase_add_test(tc, test_event_id_is_stable);
    suite_add_tcase(suite, tc);
    return suite;
}
