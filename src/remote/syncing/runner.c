/* SPDX-License-Identifier: Apache-2.0 */
#include "syncing/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "io/loop.h"
#include "syncing/parcels.h"
#include "sys/fds.h"
#include "sys/memory.h"
#include "wire/mux.h"

enum {
    BULK_WINDOW = 8 * 1024 * 1024,
    BOX_MAX = 1 << 30,
    SMALL_SIZE = 64 * 1024,    /* small things are sent together up to that */
    IN_SIZE = 2 * 1024 * 1024, /* what came is handed over in such parts … */
    SPARES = 4,                /* … of which that many are used again …     */
    SPARE_US = 200 * 1000,     /* … until none has come for so long                */
    EVENTS_MAX = 10000,
};

struct told {
    struct told *next;
    struct sync_event event;
    char text[]; /* path, then text */
};

struct runner {
    struct loop *loop;
    struct sync *sync; /* the engine's thread only, once that runs */
    const struct runner_events *events;
    void *context;
    struct wake *wake;
    char *strings[5];
    struct channel *lanes[LANE_COUNT]; /* the loop's thread only */
    pthread_t thread;
    bool started;
    struct buf greeting; /* for the first channels; the loop's thread only */
    int pipe[2];         /* a byte wakes the engine's thread */

    pthread_mutex_t lock; /* guards what follows */
    struct parcels in[LANE_COUNT], out[LANE_COUNT];
    struct parcels spare;        /* for what comes in */
    size_t consumed[LANE_COUNT]; /* taken from `in` and not yet credited */
    size_t queued[LANE_COUNT];   /* in the channels, when last looked */
    size_t room_at[LANE_COUNT];  /* the engine waits for no more than that in there; or 0 */
    int64_t distance_us, rate;   /* of the link, when last looked */
    bool connect, greeted, unlinked, stop, stopped, signalled, failed;
    unsigned detaches, detaches_seen; /* by the engine */
    struct error failure;
    struct told *told, **told_end;
    size_t told_count;
    struct runner_request *asked, *answered;
};

/* --- The engine's thread ------------------------------------------------------------------- */

static void wake_engine(struct runner *runner)
{
    if (runner->signalled)
        return;
    runner->signalled = true;
    while (write(runner->pipe[1], "", 1) < 0 && errno == EINTR)
        ;
}

/* Of `bytes` a copy, or what is in `owned`. */
static void send_out(struct runner *runner, enum sync_lane lane, struct bytes bytes,
                     struct buf *owned)
{
    pthread_mutex_lock(&runner->lock);
    struct parcels *out = &runner->out[lane];
    bool stale = runner->detaches != runner->detaches_seen; /* for a session that is lost */
    bool full = out->size > BOX_MAX;
    if (full && !runner->failed) {
        runner->failed = true;
        error_set(&runner->failure, ERROR_LIMIT, "too much waits to be sent");
    }
    if (!stale && !full && owned)
        parcels_add(out, owned);
    else if (!stale && !full)
        parcels_append(out, bytes, SMALL_SIZE, NULL);
    pthread_mutex_unlock(&runner->lock);
    wake_signal(runner->wake);
}

static void engine_send(void *context, enum sync_lane lane, struct bytes bytes)
{
    send_out(context, lane, bytes, NULL);
}

static void engine_give(void *context, enum sync_lane lane, struct buf *bytes)
{
    send_out(context, lane, buf_bytes(bytes), bytes);
    buf_dispose(bytes);
}

static size_t engine_queued(void *context, enum sync_lane lane)
{
    struct runner *runner = context;
    pthread_mutex_lock(&runner->lock);
    size_t size = runner->out[lane].size + runner->queued[lane];
    pthread_mutex_unlock(&runner->lock);
    return size;
}

static void engine_room_at(void *context, enum sync_lane lane, size_t bytes)
{
    struct runner *runner = context;
    pthread_mutex_lock(&runner->lock);
    runner->room_at[lane] = bytes;
    pthread_mutex_unlock(&runner->lock);
    wake_signal(runner->wake);
}

