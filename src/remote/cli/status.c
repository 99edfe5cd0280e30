/* SPDX-License-Identifier: Apache-2.0 */
/* vma status, vma stop: asks the running one. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "carry/carrier.h"
#include "cli/asking.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/hubs.h"
#include "cli/kept.h"
#include "cli/sync.h"
#include "io/loop.h"
#include "link/ledger.h"
#include "sys/fdpass.h"
#include "wire/mux.h"

enum { ANSWER_MAX = 4 * 1024 * 1024, PATIENCE_MS = 5000, ENDING_MS = 15 * 1000 };

struct options {
    const char *host;
    bool json, all, kept;
};

/* A question's way to a running vma. */
struct visit {
    struct asking asking;
    struct mux *mux;
    struct carrier *carrier;
    bool late;
};

static void on_output(void *context)
{
    struct visit *visit = context;
    if (visit->carrier)
        carrier_output(visit->carrier);
}

static void on_ended(void *context)
{
    (void)context;
}

static const struct mux_events mux_events = {.output = on_output, .ended = on_ended};

static void on_hung_up(void *context, const struct error *reason, bool broken)
{
    struct visit *visit = context;
    (void)broken;
    asking_fail(&visit->asking, reason);
}

static void on_late(void *context)
{
    struct visit *visit = context;
    struct error late;
    visit->late = true;
    error_set(&late, ERROR_TIMEOUT, "the running vma does not answer");
    asking_fail(&visit->asking, &late);
}

/* It hangs up before it lets go of its session, and closes its socket afterwards: which ends the
 * connections that it never took. */
static void wait_for_socket(const struct hub *hub)
{
    struct error err;
    AUTO(fd_close) int fd = unix_connect(hub->socket, &err);
    struct pollfd end = {.fd = fd, .events = POLLIN};
    if (fd >= 0)
        poll(&end, 1, ENDING_MS);
}

/* `to_the_end`: until it has ended. */
static bool ask(const struct hub *hub, const char *service, bool to_the_end, struct buf *out,
                struct error *err)
{
    AUTO(loop_free) struct loop *loop = loop_new(err);
    struct visit visit = {.asking = {.loop = loop, .answer = *out, .err = err}};
    int fd = loop ? unix_connect(hub->socket, err) : -1;
    if (fd < 0)
        return false;
    struct timer *patience = timer_new(loop, on_late, &visit);
    timer_start(patience, to_the_end ? ENDING_MS : PATIENCE_MS);
    visit.mux = mux_new(MUX_CLIENT, (struct mux_id){{0}}, &mux_events, &visit);
    visit.carrier = carrier_new(loop, visit.mux, (int[]){fd, fd}, on_hung_up, &visit, err);
    bool answered =
        visit.carrier && asking_put(&visit.asking, visit.mux, service, (struct bytes){0});
    if (answered && to_the_end && !visit.asking.failed)
        loop_run(loop);
    if (answered && to_the_end && !visit.late)
        wait_for_socket(hub);
    if (answered && visit.late)
        answered = error_set(err, ERROR_TIMEOUT, "the running vma does not end");
    visit.asking.failed = true; /* nobody waits any more */
    carrier_free(visit.carrier);
    mux_free(visit.mux);
    timer_free(patience);
    *out = visit.asking.answer;
    return answered;
}

static void print_size(double bytes)
{
    if (bytes < 1e6)
        printf("%.0f kB", bytes / 1e3);
    else
        printf("%.1f MB", bytes / 1e6);
}

static void show_sync(const struct jv *status, bool up)
{
    const struct jv *sync = jv_get(status, "sync_state");
    const char *host = jv_get_text(status, "host", "");
    char text[SYNC_STATE_SIZE];
    if (!sync)
        return;
    if (up)
        printf(", %s", sync_state_text(sync, host, text, sizeof text));
    else
        printf(", waiting for %s", host);
    const char *guard = jv_get_text(sync, "guard", NULL);
    const char *problem = jv_get_text(sync, "problem", NULL);
    if (guard)
        printf("\n  halted: %s", guard);
    if (problem && jv_get_int(sync, "failed", 0))
        printf("\n  %s", problem);
}

static void show_link(const struct jv *status)
{
    const struct jv *link = jv_get(status, "link");
    const char *state = jv_get_text(link, "state", "");
    const char *why = jv_get_text(link, "why", "");
    printf("%s  %s", jv_get_text(status, "host", ""), state);
    double next_s = jv_get_real(link, "next_try_ms", 0) / 1000;
    bool waiting = strcmp(state, "waiting") == 0;
    if (waiting)
        printf(" for %.0f s", jv_get_real(link, "since_ms", 0) / 1000);
    if (waiting && next_s >= 1)
        printf(", next try in %.0f s", next_s);
    if (waiting && *why)
        printf(": %s", why);
    if (!waiting && jv_get_int(link, "rtt_us", 0) > 0) /* not measured yet, right behind a cut */
        printf(", round trip %.1f ms", jv_get_real(link, "rtt_us", 0) / 1000);
    long long cuts = (long long)jv_get_int(link, "cuts", 0);
    if (cuts == 1)
        printf(", cut once");
    else if (cuts > 1)
        printf(", cut %lld times", cuts);
    printf("  (pid %lld)\n", (long long)jv_get_int(status, "pid", 0));
    printf("  sent ");
    print_size(jv_get_real(link, "sent_bytes", 0));
    printf(", received ");
    print_size(jv_get_real(link, "received_bytes", 0));
    printf("\n");
    const char *mode = jv_get_text(status, "sync", "");
    printf("  %s %s %s, sync: %s", jv_get_text(status, "root", ""),
           strncmp(mode, "two-way", 7) == 0 ? "<->" : "->", jv_get_text(status, "remote", ""),
           mode);
    show_sync(status, strcmp(state, "up") == 0);
    printf("\n");
}

