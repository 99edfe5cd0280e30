/* SPDX-License-Identifier: Apache-2.0 */
/* One English sentence, analysed: phrases of words of syllables of segments; and the labels that
 * the HTS voices for English were trained with. Nothing here knows flite. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "voice/labels.h"

enum { NAME_EN_SIZE = 12 };

struct segment_en {
    char name[NAME_EN_SIZE]; /* "ae", "pau" … */
    int syllable;            /* index, or -1 in a pause */
};

struct syllable_en {
    int first, count; /* segments */
    int word;
    bool stressed, accented;
    char vowel[NAME_EN_SIZE];
    char end_tone[NAME_EN_SIZE]; /* "L-L%", "NONE" */
};

struct word_en {
    int first, count; /* syllables */
    int phrase;
    char part[NAME_EN_SIZE]; /* "content", "det" … */
};

struct phrase_en {
    int first, count; /* words */
};

struct utterance_en {
    int segments, syllables, words, phrases;
    struct segment_en *segment;
    struct syllable_en *syllable;
    struct word_en *word;
    struct phrase_en *phrase;
};

/* Room for `segments` of everything, which is always enough. */
void utterance_en_init(struct utterance_en *utterance, int segments);
void utterance_en_dispose(struct utterance_en *utterance);
static inline void utterance_en_dispose_auto(struct utterance_en *utterance)
{
    utterance_en_dispose(utterance);
}

/* Every segment must be in place and every index right. */
void utterance_en_labels(const struct utterance_en *utterance, struct labels *out);

/* From such a label: is its syllable stressed? */
bool label_en_stressed(const char *label);
