/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/image/faces: who is in the photo, so that the page can offer a choice and warn early.
 */
#include "api/endpoint.h"
#include "api/engines.h"
#include "base/error.h"
#include "base/jv.h"
#include "codec/codec.h"
#include "pipeline/faces.h"

static void put_face(struct jv *list, int index, const struct photo_face *face,
                     enum language language)
{
    struct jv *object = jv_push_object(list);
    jv_int(object, "index", index);
    struct jv *box = jv_put_object(object, "box");
    jv_real(box, "x", face->box.x);
    jv_real(box, "y", face->box.y);
    jv_real(box, "width", face->box.width);
    jv_real(box, "height", face->box.height);
    jv_real(object, "score", face->score);
    if (face->thumbnail.size > 0) {
        AUTO(mem_free) char *url = data_url("image/jpeg", &face->thumbnail);
        jv_text(object, "thumbnail", url);
    }
    jv_bool(object, "usable", face->usable);
    const struct problem_row *row = face->usable ? NULL : problem_of(&face->problem);
    jv_text(object, "problem", row ? row->detail[language] : NULL);
    jv_text(object, "code", row ? row->code : NULL);
}

bool api_image_faces(struct api *api, const struct http_request *request,
                     struct http_response *response, struct error *err)
{
    struct pipeline *pipeline = engines_pipeline(api->engines, err);
    AUTO(photo_faces_dispose) struct photo_faces found = {0};
    const char *path = http_form_file(http_request_form(request), "image");
    engines_worked(api->engines);
    if (!pipeline || !pipeline_faces(pipeline, path, &found, err))
        return error_wrap(err, "look for faces");
    AUTO(jv_free) struct jv *body = jv_object();
    jv_int(body, "width", found.width);
    jv_int(body, "height", found.height);
    struct jv *list = jv_put_array(body, "faces");
    for (int i = 0; i < found.count; i++)
        put_face(list, i, &found.faces[i], api_language(request));
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
