/* SPDX-License-Identifier: Apache-2.0 */
/* A still of what the video will show: the same crop, cut-out and background. */
#include "base/auto.h"
#include "base/error.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/backdrop_internal.h"
#include "pipeline/pipeline_internal.h"
#include "pipeline/thumbnail_internal.h"

enum { STILL_SIDE = 720 };

static bool portrait_of(struct pipeline *pipeline, const struct order *order, const char *path,
                        struct portrait *out, struct error *err)
{
    AUTO(photo_dispose) struct photo photo = {0};
    struct store *store = pipeline->options.store;
    char model[MODEL_KEY_SIZE];
    order_model(order, pipeline->options.vision, model);
    if (artifact_get_portrait(store, order_portrait_hash(order, model), out))
        return true;
    if (!photo_make(pipeline, path, order->image, &photo, err) ||
        !photo_check(&photo, order->face, err))
        return false;
    const struct portrait_wish wish = order_portrait(order, &photo);
    if (!portrait_make(pipeline->options.vision, &photo.picture, &wish, out, err))
        return false;
    artifact_put_portrait(store, order_portrait_hash(order, out->model), out);
    return true;
}

static void lay_over(const struct portrait *portrait, struct picture *backdrop)
{
    for (int y = 0; y < backdrop->height; y++) {
        const uint8_t *cover = picture_row(&portrait->matte, y);
        const uint8_t *over = picture_row(&portrait->foreground, y);
        uint8_t *under = picture_row(backdrop, y);
        for (int i = 0; i < 3 * backdrop->width; i++) {
            int alpha = cover[i / 3];
            under[i] = (uint8_t)((over[i] * alpha + under[i] * (255 - alpha) + 127) / 255);
        }
    }
}

bool pipeline_preview(struct pipeline *pipeline, const struct message_request *request,
                      struct buf *out, struct error *err)
{
    AUTO(order_dispose) struct order order = {0};
    AUTO(portrait_dispose) struct portrait portrait = {0};
    AUTO(picture_dispose) struct picture backdrop = {0};
    struct message_request still = *request;
    still.text = "a"; /* a still says nothing */
    const struct places places = {.image_path = request->image_path,
                                  .background_path = request->background_path};
    if (!order_make(pipeline, &still, &order, err) ||
        !hash_file(request->image_path, &order.image, err) ||
        !portrait_of(pipeline, &order, request->image_path, &portrait, err) ||
        !backdrop_make(pipeline, &order, &places, &portrait, &backdrop, err))
        return false;
    if (backdrop.pixels)
        lay_over(&portrait, &backdrop);
    return thumbnail_make(backdrop.pixels ? &backdrop : &portrait.photo, STILL_SIDE, out, err);
}
