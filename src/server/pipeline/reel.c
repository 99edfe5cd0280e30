/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/reel_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/mem.h"
#include "pipeline/crew_internal.h"
#include "video/renderer.h"

struct slot {
    struct reel *reel;
    struct crew_task task;
    struct frame420 frame;
    void *memory;
    int index;
    bool ready, busy; /* under reel->lock */
};

struct reel {
    struct crew *crew;
    struct renderer *renderer;
    int count, taken; /* frames; `taken` is the caller's thread's */
    atomic_bool stop;
    pthread_mutex_t lock;
    pthread_cond_t made;
    int slot_count;
    struct slot slots[];
};

static void slot_run(void *context)
{
    struct slot *slot = context;
    struct reel *reel = slot->reel;
    if (!atomic_load(&reel->stop))
        renderer_frame(reel->renderer, slot->index, &slot->frame);
    pthread_mutex_lock(&reel->lock);
    slot->ready = true;
    slot->busy = false;
    pthread_cond_signal(&reel->made);
    pthread_mutex_unlock(&reel->lock);
}

static void slot_begin(struct slot *slot, int index)
{
    if (index >= slot->reel->count)
        return;
    slot->index = index;
    slot->ready = false;
    slot->busy = true;
    slot->task = (struct crew_task){.run = slot_run, .context = slot};
    crew_submit(slot->reel->crew, &slot->task);
}

static size_t round_up(size_t value)
{
    return (value + 63) & ~(size_t)63;
}

static void frame_new(struct slot *slot, int width, int height)
{
    size_t luma = round_up((size_t)width), chroma = round_up((size_t)(width + 1) / 2);
    size_t luma_size = luma * (size_t)height, chroma_size = chroma * ((size_t)(height + 1) / 2);
    /* 64 bytes more, so that the first row can begin at a multiple of 64. */
    slot->memory = xmalloc(luma_size + 2 * chroma_size + 64);
    uint8_t *at = (uint8_t *)round_up((uintptr_t)slot->memory);
    slot->frame = (struct frame420){
        .width = width,
        .height = height,
        .planes = {at, at + luma_size, at + luma_size + chroma_size},
        .strides = {(int)luma, (int)chroma, (int)chroma},
    };
}

struct reel *reel_new(struct crew *crew, struct renderer *renderer, int width, int height)
{
    int slots = 2 * crew_threads(crew) + 1;
    struct reel *reel = xcalloc(1, sizeof *reel + (size_t)slots * sizeof reel->slots[0]);
    reel->crew = crew;
    reel->renderer = renderer;
    reel->count = renderer_frames(renderer);
    reel->slot_count = slots;
    pthread_mutex_init(&reel->lock, NULL);
    pthread_cond_init(&reel->made, NULL);
    for (int i = 0; i < slots; i++) {
        reel->slots[i].reel = reel;
        frame_new(&reel->slots[i], width, height);
        slot_begin(&reel->slots[i], i);
    }
    return reel;
}

const struct frame420 *reel_next(struct reel *reel)
{
    assert(reel->taken < reel->count);
    if (reel->taken > 0) {
        struct slot *used = &reel->slots[(reel->taken - 1) % reel->slot_count];
        slot_begin(used, reel->taken - 1 + reel->slot_count);
    }
    struct slot *slot = &reel->slots[reel->taken++ % reel->slot_count];
    pthread_mutex_lock(&reel->lock);
    while (!slot->ready)
        pthread_cond_wait(&reel->made, &reel->lock);
    pthread_mutex_unlock(&reel->lock);
    return &slot->frame;
}

void reel_free(struct reel *reel)
{
    if (!reel)
        return;
    atomic_store(&reel->stop, true);
    pthread_mutex_lock(&reel->lock);
    for (int i = 0; i < reel->slot_count; i++)
        while (reel->slots[i].busy)
            pthread_cond_wait(&reel->made, &reel->lock);
    pthread_mutex_unlock(&reel->lock);
    for (int i = 0; i < reel->slot_count; i++)
        free(reel->slots[i].memory);
    pthread_cond_destroy(&reel->made);
    pthread_mutex_destroy(&reel->lock);
    free(reel);
}
