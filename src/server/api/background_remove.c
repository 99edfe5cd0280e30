/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/background/remove-background and GET /api/background/health: names of the earlier
 * application for what POST /api/image/cutout does. */
#include "api/engines.h"
#include "api/health.h"
#include "api/photo_work.h"
#include "base/error.h"
#include "base/jv.h"
#include "media/picture.h"

bool api_background_remove(struct api *api, const struct http_request *request,
                           struct http_response *response, struct error *err)
{
    AUTO(photo_work_end) struct photo_work work = {0};
    AUTO(picture_dispose) struct picture cut = {0};
    if (!photo_work_begin(api, request, &work, err))
        return error_wrap(err, "remove the background");
    struct cutout_who who = photo_work_everybody(&work);
    return (photo_work_cut_out(&work, &who, &cut, err) && answer_png(&work, &cut, response, err)) ||
           error_wrap(err, "remove the background");
}

static void reason(struct jv *body, const char *name, const char *text)
{
    char clean[400];
    health_without_folders(text, clean, sizeof clean);
    jv_text(body, name, clean[0] ? clean : NULL);
}

bool api_background_health(struct api *api, const struct http_request *request,
                           struct http_response *response, struct error *err)
{
    (void)request;
    struct vision *vision = engines_vision(api->engines, err);
    if (!vision)
        return false;
    struct segment_state state = segment_state(vision_segment(vision));
    struct scheduler_state turns = scheduler_state(engines_turns(api->engines));
    AUTO(jv_free) struct jv *body = jv_object();
    jv_text(body, "status", "healthy");
    jv_text(body, "service", "background-removal");
    jv_text(body, "model", state.model);
    reason(body, "model_why", state.model_why);
    jv_text(body, "device_asked", state.asked);
    jv_text(body, "device", state.device);
    reason(body, "why", state.why);
    jv_real(body, "seconds", state.seconds);
    jv_int(body, "memory_bytes", (int64_t)state.memory_bytes);
    reason(body, "memory", state.short_of_memory);
    struct jv *inference = jv_put_object(body, "inference");
    jv_text(inference, "process", state.apart ? "child" : "inside");
    if (state.pid)
        jv_int(inference, "pid", state.pid);
    else
        jv_null(inference, "pid");
    jv_int(inference, "deaths", (int64_t)state.deaths);
    struct jv *queue = jv_put_object(body, "queue");
    jv_int(queue, "inside", state.scheduler.inside);
    jv_int(queue, "waiting", state.scheduler.waiting + turns.waiting);
    jv_int(queue, "served", (int64_t)state.scheduler.served);
    jv_int(queue, "refused", (int64_t)(state.scheduler.refused + turns.refused));
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
