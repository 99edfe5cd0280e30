/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "carry/carrier.h"
#include "io/loop.h"
#include "link/agents.h"
#include "link/attempt.h"
#include "link/ciphers.h"
#include "link/farewell.h"
#include "link/knock.h"
#include "link/ledger.h"
#include "link/retry.h"
#include "link/words.h"
#include "sys/peer.h"
#include "wire/mux.h"

enum {
    TRIES_AT_ONCE = 6,           /* one that hangs must not keep the others from getting through */
    TRY_LEAST_MS = 3 * 1000,     /* before another takes its place, or twice what the first took */
    TRY_LIFE_MS = 15 * 1000,     /* of one that nobody may be typing a password for */
    NEWS_MS = 100,               /* after news of the network; the next one may be on its heels */
    DOUBT_EVERY_MS = 100,        /* while in doubt, whether the link is heard again */
    DOUBTS_US = 5 * 1000 * 1000, /* a slow machine is not to be made slower by logins */
    USEFUL_US = 1000 * 1000,     /* a stream that lasted so long … */
    USEFUL_BYTES = 4096,         /* … or brought so much was of use */
    TOOK_MAX_US = 10 * 1000 * 1000,
    GOODBYE_MS = 5000,
    GOODBYE_CALM_MS = 500, /* of that, for what is still to be written */
    LOCAL_KEEP_MS = 10 * 60 * 1000,
};

struct trial {
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
    unsigned long files;
    bool may_ask, asking;
    struct agents agents;
    char session[33];
    const struct link_events *events;
    void *context;

    enum link_state state;
    char why[240];
    unsigned tries_made;
    int64_t since_us, took_us; /* took: the first connection, to be up */
    size_t sent, total;
    bool ever_up, over;
    bool in_doubt; /* a sign of life is overdue */

    struct retry retry;
    struct knock *knock;
    int64_t up_us; /* when this stream began, and what had been received by then */
    uint64_t up_bytes;
    int64_t doubt_tried_us; /* when that last made us log in */

    struct carrier *carrier;
    struct attempt *holder; /* whose process carries the stream */
    struct trial tries[TRIES_AT_ONCE];
    struct timer *timer, *goodbye;
    struct later *sweep; /* frees what could not be freed where it ended */
    struct attempt *dead[TRIES_AT_ONCE + 1];
    int news_fd;
    struct watch *news;

