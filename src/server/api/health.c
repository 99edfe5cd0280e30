/* SPDX-License-Identifier: Apache-2.0 */
#include "api/health.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "api/endpoint.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"

enum { MAX_SERVICES = 16, MAX_BODY = 16 * 1024 };

struct service {
    const char *name;
    bool required;
    enum health_state state;
    char detail[480];
};

struct health {
    const char *version;
    pthread_mutex_t lock; /* everything below */
    struct service services[MAX_SERVICES];
    size_t count;
    struct http_shared *response;
    int64_t response_second; /* for which it was made */
};

static const char *const state_names[] = {"disabled", "starting", "healthy", "unhealthy"};

struct health *health_new(const char *version)
{
    struct health *health = xcalloc(1, sizeof *health);
    health->version = version;
    pthread_mutex_init(&health->lock, NULL);
    return health;
}

void health_free(struct health *health)
{
    if (!health)
        return;
    http_shared_unref(health->response);
    pthread_mutex_destroy(&health->lock);
    free(health);
}

void health_without_folders(const char *text, char *out, unsigned long size)
{
    size_t used = 0;
    for (const char *at = text; *at && used + 1 < size;) {
        bool begins = at == text || strchr(" \"'(=[", at[-1]);
        size_t length = strcspn(at, " \"')],;");
        const char *name = at;
        if (begins && *at == '/')
            for (size_t i = 0; i + 1 < length; i++)
                name = at[i] == '/' ? at + i + 1 : name;
        if (name > at) {
            at = name;
            continue;
        }
        out[used++] = *at++;
    }
    out[used] = '\0';
}

void health_set(struct health *health, const char *name, bool required, enum health_state state,
                const char *detail)
{
    pthread_mutex_lock(&health->lock);
    size_t at = 0;
    while (at < health->count && strcmp(health->services[at].name, name) != 0)
        at++;
    if (at == health->count && health->count < MAX_SERVICES)
        health->count++;
    if (at < health->count) {
        struct service *service = &health->services[at];
        *service = (struct service){.name = name, .required = required, .state = state};
        health_without_folders(detail ? detail : "", service->detail, sizeof service->detail);
    }
    health->response_second = 0;
    pthread_mutex_unlock(&health->lock);
}

/* Under the lock. */
static int overall(const struct health *health, const char **out_name)
{
    bool degraded = false;
    for (size_t i = 0; i < health->count; i++) {
        const struct service *service = &health->services[i];
        if (service->state != HEALTH_UNHEALTHY)
            continue;
        if (service->required) {
            *out_name = "unhealthy";
            return 503;
        }
        degraded = true;
    }
    *out_name = degraded ? "degraded" : "healthy";
    return 200;
}

/* Under the lock. */
static struct http_shared *make_response(const struct health *health, int64_t now_s)
{
    AUTO(jv_free) struct jv *body = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(MAX_BODY);
    const char *name = NULL;
    int status = overall(health, &name);
    jv_text(body, "status", name);
    jv_int(body, "timestamp", now_s);
    struct jv *services = jv_put_object(body, "services");
    for (size_t i = 0; i < health->count; i++)
        jv_text(services, health->services[i].name, state_names[health->services[i].state]);
    struct jv *details = NULL;
    for (size_t i = 0; i < health->count; i++) {
        if (!health->services[i].detail[0])
            continue;
        if (!details)
            details = jv_put_object(body, "details");
        jv_text(details, health->services[i].name, health->services[i].detail);
    }
    jv_text(body, "version", health->version);
    bool written = jv_write(body, false, &text, NULL) && buf_text(&text, "\n", NULL);
    return http_shared_new(written ? status : 500, "application/json", buf_bytes(&text));
}

struct http_shared *health_response(struct health *health)
{
    int64_t now_s = wall_ms() / 1000;
    pthread_mutex_lock(&health->lock);
    if (!health->response || health->response_second != now_s) {
        http_shared_unref(health->response);
        health->response = make_response(health, now_s);
        health->response_second = now_s;
    }
    struct http_shared *response = http_shared_ref(health->response);
    pthread_mutex_unlock(&health->lock);
    return response;
}

bool health_ready(struct health *health, char *out_reason, unsigned long size)
{
    bool ready = true;
    pthread_mutex_lock(&health->lock);
    for (size_t i = 0; i < health->count && ready; i++) {
        const struct service *service = &health->services[i];
        ready = !service->required || service->state == HEALTH_HEALTHY ||
                service->state == HEALTH_DISABLED;
        if (!ready)
            snprintf(out_reason, size, "%s is %s", service->name, state_names[service->state]);
    }
    pthread_mutex_unlock(&health->lock);
    return ready;
}

/* GET /health */
bool api_health(struct api *api, const struct http_request *request, struct http_response *response,
                struct error *err)
{
    struct http_shared *shared = health_response(api->health);
    http_response_shared(response, shared);
    http_shared_unref(shared);
    return true;
}

/* GET /health/live: the process answers, and looks at nothing else. */
bool api_health_live(struct api *api, const struct http_request *request,
                     struct http_response *response, struct error *err)
{
    http_response_header(response, "Cache-Control", "no-store");
    http_response_static(response, "application/json", bytes_of("{\"status\":\"alive\"}\n"));
    return true;
}

/* GET /health/ready: what this process itself needs is there. */
bool api_health_ready(struct api *api, const struct http_request *request,
                      struct http_response *response, struct error *err)
{
    char reason[128] = "";
    bool ready = health_ready(api->health, reason, sizeof reason);
    AUTO(jv_free) struct jv *body = jv_object();
    jv_text(body, "status", ready ? "ready" : "not ready");
    if (!ready)
        jv_text(body, "reason", reason);
    http_response_status(response, ready ? 200 : 503);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}
