/* Digests and the identifiers made of them. The hashing is libmd's; here stand the bits of RFC
 * 9562, version 5, and the form of the name that an event's id is made of.
 */
#include "backstory/digest.h"

#include <string.h>

#include <sha1.h>
#include <sha2.h>

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

void bst_sha256_hex(const void *bytes, size_t len, char out[BST_SHA256_HEX]) {
    SHA2_CTX context;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Init(&context);
    if (len > 0)
        SHA256Update(&context, bytes, len);
    SHA256Final(digest, &context);
    *put_hex(out, digest, sizeof digest) = '\0';
}

static void finish_v5(SHA1_CTX *context, uint8_t out[16]) {
    uint8_t digest[SHA1_DIGEST_LENGTH];
    SHA1Final(digest, context);
    memcpy(out, digest, 16);
    out[6] = (uint8_t)((out[6] & 0x0f) | 0x50); /* version 5 */
    out[8] = (uint8_t)((out[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
}

void bst_uuid_v5(const uint8_t space[16], const void *name, size_t len, uint8_t out[16]) {
    SHA1_CTX context;
    SHA1Init(&context);
    SHA1Update(&context, space, 16);
    if (len > 0)
        SHA1Update(&context, name, len);
    finish_v5(&context, out);
}

void bst_event_id(const char *machine, const char *key, size_t key_len, int64_t version,
                  uint8_t out[16]) {
    char digits[BST__DIGITS_MAX + 1];
    char *const end = digits + sizeof digits;
    char *start = bst__digits_before(end, bst__magnitude(version));
    if (version < 0)
        *--start = '-';
    SHA1_CTX context;
    SHA1Init(&context);
    SHA1Update(&context, bst_uuid_namespace, sizeof bst_uuid_namespace);
    SHA1Update(&context, (const uint8_t *)machine, strlen(machine) + 1);
    if (key_len > 0)
        SHA1Update(&context, (const uint8_t *)key, key_len);
    SHA1Update(&context, (const uint8_t *)"", 1);
    SHA1Update(&context, (const uint8_t *)start, (size_t)(end - start));
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
