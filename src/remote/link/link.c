/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "carry/carrier.h"
#include "io/loop.h"
#include "link/agents.h"
#include "link/attempt.h"
#include "link/ciphers.h"
#include "link/preface.h"
#include "sys/peer.h"
#include "wire/mux.h"

enum {
    TRIES_AT_ONCE = 6,       /* one that hangs must not keep the others from getting through */
    TRY_LEAST_MS = 3 * 1000, /* before another takes its place, or twice what the first took */
    TRY_LIFE_MS = 15 * 1000, /* of one that nobody may be typing a password for */
    EAGER_MS = 120 * 1000,   /* after a cut: a new try every … */
    EAGER_EVERY_MS = 500,
    LATER_EVERY_MS = 5 * 1000,
    SLOW_EVERY_MS = 30 * 1000, /* when the host said no */
    NEWS_EVERY_MS = 250,       /* after news of the network, at the soonest */
    TOOK_MAX_US = 10 * 1000 * 1000,
    GOODBYE_MS = 3000,
    LOCAL_KEEP_MS = 10 * 60 * 1000,
    ARGUMENTS_MAX = 48,
};

struct
try {
    struct attempt *attempt;
    int64_t started_us;
};

struct link {
    struct loop *loop;
    struct mux *mux;
    char *host, *self;
    char *ciphers; /* what to say to ssh, or NULL */
    const char *const *ssh;
    int64_t keep_ms;
    bool may_ask, asking;
    struct agents agents;
    char session[33];
    const struct link_events *events;
    void *context;

    enum link_state state;
    char why[240];
    int64_t since_us, cut_us, took_us; /* took: the first connection, to be up */
    unsigned tries_made;
    size_t sent, total;
    bool ever_up, refused, over;

    struct carrier *carrier;
    struct attempt *holder; /* whose process carries the stream */
    struct try tries[TRIES_AT_ONCE];
    struct timer *timer;
    struct later *sweep; /* frees what could not be freed where it ended */
    struct attempt *dead[TRIES_AT_ONCE + 1];
    int news_fd;
    struct watch *news;

    void (*closed)(void *context);
    void *closed_context;
};

static void try_now(struct link *link);

/* --- small things --------------------------------------------------------------------------- */

static void change(struct link *link, enum link_state state)
{
    if (link->state != state)
        link->since_us = loop_now_us(link->loop);
    link->state = state;
    struct link_status status;
    link_look(link, &status);
    link->events->changed(link->context, &status);
}

static void bury(struct link *link, struct attempt *attempt)
{
    if (!attempt)
        return;
    for (size_t i = 0; i < sizeof link->dead / sizeof *link->dead; i++) {
        if (!link->dead[i]) {
            link->dead[i] = attempt;
            later_ask(link->sweep);
            return;
        }
    }
    attempt_free(attempt);
}

static void sweep(void *context)
{
    struct link *link = context;
    for (size_t i = 0; i < sizeof link->dead / sizeof *link->dead; i++)
        attempt_free(TAKE(link->dead[i]));
}

static struct try *try_of(struct link *link, const struct attempt *attempt)
{
    for (size_t i = 0; i < TRIES_AT_ONCE; i++)
        if (link->tries[i].attempt == attempt)
            return &link->tries[i];
    return NULL;
}

static void tries_drop(struct link *link)
{
    for (size_t i = 0; i < TRIES_AT_ONCE; i++)
        bury(link, TAKE(link->tries[i].attempt));
}

static void give_up(struct link *link, const struct error *reason, bool session_lost)
{
    if (link->over)
        return;
    link->over = true;
    tries_drop(link);
    timer_stop(link->timer);
    if (link->closed)
        link->closed(link->closed_context);
    else
        link->events->failed(link->context, reason, session_lost);
}

/* --- when to try ---------------------------------------------------------------------------- */

static int64_t next_try_ms(const struct link *link)
{
    int64_t out_ms = (loop_now_us(link->loop) - link->cut_us) / 1000;
    if (link->refused)
        return SLOW_EVERY_MS;
    return out_ms < EAGER_MS ? EAGER_EVERY_MS : LATER_EVERY_MS;
}

