/* SPDX-License-Identifier: Apache-2.0 */
/* vma forward: ports and sockets, both ways. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/notice.h"
#include "cli/session.h"
#include "forward/forward.h"
#include "io/loop.h"

struct options {
    const char *host;
    struct option_list reverse;
    bool quiet, alone;
};

struct running {
    struct loop *loop;
    struct session *session;
    struct forward_client *client;
    struct error *err;
    size_t rules, listening, failures;
    bool quiet, lost, ending;
};

static void closed(void *context)
{
    struct running *running = context;
    loop_stop(running->loop);
}

static void end(struct running *running)
{
    running->ending = true; /* asked again, it does not wait for the goodbye to be heard */
    session_close(running->session, closed, running);
}

static void on_lost(void *context, const struct error *reason)
{
    struct running *running = context;
    running->lost = true;
    *running->err = *reason;
    if (!running->ending)
        end(running);
}

static const struct session_events session_events = {.lost = on_lost};

static void on_signal(void *context, int number)
{
    notice_interrupted(number);
    end(context);
}

static void show(const struct running *running, const struct forward_info *info)
{
    char listen[FORWARD_TEXT_MAX], target[FORWARD_TEXT_MAX];
    struct forward_place place = info->rule.listen;
    place.port = info->port;
    forward_place_text(&place, listen);
    forward_place_text(&info->rule.target, target);
    const char *host = session_host(running->session);
    if (info->rule.reverse)
        printf("%s (%s) -> %s (here)\n", listen, host, target);
    else
        printf("%s (here) -> %s (%s)\n", listen, target, host);
    fflush(stdout);
}

static void on_changed(void *context, struct forward *forward)
{
    struct running *running = context;
    struct forward_info info;
    char listen[FORWARD_TEXT_MAX];
    forward_look(forward, &info);
    if (info.state == FORWARD_LISTENING) {
        running->listening++;
        if (!running->quiet)
            show(running, &info);
        return;
    }
    const char *way = info.rule.reverse ? "reverse" : "forward";
    forward_place_text(&info.rule.listen, listen);
    if (++running->failures < running->rules || running->lost) {
        fprintf(stderr, "vma: %s %s: %s\n", way, listen, info.why->text);
        return;
    }
    running->lost = true; /* the last one's failure is the command's */
    *running->err = *info.why;
    error_wrap(running->err, "%s %s", way, listen);
    end(running);
}

static bool add_all(struct running *running, const struct options *options,
                    struct operands operands, struct error *err)
{
    struct forward_rule rules[OPTION_LIST_MAX * 4];
    size_t count = 0;
    for (size_t i = 0; i < operands.count; i++)
        if (!forward_rule_parse(operands.items[i], false, &rules[count++], err))
            return false;
    for (size_t i = 0; i < options->reverse.count; i++)
        if (!forward_rule_parse(options->reverse.items[i], true, &rules[count++], err))
            return false;
    if (count == 0)
        return error_set(err, ERROR_INVALID, "nothing to forward: give a port, or --reverse PORT");
    running->rules = count;
    for (size_t i = 0; i < count; i++)
        forward_add(running->client, &rules[i], on_changed, running);
    return true;
}

static bool forward_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    struct cli *cli = context;
    const struct options *options = raw;
    struct session_plan plan = {.host = options->host, .alone = options->alone};
    struct running running = {.err = err, .quiet = options->quiet};
    running.loop = loop_new(err);
    if (!running.loop)
        return false;
    signal(SIGPIPE, SIG_IGN);
    struct signals *signals = signals_new(running.loop, on_signal, &running);
    signals_add(signals, SIGINT); /* before there is anything that could be left behind */
    signals_add(signals, SIGTERM);
    signals_add(signals, SIGHUP);
    running.session = session_open(cli, running.loop, &plan, &session_events, &running, err);
    bool ready = false;
    if (running.session) {
        running.client = forward_client_new(running.loop, session_mux(running.session));
        ready = add_all(&running, options, operands, err);
    }
    if (ready)
        loop_run(running.loop);
    forward_client_free(running.client);
    session_free(running.session);
    signals_free(signals);
    loop_free(running.loop);
    return ready && !running.lost;
}

static const struct option rows[] = {
    OPTION_TEXT('H', "host", "HOST", host, "work on this host [the project's]",
                .environment = "VMA_HOST"),
    OPTION_LIST('R', "reverse", "RULE", reverse, "listen there, connect here; may be repeated"),
    OPTION_FLAG('q', "quiet", quiet, "do not say what is forwarded"),
    OPTION_FLAG(0, "alone", alone, "use a link of its own even if vma dev runs"),
    OPTION_END,
};

const struct command command_forward = {
    .name = "forward",
    .operands = "[RULE…]",
    .summary = "Make ports and sockets of the other side reachable here, or the other way round",
    .details =
        "A rule is LISTEN or LISTEN=TARGET; each is PORT, HOST:PORT or the /path of a Unix "
        "socket. 55433 alone means the same port on both loopbacks; 8080=80 listens on 8080 and "
        "leads to 80. With --reverse the other side listens and this one connects, for example "
        "--reverse 172.17.0.1:8001=8001 for containers on their bridge. Connections survive a "
        "lost link. Runs until it is interrupted.",
    .options = rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .max_operands = 64,
    .run = forward_run,
};
