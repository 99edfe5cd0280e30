/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/voices: who can speak. */
#include "voice/voice.h"

#include "api/endpoint.h"
#include "api/engines.h"
#include "base/error.h"
#include "base/jv.h"

static void put_voice(struct jv *list, const struct voice_info *voice, enum language language)
{
    bool english = language == LANGUAGE_EN;
    struct jv *object = jv_push_object(list);
    jv_text(object, "id", voice->id);
    jv_text(object, "language", voice->language);
    jv_text(object, "name", english ? voice->name_en : voice->name_ja);
    jv_text(object, "description", english ? voice->description_en : voice->description_ja);
    jv_text(object, "engine", voice->engine);
    jv_text(object, "credit", voice->credit);
}

bool api_voices(struct api *api, const struct http_request *request, struct http_response *response,
                struct error *err)
{
    struct voices *voices = engines_voices(api->engines, err);
    if (!voices)
        return error_wrap(err, "list voices");
    AUTO(jv_free) struct jv *body = jv_object();
    struct jv *list = jv_put_array(body, "voices");
    for (size_t i = 0; i < voices_count(voices); i++)
        put_voice(list, voices_at(voices, i), api_language(request));
    struct jv *initial = jv_put_object(body, "default");
    const struct voice_info *japanese = voices_for_text(voices, "こんにちは");
    const struct voice_info *english = voices_for_text(voices, "Hello");
    if (japanese)
        jv_text(initial, "ja", japanese->id);
    if (english)
        jv_text(initial, "en", english->id);
    http_response_header(response, "Vary", "Accept-Language");
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_json(response, NULL, &body);
    return true;
}
