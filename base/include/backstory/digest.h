/* Digests (Nettle) and the identifiers made of them. */
#ifndef BACKSTORY_DIGEST_H
#define BACKSTORY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "backstory/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_SHA256_HEX 65 /* 64 digits and NUL */
#define BST_UUID_TEXT  37 /* 36 characters and NUL */

BST_API void bst_sha256_hex(const void *bytes, size_t len, char out[BST_SHA256_HEX]);
/* The same of bytes that come one after the other. NULL when out of memory. */
typedef struct bst_sha256 bst_sha256;
BST_API bst_sha256 *bst_sha256_new(void);
BST_API void bst_sha256_add(bst_sha256 *sha256, const void *bytes, size_t len);
/* Of all that was added; more may follow, as if it began anew. */
BST_API void bst_sha256_take(bst_sha256 *sha256, char out[BST_SHA256_HEX]);
BST_API bst_sha256 *bst_sha256_free(bst_sha256 *sha256); /* takes NULL, returns NULL */
/* The same of a file, from where it stands to its end. False: it cannot be read. */
BST_API bool bst_sha256_file(FILE *file, char out[BST_SHA256_HEX]);

/* RFC 9562, version 5: SHA-1 of the namespace and the name. */
BST_API void bst_uuid_v5(const uint8_t space[16], const void *name, size_t len, uint8_t out[16]);
/* The id of an event: version 5 in backstory's namespace of `machine NUL key NUL version` (version
 * in decimal). The same event has the same id in every run and in every store. */
BST_API void bst_event_id(const char *machine, const char *key, size_t key_len, int64_t version,
                          uint8_t out[16]);
/* A number drawn for a key, the same everywhere: the first 32 bits of the MD5 of `seed:key`
 * (seed in decimal), which every PostgreSQL can work out as well. For samples, not for secrets. */
BST_API uint32_t bst_key_draw(uint32_t seed, const char *key, size_t len);
BST_API void bst_uuid_format(const uint8_t uuid[16], char out[BST_UUID_TEXT]);

/* backstory's namespace: version 5 of "backstory" in the DNS namespace of RFC 9562. */
BST_API extern const uint8_t bst_uuid_namespace[16];

#ifdef __cplusplus
}
#endif
#endif
