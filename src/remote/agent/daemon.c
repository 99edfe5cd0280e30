/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/sessions.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/mem.h"
#include "carry/carrier.h"
#include "forward/forward.h"
#include "io/loop.h"
#include "procs/exec.h"
#include "sys/fdpass.h"
#include "sys/fds.h"
#include "wire/mux.h"

enum {
    FIRST_STREAM_MS = 5 * 1000,
    SILENT_CLIENT_MS = 2 * 1000,
    CANDIDATES_MAX = 4,
    ABOUT_MAX = 128 * 1024,
    SILENT_US = 15 * 1000 * 1000
};

/* A stream that is not used yet: the client may have brought several and speaks on one. */
struct candidate {
    struct agent *agent;
    int attached_fd, fds[2];
    struct watch *watch;
};

struct agent {
    const struct agent_plan *plan;
    const char *socket_path;
    struct loop *loop;
    struct mux *mux;
    struct carrier *carrier;
    int attached_fd; /* closes when the attach that brought the streams is to go */
    int listener;
    struct watch *listening, *attach_watch;
    struct candidate candidates[CANDIDATES_MAX];
    size_t next_candidate;
    struct timer *keep;
    struct signals *signals;
    struct exec_server *exec;
    struct forward_server *forward;
    struct sessions *sessions;
    void *services;
    char *home, *folder;
    int64_t away_us;       /* since when there is no stream */
    struct later *hang_up; /* a stream cannot be freed while it is being read */
    bool stopping;
};

static void stream_drop(struct agent *agent)
{
    carrier_free(TAKE(agent->carrier));
    watch_free(TAKE(agent->attach_watch));
    if (agent->attached_fd >= 0)
        close(fd_take(&agent->attached_fd));
}

static void candidate_drop(struct candidate *candidate)
{
    watch_free(TAKE(candidate->watch));
    for (size_t i = 0; i < 2; i++)
        if (candidate->fds[i] >= 0)
            close(fd_take(&candidate->fds[i]));
    if (candidate->attached_fd >= 0)
        close(fd_take(&candidate->attached_fd));
}

static void candidates_drop(struct agent *agent)
{
    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        candidate_drop(&agent->candidates[i]);
}

static void on_hang_up(void *context)
{
    stream_drop(context);
    candidates_drop(context);
}

static void stopped(void *context)
{
    struct agent *agent = context;
    loop_stop(agent->loop);
}

/* The session is over: programs end, listeners close, the process goes. */
static void stop(struct agent *agent)
{
    if (agent->stopping)
        return;
    agent->stopping = true;
    unlink(agent->socket_path); /* who comes now is told at once that the session is gone */
    watch_free(TAKE(agent->listening));
    later_ask(agent->hang_up);
    exec_server_stop(agent->exec, stopped, agent);
}

static void on_keep(void *context)
{
    struct agent *agent = context;
    log_info("agent.expired", LOG_TEXT("session", agent->plan->session));
    stop(agent);
}

/* A client that never said a word has nothing here that it could come back to. */
static void wait_for_stream(struct agent *agent)
{
    struct mux_stats stats;
    mux_stats(agent->mux, &stats);
    timer_start(agent->keep, stats.received_bytes ? agent->plan->keep_ms : SILENT_CLIENT_MS);
}

static void on_stream_closed(void *context, const struct error *reason, bool broken)
{
    struct agent *agent = context;
    log_info("agent.stream.closed", LOG_ERROR(reason));
    stream_drop(agent);
    agent->away_us = loop_now_us(agent->loop);
    if (broken)
        stop(agent);
    else
        wait_for_stream(agent);
}

