/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/image/preview: how the video's picture will look, before it is made. What it computes
 * is kept, so that the message itself begins sooner. */
#include "api/endpoint.h"
#include "api/engines.h"
#include "api/message_fields.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "pipeline/pipeline.h"

enum { MAX_JPEG = 4 << 20 };

static bool read_request(const struct http_form *form, struct message_request *out,
                         struct error *err)
{
    double face = -1;
    *out = message_request_defaults();
    out->image_path = http_form_file(form, "image");
    out->format = http_form_text(form, "format");
    bool fine = message_background(form, out, err) &&
                endpoint_number(preview_fields, "face", form, &face, err);
    out->face = (int)face;
    return fine;
}

bool api_image_preview(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    struct message_request wanted;
    AUTO(buf_dispose) struct buf jpeg = BUF(MAX_JPEG);
    struct pipeline *pipeline = engines_pipeline(api->engines, err);
    engines_worked(api->engines);
    if (!pipeline || !read_request(http_request_form(request), &wanted, err) ||
        !pipeline_preview(pipeline, &wanted, &jpeg, err))
        return error_wrap(err, "make a preview");
    http_response_header(response, "Cache-Control", "no-store");
    http_response_take(response, "image/jpeg", &jpeg);
    return true;
}