    char *ledger_folder;
    struct ledger *ledger;
    struct farewell *farewell;
    bool ended; /* the session is over there, too */
    bool hasty; /* about the goodbye */

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

static void wait_for(struct link *link, const struct error *reason)
{
    snprintf(link->why, sizeof link->why, "%s", reason->text);
    change(link, LINK_WAITING);
}

static void bury(struct link *link, struct attempt *attempt)
{
    if (!attempt)
        return;
    for (size_t i = 0; i <= TRIES_AT_ONCE; i++) {
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
    for (size_t i = 0; i <= TRIES_AT_ONCE; i++)
        attempt_free(TAKE(link->dead[i]));
}

static struct trial *try_of(struct link *link, const struct attempt *attempt)
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
    link->ended = link->ended || session_lost || !link->ever_up;
    tries_drop(link);
    knock_stop(link->knock);
    timer_stop(link->timer);
    timer_stop(link->goodbye);
    if (link->closed)
        link->closed(link->closed_context);
    else
        link->events->failed(link->context, reason, session_lost);
}

/* --- when to try ---------------------------------------------------------------------------- */

static void drop_stale(struct link *link)
{
    int64_t oldest_us = loop_now_us(link->loop) - INT64_C(1000) * TRY_LIFE_MS - 3 * link->took_us;
    for (size_t i = 0; i < TRIES_AT_ONCE; i++)
        if (link->tries[i].attempt && link->tries[i].started_us < oldest_us)
            bury(link, TAKE(link->tries[i].attempt));
}

static bool trying(const struct link *link)
{
    for (size_t i = 0; i < TRIES_AT_ONCE; i++)
        if (link->tries[i].attempt)
            return true;
    return false;
}

/* The link that was in doubt is heard again, or over. */
static void doubt_end(struct link *link)
{
    if (!link->in_doubt)
        return;
    link->in_doubt = false;
    knock_stop(link->knock);
    timer_stop(link->timer);
    tries_drop(link);
}

static void on_timer(void *context)
{
    struct link *link = context;
    if (link->over || !link->ever_up)
        return;
    if (link->state != LINK_UP) {
        drop_stale(link);
        try_now(link);
        knock_start(link->knock);
    } else if (link->in_doubt) {
        timer_start(link->timer, DOUBT_EVERY_MS);
        if (!mux_doubtful(link->mux))
            doubt_end(link);
    }
}

/* Overdue is not dead, but it may be: if the door opens while the link stays silent, another
 * stream is sought beside it. Whichever comes first is taken. */
static void on_doubt(void *context)
{
    struct link *link = context;
    if (link->over || link->closed || link->state != LINK_UP || !knock_knows(link->knock))
        return;
    link->in_doubt = true;
    knock_start(link->knock);
    timer_start(link->timer, DOUBT_EVERY_MS);
}

static void on_answered(void *context, bool waited)
{
    struct link *link = context;
    if (link->over)
        return;
    if (link->state == LINK_UP) {
        int64_t now_us = loop_now_us(link->loop);
        bool silent = link->in_doubt && mux_doubtful(link->mux);
        if (silent && !trying(link) &&
            (!link->doubt_tried_us || now_us - link->doubt_tried_us >= DOUBTS_US)) {
            link->doubt_tried_us = now_us;
            try_now(link);
        }
        return;
    }
    if (waited)
        tries_drop(link); /* they hang in the system's patience, which is seconds by now */
    if (!trying(link))
        try_now(link);
}

static void on_news(void *context, int ready)
{
    struct link *link = context;
    (void)ready;
    if (!netwatch_drain(link->news_fd) || link->over || words_local(link->host))
        return;
    if (link->state == LINK_UP && link->carrier)
        carrier_probe(link->carrier);
    else if (link->state == LINK_WAITING && knock_knows(link->knock))
        knock_now(link->knock);
    else if (link->state == LINK_WAITING)
        timer_start(link->timer, NEWS_MS);
}

/* --- what becomes of a try ------------------------------------------------------------------ */

static uint64_t received_bytes(const struct link *link)
{
    struct mux_stats stats;
    mux_stats(link->mux, &stats);
    return stats.received_bytes;
}

static bool was_useful(const struct link *link)
{
    return loop_now_us(link->loop) - link->up_us >= USEFUL_US ||
           received_bytes(link) - link->up_bytes >= USEFUL_BYTES;
}

static void remember_address(struct link *link)
{
    struct sockaddr_storage address;
    if (!words_local(link->host) && attempt_address(link->holder, &address))
        knock_at(link->knock, &address);
    link->retry.knocking = knock_knows(link->knock);
}

static void on_cut(void *context, const struct error *reason, bool broken)
{
    struct link *link = context;
    carrier_free(TAKE(link->carrier));
    bury(link, TAKE(link->holder));
    if (broken)
        give_up(link, reason, true);
    if (link->over)
        return;
    bool in_doubt = link->in_doubt; /* then knocks and a try may be under way */
    link->in_doubt = false;
    retry_cut(&link->retry, was_useful(link), loop_now_us(link->loop));
    link->tries_made = 0;
    wait_for(link, reason);
    int64_t wait_ms = link->closed ? 0 : retry_first_ms(&link->retry);
    if (wait_ms > 0) {
        timer_start(link->timer, wait_ms);
        return;
    }
    if (in_doubt && trying(link))
        timer_start(link->timer, retry_next_ms(&link->retry, loop_now_us(link->loop)));
    else
        try_now(link);
    knock_start(link->knock);
}

/* Of the first one; typing a password or sending the agent does not count. */
static int64_t connect_took_us(const struct link *link, const struct trial *mine)
{
    int64_t took_us = loop_now_us(link->loop) - mine->started_us;
    return link->asking || link->total > 0 || took_us > TOOK_MAX_US ? 0 : took_us;
}

static void on_stream(void *context, struct attempt *attempt, int *fd)
{
    struct link *link = context;
    struct trial *mine = try_of(link, attempt);
    struct error err;
    mine->attempt = NULL;
    tries_drop(link);
    knock_stop(link->knock);
    carrier_free(TAKE(link->carrier)); /* one in doubt; the agent has dropped it, too */
    bury(link, TAKE(link->holder));
    link->holder = attempt;
    int stream = fd_take(fd);
    link->carrier = carrier_new(link->loop, link->mux, (int[]){stream, stream}, on_cut, link, &err);
    if (!link->carrier) {
        give_up(link, &err, false);
        return;
    }
    if (!link->ever_up)
        link->took_us = connect_took_us(link, mine);
    if (!link->ever_up && link->ledger_folder)
        link->farewell = farewell_new(link->mux, link->ledger_folder, link->host);
    link->ever_up = true;
    link->why[0] = '\0';
    link->in_doubt = false;
    link->up_us = loop_now_us(link->loop);
    link->up_bytes = received_bytes(link);
    timer_stop(link->timer);
    remember_address(link);
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
    struct trial *mine = try_of(link, attempt);
    if (mine)
        mine->attempt = NULL;
    bury(link, attempt);
    if (link->over)
        return;
    if (gone) {
        give_up(link, reason, true);
        return;
    }
    if (link->closed && !link->carrier && !trying(link)) {
        give_up(link, reason, false); /* it cannot be told */
        return;
    }
    if (!link->ever_up) {
        if (reason->kind == ERROR_DENIED && link->may_ask && !link->asking) {
            link->asking = true; /* now with the user's help */
            change(link, LINK_CONNECTING);
            try_now(link);
        } else {
            give_up(link, reason, false);
        }
        return;
    }
    if (link->state == LINK_UP)
        return; /* it was made in doubt */
    link->retry.refused = reason->kind == ERROR_DENIED;
    wait_for(link, reason);
}

static const struct attempt_events attempt_events = {on_stream, on_progress, on_failed};

static struct attempt *attempt_start(struct link *link, struct error *err)
{
    const char *words[WORDS_MAX];
    AUTO(buf_dispose) struct buf room = BUF(16 * 1024);
    struct words_plan plan = {
        .host = link->host,
        .ssh = link->ssh,
        .ciphers = link->ciphers,
        .self = link->self,
        .session = link->session,
        .keep_ms = link->keep_ms,
        .agents = &link->agents,
        .again = link->ever_up,
        .ask = link->asking && !link->ever_up,
    };
    if (!words_make(&plan, &room, words, err))
        return NULL;
    struct attempt_plan attempt = {words,      plan.ask,   &link->agents, words_local(link->host),
                                   link->host, link->files};
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
    if (link->state != LINK_UP)
        timer_start(link->timer, retry_next_ms(&link->retry, loop_now_us(link->loop)));
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
        if (!link->ever_up)
            give_up(link, &err, false);
        else if (link->state != LINK_UP)
            wait_for(link, &err);
        return;
    }
    link->tries[slot] = (struct trial){attempt, loop_now_us(link->loop)};
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

static const struct mux_events mux_events = {on_output, on_ended, on_doubt};

static void on_goodbye(void *context)
{
    struct link *link = context;
    struct error reason;
    error_set(&reason, ERROR_TIMEOUT, "the goodbye was not heard");
    if (link->hasty) {
        give_up(link, &reason, false);
        return;
    }
    timer_start(link->goodbye, GOODBYE_MS - GOODBYE_CALM_MS);
    link->hasty = true;
    mux_end(link->mux, true);
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
    struct mux_id id;
    struct link *link = xcalloc(1, sizeof *link);
    link->loop = loop;
    link->host = xstrdup(plan->host);
    link->self = xstrdup(plan->self);
    link->ssh = plan->ssh;
    link->keep_ms = plan->keep_ms;
    if (words_local(link->host) && link->keep_ms > LOCAL_KEEP_MS)
        link->keep_ms = LOCAL_KEEP_MS; /* no network: only a dead client is away */
    link->files = plan->files;
    link->may_ask = plan->may_ask;
    link->events = events;
    link->context = context;
    link->since_us = link->retry.cut_us = loop_now_us(loop);
    link->timer = timer_new(loop, on_timer, link);
    link->goodbye = timer_new(loop, on_goodbye, link);
    link->knock = knock_new(loop, on_answered, link);
    link->sweep = later_new(loop, sweep, link);
    if (!words_local(link->host)) {
        link->ciphers = ciphers_find(plan->ssh, plan->host);
        agents_find(plan->self, plan->agents, plan->version, &link->agents);
    }
    random_bytes(id.bytes, sizeof id.bytes);
    for (size_t i = 0; i < sizeof id.bytes; i++)
        snprintf(link->session + 2 * i, 3, "%02x", id.bytes[i]);
    link->mux = mux_new(MUX_CLIENT, id, &mux_events, link);
    if (plan->ledger) {
        link->ledger_folder = xstrdup(plan->ledger);
        link->ledger = ledger_open(plan->ledger, link->session, link->host);
    }
    watch_news(link);
    struct attempt *attempt = attempt_start(link, err);
    if (!attempt) {
        link_free(link);
        return NULL;
    }
    link->tries[0] = (struct trial){attempt, link->since_us};
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
        .next_ms = link->state == LINK_WAITING && !trying(link) ? timer_left_ms(link->timer) : 0,
        .sent = link->sent,
        .total = link->total,
        .asking = link->asking && !link->ever_up,
    };
}

void link_close(struct link *link, void (*done)(void *context), void *context)
{
    struct error reason;
    bool over = link->over, again = link->closed;
    link->closed = done;
    link->closed_context = context;
    if (over || again || !link->ever_up) {
        error_set(&reason, ERROR_UNAVAILABLE, "not connected");
        give_up(link, &reason, false);
        if (over)
            done(context);
        return;
    }
    timer_start(link->goodbye, GOODBYE_CALM_MS);
    mux_end(link->mux, false);
    if (!link->carrier && !trying(link))
        try_now(link);
}

bool link_ended_well(const struct link *link)
{
    return link->ended;
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
    timer_free(link->goodbye);
    knock_free(link->knock);
    later_free(link->sweep);
    watch_free(link->news);
    if (link->news_fd >= 0)
        close(link->news_fd);
    agents_dispose(&link->agents);
    farewell_free(link->farewell);
    ledger_close(link->ledger, link->ended || !link->ever_up);
    free(link->ledger_folder);
    free(link->host);
    free(link->ciphers);
    free(link->self);
    free(link);
}
