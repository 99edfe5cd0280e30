/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t value, int by)
{
    return value >> by | value << (32 - by);
}

static void block_add(uint32_t state[8], const uint8_t block[64])
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = read_u32(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) +
               (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t mix = turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25);
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t first = s[7] + mix + choice + constants[i] + w[i];
        uint32_t other = turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + other + majority;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

void sha256_init(struct sha256 *sha256)
{
    *sha256 = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                        0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *sha256, struct bytes bytes)
{
    while (bytes.size > 0) {
        size_t have = sha256->size % 64;
        size_t take = bytes.size < 64 - have ? bytes.size : 64 - have;
        memcpy(sha256->block + have, bytes.data, take);
        sha256->size += take;
        bytes.data += take;
        bytes.size -= take;
        if (sha256->size % 64 == 0)
            block_add(sha256->state, sha256->block);
    }
}

void sha256_end(struct sha256 *sha256, uint8_t out[SHA256_SIZE])
{
    uint8_t length[8];
    static const uint8_t end[64] = {0x80};
    write_u64(length, sha256->size * 8);
    size_t have = sha256->size % 64;
    sha256_add(sha256, (struct bytes){end, (have < 56 ? 56 : 120) - have});
    sha256_add(sha256, (struct bytes){length, sizeof length});
    for (int i = 0; i < 8; i++)
        write_u32(out + 4 * i, sha256->state[i]);
}

static void to_text(struct sha256 *sha256, char out[SHA256_TEXT_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    sha256_end(sha256, digest);
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void sha256_text(struct bytes bytes, char out[SHA256_TEXT_SIZE])
{
    struct sha256 sha256;
    sha256_init(&sha256);
    sha256_add(&sha256, bytes);
    to_text(&sha256, out);
}

bool sha256_file(const char *path, char out[SHA256_TEXT_SIZE], struct error *err)
{
    enum { PIECE = 64 * 1024 };
    struct sha256 sha256;
    sha256_init(&sha256);
    FILE *file = fopen(path, "rbe");
    if (!file)
        return error_os(err, errno, "open %s", path);
    AUTO(mem_free) uint8_t *piece = xmalloc(PIECE);
    size_t got;
    while ((got = fread(piece, 1, PIECE, file)) > 0)
        sha256_add(&sha256, (struct bytes){piece, got});
    bool whole = !ferror(file);
    fclose(file);
    to_text(&sha256, out);
    return whole || error_set(err, ERROR_INTERNAL, "read %s: it cannot be read", path);
}
