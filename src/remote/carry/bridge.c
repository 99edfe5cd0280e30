/* SPDX-License-Identifier: Apache-2.0 */
#include "carry/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "io/loop.h"
#include "wire/mux.h"

enum {
    READ_SIZE = 64 * 1024,
    READS_A_TURN = 4,
    BACKLOG_MAX = 32 * 1024 * 1024, /* more than any credit */
    BURST_BYTES = 256 * 1024,       /* from here on it is a copy, not a conversation … */
    PAUSE_US = 100 * 1000,          /* … until it pauses for so long */
};

struct bridge {
    struct loop *loop;
    struct channel *channel; /* NULL once it is closed */
    struct bridge_plan plan;
    struct watch *in, *out;
    struct buf backlog; /* from backlog_at on: to be written */
    size_t backlog_at;
    bridge_done *done;
    void *context;
    bool in_ended, out_ending, out_broken, stalled, finishing;
    size_t burst;
    int64_t read_at_us;
};

static size_t waiting(const struct bridge *bridge)
{
    return bridge->backlog.size - bridge->backlog_at;
}

static void descriptors_close(struct bridge *bridge, bool reset)
{
    watch_free(bridge->in);
    if (bridge->out != bridge->in)
        watch_free(bridge->out);
    bridge->in = bridge->out = NULL;
    int in = bridge->plan.in_fd, out = bridge->plan.out_fd;
    if (reset && bridge->plan.kind == BRIDGE_SOCKET) {
        struct linger abort = {.l_onoff = 1};
        setsockopt(in, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    }
    if (in >= 0)
        close(in);
    if (out >= 0 && out != in)
        close(out);
    bridge->plan.in_fd = bridge->plan.out_fd = -1;
}

static void bridge_drop(struct bridge *bridge)
{
    buf_dispose(&bridge->backlog);
    free(bridge);
}

static void finished(struct bridge *bridge, const struct error *reason)
{
    bridge_done *done = bridge->done;
    void *context = bridge->context;
    descriptors_close(bridge, reason != NULL);
    if (bridge->channel)
        channel_reset(bridge->channel, reason);
    bridge_drop(bridge);
    if (done)
        done(context, reason);
}

static void failed(struct bridge *bridge, int os, const char *what)
{
    struct error reason;
    error_os(&reason, os, "%s", what);
    finished(bridge, &reason);
}

static void interest(struct bridge *bridge)
{
    bool waits = bridge->stalled || bridge->plan.connecting || bridge->plan.held;
    int read = bridge->in_ended || waits ? 0 : WATCH_READ;
    int write =
        bridge->plan.connecting || (waiting(bridge) && !bridge->out_broken) ? WATCH_WRITE : 0;
    if (bridge->in && bridge->in == bridge->out) {
        watch_set(bridge->in, read | write);
        return;
    }
    if (bridge->in)
        watch_set(bridge->in, read);
    if (bridge->out)
        watch_set(bridge->out, write);
}

static void output_close(struct bridge *bridge)
{
    if (bridge->plan.kind == BRIDGE_SOCKET) {
        shutdown(bridge->plan.out_fd, SHUT_WR);
    } else if (bridge->plan.out_fd >= 0 && bridge->plan.out_fd != bridge->plan.in_fd) {
        watch_free(bridge->out);
        bridge->out = NULL;
        close(bridge->plan.out_fd);
        bridge->plan.out_fd = -1;
    }
}

/* False when the bridge is gone. */
static bool write_backlog(struct bridge *bridge)
{
    size_t before = waiting(bridge);
    while (waiting(bridge) > 0 && !bridge->out_broken && !bridge->plan.connecting) {
        ssize_t sent =
            write(bridge->plan.out_fd, bridge->backlog.data + bridge->backlog_at, waiting(bridge));
        if (sent >= 0) {
            bridge->backlog_at += (size_t)sent;
        } else if (errno == EAGAIN || errno == EINTR) {
            break;
        } else if (bridge->plan.kind == BRIDGE_SOCKET) {
            failed(bridge, errno, "write to the connection");
            return false;
        } else {
            bridge->out_broken = true;
            if (bridge->plan.deaf)
                bridge->plan.deaf(bridge->context, errno);
        }
    }
    if (bridge->out_broken)
        bridge->backlog_at = bridge->backlog.size;
    size_t written = before - waiting(bridge);
    if (waiting(bridge) == 0) {
        if (bridge->backlog.capacity > READ_SIZE)
            buf_dispose(&bridge->backlog);
        else
            buf_clear(&bridge->backlog);
        bridge->backlog_at = 0;
    }
    if (written && bridge->channel)
        channel_consumed(bridge->channel, written);
    if (waiting(bridge) == 0 && bridge->out_ending) {
        bridge->out_ending = false;
        output_close(bridge);
    }
    if (waiting(bridge) == 0 && !bridge->channel) {
        finished(bridge, NULL);
        return false;
    }
    interest(bridge);
    return true;
}

/* A copy goes with the bulk; a conversation before it. */
static void weigh(struct bridge *bridge, size_t size)
{
    int64_t now_us = loop_now_us(bridge->loop);
    if (now_us - bridge->read_at_us > PAUSE_US) {
        bridge->burst = 0;
        channel_priority_set(bridge->channel, CHANNEL_INTERACTIVE);
    }
    bridge->read_at_us = now_us;
    bridge->burst += size;
    if (bridge->burst > BURST_BYTES)
        channel_priority_set(bridge->channel, CHANNEL_BULK);
}

static bool input_ended(struct bridge *bridge)
{
    bridge->in_ended = true;
    channel_end(bridge->channel);
    if (bridge->plan.ends_both)
        bridge->out_broken = true;
    return write_backlog(bridge);
}

enum step { STEP_GONE, STEP_WAIT, STEP_MORE };

static enum step read_once(struct bridge *bridge)
{
    size_t ahead = bridge->plan.filter ? 1 : 0;
    uint8_t *room = channel_reserve(bridge->channel, READ_SIZE);
    ssize_t got = read(bridge->plan.in_fd, room + ahead, READ_SIZE - ahead);
    size_t size = got > 0 ? (size_t)got : 0;
    if (bridge->plan.filter && size > 0)
        size = bridge->plan.filter(bridge->context, room + ahead, size, room);
    channel_commit(bridge->channel, size);
    if (got > 0) {
        weigh(bridge, (size_t)got);
        bridge->stalled = channel_full(bridge->channel);
        if (bridge->stalled)
            interest(bridge);
        /* Less than there was room for is all there is; more would be reported. */
        bool all = (size_t)got < READ_SIZE - ahead && !bridge->finishing;
        return bridge->stalled || all ? STEP_WAIT : STEP_MORE;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (!bridge->finishing)
            return STEP_WAIT;
    } else if (got < 0 && errno != EIO && bridge->plan.kind == BRIDGE_SOCKET) {
        failed(bridge, errno, "read from the connection");
        return STEP_GONE;
    }
    return input_ended(bridge) ? STEP_WAIT : STEP_GONE; /* EIO is how a terminal says it */
}

static void read_some(struct bridge *bridge)
{
    enum step step = STEP_MORE;
    for (int i = 0; (i < READS_A_TURN || bridge->finishing) && step == STEP_MORE; i++)
        step = read_once(bridge);
}

static void connected(struct bridge *bridge)
{
    int os = 0;
    socklen_t size = sizeof os;
    getsockopt(bridge->plan.in_fd, SOL_SOCKET, SO_ERROR, &os, &size);
    if (os != 0) {
        failed(bridge, os, "connect");
        return;
    }
    bridge->plan.connecting = false;
    write_backlog(bridge);
}

static void on_ready(void *context, int ready)
{
    struct bridge *bridge = context;
    if (bridge->plan.connecting) {
        connected(bridge);
        return;
    }
    if ((ready & WATCH_WRITE) && !write_backlog(bridge))
        return;
    if ((ready & WATCH_READ) && !bridge->in_ended && bridge->channel)
        read_some(bridge);
}

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct bridge *bridge = context;
    size_t sent = 0;
    if (bridge->out_broken || bridge->plan.out_fd < 0) {
        channel_consumed(channel, bytes.size);
        return;
    }
    if (waiting(bridge) == 0 && !bridge->plan.connecting) {
        ssize_t wrote = write(bridge->plan.out_fd, bytes.data, bytes.size);
        if (wrote > 0)
            sent = (size_t)wrote;
        if (sent > 0)
            channel_consumed(channel, sent);
        if (sent == bytes.size)
            return;
    }
    struct error reason;
    struct bytes rest = {bytes.data + sent, bytes.size - sent};
    if (!buf_append(&bridge->backlog, rest, &reason)) {
        finished(bridge, &reason);
        return;
    }
    write_backlog(bridge); /* also tells errors apart */
}

