/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/flite_voice.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include <flite/flite.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "voice/mouth.h"
#include "voice/speech.h"
#include "voice/voice.h"

/* flite's voices come without headers. */
cst_voice *register_cmu_us_slt(const char *folder);
cst_voice *register_cmu_us_rms(const char *folder);
cst_voice *register_cmu_us_awb(const char *folder);

struct flite {
    pthread_mutex_t lock; /* around everything that flite does */
    cst_voice *speakers[FLITE_SPEAKERS];
};

struct sound {
    size_t count;
    float *samples;
};

static void sound_dispose_auto(struct sound *sound)
{
    free(sound->samples);
}

struct flite *flite_open(struct error *err)
{
    flite_init();
    struct flite *flite = xcalloc(1, sizeof *flite);
    pthread_mutex_init(&flite->lock, NULL);
    flite->speakers[FLITE_SLT] = register_cmu_us_slt(NULL);
    flite->speakers[FLITE_RMS] = register_cmu_us_rms(NULL);
    flite->speakers[FLITE_AWB] = register_cmu_us_awb(NULL);
    return flite;
}

void flite_close(struct flite *flite)
{
    if (!flite)
        return;
    pthread_mutex_destroy(&flite->lock); /* the voices are flite's, and static */
    free(flite);
}

static bool stressed(cst_item *segment)
{
    return strcmp(ffeature_string(segment, "R:SylStructure.parent.stress"), "1") == 0;
}

static void track_add(cst_utterance *said, size_t samples, struct speech *track)
{
    size_t start = track->samples;
    cst_item *segment = relation_head(utt_relation(said, "Segment"));
    for (; segment; segment = item_next(segment)) {
        double end_s = item_feat_float(segment, "end");
        size_t end = start + (size_t)lround(end_s * track->rate_hz);
        if (end > start + samples || !item_next(segment))
            end = start + samples;
        if (end <= track->samples)
            continue;
        struct mouth mouth = mouth_en(item_feat_string(segment, "name"), stressed(segment));
        size_t length = end - track->samples;
        size_t turn = mouth.first == mouth.second ? length : (size_t)((double)length * mouth.turn);
        speech_add(track, (struct viseme_span){.viseme = mouth.first, .strength = mouth.strength},
                   turn);
        speech_add(track, (struct viseme_span){.viseme = mouth.second, .strength = mouth.strength},
                   length - turn);
    }
}

static void sound_add(const cst_wave *wave, double volume, struct sound *sound)
{
    size_t more = (size_t)wave->num_samples;
    sound->samples = xreallocarray(sound->samples, sound->count + more, sizeof *sound->samples);
    for (size_t i = 0; i < more; i++)
        sound->samples[sound->count + i] =
            (float)fmax(-1, fmin(1, wave->samples[i] / 32768. * volume));
    sound->count += more;
}

static bool line_say(const struct flite *flite, enum flite_speaker speaker,
                     const struct voice_request *request, const char *line, struct speech *track,
                     struct sound *sound, struct error *err)
{
    cst_voice *voice = flite->speakers[speaker];
    feat_set_float(voice->features, "duration_stretch", (float)(1 / request->speed));
    cst_utterance *said = flite_synth_text(line, voice);
    cst_wave *wave = said ? utt_wave(said) : NULL;
    bool ok = wave && wave->num_samples > 0;
    if (ok) {
        track->rate_hz = wave->sample_rate;
        track_add(said, (size_t)wave->num_samples, track);
        sound_add(wave, request->volume, sound);
    }
    if (said)
        delete_utterance(said);
    return ok || error_set(err, ERROR_INTERNAL, "flite made no sound");
}

bool flite_speak(struct flite *flite, enum flite_speaker speaker,
                 const struct voice_request *request, const struct script *script,
                 const struct voice_sink *sink, struct error *err)
{
    AUTO(speech_dispose) struct speech track = {0};
    AUTO(sound_dispose) struct sound sound = {0};
    bool ok = true;
    pthread_mutex_lock(&flite->lock);
    for (size_t i = 0; i < script->count && ok; i++)
        ok = line_say(flite, speaker, request, script->lines[i].text, &track, &sound, err);
    pthread_mutex_unlock(&flite->lock);
    return ok && sink->plan(sink->context, &track.track, track.rate_hz, sound.count, err) &&
           sink->audio(sink->context, sound.samples, sound.count, err);
}
