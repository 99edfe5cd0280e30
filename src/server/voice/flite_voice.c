/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/flite_voice.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include <flite/cst_cg.h>
#include <flite/flite.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "voice/chars.h"
#include "voice/mouth.h"
#include "voice/speech.h"
#include "voice/voice.h"

/* flite's voices and some of its steps come without headers. */
cst_voice *register_cmu_us_slt(const char *folder);
cst_voice *register_cmu_us_rms(const char *folder);
cst_voice *register_cmu_us_awb(const char *folder);
cst_utterance *cart_intonation(cst_utterance *utterance);

static const double edge_s = .08, tail_s = .20;
static const double sentence_s = .45; /* between two sentences */
static const double blend_s = .004;   /* where a pause is cut */

struct flite {
    pthread_mutex_t lock; /* around everything that flite does */
    cst_voice *speakers[FLITE_SPEAKERS];
};

struct take {
    size_t count;
    float *samples;
};

static void take_dispose_auto(struct take *take)
{
    free(take->samples);
}

static inline void delete_utterance_auto(cst_utterance **utterance)
{
    if (*utterance)
        delete_utterance(*utterance);
}

struct flite *flite_open(void)
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

static cst_utterance *utterance_new(cst_voice *voice, const char *line)
{
    cst_utterance *said = new_utterance();
    utt_set_input_text(said, line);
    utt_init(said, voice);
    return said;
}

/* --- analysis ------------------------------------------------------------------------------- */

static void name_copy(char out[NAME_EN_SIZE], const char *name)
{
    size_t length = strnlen(name, NAME_EN_SIZE - 1);
    memcpy(out, name, length);
    out[length] = '\0';
}

/* The same thing is seen as another item from each relation; what they share tells. */
static bool same(const cst_item *a, const cst_item *b)
{
    return a && b && a->contents == b->contents;
}

struct walk {
    struct utterance_en *out;
    cst_item *syllable, *word, *phrase; /* where the last segment was */
};

static void phrase_enter(struct walk *walk, cst_item *phrase)
{
    struct utterance_en *out = walk->out;
    if (out->phrases > 0 && (!phrase || same(phrase, walk->phrase)))
        return;
    walk->phrase = phrase;
    out->phrase[out->phrases++] = (struct phrase_en){.first = out->words};
}

static void word_enter(struct walk *walk, cst_item *word)
{
    struct utterance_en *out = walk->out;
    if (same(word, walk->word))
        return;
    walk->word = word;
    phrase_enter(walk, item_parent(item_as(word, "Phrase")));
    struct word_en *added = &out->word[out->words++];
    *added = (struct word_en){.first = out->syllables, .phrase = out->phrases - 1};
    name_copy(added->part, ffeature_string(word, "gpos"));
    out->phrase[out->phrases - 1].count++;
}

static void syllable_enter(struct walk *walk, cst_item *syllable)
{
    struct utterance_en *out = walk->out;
    if (same(syllable, walk->syllable))
        return;
    walk->syllable = syllable;
    word_enter(walk, item_parent(syllable));
    struct syllable_en *added = &out->syllable[out->syllables++];
    *added = (struct syllable_en){.first = out->segments, .word = out->words - 1};
    added->stressed = strcmp(ffeature_string(syllable, "stress"), "1") == 0;
    added->accented = strcmp(ffeature_string(syllable, "accented"), "1") == 0;
    name_copy(added->vowel, "novowel");
    const char *tone = ffeature_string(syllable, "endtone");
    name_copy(added->end_tone, strcmp(tone, "0") == 0 ? "NONE" : tone);
    out->word[out->words - 1].count++;
}

static void segment_add(struct walk *walk, cst_item *segment)
{
    struct utterance_en *out = walk->out;
    struct segment_en *added = &out->segment[out->segments];
    cst_item *in_word = item_as(segment, "SylStructure");
    cst_item *syllable = in_word ? item_parent(in_word) : NULL;
    name_copy(added->name, item_feat_string(segment, "name"));
    added->syllable = -1;
    if (syllable && item_parent(syllable)) {
        syllable_enter(walk, syllable);
        added->syllable = out->syllables - 1;
        struct syllable_en *in = &out->syllable[added->syllable];
        in->count++;
        if (strcmp(ffeature_string(segment, "ph_vc"), "+") == 0)
            name_copy(in->vowel, added->name);
    }
    out->segments++;
}

