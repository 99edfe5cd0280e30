/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that mostly waits: for something to do, for a time, or for its end. It is part of what
 * it works for, whose state the same lock guards. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct sleeper {
    pthread_mutex_t lock; /* everything below, and what its owner keeps beside it */
    pthread_cond_t changed;
    pthread_t thread;
    bool running, ended;
};

void sleeper_init(struct sleeper *sleeper);
/* Begins the thread, unless it runs. False when there can be no more threads. */
bool sleeper_start(struct sleeper *sleeper, void *(*run)(void *context), void *context);
/* Ends the thread, waits for that, and disposes of what was initialised. Without the lock. */
void sleeper_end(struct sleeper *sleeper);

/* Under the lock, for the thread: waits until it is woken, until `at_ms` (mono_ms; INT64_MAX: for
 * ever) or until its end. False once it has come: then it returns. */
bool sleeper_wait(struct sleeper *sleeper, int64_t at_ms);
/* Under the lock: there is something new. */
void sleeper_wake(struct sleeper *sleeper);
