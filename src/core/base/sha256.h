/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4): names for files that others publish, which nobody can forge. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

enum { SHA256_SIZE = 32, SHA256_TEXT_SIZE = 65 };

struct sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    uint8_t block[64];
};

void sha256_init(struct sha256 *sha256);
void sha256_add(struct sha256 *sha256, struct bytes bytes);
void sha256_end(struct sha256 *sha256, uint8_t out[SHA256_SIZE]);

/* 64 lower-case digits. */
void sha256_text(struct bytes bytes, char out[SHA256_TEXT_SIZE]);
/* Of a file's content, however large. */
MUST_USE bool sha256_file(const char *path, char out[SHA256_TEXT_SIZE], struct error *err);
