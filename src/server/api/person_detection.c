/* SPDX-License-Identifier: Apache-2.0 */
/* The earlier application's routes for choosing a person: POST /api/person-detection/detect and
 * /api/person-detection/extract-person. A person is who has a face; ids count from the largest. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/image_fields.h"
#include "api/image_upload.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/sha256.h"
#include "image/cutout.h"
#include "image/cutter.h"
#include "image/portrait.h"
#include "media/resample.h"

enum { MAX_SIDE = 2048, THUMBNAIL_SIDE = 96 };

struct persons {
    struct vision *vision;
    struct picture photo;
    struct face *faces; /* MAX_FACES */
    int count;
    double confidence;
};

static void persons_dispose_auto(struct persons *persons)
{
    picture_dispose(&persons->photo);
    free(persons->faces);
}

static bool persons_find(struct api *api, const struct http_form *form, struct persons *out,
                         struct error *err)
{
    out->confidence = 0.5;
    out->faces = malloc(MAX_FACES * sizeof *out->faces);
    if (!out->faces || !endpoint_number(person_fields, "conf", form, &out->confidence, err) ||
        !image_upload(api, form, "image", MAX_SIDE, &out->vision, &out->photo, err) ||
        !vision_faces(out->vision, &out->photo, out->faces, &out->count, err))
        return false;
    int kept = 0;
    for (int i = 0; i < out->count; i++)
        if ((double)out->faces[i].score >= out->confidence)
            out->faces[kept++] = out->faces[i];
    out->count = kept;
    return true;
}

static bool put_thumbnail(struct jv *object, const struct persons *persons, const struct face *face,
                          struct error *err)
{
    AUTO(picture_dispose)
    struct picture small = picture_new(THUMBNAIL_SIDE, THUMBNAIL_SIDE, PICTURE_RGB);
    float side = fmaxf(face->box.width, face->box.height) * 1.6f;
    struct box around = {face->box.x + (face->box.width - side) / 2,
                         face->box.y + (face->box.height - side) / 2, side, side};
    picture_resample(&persons->photo, around, RESAMPLE_CUBIC, &small);
    return image_put_data(object, "thumbnail", &small, err);
}

static bool put_person(struct jv *list, int id, const struct persons *persons, struct error *err)
{
    const struct face *face = &persons->faces[id];
    struct box box = image_person_box(face, &persons->photo);
    struct jv *object = jv_push_object(list);
    jv_int(object, "person_id", id);
    struct jv *corners = jv_put_object(object, "bbox");
    jv_int(corners, "x1", lrintf(box.x));
    jv_int(corners, "y1", lrintf(box.y));
    jv_int(corners, "x2", lrintf(box.x + box.width));
    jv_int(corners, "y2", lrintf(box.y + box.height));
    jv_real(object, "confidence", (double)face->score);
    struct error unusable;
    jv_bool(object, "usable", face_usable(face, &persons->photo, &unusable));
    return put_thumbnail(object, persons, face, err);
}

bool api_person_detect(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    AUTO(persons_dispose) struct persons persons = {0};
    const struct http_form *form = http_request_form(request);
    char digest[SHA256_TEXT_SIZE];
    if (!persons_find(api, form, &persons, err) ||
        !sha256_file(http_form_file(form, "image"), digest, err))
        return error_wrap(err, "find persons");
    AUTO(jv_free) struct jv *body = jv_object();
    digest[16] = '\0';
    jv_text(body, "image_id", digest);
    jv_text(body, "filename", "image");
    jv_int(body, "person_count", persons.count);
    jv_int(body, "width", persons.photo.width);
    jv_int(body, "height", persons.photo.height);
    struct jv *list = jv_put_array(body, "persons");
    for (int i = 0; i < persons.count; i++)
        if (!put_person(list, i, &persons, err))
            return false;
    struct jv *parameters = jv_put_object(body, "parameters");
    jv_real(parameters, "conf", persons.confidence);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}

/* The ids as a JSON list; without it, the first. Sets selected[id]. */
static bool selection_read(const struct http_form *form, const struct persons *persons,
                           bool selected[MAX_FACES], struct error *err)
{
    const char *text = http_form_text(form, "selected_person_ids");
    if (persons->count == 0) {
        error_set(err, ERROR_INVALID, "there is nobody in the photo");
        return error_about(err, "image", "image_no_face");
    }
    AUTO(jv_free) struct jv *list = jv_parse(bytes_of(text && *text ? text : "[0]"), NULL);
    bool fine = jv_kind(list) == JV_ARRAY && jv_size(list) > 0;
    for (size_t i = 0; fine && i < jv_size(list); i++) {
        double id = jv_as_real(jv_at(list, i), -1);
        fine = id >= 0 && id < persons->count && id == floor(id);
        if (fine)
            selected[(int)id] = true;
    }
    if (fine)
        return true;
    error_set(err, ERROR_INVALID, "selected_person_ids is a list of ids below %d", persons->count);
    return error_about(err, "selected_person_ids", "value_unknown");
}

