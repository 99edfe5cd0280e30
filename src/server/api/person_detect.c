/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/person-detection/detect: who is in the photo, with a thumbnail of each. */
#include <math.h>
#include <stdio.h>

#include "api/image_fields.h"
#include "api/persons_found.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/sha256.h"
#include "media/picture.h"
#include "media/resample.h"

enum { THUMBNAIL = 128, IMAGE_ID = 16 };

/* A square around the head, pushed into the photo. */
static struct box head_box(const struct box *face, const struct picture *photo)
{
    float limit = fminf((float)photo->width, (float)photo->height);
    float side = fminf(2 * fmaxf(face->width, face->height), limit);
    float x = face->x + (face->width - side) / 2, y = face->y + (face->height * 0.9f - side) / 2;
    x = fminf(fmaxf(x, 0), (float)photo->width - side);
    y = fminf(fmaxf(y, 0), (float)photo->height - side);
    return (struct box){x, y, side, side};
}

static bool put_person(struct jv *list, const struct photo_work *work,
                       const struct person_found *person, struct error *err)
{
    const struct box *box = &person->box, *face = &work->faces[person->id].box;
    struct jv *object = jv_push_object(list);
    jv_int(object, "person_id", person->id);
    struct jv *corners = jv_put_object(object, "bbox");
    jv_real(corners, "x1", roundf(box->x));
    jv_real(corners, "y1", roundf(box->y));
    jv_real(corners, "x2", roundf(box->x + box->width));
    jv_real(corners, "y2", roundf(box->y + box->height));
    jv_real(object, "confidence", person->confidence);
    struct jv *centre = jv_put_object(object, "center");
    jv_real(centre, "x", roundf(box->x + box->width / 2));
    jv_real(centre, "y", roundf(box->y + box->height / 2));
    jv_real(object, "area", roundf(box->width) * roundf(box->height));
    struct jv *where = jv_put_object(object, "face");
    jv_real(where, "x", roundf(face->x));
    jv_real(where, "y", roundf(face->y));
    jv_real(where, "width", roundf(face->width));
    jv_real(where, "height", roundf(face->height));
    AUTO(picture_dispose)
    struct picture head = picture_new(THUMBNAIL, THUMBNAIL, PICTURE_RGB);
    picture_resample(&work->photo, head_box(face, &work->photo), RESAMPLE_CUBIC, &head);
    return put_jpeg_url(object, "thumbnail", &head, err);
}

bool api_person_detect(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    const struct http_form *form = http_request_form(request);
    AUTO(photo_work_end) struct photo_work work = {0};
    struct persons_found found;
    char hash[SHA256_TEXT_SIZE];
    double confidence = 0;
    if (!endpoint_number(detect_person_fields, "conf", form, &confidence, err) ||
        !photo_work_begin(api, request, &work, err) ||
        !persons_find(&work, (float)confidence, &found, err) || !sha256_file(work.path, hash, err))
        return error_wrap(err, "look for persons");
    hash[IMAGE_ID] = '\0';
    const char *name = http_form_file_name(form, "image");
    AUTO(jv_free) struct jv *body = jv_object();
    jv_text(body, "image_id", hash);
    jv_text(body, "filename", name && *name ? name : NULL);
    struct jv *size = jv_put_object(body, "image_dimensions");
    jv_int(size, "width", work.photo.width);
    jv_int(size, "height", work.photo.height);
    jv_int(body, "person_count", found.count);
    struct jv *list = jv_put_array(body, "persons");
    for (int i = 0; i < found.count; i++)
        if (!put_person(list, &work, &found.list[i], err))
            return false;
    jv_real(jv_put_object(body, "parameters"), "conf", confidence);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
