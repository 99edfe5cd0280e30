/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/linking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/notice.h"
#include "io/loop.h"
#include "link/link.h"

enum { WORDS_MAX = 24, PATIENCE_MS = 300, SILENCE_S = 10 };

struct linking {
    struct loop *loop;
    struct link *link;
    struct notice notice;
    struct timer *tick; /* so that the seconds of waiting are seen to pass */
    char *host, *words;
    const char *hint; /* or NULL */
    const char *ssh[WORDS_MAX + 1];
    const struct linking_events *events;
    void *context;
    bool was_up;
    void (*closed)(void *context);
    void *closed_context;
};

static void show(struct linking *linking)
{
    struct link_status status;
    char next[48] = "trying again …";
    bool said;
    link_look(linking->link, &status);
    int64_t seconds = (loop_now_us(linking->loop) - status.since_us) / 1000000;
    switch (status.state) {
    case LINK_CONNECTING:
        if (status.asking)
            notice_clear(&linking->notice); /* the line is ssh's question */
        else if (seconds >= SILENCE_S)
            notice_say(
                &linking->notice,
                "no answer from %s's login for %d s (a question, or a ~/.bashrc that waits?); "
                "does \"ssh %s true\" end?",
                linking->host, SILENCE_S, linking->host);
        else if (linking->notice.terminal)
            notice_say(&linking->notice, "connecting to %s …", linking->host);
        break;
    case LINK_INSTALLING:
        if (linking->notice.terminal)
            notice_say(&linking->notice, "installing the agent on %s: %zu of %zu kB", linking->host,
                       status.sent / 1000, status.total / 1000);
        else
            notice_say(&linking->notice, "installing the agent on %s", linking->host);
        break;
    case LINK_WAITING:
        if (status.next_ms >= 1000)
            snprintf(next, sizeof next, "next try in %lld s",
                     (long long)(status.next_ms + 500) / 1000);
        if (linking->notice.terminal) /* what matters comes first: the line may be short */
            notice_say(&linking->notice, "%s is away for %lld s, %s%s%s (%s)", linking->host,
                       (long long)seconds, linking->hint ? linking->hint : "",
                       linking->hint ? ", " : "", next, status.why);
        else if (seconds < 1 || !linking->notice.shown)
            notice_say(&linking->notice, "%s is away (%s), trying again", linking->host,
                       status.why);
        break;
    case LINK_UP:
        said = linking->was_up && linking->notice.shown;
        if (said && !linking->notice.terminal)
            notice_say(&linking->notice, "%s is back", linking->host);
        notice_clear(&linking->notice);
        if (said && linking->notice.terminal && linking->events->unsaid)
            linking->events->unsaid(linking->context);
        break;
    }
}

static void on_tick(void *context)
{
    struct linking *linking = context;
    struct link_status status;
    link_look(linking->link, &status);
    show(linking);
    if (status.state != LINK_UP)
        timer_start(linking->tick, 1000);
}

static void on_changed(void *context, const struct link_status *status)
{
    struct linking *linking = context;
    if (!linking->link)
        return; /* not yet returned from link_new */
    if (status->state == LINK_UP) {
        timer_stop(linking->tick);
        show(linking);
        linking->was_up = true;
        if (linking->events->up)
            linking->events->up(linking->context);
    } else if (status->state == LINK_INSTALLING || linking->notice.shown) {
        show(linking);
    }
    if (status->state == LINK_WAITING && !timer_active(linking->tick))
        timer_start(linking->tick, PATIENCE_MS); /* a blink of the link is not worth a word */
    if (linking->events->changed)
        linking->events->changed(linking->context, status);
}

static void on_failed(void *context, const struct error *reason, bool session_lost)
{
    struct linking *linking = context;
    struct error wrapped = *reason;
    timer_stop(linking->tick);
    notice_clear(&linking->notice);
    error_wrap(&wrapped, "%s", linking->host);
    linking->events->lost(linking->context, &wrapped, session_lost);
}

static const struct link_events link_events = {on_changed, on_failed};

/* "ssh -F file" from the environment is split at spaces. */
static void words_split(struct linking *linking, const char *text)
{
    size_t count = 0;
    char *rest;
    linking->words = xstrdup(text);
    for (char *word = strtok_r(linking->words, " ", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        linking->ssh[count++] = word;
    if (count == 0)
        linking->ssh[0] = "ssh";
}

struct linking *linking_new(struct cli *cli, struct loop *loop, const struct linking_plan *plan,
                            const struct linking_events *events, void *context, struct error *err)
{
    struct linking *linking = xcalloc(1, sizeof *linking);
    const char *variable = cli->lookup("VMA_SSH");
    linking->loop = loop;
    linking->events = events;
    linking->context = context;
    linking->host = xstrndup(plan->host, strcspn(plan->host, ":")); /* of "local:", too */
    notice_init(&linking->notice, cli, plan->quiet);
    linking->tick = timer_new(loop, on_tick, linking);
    words_split(linking, variable ? variable : "ssh");
    const char *agents = cli->lookup("VMA_AGENTS");
    AUTO(mem_free) char *ledger = dirs_runtime("vma", cli->lookup, NULL);
    struct link_plan how = {
        .host = plan->host,
        .ssh = !variable && plan->ssh ? plan->ssh : linking->ssh,
        .self = cli->self,
        .agents = agents,
        .version = VMA_VERSION,
        .ledger = ledger,
        .keep_ms = plan->keep_ms,
        .files = cli->files,
        .may_ask = isatty(0) && isatty(2),
    };
    linking->link = link_new(loop, &how, &link_events, linking, err);
    if (!linking->link) {
        error_wrap(err, "%s", linking->host);
        linking_free(linking);
        return NULL;
    }
    timer_start(linking->tick, PATIENCE_MS);
    return linking;
}

struct mux *linking_mux(struct linking *linking)
{
    return link_mux(linking->link);
}

void linking_look(const struct linking *linking, struct link_status *out)
{
    link_look(linking->link, out);
}

void linking_hint(struct linking *linking, const char *hint)
{
    linking->hint = hint;
}

static void on_link_closed(void *context)
{
    struct linking *linking = context;
    if (!link_ended_well(linking->link))
        notice_say(&linking->notice,
                   "%s is away and does not know: what runs there ends with the next vma that "
                   "reaches it",
                   linking->host);
    notice_leave(&linking->notice);
    linking->closed(linking->closed_context);
}

void linking_close(struct linking *linking, void (*done)(void *context), void *context)
{
    timer_stop(linking->tick);
    notice_clear(&linking->notice);
    linking->closed = done;
    linking->closed_context = context;
    link_close(linking->link, on_link_closed, linking);
}

void linking_free(struct linking *linking)
{
    if (!linking)
        return;
    notice_clear(&linking->notice);
    link_free(linking->link);
    timer_free(linking->tick);
    free(linking->host);
    free(linking->words);
    free(linking);
}
