/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/hub.h"
#include "cli/linking.h"
#include "cli/progress.h"
#include "cli/sync.h"
#include "config/config.h"
#include "forward/forward.h"
#include "io/loop.h"
#include "link/link.h"
#include "sync/ignore.h"
#include "sync/path.h"
#include "syncing/laptop.h"
#include "wire/mux.h"

enum { RETRY_MS = 2000, CALM_MS = 10 * 1000, FORWARDS_MAX = 256, FOLDER_PATIENCE_MS = 10 * 1000 };

struct dev {
    struct cli *cli;
    struct loop *loop;
    struct dev_plan plan;
    struct linking *linking;
    struct forward_client *client;
    struct forward *forwards[FORWARDS_MAX];
    struct forward_rule rules[FORWARDS_MAX];
    size_t count;
    struct laptop *laptop;
    struct progress *progress;
    struct sync_ear *sync_ear;
    struct sync_about about;
    struct hub_ear *ear;
    struct timer *retry, *folder; /* folder: it is not waited for any longer */
    struct later *replace;
    const struct dev_events *events;
    void *context;
    bool ever_up, told_up, stopping, ended;
    int64_t lost_us, replaced_us;
    char said[240]; /* why there is no link: not to be said again and again */
};

static void say(const struct dev *dev, const char *text)
{
    progress_hide(dev->progress);
    if (!dev->plan.quiet)
        fprintf(stderr, "vma: %s\n", text);
}

/* --- the link ------------------------------------------------------------------------------- */

static bool link_up(struct dev *dev, struct error *err);

static void finish(struct dev *dev, const struct error *reason)
{
    if (dev->ended)
        return;
    dev->ended = true;
    dev->events->ended(dev->context, reason);
}

static void let_go(struct dev *dev)
{
    hub_ear_use(dev->ear, NULL, NULL);
    if (dev->laptop)
        laptop_detach(dev->laptop);
    forward_client_free(TAKE(dev->client));
    dev->count = 0;
    linking_free(TAKE(dev->linking));
}

static void on_replace(void *context)
{
    struct dev *dev = context;
    int64_t now_us = loop_now_us(dev->loop);
    bool again = now_us - dev->replaced_us < INT64_C(1000) * CALM_MS;
    dev->replaced_us = now_us;
    let_go(dev);
    timer_start(dev->retry, again ? RETRY_MS : 1);
}

static void on_retry(void *context)
{
    struct dev *dev = context;
    struct error err;
    if (!dev->stopping && !link_up(dev, &err))
        timer_start(dev->retry, RETRY_MS);
}

static void on_lost(void *context, const struct error *reason, bool session_lost)
{
    struct dev *dev = context;
    if (dev->stopping)
        return;
    bool may_pass = reason->kind == ERROR_UNAVAILABLE && dev->plan.patient;
    if (!dev->ever_up && !session_lost && !may_pass) {
        finish(dev, reason);
        return;
    }
    if (strcmp(reason->text, dev->said) != 0) {
        snprintf(dev->said, sizeof dev->said, "%s", reason->text);
        dev->lost_us = loop_now_us(dev->loop);
        say(dev, reason->text);
        if (!dev->ever_up)
            say(dev, "waiting for it (Ctrl-C ends this)");
    }
    if (session_lost)
        say(dev, "what ran there has ended; starting a new session");
    hub_ear_lost(dev->ear, reason->text);
    later_ask(dev->replace); /* the link cannot be freed while it tells us this */
}

static void tell_up(void *context)
{
    struct dev *dev = context;
    timer_stop(dev->folder);
    if (!dev->told_up)
        dev->events->up(dev->context);
    dev->told_up = true;
}

static void on_up(void *context)
{
    struct dev *dev = context;
    dev->said[0] = '\0';
    if (dev->ever_up)
        return;
    dev->ever_up = true;
    if (dev->laptop)
        timer_start(dev->folder, FOLDER_PATIENCE_MS); /* until commands can run in it */
    else
        tell_up(dev);
}

static void on_changed(void *context, const struct link_status *status)
{
    struct dev *dev = context;
    if (dev->laptop)
        laptop_linked(dev->laptop, status->state == LINK_UP);
    hub_ear_linked(dev->ear, status->state == LINK_UP);
    if (dev->progress && status->state != LINK_UP)
        progress_pause(dev->progress); /* the line is for telling that the host is away */
    else if (dev->progress && dev->told_up)
        progress_begin(dev->progress);
}

static const struct linking_events linking_events = {
    .lost = on_lost, .up = on_up, .changed = on_changed};

