/* SPDX-License-Identifier: Apache-2.0 */
/* Latin letters in Japanese text: words in kana, abbreviations letter by letter, addresses part by
 * part. Pure but for the lexicon that is passed in. */
#pragma once

#include <stddef.h>

struct chars;
struct lexicon_en;

/* Reads the word, web or mail address that begins at in->at[at] with a letter and appends what
 * is said for it. Returns how many characters it took. */
size_t latin_ja(const struct chars *in, size_t at, const struct lexicon_en *lexicon,
                struct chars *out);
