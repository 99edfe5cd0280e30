/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "carry/carrier.h"
#include "cli/cli.h"
#include "cli/hubs.h"
#include "cli/linking.h"
#include "cli/notice.h"
#include "cli/project.h"
#include "io/loop.h"
#include "link/link.h"
#include "sys/fdpass.h"
#include "wire/mux.h"

struct session {
    struct loop *loop;
    struct project *project;
    struct linking *linking; /* a link of our own, or … */
    struct mux *mux;         /* … a connection to the one that runs */
    struct carrier *carrier;
    char *host, *folder;
    const struct session_events *events;
    void *context;
    void (*closed)(void *context);
    void *closed_context;
    struct later *tell;
    struct buf status; /* what the one that runs says of itself */
    struct buf news;   /* and of its link: the line that is not whole yet */
    bool away;         /* that link is */
    char lost[240];    /* or its session, and why */
    const char *hint;  /* NULL: of that nothing is said */
    struct notice notice;
    struct timer *tick; /* the seconds of being away */
    int64_t away_us;    /* since when */
};

enum { STATUS_MAX = 1024 * 1024, NEWS_MAX = 64 * 1024, PATIENCE_MS = 300 };

static void on_lost(void *context, const struct error *reason, bool session_lost)
{
    struct session *session = context;
    (void)session_lost;
    session->events->lost(session->context, reason);
}

static void on_hub_output(void *context)
{
    struct session *session = context;
    if (session->carrier)
        carrier_output(session->carrier);
}

static void on_hub_ended(void *context)
{
    (void)context; /* the stream's end follows */
}

static const struct mux_events hub_events = {.output = on_hub_output, .ended = on_hub_ended};

static void on_hub_closed(void *context, const struct error *reason, bool broken)
{
    struct session *session = context;
    struct error lost = *reason;
    if (!broken || *session->lost)
        error_set(&lost, ERROR_UNAVAILABLE, "%s",
                  *session->lost ? session->lost : "the running vma ended");
    session->events->lost(session->context, &lost);
}

/* --- Whoever joins one that waits for its host wants to know what it waits for -------------- */

static void on_status_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct session *session = context;
    channel_consumed(channel, bytes.size);
    bool kept = buf_append(&session->status, bytes, NULL);
    (void)kept; /* too long: then it is no JSON */
}

static void on_status_end(void *context, struct channel *channel)
{
    struct session *session = context;
    AUTO(jv_free) struct jv *status = jv_parse(buf_bytes(&session->status), NULL);
    const struct jv *link = status ? jv_get(status, "link") : NULL;
    char why[160];
    channel_end(channel);
    buf_dispose(&session->status);
    if (!link || strcmp(jv_get_text(link, "state", ""), "waiting") != 0)
        return;
    text_show(bytes_of(jv_get_text(link, "why", "")), why, sizeof why);
    fprintf(stderr, "vma: %s is away (%s), waiting for it\n", session->host, why);
}

static void ask_status(struct session *session)
{
    static const struct channel_events status_events = {.data = on_status_data,
                                                        .end = on_status_end};
    session->status = BUF(STATUS_MAX);
    channel_open(session->mux, "hub.status", CHANNEL_CONTROL, (struct bytes){0}, &status_events,
                 session);
}

/* --- And what becomes of its link ----------------------------------------------------------- */

static void on_tick(void *context)
{
    struct session *session = context;
    int64_t seconds = (loop_now_us(session->loop) - session->away_us) / 1000000;
    notice_say(&session->notice, "%s is away for %lld s, %s", session->host, (long long)seconds,
               session->hint);
    timer_start(session->tick, 1000);
}

static void on_unsaid(void *context)
{
    struct session *session = context;
    if (session->events->unsaid)
        session->events->unsaid(session->context);
}

static void away_show(struct session *session)
{
    bool said = session->notice.shown && session->notice.terminal;
    if (!session->hint)
        return;
    if (session->away) {
        session->away_us = loop_now_us(session->loop);
        timer_start(session->tick, PATIENCE_MS); /* a blink is not worth a word */
        return;
    }
    timer_stop(session->tick);
    notice_clear(&session->notice);
    if (said)
        on_unsaid(session);
}

static void take_news(struct session *session, struct bytes line)
{
    AUTO(jv_free) struct jv *news = jv_parse(line, NULL);
    const char *lost = news ? jv_get_text(news, "lost", NULL) : NULL;
    if (lost)
        text_show(bytes_of(lost), session->lost, sizeof session->lost);
    bool away = news && !jv_get_bool(news, "up", false);
    if (!news || away == session->away)
        return;
    session->away = away;
    away_show(session);
    if (session->events->linked)
        session->events->linked(session->context, !away);
}

