/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 text: checking and counting what came from outside. Pure functions. */
#pragma once

#include "base/bytes.h"

/* Decodes the first code point of `input`: its length in bytes, or 0 when the bytes are not
 * valid UTF-8 (overlong forms, surrogates and values above U+10FFFF are not). */
size_t utf8_decode(struct bytes input, uint32_t *out_code_point);

/* Writes the UTF-8 form of a valid code point to `out` (room for 4 bytes) and
 * returns its length, or 0 for what is no code point. */
size_t utf8_write(uint32_t code_point, char out[4]);

bool utf8_valid(struct bytes input);

/* Code points in valid UTF-8 text. */
size_t utf8_count(struct bytes input);

/* Without white space (ASCII, U+00A0, U+3000) at either end. */
struct bytes text_trim(struct bytes input);

/* The last such byte of `input`; NULL when there is none. */
const uint8_t *text_last(struct bytes input, char byte);

/* For people, whoever wrote it: control characters and what is not UTF-8 become '?', so that it
 * can steer no terminal. Cut between code points where it does not fit; always ends with NUL. */
const char *text_show(struct bytes input, char *out, size_t room);

/* How many letters must change, come or go to make one of the other, for "did you mean"; long
 * names (over 64 bytes) are far from everything. */
size_t text_distance(const char *a, const char *b);

static inline bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static inline bool text_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && memcmp(text + length - tail, suffix, tail) == 0;
}

/* A whole decimal number in [min, max], nothing around it; false otherwise. */
bool text_int(const char *text, int64_t min, int64_t max, int64_t *out);
/* A finite decimal number in [min, max], nothing around it; false otherwise. */
bool text_real(const char *text, double min, double max, double *out);
