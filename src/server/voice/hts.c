/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/hts.h"

#include <math.h>
#include <string.h>

#include <HTS_engine.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "voice/speech.h"
#include "voice/vocoder.h"
#include "voice/voice.h"

enum {
    SPECTRUM = 0, /* the stream of mel-cepstra, loudness first */
    LF0 = 1,      /* the stream of logarithmic pitch */
    MIX = 2,      /* the stream of filters that mix pulses and noise, where a voice has it */
    PHONEME_SIZE = 16,
    SPEECH_LIMIT_S = 600,
};

static const double edge_s = 0.08;     /* before the first sound */
static const double tail_s = 0.20;     /* after the last */
static const double sentence_s = 0.45; /* between two sentences, in two parts */
static const double full_scale = 32768;

void hts_sentences_dispose(struct hts_sentences *sentences)
{
    for (size_t i = 0; i < sentences->count; i++)
        labels_dispose(&sentences->items[i].labels);
    free(sentences->items);
    *sentences = (struct hts_sentences){0};
}

void hts_sentences_reserve(struct hts_sentences *sentences, size_t count)
{
    *sentences = (struct hts_sentences){.items = xcalloc(count + 1, sizeof *sentences->items)};
}

static inline void engine_clear_auto(HTS_Engine *engine)
{
    HTS_Engine_clear(engine);
}

static bool engine_load(HTS_Engine *engine, const struct hts_speech *speech, struct error *err)
{
    const struct hts_style *style = speech->style;
    AUTO(mem_free) char *path = xstrdup(speech->path);
    if (!HTS_Engine_load(engine, &path, 1))
        return error_set(err, ERROR_UNAVAILABLE, "load %s", path);
    HTS_Engine_add_half_tone(engine, speech->request->pitch + style->half_tones);
    HTS_Engine_set_alpha(engine, style->alpha);
    HTS_Engine_set_gv_weight(engine, 0, style->gv);
    HTS_Engine_set_msd_threshold(engine, LF0, style->unvoiced);
    return true;
}

/* The phoneme is between '-' and '+', the next one between '+' and '='. */
static void phoneme_copy(const char *label, char from, char to, char out[PHONEME_SIZE])
{
    const char *start = strchr(label, from);
    const char *end = start ? strchr(start + 1, to) : NULL;
    size_t length = end ? (size_t)(end - start - 1) : 0;
    if (length >= PHONEME_SIZE)
        length = 0;
    memcpy(out, end ? start + 1 : "", length);
    out[length] = '\0';
}

static bool label_is_pause(const char *label)
{
    char phoneme[PHONEME_SIZE];
    phoneme_copy(label, '-', '+', phoneme);
    return mouth_is_pause(phoneme);
}

static size_t frames_of(const HTS_Engine *engine, size_t label)
{
    size_t frames = 0, states = engine->ms.num_states;
    for (size_t i = 0; i < states; i++)
        frames += engine->sss.duration[label * states + i];
    return frames;
}

/* Shares `frames` out over a label's states as they were; each keeps one at least. What rounding
 * takes from one state it gives to the next. */
static void frames_set(HTS_Engine *engine, size_t label, double frames)
{
    size_t states = engine->ms.num_states;
    size_t *durations = &engine->sss.duration[label * states];
    double factor = frames / (double)frames_of(engine, label), owed = 0;
    for (size_t i = 0; i < states; i++) {
        owed += (double)durations[i] * factor;
        double length = fmax(1, round(owed));
        owed -= length;
        engine->sss.total_frame -= durations[i];
        durations[i] = (size_t)length;
        engine->sss.total_frame += durations[i];
    }
}

/* How long the pause `label` shall be, in seconds. */
static double pause_length(const HTS_Engine *engine, const struct hts_speech *speech,
                           size_t sentence, size_t label)
{
    const struct voice_request *request = speech->request;
    double frame_s =
        (double)engine->condition.fperiod / (double)engine->condition.sampling_frequency;
    size_t last = speech->sentences->items[sentence].labels.count - 1;
    double between_s = sentence_s * request->pause / request->speed;
    if (label == 0)
        return sentence == 0 ? edge_s : between_s * .3;
    if (label == last)
        return sentence + 1 == speech->sentences->count ? tail_s : between_s * .7;
    return (double)frames_of(engine, label) * frame_s * request->pause / request->speed;
}

