/* SPDX-License-Identifier: Apache-2.0 */
#include "carry/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "io/loop.h"
#include "sys/peer.h"
#include "wire/mux.h"

enum {
    READ_SIZE = 256 * 1024,
    READS_A_TURN = 4, /* then others have their turn */
    WRITES_A_TURN = 8,
    RUNS = 8,
    PIPE_SIZE = 512 * 1024, /* fewer turns between us and sshd; pacing keeps the line short */
};

struct carrier {
    struct loop *loop;
    struct mux *mux;
    int in_fd, out_fd;
    struct watch *in, *out; /* out is NULL when the descriptor is the same */
    struct later *flush;
    struct timer *timer;
    int64_t timer_us; /* when it will fire */
    carrier_closed *closed;
    void *context;
    bool blocked, over;
    uint8_t *room;
};

static void carrier_over(struct carrier *carrier, const struct error *reason, bool broken)
{
    if (carrier->over)
        return;
    carrier->over = true;
    mux_detach(carrier->mux);
    carrier->closed(carrier->context, reason, broken);
}

static void interest(struct carrier *carrier)
{
    int write = carrier->blocked ? WATCH_WRITE : 0;
    if (carrier->out) {
        watch_set(carrier->in, WATCH_READ);
        watch_set(carrier->out, write);
    } else {
        watch_set(carrier->in, WATCH_READ | write);
    }
}

static void schedule(struct carrier *carrier)
{
    int64_t next_us = mux_next_us(carrier->mux);
    if (next_us == INT64_MAX) {
        timer_stop(carrier->timer);
        carrier->timer_us = 0;
        return;
    }
    if (carrier->timer_us && timer_active(carrier->timer) && carrier->timer_us <= next_us)
        return; /* an early wake-up is rarer than moving the timer with every frame */
    int64_t wait_us = next_us - loop_now_us(carrier->loop);
    carrier->timer_us = next_us;
    timer_start(carrier->timer, wait_us > 0 ? (wait_us + 999) / 1000 : 0);
}

/* False when the stream is over. */
static bool write_some(struct carrier *carrier, bool *out_more)
{
    struct bytes runs[RUNS];
    struct iovec parts[RUNS];
    size_t total = 0;
    size_t count = mux_output(carrier->mux, runs, RUNS, loop_now_us(carrier->loop));
    *out_more = false;
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){(void *)(uintptr_t)runs[i].data, runs[i].size};
        total += runs[i].size;
    }
    /* The clock before the write: who reads it wakes up at once and may take our processor, and a
     * time stamped after that would make the link look shorter than it is. */
    int64_t sent_us = loop_now_us(carrier->loop);
    ssize_t sent = writev(carrier->out_fd, parts, (int)count);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        struct error reason;
        error_os(&reason, errno, "write to the link");
        carrier_over(carrier, &reason, false);
        return false;
    }
    if (sent > 0)
        mux_sent(carrier->mux, (size_t)sent, sent_us);
    carrier->blocked = sent < (ssize_t)total;
    *out_more = !carrier->blocked;
    return true;
}

static void flush(void *context)
{
    struct carrier *carrier = context;
    bool more = true;
    for (int i = 0; i < WRITES_A_TURN && more && !carrier->blocked; i++)
        if (!write_some(carrier, &more))
            return;
    if (more && !carrier->blocked)
        carrier->blocked = true; /* go on when the descriptor is reported again */
    interest(carrier);
    schedule(carrier);
}

static void read_some(struct carrier *carrier)
{
    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t got = read(carrier->in_fd, carrier->room, READ_SIZE);
        struct error reason;
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            if (got < 0)
                error_os(&reason, errno, "read from the link");
            else
                error_set(&reason, ERROR_UNAVAILABLE, "the link was closed");
            carrier_over(carrier, &reason, false);
            return;
        }
        if (!mux_receive(carrier->mux, (struct bytes){carrier->room, (size_t)got},
                         loop_now_us(carrier->loop), &reason)) {
            carrier_over(carrier, &reason, true);
            return;
        }
        if (carrier->over || got < READ_SIZE)
            return;
    }
}

static void on_ready(void *context, int ready)
{
    struct carrier *carrier = context;
    if (ready & WATCH_WRITE) {
        carrier->blocked = false;
        later_ask(carrier->flush);
        interest(carrier);
    }
    if (ready & WATCH_READ)
        read_some(carrier);
}

static void on_timer(void *context)
{
    struct carrier *carrier = context;
    struct error reason;
    carrier->timer_us = 0;
    if (!mux_step(carrier->mux, loop_now_us(carrier->loop), &reason)) {
        carrier_over(carrier, &reason, false);
        return;
    }
    schedule(carrier);
}

void carrier_output(struct carrier *carrier)
{
    if (!carrier->over)
        later_ask(carrier->flush);
}

void carrier_probe(struct carrier *carrier)
{
    if (carrier->over)
        return;
    mux_probe(carrier->mux, loop_now_us(carrier->loop));
    timer_stop(carrier->timer);
    carrier->timer_us = 0;
    schedule(carrier);
}

static bool unblock(int fd, struct error *err)
{
    int flags = fcntl(fd, F_GETFL);
    return (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) ||
           error_os(err, errno, "prepare the link");
}

static void carrier_free_auto(struct carrier **carrier)
{
    carrier_free(*carrier);
}

struct carrier *carrier_new(struct loop *loop, struct mux *mux, const int fds[2],
                            carrier_closed *closed, void *context, struct error *err)
{
    AUTO(carrier_free) struct carrier *carrier = xcalloc(1, sizeof *carrier);
    bool same = fds[0] == fds[1];
    carrier->loop = loop;
    carrier->mux = mux;
    carrier->closed = closed;
    carrier->context = context;
    carrier->over = true;
    carrier->in_fd = fds[0];
    carrier->out_fd = fds[1];
    if (!unblock(carrier->in_fd, err) || !unblock(carrier->out_fd, err))
        return NULL;
    pipe_widen(carrier->in_fd, PIPE_SIZE);
    pipe_widen(carrier->out_fd, PIPE_SIZE);
    carrier->in = watch_new(loop, carrier->in_fd, on_ready, carrier, err);
    if (!carrier->in)
        return NULL;
    if (!same) {
        carrier->out = watch_new(loop, carrier->out_fd, on_ready, carrier, err);
        if (!carrier->out)
            return NULL;
    }
    carrier->room = xmalloc(READ_SIZE);
    carrier->flush = later_new(loop, flush, carrier);
    carrier->timer = timer_new(loop, on_timer, carrier);
    carrier->over = false;
    mux_attach(mux, loop_now_us(loop));
    later_ask(carrier->flush);
    return TAKE(carrier);
}

void carrier_free(struct carrier *carrier)
{
    if (!carrier)
        return;
    if (!carrier->over)
        mux_detach(carrier->mux);
    watch_free(carrier->in);
    watch_free(carrier->out);
    later_free(carrier->flush);
    timer_free(carrier->timer);
    if (carrier->in_fd >= 0)
        close(carrier->in_fd);
    if (carrier->out_fd >= 0 && carrier->out_fd != carrier->in_fd)
        close(carrier->out_fd);
    free(carrier->room);
    free(carrier);
}
