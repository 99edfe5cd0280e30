/* SPDX-License-Identifier: Apache-2.0 */
/* English words as Japanese say them: phonemes of the CMU lexicon → katakana. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

enum { PHONES_EN_MAX = 48, KANA_EN_SIZE = 256 };

struct phones_en {
    size_t count;
    struct phone_en {
        char name[6];
        bool stressed;
    } phone[PHONES_EN_MAX];
};

/* `word` as it is written helps where Japanese follows the letters ("lemon" is レモン). */
void kana_from_phones(const struct phones_en *phones, const char *word, char out[KANA_EN_SIZE]);

/* Japanese in Latin letters (Hepburn), small: "yuki" is ユキ. False when it is not that. */
bool kana_from_romaji(const char *word, char out[KANA_EN_SIZE]);

/* Words that have a usual Japanese form, in small letters; NULL for others. */
const char *kana_usual(const char *word);
