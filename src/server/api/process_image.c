/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/process-image, of the earlier application: any of clearer, without its background,
 * before another one. */
#include <string.h>

#include "api/endpoint.h"
#include "api/image_upload.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "image/cutout.h"
#include "media/resample.h"

enum { MAX_SIDE = 2048 };

/* Stretches the tones between the darkest and the brightest half per cent, the same for all
 * channels, so that colours stay what they are. */
static void enhance(const struct picture *photo)
{
    unsigned counts[256] = {0}, total = 0, seen = 0;
    for (int y = 0; y < photo->height; y++)
        for (int x = 0; x < 3 * photo->width; x++, total++)
            counts[picture_row(photo, y)[x]]++;
    int low = 0, high = 255;
    for (seen = 0; low < 255 && seen + counts[low] < total / 200; low++)
        seen += counts[low];
    for (seen = 0; high > 0 && seen + counts[high] < total / 200; high--)
        seen += counts[high];
    if (high - low < 64)
        return; /* a fog, or a drawing: that is how it is meant */
    for (int y = 0; y < photo->height; y++)
        for (int x = 0; x < 3 * photo->width; x++) {
            uint8_t *value = picture_row(photo, y) + x;
            int stretched = (*value - low) * 255 / (high - low);
            *value = (uint8_t)(stretched < 0 ? 0 : stretched > 255 ? 255 : stretched);
        }
}

/* The background fills the picture; what does not fit is cut evenly. */
static void lay_over(const struct picture *cutout, const struct picture *background,
                     struct picture *out)
{
    float scale_x = (float)background->width / (float)cutout->width;
    float scale_y = (float)background->height / (float)cutout->height;
    float scale = scale_x < scale_y ? scale_x : scale_y;
    float width = (float)cutout->width * scale, height = (float)cutout->height * scale;
    struct box part = {((float)background->width - width) / 2,
                       ((float)background->height - height) / 2, width, height};
    *out = picture_new(cutout->width, cutout->height, PICTURE_RGB);
    picture_resample(background, part, RESAMPLE_CUBIC, out);
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            const uint8_t *front = picture_row(cutout, y) + 4 * x;
            uint8_t *to = picture_row(out, y) + 3 * x;
            for (int c = 0; c < 3; c++)
                to[c] = (uint8_t)((front[c] * front[3] + to[c] * (255 - front[3]) + 127) / 255);
        }
}

static bool process(struct api *api, const struct http_form *form, struct jv *body,
                    struct error *err)
{
    bool removes, enhances, replaces = http_form_file(form, "background") != NULL;
    struct vision *vision;
    AUTO(picture_dispose) struct picture photo = {0};
    AUTO(picture_dispose) struct picture cutout = {0};
    AUTO(picture_dispose) struct picture behind = {0};
    AUTO(picture_dispose) struct picture joined = {0};
    if (!image_flag(form, "remove_background", true, &removes, err) ||
        !image_flag(form, "enhance_quality", false, &enhances, err) ||
        !image_upload(api, form, "image", MAX_SIDE, &vision, &photo, err) ||
        (replaces && !image_upload(api, form, "background", MAX_SIDE, &vision, &behind, err)))
        return false;
    if (enhances)
        enhance(&photo);
    const struct picture *result = &photo;
    if (removes || replaces) {
        if (!cutout_make(vision, &photo, NULL, NULL, &cutout, err))
            return false;
        result = &cutout;
    }
    if (replaces) {
        lay_over(&cutout, &behind, &joined);
        result = &joined;
    }
    jv_bool(body, "success", true);
    if (!image_put_data(body, "processed_image", result, err))
        return false;
    struct jv *info = jv_put_object(body, "processing_info");
    jv_int(info, "width", result->width);
    jv_int(info, "height", result->height);
    jv_bool(info, "background_removed", removes || replaces);
    jv_bool(info, "background_replaced", replaces);
    jv_bool(info, "quality_enhanced", enhances);
    jv_text(body, "message", "done");
    return true;
}

bool api_process_image(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    AUTO(jv_free) struct jv *body = jv_object();
    if (!process(api, http_request_form(request), body, err))
        return error_wrap(err, "process an image");
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
