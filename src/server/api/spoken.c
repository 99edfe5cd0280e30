/* SPDX-License-Identifier: Apache-2.0 */
#include "api/spoken.h"

#include "api/wav.h"
#include "voice/voice.h"

static bool on_plan(void *context, const struct viseme_track *track, int rate_hz, size_t samples,
                    struct error *err)
{
    return wav_header(context, rate_hz, samples, err);
}

static bool on_audio(void *context, const float *samples, size_t count, struct error *err)
{
    return wav_samples(context, samples, count, err);
}

bool spoken_wav(struct voices *voices, const struct voice_request *request, struct buf *out,
                struct error *err)
{
    const struct voice_sink sink = {out, on_plan, on_audio};
    return voices_speak(voices, request, &sink, err);
}