static void on_news(void *context, struct channel *channel, struct bytes bytes)
{
    struct session *session = context;
    channel_consumed(channel, bytes.size);
    if (!buf_append(&session->news, bytes, NULL))
        buf_clear(&session->news); /* too long for what it should be */
    struct bytes rest = buf_bytes(&session->news);
    const uint8_t *newline;
    while (rest.size && (newline = memchr(rest.data, '\n', rest.size))) {
        size_t size = (size_t)(newline - rest.data);
        take_news(session, (struct bytes){rest.data, size});
        rest = (struct bytes){newline + 1, rest.size - size - 1};
    }
    buf_consume(&session->news, session->news.size - rest.size);
}

static void on_news_closed(void *context, struct channel *channel, const struct error *reason)
{
    (void)context, (void)channel, (void)reason; /* an older one knows of none */
}

static void ask_news(struct session *session)
{
    static const struct channel_events news_events = {.data = on_news, .closed = on_news_closed};
    session->news = BUF(NEWS_MAX);
    channel_open(session->mux, "hub.news", CHANNEL_CONTROL, (struct bytes){0}, &news_events,
                 session);
}

static bool join_hub(struct session *session, const struct hub *hub, struct error *err)
{
    int fd = unix_connect(hub->socket, err);
    if (fd < 0)
        return false;
    session->mux = mux_new(MUX_CLIENT, (struct mux_id){{0}}, &hub_events, session);
    session->carrier =
        carrier_new(session->loop, session->mux, (int[]){fd, fd}, on_hub_closed, session, err);
    session->host = xstrdup(hub->host);
    session->folder = project_remote_folder(hub->root, hub->remote);
    return session->carrier != NULL;
}

static void on_changed(void *context, const struct link_status *status)
{
    struct session *session = context;
    if (session->events->linked)
        session->events->linked(session->context, status->state == LINK_UP);
}

static const struct linking_events linking_events = {
    .lost = on_lost, .changed = on_changed, .unsaid = on_unsaid};

static bool link_alone(struct session *session, struct cli *cli, const struct session_plan *plan,
                       struct error *err)
{
    const char *host = plan->host ? plan->host : project_host(session->project);
    if (!host)
        return error_set(err, ERROR_INVALID,
                         "which host? Give --host, set VMA_HOST, or write vma.yaml (vma init)");
    struct linking_plan how = {
        .host = host,
        .ssh = project_ssh(session->project),
        .keep_ms = plan->keep_ms ? plan->keep_ms : project_keep_ms(session->project),
        .quiet = plan->quiet,
    };
    session->host = xstrdup(host);
    if (project_root(session->project))
        session->folder =
            project_remote_folder(project_root(session->project), project_remote(session->project));
    session->linking = linking_new(cli, session->loop, &how, &linking_events, session, err);
    return session->linking != NULL;
}

static void on_tell(void *context)
{
    struct session *session = context;
    session->closed(session->closed_context);
}

struct session *session_open(struct cli *cli, struct loop *loop, const struct session_plan *plan,
                             const struct session_events *events, void *context, struct error *err)
{
    AUTO(session_free) struct session *session = xcalloc(1, sizeof *session);
    session->loop = loop;
    session->events = events;
    session->context = context;
    session->tell = later_new(loop, on_tell, session);
    session->tick = timer_new(loop, on_tick, session);
    notice_init(&session->notice, cli, plan->quiet);
    session->project = project_find(cli, err);
    if (!session->project)
        return NULL;
    AUTO(hub_free) struct hub *hub =
        plan->alone ? NULL
                    : hub_find(cli, plan->host ? plan->host : project_host(session->project));
    if (!(hub ? join_hub(session, hub, err) : link_alone(session, cli, plan, err)))
        return NULL;
    if (hub)
        ask_news(session);
    if (hub && !plan->quiet)
        ask_status(session);
    return TAKE(session);
}

struct mux *session_mux(struct session *session)
{
    return session->linking ? linking_mux(session->linking) : session->mux;
}

bool session_is_up(const struct session *session)
{
    struct link_status status;
    if (!session->linking)
        return !session->away;
    linking_look(session->linking, &status);
    return status.state == LINK_UP;
}

const char *session_folder(const struct session *session)
{
    return session->folder;
}

const char *session_host(const struct session *session)
{
    return session->host;
}

void session_hint(struct session *session, const char *hint)
{
    if (session->linking) {
        linking_hint(session->linking, hint);
        return;
    }
    session->hint = hint;
    away_show(session);
}

void session_close(struct session *session, void (*done)(void *context), void *context)
{
    session->closed = done;
    session->closed_context = context;
    session->hint = NULL;
    timer_stop(session->tick);
    notice_clear(&session->notice);
    if (session->linking)
        linking_close(session->linking, done, context);
    else
        later_ask(session->tell);
}

void session_free(struct session *session)
{
    if (!session)
        return;
    linking_free(session->linking);
    carrier_free(session->carrier);
    mux_free(session->mux);
    later_free(session->tell);
    timer_free(session->tick);
    project_free(session->project);
    buf_dispose(&session->status);
    buf_dispose(&session->news);
    free(session->host);
    free(session->folder);
    free(session);
}
