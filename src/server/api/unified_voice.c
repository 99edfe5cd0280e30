/* SPDX-License-Identifier: Apache-2.0 */
/* /api/unified-voice/…: the voices as the earlier application named them. Its routes for cloned
 * voices and for VOICEVOX belong to engines that are not ours. */
#include "api/endpoint.h"
#include "api/engines.h"
#include "api/spoken.h"
#include "api/unified_fields.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "voice/voice.h"

enum { MAX_WAV = 128 * 1024 * 1024 };

/* Providers of the earlier application; the voices of this program are all local. */
static const struct provider {
    const char *id, *name_ja, *name_en;
    bool here;
} providers[] = {
    {"local", "内蔵の声", "Built-in voices", true},
    {"voicevox", "VOICEVOX", "VOICEVOX", false},
    {"openvoice", "OpenVoice", "OpenVoice", false},
};
enum { PROVIDERS = sizeof providers / sizeof *providers };

static void answer(struct http_response *response, struct jv **body)
{
    http_response_header(response, "Vary", "Accept-Language");
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_json(response, NULL, body);
}

static void put_voice(struct jv *object, const struct voice_info *voice, enum language language)
{
    bool english = language == LANGUAGE_EN;
    jv_text(object, "id", voice->id);
    jv_text(object, "name", english ? voice->name_en : voice->name_ja);
    jv_text(object, "description", english ? voice->description_en : voice->description_ja);
    jv_text(object, "provider", "local");
    jv_text(object, "voice_type", "preset");
    jv_text(object, "language", voice->language);
    jv_text(object, "engine", voice->engine);
    jv_text(object, "credit", voice->credit);
    jv_bool(object, "is_available", true);
    AUTO(mem_free) char *sample = xasprintf("/api/voices/%s/sample", voice->id);
    jv_text(object, "sample_url", sample);
}

bool api_unified_voices(struct api *api, const struct http_request *request,
                        struct http_response *response, struct error *err)
{
    struct voices *voices = engines_voices(api->engines, err);
    if (!voices)
        return error_wrap(err, "list voices");
    const char *language = http_request_query(request, "language");
    const char *provider = http_request_query(request, "provider");
    AUTO(jv_free) struct jv *body = jv_object();
    struct jv *list = jv_put_array(body, "voices");
    bool ours = !provider || strcmp(provider, "local") == 0;
    for (size_t i = 0; ours && i < voices_count(voices); i++)
        if (!language || strcmp(language, voices_at(voices, i)->language) == 0)
            put_voice(jv_push_object(list), voices_at(voices, i), api_language(request));
    jv_int(body, "total_count", (int64_t)jv_size(list));
    answer(response, &body);
    return true;
}

bool api_unified_voice(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    struct voices *voices = engines_voices(api->engines, err);
    const char *id = http_request_param(request, "id");
    const struct voice_info *voice = voices ? voices_find(voices, id) : NULL;
    if (voices && !voice) {
        error_set(err, ERROR_NOT_FOUND, "no voice \"%.60s\"", id);
        error_about(err, NULL, "not_found");
    }
    if (!voice)
        return error_wrap(err, "show a voice");
    AUTO(jv_free) struct jv *body = jv_object();
    put_voice(body, voice, api_language(request));
    answer(response, &body);
    return true;
}

bool api_unified_providers(struct api *api, const struct http_request *request,
                           struct http_response *response, struct error *err)
{
    struct voices *voices = engines_voices(api->engines, err);
    if (!voices)
        return error_wrap(err, "list providers");
    bool english = api_language(request) == LANGUAGE_EN;
    AUTO(jv_free) struct jv *body = jv_object();
    struct jv *list = jv_put_array(body, "providers");
    for (size_t i = 0; i < PROVIDERS; i++) {
        struct jv *object = jv_push_object(list);
        jv_text(object, "id", providers[i].id);
        jv_text(object, "name", english ? providers[i].name_en : providers[i].name_ja);
        jv_bool(object, "available", providers[i].here);
        jv_int(object, "voice_count", providers[i].here ? (int64_t)voices_count(voices) : 0);
    }
    answer(response, &body);
    return true;
}

bool api_unified_types(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    static const struct {
        const char *id, *ja, *en;
    } types[] = {{"preset", "はじめからある声", "A voice that comes with the service"},
                 {"cloned", "録音からつくった声", "A voice made from recordings"}};
    bool english = api_language(request) == LANGUAGE_EN;
    AUTO(jv_free) struct jv *body = jv_object();
    struct jv *list = jv_put_array(body, "voice_types");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct jv *object = jv_push_object(list);
        jv_text(object, "id", types[i].id);
        jv_text(object, "name", english ? types[i].en : types[i].ja);
    }
    answer(response, &body);
    return true;
}

