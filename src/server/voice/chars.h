/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a row of code points in one form: what looks or means the same is the same afterwards.
 * Full-width letters and digits become ASCII, half-width kana become kana with their marks, accents
 * leave the letters, circled digits, squared units and quotes become what is said; what is not
 * seen (zero-width signs, controls, variation selectors) goes. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;

struct chars {
    size_t count, capacity;
    uint32_t *at; /* followed by a 0 that is not counted */
};

void chars_dispose(struct chars *chars);
static inline void chars_dispose_auto(struct chars *chars)
{
    chars_dispose(chars);
}

void chars_push(struct chars *chars, uint32_t c);
/* Appends valid UTF-8. */
void chars_text(struct chars *chars, const char *text);

/* ERROR_INVALID for what is not UTF-8. White space becomes ' ' or '\n'. */
MUST_USE bool chars_fold(const char *text, struct chars *out, struct error *err);

static inline bool char_is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_latin(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool char_is_kana(uint32_t c);  /* either kind, and ー */
bool char_is_kanji(uint32_t c); /* and 々 */
/* A letter of a writing system that no voice here reads. */
bool char_is_foreign(uint32_t c);
