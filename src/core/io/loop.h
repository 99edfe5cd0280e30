/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: one thread owns connections, timers and state, and never blocks.
 *
 * Descriptors are watched for readiness; reading and writing them is the caller's. Everything
 * here belongs to the loop's thread, except wake_signal. Callbacks may free the thing that calls
 * them, and any other. Portable through libuv, which no header shows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct loop;

MUST_USE struct loop *loop_new(struct error *err);
/* Everything made with the loop must have been freed before. */
void loop_free(struct loop *loop);
static inline void loop_free_auto(struct loop **loop)
{
    loop_free(*loop);
}

/* Runs until loop_stop, or until nothing is left that could call back. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* What a turn began at, on the monotonic clock. loop_now_us reads the clock itself. */
int64_t loop_now_us(struct loop *loop);

/* A child process that nobody waits for any more: reaped when it has ended. */
void loop_adopt(struct loop *loop, int pid);

typedef void loop_callback(void *context);

/* Timers: one shot; start again from the callback to repeat. */
struct timer;
struct timer *timer_new(struct loop *loop, loop_callback *fire, void *context);
void timer_start(struct timer *timer, int64_t after_ms);
void timer_stop(struct timer *timer);
bool timer_active(const struct timer *timer);
/* Until it fires; 0 when it is not active. */
int64_t timer_left_ms(const struct timer *timer);
void timer_free(struct timer *timer);

/* Later: runs once, in this turn, after the callbacks that are due, before the loop sleeps.
 * Asking again before it ran changes nothing. What collects output is flushed with this. */
struct later;
struct later *later_new(struct loop *loop, loop_callback *run, void *context);
void later_ask(struct later *later);
void later_free(struct later *later);

/* Readiness of a descriptor. A regular file is always ready. The descriptor is the caller's:
 * free the watch before closing it. WATCH_READ is also reported at the end of a stream and on
 * errors, which the next read then tells. */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
typedef void watch_callback(void *context, int ready);
struct watch;
MUST_USE struct watch *watch_new(struct loop *loop, int fd, watch_callback *ready, void *context,
                                 struct error *err);
void watch_set(struct watch *watch, int wanted);
void watch_free(struct watch *watch);

/* Waking the loop from another thread; several signals may become one call. */
struct wake;
struct wake *wake_new(struct loop *loop, loop_callback *woken, void *context);
void wake_signal(struct wake *wake); /* any thread */
void wake_free(struct wake *wake);

/* Signals, delivered as callbacks. */
typedef void signal_callback(void *context, int number);
struct signals;
struct signals *signals_new(struct loop *loop, signal_callback *arrived, void *context);
void signals_add(struct signals *signals, int number);
void signals_free(struct signals *signals);

static inline void timer_free_auto(struct timer **timer)
{
    timer_free(*timer);
}
static inline void watch_free_auto(struct watch **watch)
{
    watch_free(*watch);
}
