/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/artifact_internal.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store.h"

enum { PAYLOAD_LIMIT = 256 * 1000 * 1000, MAX_SIDE = 20000 };

struct header {
    char magic[8];
    uint64_t size;
    struct hash128 hash;
};

/* --- writing ---------------------------------------------------------------------------------- */

static void put(struct buf *out, const void *data, size_t size)
{
    /* Beyond the limit the payload stays short, which `keep` notices. */
    if (!buf_append(out, (struct bytes){data, size}, NULL))
        out->limit = 0;
}

static void put_picture(struct buf *out, const struct picture *picture)
{
    int32_t shape[3] = {picture->width, picture->height, picture->channels};
    put(out, shape, sizeof shape);
    for (int y = 0; y < picture->height; y++)
        put(out, picture_row(picture, y), (size_t)picture->width * (size_t)picture->channels);
}

static struct buf begin(void)
{
    struct buf out = BUF(PAYLOAD_LIMIT);
    struct header room = {0};
    put(&out, &room, sizeof room);
    return out;
}

static void keep(struct store *store, struct hash128 name, const char *magic, struct buf *out)
{
    struct error err;
    if (out->limit == 0) {
        log_warn("artifact.too_large", LOG_TEXT("kind", magic));
        return;
    }
    struct header header = {.size = out->size - sizeof header};
    header.hash = hash128_of((struct bytes){out->data + sizeof header, header.size});
    memcpy(header.magic, magic, strnlen(magic, sizeof header.magic));
    memcpy(out->data, &header, sizeof header);
    struct store_key key = store_key_hash(STORE_INTERMEDIATE, name, "");
    if (!store_put(store, &key, buf_bytes(out), &err))
        log_warn("artifact.not_kept", LOG_TEXT("kind", magic), LOG_ERROR(&err));
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reader {
    struct bytes rest;
    bool broken;
};

static const uint8_t *take(struct reader *reader, size_t size)
{
    if (reader->broken || reader->rest.size < size) {
        reader->broken = true;
        return NULL;
    }
    const uint8_t *at = reader->rest.data;
    reader->rest = (struct bytes){at + size, reader->rest.size - size};
    return at;
}

static void get(struct reader *reader, void *out, size_t size)
{
    const uint8_t *at = take(reader, size);
    if (at)
        memcpy(out, at, size);
    else
        memset(out, 0, size);
}

static struct picture get_picture(struct reader *reader)
{
    int32_t shape[3];
    get(reader, shape, sizeof shape);
    bool some = shape[0] > 0 && shape[0] <= MAX_SIDE && shape[1] > 0 && shape[1] <= MAX_SIDE &&
                shape[2] >= 1 && shape[2] <= 4;
    size_t row = (size_t)shape[0] * (size_t)shape[2];
    if (!some || reader->rest.size < row * (size_t)shape[1]) {
        reader->broken = reader->broken || some;
        return (struct picture){0};
    }
    struct picture picture = picture_new(shape[0], shape[1], shape[2]);
    for (int y = 0; y < picture.height; y++)
        get(reader, picture_row(&picture, y), row);
    return picture;
}

static bool fetch(struct store *store, struct hash128 name, const char *magic, struct buf *out,
                  struct reader *reader)
{
    struct store_key key = store_key_hash(STORE_INTERMEDIATE, name, "");
    struct error err;
    if (!store || !store_get(store, &key, out, &err))
        return false;
    struct header header = {0};
    if (out->size >= sizeof header)
        memcpy(&header, out->data, sizeof header);
    *reader = (struct reader){.rest = {out->data + sizeof header, out->size - sizeof header}};
    if (out->size >= sizeof header && header.size == reader->rest.size &&
        strncmp(header.magic, magic, sizeof header.magic) == 0 &&
        hash128_equal(header.hash, hash128_of(reader->rest)))
        return true;
    log_warn("artifact.damaged", LOG_TEXT("kind", magic), LOG_TEXT("name", key.name));
    if (!store_remove(store, &key, &err))
        log_warn("artifact.not_removed", LOG_ERROR(&err));
    return false;
}

/* --- the kinds -------------------------------------------------------------------------------- */

void photo_dispose(struct photo *photo)
{
    picture_dispose(&photo->picture);
    photo->face_count = 0;
}

void artifact_put_photo(struct store *store, struct hash128 name, const struct photo *photo)
{
    if (!store)
        return;
    AUTO(buf_dispose) struct buf out = begin();
    int32_t count = photo->face_count;
    put_picture(&out, &photo->picture);
    put(&out, &count, sizeof count);
    put(&out, photo->faces, (size_t)count * sizeof photo->faces[0]);
    keep(store, name, "photo", &out);
}

bool artifact_get_photo(struct store *store, struct hash128 name, struct photo *out)
{
    AUTO(buf_dispose) struct buf content = BUF(PAYLOAD_LIMIT);
    struct reader reader;
    int32_t count;
    if (!fetch(store, name, "photo", &content, &reader))
        return false;
    out->picture = get_picture(&reader);
    get(&reader, &count, sizeof count);
    if (count < 0 || count > MAX_FACES)
        reader.broken = true;
    out->face_count = reader.broken ? 0 : count;
    get(&reader, out->faces, (size_t)out->face_count * sizeof out->faces[0]);
    if (!reader.broken && out->picture.pixels)
        return true;
    photo_dispose(out);
    return false;
}

void artifact_put_portrait(struct store *store, struct hash128 name,
                           const struct portrait *portrait)
{
    if (!store)
        return;
    AUTO(buf_dispose) struct buf out = begin();
    put_picture(&out, &portrait->photo);
    put_picture(&out, &portrait->matte);
    put_picture(&out, &portrait->foreground);
    put(&out, &portrait->face, sizeof portrait->face);
    keep(store, name, "portrait", &out);
}

bool artifact_get_portrait(struct store *store, struct hash128 name, struct portrait *out)
{
    AUTO(buf_dispose) struct buf content = BUF(PAYLOAD_LIMIT);
    struct reader reader;
    if (!fetch(store, name, "portrait", &content, &reader))
        return false;
    *out = (struct portrait){0};
    out->photo = get_picture(&reader);
    out->matte = get_picture(&reader);
    out->foreground = get_picture(&reader);
    get(&reader, &out->face, sizeof out->face);
    if (!reader.broken && out->photo.pixels)
        return true;
    portrait_dispose(out);
    return false;
}

void speech_result_dispose(struct speech_result *speech)
{
    viseme_track_dispose(&speech->track);
    pcm_dispose(&speech->pcm);
}

void artifact_put_speech(struct store *store, struct hash128 name,
                         const struct speech_result *speech)
{
    if (!store)
        return;
    AUTO(buf_dispose) struct buf out = begin();
    uint64_t counts[3] = {(uint64_t)speech->pcm.rate_hz, speech->pcm.count, speech->track.count};
    put(&out, counts, sizeof counts);
    put(&out, speech->track.spans, speech->track.count * sizeof *speech->track.spans);
    put(&out, speech->pcm.samples, speech->pcm.count * sizeof *speech->pcm.samples);
    keep(store, name, "speech", &out);
}

bool artifact_get_speech(struct store *store, struct hash128 name, struct speech_result *out)
{
    AUTO(buf_dispose) struct buf content = BUF(PAYLOAD_LIMIT);
    struct reader reader;
    uint64_t counts[3];
    if (!fetch(store, name, "speech", &content, &reader))
        return false;
    get(&reader, counts, sizeof counts);
    size_t left = reader.rest.size;
    if (counts[1] > left / sizeof(float) || counts[2] > left / sizeof(struct viseme_span) ||
        counts[0] == 0 || counts[0] > 384000)
        return false;
    *out = (struct speech_result){.pcm = {.rate_hz = (int)counts[0], .count = counts[1]},
                                  .track = {.count = counts[2]}};
    out->track.spans = xcalloc(out->track.count + 1, sizeof *out->track.spans);
    out->pcm.samples = xcalloc(out->pcm.count + 1, sizeof *out->pcm.samples);
    get(&reader, out->track.spans, out->track.count * sizeof *out->track.spans);
    get(&reader, out->pcm.samples, out->pcm.count * sizeof *out->pcm.samples);
    if (!reader.broken)
        return true;
    speech_result_dispose(out);
    return false;
}