static bool local(const struct link *link)
{
    return strcmp(link->host, "local:") == 0;
}

static void on_timer(void *context)
{
    struct link *link = context;
    if (link->over || link->state == LINK_UP)
        return;
    int64_t now_us = loop_now_us(link->loop);
    for (size_t i = 0; i < TRIES_AT_ONCE && link->ever_up; i++)
        if (link->tries[i].attempt &&
            now_us - link->tries[i].started_us > INT64_C(1000) * TRY_LIFE_MS + 3 * link->took_us)
            bury(link, TAKE(link->tries[i].attempt));
    if (link->ever_up)
        try_now(link);
}

static void on_news(void *context, int ready)
{
    struct link *link = context;
    (void)ready;
    if (!netwatch_drain(link->news_fd) || link->over || local(link))
        return;
    if (link->state == LINK_UP && link->carrier)
        carrier_probe(link->carrier);
    else if (link->state == LINK_WAITING)
        timer_start(link->timer, NEWS_EVERY_MS);
}

/* --- what becomes of a try ------------------------------------------------------------------ */

static void on_cut(void *context, const struct error *reason, bool broken)
{
    struct link *link = context;
    carrier_free(TAKE(link->carrier));
    bury(link, TAKE(link->holder));
    if (link->over)
        return;
    if (link->closed) {
        give_up(link, reason, false);
        return;
    }
    if (broken) {
        give_up(link, reason, true);
        return;
    }
    link->cut_us = loop_now_us(link->loop);
    link->tries_made = 0;
    link->refused = false;
    snprintf(link->why, sizeof link->why, "%s", reason->text);
    change(link, LINK_WAITING);
    try_now(link);
}

/* Of the first one; typing a password or sending the agent does not count. */
static int64_t connect_took_us(const struct link *link, const struct try *mine)
{
    int64_t took_us = loop_now_us(link->loop) - mine->started_us;
    return link->asking || link->total > 0 || took_us > TOOK_MAX_US ? 0 : took_us;
}

static void on_stream(void *context, struct attempt *attempt, int *fd)
{
    struct link *link = context;
    struct try *mine = try_of(link, attempt);
    struct error err;
    mine->attempt = NULL;
    tries_drop(link);
    link->holder = attempt;
    int stream = fd_take(fd);
    link->carrier = carrier_new(link->loop, link->mux, (int[]){stream, stream}, on_cut, link, &err);
    if (!link->carrier) {
        give_up(link, &err, false);
        return;
    }
    if (!link->ever_up)
        link->took_us = connect_took_us(link, mine);
    link->ever_up = true;
    link->why[0] = '\0';
    timer_stop(link->timer);
    change(link, LINK_UP);
}

static void on_progress(void *context, struct attempt *attempt, size_t sent, size_t total)
{
    struct link *link = context;
    (void)attempt;
    link->sent = sent;
    link->total = total;
    change(link, LINK_INSTALLING);
}

static void on_failed(void *context, struct attempt *attempt, const struct error *reason, bool gone)
{
    struct link *link = context;
    struct try *mine = try_of(link, attempt);
    if (mine)
        mine->attempt = NULL;
    bury(link, attempt);
    if (link->over)
        return;
    if (gone) {
        give_up(link, reason, true);
        return;
    }
    snprintf(link->why, sizeof link->why, "%s", reason->text);
    if (!link->ever_up) {
        if (reason->kind == ERROR_DENIED && link->may_ask && !link->asking) {
            link->asking = true; /* now with the user's help */
            try_now(link);
        } else {
            give_up(link, reason, false);
        }
        return;
    }
    link->refused = reason->kind == ERROR_DENIED;
    change(link, LINK_WAITING);
}

static const struct attempt_events attempt_events = {on_stream, on_progress, on_failed};

/* --- trying --------------------------------------------------------------------------------- */

