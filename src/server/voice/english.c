/* SPDX-License-Identifier: Apache-2.0 */
/* The English voices: flite's text analysis with the HTS voice of one speaker, given several
 * characters, and flite's own voices of two more speakers. */
#include "voice/engine.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "voice/find.h"
#include "voice/flite_voice.h"
#include "voice/hts.h"
#include "voice/script.h"

enum { LINE_LIMIT = 400 };

static const struct character {
    struct voice_info info;
    bool hts;
    struct hts_style style;     /* with hts */
    struct flite_style speaker; /* without, and where the HTS voice is missing */
} characters[] = {
    {
        {"en-emma", "en", "エマ", "Emma", "明るい女性の声", "A clear, friendly woman", "hts", NULL},
        .hts = true,
        {.half_tones = .5, .alpha = .45, .speed = 1, .intonation = 1.35, .gv = 1, .unvoiced = .5},
        {.speaker = FLITE_SLT, .intonation = 1, .speed = 1},
    },
    {
        {"en-ryan", "en", "ライアン", "Ryan", "落ち着いた男性の声", "A calm man", "flite", NULL},
        .speaker = {.speaker = FLITE_RMS, .intonation = 1, .speed = 1},
    },
    {
        {"en-alan", "en", "アラン", "Alan", "スコットランドの男性の声", "A man from Scotland",
         "flite", NULL},
        .speaker = {.speaker = FLITE_AWB, .intonation = 1, .speed = 1},
    },
    {
        {"en-lily", "en", "リリー", "Lily", "元気な子どもの声", "A lively child", "hts", NULL},
        .hts = true,
        {.half_tones = 5, .alpha = .42, .speed = 1.02, .intonation = 1.3, .gv = 1, .unvoiced = .5},
        {.speaker = FLITE_SLT, .half_tones = 5, .intonation = 1, .speed = 1.02},
    },
    {
        {"en-grace", "en", "グレース", "Grace", "穏やかな年配の女性の声", "A gentle elderly woman",
         "hts", NULL},
        .hts = true,
        {.half_tones = -5, .alpha = .48, .speed = .88, .intonation = .8, .gv = .8, .unvoiced = .6},
        {.speaker = FLITE_SLT, .half_tones = -5, .intonation = 1, .speed = .88},
    },
};
enum { CHARACTERS = sizeof characters / sizeof *characters };

struct english {
    struct flite *flite; /* borrowed */
    char *path;          /* the HTS voice file, or NULL */
};

static void *english_open(const struct engine_parts *parts, struct error *err)
{
    struct english *english = xmalloc(sizeof *english);
    *english = (struct english){.flite = parts->flite};
    english->path =
        voice_file_find(parts->data_dir, "cmu-us-slt-arctic-hts/cmu_us_slt_arctic_hts.htsvoice",
                        "/usr/share/festival/voices/us/cmu_us_slt_arctic_hts/hts/"
                        "cmu_us_slt_arctic_hts.htsvoice");
    if (!english->path)
        log_warn("voice.plainer", LOG_TEXT("missing", "cmu_us_slt_arctic_hts.htsvoice"));
    return english;
}

static void english_close(void *engine)
{
    struct english *english = engine;
    free(english->path);
    free(english);
}

static size_t english_count(const void *engine)
{
    return CHARACTERS;
}

static const struct voice_info *english_at(const void *engine, size_t index)
{
    return &characters[index].info;
}

static struct mouth mouth_of(const char *label, const char *phoneme, const char *next)
{
    return mouth_en(phoneme, label_en_stressed(label));
}

static bool sentences_make(struct flite *flite, const struct script *script,
                           struct hts_sentences *out, struct error *err)
{
    hts_sentences_reserve(out, script->count);
    for (size_t i = 0; i < script->count; i++) {
        AUTO(utterance_en_dispose) struct utterance_en utterance = {0};
        if (!flite_analyse(flite, script->lines[i].text, &utterance, err))
            continue;
        struct hts_sentence *added = &out->items[out->count++];
        utterance_en_labels(&utterance, &added->labels);
        added->question = script->lines[i].question;
    }
    return out->count > 0 || error_set(err, ERROR_INVALID, "nothing to say");
}

static bool hts_voice_speak(struct english *english, const struct character *character,
                            const struct voice_request *request, const struct script *script,
                            const struct voice_sink *sink, struct error *err)
{
    AUTO(hts_sentences_dispose) struct hts_sentences sentences = {0};
    if (!sentences_make(english->flite, script, &sentences, err))
        return error_about(err, "text", "voice_text_unspeakable");
    struct hts_speech speech = {
        .path = english->path,
        .style = &character->style,
        .request = request,
        .sentences = &sentences,
        .mouth = mouth_of,
    };
    return hts_speak(&speech, sink, err);
}

static bool english_can_read(const void *engine, const char *text, struct error *err)
{
    AUTO(script_dispose) struct script script = {0};
    return script_en(text, LINE_LIMIT, &script, err);
}

static bool english_speak(void *engine, size_t index, const struct voice_request *request,
                          const struct voice_sink *sink, struct error *err)
{
    struct english *english = engine;
    const struct character *character = &characters[index];
    AUTO(script_dispose) struct script script = {0};
    if (!script_en(request->text, LINE_LIMIT, &script, err))
        return error_about(err, "text", "voice_text_unspeakable");
    if (character->hts && english->path)
        return hts_voice_speak(english, character, request, &script, sink, err);
    return flite_speak(english->flite, &character->speaker, request, &script, sink, err);
}

const struct engine_ops engine_english = {
    .name = "english",
    .open = english_open,
    .close = english_close,
    .count = english_count,
    .at = english_at,
    .can_read = english_can_read,
    .speak = english_speak,
};