static void engine_event(void *context, const struct sync_event *event)
{
    struct runner *runner = context;
    if (event->kind == SYNC_EVENT_APPLIED || !runner->events->event)
        return;
    size_t path = strlen(event->path) + 1, text = strlen(event->text) + 1;
    struct told *told = xmalloc(sizeof *told + path + text);
    *told = (struct told){.event = *event};
    memcpy(told->text, event->path, path);
    memcpy(told->text + path, event->text, text);
    told->event.path = told->text;
    told->event.text = told->text + path;
    pthread_mutex_lock(&runner->lock);
    bool keep = runner->told_count < EVENTS_MAX;
    if (keep) {
        *runner->told_end = told;
        runner->told_end = &told->next;
        runner->told_count++;
    }
    pthread_mutex_unlock(&runner->lock);
    if (!keep)
        free(told);
    wake_signal(runner->wake);
}

static void engine_wake(void *context)
{
    struct runner *runner = context;
    pthread_mutex_lock(&runner->lock);
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
}

static int64_t look_at(struct runner *runner, const int64_t *value)
{
    pthread_mutex_lock(&runner->lock);
    int64_t found = *value;
    pthread_mutex_unlock(&runner->lock);
    return found;
}

static int64_t engine_distance(void *context)
{
    struct runner *runner = context;
    return look_at(runner, &runner->distance_us);
}

static int64_t engine_rate(void *context)
{
    struct runner *runner = context;
    return look_at(runner, &runner->rate);
}

static const struct sync_port port = {engine_send,     engine_queued, engine_event, engine_wake,
                                      engine_distance, engine_give,   engine_rate,  engine_room_at};

struct turn {
    struct parcels in[LANE_COUNT];
    bool connect, greeted, unlinked, disconnect, stop;
    unsigned detaches;
    struct runner_request *asked;
};

static void take_turn(struct runner *runner, struct turn *turn)
{
    pthread_mutex_lock(&runner->lock);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        turn->in[lane] = runner->in[lane];
        runner->in[lane] = (struct parcels){0};
    }
    turn->connect = runner->connect;
    turn->greeted = runner->greeted;
    turn->unlinked = runner->unlinked;
    turn->detaches = runner->detaches;
    turn->disconnect = runner->detaches != runner->detaches_seen;
    turn->stop = runner->stop;
    turn->asked = runner->asked;
    runner->connect = runner->greeted = runner->signalled = false;
    runner->asked = NULL;
    pthread_mutex_unlock(&runner->lock);
}

/* The room for what comes is used again as long as something does; then the system gets it back,
 * once. Returns when to look again. */
static int64_t drop_spares(struct runner *runner, int64_t came_us)
{
    int64_t due_us = came_us + SPARE_US;
    pthread_mutex_lock(&runner->lock);
    struct parcels spare = runner->spare;
    bool due = spare.count && mono_ns() / 1000 >= due_us;
    if (due)
        runner->spare = (struct parcels){0};
    pthread_mutex_unlock(&runner->lock);
    if (!due)
        return spare.count ? due_us : INT64_MAX;
    parcels_clear(&spare);
    memory_trim();
    return INT64_MAX;
}

static bool hand_over(struct runner *runner, struct turn *turn, struct error *err)
{
    if (turn->disconnect) {
        sync_disconnected(runner->sync);
        pthread_mutex_lock(&runner->lock);
        runner->detaches_seen = turn->detaches;
        pthread_mutex_unlock(&runner->lock);
    }
    if (turn->connect && turn->greeted)
        sync_greeted(runner->sync);
    else if (turn->connect)
        sync_connected(runner->sync);
    bool done = true;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        for (struct parcel *parcel; (parcel = parcels_take(&turn->in[lane]));) {
            size_t size = parcel->bytes.size;
            if (done)
                done = sync_receive(runner->sync, lane, buf_bytes(&parcel->bytes), err);
            pthread_mutex_lock(&runner->lock);
            runner->consumed[lane] += size;
            parcels_keep(&runner->spare, parcel, SPARES);
            pthread_mutex_unlock(&runner->lock);
            wake_signal(runner->wake);
        }
    return done;
}

