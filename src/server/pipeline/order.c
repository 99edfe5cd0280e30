/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as JSON, and the names of what is made from them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "image/portrait.h"
#include "image/segment.h"
#include "pipeline/request_internal.h"

/* Raised when the stage gives something else for the same input; artifacts of before are then
 * made anew. */
enum { PHOTO_VERSION = 1, PORTRAIT_VERSION = 5, SPEECH_VERSION = 1, VIDEO_VERSION = 4 };

static const char *const backdrop_names[] = {"keep", "blur", "color", "preset", "upload"};

static void put_hash(struct jv *object, const char *key, struct hash128 hash)
{
    char text[HASH128_TEXT_SIZE];
    hash128_text(hash, text);
    jv_text(object, key, text);
}

static struct jv *order_jv(const struct order *order)
{
    struct jv *value = jv_object();
    jv_text(value, "text", order->text);
    jv_text(value, "voice", order->voice);
    jv_text(value, "format", order->format->name);
    jv_text(value, "background", backdrop_names[order->backdrop]);
    char color[16];
    snprintf(color, sizeof color, "#%02x%02x%02x", order->color[0], order->color[1],
             order->color[2]);
    jv_text(value, "color", color);
    jv_text(value, "preset", order->preset);
    jv_text(value, "bgm", order->bgm);
    jv_real(value, "speed", order->speed);
    jv_real(value, "pitch", order->pitch);
    jv_real(value, "intonation", order->intonation);
    jv_real(value, "volume", order->volume);
    jv_real(value, "pause", order->pause);
    jv_int(value, "face", order->face);
    jv_bool(value, "motion", order->motion);
    put_hash(value, "image", order->image);
    put_hash(value, "background_image", order->background);
    return value;
}

char *order_write(const struct order *order)
{
    AUTO(jv_free) struct jv *value = order_jv(order);
    AUTO(buf_dispose) struct buf out = BUF(1 << 20);
    struct error err;
    return jv_write(value, false, &out, &err) ? buf_take(&out) : xstrdup("{}");
}

static int hex(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool hash128_parse(const char *text, struct hash128 *out)
{
    if (strlen(text) != HASH128_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        int high = hex(text[2 * i]), low = hex(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void copy(char *out, size_t size, const struct jv *value, const char *key)
{
    snprintf(out, size, "%s", jv_get_text(value, key, ""));
}

static bool order_fill(const struct jv *value, struct order *out)
{
    const char *backdrop = jv_get_text(value, "background", "");
    bool known = false;
    for (int i = BACKDROP_KEEP; i <= BACKDROP_UPLOAD; i++)
        if (strcmp(backdrop, backdrop_names[i]) == 0) {
            out->backdrop = (enum backdrop)i;
            known = true;
        }
    if (!color_parse(jv_get_text(value, "color", ""), out->color))
        memset(out->color, 0, sizeof out->color);
    out->text = xstrdup(jv_get_text(value, "text", ""));
    copy(out->voice, sizeof out->voice, value, "voice");
    copy(out->preset, sizeof out->preset, value, "preset");
    copy(out->bgm, sizeof out->bgm, value, "bgm");
    out->format = format_find(jv_get_text(value, "format", "?"));
    out->speed = jv_get_real(value, "speed", 1);
    out->pitch = jv_get_real(value, "pitch", 0);
    out->intonation = jv_get_real(value, "intonation", 1);
    out->volume = jv_get_real(value, "volume", 1);
    out->pause = jv_get_real(value, "pause", 1);
    out->face = (int)jv_get_int(value, "face", 0);
    out->motion = jv_get_bool(value, "motion", true);
    return known && out->format && hash128_parse(jv_get_text(value, "image", ""), &out->image) &&
           hash128_parse(jv_get_text(value, "background_image", ""), &out->background);
}

bool order_read(const char *json, struct order *out, struct error *err)
{
    *out = (struct order){0};
    AUTO(jv_free) struct jv *value = jv_parse(bytes_of(json), err);
    if (!value)
        return false;
    if (order_fill(value, out))
        return true;
    order_dispose(out);
    return error_set(err, ERROR_INVALID, "the request in the queue cannot be read");
}

/* `kind` and all that follows, up to NULL. */
static struct hash128 hash_texts(const char *const *texts)
{
    AUTO(hasher_free) struct hasher *hasher = hasher_new();
    for (; *texts; texts++)
        hasher_add(hasher, (struct bytes){(const uint8_t *)*texts, strlen(*texts) + 1});
    return hasher_end(hasher);
}

struct hash128 photo_hash(struct hash128 image)
{
    char version[32], text[HASH128_TEXT_SIZE];
    snprintf(version, sizeof version, "photo %d", PHOTO_VERSION);
    hash128_text(image, text);
    return hash_texts((const char *const[]){version, text, NULL});
}

struct hash128 order_speech_hash(const struct order *order)
{
    char version[32], numbers[192];
    snprintf(version, sizeof version, "speech %d", SPEECH_VERSION);
    snprintf(numbers, sizeof numbers, "%.6g %.6g %.6g %.6g %.6g", order->speed, order->pitch,
             order->intonation, order->volume, order->pause);
    return hash_texts(
        (const char *const[]){version, order->voice, order->text, order->bgm, numbers, NULL});
}

void order_model(const struct order *order, const struct vision *vision, char out[MODEL_KEY_SIZE])
{
    out[0] = '\0';
    if (order_cut_out(order))
        memcpy(out, segment_chosen(vision_segment(vision)).model, MODEL_KEY_SIZE);
}

struct hash128 order_portrait_hash(const struct order *order, const char *model)
{
    char version[32], rest[64], text[HASH128_TEXT_SIZE];
    snprintf(version, sizeof version, "portrait %d", PORTRAIT_VERSION);
    snprintf(rest, sizeof rest, "%d %d %d", order->face, order_cut_out(order),
             order->backdrop == BACKDROP_KEEP);
    hash128_text(photo_hash(order->image), text);
    return hash_texts((const char *const[]){version, text, order->format->name, rest, model, NULL});
}

struct hash128 order_video_hash(const struct order *order)
{
    char version[96];
    snprintf(version, sizeof version, "video %d %d %d %d", VIDEO_VERSION, PHOTO_VERSION,
             PORTRAIT_VERSION, SPEECH_VERSION);
    AUTO(mem_free) char *json = order_write(order);
    return hash_texts((const char *const[]){version, json, NULL});
}

struct hash128 order_result_hash(const struct order *order, const char *model)
{
    char text[HASH128_TEXT_SIZE];
    hash128_text(order_video_hash(order), text);
    return hash_texts((const char *const[]){text, model, NULL});
}

bool hash_file(const char *path, struct hash128 *out, struct error *err)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_os(err, errno, "open %s", path);
    AUTO(hasher_free) struct hasher *hasher = hasher_new();
    uint8_t chunk[32768];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_os(err, errno, "read %s", path);
        if (got == 0)
            break;
        hasher_add(hasher, (struct bytes){chunk, (size_t)got});
    }
    *out = hasher_end(hasher);
    return true;
}
