/* SPDX-License-Identifier: Apache-2.0 */
/* flite's clustergen voices: text → durations and parameters, a frame each 5 ms → sound.
 *
 * flite does all of it in one go and knows no melody but its own. So it is stopped after the
 * parameters (at the first bit of sound), which gives the plan early; then the pitch in them is
 * moved, and its vocoder runs by itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <flite/cst_cg.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "voice/flite_internal.h"
#include "voice/mouth.h"
#include "voice/speech.h"
#include "voice/voice.h"

static const double edge_s = .08, tail_s = .20;
static const double sentence_s = .45; /* between two sentences */

enum { PITCH = 0, STOP_AFTER = 80 /* samples */ };

/* A stretch of a line: where it is in what flite makes, and how long it shall be. */
struct part {
    size_t from, count, wanted;
    bool pause;
};

struct line {
    cst_utterance *said;
    cst_cg_db model; /* borrowed from the voice but for the vocal tract */
    size_t count;
    struct part *parts;
};

struct lines {
    struct flite *flite; /* locked while utterances are touched: flite counts references */
    size_t count;
    struct line *items;
};

static void lines_dispose_auto(struct lines *lines)
{
    pthread_mutex_lock(&lines->flite->lock);
    for (size_t i = 0; i < lines->count; i++) {
        if (lines->items[i].said)
            delete_utterance(lines->items[i].said);
        free(lines->items[i].parts);
    }
    pthread_mutex_unlock(&lines->flite->lock);
    free(lines->items);
}

static int stop(const cst_wave *wave, int start, int size, int last,
                struct cst_audio_streaming_info_struct *info)
{
    return CST_AUDIO_STREAM_STOP;
}

static bool parameters_make(cst_voice *voice, const struct flite_style *style,
                            const struct voice_request *request, const char *text,
                            struct line *line, struct error *err)
{
    line->said = flite_utterance(voice, text);
    line->model = *val_cg_db(feat_val(voice->features, "cg_db"));
    line->model.mlsa_alpha += (float)style->tract;
    feat_set_float(line->said->features, "duration_stretch",
                   (float)(1 / (request->speed * style->speed)));
    cst_audio_streaming_info *info = new_audio_streaming_info();
    info->asc = stop;
    info->min_buffsize = STOP_AFTER;
    feat_set(line->said->features, "streaming_info", audio_streaming_info_val(info));
    utt_synth(line->said);
    return feat_present(line->said->features, "param_track") ||
           error_set(err, ERROR_INTERNAL, "flite made no parameters");
}

static bool stressed(cst_item *segment)
{
    return strcmp(ffeature_string(segment, "R:SylStructure.parent.stress"), "1") == 0;
}

struct place {
    const struct voice_request *request;
    bool first, last; /* line of the message */
};

static double pause_s(const struct place *place, bool at_start, bool at_end, double as_it_is_s)
{
    double between_s = sentence_s * place->request->pause / place->request->speed;
    if (at_start)
        return place->first ? edge_s : between_s * .3;
    if (at_end)
        return place->last ? tail_s : between_s * .7;
    return as_it_is_s * place->request->pause; /* speed is in it already */
}

static void parts_make(struct line *line, const struct place *place, struct speech *track)
{
    cst_item *first = relation_head(utt_relation(line->said, "Segment"));
    size_t at = 0, room = 0;
    for (cst_item *segment = first; segment; segment = item_next(segment))
        room++;
    line->parts = xcalloc(room + 1, sizeof *line->parts);
    for (cst_item *segment = first; segment; segment = item_next(segment)) {
        long ends = lround((double)item_feat_float(segment, "end") * track->rate_hz);
        size_t end = ends > (long)at ? (size_t)ends : at;
        const char *name = item_feat_string(segment, "name");
        struct part part = {.from = at, .count = end - at, .wanted = end - at};
        part.pause = mouth_is_pause(name);
        if (part.pause)
            part.wanted = (size_t)lround(pause_s(place, segment == first, !item_next(segment),
                                                 (double)part.count / track->rate_hz) *
                                         track->rate_hz);
        line->parts[line->count++] = part;
        speech_mouth(track, mouth_en(name, stressed(segment)), part.wanted);
        at = end;
    }
}

