/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/person-detection/extract-person: the chosen persons, cut out, cropped to the upper
 * body, with as much nothing around them as is asked for. */
#include <math.h>
#include <string.h>

#include "api/image_fields.h"
#include "api/persons_found.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "image/segment.h"
#include "media/picture.h"

/* The upper body ends this many heights of the face below its top. */
static const float upper_body = 4.2f;

/* The point that prompts use. */
enum { NOSE = 1 };

struct wish {
    bool keep[MAX_FACES];
    double confidence, padding, margin;
    bool add_margin;
};

static bool ids_bad(struct error *err, const char *why)
{
    error_set(err, ERROR_INVALID, "selected_person_ids: %s", why);
    return error_about(err, "selected_person_ids", "person_ids_malformed");
}

static bool read_ids(const char *text, struct wish *out, struct error *err)
{
    AUTO(jv_free) struct jv *ids = jv_parse(bytes_of(text && *text ? text : "[0]"), NULL);
    if (jv_kind(ids) != JV_ARRAY || jv_size(ids) == 0 || jv_size(ids) > MAX_FACES)
        return ids_bad(err, "no JSON list with something in it");
    for (size_t i = 0; i < jv_size(ids); i++) {
        const struct jv *item = jv_at(ids, i);
        double id = jv_as_real(item, -1);
        if (jv_kind(item) != JV_INT || id < 0)
            return ids_bad(err, "an item is no number of a person");
        if (id >= MAX_FACES) {
            error_set(err, ERROR_INVALID, "there is no person %.0f", id);
            return error_about(err, "selected_person_ids", "person_unknown");
        }
        out->keep[(int)id] = true;
    }
    return true;
}

static bool read_wish(const struct http_form *form, struct wish *out, struct error *err)
{
    const struct field *fields = extract_person_fields;
    *out = (struct wish){.add_margin = true};
    if (!read_ids(http_form_text(form, "selected_person_ids"), out, err) ||
        !endpoint_number(fields, "conf", form, &out->confidence, err) ||
        !endpoint_number(fields, "padding", form, &out->padding, err) ||
        !endpoint_number(fields, "transparent_padding_size", form, &out->margin, err) ||
        !form_switch(form, "add_transparent_padding", true, &out->add_margin, err))
        return false;
    out->margin = out->add_margin ? out->margin : 0;
    return true;
}

static const struct person_found *find(const struct persons_found *found, int id)
{
    for (int i = 0; i < found->count; i++)
        if (found->list[i].id == id)
            return &found->list[i];
    return NULL;
}

static bool somebody(const struct persons_found *found, struct error *err)
{
    if (found->count > 0)
        return true;
    error_set(err, ERROR_INVALID, "there is nobody in the photo");
    return error_about(err, "image", "image_no_face");
}

/* The box around all who are chosen, down to the end of the upper body. */
static bool crop_of(const struct photo_work *work, const struct persons_found *found,
                    const struct wish *wish, struct box *out, bool *out_upper, struct error *err)
{
    float left = INFINITY, top = INFINITY, right = 0, bottom = 0;
    *out_upper = false;
    for (int id = 0; id < MAX_FACES; id++) {
        const struct person_found *person = find(found, id);
        if (!wish->keep[id])
            continue;
        if (!person) {
            error_set(err, ERROR_INVALID, "there is no person %d", id);
            return error_about(err, "selected_person_ids", "person_unknown");
        }
        const struct box *box = &person->box, *face = &work->faces[id].box;
        float end = fminf(box->y + box->height, face->y + upper_body * face->height);
        *out_upper |= end < box->y + box->height;
        left = fminf(left, box->x), top = fminf(top, box->y);
        right = fmaxf(right, box->x + box->width), bottom = fmaxf(bottom, end);
    }
    float padding = (float)wish->padding;
    *out = (struct box){left - padding, top - padding, right - left + 2 * padding,
                        bottom - top + 2 * padding};
    return true;
}

/* Replaces the photo of the work by its part, and moves the faces along: the network sees more of
 * the persons when they fill the picture. */
