/* SPDX-License-Identifier: Apache-2.0 */
/* A running sync: until it is interrupted, or until both sides are in sync. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/notice.h"
#include "cli/session.h"
#include "cli/sync.h"
#include "io/loop.h"
#include "sync/ignore.h"
#include "sync/path.h"
#include "syncing/laptop.h"

enum { PROGRESS_MS = 100, IDLE_MS = 2000, LOOKS = 3, RETRY_MS = 1000, NOTES_MAX = 40 };

struct running {
    struct cli *cli;
    const struct sync_choices *choices;
    struct loop *loop;
    struct session *session;
    struct laptop *laptop;
    struct sync_ear *ear;
    struct timer *progress, *retry;
    struct notice notice;
    struct sync_about about;
    struct jv *final; /* --once: how it ended */
    struct error *err;
    int64_t began_ms, ready_ms;
    unsigned notes;
    unsigned busy_looks; /* in a row */
    bool was_in_sync, agreed, failed, ending, asking;
    char lost[240]; /* why there is no link, said already */
};

static void closed(void *context)
{
    struct running *running = context;
    loop_stop(running->loop);
}

static void end(struct running *running)
{
    if (running->ending)
        return;
    running->ending = true;
    timer_stop(running->progress);
    timer_stop(running->retry);
    notice_clear(&running->notice);
    if (running->session)
        session_close(running->session, closed, running);
    else
        loop_stop(running->loop);
}

static void fail(struct running *running, const struct error *reason)
{
    if (!running->failed && !running->ending) {
        running->failed = true;
        *running->err = *reason;
    }
    end(running);
}

/* --- What is told -------------------------------------------------------------------------- */

static void say(struct running *running, const char *kind, const char *path, const char *text)
{
    char shown[PATH_TEXT_SIZE];
    notice_clear(&running->notice);
    if (running->choices->json) {
        AUTO(jv_free) struct jv *value = jv_object();
        AUTO(buf_dispose) struct buf line = BUF(64 * 1024);
        struct error err;
        jv_text(value, "event", kind);
        jv_text(value, "path", *path ? path_text(path, shown) : NULL);
        jv_text(value, "text", text);
        if (jv_write(value, false, &line, &err))
            fprintf(stderr, "%s\n", buf_string(&line));
        return;
    }
    if (*path)
        fprintf(stderr, "vma: %s: %s\n", path_text(path, shown), text);
    else
        fprintf(stderr, "vma: %s\n", text);
}

static void on_event(void *context, const struct sync_event *event)
{
    struct running *running = context;
    switch (event->kind) {
    case SYNC_EVENT_NOTE:
        if (running->notes++ < NOTES_MAX)
            say(running, "note", event->path, event->text);
        else if (running->notes == NOTES_MAX + 1)
            say(running, "note", "", "more of these are not shown (vma sync status)");
        break;
    case SYNC_EVENT_CONFLICT:
        say(running, "conflict", event->path, event->text);
        break;
    case SYNC_EVENT_GUARD:
        say(running, "guard", "", event->text);
        break;
    case SYNC_EVENT_STATE:
        if (strcmp(event->text, "agreed") == 0)
            running->agreed = true;
        if (strcmp(event->text, "back") == 0 && !running->choices->quiet)
            say(running, "back", "", "all is back: the sync goes on");
        if (running->agreed)
            running->lost[0] = '\0';
        break;
    case SYNC_EVENT_APPLIED:
        break;
    }
}

static void on_laptop_failed(void *context, const struct error *reason)
{
    fail(context, reason);
}

static const struct laptop_events laptop_events = {on_event, on_laptop_failed};

/* --- Progress and the end ------------------------------------------------------------------ */

static void ask(struct running *running, const char *what, sync_answer *answer)
{
    AUTO(jv_free) struct jv *question = jv_object();
    jv_text(question, "do", what);
    sync_ask(running->laptop, question, answer, running);
}

static void on_progress_answer(void *context, const struct jv *answer)
{
    struct running *running = context;
    char line[200];
    const char *phase = jv_get_text(answer, "phase", "");
    running->asking = false;
    if (running->ending)
        return;
    bool in_sync = sync_is_settled(answer);
    bool busy = strcmp(phase, "working") == 0 || strcmp(phase, "scanning") == 0;
    if (busy && running->was_in_sync && running->busy_looks == 0)
        running->began_ms = mono_ms();
    running->busy_looks = busy ? running->busy_looks + 1 : 0;
    if (busy) {
        /* a save that we happen to see is not worth a line */
        if (running->notice.terminal && (!running->was_in_sync || running->busy_looks > LOOKS)) {
            sync_progress_line(answer, mono_ms() - running->began_ms, notice_room(&running->notice),
                               line, sizeof line);
            notice_say(&running->notice, "%s", line);
        }
    } else if (in_sync && !running->was_in_sync) {
        notice_clear(&running->notice);
        if (!running->choices->quiet && !running->choices->json && !running->choices->once)
            sync_say_settled(answer, running->about.dest);
        running->was_in_sync = true;
    } else if (running->notice.shown) {
        notice_clear(&running->notice);
    }
    timer_start(running->progress, !busy && running->was_in_sync ? IDLE_MS : PROGRESS_MS);
}

