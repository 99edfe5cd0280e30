/* SPDX-License-Identifier: Apache-2.0 */
#include "syncing/laptop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/jv.h"
#include "base/mem.h"
#include "io/loop.h"
#include "syncing/place.h"
#include "sys/peer.h"
#include "wire/mux.h"

enum { RETRY_MS = 1000 };

struct laptop {
    struct loop *loop;
    struct mux *mux;
    struct runner *runner;
    struct timer *retry;
    char *source, *dest, *state;
    const struct laptop_events *events;
    void *context;
    bool agreed;    /* once, with the other side */
    char told[256]; /* why that side ended last */
};

static void on_event(void *context, const struct sync_event *event)
{
    struct laptop *laptop = context;
    if (event->kind == SYNC_EVENT_STATE && strcmp(event->text, "agreed") == 0) {
        laptop->agreed = true;
        laptop->told[0] = '\0';
    }
    laptop->events->event(laptop->context, event);
}

static void on_failed(void *context, const struct error *reason)
{
    struct laptop *laptop = context;
    laptop->events->failed(laptop->context, reason);
}

/* A refusal is final at first; a side that ended, or one that worked before, may come back. */
static void on_detached(void *context, const struct error *reason)
{
    struct laptop *laptop = context;
    bool passing = reason->kind == ERROR_UNAVAILABLE || reason->kind == ERROR_CANCELLED;
    if (!passing && !laptop->agreed) {
        laptop->events->failed(laptop->context, reason);
        return;
    }
    if (!passing && strcmp(laptop->told, reason->text) != 0) {
        snprintf(laptop->told, sizeof laptop->told, "%s", reason->text);
        laptop->events->event(
            laptop->context,
            &(struct sync_event){.kind = SYNC_EVENT_NOTE, .path = "", .text = laptop->told});
    }
    timer_start(laptop->retry, RETRY_MS);
}

static const struct runner_events runner_events = {
    .event = on_event, .failed = on_failed, .detached = on_detached};

static void on_retry(void *context)
{
    struct laptop *laptop = context;
    if (laptop->mux)
        laptop_attach(laptop, laptop->mux);
}

char *laptop_state_folder(const char *state, const char *source, const char *host, const char *dest)
{
    char hex[HASH128_TEXT_SIZE];
    AUTO(mem_free) char *name = xasprintf("%s\n%s\n%s", source, host, dest);
    hash128_text(hash128_of(bytes_of(name)), hex);
    return xasprintf("%s/sync/%s", state, hex);
}

static bool pause_it(struct runner_request *request, struct sync *sync)
{
    (void)request;
    sync_pause(sync);
    return true;
}

static void free_request(struct runner_request *request, bool dropped)
{
    (void)dropped;
    free(request);
}

struct laptop *laptop_new(struct loop *loop, const struct laptop_plan *plan,
                          const struct laptop_events *events, void *context, struct error *err)
{
    AUTO(laptop_free) struct laptop *laptop = xcalloc(1, sizeof *laptop);
    laptop->loop = loop;
    laptop->events = events;
    laptop->context = context;
    laptop->source = xstrdup(plan->source);
    laptop->dest = xstrdup(plan->dest);
    laptop->retry = timer_new(loop, on_retry, laptop);
    if (plan->state)
        laptop->state = laptop_state_folder(plan->state, plan->source, plan->host, plan->dest);
    struct sync_options options = {.role = SYNC_LAPTOP,
                                   .root = plan->source,
                                   .remote_root = plan->dest,
                                   .state = laptop->state,
                                   .mode = plan->mode,
                                   .ignore = plan->ignore,
                                   .protect = plan->protect,
                                   .watch = plan->watch,
                                   .allow_mass_delete = plan->allow_mass_delete};
    laptop->runner = runner_new(loop, &options, &runner_events, laptop, err);
    if (!laptop->runner)
        return NULL;
    if (plan->paused) {
        struct runner_request *request = xmalloc(sizeof *request);
        *request = (struct runner_request){.run = pause_it, .done = free_request};
        runner_ask(laptop->runner, request);
    }
    return TAKE(laptop);
}

void laptop_free(struct laptop *laptop)
{
    if (!laptop)
        return;
    runner_free(laptop->runner);
    timer_free(laptop->retry);
    free(laptop->source);
    free(laptop->dest);
    free(laptop->state);
    free(laptop);
}

static void nothing(void *context, struct channel *channel, struct bytes bytes)
{
    (void)context, (void)channel, (void)bytes;
}

static void gone(void *context, struct channel *channel, const struct error *reason)
{
    (void)context, (void)channel, (void)reason;
}

static const struct channel_events unbound = {.data = nothing, .closed = gone};

void laptop_attach(struct laptop *laptop, struct mux *mux)
{
    struct error err;
    char token[33];
    laptop->mux = mux;
    struct hash128 id;
    random_bytes(id.bytes, sizeof id.bytes);
    hash128_text(id, token);
    AUTO(jv_free) struct jv *request = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(CHANNEL_REQUEST_MAX);
    jv_text(request, "token", token);
    jv_text(request, "root", laptop->dest);
    place_tell(laptop->source, jv_put_object(request, "place"));
    if (!jv_write(request, false, &text, &err)) {
        laptop->events->failed(laptop->context, &err);
        return;
    }
    struct channel *const lanes[LANE_COUNT] = {
        channel_open(mux, "sync", CHANNEL_INTERACTIVE, buf_bytes(&text), &unbound, laptop),
        channel_open(mux, "sync.bulk", CHANNEL_BULK, bytes_of(token), &unbound, laptop),
    };
    runner_attach(laptop->runner, lanes);
}

void laptop_detach(struct laptop *laptop)
{
    laptop->mux = NULL;
    timer_stop(laptop->retry);
    runner_detach(laptop->runner);
}

void laptop_linked(struct laptop *laptop, bool up)
{
    runner_linked(laptop->runner, up);
}

void laptop_ask(struct laptop *laptop, struct runner_request *request)
{
    runner_ask(laptop->runner, request);
}

const char *laptop_state(const struct laptop *laptop)
{
    return laptop->state;
}