/* Runs what was asked for; what is not finished is asked again after the next turn. */
static struct runner_request *answer(struct runner *runner, struct runner_request *asked)
{
    struct runner_request *open = NULL;
    while (asked) {
        struct runner_request *request = asked;
        asked = request->next;
        bool done = request->run(request, runner->sync);
        pthread_mutex_lock(&runner->lock);
        struct runner_request **list = done ? &runner->answered : &open;
        request->next = *list;
        *list = request;
        pthread_mutex_unlock(&runner->lock);
        if (done)
            wake_signal(runner->wake);
    }
    return open;
}

static void sleep_until(struct runner *runner, int64_t next_us, bool asked)
{
    struct pollfd fds[2] = {{.fd = runner->pipe[0], .events = POLLIN},
                            {.fd = sync_watch_fd(runner->sync), .events = POLLIN}};
    int64_t now_us = mono_ns() / 1000;
    if (asked && next_us > now_us + 2000)
        next_us = now_us + 2000;
    int64_t wait_us = next_us == INT64_MAX ? -1 : next_us > now_us ? next_us - now_us : 0;
    int ready = fds_poll(fds, 2, wait_us);
    uint8_t bytes[64];
    if (ready > 0 && fds[0].revents)
        while (read(runner->pipe[0], bytes, sizeof bytes) == sizeof bytes)
            ;
}

/* What the engine looks at once more may block, too. */
static void *leave(struct runner *runner)
{
    sync_free(TAKE(runner->sync));
    pthread_mutex_lock(&runner->lock);
    runner->stopped = true;
    pthread_mutex_unlock(&runner->lock);
    wake_signal(runner->wake);
    return NULL;
}

static void *run(void *context)
{
    struct runner *runner = context;
    struct runner_request *open = NULL;
    struct error err;
    bool good = !runner->events->prepare || runner->events->prepare(runner->context, &err);
    int64_t came_us = 0; /* when something last did */
    for (;;) {
        struct turn turn;
        int64_t next_us = INT64_MAX;
        take_turn(runner, &turn);
        bool came = turn.in[0].size || turn.in[1].size;
        sync_linked(runner->sync, !turn.unlinked);
        if (good && (turn.disconnect || turn.connect || came))
            good = hand_over(runner, &turn, &err);
        for (int lane = 0; lane < LANE_COUNT; lane++)
            parcels_clear(&turn.in[lane]);
        if (came)
            came_us = mono_ns() / 1000;
        if (good)
            good = sync_step(runner->sync, mono_ns() / 1000, &next_us, &err);
        bool asked = turn.asked != NULL;
        while (turn.asked) {
            struct runner_request *request = turn.asked;
            turn.asked = request->next;
            request->next = open;
            open = request;
        }
        if (!turn.stop && good)
            open = answer(runner, open);
        if (asked)
            next_us = 0; /* what was asked may have made work */
        pthread_mutex_lock(&runner->lock);
        if (!good && !runner->failed) {
            runner->failed = true;
            runner->failure = err;
            wake_signal(runner->wake);
        }
        if (turn.stop) {
            runner->asked = open; /* dropped by runner_free */
            pthread_mutex_unlock(&runner->lock);
            return leave(runner);
        }
        pthread_mutex_unlock(&runner->lock);
        int64_t drop_us = drop_spares(runner, came_us);
        if (next_us > drop_us)
            next_us = drop_us;
        sleep_until(runner, next_us, open && good);
    }
}

/* --- The loop's thread --------------------------------------------------------------------- */

static void deliver(struct runner *runner, struct told *told)
{
    while (told) {
        struct told *next = told->next;
        runner->events->event(runner->context, &told->event);
        free(told);
        told = next;
    }
}

