/* SPDX-License-Identifier: Apache-2.0 */
/* The track of a whole message while it is put together from phonemes, counted in samples so
 * that nothing drifts: spans touch, start at 0 and end with the sound. */
#pragma once

#include <stddef.h>

#include "media/visemes.h"
#include "voice/mouth.h"

struct speech {
    int rate_hz;
    size_t samples; /* so far */
    size_t capacity;
    struct viseme_track track;
};

void speech_dispose(struct speech *speech);
static inline void speech_dispose_auto(struct speech *speech)
{
    speech_dispose(speech);
}

/* Appends a span of `samples`; equal neighbours become one. */
void speech_add(struct speech *speech, struct viseme_span shape, size_t samples);
/* The same for a phoneme, whose mouth may turn into another on the way. */
void speech_mouth(struct speech *speech, struct mouth mouth, size_t samples);
