/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/image/landmarks: the faces of a photo with their points and how the heads are turned.
 */
#include <math.h>

#include "api/photo_work.h"
#include "base/error.h"
#include "base/jv.h"
#include "media/picture.h"

/* To a hundredth of a pixel: more is noise, and three times the text. */
static double rounded(float value)
{
    return round((double)value * 100) / 100;
}

static void put_face(struct jv *list, const struct face *face)
{
    struct jv *object = jv_push_object(list);
    struct jv *box = jv_put_object(object, "box");
    jv_real(box, "x", rounded(face->box.x));
    jv_real(box, "y", rounded(face->box.y));
    jv_real(box, "width", rounded(face->box.width));
    jv_real(box, "height", rounded(face->box.height));
    jv_real(object, "score", face->score);
    jv_real(object, "roll", face->roll);
    jv_real(object, "yaw", face->yaw);
    jv_real(object, "pitch", face->pitch);
    struct jv *points = jv_put_array(object, "points");
    for (int i = 0; i < FACE_POINTS; i++) {
        AUTO(jv_free) struct jv *point = jv_array();
        jv_push_real(point, rounded(face->points[i].x));
        jv_push_real(point, rounded(face->points[i].y));
        jv_push_real(point, rounded(face->points[i].z));
        jv_push(points, &point);
    }
}

bool api_image_landmarks(struct api *api, const struct http_request *request,
                         struct http_response *response, struct error *err)
{
    AUTO(photo_work_end) struct photo_work work = {0};
    if (!photo_work_begin(api, request, &work, err) || !photo_work_faces(&work, err))
        return error_wrap(err, "find landmarks");
    AUTO(jv_free) struct jv *body = jv_object();
    jv_int(body, "width", work.photo.width);
    jv_int(body, "height", work.photo.height);
    struct jv *list = jv_put_array(body, "faces");
    for (int i = 0; i < work.face_count; i++)
        put_face(list, &work.faces[i]);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
