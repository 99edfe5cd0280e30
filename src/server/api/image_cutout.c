/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/image/cutout: the photo in, its people with alpha out. */
#include <stdio.h>
#include <string.h>

#include "api/image_fields.h"
#include "api/photo_work.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "codec/codec.h"
#include "media/picture.h"

enum { WEBP_QUALITY = 90, MAX_FILE = 96 << 20 };

struct wish {
    const char *format;
    int person; /* -1: everybody */
    struct box box;
};

static bool box_parse(const char *text, struct box *out)
{
    float *const numbers[] = {&out->x, &out->y, &out->width, &out->height};
    for (int i = 0; i < 4; i++) {
        char word[32];
        size_t length = strcspn(text, ",");
        double value = 0;
        if (length >= sizeof word || (text[length] == ',') != (i < 3))
            return false;
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (!text_real(word, i < 2 ? -1e6 : 1, 1e6, &value))
            return false;
        *numbers[i] = (float)value;
        text += length + 1;
    }
    return true;
}

static bool read_box(const char *text, struct box *out, struct error *err)
{
    if (!text || !*text || box_parse(text, out))
        return true;
    error_set(err, ERROR_INVALID, "box is not x,y,width,height");
    return error_about(err, "box", "box_malformed");
}

static bool read_wish(const struct http_request *request, struct wish *out, struct error *err)
{
    static const char *const formats[] = {"png", "webp", "mask"};
    const struct http_form *form = http_request_form(request);
    double person = -1;
    *out = (struct wish){.format = http_form_text(form, "format")};
    if (!out->format || !*out->format)
        out->format = http_form_text(form, "output");
    if (!out->format || !*out->format)
        out->format = http_request_query(request, "format");
    if (!out->format)
        out->format = "png";
    bool known = false;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        known |= strcmp(out->format, formats[i]) == 0;
    if (!known) {
        error_set(err, ERROR_INVALID, "format \"%.40s\"", out->format);
        return error_about(err, "format", "picture_format_unknown");
    }
    if (!endpoint_number(cutout_fields, "person", form, &person, err) ||
        !read_box(http_form_text(form, "box"), &out->box, err))
        return false;
    out->person = (int)person;
    return true;
}

static bool choose(struct photo_work *work, const struct wish *wish, bool keep[MAX_FACES],
                   struct cutout_who *out, struct error *err)
{
    if (wish->person >= 0 && !photo_work_faces(work, err))
        return false;
    *out = photo_work_everybody(work);
    out->box = wish->box;
    if (wish->person < 0)
        return true;
    if (wish->person >= work->face_count) {
        error_set(err, ERROR_INVALID, "there is no person %d", wish->person);
        return error_about(err, "person", "person_unknown");
    }
    keep[wish->person] = true;
    out->keep = keep;
    return true;
}

/* What made the picture: whoever keeps it can tell when another model would make another one. */
static void name_model(const struct photo_work *work, struct http_response *response)
{
    http_response_header(response, "X-Image-Model", work->model);
}

static bool answer_webp(struct photo_work *work, const struct picture *picture,
                        struct http_response *response, struct error *err)
{
    AUTO(buf_dispose) struct buf file = BUF(MAX_FILE);
    if (!picture_to_webp(picture, WEBP_QUALITY, &file, err))
        return false;
    timing_mark(&work->timing, "encode");
    timing_tell(&work->timing, response);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_take(response, "image/webp", &file);
    return true;
}

static bool answer_mask(struct photo_work *work, const struct cutout_who *who,
                        struct http_response *response, struct error *err)
{
    AUTO(picture_dispose) struct picture matte = {0};
    if (!cutout_matte(work->vision, &work->photo, who, &matte, err))
        return false;
    timing_mark(&work->timing, "mask");
    name_model(work, response);
    return answer_png(work, &matte, response, err);
}

bool api_image_cutout(struct api *api, const struct http_request *request,
                      struct http_response *response, struct error *err)
{
    AUTO(photo_work_end) struct photo_work work = {0};
    AUTO(picture_dispose) struct picture cut = {0};
    struct cutout_who who;
    struct wish wish;
    bool keep[MAX_FACES] = {false};
    if (!read_wish(request, &wish, err) || !photo_work_begin(api, request, &work, err) ||
        !choose(&work, &wish, keep, &who, err))
        return error_wrap(err, "cut out");
    if (strcmp(wish.format, "mask") == 0)
        return answer_mask(&work, &who, response, err);
    if (!photo_work_cut_out(&work, &who, &cut, err))
        return error_wrap(err, "cut out");
    name_model(&work, response);
    return strcmp(wish.format, "webp") == 0 ? answer_webp(&work, &cut, response, err)
                                            : answer_png(&work, &cut, response, err);
}