static void on_end(void *context, struct channel *channel)
{
    struct bridge *bridge = context;
    (void)channel;
    bridge->out_ending = true;
    if (!bridge->plan.connecting)
        write_backlog(bridge);
}

static void on_room(void *context, struct channel *channel)
{
    struct bridge *bridge = context;
    (void)channel;
    bridge->stalled = false;
    if (bridge->finishing && !bridge->in_ended)
        read_some(bridge);
    else
        interest(bridge);
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct bridge *bridge = context;
    (void)channel;
    bridge->channel = NULL;
    if (reason) {
        finished(bridge, reason);
        return;
    }
    bridge->out_ending = true;
    write_backlog(bridge);
}

static const struct channel_events events = {on_data, on_end, on_room, on_closed};

static bool unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return fd < 0 ||
           (flags >= 0 && ((flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0));
}

struct bridge *bridge_new(struct loop *loop, struct channel *channel,
                          const struct bridge_plan *plan, bridge_done *done, void *context)
{
    struct bridge *bridge = xcalloc(1, sizeof *bridge);
    struct error err;
    bridge->loop = loop;
    bridge->channel = channel;
    bridge->plan = *plan;
    bridge->backlog = BUF(BACKLOG_MAX);
    bridge->done = done;
    bridge->context = context;
    bridge->in_ended = plan->in_fd < 0;
    channel_bind(channel, &events, bridge);
    bool ready = unblock(plan->in_fd) && unblock(plan->out_fd);
    if (!ready)
        error_os(&err, errno, "prepare a connection");
    ready = ready && buf_append(&bridge->backlog, plan->early, &err);
    if (ready && plan->in_fd >= 0) {
        bridge->in = watch_new(loop, plan->in_fd, on_ready, bridge, &err);
        ready = bridge->in != NULL;
    }
    if (ready && plan->out_fd == plan->in_fd) {
        bridge->out = bridge->in;
    } else if (ready && plan->out_fd >= 0) {
        bridge->out = watch_new(loop, plan->out_fd, on_ready, bridge, &err);
        ready = bridge->out != NULL;
    }
    if (!ready) {
        bridge->done = NULL;
        finished(bridge, &err);
        return NULL;
    }
    if (bridge->in_ended)
        channel_end(channel);
    bridge->plan.early = (struct bytes){0};
    bridge->out_ending = plan->early_end;
    interest(bridge);
    return bridge;
}

void bridge_free(struct bridge *bridge, const struct error *reason)
{
    if (!bridge)
        return;
    bridge->done = NULL;
    finished(bridge, reason);
}

void bridge_finish(struct bridge *bridge)
{
    if (bridge->in_ended || !bridge->channel)
        return;
    bridge->finishing = true;
    if (!bridge->stalled)
        read_some(bridge);
}

void bridge_release(struct bridge *bridge)
{
    bridge->plan.held = false;
    interest(bridge);
}

void bridge_leave_input(struct bridge *bridge)
{
    if (bridge->in_ended || !bridge->channel)
        return;
    bridge->in_ended = true;
    interest(bridge);
    if (bridge->plan.in_fd != bridge->plan.out_fd) {
        watch_free(TAKE(bridge->in));
        close(bridge->plan.in_fd);
        bridge->plan.in_fd = -1;
    }
    channel_end(bridge->channel);
}