static void durations_shape(HTS_Engine *engine, const struct hts_speech *speech, size_t sentence)
{
    const struct hts_sentence *said = &speech->sentences->items[sentence];
    double frame_s =
        (double)engine->condition.fperiod / (double)engine->condition.sampling_frequency;
    double speed = speech->request->speed * speech->style->speed;
    for (size_t i = 0; i < said->labels.count; i++) {
        /* the vowel that rises needs time to */
        double stretch = said->question && i == said->labels.count - 2 ? 1.5 : 1;
        if (label_is_pause(said->labels.lines[i]))
            frames_set(engine, i, pause_length(engine, speech, sentence, i) / frame_s);
        else
            frames_set(engine, i, (double)frames_of(engine, i) * stretch / speed);
    }
}

static bool voiced(const HTS_Engine *engine, size_t state)
{
    return engine->sss.sstream[LF0].msd[state] > engine->condition.msd_threshold[LF0];
}

/* The mean over what is voiced of a stream's first value. */
static double voiced_mean(const HTS_Engine *engine, size_t stream)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i < engine->sss.total_state; i++) {
        if (!voiced(engine, i))
            continue;
        sum += engine->sss.sstream[stream].mean[i][0] * (double)engine->sss.duration[i];
        weight += (double)engine->sss.duration[i];
    }
    return weight > 0 ? sum / weight : 0;
}

/* Pitch moves away from its mean by `factor`, and so does its variance. */
static void intonation_shape(HTS_Engine *engine, double factor)
{
    HTS_SStream *pitch = &engine->sss.sstream[LF0];
    double middle = voiced_mean(engine, LF0);
    for (size_t i = 0; i < engine->sss.total_state; i++) {
        pitch->mean[i][0] = middle + (pitch->mean[i][0] - middle) * factor;
        for (size_t k = 1; k < pitch->win_size; k++)
            pitch->mean[i][k] *= factor;
    }
    if (pitch->gv_mean)
        pitch->gv_mean[0] *= factor * factor;
}

/* A state that fades keeps the sound of the state `clear`, and its strength. */
static void vowel_hold(const HTS_SStream *spectrum, size_t clear, size_t state, double loud)
{
    double *mean = spectrum->mean[state];
    size_t values = spectrum->vector_length;
    if (mean[0] >= loud)
        return;
    memmove(mean, spectrum->mean[clear], values * sizeof *mean);
    memset(mean + values, 0, (spectrum->win_size - 1) * values * sizeof *mean);
    mean[0] = fmax(mean[0], loud);
}

static size_t loudest_state(const HTS_SStream *spectrum, size_t first, size_t count)
{
    size_t loudest = first;
    for (size_t i = first + 1; i < first + count; i++)
        if (spectrum->mean[i][0] > spectrum->mean[loudest][0])
            loudest = i;
    return loudest;
}

/* The voice has learnt no questions: it ends low, weak and often voiceless. So the last vowel gets
 * a voice and strength, and rises from the middle of the melody by seven half-tones. */
static void question_shape(HTS_Engine *engine, size_t label, double factor)
{
    static const double rise = .42, softer = .1;
    size_t states = engine->ms.num_states, first = label * states;
    HTS_SStream *pitch = &engine->sss.sstream[LF0], *spectrum = &engine->sss.sstream[SPECTRUM];
    double middle = voiced_mean(engine, LF0), loud = voiced_mean(engine, SPECTRUM) - softer;
    double frames = (double)frames_of(engine, label), at = 0;
    size_t clear = loudest_state(spectrum, first, states);
    if (middle == 0)
        return;
    for (size_t i = first; i < first + states; i++) {
        double length = (double)engine->sss.duration[i], part = (at + length / 2) / frames;
        pitch->msd[i] = 1;
        pitch->mean[i][0] = middle + rise * factor * part * part;
        if (pitch->win_size > 1)
            pitch->mean[i][1] = rise * factor * 2 * part / frames; /* a frame's share */
        for (size_t k = 2; k < pitch->win_size; k++)
            pitch->mean[i][k] = 0;
        vowel_hold(spectrum, clear, i, loud);
        at += length;
    }
}

static bool states_make(HTS_Engine *engine, const struct hts_speech *speech, size_t sentence,
                        struct error *err)
{
    const struct labels *labels = &speech->sentences->items[sentence].labels;
    if (!HTS_Engine_generate_state_sequence_from_strings(engine, labels->lines, labels->count))
        return error_set(err, ERROR_INTERNAL, "HTS Engine refused %zu labels", labels->count);
    durations_shape(engine, speech, sentence);
    return true;
}

