/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "forward/forward.h"
#include "forward/resolve.h"
#include "forward/sockets.h"
#include "io/child.h"
#include "io/loop.h"
#include "sys/fds.h"
#include "sys/peer.h"
#include "sys/spawn.h"
#include "wire/mux.h"

enum { ADDRESSES_MAX = 4, PATIENCE_MS = 15 * 1000, EARLY_MAX = 16 * 1024 * 1024 };

/* A name that is being looked up. */
struct lookup {
    struct loop *loop;
    struct channel *channel;
    struct forward_place place;
    struct child *child;
    int answer_fd;
    struct timer *patience;
    struct buf early; /* what the channel brought so far */
    bool early_end;
    bridge_done *done;
    void *context;
};

static void lookup_free(struct lookup *lookup)
{
    if (lookup->child)
        child_signal(lookup->child, SIGKILL);
    child_free(lookup->child);
    timer_free(lookup->patience);
    close(lookup->answer_fd);
    buf_dispose(&lookup->early);
    free(lookup);
}

static void failed(struct lookup *lookup, const struct error *reason)
{
    struct channel *channel = TAKE(lookup->channel);
    bridge_done *done = lookup->done;
    void *context = lookup->context;
    lookup_free(lookup);
    if (channel)
        channel_reset(channel, reason);
    if (done)
        done(context, reason);
}

static void on_late(void *context)
{
    struct lookup *lookup = context;
    struct error reason;
    error_set(&reason, ERROR_TIMEOUT, "nobody knows %s within %d s", lookup->place.host,
              PATIENCE_MS / 1000);
    failed(lookup, &reason);
}

static bool connect_now(const struct resolved *addresses, size_t count,
                        const struct forward_place *place, struct bridge_plan *out,
                        struct error *err)
{
    bool connecting;
    int fd = sockets_connect_any(addresses, count, place, &connecting, err);
    *out = (struct bridge_plan){
        .kind = BRIDGE_SOCKET, .in_fd = fd, .out_fd = fd, .connecting = connecting};
    return fd >= 0;
}

static void on_looked_up(void *context, int status)
{
    struct lookup *lookup = context;
    struct resolved addresses[ADDRESSES_MAX];
    struct bridge_plan plan;
    struct error reason;
    uint8_t answer[16 * 1024];
    ssize_t got = read(lookup->answer_fd, answer, sizeof answer);
    size_t count = resolve_in_answer((struct bytes){answer, got > 0 ? (size_t)got : 0},
                                     lookup->place.port, addresses, ADDRESSES_MAX);
    if (count == 0) {
        error_set(&reason, ERROR_NOT_FOUND, "host %s is not known%s", lookup->place.host,
                  WIFEXITED(status) && WEXITSTATUS(status) == 127 ? " (there is no getent)" : "");
        failed(lookup, &reason);
        return;
    }
    if (!connect_now(addresses, count, &lookup->place, &plan, &reason)) {
        failed(lookup, &reason);
        return;
    }
    plan.connecting = true; /* or it is connected already, which is told in the same way */
    plan.early = buf_bytes(&lookup->early);
    plan.early_end = lookup->early_end;
    struct bridge *bridge =
        bridge_new(lookup->loop, lookup->channel, &plan, lookup->done, lookup->context);
    if (!bridge && lookup->done)
        lookup->done(lookup->context, NULL);
    lookup_free(lookup);
}

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct lookup *lookup = context;
    struct error reason;
    (void)channel;
    if (!buf_append(&lookup->early, bytes, &reason))
        failed(lookup, &reason);
}

static void on_end(void *context, struct channel *channel)
{
    (void)channel;
    ((struct lookup *)context)->early_end = true;
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct lookup *lookup = context;
    (void)channel;
    lookup->channel = NULL;
    failed(lookup, reason);
}

static const struct channel_events events = {on_data, on_end, NULL, on_closed};

static bool look_up(struct loop *loop, struct channel *channel, const struct lookup *about,
                    struct error *err)
{
    const char *words[LOOKUP_WORDS_MAX];
    int ends[2];
    if (fds_pipe(ends, FDS_NONBLOCKING) != 0)
        return error_os(err, errno, "look up %s", about->place.host);
    lookup_words(about->place.host, words);
    struct lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = *about;
    lookup->loop = loop;
    lookup->answer_fd = ends[0];
    lookup->early = BUF(EARLY_MAX);
    struct spawn spawn = {.arguments = words, .fds = {-1, ends[1], -1}, .own_session = true};
    lookup->child = child_start(loop, &spawn, on_looked_up, lookup, err);
    close(ends[1]);
    lookup->patience = timer_new(loop, on_late, lookup);
    if (!lookup->child) {
        lookup_free(lookup);
        return error_wrap(err, "look up %s", about->place.host);
    }
    lookup->channel = channel;
    channel_bind(channel, &events, lookup);
    timer_start(lookup->patience, PATIENCE_MS);
    return true;
}

bool dial(struct loop *loop, struct channel *channel, const struct forward_place *place,
          bridge_done *done, void *context, struct error *err)
{
    struct resolved addresses[ADDRESSES_MAX];
    struct bridge_plan plan;
    size_t count =
        place->is_path ? 1 : resolve(place->host, place->port, addresses, ADDRESSES_MAX, err);
    if (count == 0) {
        struct lookup about = {.place = *place, .done = done, .context = context};
        return look_up(loop, channel, &about, err);
    }
    if (!connect_now(addresses, count, place, &plan, err))
        return false;
    if (!bridge_new(loop, channel, &plan, done, context) && done)
        done(context, NULL);
    return true;
}
