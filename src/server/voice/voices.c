/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/voice.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "voice/engine.h"
#include "voice/flite_voice.h"

static const struct engine_ops *const engines[] = {&engine_japanese, &engine_english};
enum { ENGINES = sizeof engines / sizeof *engines, TEXT_LIMIT = 1000 };

struct voices {
    struct flite *flite;    /* shared by the engines */
    void *engines[ENGINES]; /* NULL where one is not there */
};

static inline void voices_close_auto(struct voices **voices)
{
    voices_close(*voices);
}

struct voices *voices_open(const char *data_dir, struct error *err)
{
    AUTO(voices_close) struct voices *voices = xcalloc(1, sizeof *voices);
    struct error cause = {0};
    voices->flite = flite_open();
    struct engine_parts parts = {.data_dir = data_dir, .flite = voices->flite};
    for (size_t i = 0; i < ENGINES; i++) {
        voices->engines[i] = engines[i]->open(&parts, &cause);
        if (!voices->engines[i])
            log_warn("voice.engine_missing", LOG_TEXT("engine", engines[i]->name),
                     LOG_ERROR(&cause));
    }
    if (voices_count(voices) > 0)
        return TAKE(voices);
    if (err)
        *err = cause;
    error_wrap(err, "no voice can speak");
    return NULL;
}

void voices_close(struct voices *voices)
{
    if (!voices)
        return;
    for (size_t i = 0; i < ENGINES; i++)
        if (voices->engines[i])
            engines[i]->close(voices->engines[i]);
    flite_close(voices->flite);
    free(voices);
}

size_t voices_count(const struct voices *voices)
{
    size_t count = 0;
    for (size_t i = 0; i < ENGINES; i++)
        if (voices->engines[i])
            count += engines[i]->count(voices->engines[i]);
    return count;
}

/* Where voice `index` of all is: its engine, and its place there in *out. */
static size_t locate(const struct voices *voices, size_t index, size_t *out)
{
    for (size_t i = 0; i < ENGINES; i++) {
        size_t count = voices->engines[i] ? engines[i]->count(voices->engines[i]) : 0;
        if (index < count) {
            *out = index;
            return i;
        }
        index -= count;
    }
    return ENGINES;
}

const struct voice_info *voices_at(const struct voices *voices, size_t index)
{
    size_t place;
    size_t engine = locate(voices, index, &place);
    return engine < ENGINES ? engines[engine]->at(voices->engines[engine], place) : NULL;
}

static size_t index_of(const struct voices *voices, const char *id)
{
    size_t count = voices_count(voices);
    for (size_t i = 0; i < count; i++)
        if (id && strcmp(voices_at(voices, i)->id, id) == 0)
            return i;
    return count;
}

const struct voice_info *voices_find(const struct voices *voices, const char *id)
{
    return voices_at(voices, index_of(voices, id));
}

static bool japanese(uint32_t c)
{
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff66 && c <= 0xff9f) ||
           (c >= 0x20000 && c <= 0x3ffff) || c == 0x3005;
}

const struct voice_info *voices_for_text(const struct voices *voices, const char *text)
{
    const char *language = "en";
    struct bytes rest = bytes_of(text);
    for (uint32_t c; rest.size > 0;) {
        size_t used = utf8_decode(rest, &c);
        if (used > 0 && japanese(c))
            language = "ja";
        used = used ? used : 1;
        rest = (struct bytes){rest.data + used, rest.size - used};
    }
    size_t count = voices_count(voices);
    for (size_t i = 0; i < count; i++)
        if (strcmp(voices_at(voices, i)->language, language) == 0)
            return voices_at(voices, i);
    return voices_at(voices, 0);
}

static bool in_range(double value, double min, double max)
{
    return isfinite(value) && value >= min && value <= max;
}

static bool request_check(const struct voice_request *request, struct error *err)
{
    static const double slack = 1e-9;
    const struct {
        const char *field;
        double value, min, max;
    } numbers[] = {
        {"speed", request->speed, .5, 2},          {"pitch", request->pitch, -12, 12},
        {"intonation", request->intonation, 0, 2}, {"volume", request->volume, 0, 2},
        {"pause", request->pause, 0, 3},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!in_range(numbers[i].value, numbers[i].min - slack, numbers[i].max + slack)) {
            error_set(err, ERROR_INVALID, "%s must be between %g and %g", numbers[i].field,
                      numbers[i].min, numbers[i].max);
            return error_about(err, numbers[i].field, "number_out_of_range");
        }
    struct bytes text = bytes_of(request->text);
    if (!utf8_valid(text)) {
        error_set(err, ERROR_INVALID, "the text is not UTF-8");
        return error_about(err, "text", "text_not_utf8");
    }
    if (utf8_count(text) > TEXT_LIMIT) {
        error_set(err, ERROR_LIMIT, "the text has more than %d characters", TEXT_LIMIT);
        return error_about(err, "text", "text_too_long");
    }
    return true;
}

/* The engine of a voice and the voice's place there; ENGINES and err when there is none. */
static size_t find_engine(const struct voices *voices, const char *id, size_t *out_place,
                          struct error *err)
{
    size_t engine = locate(voices, index_of(voices, id), out_place);
    if (engine == ENGINES) {
        error_set(err, ERROR_NOT_FOUND, "there is no voice \"%.40s\"", id ? id : "");
        error_about(err, "voice_profile", "voice_unknown");
    }
    return engine;
}

bool voices_can_read(const struct voices *voices, const char *voice_id, const char *text,
                     struct error *err)
{
    size_t place;
    size_t engine = find_engine(voices, voice_id, &place, err);
    if (engine == ENGINES)
        return false;
    return engines[engine]->can_read(voices->engines[engine], text, err) ||
           error_about(err, "text", "voice_text_unspeakable");
}

bool voices_speak(struct voices *voices, const struct voice_request *request,
                  const struct voice_sink *sink, struct error *err)
{
    size_t place;
    size_t engine = find_engine(voices, request->voice_id, &place, err);
    if (engine == ENGINES || !request_check(request, err))
        return false;
    return engines[engine]->speak(voices->engines[engine], place, request, sink, err) ||
           error_wrap(err, "voice %s", request->voice_id);
}
