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
    struct cut_point points[CUT_POINTS];
    int point_count;
    bool hint;
};

/* `count` numbers or fewer, separated by commas, up to a semicolon or the end. -1: it is none. */
static int numbers_parse(const char *text, double *out, int count, size_t *out_length)
{
    const char *start = text;
    for (int i = 0; i < count; i++) {
        char word[32];
        size_t length = strcspn(text, ",;");
        if (length >= sizeof word)
            return -1;
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (!text_real(word, -1e6, 1e6, &out[i]))
            return -1;
        text += length;
        if (*text != ',') {
            *out_length = (size_t)(text - start);
            return i + 1;
        }
        text++;
    }
    return -1;
}

static bool box_parse(const char *text, struct box *out)
{
    double numbers[4];
    size_t length;
    if (numbers_parse(text, numbers, 4, &length) != 4 || text[length] || numbers[2] < 1 ||
        numbers[3] < 1)
        return false;
    *out = (struct box){(float)numbers[0], (float)numbers[1], (float)numbers[2], (float)numbers[3]};
    return true;
}

/* "120,80;300,90,0" */
static bool points_parse(const char *text, struct wish *out)
{
    for (;; text++) {
        double numbers[3] = {0, 0, 1};
        size_t length;
        int count = numbers_parse(text, numbers, 3, &length);
        if (count < 2 || out->point_count == CUT_POINTS || (numbers[2] != 0 && numbers[2] != 1))
            return false;
        out->points[out->point_count++] =
            (struct cut_point){(float)numbers[0], (float)numbers[1], numbers[2] == 0};
        text += length;
        if (!*text)
            return true;
    }
}

static bool points_bad(struct error *err)
{
    error_set(err, ERROR_INVALID, "point is not x,y within the photo");
    return error_about(err, "point", "point_malformed");
}

static bool read_points(const char *text, struct wish *out, struct error *err)
{
    return !text || !*text || points_parse(text, out) || points_bad(err);
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
        !read_box(http_form_text(form, "box"), &out->box, err) ||
        !read_points(http_form_text(form, "point"), out, err) ||
        !form_switch(form, "hint", false, &out->hint, err))
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
    out->hint = wish->hint;
    out->point_count = wish->point_count;
    for (int i = 0; i < wish->point_count; i++) {
        const struct cut_point *point = &wish->points[i];
        if (point->x < 0 || point->y < 0 || point->x >= (float)work->photo.width ||
            point->y >= (float)work->photo.height)
            return points_bad(err);
        out->points[i] = *point;
    }
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
    http_response_header(response, "X-Image-Prompt", work->told ? "taken" : "ignored");
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
