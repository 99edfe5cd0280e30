/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <uv.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

struct later {
    struct loop *loop;
    loop_callback *run;
    void *context;
    struct later *next; /* in loop->asked */
    bool asked;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t before; /* both run what was asked for, once the callbacks of a phase are done */
    uv_check_t after;
    struct later *asked;
    pid_t *orphans;
    size_t orphan_count;
};

static void run_asked(struct loop *loop)
{
    while (loop->asked) {
        struct later *later = loop->asked;
        loop->asked = later->next;
        later->asked = false;
        later->run(later->context);
    }
}

static void reap_orphans(struct loop *loop)
{
    for (size_t i = 0; i < loop->orphan_count;) {
        if (waitpid(loop->orphans[i], NULL, WNOHANG) == 0)
            i++;
        else
            loop->orphans[i] = loop->orphans[--loop->orphan_count];
    }
}

void loop_adopt(struct loop *loop, int pid)
{
    loop->orphans = xreallocarray(loop->orphans, loop->orphan_count + 1, sizeof *loop->orphans);
    loop->orphans[loop->orphan_count++] = pid;
}

static void on_before(uv_prepare_t *handle)
{
    reap_orphans(handle->data);
    run_asked(handle->data);
}

static void on_after(uv_check_t *handle)
{
    run_asked(handle->data);
}

struct loop *loop_new(struct error *err)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    int failed = uv_loop_init(&loop->uv);
    if (failed) {
        free(loop);
        error_os(err, -failed, "start the event loop");
        return NULL;
    }
    uv_prepare_init(&loop->uv, &loop->before);
    uv_check_init(&loop->uv, &loop->after);
    loop->before.data = loop->after.data = loop;
    uv_prepare_start(&loop->before, on_before);
    uv_check_start(&loop->after, on_after);
    uv_unref((uv_handle_t *)&loop->before);
    uv_unref((uv_handle_t *)&loop->after);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    uv_close((uv_handle_t *)&loop->before, NULL);
    uv_close((uv_handle_t *)&loop->after, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop->uv) != 0) { /* a stop that was asked for late ended that run */
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        int busy = uv_loop_close(&loop->uv);
        assert(busy == 0);
    }
    reap_orphans(loop);
    free(loop->orphans);
    free(loop);
}

void loop_run(struct loop *loop)
{
    run_asked(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

int64_t loop_now_us(struct loop *loop)
{
    (void)loop;
    return mono_ns() / 1000;
}

/* --- timers --- */

struct timer {
    uv_timer_t uv;
    loop_callback *fire;
    void *context;
};

static void free_data(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    timer->fire(timer->context);
}

struct timer *timer_new(struct loop *loop, loop_callback *fire, void *context)
{
    struct timer *timer = xcalloc(1, sizeof *timer);
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->fire = fire;
    timer->context = context;
    return timer;
}

void timer_start(struct timer *timer, int64_t after_ms)
{
    uv_update_time(timer->uv.loop);
    /* Never at once: a timer that starts itself again would keep all else from running. */
    uv_timer_start(&timer->uv, on_timer, after_ms > 0 ? (uint64_t)after_ms : 1, 0);
}

void timer_stop(struct timer *timer)
{
    uv_timer_stop(&timer->uv);
}

bool timer_active(const struct timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv);
}

int64_t timer_left_ms(const struct timer *timer)
{
    return timer_active(timer) ? (int64_t)uv_timer_get_due_in(&timer->uv) : 0;
}

void timer_free(struct timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, free_data);
}

/* --- later --- */

struct later *later_new(struct loop *loop, loop_callback *run, void *context)
{
    struct later *later = xcalloc(1, sizeof *later);
    *later = (struct later){.loop = loop, .run = run, .context = context};
    return later;
}

void later_ask(struct later *later)
{
    if (later->asked)
        return;
    later->asked = true;
    later->next = NULL;
    struct later **end = &later->loop->asked;
    while (*end)
        end = &(*end)->next;
    *end = later;
}

void later_free(struct later *later)
{
    if (!later)
        return;
    for (struct later **at = &later->loop->asked; *at; at = &(*at)->next) {
        if (*at == later) {
            *at = later->next;
            break;
        }
    }
    free(later);
}

/* --- readiness --- */

