/* SPDX-License-Identifier: Apache-2.0 */
/* What the mouth does and when: every voice turns its own phonemes into this track, and the
 * renderer knows nothing else of speech. */
#pragma once

#include <stddef.h>

enum viseme {
    VISEME_SILENCE, /* closed, at rest */
    VISEME_A,       /* a, ah: wide open       */
    VISEME_I,       /* i, ee: spread          */
    VISEME_U,       /* Japanese u, uh: small  */
    VISEME_E,       /* e, eh: half open       */
    VISEME_O,       /* o, aw: rounded         */
    VISEME_W,       /* w, English oo: pursed  */
    VISEME_MBP,     /* m b p: lips pressed    */
    VISEME_FV,      /* f v: lower lip to the upper teeth */
    VISEME_L,       /* l: tongue up           */
    VISEME_TH,      /* th: tongue at the teeth */
    VISEME_S,       /* s z ts: teeth together */
    VISEME_SH,      /* sh ch j: teeth together, lips forward */
    VISEME_R,       /* English r, Japanese r  */
    VISEME_T,       /* t d n: tongue up, slightly open */
    VISEME_K,       /* k g ng, Japanese N: open a little */
    VISEME_Y,       /* y: like a short i      */
    VISEME_H,       /* h: takes the shape of what follows */
    VISEME_COUNT
};

struct viseme_span {
    float start_s, end_s; /* seconds from the start of the sound; spans touch and are in order */
    enum viseme viseme;
    float strength; /* 0..1, how much of the shape: 1 stressed, about 0.3 devoiced */
};

struct viseme_track {
    size_t count;
    struct viseme_span *spans; /* from malloc; owned */
};

void viseme_track_dispose(struct viseme_track *track);
static inline void viseme_track_dispose_auto(struct viseme_track *track)
{
    viseme_track_dispose(track);
}
