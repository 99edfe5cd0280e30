/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <xxhash.h>

#include "base/mem.h"

static struct hash128 from_xxh(XXH128_hash_t value)
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, value);
    struct hash128 hash;
    memcpy(hash.bytes, canonical.digest, sizeof hash.bytes);
    return hash;
}

struct hash128 hash128_of(struct bytes bytes)
{
    return from_xxh(XXH3_128bits(bytes.data, bytes.size));
}

/* XXH3_state_t has its own alignment, so it is allocated by the library. */
struct hasher *hasher_new(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        abort();
    XXH3_128bits_reset(state);
    return (struct hasher *)state;
}

void hasher_reset(struct hasher *hasher)
{
    XXH3_128bits_reset((XXH3_state_t *)hasher);
}

void hasher_add(struct hasher *hasher, struct bytes bytes)
{
    XXH3_128bits_update((XXH3_state_t *)hasher, bytes.data, bytes.size);
}

struct hash128 hasher_end(const struct hasher *hasher)
{
    return from_xxh(XXH3_128bits_digest((const XXH3_state_t *)hasher));
}

void hasher_free(struct hasher *hasher)
{
    XXH3_freeState((XXH3_state_t *)hasher);
}

void hash128_text(struct hash128 hash, char out[HASH128_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof hash.bytes; i++) {
        out[2 * i] = digits[hash.bytes[i] >> 4];
        out[2 * i + 1] = digits[hash.bytes[i] & 15];
    }
    out[HASH128_TEXT_SIZE - 1] = '\0';
}
