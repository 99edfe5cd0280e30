/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/image/cutout and the earlier application's /api/background/remove-background: the
 * person without the background. GET /api/background/health. */
#include <stdio.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/engines.h"
#include "api/image_upload.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jv.h"
#include "image/cutout.h"
#include "image/cutter.h"
#include "image/encode.h"
#include "image/portrait.h"

enum { MAX_SIDE = 2048, MAX_FILE = 48 << 20, PATIENCE_MS = 30000 };

enum output { OUTPUT_PNG, OUTPUT_WEBP, OUTPUT_MASK };

static bool output_of(const struct http_form *form, enum output *out, struct error *err)
{
    static const char *const names[] = {
        [OUTPUT_PNG] = "png", [OUTPUT_WEBP] = "webp", [OUTPUT_MASK] = "mask"};
    const char *text = http_form_text(form, "output");
    *out = OUTPUT_PNG;
    if (!text || !*text)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum output)i;
            return true;
        }
    error_set(err, ERROR_INVALID, "output is png, webp or mask");
    return error_about(err, "output", "value_unknown");
}

/* Networks that can be told whom to cut out are told about the largest face. */
static bool prompt_make(struct vision *vision, const struct picture *photo, struct cut_prompt *out,
                        bool *out_any, struct error *err)
{
    AUTO(mem_free) struct face *faces = malloc(MAX_FACES * sizeof *faces);
    int count = 0;
    *out_any = false;
    if (!faces || !segment_takes_prompts(vision_segment(vision)))
        return true;
    if (!vision_faces(vision, photo, faces, &count, err))
        return false;
    *out_any = count > 0;
    if (*out_any)
        *out = cut_prompt_for(&faces[0], photo);
    return true;
}

static bool respond(struct vision *vision, const struct picture *photo, enum output output,
                    struct http_response *response, struct error *err)
{
    struct segment_how how = {.deadline_ms = mono_ms() + PATIENCE_MS};
    struct cut_prompt prompt;
    bool any;
    AUTO(buf_dispose) struct buf file = BUF(MAX_FILE);
    AUTO(picture_dispose) struct picture made = {0};
    if (!prompt_make(vision, photo, &prompt, &any, err))
        return false;
    if (output == OUTPUT_MASK) {
        if (!segment_matte(vision_segment(vision), photo, any ? &prompt : NULL, &how, &made, err))
            return false;
    } else if (!cutout_make(vision, photo, any ? &prompt : NULL, &how, &made, err)) {
        return false;
    }
    if (!(output == OUTPUT_WEBP ? picture_webp(&made, 90, &file, err)
                                : picture_png(&made, &file, err)))
        return false;
    struct segment_state state = segment_state(vision_segment(vision));
    http_response_header(response, "X-Image-Model", state.model);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_take(response, output == OUTPUT_WEBP ? "image/webp" : "image/png", &file);
    return true;
}

bool api_image_cutout(struct api *api, const struct http_request *request,
                      struct http_response *response, struct error *err)
{
    const struct http_form *form = http_request_form(request);
    struct vision *vision;
    enum output output;
    AUTO(picture_dispose) struct picture photo = {0};
    return (output_of(form, &output, err) &&
            image_upload(api, form, "image", MAX_SIDE, &vision, &photo, err) &&
            respond(vision, &photo, output, response, err)) ||
           error_wrap(err, "cut out");
}

bool api_background_health(struct api *api, const struct http_request *request,
                           struct http_response *response, struct error *err)
{
    (void)request;
    struct vision *vision = engines_vision(api->engines, err);
    if (!vision)
        return false;
    struct segment_state state = segment_state(vision_segment(vision));
    AUTO(jv_free) struct jv *body = jv_object();
    jv_text(body, "status", "healthy");
    jv_text(body, "model", state.model);
    jv_text(body, "device_asked", state.asked);
    jv_text(body, "device", state.device);
    jv_text(body, "why", state.why[0] ? state.why : NULL);
    jv_real(body, "seconds", state.seconds);
    jv_int(body, "memory_bytes", (int64_t)state.memory_bytes);
    struct jv *queue = jv_put_object(body, "queue");
    jv_int(queue, "inside", state.scheduler.inside);
    jv_int(queue, "waiting", state.scheduler.waiting);
    jv_int(queue, "served", (int64_t)state.scheduler.served);
    jv_int(queue, "refused", (int64_t)state.scheduler.refused);
    http_response_json(response, NULL, &body);
    return true;
}