static void on_woken(void *context)
{
    struct runner *runner = context;
    struct parcels out[LANE_COUNT];
    size_t consumed[LANE_COUNT];
    pthread_mutex_lock(&runner->lock);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        out[lane] = runner->out[lane];
        runner->out[lane] = (struct parcels){0};
        runner->queued[lane] += out[lane].size;
        consumed[lane] = runner->consumed[lane];
        runner->consumed[lane] = 0;
    }
    struct told *told = runner->told;
    runner->told = NULL;
    runner->told_end = &runner->told;
    runner->told_count = 0;
    struct runner_request *answered = runner->answered;
    runner->answered = NULL;
    bool failed = runner->failed && !runner->stop;
    bool stopped = runner->stopped;
    struct error failure = runner->failure;
    pthread_mutex_unlock(&runner->lock);

    for (int lane = 0; lane < LANE_COUNT; lane++) {
        struct channel *channel = runner->lanes[lane];
        for (struct parcel *parcel = out[lane].first; channel && parcel; parcel = parcel->next)
            channel_give(channel, &parcel->bytes);
        parcels_clear(&out[lane]);
        if (channel && consumed[lane])
            channel_consumed(channel, consumed[lane]);
        struct mux_stats stats = {0};
        if (channel)
            mux_stats(channel_mux(channel), &stats);
        pthread_mutex_lock(&runner->lock);
        runner->queued[lane] = channel ? channel_queued(channel) : 0;
        size_t room_at = runner->room_at[lane];
        if (room_at && runner->queued[lane] > room_at) {
            channel_marks(channel, room_at + 1, room_at);
        } else if (room_at) {
            runner->room_at[lane] = 0;
            wake_engine(runner);
        }
        if (stats.base_rtt_us)
            runner->distance_us = stats.base_rtt_us;
        if (stats.rate_bytes_s)
            runner->rate = stats.rate_bytes_s;
        pthread_mutex_unlock(&runner->lock);
    }
    deliver(runner, told);
    while (answered) {
        struct runner_request *request = answered;
        answered = request->next;
        request->done(request, false);
    }
    if (failed)
        runner->events->failed(runner->context, &failure);
    else if (stopped && runner->events->stopped)
        runner->events->stopped(runner->context);
}

static int lane_of(const struct runner *runner, const struct channel *channel)
{
    return channel == runner->lanes[LANE_BULK] ? LANE_BULK : LANE_FAST;
}

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct runner *runner = context;
    pthread_mutex_lock(&runner->lock);
    parcels_append(&runner->in[lane_of(runner, channel)], bytes, IN_SIZE, &runner->spare);
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
}

static void on_room(void *context, struct channel *channel)
{
    struct runner *runner = context;
    pthread_mutex_lock(&runner->lock);
    int lane = lane_of(runner, channel);
    runner->queued[lane] = channel_queued(channel);
    runner->room_at[lane] = 0;
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
}

static void detach(struct runner *runner)
{
    pthread_mutex_lock(&runner->lock);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        runner->lanes[lane] = NULL;
        parcels_clear(&runner->in[lane]);
        runner->consumed[lane] = runner->queued[lane] = 0;
    }
    runner->connect = runner->greeted = false;
    runner->detaches++;
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct runner *runner = context;
    struct error ended;
    struct channel *other = NULL;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (runner->lanes[lane] && runner->lanes[lane] != channel)
            other = runner->lanes[lane];
    error_set(&ended, ERROR_UNAVAILABLE, "the other side ended the sync");
    if (other)
        channel_reset(other, &ended);
    detach(runner);
    runner->events->detached(runner->context, reason ? reason : &ended);
}

static void on_end(void *context, struct channel *channel)
{
    (void)context;
    channel_end(channel);
}

static const struct channel_events channel_events = {on_data, on_end, on_room, on_closed};

void runner_attach(struct runner *runner, struct channel *const lanes[LANE_COUNT])
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        runner->lanes[lane] = lanes[lane];
        channel_bind(lanes[lane], &channel_events, runner);
    }
    channel_window(lanes[LANE_BULK], BULK_WINDOW);
    channel_window(lanes[LANE_FAST], BULK_WINDOW);
    channel_patient(lanes[LANE_FAST]);
    bool greets = runner->greeting.size > 0;
    if (greets)
        channel_write(lanes[LANE_FAST], buf_bytes(&runner->greeting));
    buf_dispose(&runner->greeting);
    pthread_mutex_lock(&runner->lock);
    runner->connect = true;
    runner->greeted = greets;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        parcels_clear(&runner->out[lane]);
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
}

