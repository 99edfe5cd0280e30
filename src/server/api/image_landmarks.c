/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/image/landmarks: the 478 points of every face. */
#include "api/endpoint.h"
#include "api/image_upload.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "image/portrait.h"

enum { MAX_SIDE = 2048 };

static void put_face(struct jv *list, const struct face *face)
{
    struct jv *object = jv_push_object(list);
    struct jv *box = jv_put_object(object, "box");
    jv_real(box, "x", (double)face->box.x);
    jv_real(box, "y", (double)face->box.y);
    jv_real(box, "width", (double)face->box.width);
    jv_real(box, "height", (double)face->box.height);
    jv_real(object, "score", (double)face->score);
    jv_real(object, "roll", (double)face->roll);
    jv_real(object, "yaw", (double)face->yaw);
    jv_real(object, "pitch", (double)face->pitch);
    struct jv *points = jv_put_array(object, "points");
    for (int i = 0; i < FACE_POINTS; i++) {
        struct jv *point = jv_array();
        jv_push_real(point, (double)face->points[i].x);
        jv_push_real(point, (double)face->points[i].y);
        jv_push_real(point, (double)face->points[i].z);
        jv_push(points, &point);
    }
}

bool api_image_landmarks(struct api *api, const struct http_request *request,
                         struct http_response *response, struct error *err)
{
    struct vision *vision;
    AUTO(picture_dispose) struct picture photo = {0};
    AUTO(mem_free) struct face *faces = malloc(MAX_FACES * sizeof *faces);
    int count = 0;
    if (!faces ||
        !image_upload(api, http_request_form(request), "image", MAX_SIDE, &vision, &photo, err) ||
        !vision_faces(vision, &photo, faces, &count, err))
        return error_wrap(err, "find landmarks");
    AUTO(jv_free) struct jv *body = jv_object();
    jv_int(body, "width", photo.width);
    jv_int(body, "height", photo.height);
    struct jv *list = jv_put_array(body, "faces");
    for (int i = 0; i < count; i++)
        put_face(list, &faces[i]);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
