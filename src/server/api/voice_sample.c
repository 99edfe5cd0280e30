/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/voices/{id}/sample: hear a voice. The same sentence is spoken once and kept. */
#include "api/endpoint.h"
#include "api/engines.h"
#include "api/message_fields.h"
#include "api/spoken.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/files.h"
#include "store/store.h"
#include "voice/voice.h"

enum { MAX_WAV = 32 * 1024 * 1024, KEY_VERSION = 1 };

static bool check_text(const char *text, struct error *err)
{
    struct bytes bytes = bytes_of(text);
    const char *wrong = !utf8_valid(bytes)                          ? "text is not valid UTF-8"
                        : text_trim(bytes).size == 0                ? "text is empty"
                        : utf8_count(bytes) > SAMPLE_MAX_CHARACTERS ? "text is too long"
                                                                    : NULL;
    for (const char *at = text; *at && !wrong; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            wrong = "text has control characters";
    if (!wrong)
        return true;
    error_set(err, ERROR_INVALID, "%s (at most %d characters)", wrong, SAMPLE_MAX_CHARACTERS);
    return error_about(err, "text", "parameter_invalid");
}

static struct store_key key_of(const struct voice_info *voice, const char *text)
{
    AUTO(mem_free) char *inputs = xasprintf("sample %d %s %s", KEY_VERSION, voice->id, text);
    return store_key_hash(STORE_INTERMEDIATE, hash128_of(bytes_of(inputs)), ".wav");
}

static bool speak(struct api *api, struct voices *voices, const struct voice_info *voice,
                  const char *text, const struct store_key *key, struct error *err)
{
    AUTO(buf_dispose) struct buf wav = BUF(MAX_WAV);
    const struct voice_request request = {
        .voice_id = voice->id,
        .text = text,
        .speed = 1,
        .intonation = 1,
        .volume = 1,
        .pause = 1,
    };
    return spoken_wav(voices, &request, &wav, err) &&
           store_put(api->store, key, buf_bytes(&wav), err);
}

bool api_voice_sample(struct api *api, const struct http_request *request,
                      struct http_response *response, struct error *err)
{
    struct voices *voices = engines_voices(api->engines, err);
    const char *id = http_request_param(request, "id");
    if (!voices)
        return error_wrap(err, "speak a sample");
    const struct voice_info *voice = voices_find(voices, id);
    if (!voice) {
        error_set(err, ERROR_NOT_FOUND, "no voice \"%.60s\"", id);
        return error_about(err, NULL, "not_found");
    }
    const char *text = http_request_query(request, "text");
    if (!text)
        text = strcmp(voice->language, "ja") == 0
                   ? "こんにちは。この声で、あなたのメッセージをお届けします。"
                   : "Hello! This is the voice that will bring your message.";
    if (!check_text(text, err))
        return false;
    struct store_key key = key_of(voice, text);
    struct store_object object;
    if (!store_has(api->store, &key) && !speak(api, voices, voice, text, &key, err))
        return error_wrap(err, "speak a sample");
    if (!store_open(api->store, &key, &object, err))
        return error_wrap(err, "read a sample");
    struct http_file file = {
        .fd = object.fd,
        .type = "audio/wav",
        .cache_control = "public, max-age=3600",
    };
    return http_response_file(request, response, &file, err);
}