/* The steps before duration, by name: the voices' own list would go on to the sound. */
static cst_utterance *analyse(cst_utterance *said)
{
    said = default_tokenization(said);
    said = default_textanalysis(said);
    said = default_pos_tagger(said);
    said = default_phrasing(said);
    said = default_lexical_insertion(said);
    said = default_pause_insertion(said);
    said = cart_intonation(said);
    const cst_val *postlexical = feat_val(said->features, "postlex_func");
    return postlexical ? val_uttfunc(postlexical)(said) : said;
}

bool flite_analyse(struct flite *flite, const char *line, struct utterance_en *out,
                   struct error *err)
{
    pthread_mutex_lock(&flite->lock);
    cst_utterance *said = analyse(utterance_new(flite->speakers[FLITE_SLT], line));
    int segments = 0;
    cst_item *segment = relation_head(utt_relation(said, "Segment"));
    for (cst_item *i = segment; i; i = item_next(i))
        segments++;
    utterance_en_init(out, segments);
    struct walk walk = {.out = out};
    for (; segment; segment = item_next(segment))
        segment_add(&walk, segment);
    delete_utterance(said);
    pthread_mutex_unlock(&flite->lock);
    if (out->syllables > 0)
        return true;
    utterance_en_dispose(out);
    return error_set(err, ERROR_INVALID, "nothing to say");
}

/* Phones carry their stress as a last digit: "er1". */
static void phone_add(struct phones_en *phones, const char *name)
{
    size_t length = strlen(name);
    if (phones->count == PHONES_EN_MAX || length == 0)
        return;
    struct phone_en *added = &phones->phone[phones->count];
    bool stress = char_is_digit((unsigned char)name[length - 1]);
    added->stressed = stress && name[length - 1] != '0';
    length -= stress;
    if (length >= sizeof added->name)
        return;
    memcpy(added->name, name, length);
    added->name[length] = '\0';
    phones->count++;
}

bool flite_word(struct flite *flite, const char *word, struct phones_en *out)
{
    *out = (struct phones_en){0};
    pthread_mutex_lock(&flite->lock);
    const cst_features *features = flite->speakers[FLITE_SLT]->features;
    const cst_lexicon *lexicon = val_lexicon(feat_val(features, "lexicon"));
    bool known = in_lex(lexicon, word, NULL, features);
    cst_val *phones = lex_lookup(lexicon, word, NULL, features);
    for (const cst_val *i = phones; i; i = val_cdr(i))
        phone_add(out, val_string(val_car(i)));
    delete_val(phones);
    pthread_mutex_unlock(&flite->lock);
    return known;
}

/* --- sound ---------------------------------------------------------------------------------- */

static bool stressed(cst_item *segment)
{
    return strcmp(ffeature_string(segment, "R:SylStructure.parent.stress"), "1") == 0;
}

static void mouth_add(struct speech *track, struct mouth mouth, size_t samples)
{
    struct viseme_span span = {.viseme = mouth.first, .strength = mouth.strength};
    size_t turn = mouth.first == mouth.second ? samples : (size_t)((double)samples * mouth.turn);
    speech_add(track, span, turn);
    span.viseme = mouth.second;
    speech_add(track, span, samples - turn);
}

static void take_add(struct take *take, const short *from, size_t count, double gain)
{
    for (size_t i = 0; i < count; i++)
        take->samples[take->count + i] = (float)(from[i] / 32768. * gain);
    take->count += count;
}

/* A pause of another length: its beginning and its end, silence or nothing between. */
static void pause_add(struct take *take, const short *from, size_t count, size_t wanted,
                      double gain)
{
    size_t head = (count < wanted ? count : wanted) / 2, tail = head;
    float *to = take->samples + take->count;
    for (size_t i = 0; i < wanted; i++)
        to[i] = 0;
    for (size_t i = 0; i < head; i++) /* quietly out, quietly in */
        to[i] = (float)(from[i] / 32768. * gain * (double)(head - i) / (double)head);
    for (size_t i = 0; i < tail; i++)
        to[wanted - 1 - i] =
            (float)(from[count - 1 - i] / 32768. * gain * (double)(tail - i) / (double)tail);
    take->count += wanted;
}

