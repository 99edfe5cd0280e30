/* SPDX-License-Identifier: Apache-2.0 */
/* A request in the form in which it is worked on: checked, defaults filled in, files named by
 * their artifacts. It travels through the queue as JSON. */
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "image/models.h"
#include "pipeline/pipeline.h"
#include "store/store.h"

struct hasher;
struct jv;

struct format {
    const char *name;
    int width, height, fps;
    const char *file_suffix; /* of pictures that are drawn for it */
};
/* NULL for an unknown one; the default for NULL and "". */
const struct format *format_find(const char *name);
/* "#c81e5a". */
MUST_USE bool color_parse(const char *text, uint8_t out[3]);

enum backdrop { BACKDROP_KEEP, BACKDROP_BLUR, BACKDROP_COLOR, BACKDROP_PRESET, BACKDROP_UPLOAD };

struct order {
    char *text; /* without white space around it */
    char voice[64];
    const struct format *format;
    enum backdrop backdrop;
    uint8_t color[3]; /* red, green, blue */
    char preset[64];
    char bgm[64]; /* "" for none */
    double speed, pitch, intonation, volume, pause;
    int face;
    bool motion;
    struct hash128 image, background; /* of the files' bytes */
};
void order_dispose(struct order *order);
MUST_USE struct order order_copy(const struct order *order);
static inline void order_dispose_auto(struct order *order)
{
    order_dispose(order);
}

/* Everything but the hashes. Errors as message_check. */
MUST_USE bool order_make(struct pipeline *pipeline, const struct message_request *request,
                         struct order *out, struct error *err);
MUST_USE char *order_write(const struct order *order);
MUST_USE bool order_read(const char *json, struct order *out, struct error *err);

/* The names of what is made from it. */
struct hash128 order_speech_hash(const struct order *order);
/* `model`: what cuts the person out, as order_model says it will, or as it did. */
void order_model(const struct order *order, const struct vision *vision, char out[MODEL_KEY_SIZE]);
struct hash128 order_portrait_hash(const struct order *order, const char *model);
struct hash128 order_video_hash(const struct order *order);
/* The same of what is published: another model that cuts people out makes another video. */
struct hash128 order_result_hash(const struct order *order, const char *model);
struct hash128 photo_hash(struct hash128 image);

/* Is the person to be separated from the background? */
static inline bool order_cut_out(const struct order *order)
{
    return order->motion || order->backdrop != BACKDROP_KEEP;
}

MUST_USE bool hash_file(const char *path, struct hash128 *out, struct error *err);
bool hash128_parse(const char *text, struct hash128 *out);
