/* SPDX-License-Identifier: Apache-2.0 */
#include "syncing/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/jv.h"
#include "base/mem.h"
#include "io/loop.h"
#include "sync/path.h"
#include "syncing/claims.h"
#include "syncing/place.h"
#include "syncing/runner.h"
#include "wire/mux.h"

enum { TOKEN_MAX = 64 };

/* One sync: waiting for its second channel, running, or ending. */
struct served {
    struct sync_service *service;
    struct served *next;
    char token[TOKEN_MAX + 1];
    char *root, *state;
    struct jv *asked;
    struct claim *claim;
    struct channel *fast; /* until the second has come */
    struct runner *runner;
    bool ended, stopping, stopped;
};

struct sync_service {
    struct loop *loop;
    struct mux *mux;
    char *home, *state;
    struct claims *claims;
    struct served *served;
    struct later *reap;
};

static void served_free(struct served *served)
{
    struct error ended;
    error_set(&ended, ERROR_UNAVAILABLE, "the sync ended");
    if (served->fast)
        channel_reset(served->fast, &ended);
    runner_free(served->runner);
    claim_free(served->claim);
    jv_free(served->asked);
    free(served->root);
    free(served->state);
    free(served);
}

static void on_reap(void *context)
{
    struct sync_service *service = context;
    for (struct served **link = &service->served; *link;) {
        struct served *served = *link;
        if (served->ended && served->runner && !served->stopping) {
            served->stopping = true;
            runner_stop(served->runner);
        }
        if (!served->ended || (served->runner && !served->stopped)) {
            link = &served->next;
            continue;
        }
        *link = served->next;
        served_free(served);
    }
}

static void end(struct served *served)
{
    served->ended = true;
    claim_end(served->claim);
    later_ask(served->service->reap);
}

/* --- The engine's events ------------------------------------------------------------------- */

static void on_failed(void *context, const struct error *reason)
{
    (void)reason;
    end(context);
}

static void on_detached(void *context, const struct error *reason)
{
    (void)reason;
    end(context);
}

/* A mount that does not answer holds up this sync only. */
static bool prepare(void *context, struct error *err)
{
    struct served *served = context;
    if (place_overlaps(jv_get(served->asked, "place"), served->root))
        return error_set(
            err, ERROR_CONFLICT,
            "%s and the folder that it is to be a copy of are nested on one machine: a "
            "sync would feed on itself",
            served->root);
    return claim_make_good(served->claim, err);
}

static void on_stopped(void *context)
{
    struct served *served = context;
    served->stopped = true;
    later_ask(served->service->reap);
}

static const struct runner_events runner_events = {
    .failed = on_failed, .detached = on_detached, .prepare = prepare, .stopped = on_stopped};

/* --- Opening ------------------------------------------------------------------------------- */

static void early_data(void *context, struct channel *channel, struct bytes bytes)
{
    (void)context, (void)channel, (void)bytes; /* cannot be: nothing is sent before both are open */
}

static void early_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct served *served = context;
    (void)channel, (void)reason;
    served->fast = NULL;
    end(served);
}

static const struct channel_events early_events = {.data = early_data, .closed = early_closed};

static char *absolute(const struct sync_service *service, const char *root)
{
    size_t size = strlen(root);
    while (size > 1 && root[size - 1] == '/')
        size--;
    if (root[0] == '/')
        return xstrndup(root, size);
    if (root[0] == '~' && (root[1] == '/' || size == 1)) {
        root += size == 1 ? 1 : 2;
        size -= size == 1 ? 1 : 2;
    }
    return size ? xasprintf("%s/%.*s", service->home, (int)size, root) : xstrdup(service->home);
}

static bool open_fast(void *context, struct channel *channel, struct bytes request,
                      struct error *err)
{
    struct sync_service *service = context;
    AUTO(jv_free) struct jv *asked = jv_parse(request, err);
    if (!asked)
        return error_wrap(err, "sync");
    const char *token = jv_get_text(asked, "token", "");
    const char *root = jv_get_text(asked, "root", "");
    if (!*token || strlen(token) > TOKEN_MAX || !*root || strlen(root) > PATH_MAX_SIZE / 2)
        return error_set(err, ERROR_INVALID, "sync: token or root is missing");
    AUTO(mem_free) char *path = absolute(service, root);
    struct served *served = xcalloc(1, sizeof *served);
    char hex[HASH128_TEXT_SIZE];
    served->service = service;
    served->next = service->served;
    service->served = served;
    memcpy(served->token, token, strlen(token) + 1);
    hash128_text(hash128_of(bytes_of(path)), hex);
    if (service->state)
        served->state = xasprintf("%s/sync-remote/%s", service->state, hex);
    served->claim = claim_new(service->claims, path);
    served->asked = TAKE(asked);
    served->root = TAKE(path);
    served->fast = channel;
    channel_bind(channel, &early_events, served);
    return true;
}

static bool open_bulk(void *context, struct channel *channel, struct bytes request,
                      struct error *err)
{
    struct sync_service *service = context;
    struct served *served = service->served;
    while (served &&
           (served->ended || !served->fast || !bytes_equal(request, bytes_of(served->token))))
        served = served->next;
    if (!served)
        return error_set(err, ERROR_NOT_FOUND, "sync: the second channel belongs to no first");
    struct sync_options options = {
        .role = SYNC_REMOTE, .root = served->root, .state = served->state, .watch = true};
    served->runner = runner_new(service->loop, &options, &runner_events, served, err);
    if (!served->runner) {
        end(served);
        return error_wrap(err, "sync %s", served->root);
    }
    struct channel *const lanes[LANE_COUNT] = {served->fast, channel};
    served->fast = NULL;
    runner_attach(served->runner, lanes);
    return true;
}

struct sync_service *sync_service_new(struct loop *loop, struct mux *mux, const char *home,
                                      const char *state)
{
    struct sync_service *service = xcalloc(1, sizeof *service);
    service->loop = loop;
    service->mux = mux;
    service->claims = claims_new();
    service->home = xstrdup(home);
    service->state = state ? xstrdup(state) : NULL;
    service->reap = later_new(loop, on_reap, service);
    mux_serve(mux, "sync", open_fast, service);
    mux_serve(mux, "sync.bulk", open_bulk, service);
    return service;
}

void sync_service_free(struct sync_service *service)
{
    if (!service)
        return;
    for (struct served *served = service->served; served; served = served->next)
        claim_end(served->claim); /* so that none waits for another */
    while (service->served) {
        struct served *served = service->served;
        service->served = served->next;
        served_free(served);
    }
    claims_free(service->claims);
    later_free(service->reap);
    free(service->home);
    free(service->state);
    free(service);
}

void sync_service_tell(const struct sync_service *service, struct jv *out)
{
    for (const struct served *served = service->served; served; served = served->next)
        if (!served->ended)
            jv_push_text(out, served->root);
}