struct line {
    const struct voice_request *request;
    bool first, last; /* in the message */
};

static size_t pause_length(const struct line *line, bool at_start, bool at_end, size_t count,
                           int rate_hz)
{
    double between_s = sentence_s * line->request->pause / line->request->speed;
    double seconds = (double)count / rate_hz * line->request->pause;
    if (at_start)
        seconds = line->first ? edge_s : between_s * .3;
    else if (at_end)
        seconds = line->last ? tail_s : between_s * .7;
    return (size_t)lround(fmax(seconds, 2 * blend_s) * rate_hz);
}

static void line_add(const cst_utterance *said, const cst_wave *wave, const struct line *line,
                     struct speech *track, struct take *take)
{
    size_t total = (size_t)wave->num_samples, at = 0;
    cst_item *first = relation_head(utt_relation(said, "Segment"));
    for (cst_item *segment = first; segment; segment = item_next(segment)) {
        long ends = lround((double)item_feat_float(segment, "end") * wave->sample_rate);
        size_t end = ends < 0 || (size_t)ends > total || !item_next(segment) ? total : (size_t)ends;
        size_t count = end > at ? end - at : 0;
        const char *name = item_feat_string(segment, "name");
        struct mouth mouth = mouth_en(name, stressed(segment));
        if (mouth_is_pause(name)) {
            size_t wanted =
                pause_length(line, segment == first, !item_next(segment), count, wave->sample_rate);
            take->samples = xreallocarray(take->samples, take->count + wanted, sizeof(float));
            pause_add(take, wave->samples + at, count, wanted, line->request->volume);
            count = wanted;
        } else {
            take->samples = xreallocarray(take->samples, take->count + count + 1, sizeof(float));
            take_add(take, wave->samples + at, count, line->request->volume);
        }
        mouth_add(track, mouth, count);
        at = end;
    }
}

static bool line_say(const struct flite *flite, const struct flite_style *style, const char *text,
                     const struct line *line, struct speech *track, struct take *take,
                     struct error *err)
{
    const struct voice_request *request = line->request;
    cst_voice *voice = flite->speakers[style->speaker];
    const cst_cg_db *model = val_cg_db(feat_val(voice->features, "cg_db"));
    AUTO(delete_utterance) cst_utterance *said = utterance_new(voice, text);
    feat_set_float(said->features, "duration_stretch",
                   (float)(1 / (request->speed * style->speed)));
    feat_set_float(said->features, "int_f0_target_mean", model->f0_mean);
    feat_set_float(said->features, "int_f0_target_stddev",
                   (float)(model->f0_stddev * request->intonation));
    feat_set_float(said->features, "f0_shift",
                   (float)pow(2, (request->pitch + style->half_tones) / 12));
    said = utt_synth(said);
    const cst_wave *wave = said ? utt_wave(said) : NULL;
    if (!wave || wave->num_samples <= 0)
        return error_set(err, ERROR_INTERNAL, "flite made no sound");
    track->rate_hz = wave->sample_rate;
    line_add(said, wave, line, track, take);
    return true;
}

bool flite_speak(struct flite *flite, const struct flite_style *style,
                 const struct voice_request *request, const struct script *script,
                 const struct voice_sink *sink, struct error *err)
{
    AUTO(speech_dispose) struct speech track = {0};
    AUTO(take_dispose) struct take take = {0};
    bool ok = true;
    for (size_t i = 0; i < script->count && ok; i++) {
        struct line line = {.request = request, .first = i == 0, .last = i + 1 == script->count};
        pthread_mutex_lock(&flite->lock); /* for each line, so that messages take turns */
        ok = line_say(flite, style, script->lines[i].text, &line, &track, &take, err);
        pthread_mutex_unlock(&flite->lock);
    }
    for (size_t i = 0; i < take.count; i++)
        take.samples[i] = fmaxf(-1, fminf(1, take.samples[i]));
    return ok && sink->plan(sink->context, &track.track, track.rate_hz, take.count, err) &&
           sink->audio(sink->context, take.samples, take.count, err);
}