bool api_unified_health(struct api *api, const struct http_request *request,
                        struct http_response *response, struct error *err)
{
    struct error why = {.kind = ERROR_INTERNAL};
    struct voices *voices = engines_voices(api->engines, &why);
    AUTO(jv_free) struct jv *body = jv_object();
    jv_text(body, "status", voices ? "healthy" : "unhealthy");
    jv_int(body, "timestamp", wall_ms() / 1000);
    jv_int(body, "voice_count", voices ? (int64_t)voices_count(voices) : 0);
    struct jv *states = jv_put_object(body, "providers");
    for (size_t i = 0; i < PROVIDERS; i++)
        jv_text(states, providers[i].id,
                !providers[i].here ? "disabled"
                : voices           ? "healthy"
                                   : "unhealthy");
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}

/* --- speaking --------------------------------------------------------------------------------- */

/* What a mood does to a voice. */
static const struct mood {
    const char *name;
    double speed, half_tones, intonation, volume;
} moods[] = {
    {"neutral", 1, 0, 1, 1},        {"happy", 1.05, 1, 1.2, 1},        {"sad", .88, -1, .7, .9},
    {"angry", 1.08, -.5, 1.3, 1.1}, {"excited", 1.12, 1.5, 1.35, 1.1},
};

static double within(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static bool take_mood(const struct jv *body, struct voice_request *out, struct error *err)
{
    const char *name = jv_as_text(jv_get(body, "emotion"), "neutral");
    const struct mood *mood = NULL;
    for (size_t i = 0; i < sizeof moods / sizeof *moods; i++)
        if (strcmp(moods[i].name, name) == 0)
            mood = &moods[i];
    if (!mood) {
        error_set(err, ERROR_INVALID, "emotion \"%.40s\" is unknown", name);
        return error_about(err, "emotion", "value_unknown");
    }
    /* Voices here go from half to double speed; what is asked for beyond is held there. */
    out->speed = within(out->speed * mood->speed, .5, 2);
    out->pitch = within(out->pitch * 12 + mood->half_tones, -12, 12);
    out->intonation = within(out->intonation * mood->intonation, 0, 2);
    out->volume = within(out->volume * mood->volume, 0, 2);
    return true;
}

static bool refuse_text(struct error *err, const char *code, const char *why)
{
    error_set(err, ERROR_INVALID, "%s", why);
    return error_about(err, "text", code);
}

static bool take_text(const struct jv *body, bool greets, struct voice_request *out,
                      struct error *err)
{
    const struct jv *text = jv_get(body, "text");
    out->text = jv_as_text(text, NULL);
    if (jv_kind(text) == JV_NONE && greets)
        return true;
    if (jv_kind(text) == JV_NONE)
        return refuse_text(err, "part_missing", "there is no text");
    if (!out->text || !*out->text)
        return refuse_text(err, "text_empty", "the text is empty");
    return true;
}

static bool take_voice(struct voices *voices, const struct jv *body, struct voice_request *out,
                       struct error *err)
{
    const struct jv *profile = jv_get(body, "voice_profile");
    const char *id = jv_get_text(body, "voice_profile_id", jv_get_text(profile, "id", NULL));
    const struct voice_info *voice =
        id ? voices_find(voices, id) : voices_for_text(voices, out->text ? out->text : "Hello");
    if (!voice) {
        error_set(err, ERROR_NOT_FOUND, "there is no voice \"%.40s\"", id ? id : "");
        return error_about(err, "voice_profile_id", "voice_unknown");
    }
    out->voice_id = voice->id;
    if (!out->text)
        out->text = strcmp(voice->language, "ja") == 0 ? "こんにちは。声のテストです。"
                                                       : "Hello. This is a test of the voice.";
    return true;
}

static bool take_all(struct voices *voices, const struct jv *body, bool greets,
                     struct voice_request *out, struct error *err)
{
    const struct field *fields = unified_speak_fields;
    *out = (struct voice_request){.speed = 1, .intonation = 1, .volume = 1, .pause = 1};
    return take_text(body, greets, out, err) && take_voice(voices, body, out, err) &&
           endpoint_json_number(fields, "speed", body, &out->speed, err) &&
           endpoint_json_number(fields, "pitch", body, &out->pitch, err) &&
           endpoint_json_number(fields, "intonation", body, &out->intonation, err) &&
           endpoint_json_number(fields, "volume", body, &out->volume, err) &&
           endpoint_json_number(fields, "pause_duration", body, &out->pause, err) &&
           take_mood(body, out, err);
}

/* POST …/synthesize, and …/test, which greets when there is no text. */
bool api_unified_speak(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    AUTO(jv_free) struct jv *body = endpoint_json(request, err);
    struct voices *voices = body ? engines_voices(api->engines, err) : NULL;
    struct voice_request voice;
    bool greets = strcmp(http_request_route(request)->pattern, "/api/unified-voice/test") == 0;
    if (!voices || !take_all(voices, body, greets, &voice, err))
        return false;
    AUTO(buf_dispose) struct buf wav = BUF(MAX_WAV);
    if (!spoken_wav(voices, &voice, &wav, err))
        return error_wrap(err, "speak");
    http_response_header(response, "Cache-Control", "no-store");
    http_response_header(response, "Content-Disposition", "inline; filename=\"speech.wav\"");
    http_response_take(response, "audio/wav", &wav);
    return true;
}