static void show(const struct jv *status)
{
    const struct jv *forwards = jv_get(status, "forwards");
    show_link(status);
    for (size_t i = 0; i < jv_size(forwards); i++) {
        const struct jv *item = jv_at(forwards, i);
        bool reverse = jv_get_bool(item, "reverse", false);
        const char *failed = jv_get_text(item, "error", NULL);
        printf("  %s (%s) -> %s (%s)  %s, %lld open\n", jv_get_text(item, "listen", ""),
               reverse ? "there" : "here", jv_get_text(item, "target", ""),
               reverse ? "here" : "there", failed ? failed : jv_get_text(item, "state", ""),
               (long long)jv_get_int(item, "connections", 0));
    }
}

struct gathering {
    struct cli *cli;
    const struct options *options;
    struct jv *all;
    struct error *err;
    size_t count;
};

static void gather(void *context, const struct hub *hub)
{
    struct gathering *gathering = context;
    AUTO(buf_dispose) struct buf text = BUF(ANSWER_MAX);
    struct error err;
    if (gathering->options->host && strcmp(gathering->options->host, hub->host) != 0)
        return;
    /* It hangs up on everybody when it begins a session anew, as it does while a host is away. */
    bool answered = false;
    for (int tries = 0; tries < 3 && !answered && (!tries || err.kind != ERROR_TIMEOUT); tries++) {
        buf_clear(&text);
        answered = ask(hub, "hub.status", false, &text, &err);
    }
    if (!answered) {
        fprintf(stderr, "vma: pid %d: %s\n", hub->pid, err.text);
        return;
    }
    struct jv *status = jv_parse(buf_bytes(&text), &err);
    gathering->count++;
    bool syncs = status && strcmp(jv_get_text(status, "sync", "off"), "off") != 0;
    struct jv *sync = syncs ? sync_state_of(gathering->cli, hub->root, hub->host) : NULL;
    if (sync)
        jv_put(status, "sync_state", &sync);
    if (status)
        jv_push(gathering->all, &status);
}

static bool status_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    const struct options *options = raw;
    AUTO(jv_free) struct jv *all = jv_array();
    struct gathering gathering = {.cli = context, .options = options, .all = all, .err = err};
    (void)operands;
    if (options->kept)
        return kept_show(context, options->host, options->json, err);
    hub_each(context, gather, &gathering);
    if (options->json) {
        AUTO(buf_dispose) struct buf text = BUF(16 * 1024 * 1024);
        if (!jv_write(all, true, &text, err))
            return false;
        printf("%s\n", buf_string(&text));
        return true;
    }
    for (size_t i = 0; i < jv_size(all); i++)
        show(jv_at(all, i));
    return gathering.count > 0 || error_set(err, ERROR_NOT_FOUND, "vma is not running");
}

struct stopping {
    struct cli *cli;
    const struct options *options;
    struct error *err;
    size_t count;
};

/* What a client that is no more did not get to tell the host. */
static bool left_behind(struct cli *cli, const char *host)
{
    AUTO(jv_free) struct jv *names = jv_array();
    AUTO(mem_free) char *folder = dirs_runtime("vma", cli->lookup, NULL);
    if (!folder)
        return false;
    ledger_settle(ledger_orphans(folder, host, names), false);
    return jv_size(names) > 0;
}

static void stop_one(struct stopping *stopping, const struct hub *hub)
{
    AUTO(buf_dispose) struct buf text = BUF(1024);
    struct error err;
    stopping->count++;
    if (!ask(hub, "hub.stop", true, &text, &err)) {
        fprintf(stderr, "vma: pid %d: %s\n", hub->pid, err.text);
        return;
    }
    printf("stopped: %s (pid %d)\n", hub->host, hub->pid);
    if (left_behind(stopping->cli, hub->host))
        fprintf(stderr,
                "vma: %s is away and does not know: what runs there ends with the next vma that "
                "reaches it\n",
                hub->host);
}

static void stop_each(void *context, const struct hub *hub)
{
    struct stopping *stopping = context;
    if (!stopping->options->host || strcmp(stopping->options->host, hub->host) == 0)
        stop_one(stopping, hub);
}

static bool stop_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    const struct options *options = raw;
    struct stopping stopping = {.cli = context, .options = options, .err = err};
    (void)operands;
    if (options->kept)
        return kept_end(context, options->host, err);
    if (options->all) {
        hub_each(context, stop_each, &stopping);
    } else {
        AUTO(hub_free) struct hub *hub = hub_find(context, options->host);
        if (hub)
            stop_one(&stopping, hub);
    }
    return stopping.count > 0 ||
           error_set(err, ERROR_NOT_FOUND, "vma is not running for this folder (--all: for any)");
}

static const struct option status_rows[] = {
    OPTION_TEXT('H', "host", "HOST", host, "only this host's"),
    OPTION_FLAG('j', "json", json, "as JSON, for programs"),
    OPTION_FLAG('k', "kept", kept, "what HOST keeps for clients that are not there any more"),
    OPTION_END,
};

static const struct option stop_rows[] = {
    OPTION_TEXT('H', "host", "HOST", host, "only this host's"),
    OPTION_FLAG('a', "all", all, "wherever it runs"),
    OPTION_FLAG('k', "kept", kept, "end what HOST keeps for clients that are not there any more"),
    OPTION_END,
};

const struct command command_status = {
    .name = "status",
    .summary = "Show every running vma dev: link, ports, sync",
    .options = status_rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .run = status_run,
};

const struct command command_stop = {
    .name = "stop",
    .summary = "End the vma dev of this folder, and what it runs there",
    .options = stop_rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .run = stop_run,
};