static void track_add(const HTS_Engine *engine, const struct hts_speech *speech, size_t sentence,
                      struct speech *track)
{
    const struct labels *labels = &speech->sentences->items[sentence].labels;
    for (size_t i = 0; i < labels->count; i++) {
        char phoneme[PHONEME_SIZE], next[PHONEME_SIZE];
        phoneme_copy(labels->lines[i], '-', '+', phoneme);
        phoneme_copy(labels->lines[i], '+', '=', next);
        struct mouth mouth = speech->mouth(labels->lines[i], phoneme, next);
        speech_mouth(track, mouth, frames_of(engine, i) * engine->condition.fperiod);
    }
}

static bool plan(HTS_Engine *engine, const struct hts_speech *speech, const struct voice_sink *sink,
                 struct error *err)
{
    AUTO(speech_dispose)
    struct speech track = {.rate_hz = (int)engine->condition.sampling_frequency};
    for (size_t i = 0; i < speech->sentences->count; i++) {
        if (!states_make(engine, speech, i, err))
            return false;
        track_add(engine, speech, i, &track);
        HTS_Engine_refresh(engine);
        if (track.samples > (size_t)SPEECH_LIMIT_S * (size_t)track.rate_hz)
            return error_set(err, ERROR_LIMIT, "speech of more than %d s", SPEECH_LIMIT_S);
    }
    return sink->plan(sink->context, &track.track, track.rate_hz, track.samples, err);
}

static struct vocoder_shape shape_of(const HTS_Engine *engine)
{
    const HTS_PStreamSet *streams = &engine->pss;
    return (struct vocoder_shape){
        .order = streams->pstream[SPECTRUM].vector_length - 1,
        .taps = streams->nstream > MIX ? streams->pstream[MIX].vector_length : 0,
        .period = engine->condition.fperiod,
        .rate_hz = (double)engine->condition.sampling_frequency,
        .alpha = engine->condition.alpha,
    };
}

/* Plain mel-cepstra: neither line spectral pairs nor a post-filter. */
static bool voice_fits(const HTS_Engine *engine)
{
    struct vocoder_shape shape = shape_of(engine);
    return engine->condition.stage == 0 && engine->condition.beta == 0 && vocoder_fits(&shape);
}

static bool samples_make(const HTS_Engine *engine, double volume, const struct voice_sink *sink,
                         struct error *err)
{
    const HTS_PStream *spectrum = &engine->pss.pstream[SPECTRUM],
                      *pitch = &engine->pss.pstream[LF0];
    const struct vocoder_shape shape = shape_of(engine);
    struct vocoder vocoder;
    float samples[VOCODER_PERIOD];
    float gain = (float)(volume / full_scale);
    vocoder_init(&vocoder, &shape);
    for (size_t i = 0, spoken = 0; i < engine->pss.total_frame; i++) {
        bool voiced = pitch->msd_flag[i];
        struct vocoder_frame frame = {
            .spectrum = spectrum->par[i],
            .mix = shape.taps ? engine->pss.pstream[MIX].par[i] : NULL,
            .voiced = voiced,
            .log_pitch = voiced ? pitch->par[spoken][0] : 0,
        };
        spoken += voiced;
        vocoder_frame(&vocoder, &frame, samples);
        for (size_t k = 0; k < shape.period; k++)
            samples[k] = fmaxf(-1, fminf(1, samples[k] * gain));
        if (!sink->audio(sink->context, samples, shape.period, err))
            return false;
    }
    return true;
}

static bool sound(HTS_Engine *engine, const struct hts_speech *speech, size_t sentence,
                  const struct voice_sink *sink, struct error *err)
{
    const struct hts_sentence *said = &speech->sentences->items[sentence];
    if (!states_make(engine, speech, sentence, err))
        return false;
    double intonation = speech->request->intonation * speech->style->intonation;
    intonation_shape(engine, intonation);
    if (said->question)
        question_shape(engine, said->labels.count - 2, intonation);
    if (!HTS_Engine_generate_parameter_sequence(engine) || !voice_fits(engine))
        return error_set(err, ERROR_INTERNAL, "HTS Engine has nothing to make sound of");
    bool ok = samples_make(engine, speech->request->volume, sink, err);
    HTS_Engine_refresh(engine);
    return ok;
}

bool hts_speak(const struct hts_speech *speech, const struct voice_sink *sink, struct error *err)
{
    AUTO(engine_clear) HTS_Engine engine;
    HTS_Engine_initialize(&engine);
    if (!engine_load(&engine, speech, err) || !plan(&engine, speech, sink, err))
        return false;
    for (size_t i = 0; i < speech->sentences->count; i++)
        if (!sound(&engine, speech, i, sink, err))
            return false;
    return true;
}
