/* SPDX-License-Identifier: Apache-2.0 */
/* Work that blocks or burns, off the loop's thread: a task is given away and its result comes
 * back as a callback on the loop. Threads start with the first task and end with the pool. */
#pragma once

struct loop;
struct pool;

struct pool_task {
    void (*run)(void *context);  /* on a worker; shares nothing with the loop's thread */
    void (*done)(void *context); /* on the loop, after run; NULL where nobody waits   */
    void *context;
};

/* At most `threads` workers; 0 means one for each core, at most 8. */
struct pool *pool_new(struct loop *loop, unsigned threads);

/* Waits for running tasks; those not begun are dropped: for them only done is called. */
void pool_free(struct pool *pool);
static inline void pool_free_auto(struct pool **pool)
{
    pool_free(*pool);
}

/* The task is copied. Tasks begin in the order in which they were given. */
void pool_submit(struct pool *pool, const struct pool_task *task);
unsigned pool_threads(const struct pool *pool);