/* The attach went away (it writes nothing): its streams are dead or soon will be. */
static void on_attach_gone(void *context, int ready)
{
    struct agent *agent = context;
    char byte;
    (void)ready;
    ssize_t got = recv(agent->attached_fd, &byte, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    struct error reason;
    error_set(&reason, ERROR_UNAVAILABLE, "the attach process ended");
    mux_detach(agent->mux);
    on_stream_closed(agent, &reason, false);
}

static void stream_take(struct agent *agent, const int fds[2], int *attached_fd)
{
    struct error err;
    stream_drop(agent);
    agent->carrier = carrier_new(agent->loop, agent->mux, fds, on_stream_closed, agent, &err);
    if (!agent->carrier) {
        log_error("agent.attach.failed", LOG_ERROR(&err));
        wait_for_stream(agent); /* the one before is gone all the same */
        return;
    }
    agent->attached_fd = fd_take(attached_fd);
    agent->attach_watch = watch_new(agent->loop, agent->attached_fd, on_attach_gone, agent, NULL);
    if (agent->attach_watch)
        watch_set(agent->attach_watch, WATCH_READ);
    timer_stop(agent->keep);
}

/* The client speaks on this one, or has dropped it. */
static void on_candidate(void *context, int ready)
{
    struct candidate *candidate = context;
    struct agent *agent = candidate->agent;
    int waiting = 0;
    (void)ready;
    bool silent = ioctl(candidate->fds[0], FIONREAD, &waiting) != 0 || waiting == 0;
    if (silent || agent->stopping) {
        candidate_drop(candidate);
        return;
    }
    watch_free(TAKE(candidate->watch));
    int fds[2] = {fd_take(&candidate->fds[0]), fd_take(&candidate->fds[1])};
    stream_take(agent, fds, &candidate->attached_fd);
    candidates_drop(agent);
}

static void candidate_add(struct agent *agent, const int fds[2], int *attached_fd)
{
    struct candidate *candidate = &agent->candidates[agent->next_candidate];
    agent->next_candidate = (agent->next_candidate + 1) % CANDIDATES_MAX;
    candidate_drop(candidate);
    candidate->fds[0] = fds[0];
    candidate->fds[1] = fds[1];
    candidate->attached_fd = fd_take(attached_fd);
    candidate->watch = watch_new(agent->loop, candidate->fds[0], on_candidate, candidate, NULL);
    if (candidate->watch)
        watch_set(candidate->watch, WATCH_READ);
    else
        candidate_drop(candidate);
}

/* For who asks what is kept on this machine. */
static void tell(struct agent *agent, int fd)
{
    AUTO(jv_free) struct jv *about = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(ABOUT_MAX);
    /* A client says something every two seconds; its sshd may not know yet that it cannot. */
    int64_t silent_us =
        loop_now_us(agent->loop) - (agent->carrier ? mux_heard_us(agent->mux) : agent->away_us);
    bool away = !agent->carrier || silent_us > SILENT_US;
    jv_text(about, "session", agent->plan->session);
    jv_int(about, "pid", getpid());
    jv_bool(about, "away", away);
    jv_int(about, "away_ms", away ? silent_us / 1000 : 0);
    jv_int(about, "keep_ms", agent->plan->keep_ms);
    exec_server_tell(agent->exec, jv_put_array(about, "programs"));
    struct jv *folders = jv_put_array(about, "folders");
    if (agent->services && agent->plan->services_tell)
        agent->plan->services_tell(agent->services, folders);
    jv_int(about, "listeners", forward_server_count(agent->forward));
    bool told = jv_write(about, false, &text, NULL) && fd_write_all(fd, buf_bytes(&text), NULL);
    (void)told; /* who does not wait for it does not want it */
}

/* A word instead of streams; true when it was one. */
static bool answer_word(struct agent *agent, int connection)
{
    char word[16] = {0};
    if (recv(connection, word, sizeof word - 1, MSG_PEEK) <= 0)
        return false;
    bool look = strcmp(word, "look") == 0;
    if (!look && strcmp(word, "end") != 0)
        return false;
    ssize_t taken = recv(connection, word, sizeof word, 0); /* what is left unread would reset it */
    (void)taken;
    if (look)
        tell(agent, connection);
    else
        stop(agent);
    return true;
}

static void on_connection(void *context, int ready)
{
    struct agent *agent = context;
    struct error err;
    char text[64];
    size_t size = sizeof text;
    int fds[2];
    (void)ready;
    AUTO(fd_close) int connection = fds_accept(agent->listener, FDS_BLOCKING);
    if (connection < 0 || agent->stopping)
        return;
    struct timeval patience = {.tv_sec = 1};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (unix_peer_is_us(connection) && answer_word(agent, connection))
        return;
    if (!unix_peer_is_us(connection) || !fdpass_receive(connection, text, &size, fds, 2, &err)) {
        log_warn("agent.attach.refused");
        return;
    }
    /* The newest stream is the one that works, unless the last has not yet said a word: a client
     * that tries side by side takes the one that it hears first, and that may be the older. */
    if (agent->carrier && !mux_established(agent->mux))
        candidate_add(agent, fds, &connection);
    else
        stream_take(agent, fds, &connection);
}

static void on_output(void *context)
{
    struct agent *agent = context;
    if (agent->carrier)
        carrier_output(agent->carrier);
}

static void on_ended(void *context)
{
    stop(context);
}

static void on_signal(void *context, int number)
{
    (void)number;
    stop(context);
}

static const struct mux_events events = {.output = on_output, .ended = on_ended};

static bool session_id(const char *text, struct mux_id *out)
{
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        char digits[3] = {text[2 * i], text[2 * i] ? text[2 * i + 1] : 0, 0};
        char *end;
        out->bytes[i] = (uint8_t)strtoul(digits, &end, 16);
        if (end != digits + 2)
            return false;
    }
    return text[2 * sizeof out->bytes] == '\0';
}