void runner_detach(struct runner *runner)
{
    struct channel *lanes[LANE_COUNT];
    struct error ended;
    error_set(&ended, ERROR_CANCELLED, "the sync lets go");
    memcpy(lanes, runner->lanes, sizeof lanes);
    detach(runner);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (lanes[lane])
            channel_reset(lanes[lane], &ended);
}

void runner_linked(struct runner *runner, bool up)
{
    pthread_mutex_lock(&runner->lock);
    runner->unlinked = !up;
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
}

void runner_ask(struct runner *runner, struct runner_request *request)
{
    pthread_mutex_lock(&runner->lock);
    request->next = runner->asked;
    runner->asked = request;
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
}

static const char *keep(struct runner *runner, size_t at, const char *text)
{
    runner->strings[at] = text ? xstrdup(text) : NULL;
    return runner->strings[at];
}

struct runner *runner_new(struct loop *loop, const struct sync_options *options,
                          const struct runner_events *events, void *context, struct error *err)
{
    AUTO(runner_free) struct runner *runner = xcalloc(1, sizeof *runner);
    runner->loop = loop;
    runner->events = events;
    runner->context = context;
    runner->pipe[0] = runner->pipe[1] = -1;
    runner->told_end = &runner->told;
    pthread_mutex_init(&runner->lock, NULL);
    runner->wake = wake_new(loop, on_woken, runner);
    struct sync_options copy = *options;
    copy.root = keep(runner, 0, options->root);
    copy.remote_root = keep(runner, 1, options->remote_root);
    copy.state = keep(runner, 2, options->state);
    copy.ignore = keep(runner, 3, options->ignore);
    copy.protect = keep(runner, 4, options->protect);
    if (fds_pipe(runner->pipe, FDS_NONBLOCKING) != 0) {
        error_os(err, errno, "make a pipe");
        return NULL;
    }
    runner->sync = sync_new(&copy, &port, runner, err);
    if (!runner->sync)
        return NULL;
    runner->greeting = BUF(BOX_MAX);
    if (!sync_greeting(runner->sync, &runner->greeting, err))
        return NULL;
    if (pthread_create(&runner->thread, NULL, run, runner) != 0) {
        error_set(err, ERROR_LIMIT, "no more threads");
        return NULL;
    }
    runner->started = true;
    return TAKE(runner);
}

static void drop(struct runner_request *list)
{
    while (list) {
        struct runner_request *request = list;
        list = request->next;
        request->done(request, true);
    }
}

void runner_stop(struct runner *runner)
{
    struct error ended;
    error_set(&ended, ERROR_CANCELLED, "the sync ended");
    pthread_mutex_lock(&runner->lock);
    runner->stop = true;
    if (runner->failed) /* the other side is told why */
        ended = runner->failure;
    wake_engine(runner);
    pthread_mutex_unlock(&runner->lock);
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (runner->lanes[lane])
            channel_reset(TAKE(runner->lanes[lane]), &ended);
}

void runner_free(struct runner *runner)
{
    if (!runner)
        return;
    runner_stop(runner);
    if (runner->started)
        pthread_join(runner->thread, NULL);
    sync_free(runner->sync);
    parcels_clear(&runner->spare);
    drop(runner->asked);
    drop(runner->answered);
    for (struct told *told = runner->told, *next; told; told = next) {
        next = told->next;
        free(told);
    }
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        parcels_clear(&runner->in[lane]);
        parcels_clear(&runner->out[lane]);
    }
    buf_dispose(&runner->greeting);
    for (size_t i = 0; i < sizeof runner->strings / sizeof *runner->strings; i++)
        free(runner->strings[i]);
    if (runner->pipe[0] >= 0) {
        close(runner->pipe[0]);
        close(runner->pipe[1]);
    }
    wake_free(runner->wake);
    pthread_mutex_destroy(&runner->lock);
    free(runner);
}