static void work_crop(struct photo_work *work, struct box *box)
{
    struct picture part = picture_part(&work->photo, box);
    picture_dispose(&work->photo);
    work->photo = part;
    if (work->alpha.pixels) {
        struct picture alpha = picture_part(&work->alpha, box);
        picture_dispose(&work->alpha);
        work->alpha = alpha;
    }
    for (int i = 0; i < work->face_count; i++) {
        work->faces[i].box.x -= box->x;
        work->faces[i].box.y -= box->y;
        work->faces[i].points[NOSE].x -= box->x;
        work->faces[i].points[NOSE].y -= box->y;
    }
}

/* Whoever asks for one person after the other has the photo looked at once, by networks that are
 * told whom to cut out (see session_first); unless this one would be too small in it to be cut out
 * well. */
static bool whole_will_do(const struct photo_work *work, const struct box *crop)
{
    const float enough = 0.35f;
    float photo = fmaxf((float)work->photo.width, (float)work->photo.height);
    return segment_takes_prompts(vision_segment(work->vision), false) &&
           fmaxf(crop->width, crop->height) >= enough * photo;
}

static bool cut_persons(struct photo_work *work, const struct wish *wish, struct box *crop,
                        struct picture *out, struct error *err)
{
    AUTO(picture_dispose) struct picture whole = {0};
    bool all = whole_will_do(work, crop);
    if (!all)
        work_crop(work, crop);
    struct cutout_who who = photo_work_everybody(work);
    who.keep = wish->keep;
    if (!all)
        return photo_work_cut_out(work, &who, out, err);
    if (!photo_work_cut_out(work, &who, &whole, err))
        return false;
    *out = picture_part(&whole, crop);
    return true;
}

static struct picture with_margin(const struct picture *picture, int margin)
{
    struct picture out =
        picture_new(picture->width + 2 * margin, picture->height + 2 * margin, PICTURE_RGBA);
    memset(out.pixels, 0, out.stride * (size_t)out.height);
    for (int y = 0; y < picture->height; y++)
        memcpy(picture_row(&out, y + margin) + 4 * (size_t)margin, picture_row(picture, y),
               4 * (size_t)picture->width);
    return out;
}

static void put_metadata(struct jv *body, const struct wish *wish, const struct box *crop,
                         int width, int height)
{
    struct jv *data = jv_put_object(body, "crop_metadata");
    jv_int(data, "x", (int64_t)crop->x);
    jv_int(data, "y", (int64_t)crop->y);
    jv_int(data, "width", (int64_t)crop->width);
    jv_int(data, "height", (int64_t)crop->height);
    jv_int(data, "original_width", width);
    jv_int(data, "original_height", height);
    jv_int(data, "padding", (int64_t)wish->padding);
    jv_int(data, "transparent_padding", (int64_t)wish->margin);
    struct jv *ids = jv_put_array(data, "selected_person_ids");
    for (int id = 0; id < MAX_FACES; id++)
        if (wish->keep[id])
            jv_push_int(ids, id);
}

bool api_person_extract(struct api *api, const struct http_request *request,
                        struct http_response *response, struct error *err)
{
    AUTO(photo_work_end) struct photo_work work = {0};
    AUTO(picture_dispose) struct picture cut = {0};
    AUTO(jv_free) struct jv *body = jv_object();
    struct persons_found found;
    struct wish wish;
    struct box crop;
    bool upper = false;
    if (!read_wish(http_request_form(request), &wish, err) ||
        !photo_work_begin(api, request, &work, err) ||
        !persons_find(&work, (float)wish.confidence, &found, err) || !somebody(&found, err) ||
        !crop_of(&work, &found, &wish, &crop, &upper, err))
        return error_wrap(err, "extract persons");
    int width = work.photo.width, height = work.photo.height;
    if (!cut_persons(&work, &wish, &crop, &cut, err))
        return error_wrap(err, "extract persons");
    AUTO(picture_dispose) struct picture framed = with_margin(&cut, (int)wish.margin);
    jv_bool(body, "success", true);
    if (!put_png_url(body, "processed_image", &framed, err))
        return false;
    struct jv *size = jv_put_object(body, "image_dimensions");
    jv_int(size, "width", framed.width);
    jv_int(size, "height", framed.height);
    jv_bool(body, "upper_body_cropped", upper);
    put_metadata(body, &wish, &crop, width, height);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