static size_t ssh_arguments(const struct link *link, const char **out)
{
    static const char *const always[] = {
        "-T",
        "-e",
        "none",
        "-o",
        "Compression=no", /* what is worth it is compressed already */
        "-o",
        "ControlMaster=no",
        "-o",
        "ControlPath=none", /* a stale master would hang us */
        "-o",
        "ClearAllForwardings=yes",
        "-o",
        "ForwardX11=no",
        "-o",
        "PermitLocalCommand=no",
        "-o",
        "RemoteCommand=none",
        "-o",
        "IPQoS=af21",
        "-o",
        "ServerAliveInterval=15",
    };
    size_t count = 0;
    for (size_t i = 0; link->ssh[i] && count < ARGUMENTS_MAX / 2; i++)
        out[count++] = link->ssh[i];
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        out[count++] = always[i];
    out[count++] = "-o";
    out[count++] = link->asking && !link->ever_up ? "BatchMode=no" : "BatchMode=yes";
    if (link->ever_up) {
        out[count++] = "-o";
        out[count++] = "ConnectTimeout=10";
    }
    if (link->ciphers) {
        out[count++] = "-c";
        out[count++] = link->ciphers;
    }
    out[count++] = "--";
    out[count++] = link->host;
    return count;
}

static struct attempt *attempt_start(struct link *link, struct error *err)
{
    const char *arguments[ARGUMENTS_MAX + 8];
    size_t count = 0;
    char keep[32];
    AUTO(buf_dispose) struct buf command = BUF(16 * 1024);
    bool ask = link->asking && !link->ever_up;
    if (local(link)) {
        snprintf(keep, sizeof keep, "%lldms", (long long)link->keep_ms);
        const char *const run[] = {link->self,    "agent",  "attach", "--session",
                                   link->session, "--keep", keep};
        for (size_t i = 0; i < sizeof run / sizeof *run; i++)
            arguments[count++] = run[i];
        if (!link->ever_up)
            arguments[count++] = "--fresh";
    } else {
        struct preface_agent offers[AGENTS_MAX];
        for (size_t i = 0; i < link->agents.count; i++)
            offers[i] =
                (struct preface_agent){link->agents.items[i].machine, link->agents.items[i].key};
        struct preface_plan plan = {offers, link->agents.count, link->session, link->keep_ms,
                                    !link->ever_up};
        if (!preface_command(&plan, &command, err))
            return NULL;
        count = ssh_arguments(link, arguments);
        arguments[count++] = buf_string(&command);
    }
    arguments[count] = NULL;
    struct attempt_plan attempt = {arguments, ask, &link->agents};
    return attempt_new(link->loop, &attempt, &attempt_events, link, err);
}

static void try_now(struct link *link)
{
    struct error err;
    size_t oldest = 0, slot = TRIES_AT_ONCE;
    for (size_t i = 0; i < TRIES_AT_ONCE; i++) {
        if (!link->tries[i].attempt)
            slot = i;
        else if (link->tries[i].started_us < link->tries[oldest].started_us)
            oldest = i;
    }
    timer_start(link->timer, next_try_ms(link));
    if (slot == TRIES_AT_ONCE) {
        int64_t least_us = INT64_C(1000) * TRY_LEAST_MS;
        if (least_us < 2 * link->took_us)
            least_us = 2 * link->took_us;
        if (loop_now_us(link->loop) - link->tries[oldest].started_us < least_us)
            return; /* let those that are under way have their time */
        bury(link, TAKE(link->tries[oldest].attempt));
        slot = oldest;
    }
    link->tries_made++;
    struct attempt *attempt = attempt_start(link, &err);
    if (!attempt) {
        snprintf(link->why, sizeof link->why, "%s", err.text);
        if (!link->ever_up)
            give_up(link, &err, false);
        else
            change(link, LINK_WAITING);
        return;
    }
    link->tries[slot] = (struct try){attempt, loop_now_us(link->loop)};
}

/* --- the outside ---------------------------------------------------------------------------- */

static void on_output(void *context)
{
    struct link *link = context;
    if (link->carrier)
        carrier_output(link->carrier);
}