/* Moves the pitch, and away from its middle, on the scale of half-tones. */
static void melody_shape(cst_track *track, double half_tones, double intonation)
{
    double sum = 0;
    int count = 0;
    for (int i = 0; i < track->num_frames; i++)
        if (track->frames[i][PITCH] > 0) {
            sum += log((double)track->frames[i][PITCH]);
            count++;
        }
    double middle = count ? sum / count : 0;
    for (int i = 0; i < track->num_frames; i++)
        if (track->frames[i][PITCH] > 0) {
            double away = log((double)track->frames[i][PITCH]) - middle;
            double hz = exp(middle + away * intonation + half_tones * log(2) / 12);
            track->frames[i][PITCH] = (float)fmax(45, fmin(600, hz));
        }
}

/* A part in its new length. A pause keeps its beginning and end, fading, with silence or nothing
 * between. */
static void part_copy(const cst_wave *wave, const struct part *part, double volume, float *out)
{
    size_t kept = part->pause ? (part->count < part->wanted ? part->count : part->wanted) / 2 : 0;
    for (size_t i = 0; i < part->wanted; i++) {
        size_t from_end = part->wanted - 1 - i;
        size_t from = part->from + (i < kept ? i : part->count - 1 - from_end);
        double gain = volume / 32768;
        if (part->pause)
            gain *= i < kept          ? (double)(kept - i) / (double)kept
                    : from_end < kept ? (double)(kept - from_end) / (double)kept
                                      : 0;
        bool there = gain > 0 && from < (size_t)wave->num_samples;
        double sample = there ? wave->samples[from] * gain : 0;
        out[i] = (float)fmax(-1, fmin(1, sample));
    }
}

static cst_wave *noise_and_voice(struct flite *flite, const cst_track *parameters,
                                 const cst_track *strengths, struct line *line)
{
    pthread_mutex_lock(&flite->noise);
    srand(1);
    cst_wave *wave = mlsa_resynthesis(parameters, strengths, &line->model, NULL, 0);
    pthread_mutex_unlock(&flite->noise);
    return wave;
}

static bool line_sound(struct flite *flite, const struct flite_style *style, struct line *line,
                       const struct voice_request *request, const struct voice_sink *sink,
                       struct error *err)
{
    cst_track *predicted = val_track(feat_val(line->said->features, "param_track"));
    const cst_track *strengths = NULL;
    if (line->model.mixed_excitation && feat_present(line->said->features, "str_track"))
        strengths = val_track(feat_val(line->said->features, "str_track"));
    cst_track *parameters = line->model.do_mlpg ? mlpg(predicted, &line->model) : predicted;
    melody_shape(parameters, request->pitch + style->half_tones,
                 request->intonation * style->intonation);
    cst_wave *wave = noise_and_voice(flite, parameters, strengths, line);
    if (parameters != predicted)
        delete_track(parameters);
    if (!wave)
        return error_set(err, ERROR_INTERNAL, "flite made no sound");
    bool ok = true;
    for (size_t i = 0; i < line->count && ok; i++) {
        const struct part *part = &line->parts[i];
        AUTO(mem_free) float *samples = xcalloc(part->wanted + 1, sizeof *samples);
        part_copy(wave, part, request->volume, samples);
        ok = sink->audio(sink->context, samples, part->wanted, err);
    }
    delete_wave(wave);
    return ok;
}

bool flite_speak(struct flite *flite, const struct flite_style *style,
                 const struct voice_request *request, const struct script *script,
                 const struct voice_sink *sink, struct error *err)
{
    cst_voice *voice = flite->speakers[style->speaker];
    AUTO(speech_dispose) struct speech track = {0};
    AUTO(lines_dispose) struct lines lines = {.flite = flite};
    lines.items = xcalloc(script->count, sizeof *lines.items);
    for (size_t i = 0; i < script->count; i++) {
        struct place place = {request, .first = i == 0, .last = i + 1 == script->count};
        struct line *line = &lines.items[lines.count++];
        pthread_mutex_lock(&flite->lock); /* for each line, so that messages take turns */
        bool ok = parameters_make(voice, style, request, script->lines[i].text, line, err);
        track.rate_hz = line->model.sample_rate;
        if (ok)
            parts_make(line, &place, &track);
        pthread_mutex_unlock(&flite->lock);
        if (!ok)
            return false;
    }
    if (!sink->plan(sink->context, &track.track, track.rate_hz, track.samples, err))
        return false;
    for (size_t i = 0; i < lines.count; i++)
        if (!line_sound(flite, style, &lines.items[i], request, sink, err))
            return false;
    return true;
}
