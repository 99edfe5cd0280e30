/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kept.h"

#include <signal.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/asking.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "io/loop.h"

enum { ANSWER_MAX = 64 * 1024 * 1024, NAME_DIGITS = 8, LINE_SIZE = 512 };

/* A question's way to the host. */
struct visit {
    struct asking asking; /* first, so that it is the session's context */
    struct session *session;
};

static void on_lost(void *context, const struct error *reason)
{
    asking_fail(context, reason);
}

static const struct session_events session_events = {.lost = on_lost};

static void on_closed_session(void *context)
{
    loop_stop(((struct visit *)context)->asking.loop);
}

static struct jv *question(struct visit *visit, const struct jv *request)
{
    struct asking *asking = &visit->asking;
    AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
    if (!jv_write(request, false, &text, asking->err) ||
        !asking_put(asking, session_mux(visit->session), "sessions", buf_bytes(&text)))
        return NULL;
    return jv_parse(buf_bytes(&asking->answer), asking->err);
}

static bool away(const struct jv *session)
{
    return jv_get_bool(session, "away", false);
}

static const char *name(const struct jv *session)
{
    return jv_get_text(session, "session", "");
}

/* The host's word for it, which may be anything. */
static const char *short_name(const char *name, char out[NAME_DIGITS + 1])
{
    return text_show(bytes_of(name), out, NAME_DIGITS + 1);
}

static void duration(int64_t ms, char out[32])
{
    long long s = ms / 1000;
    if (s < 120)
        snprintf(out, 32, "%lld s", s);
    else if (s < 120 * 60)
        snprintf(out, 32, "%lld min", s / 60);
    else
        snprintf(out, 32, "%lld h %lld min", s / 3600, s / 60 % 60);
}

static void show_one(const struct jv *session)
{
    char since[32], left[32];
    int64_t away_ms = jv_get_int(session, "away_ms", 0);
    duration(away_ms, since);
    duration(jv_get_int(session, "keep_ms", 0) - away_ms, left);
    char shown[NAME_DIGITS + 1];
    printf("%s  alone for %s, kept for another %s\n", short_name(name(session), shown), since,
           left);
    static const struct {
        const char *key, *verb;
    } lists[] = {{"programs", "runs"}, {"folders", "syncs"}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct jv *list = jv_get(session, lists[i].key);
        for (size_t j = 0; j < jv_size(list); j++) {
            char line[LINE_SIZE];
            struct bytes told = bytes_of(jv_as_text(jv_at(list, j), ""));
            printf("  %s: %s\n", lists[i].verb, text_show(told, line, sizeof line));
        }
    }
    if (jv_get_int(session, "listeners", 0) > 0)
        printf("  listens on %lld ports\n", (long long)jv_get_int(session, "listeners", 0));
}

typedef bool act(struct visit *visit, const struct jv *sessions, bool json, struct error *err);

static bool with_sessions(struct cli *cli, const char *host, bool json, act *then,
                          struct error *err)
{
    struct session_plan plan = {.host = host};
    AUTO(loop_free) struct loop *loop = loop_new(err);
    if (!loop)
        return false;
    signal(SIGPIPE, SIG_IGN);
    struct visit visit = {.asking = {.loop = loop, .answer = BUF(ANSWER_MAX), .err = err}};
    visit.session = session_open(cli, loop, &plan, &session_events, &visit, err);
    if (!visit.session)
        return false;
    AUTO(jv_free) struct jv *nothing = jv_object();
    AUTO(jv_free) struct jv *answer = question(&visit, nothing);
    bool done = answer && then(&visit, jv_get(answer, "sessions"), json, err);
    if (!visit.asking.failed) {
        session_close(visit.session, on_closed_session, &visit);
        loop_run(loop);
    }
    session_free(visit.session);
    buf_dispose(&visit.asking.answer);
    return done;
}

static bool show(struct visit *visit, const struct jv *sessions, bool json, struct error *err)
{
    const char *host = session_host(visit->session);
    AUTO(jv_free) struct jv *list = jv_array();
    for (size_t i = 0; i < jv_size(sessions); i++) {
        struct jv *copy = away(jv_at(sessions, i)) ? jv_copy(jv_at(sessions, i)) : NULL;
        if (copy)
            jv_push(list, &copy);
    }
    if (json) {
        AUTO(buf_dispose) struct buf text = BUF(ANSWER_MAX);
        if (!jv_write(list, true, &text, err))
            return false;
        printf("%s\n", buf_string(&text));
        return true;
    }
    for (size_t i = 0; i < jv_size(list); i++)
        show_one(jv_at(list, i));
    if (jv_size(list) == 0)
        printf("%s keeps nothing\n", host);
    else
        printf("end them: vma stop -H %s --kept\n", host);
    return true;
}

static bool end(struct visit *visit, const struct jv *sessions, bool json, struct error *err)
{
    AUTO(jv_free) struct jv *request = jv_object();
    struct jv *names = jv_put_array(request, "end");
    (void)json;
    (void)err;
    for (size_t i = 0; i < jv_size(sessions); i++)
        if (away(jv_at(sessions, i)))
            jv_push_text(names, name(jv_at(sessions, i)));
    if (jv_size(names) == 0) {
        printf("%s keeps nothing\n", session_host(visit->session));
        return true;
    }
    AUTO(jv_free) struct jv *answer = question(visit, request);
    char shown[NAME_DIGITS + 1];
    if (!answer)
        return false;
    for (size_t i = 0; i < jv_size(names); i++)
        printf("ended: %s\n", short_name(jv_as_text(jv_at(names, i), ""), shown));
    return true;
}

bool kept_show(struct cli *cli, const char *host, bool json, struct error *err)
{
    return with_sessions(cli, host, json, show, err);
}

bool kept_end(struct cli *cli, const char *host, struct error *err)
{
    return with_sessions(cli, host, false, end, err);
}
