/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/presets/…: built-in backgrounds and music. */
#include "api/presets.h"

#include "api/endpoint.h"
#include "api/wav.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/jv.h"
#include "base/mem.h"
#include "http/files.h"
#include "sound/music.h"
#include "store/store.h"

enum { MAX_MANIFEST = 256 * 1024, PREVIEW_RATE_HZ = 24000, PREVIEW_S = 12, MUSIC_VERSION = 1 };

struct presets {
    struct http_tree *files; /* assets/backgrounds */
    struct jv *manifest;
};

struct presets *presets_open(const char *assets_dir, struct error *err)
{
    AUTO(mem_free) char *folder = xasprintf("%s/backgrounds", assets_dir);
    AUTO(mem_free) char *path = xasprintf("%s/manifest.json", folder);
    AUTO(buf_dispose) struct buf text = BUF(MAX_MANIFEST);
    AUTO(jv_free) struct jv *manifest = NULL;
    if (!file_read(path, &text, err))
        return NULL;
    manifest = jv_parse(buf_bytes(&text), err);
    struct http_tree *files = manifest ? http_tree_open(folder, err) : NULL;
    if (!files) {
        error_wrap(err, "presets");
        return NULL;
    }
    struct presets *presets = xcalloc(1, sizeof *presets);
    presets->files = files;
    presets->manifest = TAKE(manifest);
    return presets;
}

void presets_close(struct presets *presets)
{
    if (!presets)
        return;
    http_tree_close(presets->files);
    jv_free(presets->manifest);
    free(presets);
}

static bool unknown(struct error *err, const char *id)
{
    error_set(err, ERROR_NOT_FOUND, "no preset \"%.60s\"", id);
    return error_about(err, NULL, "preset_unknown");
}

static void put_url(struct jv *object, const char *key, const char *id, const char *file)
{
    AUTO(mem_free) char *url = xasprintf("/api/presets/backgrounds/%s/%s", id, file);
    jv_text(object, key, url);
}

/* All of it is ours. */
static void put_origin(struct jv *object)
{
    jv_text(object, "licence", "Apache-2.0");
    jv_text(object, "attribution", "Video Message App");
}

bool api_preset_backgrounds(struct api *api, const struct http_request *request,
                            struct http_response *response, struct error *err)
{
    bool english = api_language(request) == LANGUAGE_EN;
    AUTO(jv_free) struct jv *body = jv_object();
    struct jv *list = jv_put_array(body, "backgrounds");
    const struct jv *rows = api->presets ? jv_get(api->presets->manifest, "backgrounds") : NULL;
    for (size_t i = 0; i < jv_size(rows); i++) {
        const struct jv *row = jv_at(rows, i);
        const char *id = jv_get_text(row, "id", "");
        struct jv *object = jv_push_object(list);
        jv_text(object, "id", id);
        jv_text(object, "name", jv_get_text(row, english ? "name_en" : "name_ja", id));
        jv_text(object, "category", jv_get_text(row, "category", ""));
        put_origin(object);
        put_url(object, "thumbnail", id, "thumbnail");
        put_url(object, "image", id, "image");
    }
    http_response_header(response, "Vary", "Accept-Language");
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_json(response, NULL, &body);
    return true;
}

bool api_preset_background_file(struct api *api, const struct http_request *request,
                                struct http_response *response, struct error *err)
{
    const char *id = http_request_param(request, "id");
    const char *wanted = http_request_param(request, "file");
    const struct jv *rows = api->presets ? jv_get(api->presets->manifest, "backgrounds") : NULL;
    const char *name = NULL;
    for (size_t i = 0; i < jv_size(rows) && !name; i++) {
        const struct jv *row = jv_at(rows, i);
        if (strcmp(jv_get_text(row, "id", ""), id) != 0)
            continue;
        name = jv_get_text(jv_get(row, "images"), wanted, NULL);
        bool named = strcmp(wanted, "image") == 0 || strcmp(wanted, "thumbnail") == 0;
        if (!name && named)
            name = jv_get_text(row, wanted, NULL);
    }
    if (!api->presets || !name)
        return unknown(err, id);
    struct http_file file = {
        .fd = http_tree_open_file(api->presets->files, name, err),
        .type = http_type_of(name),
        .cache_control = "public, max-age=3600",
    };
    return file.fd >= 0 && http_response_file(request, response, &file, err);
}

bool api_preset_music(struct api *api, const struct http_request *request,
                      struct http_response *response, struct error *err)
{
    bool english = api_language(request) == LANGUAGE_EN;
    AUTO(jv_free) struct jv *body = jv_object();
    struct jv *list = jv_put_array(body, "music");
    for (size_t i = 0; i < music_count(); i++) {
        const struct music_info *music = music_at(i);
        AUTO(mem_free) char *url = xasprintf("/api/presets/music/%s/preview", music->id);
        struct jv *object = jv_push_object(list);
        jv_text(object, "id", music->id);
        jv_text(object, "name", english ? music->name_en : music->name_ja);
        jv_text(object, "description", english ? music->description_en : music->description_ja);
        jv_text(object, "mood", music->mood);
        jv_text(object, "category", "music");
        put_origin(object);
        jv_text(object, "preview", url);
    }
    http_response_header(response, "Vary", "Accept-Language");
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_json(response, NULL, &body);
    return true;
}

static bool play(struct api *api, const struct music_info *music, const struct store_key *key,
                 struct error *err)
{
    size_t count = (size_t)PREVIEW_RATE_HZ * PREVIEW_S;
    AUTO(buf_dispose) struct buf wav = BUF(count * 2 + 64);
    AUTO(pcm_dispose) struct pcm sound = music_play(music, PREVIEW_RATE_HZ, count);
    return wav_header(&wav, PREVIEW_RATE_HZ, sound.count, err) &&
           wav_samples(&wav, sound.samples, sound.count, err) &&
           store_put(api->store, key, buf_bytes(&wav), err);
}

bool api_preset_music_file(struct api *api, const struct http_request *request,
                           struct http_response *response, struct error *err)
{
    const char *id = http_request_param(request, "id");
    const struct music_info *music = music_find(id);
    if (!music)
        return unknown(err, id);
    AUTO(mem_free) char *inputs = xasprintf("music preview %d %s", MUSIC_VERSION, music->id);
    struct store_key key = store_key_hash(STORE_INTERMEDIATE, hash128_of(bytes_of(inputs)), ".wav");
    struct store_object object;
    if (!store_has(api->store, &key) && !play(api, music, &key, err))
        return error_wrap(err, "play %s", id);
    if (!store_open(api->store, &key, &object, err))
        return error_wrap(err, "play %s", id);
    struct http_file file = {
        .fd = object.fd, .type = "audio/wav", .cache_control = "public, max-age=3600"};
    return http_response_file(request, response, &file, err);
}
