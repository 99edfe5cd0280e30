/* SPDX-License-Identifier: Apache-2.0 */
#include "link/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/child.h"
#include "io/loop.h"
#include "link/advice.h"
#include "link/agents.h"
#include "link/preface.h"
#include "sys/connections.h"
#include "sys/fds.h"
#include "sys/peer.h"
#include "sys/spawn.h"

enum {
    COMPLAINT_MAX = 4096,
    NOISE_MAX = 256 * 1024,
    UPLOAD_MAX = 80 * 1024 * 1024,
    STREAM_ROOM = 512 * 1024, /* fewer turns between ssh and us */
};
enum { SSH_FAILED = 255 }; /* its own status; every other is that of what it ran */

struct attempt {
    struct loop *loop;
    struct child *child;
    int fd, complaints_fd; /* ssh's standard streams; its standard error */
    struct watch *watch, *complaints_watch;
    struct buf complaints, line, upload;
    size_t upload_at, noise;
    bool local;
    const char *host;
    char said[100]; /* the last line before the agent's first that says anything */
    const struct agents *agents;
    const struct attempt_events *events;
    void *context;
    bool over;
};

static void read_complaints(struct attempt *attempt)
{
    char room[1024];
    for (;;) {
        ssize_t got = read(attempt->complaints_fd, room, sizeof room);
        if (got <= 0) {
            if (got == 0 || (errno != EAGAIN && errno != EINTR))
                watch_set(attempt->complaints_watch, 0);
            return;
        }
        if (attempt->complaints.size + (size_t)got > COMPLAINT_MAX)
            buf_consume(&attempt->complaints, attempt->complaints.size / 2);
        bool kept = buf_append(&attempt->complaints,
                               (struct bytes){(const uint8_t *)room, (size_t)got}, NULL);
        (void)kept;
    }
}

static void fail(struct attempt *attempt, const struct error *reason, bool gone)
{
    if (attempt->over)
        return;
    attempt->over = true;
    watch_set(attempt->watch, 0);
    attempt->events->failed(attempt->context, attempt, reason, gone);
}

static void on_ready(void *context, int ready);

static void complain(const struct attempt *attempt, int status, struct error *out)
{
    char complaint[180];
    struct advice advice;
    bool by_ssh = !attempt->local && (!WIFEXITED(status) || WEXITSTATUS(status) == SSH_FAILED);
    advice_for(buf_bytes(&attempt->complaints), by_ssh, attempt->host, &advice);
    text_show(advice.line, complaint, sizeof complaint);
    size_t length = strlen(complaint);
    if (advice.todo[0] && length > 0 && complaint[length - 1] == '.')
        complaint[length - 1] = '\0';
    error_set(out, advice.kind, "%s%s%s", complaint, advice.todo[0] ? "; " : "", advice.todo);
}

static void on_exited(void *context, int status)
{
    struct attempt *attempt = context;
    if (!attempt->over) /* its last words may not have been read yet */
        on_ready(attempt, WATCH_READ);
    if (attempt->over)
        return;
    struct error reason;
    read_complaints(attempt);
    const char *what = attempt->local ? "the agent" : "ssh";
    if (text_trim(buf_bytes(&attempt->complaints)).size)
        complain(attempt, status, &reason);
    else if (WIFSIGNALED(status))
        error_set(&reason, ERROR_UNAVAILABLE, "%s was killed by signal %d", what, WTERMSIG(status));
    else if (attempt->said[0])
        error_set(&reason, ERROR_NOT_FOUND,
                  "it runs no command for us, but says \"%s\"; \"ssh %s true\" must work first",
                  attempt->said, attempt->host);
    else if (attempt->local)
        error_set(&reason, ERROR_NOT_FOUND, "%s ended with status %d", what, WEXITSTATUS(status));
    else
        error_set(&reason, ERROR_NOT_FOUND,
                  "ssh ended with status %d and said nothing; \"ssh %s true\" must work first",
                  WEXITSTATUS(status), attempt->host);
    fail(attempt, &reason, false);
}

static void on_complaint(void *context, int ready)
{
    (void)ready;
    read_complaints(context);
}

static void upload_some(struct attempt *attempt)
{
    while (attempt->upload_at < attempt->upload.size) {
        ssize_t sent = write(attempt->fd, attempt->upload.data + attempt->upload_at,
                             attempt->upload.size - attempt->upload_at);
        if (sent <= 0)
            break;
        attempt->upload_at += (size_t)sent;
    }
    attempt->events->progress(attempt->context, attempt, attempt->upload_at, attempt->upload.size);
    bool done = attempt->upload_at == attempt->upload.size;
    watch_set(attempt->watch, done ? WATCH_READ : WATCH_READ | WATCH_WRITE);
    if (done)
        buf_dispose(&attempt->upload);
    if (done)
        attempt->upload_at = 0;
}

static void on_line(struct attempt *attempt, struct bytes line)
{
    struct preface preface;
    struct error reason;
    preface_parse(line, &preface);
    switch (preface.kind) {
    case PREFACE_NOISE:
        line = text_trim(line);
        if (line.size)
            text_show(line, attempt->said, sizeof attempt->said);
        return;
    case PREFACE_NEED:
        if (!agents_upload(attempt->agents, &preface, &attempt->upload, &reason))
            fail(attempt, &reason, false);
        else
            upload_some(attempt);
        return;
    case PREFACE_GONE:
        error_set(&reason, ERROR_NOT_FOUND,
                  "the session is not there any more: it was kept as long as was asked for, or the "
                  "machine was restarted");
        fail(attempt, &reason, true);
        return;
    case PREFACE_ERROR:
        error_set(&reason, ERROR_LIMIT, "%s", preface.text); /* of a disk, mostly */
        reason.os = strstr(preface.text, strerror(ENOSPC)) ? ENOSPC : 0;
        fail(attempt, &reason, false);
        return;
    default:
        attempt->over = true;
        watch_free(TAKE(attempt->watch));
        attempt->events->ready(attempt->context, attempt, &attempt->fd);
    }
}

