/* SPDX-License-Identifier: Apache-2.0 */
/* vmad voices: who can speak. */
#include <stdio.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/text.h"
#include "daemon/daemon.h"
#include "voice/voice.h"

enum { MAX_LIST = 256 * 1024 };

struct options {
    const char *language, *names;
    bool json;
};

static const char *const languages[] = {"ja", "en", NULL};

static const struct option rows[] = {
    OPTION_CHOICE('l', "language", "LANGUAGE", language, "only the voices that speak it [all]",
                  .choices = languages),
    OPTION_CHOICE(0, "names", "LANGUAGE", names, "names and descriptions in it [by LANG]",
                  .choices = languages),
    OPTION_FLAG(0, "json", json, "print JSON"),
    OPTION_END,
};

static void put_json(struct jv *list, const struct voice_info *voice)
{
    struct jv *object = jv_push_object(list);
    jv_text(object, "id", voice->id);
    jv_text(object, "language", voice->language);
    jv_text(object, "name_ja", voice->name_ja);
    jv_text(object, "name_en", voice->name_en);
    jv_text(object, "description_ja", voice->description_ja);
    jv_text(object, "description_en", voice->description_en);
    jv_text(object, "engine", voice->engine);
    jv_text(object, "credit", voice->credit);
}

static bool print_json(const struct voices *voices, const char *language, struct error *err)
{
    AUTO(jv_free) struct jv *list = jv_array();
    AUTO(buf_dispose) struct buf text = BUF(MAX_LIST);
    for (size_t i = 0; i < voices_count(voices); i++)
        if (!language || strcmp(voices_at(voices, i)->language, language) == 0)
            put_json(list, voices_at(voices, i));
    if (!jv_write(list, true, &text, err))
        return false;
    printf("%s\n", buf_string(&text));
    return true;
}

static void print_lines(const struct voices *voices, const char *language, bool japanese)
{
    for (size_t i = 0; i < voices_count(voices); i++) {
        const struct voice_info *voice = voices_at(voices, i);
        if (language && strcmp(voice->language, language) != 0)
            continue;
        printf("%-14s %s  %s: %s\n", voice->id, voice->language,
               japanese ? voice->name_ja : voice->name_en,
               japanese ? voice->description_ja : voice->description_en);
    }
}

static bool voices_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    const struct daemon *daemon = context;
    const struct options *options = raw;
    struct voices *voices = voices_open(NULL, err);
    if (!voices)
        return error_wrap(err, "voices");
    const char *names = options->names ? options->names : daemon->language;
    bool fine = true;
    if (options->json)
        fine = print_json(voices, options->language, err);
    else
        print_lines(voices, options->language, text_starts(names, "ja"));
    voices_close(voices);
    return fine;
}

const struct command command_voices = {
    .name = "voices",
    .summary = "List the voices that can speak",
    .options = rows,
    .defaults = &(const struct options){.json = false},
    .options_size = sizeof(struct options),
    .run = voices_run,
};