static void on_forward(void *context, struct forward *forward)
{
    struct dev *dev = context;
    struct forward_info info;
    char listen[FORWARD_TEXT_MAX], target[FORWARD_TEXT_MAX], line[2 * FORWARD_TEXT_MAX + 300];
    forward_look(forward, &info);
    struct forward_place place = info.rule.listen;
    if (info.port)
        place.port = info.port;
    forward_place_text(&place, listen);
    forward_place_text(&info.rule.target, target);
    if (info.state == FORWARD_FAILED)
        snprintf(line, sizeof line, "%s %s: %s", info.rule.reverse ? "reverse" : "forward", listen,
                 info.why->text);
    else
        snprintf(line, sizeof line, "%s (%s) -> %s (%s)", listen,
                 info.rule.reverse ? "there" : "here", target,
                 info.rule.reverse ? "here" : "there");
    say(dev, line);
}

static bool rules_read(struct dev *dev, size_t *out_count, struct error *err)
{
    const struct config_list *lists[] = {&dev->plan.config->forward, &dev->plan.config->reverse};
    *out_count = 0;
    for (size_t i = 0; i < 2 && !dev->plan.no_forward; i++)
        for (size_t j = 0; j < lists[i]->count && *out_count < FORWARDS_MAX; j++)
            if (!forward_rule_parse(lists[i]->items[j], i == 1, &dev->rules[(*out_count)++], err))
                return false;
    return true;
}

static bool link_up(struct dev *dev, struct error *err)
{
    size_t count;
    const struct config *config = dev->plan.config;
    if (!rules_read(dev, &count, err))
        return false;
    struct linking_plan plan = {
        .host = dev->plan.host,
        .ssh = config->ssh.count ? (const char *const *)config->ssh.items : NULL,
        .keep_ms = config->keep_ms,
        .quiet = dev->plan.quiet,
    };
    dev->linking = linking_new(dev->cli, dev->loop, &plan, &linking_events, dev, err);
    if (!dev->linking)
        return false;
    struct mux *mux = linking_mux(dev->linking);
    dev->client = forward_client_new(dev->loop, mux);
    for (dev->count = 0; dev->count < count; dev->count++)
        dev->forwards[dev->count] =
            forward_add(dev->client, &dev->rules[dev->count], on_forward, dev);
    if (dev->laptop)
        laptop_attach(dev->laptop, mux);
    hub_ear_use(dev->ear, mux, dev->client);
    return true;
}

/* --- sync ----------------------------------------------------------------------------------- */

static void on_event(void *context, const struct sync_event *event)
{
    struct dev *dev = context;
    char shown[PATH_TEXT_SIZE];
    if (event->kind == SYNC_EVENT_STATE) {
        if (strcmp(event->text, "agreed") == 0) {
            progress_begin(dev->progress);
            tell_up(dev);
        }
        if (strcmp(event->text, "back") == 0)
            say(dev, "all is back: the sync goes on");
        return;
    }
    progress_hide(dev->progress);
    if (!dev->plan.quiet)
        fprintf(stderr, "vma: %s%s%s\n", *event->path ? path_text(event->path, shown) : "",
                *event->path ? ": " : "", event->text);
}

static void on_sync_failed(void *context, const struct error *reason)
{
    struct dev *dev = context;
    struct error wrapped = *reason;
    error_wrap(&wrapped, "sync");
    finish(dev, &wrapped);
}

static const struct laptop_events laptop_events = {on_event, on_sync_failed};

static char *joined(const char *first, const struct config_list *list)
{
    AUTO(buf_dispose) struct buf text = BUF(1024 * 1024);
    bool fits = buf_text(&text, first, NULL);
    for (size_t i = 0; i < list->count && fits; i++)
        fits = buf_printf(&text, NULL, "%s\n", list->items[i]);
    return buf_take(&text);
}

static bool sync_up(struct dev *dev, struct error *err)
{
    const struct config *config = dev->plan.config;
    AUTO(mem_free) char *ignore = joined(".git\n", &config->sync.ignore);
    AUTO(mem_free) char *protect = joined(ignore_default_protect, &config->sync.protect);
    AUTO(mem_free) char *state = dirs_state("vma", dev->cli->lookup, err);
    if (!state)
        return false;
    dev->about = (struct sync_about){
        .source = dev->plan.root,
        .host = dev->plan.host,
        .dest = dev->plan.remote,
        .mode = config->sync.mode ? config->sync.mode : "mirror",
    };
    struct laptop_plan plan = {
        .source = dev->about.source,
        .dest = dev->about.dest,
        .host = dev->about.host,
        .state = state,
        .ignore = ignore,
        .protect = protect,
        .watch = true,
    };
    if (!sync_mode_parse(dev->about.mode, &plan.mode))
        return error_set(err, ERROR_INVALID, "there is no sync mode %s", dev->about.mode);
    if (!sync_ear_check(dev->cli, &dev->about, err))
        return false;
    dev->laptop = laptop_new(dev->loop, &plan, &laptop_events, dev, err);
    if (!dev->laptop)
        return false;
    dev->about.state = laptop_state(dev->laptop);
    dev->progress =
        progress_new(dev->cli, dev->loop, dev->laptop, dev->plan.remote, dev->plan.quiet);
    dev->sync_ear = sync_ear_new(dev->cli, dev->loop, dev->laptop, &dev->about, err);
    return dev->sync_ear != NULL;
}

