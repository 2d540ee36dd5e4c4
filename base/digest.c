/* Digests and the identifiers made of them. The hashing is Nettle's; here stand the bits of RFC
 * 9562, version 5, and the form of the name that an event's id is made of.
 */
#include "backstory/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "digits_private.h"

const uint8_t bst_uuid_namespace[16] = {0xcd, 0xb3, 0x84, 0x3e, 0xce, 0x35, 0x52, 0xf0,
                                        0xac, 0xca, 0xb6, 0xd5, 0xcb, 0x51, 0x6b, 0x9b};

static const char hex[] = "0123456789abcdef";

static char *put_hex(char *at, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    return at;
}

struct bst_sha256 {
    struct sha256_ctx context;
};

static void take(struct sha256_ctx *context, char out[BST_SHA256_HEX]) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(context, sizeof digest, digest); /* which makes it new */
    *put_hex(out, digest, sizeof digest) = '\0';
}

bst_sha256 *bst_sha256_new(void) {
    bst_sha256 *const sha256 = malloc(sizeof *sha256);
    if (sha256)
        sha256_init(&sha256->context);
    return sha256;
}

void bst_sha256_add(bst_sha256 *sha256, const void *bytes, size_t len) {
    if (len > 0)
        sha256_update(&sha256->context, len, bytes);
}

void bst_sha256_take(bst_sha256 *sha256, char out[BST_SHA256_HEX]) {
    take(&sha256->context, out);
}

bst_sha256 *bst_sha256_free(bst_sha256 *sha256) {
    free(sha256);
    return NULL;
}

void bst_sha256_hex(const void *bytes, size_t len, char out[BST_SHA256_HEX]) {
    bst_sha256 all;
    sha256_init(&all.context);
    bst_sha256_add(&all, bytes, len);
    take(&all.context, out);
}

bool bst_sha256_file(FILE *file, char out[BST_SHA256_HEX]) {
    bst_sha256 all;
    uint8_t bytes[1 << 16];
    size_t len;
    sha256_init(&all.context);
    while ((len = fread(bytes, 1, sizeof bytes, file)) > 0)
        bst_sha256_add(&all, bytes, len);
    take(&all.context, out);
    return ferror(file) == 0;
}

static void finish_v5(struct sha1_ctx *context, uint8_t out[16]) {
    sha1_digest(context, 16, out);
    out[6] = (uint8_t)((out[6] & 0x0f) | 0x50); /* version 5 */
    out[8] = (uint8_t)((out[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
}

void bst_uuid_v5(const uint8_t space[16], const void *name, size_t len, uint8_t out[16]) {
    struct sha1_ctx context;
    sha1_init(&context);
    sha1_update(&context, 16, space);
    if (len > 0)
        sha1_update(&context, len, name);
    finish_v5(&context, out);
}

void bst_event_id(const char *machine, const char *key, size_t key_len, int64_t version,
                  uint8_t out[16]) {
    char digits[BST__DIGITS_MAX + 1];
    const char *const end = bst__digits_write_signed(digits, version);
    struct sha1_ctx context;
    sha1_init(&context);
    sha1_update(&context, sizeof bst_uuid_namespace, bst_uuid_namespace);
    sha1_update(&context, strlen(machine) + 1, (const uint8_t *)machine);
    if (key_len > 0)
        sha1_update(&context, key_len, (const uint8_t *)key);
    sha1_update(&context, 1, (const uint8_t *)"");
    sha1_update(&context, (size_t)(end - digits), (const uint8_t *)digits);
    finish_v5(&context, out);
}

void bst_uuid_format(const uint8_t uuid[16], char out[BST_UUID_TEXT]) {
    static const size_t groups[] = {4, 2, 2, 2, 6};
    char *at = out;
    for (size_t i = 0, byte = 0; i < sizeof groups / sizeof *groups; byte += groups[i++]) {
        if (i > 0)
            *at++ = '-';
        at = put_hex(at, uuid + byte, groups[i]);
    }
    *at = '\0';
}

uint32_t bst_key_draw(uint32_t seed, const char *key, size_t len) {
    char text[16];
    uint8_t digest[4];
    struct md5_ctx context;
    const int prefix = snprintf(text, sizeof text, "%lu:", (unsigned long)seed);
    md5_init(&context);
    md5_update(&context, (size_t)prefix, (const uint8_t *)text);
    if (len > 0)
        md5_update(&context, len, (const uint8_t *)key);
    md5_digest(&context, sizeof digest, digest);
    return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
           digest[3];
}