static void on_ended(void *context)
{
    struct link *link = context;
    struct error reason;
    error_set(&reason, ERROR_UNAVAILABLE, "the agent ended the session");
    give_up(link, &reason, true);
}

static const struct mux_events mux_events = {on_output, on_ended};

static void session_new(struct link *link)
{
    struct mux_id id;
    random_bytes(id.bytes, sizeof id.bytes);
    for (size_t i = 0; i < sizeof id.bytes; i++)
        snprintf(link->session + 2 * i, 3, "%02x", id.bytes[i]);
    link->mux = mux_new(MUX_CLIENT, id, &mux_events, link);
}

static void watch_news(struct link *link)
{
    link->news_fd = netwatch_open(NULL); /* without, the tries come by the clock */
    if (link->news_fd < 0)
        return;
    link->news = watch_new(link->loop, link->news_fd, on_news, link, NULL);
    if (link->news)
        watch_set(link->news, WATCH_READ);
}

struct link *link_new(struct loop *loop, const struct link_plan *plan,
                      const struct link_events *events, void *context, struct error *err)
{
    if (!plan->host[0] || plan->host[0] == '-') {
        error_set(err, ERROR_INVALID, "\"%s\" is no host", plan->host);
        return NULL;
    }
    struct link *link = xcalloc(1, sizeof *link);
    link->loop = loop;
    link->host = xstrdup(plan->host);
    link->self = xstrdup(plan->self);
    link->ssh = plan->ssh;
    link->keep_ms = plan->keep_ms;
    if (local(link) && link->keep_ms > LOCAL_KEEP_MS) /* no network: only a dead client is away */
        link->keep_ms = LOCAL_KEEP_MS;
    link->may_ask = plan->may_ask;
    link->events = events;
    link->context = context;
    link->since_us = link->cut_us = loop_now_us(loop);
    link->timer = timer_new(loop, on_timer, link);
    link->sweep = later_new(loop, sweep, link);
    if (!local(link))
        link->ciphers = ciphers_find(plan->ssh, plan->host);
    if (!local(link))
        agents_find(plan->self, plan->agents, plan->version, &link->agents);
    session_new(link);
    watch_news(link);
    struct attempt *attempt = attempt_start(link, err);
    if (!attempt) {
        link_free(link);
        return NULL;
    }
    link->tries[0] = (struct try){attempt, link->since_us};
    return link;
}

struct mux *link_mux(struct link *link)
{
    return link->mux;
}

void link_look(const struct link *link, struct link_status *out)
{
    *out = (struct link_status){
        .state = link->state,
        .why = link->why,
        .since_us = link->since_us,
        .tries = link->tries_made,
        .sent = link->sent,
        .total = link->total,
    };
}

static void on_goodbye_late(void *context)
{
    struct link *link = context;
    struct error reason;
    error_set(&reason, ERROR_TIMEOUT, "the goodbye was not heard");
    give_up(link, &reason, false);
}

void link_close(struct link *link, void (*done)(void *context), void *context)
{
    link->closed = done;
    link->closed_context = context;
    if (link->over || !link->carrier) {
        struct error reason;
        error_set(&reason, ERROR_UNAVAILABLE, "not connected");
        bool told = link->over;
        give_up(link, &reason, false);
        if (told)
            done(context);
        return;
    }
    mux_end(link->mux); /* the agent closes the stream when it has heard it */
    timer_free(link->timer);
    link->timer = timer_new(link->loop, on_goodbye_late, link);
    timer_start(link->timer, GOODBYE_MS);
}

void link_free(struct link *link)
{
    if (!link)
        return;
    link->over = true;
    carrier_free(link->carrier);
    mux_free(link->mux);
    tries_drop(link);
    bury(link, TAKE(link->holder));
    sweep(link);
    timer_free(link->timer);
    later_free(link->sweep);
    watch_free(link->news);
    if (link->news_fd >= 0)
        close(link->news_fd);
    agents_dispose(&link->agents);
    free(link->host);
    free(link->ciphers);
    free(link->self);
    free(link);
}