/* --- what others ask ------------------------------------------------------------------------ */

static const char *state_name(enum link_state state)
{
    static const char *const names[] = {"connecting", "installing", "up", "waiting"};
    return names[state];
}

static void status_forwards(const struct dev *dev, struct jv *status)
{
    struct jv *list = jv_put_array(status, "forwards");
    for (size_t i = 0; i < dev->count; i++) {
        static const char *const names[] = {"starting", "listening", "failed"};
        char listen[FORWARD_TEXT_MAX], target[FORWARD_TEXT_MAX];
        struct forward_info info;
        struct jv *item = jv_push_object(list);
        forward_look(dev->forwards[i], &info);
        if (info.port)
            info.rule.listen.port = info.port;
        forward_place_text(&info.rule.listen, listen);
        forward_place_text(&info.rule.target, target);
        jv_text(item, "listen", listen);
        jv_text(item, "target", target);
        jv_bool(item, "reverse", info.rule.reverse);
        jv_text(item, "state", names[info.state]);
        jv_int(item, "connections", info.connections);
        jv_int(item, "total", (int64_t)info.total);
        if (info.why)
            jv_text(item, "error", info.why->text);
    }
}

static struct jv *on_status(void *context)
{
    struct dev *dev = context;
    struct jv *status = jv_object();
    jv_text(status, "host", dev->plan.host);
    jv_text(status, "root", dev->plan.root);
    jv_text(status, "remote", dev->plan.remote);
    jv_int(status, "pid", getpid());
    struct jv *link = jv_put_object(status, "link");
    if (dev->linking) {
        struct link_status now;
        struct mux_stats stats;
        linking_look(dev->linking, &now);
        mux_stats(linking_mux(dev->linking), &stats);
        jv_text(link, "state", state_name(now.state));
        jv_int(link, "since_ms", (loop_now_us(dev->loop) - now.since_us) / 1000);
        if (now.state == LINK_WAITING) {
            jv_text(link, "why", now.why);
            jv_int(link, "next_try_ms", now.next_ms);
        }
        jv_int(link, "rtt_us", stats.rtt_us);
        jv_int(link, "rate_bytes_s", stats.rate_bytes_s);
        jv_int(link, "sent_bytes", (int64_t)stats.sent_bytes);
        jv_int(link, "received_bytes", (int64_t)stats.received_bytes);
        jv_int(link, "repeated_bytes", (int64_t)stats.repeated_bytes);
        jv_int(link, "cuts", stats.attaches > 0 ? stats.attaches - 1 : 0);
    } else {
        jv_text(link, "state", "waiting");
        jv_int(link, "since_ms", (loop_now_us(dev->loop) - dev->lost_us) / 1000);
        jv_text(link, "why", dev->said);
    }
    status_forwards(dev, status);
    jv_text(status, "sync", dev->laptop ? dev->about.mode : "off");
    return status;
}

static void on_stop(void *context)
{
    dev_stop(context);
}

static const struct hub_ear_events ear_events = {on_status, on_stop};

/* --- the whole ------------------------------------------------------------------------------ */

struct dev *dev_new(struct cli *cli, struct loop *loop, const struct dev_plan *plan,
                    const struct dev_events *events, void *context, struct error *err)
{
    struct dev *dev = xcalloc(1, sizeof *dev);
    dev->cli = cli;
    dev->loop = loop;
    dev->plan = *plan;
    dev->events = events;
    dev->context = context;
    dev->retry = timer_new(loop, on_retry, dev);
    dev->folder = timer_new(loop, tell_up, dev);
    dev->replace = later_new(loop, on_replace, dev);
    struct hub_ear_plan ear = {plan->host, plan->root, plan->remote};
    dev->ear = hub_ear_new(cli, loop, &ear, &ear_events, dev, err);
    const char *mode = plan->config->sync.mode;
    bool syncs = !plan->no_sync && !(mode && strcmp(mode, "off") == 0);
    if (!dev->ear || (syncs && !sync_up(dev, err)) || !link_up(dev, err)) {
        dev_free(dev);
        return NULL;
    }
    return dev;
}

static void on_goodbye(void *context)
{
    finish(context, NULL);
}

void dev_stop(struct dev *dev)
{
    dev->stopping = true; /* asked again, it does not wait for the goodbye to be heard */
    timer_stop(dev->retry);
    if (dev->linking)
        linking_close(dev->linking, on_goodbye, dev);
    else
        finish(dev, NULL);
}

void dev_free(struct dev *dev)
{
    if (!dev)
        return;
    if (dev->ear)
        hub_ear_use(dev->ear, NULL, NULL);
    laptop_free(dev->laptop);
    progress_free(dev->progress);
    sync_ear_free(dev->sync_ear);
    forward_client_free(dev->client);
    linking_free(dev->linking);
    hub_ear_free(dev->ear);
    timer_free(dev->retry);
    timer_free(dev->folder);
    later_free(dev->replace);
    free(dev);
}