static void on_progress(void *context)
{
    struct running *running = context;
    bool idle = running->was_in_sync && !running->notice.terminal;
    if (running->asking || idle || running->choices->quiet)
        return;
    running->asking = true;
    ask(running, "status", on_progress_answer);
}

static void on_final(void *context, const struct jv *answer)
{
    struct running *running = context;
    running->ready_ms = mono_ms();
    running->final = jv_copy(answer);
    end(running);
}

static void print_final(const struct running *running)
{
    struct jv *final = running->final;
    char state[SYNC_STATE_SIZE];
    int64_t took_ms = running->ready_ms - running->began_ms;
    if (running->choices->json) {
        AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
        struct error err;
        jv_int(final, "took_ms", took_ms);
        jv_text(final, "source", running->about.source);
        jv_text(final, "host", running->about.host);
        jv_text(final, "dest", running->about.dest);
        jv_text(final, "mode", running->about.mode);
        if (jv_write(final, false, &text, &err))
            printf("%s\n", buf_string(&text));
        return;
    }
    if (!running->choices->quiet)
        printf("%s: %lld files, %.1f MB; sent %.2f MB, received %.2f MB in %.2f s\n",
               sync_state_text(final, running->about.host, state, sizeof state),
               (long long)jv_get_int(final, "files", 0),
               (double)jv_get_int(final, "bytes", 0) / 1e6,
               (double)jv_get_int(final, "sent_bytes", 0) / 1e6,
               (double)jv_get_int(final, "received_bytes", 0) / 1e6, (double)took_ms / 1e3);
}

/* Whether what --once was to reach was reached. */
static bool judge_final(const struct jv *final, struct error *err)
{
    const char *guard = jv_get_text(final, "guard", NULL);
    const char *failed = jv_get_text(final, "error", NULL);
    int64_t conflicts = jv_get_int(final, "conflicts", 0);
    if (failed)
        return error_set(err, ERROR_CANCELLED, "%s", failed);
    if (guard)
        return error_set(err, ERROR_DENIED, "%s", guard);
    if (conflicts)
        return error_set(err, ERROR_CONFLICT, "%lld in conflict: vma sync conflicts",
                         (long long)conflicts);
    return sync_judge(final, err);
}

/* --- The session --------------------------------------------------------------------------- */

static void on_lost(void *context, const struct error *reason)
{
    struct running *running = context;
    bool may_pass = running->agreed || reason->kind == ERROR_UNAVAILABLE; /* it may be booting */
    if (running->choices->once || !may_pass) {
        fail(running, reason);
        return;
    }
    if (strcmp(reason->text, running->lost) != 0)
        say(running, "lost", "", reason->text);
    snprintf(running->lost, sizeof running->lost, "%s", reason->text);
    timer_start(running->retry, RETRY_MS);
}

static void on_linked(void *context, bool up)
{
    struct running *running = context;
    if (running->laptop)
        laptop_linked(running->laptop, up);
}

static const struct session_events session_events = {.lost = on_lost, .linked = on_linked};

static bool open_link(struct running *running, struct error *err)
{
    struct session_plan plan = {.host = running->about.host, .quiet = running->choices->quiet};
    running->session =
        session_open(running->cli, running->loop, &plan, &session_events, running, err);
    return running->session != NULL;
}

static bool connect_session(struct running *running, struct error *err)
{
    if (!open_link(running, err))
        return false;
    laptop_attach(running->laptop, session_mux(running->session));
    laptop_linked(running->laptop, session_is_up(running->session));
    return true;
}

/* The other side's session is gone, for example because it was restarted: a new one. */
static void on_retry(void *context)
{
    struct running *running = context;
    struct error err;
    if (running->session) {
        laptop_detach(running->laptop);
        session_free(TAKE(running->session));
    }
    if (!running->ending && !connect_session(running, &err))
        timer_start(running->retry, RETRY_MS);
}

static void on_signal(void *context, int number)
{
    struct running *running = context;
    notice_interrupted(number);
    if (running->ending && running->session) /* it does not wait for the goodbye to be heard */
        session_close(running->session, closed, running);
    end(running);
}

/* --- Beginning ----------------------------------------------------------------------------- */

