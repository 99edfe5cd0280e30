/* SPDX-License-Identifier: Apache-2.0 */
/* The Japanese voices: Open JTalk's text analysis and one trained voice given several characters.
 */
#include "voice/engine.h"

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "voice/find.h"
#include "voice/flite_voice.h"
#include "voice/hts.h"
#include "voice/openjtalk.h"
#include "voice/script.h"

#define CREDIT "HTS Voice \"NIT ATR503 M001\", Nagoya Institute of Technology, CC BY 3.0"

static const struct character {
    struct voice_info info;
    struct hts_style style;
} characters[] = {
    {
        {"ja-hana", "ja", "はな", "Hana", "明るい女性の声", "A bright woman", "hts", CREDIT},
        {.half_tones = 9, .alpha = .50, .speed = 1.03, .intonation = 1.1, .gv = 1, .unvoiced = .5},
    },
    {
        {"ja-haruto", "ja", "はると", "Haruto", "落ち着いた男性の声", "A calm man", "hts", CREDIT},
        {.half_tones = 0, .alpha = .55, .speed = 1, .intonation = 1, .gv = 1, .unvoiced = .5},
    },
    {
        {"ja-sora", "ja", "そら", "Sora", "元気な子どもの声", "A lively child", "hts", CREDIT},
        {.half_tones = 14, .alpha = .45, .speed = 1.08, .intonation = 1.3, .gv = 1, .unvoiced = .5},
    },
    {
        {"ja-misaki", "ja", "みさき", "Misaki", "やわらかく話す女性の声", "A soft-spoken woman",
         "hts", CREDIT},
        {.half_tones = 6, .alpha = .52, .speed = .94, .intonation = .8, .gv = .7, .unvoiced = .6},
    },
    {
        {"ja-genzo", "ja", "げんぞう", "Genzo", "低く渋い男性の声", "A deep, elderly man", "hts",
         CREDIT},
        {.half_tones = -5, .alpha = .59, .speed = .92, .intonation = .9, .gv = 1, .unvoiced = .5},
    },
};
enum { CHARACTERS = sizeof characters / sizeof *characters };

struct japanese {
    struct openjtalk *openjtalk;
    char *path; /* the voice file */
    struct lexicon_en lexicon;
};

static bool look_up(void *context, const char *word, struct phones_en *out)
{
    return flite_word(context, word, out);
}

static void japanese_close(void *engine)
{
    struct japanese *japanese = engine;
    openjtalk_close(japanese->openjtalk);
    free(japanese->path);
    free(japanese);
}

static void *japanese_open(const struct engine_parts *parts, struct error *err)
{
    AUTO(mem_free)
    char *path =
        voice_file_find(parts->data_dir, "nitech-jp-atr503-m001/nitech_jp_atr503_m001.htsvoice",
                        "/usr/share/hts-voice/nitech-jp-atr503-m001/"
                        "nitech_jp_atr503_m001.htsvoice");
    if (!path) {
        error_set(err, ERROR_NOT_FOUND, "nitech_jp_atr503_m001.htsvoice is not installed");
        return NULL;
    }
    struct openjtalk *openjtalk = openjtalk_open(parts->data_dir, err);
    if (!openjtalk)
        return NULL;
    struct japanese *japanese = xmalloc(sizeof *japanese);
    *japanese = (struct japanese){
        .openjtalk = openjtalk,
        .path = TAKE(path),
        .lexicon = {.context = parts->flite, .look_up = look_up},
    };
    return japanese;
}

static size_t japanese_count(const void *engine)
{
    return CHARACTERS;
}

static const struct voice_info *japanese_at(const void *engine, size_t index)
{
    return &characters[index].info;
}

/* A line without anything to say is left out, as long as another one has something. */
static bool analyse(const struct openjtalk *openjtalk, const struct script *script,
                    struct hts_sentences *out, struct error *err)
{
    hts_sentences_reserve(out, script->count);
    for (size_t i = 0; i < script->count; i++) {
        struct hts_sentence *item = &out->items[out->count];
        struct error cause = {0};
        if (openjtalk_labels(openjtalk, script->lines[i].text, &item->labels, &cause)) {
            item->question = script->lines[i].question;
            out->count++;
        } else if (cause.kind != ERROR_INVALID) {
            if (err)
                *err = cause;
            return false;
        }
    }
    return out->count > 0 || error_set(err, ERROR_INVALID, "nothing to say");
}

static struct mouth mouth_of(const char *label, const char *phoneme, const char *next)
{
    return mouth_ja(phoneme, next);
}

/* Whether words are in the lexicon changes how they are read, not whether they can be. */
static bool japanese_can_read(const void *engine, const char *text, struct error *err)
{
    AUTO(script_dispose) struct script script = {0};
    return script_ja(text, OPENJTALK_LIMIT, NULL, &script, err);
}

static bool japanese_speak(void *engine, size_t index, const struct voice_request *request,
                           const struct voice_sink *sink, struct error *err)
{
    struct japanese *japanese = engine;
    AUTO(script_dispose) struct script script = {0};
    AUTO(hts_sentences_dispose) struct hts_sentences sentences = {0};
    if (!script_ja(request->text, OPENJTALK_LIMIT, &japanese->lexicon, &script, err))
        return error_about(err, "text", "voice_text_unspeakable");
    if (!analyse(japanese->openjtalk, &script, &sentences, err)) {
        if (err && err->kind == ERROR_INVALID)
            error_about(err, "text", "voice_text_unspeakable");
        return false;
    }
    struct hts_speech speech = {
        .path = japanese->path,
        .style = &characters[index].style,
        .request = request,
        .sentences = &sentences,
        .mouth = mouth_of,
    };
    return hts_speak(&speech, sink, err);
}

const struct engine_ops engine_japanese = {
    .name = "japanese",
    .open = japanese_open,
    .close = japanese_close,
    .count = japanese_count,
    .at = japanese_at,
    .can_read = japanese_can_read,
    .speak = japanese_speak,
};
