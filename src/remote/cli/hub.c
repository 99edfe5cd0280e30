/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "carry/carrier.h"
#include "carry/relay.h"
#include "cli/hubs.h"
#include "forward/forward.h"
#include "io/loop.h"
#include "sys/fdpass.h"
#include "sys/fds.h"
#include "wire/mux.h"

enum { GUESTS_MAX = 256 };

/* A command that came in. */
struct guest {
    struct hub_ear *ear;
    struct guest *next;
    struct mux *mux;
    struct forward_share *share;
    struct carrier *carrier;
    struct channel *news; /* of the link, when it asked for them */
    bool gone;
};

struct hub_ear {
    struct loop *loop;
    struct mux *mux; /* the link's; NULL while there is none */
    struct forward_client *forwards;
    int listener;
    char *socket;
    struct watch *watch;
    struct later *sweep;
    struct guest *guests;
    unsigned count;
    bool up;
    const struct hub_ear_events *events;
    void *context;
};

static void guest_free(struct guest *guest)
{
    struct guest **at = &guest->ear->guests;
    while (*at != guest)
        at = &(*at)->next;
    *at = guest->next;
    guest->ear->count--;
    carrier_free(guest->carrier);
    mux_free(guest->mux);
    forward_share_free(guest->share);
    free(guest);
}

static void sweep(void *context)
{
    struct hub_ear *ear = context;
    for (struct guest *guest = ear->guests, *next; guest; guest = next) {
        next = guest->next;
        if (guest->gone)
            guest_free(guest);
    }
}

static void on_output(void *context)
{
    struct guest *guest = context;
    if (guest->carrier)
        carrier_output(guest->carrier);
}

static void on_gone(void *context)
{
    struct guest *guest = context;
    guest->gone = true;
    later_ask(guest->ear->sweep); /* not while its mux is at work */
}

static void on_closed(void *context, const struct error *reason, bool broken)
{
    (void)reason;
    (void)broken;
    on_gone(context);
}

static const struct mux_events mux_events = {.output = on_output, .ended = on_gone};

/* --- what the process answers itself -------------------------------------------------------- */

static const struct channel_events answer_events = {0};

static bool open_status(void *context, struct channel *channel, struct bytes request,
                        struct error *err)
{
    struct guest *guest = context;
    AUTO(jv_free) struct jv *status = guest->ear->events->status(guest->ear->context);
    AUTO(buf_dispose) struct buf text = BUF(1024 * 1024);
    (void)request;
    if (!jv_write(status, false, &text, err))
        return false;
    channel_bind(channel, &answer_events, NULL);
    channel_write(channel, buf_bytes(&text));
    channel_end(channel);
    return true;
}

static bool open_stop(void *context, struct channel *channel, struct bytes request,
                      struct error *err)
{
    struct guest *guest = context;
    (void)request;
    (void)err;
    channel_bind(channel, &answer_events, NULL);
    channel_end(channel);
    guest->ear->events->stop(guest->ear->context);
    return true;
}

static void news_data(void *context, struct channel *channel, struct bytes bytes)
{
    (void)context;
    channel_consumed(channel, bytes.size);
}

static void news_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct guest *guest = context;
    (void)channel;
    (void)reason;
    guest->news = NULL;
}

static const struct channel_events news_events = {.data = news_data, .closed = news_closed};

/* One line: {"up": …} or {"lost": why}. */
static void tell_news(struct guest *guest, const char *lost)
{
    AUTO(jv_free) struct jv *news = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(4096);
    if (!guest->news)
        return;
    if (lost)
        jv_text(news, "lost", lost);
    else
        jv_bool(news, "up", guest->ear->up);
    if (jv_write(news, false, &text, NULL) && buf_text(&text, "\n", NULL))
        channel_write(guest->news, buf_bytes(&text));
}

static bool open_news(void *context, struct channel *channel, struct bytes request,
                      struct error *err)
{
    struct guest *guest = context;
    (void)request;
    if (guest->news)
        return error_set(err, ERROR_CONFLICT, "the news are told already");
    guest->news = channel;
    channel_bind(channel, &news_events, guest);
    tell_news(guest, NULL);
    return true;
}

static void guest_serve(struct guest *guest)
{
    static const char *const relayed[] = {"exec", "exec.io",   "exec.err", "dial",
                                          "sync", "sync.bulk", "sessions"};
    mux_serve(guest->mux, "hub.status", open_status, guest);
    mux_serve(guest->mux, "hub.stop", open_stop, guest);
    mux_serve(guest->mux, "hub.news", open_news, guest);
    for (size_t i = 0; guest->ear->mux && i < sizeof relayed / sizeof *relayed; i++)
        relay_service(guest->mux, relayed[i], guest->ear->mux);
    if (guest->ear->forwards)
        guest->share = forward_share_new(guest->ear->forwards, guest->mux);
}

static void on_connection(void *context, int ready)
{
    struct hub_ear *ear = context;
    struct error err;
    (void)ready;
    AUTO(fd_close) int fd = fds_accept(ear->listener, FDS_BLOCKING);
    if (fd < 0 || !unix_peer_is_us(fd) || ear->count >= GUESTS_MAX)
        return;
    struct guest *guest = xcalloc(1, sizeof *guest);
    guest->ear = ear;
    guest->next = ear->guests;
    ear->guests = guest;
    ear->count++;
    guest->mux = mux_new(MUX_AGENT, (struct mux_id){{0}}, &mux_events, guest);
    guest_serve(guest);
    int taken = fd_take(&fd);
    guest->carrier =
        carrier_new(ear->loop, guest->mux, (int[]){taken, taken}, on_closed, guest, &err);
    if (!guest->carrier)
        guest_free(guest);
}

struct hub_ear *hub_ear_new(struct cli *cli, struct loop *loop, const struct hub_ear_plan *plan,
                            const struct hub_ear_events *events, void *context, struct error *err)
{
    struct hub_ear *ear = xcalloc(1, sizeof *ear);
    ear->loop = loop;
    ear->events = events;
    ear->context = context;
    ear->sweep = later_new(loop, sweep, ear);
    ear->listener = hub_announce(cli, plan->host, plan->root, plan->remote, &ear->socket, err);
    ear->watch = ear->listener < 0 ? NULL : watch_new(loop, ear->listener, on_connection, ear, err);
    if (!ear->watch) {
        hub_ear_free(ear);
        return NULL;
    }
    watch_set(ear->watch, WATCH_READ);
    return ear;
}

void hub_ear_use(struct hub_ear *ear, struct mux *mux, struct forward_client *forwards)
{
    while (ear->guests)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
        guest_free(ear->guests);
    ear->mux = mux;
    ear->forwards = forwards;
}

void hub_ear_linked(struct hub_ear *ear, bool up)
{
    bool news = up != ear->up;
    ear->up = up;
    for (struct guest *guest = ear->guests; news && guest; guest = guest->next)
        tell_news(guest, NULL);
}

void hub_ear_lost(struct hub_ear *ear, const char *why)
{
    ear->up = false;
    for (struct guest *guest = ear->guests; guest; guest = guest->next)
        tell_news(guest, why);
}

void hub_ear_free(struct hub_ear *ear)
{
    if (!ear)
        return;
    hub_ear_use(ear, NULL, NULL);
    watch_free(ear->watch);
    later_free(ear->sweep);
    if (ear->listener >= 0)
        close(ear->listener);
    if (ear->socket)
        hub_retire(ear->socket);
    free(ear->socket);
    free(ear);
}
