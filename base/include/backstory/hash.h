/* A quick hash for tables in memory; nothing that is kept, or shared with others.
 *
 * For uthash: #define HASH_FUNCTION(key, len, hash) ((hash) = bst_hash(key, len)) before it is
 * included. Its own takes five times as long for keys of some 30 bytes, of which a migration looks
 * up several a row.
 */
#ifndef BACKSTORY_HASH_H
#define BACKSTORY_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A multiplication carries every bit upwards; so what is above is brought down again. The factor is
 * 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4). */
static inline uint64_t bst_hash_mix(uint64_t hash) {
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static inline uint32_t bst_hash(const void *key, size_t len) {
    const unsigned char *at = (const unsigned char *)key;
    uint64_t hash = len;
    uint64_t word = 0;
    for (; len >= sizeof word; len -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = bst_hash_mix(hash ^ word);
    }
    for (word = 0; len > 0; len--)
        word = word << 8 | *at++;
    return (uint32_t)bst_hash_mix(hash ^ word);
}

#ifdef __cplusplus
}
#endif
#endif
