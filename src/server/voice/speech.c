/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/speech.h"

#include <assert.h>
#include <stdbool.h>

#include "base/mem.h"

void speech_dispose(struct speech *speech)
{
    viseme_track_dispose(&speech->track);
    *speech = (struct speech){0};
}

static bool merges(const struct viseme_span *last, const struct viseme_span *next)
{
    return last->viseme == next->viseme && last->strength == next->strength;
}

void speech_add(struct speech *speech, struct viseme_span shape, size_t samples)
{
    struct viseme_track *track = &speech->track;
    if (samples == 0)
        return;
    if (track->count == speech->capacity) {
        speech->capacity = speech->capacity ? speech->capacity * 2 : 64;
        track->spans = xreallocarray(track->spans, speech->capacity, sizeof *track->spans);
    }
    float start_s = (float)((double)speech->samples / speech->rate_hz);
    speech->samples += samples;
    float end_s = (float)((double)speech->samples / speech->rate_hz);
    struct viseme_span *last = track->count ? &track->spans[track->count - 1] : NULL;
    if (last && merges(last, &shape)) {
        last->end_s = end_s;
        return;
    }
    assert(track->spans);
    shape.start_s = start_s;
    shape.end_s = end_s;
    track->spans[track->count++] = shape;
}

void speech_mouth(struct speech *speech, struct mouth mouth, size_t samples)
{
    struct viseme_span span = {.viseme = mouth.first, .strength = mouth.strength};
    size_t turn = mouth.first == mouth.second ? samples : (size_t)((double)samples * mouth.turn);
    speech_add(speech, span, turn);
    span.viseme = mouth.second;
    speech_add(speech, span, samples - turn);
}
