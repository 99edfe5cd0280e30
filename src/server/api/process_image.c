/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/process-image: the earlier application's picture step in one call. */
#include "api/image_fields.h"
#include "api/photo_work.h"
#include "base/error.h"
#include "base/jv.h"
#include "image/enhance.h"
#include "media/picture.h"
#include "media/scale.h"

enum { BACKGROUND_SIDE = 4096 };

struct wish {
    bool remove, enhance;
    const char *background; /* a file of ours, or NULL */
};

static bool read_wish(const struct http_form *form, struct wish *out, struct error *err)
{
    *out = (struct wish){.background = http_form_file(form, "background")};
    if (out->background && http_form_file_size(form, "background") == 0)
        out->background = NULL; /* a field of a page that was left empty */
    return form_switch(form, "remove_background", true, &out->remove, err) &&
           form_switch(form, "enhance_quality", false, &out->enhance, err);
}

static void lay_over(const struct picture *cut, struct picture *under)
{
    for (int y = 0; y < under->height; y++) {
        const uint8_t *over = picture_row(cut, y);
        uint8_t *row = picture_row(under, y);
        for (int x = 0; x < under->width; x++)
            for (int c = 0; c < 3; c++) {
                int alpha = over[4 * x + 3];
                row[3 * x + c] =
                    (uint8_t)((over[4 * x + c] * alpha + row[3 * x + c] * (255 - alpha) + 127) /
                              255);
            }
    }
}

static bool put_behind(const struct photo_work *work, const char *path, const struct picture *cut,
                       struct jv *body, struct error *err)
{
    AUTO(picture_dispose) struct picture file = {0};
    if (!vision_decode(work->vision, path, BACKGROUND_SIDE, &file, err)) {
        if (err && err->field)
            err->field = "background";
        return false;
    }
    AUTO(picture_dispose) struct picture plain = picture_on_white(&file);
    AUTO(picture_dispose) struct picture under = picture_cover(&plain, cut->width, cut->height);
    lay_over(cut, &under);
    return put_jpeg_url(body, "processed_image", &under, err);
}

static bool process(struct photo_work *work, const struct wish *wish, struct jv *body,
                    struct error *err)
{
    AUTO(picture_dispose) struct picture cut = {0};
    if (!wish->remove)
        return put_jpeg_url(body, "processed_image", &work->photo, err);
    struct cutout_who who = photo_work_everybody(work);
    if (!photo_work_cut_out(work, &who, &cut, err))
        return false;
    return wish->background ? put_behind(work, wish->background, &cut, body, err)
                            : put_png_url(body, "processed_image", &cut, err);
}

static void put_info(struct jv *body, const struct photo_work *work, const struct wish *wish)
{
    bool alpha = wish->remove && !wish->background;
    struct jv *info = jv_put_object(body, "processing_info");
    jv_int(info, "width", work->photo.width);
    jv_int(info, "height", work->photo.height);
    jv_bool(info, "background_removed", wish->remove);
    jv_bool(info, "background_replaced", wish->remove && wish->background);
    jv_bool(info, "quality_enhanced", wish->enhance);
    jv_text(info, "format", alpha ? "png" : "jpeg");
}

bool api_process_image(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    static const char *const done[] = {
        [LANGUAGE_JA] = "画像を処理しました。", [LANGUAGE_EN] = "The picture was processed."};
    AUTO(photo_work_end) struct photo_work work = {0};
    AUTO(jv_free) struct jv *body = jv_object();
    struct wish wish;
    if (!read_wish(http_request_form(request), &wish, err) ||
        !photo_work_begin(api, request, &work, err))
        return error_wrap(err, "process a picture");
    if (wish.enhance)
        picture_enhance(&work.photo);
    jv_bool(body, "success", true);
    if (!process(&work, &wish, body, err))
        return error_wrap(err, "process a picture");
    put_info(body, &work, &wish);
    jv_text(body, "message", done[api_language(request)]);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