static char *joined(const char *first, const struct option_list *list)
{
    AUTO(buf_dispose) struct buf text = BUF(256 * 1024);
    struct error err;
    bool good = buf_text(&text, first, &err);
    for (size_t i = 0; i < list->count && good; i++)
        good = buf_printf(&text, &err, "%s\n", list->items[i]);
    return good ? buf_take(&text) : NULL;
}

static bool split_dest(const char *text, char **out_host, char **out_dest, struct error *err)
{
    const char *colon = strchr(text, ':');
    bool local = strncmp(text, "local:", 6) == 0;
    if (!colon || colon == text || memchr(text, '/', (size_t)(colon - text)))
        return error_set(err, ERROR_INVALID, "%s is no HOST:DEST (or local:DEST)", text);
    const char *dest = colon + 1;
    if (!utf8_valid(bytes_of(dest)))
        return error_set(err, ERROR_INVALID, "the other folder's name is not UTF-8");
    *out_host = local ? xstrdup("local:") : xstrndup(text, (size_t)(colon - text));
    if (local && dest[0] != '/' && dest[0] != '~') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here))
            return error_os(err, errno, "working folder");
        *out_dest = xasprintf("%s/%s", here, *dest ? dest : ".");
    } else {
        *out_dest = *dest ? xstrdup(dest) : xstrdup("~");
    }
    for (size_t size = strlen(*out_dest); size > 1 && (*out_dest)[size - 1] == '/';)
        (*out_dest)[--size] = '\0';
    return true;
}

static bool begin(struct running *running, const char *state, struct error *err)
{
    const struct sync_choices *choices = running->choices;
    AUTO(mem_free) char *ignore = joined(".git\n", &choices->ignore);
    AUTO(mem_free)
    char *protect =
        joined(choices->protect_default ? ignore_default_protect : "", &choices->protect);
    struct laptop_plan plan = {.source = running->about.source,
                               .dest = running->about.dest,
                               .host = running->about.host,
                               .state = state,
                               .ignore = ignore,
                               .protect = protect,
                               .watch = choices->watch && !choices->once,
                               .paused = choices->paused,
                               .allow_mass_delete = choices->allow_mass_delete};
    if (!sync_mode_parse(running->about.mode, &plan.mode))
        return error_set(err, ERROR_INVALID, "there is no mode %s", running->about.mode);
    if (!sync_ear_check(running->cli, &running->about, err))
        return false;
    /* ssh takes its time; meanwhile what is remembered is read. */
    if (!open_link(running, err))
        return false;
    running->laptop = laptop_new(running->loop, &plan, &laptop_events, running, err);
    if (!running->laptop)
        return false;
    laptop_attach(running->laptop, session_mux(running->session));
    running->about.state = laptop_state(running->laptop);
    running->ear = sync_ear_new(running->cli, running->loop, running->laptop, &running->about, err);
    if (!running->ear)
        return false;
    timer_start(running->progress, PROGRESS_MS);
    if (choices->once)
        ask(running, choices->paused ? "look" : "flush", on_final);
    return true;
}

static bool run(struct running *running, const char *state, struct error *err)
{
    struct signals *signals = signals_new(running->loop, on_signal, running);
    signals_add(signals, SIGINT);
    signals_add(signals, SIGTERM);
    signals_add(signals, SIGHUP);
    running->progress = timer_new(running->loop, on_progress, running);
    running->retry = timer_new(running->loop, on_retry, running);
    notice_init(&running->notice, running->cli, running->choices->quiet);
    bool ready = begin(running, state, err);
    if (ready)
        loop_run(running->loop);
    notice_clear(&running->notice);
    laptop_free(running->laptop);
    sync_ear_free(running->ear);
    session_free(running->session);
    timer_free(running->progress);
    timer_free(running->retry);
    signals_free(signals);
    return ready && !running->failed;
}

bool sync_start(struct cli *cli, const struct sync_choices *choices, const char *source,
                const char *dest, struct error *err)
{
    AUTO(mem_free) char *host = NULL;
    AUTO(mem_free) char *folder = NULL;
    AUTO(mem_free) char *state = dirs_state("vma", cli->lookup, err);
    if (!state || !split_dest(dest, &host, &folder, err))
        return false;
    struct running running = {.cli = cli,
                              .choices = choices,
                              .err = err,
                              .began_ms = mono_ms(),
                              .about = {.source = source,
                                        .host = host,
                                        .dest = folder,
                                        .mode = choices->mode ? choices->mode : "mirror"}};
    signal(SIGPIPE, SIG_IGN);
    AUTO(loop_free) struct loop *loop = loop_new(err);
    running.loop = loop;
    AUTO(jv_free) struct jv *final = NULL;
    bool done = loop && run(&running, state, err);
    final = running.final;
    if (done && final) {
        print_final(&running);
        return judge_final(final, err);
    }
    return done;
}
