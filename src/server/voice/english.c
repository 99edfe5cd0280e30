/* SPDX-License-Identifier: Apache-2.0 */
/* The English voices, over flite. */
#include "voice/engine.h"

#include "base/auto.h"
#include "base/error.h"
#include "voice/flite_voice.h"
#include "voice/script.h"

#define CREDIT NULL
enum { LINE_LIMIT = 600 };

static const struct character {
    struct voice_info info;
    enum flite_speaker speaker;
} characters[] = {
    {{"en-emma", "en", "エマ", "Emma", "明るい女性の声", "A clear woman", "flite", CREDIT},
     FLITE_SLT},
    {{"en-ryan", "en", "ライアン", "Ryan", "落ち着いた男性の声", "A calm man", "flite", CREDIT},
     FLITE_RMS},
    {{"en-alan", "en", "アラン", "Alan", "スコットランドの男性の声", "A man from Scotland", "flite",
      CREDIT},
     FLITE_AWB},
};
enum { CHARACTERS = sizeof characters / sizeof *characters };

static void *english_open(const char *data_dir, struct error *err)
{
    return flite_open(err);
}

static void english_close(void *engine)
{
    flite_close(engine);
}

static size_t english_count(const void *engine)
{
    return CHARACTERS;
}

static const struct voice_info *english_at(const void *engine, size_t index)
{
    return &characters[index].info;
}

static bool english_speak(void *engine, size_t index, const struct voice_request *request,
                          const struct voice_sink *sink, struct error *err)
{
    AUTO(script_dispose) struct script script = {0};
    if (!script_en(request->text, LINE_LIMIT, &script, err))
        return error_about(err, "text", "voice_text_unspeakable");
    return flite_speak(engine, characters[index].speaker, request, &script, sink, err);
}

const struct engine_ops engine_english = {
    .name = "english",
    .open = english_open,
    .close = english_close,
    .count = english_count,
    .at = english_at,
    .speak = english_speak,
};