/* Cuts out everybody who is in the picture, keeps the columns that are nearer to a chosen person
 * than to another, and within the chosen ones' boxes. */
static bool extract(const struct persons *persons, const bool selected[MAX_FACES],
                    struct picture *out, struct error *err)
{
    struct box keep = {0};
    int first = -1;
    for (int i = 0; i < persons->count; i++) {
        if (!selected[i])
            continue;
        struct box box = image_person_box(&persons->faces[i], &persons->photo);
        float right = fmaxf(keep.x + keep.width, box.x + box.width);
        float bottom = fmaxf(keep.y + keep.height, box.y + box.height);
        keep.x = first < 0 ? box.x : fminf(keep.x, box.x);
        keep.y = first < 0 ? box.y : fminf(keep.y, box.y);
        keep.width = (first < 0 ? box.x + box.width : right) - keep.x;
        keep.height = (first < 0 ? box.y + box.height : bottom) - keep.y;
        first = first < 0 ? i : first;
    }
    struct cut_prompt prompt = cut_prompt_for(&persons->faces[first], &persons->photo);
    prompt.person = keep;
    if (!cutout_make(persons->vision, &persons->photo, &prompt, NULL, out, err))
        return false;
    cutout_keep(out, keep);
    for (int x = 0; x < out->width; x++) {
        float nearest = INFINITY;
        bool mine = true;
        for (int i = 0; i < persons->count; i++) {
            const struct box *box = &persons->faces[i].box;
            float off = fabsf((float)x - box->x - box->width / 2) / box->width;
            if (off < nearest) {
                nearest = off;
                mine = selected[i];
            }
        }
        for (int y = 0; !mine && y < out->height; y++)
            memset(picture_row(out, y) + 4 * x, 0, 4);
    }
    return true;
}

struct framing {
    bool padded;
    double margin, transparent;
};

static bool framing_read(const struct http_form *form, struct framing *out, struct error *err)
{
    *out = (struct framing){.margin = 20, .transparent = 300};
    return endpoint_number(person_fields, "padding", form, &out->margin, err) &&
           endpoint_number(person_fields, "transparent_padding_size", form, &out->transparent,
                           err) &&
           image_flag(form, "add_transparent_padding", true, &out->padded, err);
}

bool api_person_extract(struct api *api, const struct http_request *request,
                        struct http_response *response, struct error *err)
{
    AUTO(persons_dispose) struct persons persons = {0};
    AUTO(picture_dispose) struct picture cutout = {0};
    AUTO(picture_dispose) struct picture trimmed = {0};
    const struct http_form *form = http_request_form(request);
    bool selected[MAX_FACES] = {false};
    struct framing framing;
    struct box from;
    if (!framing_read(form, &framing, err) || !persons_find(api, form, &persons, err) ||
        !selection_read(form, &persons, selected, err) ||
        !extract(&persons, selected, &cutout, err))
        return error_wrap(err, "extract a person");
    int around = framing.padded ? (int)framing.transparent : 0;
    if (!cutout_trim(&cutout, (int)framing.margin, around, &trimmed, &from)) {
        error_set(err, ERROR_INVALID, "nothing of the person could be told from the background");
        return error_about(err, "image", "image_no_face");
    }
    AUTO(jv_free) struct jv *body = jv_object();
    jv_bool(body, "success", true);
    if (!image_put_data(body, "processed_image", &trimmed, err))
        return false;
    struct jv *size = jv_put_object(body, "image_dimensions");
    jv_int(size, "width", trimmed.width);
    jv_int(size, "height", trimmed.height);
    jv_bool(body, "upper_body_cropped", (int)(from.y + from.height) < persons.photo.height);
    struct jv *crop = jv_put_object(body, "crop_metadata");
    jv_int(crop, "x", lrintf(from.x));
    jv_int(crop, "y", lrintf(from.y));
    jv_int(crop, "width", lrintf(from.width));
    jv_int(crop, "height", lrintf(from.height));
    jv_int(crop, "transparent_padding", around);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
