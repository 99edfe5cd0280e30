/* SPDX-License-Identifier: Apache-2.0 */
/* What the mouth does for a phoneme. Pure functions over the phoneme names of the two front
 * ends: Open JTalk's (a, I, N, cl, ky …) and the CMU lexicon's (aa, ih, ng …). */
#pragma once

#include <stdbool.h>

#include "media/visemes.h"

struct mouth {
    enum viseme first, second; /* the same but for diphthongs */
    float strength;
    float turn; /* where first becomes second, as a part of the phoneme: 0..1 */
};

/* `next` is the phoneme after this one, or "". */
struct mouth mouth_ja(const char *phoneme, const char *next);
struct mouth mouth_en(const char *phoneme, bool stressed);

/* Silence of either front end: sil, pau, ssil, h#, brth … */
bool mouth_is_pause(const char *phoneme);