static bool set_up(struct agent *agent, struct error *err)
{
    struct mux_id id;
    if (!session_id(agent->plan->session, &id))
        return error_set(err, ERROR_INVALID, "session %s", agent->plan->session);
    agent->loop = loop_new(err);
    if (!agent->loop)
        return false;
    agent->listening = watch_new(agent->loop, agent->listener, on_connection, agent, err);
    if (!agent->listening)
        return false;
    watch_set(agent->listening, WATCH_READ);
    agent->signals = signals_new(agent->loop, on_signal, agent);
    signals_add(agent->signals, SIGTERM);
    signals_add(agent->signals, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    agent->home = dirs_home(agent->plan->lookup);
    agent->mux = mux_new(MUX_AGENT, id, &events, agent);
    agent->exec = exec_server_new(agent->loop, agent->mux, agent->home, agent->plan->files);
    agent->forward = forward_server_new(agent->loop, agent->mux);
    agent->folder = xstrndup(agent->socket_path,
                             (size_t)(strrchr(agent->socket_path, '/') - agent->socket_path));
    agent->sessions = sessions_new(agent->mux, agent->folder, agent->plan->session);
    agent->away_us = loop_now_us(agent->loop);
    if (agent->plan->services)
        agent->services = agent->plan->services(agent->loop, agent->mux, agent->plan->lookup);
    agent->hang_up = later_new(agent->loop, on_hang_up, agent);
    agent->keep = timer_new(agent->loop, on_keep, agent);
    timer_start(agent->keep, FIRST_STREAM_MS);
    return true;
}

static void agent_dispose_auto(struct agent *agent)
{
    stream_drop(agent);
    candidates_drop(agent);
    exec_server_free(agent->exec);
    forward_server_free(agent->forward);
    if (agent->services)
        agent->plan->services_free(agent->services);
    mux_free(agent->mux);
    timer_free(agent->keep);
    later_free(agent->hang_up);
    signals_free(agent->signals);
    watch_free(agent->listening);
    loop_free(agent->loop);
    sessions_free(agent->sessions);
    free(agent->home);
    free(agent->folder);
    if (agent->listener >= 0)
        close(agent->listener);
}

bool daemon_run(const struct agent_plan *plan, const char *socket_path, int *listener,
                struct error *err)
{
    AUTO(agent_dispose) struct agent agent = {
        .plan = plan, .socket_path = socket_path, .attached_fd = -1, .listener = fd_take(listener)};
    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        agent.candidates[i] = (struct candidate){&agent, -1, {-1, -1}, NULL};
    bool ready = set_up(&agent, err);
    if (ready)
        loop_run(agent.loop);
    unlink(socket_path);
    return ready;
}