/* Exactly to the end of a line: what follows the last one is the link's. */
static bool read_line(struct attempt *attempt)
{
    char room[PREFACE_LINE_MAX];
    ssize_t seen = recv(attempt->fd, room, sizeof room, MSG_PEEK);
    struct error reason;
    if (seen < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (seen <= 0) { /* the process' end tells why */
        watch_set(attempt->watch, 0);
        return false;
    }
    char *newline = memchr(room, '\n', (size_t)seen);
    size_t take = newline ? (size_t)(newline + 1 - room) : (size_t)seen;
    if (recv(attempt->fd, room, take, 0) != (ssize_t)take)
        return false;
    attempt->noise += take;
    if (attempt->noise > NOISE_MAX || attempt->line.size + take > PREFACE_LINE_MAX) {
        if (attempt->noise > NOISE_MAX) {
            error_set(&reason, ERROR_INVALID,
                      "its login prints without end: look at ~/.bashrc and its like there");
            fail(attempt, &reason, false);
            return false;
        }
        buf_clear(&attempt->line);
    }
    if (!buf_append(&attempt->line, (struct bytes){(const uint8_t *)room, take}, NULL))
        return false;
    if (newline) {
        struct bytes line = {attempt->line.data, attempt->line.size - 1};
        on_line(attempt, line);
        buf_clear(&attempt->line);
    }
    return !attempt->over;
}

static void on_ready(void *context, int ready)
{
    struct attempt *attempt = context;
    if ((ready & WATCH_WRITE) && attempt->upload.size)
        upload_some(attempt);
    if (ready & WATCH_READ)
        while (!attempt->over && read_line(attempt))
            ;
}

static void attempt_free_auto(struct attempt **attempt)
{
    attempt_free(*attempt);
}

static bool start(struct attempt *attempt, const struct attempt_plan *plan, struct error *err)
{
    int streams[2], errors[2];
    if (fds_pair(streams) != 0)
        return error_os(err, errno, "make a socket pair");
    attempt->fd = streams[0];
    AUTO(fd_close) int theirs = streams[1];
    pipe_widen(theirs, STREAM_ROOM);
    if (fds_pipe(errors, FDS_BLOCKING) != 0)
        return error_os(err, errno, "make a pipe");
    attempt->complaints_fd = errors[0];
    AUTO(fd_close) int their_errors = errors[1];
    struct spawn spawn = {
        .arguments = plan->arguments,
        .fds = {theirs, theirs, their_errors},
        .own_session = !plan->may_ask,
        .files = plan->files,
    };
    fcntl(attempt->fd, F_SETFL, O_NONBLOCK);
    fcntl(attempt->complaints_fd, F_SETFL, O_NONBLOCK);
    attempt->child = child_start(attempt->loop, &spawn, on_exited, attempt, err);
    if (!attempt->child)
        return attempt->local || !err || err->kind != ERROR_NOT_FOUND
                   ? false
                   : error_set(err, ERROR_NOT_FOUND,
                               "there is no program %s here: install an ssh client, or look at "
                               "VMA_SSH and at ssh: in vma.yaml",
                               plan->arguments[0]);
    attempt->watch = watch_new(attempt->loop, attempt->fd, on_ready, attempt, err);
    attempt->complaints_watch =
        watch_new(attempt->loop, attempt->complaints_fd, on_complaint, attempt, err);
    if (!attempt->watch || !attempt->complaints_watch)
        return false;
    watch_set(attempt->watch, WATCH_READ);
    watch_set(attempt->complaints_watch, WATCH_READ);
    return true;
}

struct attempt *attempt_new(struct loop *loop, const struct attempt_plan *plan,
                            const struct attempt_events *events, void *context, struct error *err)
{
    AUTO(attempt_free) struct attempt *attempt = xcalloc(1, sizeof *attempt);
    attempt->loop = loop;
    attempt->fd = attempt->complaints_fd = -1;
    attempt->complaints = BUF(2 * COMPLAINT_MAX);
    attempt->line = BUF(PREFACE_LINE_MAX);
    attempt->upload = BUF(UPLOAD_MAX);
    attempt->agents = plan->agents;
    attempt->local = plan->local;
    attempt->host = plan->host;
    attempt->events = events;
    attempt->context = context;
    return start(attempt, plan, err) ? TAKE(attempt) : NULL;
}

bool attempt_address(const struct attempt *attempt, struct sockaddr_storage *out)
{
    int pid = child_pid(attempt->child);
    return pid > 0 && connection_of(pid, out);
}

void attempt_free(struct attempt *attempt)
{
    if (!attempt)
        return;
    if (attempt->child)
        child_signal(attempt->child, SIGTERM);
    child_free(attempt->child);
    watch_free(attempt->watch);
    watch_free(attempt->complaints_watch);
    if (attempt->fd >= 0)
        close(attempt->fd);
    if (attempt->complaints_fd >= 0)
        close(attempt->complaints_fd);
    buf_dispose(&attempt->complaints);
    buf_dispose(&attempt->line);
    buf_dispose(&attempt->upload);
    free(attempt);
}