struct watch {
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_idle_t idle; /* for regular files, which are always ready */
    } uv;
    watch_callback *ready;
    void *context;
    int wanted;
    bool file;
};

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;
    /* An error is for the next read or write to tell, whoever waits. */
    int ready = status < 0 ? WATCH_READ | WATCH_WRITE : 0;
    if (events & (UV_READABLE | UV_DISCONNECT))
        ready |= WATCH_READ;
    if (events & UV_WRITABLE)
        ready |= WATCH_WRITE;
    ready &= watch->wanted;
    if (ready)
        watch->ready(watch->context, ready);
}

static void on_idle(uv_idle_t *handle)
{
    struct watch *watch = handle->data;
    watch->ready(watch->context, watch->wanted);
}

struct watch *watch_new(struct loop *loop, int fd, watch_callback *ready, void *context,
                        struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        error_os(err, errno, "watch descriptor %d", fd);
        return NULL;
    }
    struct watch *watch = xcalloc(1, sizeof *watch);
    watch->ready = ready;
    watch->context = context;
    watch->file = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
    if (watch->file) {
        uv_idle_init(&loop->uv, &watch->uv.idle);
    } else {
        int failed = uv_poll_init(&loop->uv, &watch->uv.poll, fd);
        if (failed == UV_EPERM || failed == UV_EINVAL) { /* /dev/null and its kind */
            watch->file = true;
            uv_idle_init(&loop->uv, &watch->uv.idle);
        } else if (failed) {
            free(watch);
            error_os(err, -failed, "watch descriptor %d", fd);
            return NULL;
        }
    }
    watch->uv.handle.data = watch;
    return watch;
}

void watch_set(struct watch *watch, int wanted)
{
    if (watch->wanted == wanted)
        return;
    watch->wanted = wanted;
    if (watch->file) {
        if (wanted)
            uv_idle_start(&watch->uv.idle, on_idle);
        else
            uv_idle_stop(&watch->uv.idle);
    } else if (wanted) {
        uv_poll_start(&watch->uv.poll,
                      (wanted & WATCH_READ ? UV_READABLE : 0) |
                          (wanted & WATCH_WRITE ? UV_WRITABLE : 0),
                      on_poll);
    } else {
        uv_poll_stop(&watch->uv.poll);
    }
}

void watch_free(struct watch *watch)
{
    if (watch)
        uv_close(&watch->uv.handle, free_data);
}

/* --- waking --- */

struct wake {
    uv_async_t uv;
    loop_callback *woken;
    void *context;
};

static void on_async(uv_async_t *handle)
{
    struct wake *wake = handle->data;
    wake->woken(wake->context);
}

struct wake *wake_new(struct loop *loop, loop_callback *woken, void *context)
{
    struct wake *wake = xcalloc(1, sizeof *wake);
    int failed = uv_async_init(&loop->uv, &wake->uv, on_async);
    assert(failed == 0);
    wake->uv.data = wake;
    wake->woken = woken;
    wake->context = context;
    return wake;
}

void wake_signal(struct wake *wake)
{
    uv_async_send(&wake->uv);
}

void wake_free(struct wake *wake)
{
    if (wake)
        uv_close((uv_handle_t *)&wake->uv, free_data);
}

/* --- signals --- */

enum { MAX_SIGNALS = 8 };

struct signals {
    uv_signal_t uv[MAX_SIGNALS];
    unsigned count, open;
    uv_loop_t *loop;
    signal_callback *arrived;
    void *context;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;
    signals->arrived(signals->context, number);
}

struct signals *signals_new(struct loop *loop, signal_callback *arrived, void *context)
{
    struct signals *signals = xcalloc(1, sizeof *signals);
    signals->loop = &loop->uv;
    signals->arrived = arrived;
    signals->context = context;
    return signals;
}

void signals_add(struct signals *signals, int number)
{
    assert(signals->count < MAX_SIGNALS);
    uv_signal_t *handle = &signals->uv[signals->count++];
    uv_signal_init(signals->loop, handle);
    handle->data = signals;
    uv_signal_start(handle, on_signal, number);
    signals->open++;
}

static void on_signal_closed(uv_handle_t *handle)
{
    struct signals *signals = handle->data;
    if (--signals->open == 0)
        free(signals);
}

void signals_free(struct signals *signals)
{
    if (!signals)
        return;
    if (signals->count == 0)
        free(signals);
    else
        for (unsigned i = 0; i < signals->count; i++)
            uv_close((uv_handle_t *)&signals->uv[i], on_signal_closed);
}
