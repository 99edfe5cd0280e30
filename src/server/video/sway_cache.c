/* SPDX-License-Identifier: Apache-2.0 */
#include "video/sway_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "video/frame420.h"

enum { SLOTS = 6 };

struct slot {
    int step;   /* -1: none */
    bool ready; /* else its owner still draws */
    int users;  /* threads that draw or copy it: it may not be given away */
    unsigned used_at;
    struct frame420 frame;
};

struct sway_cache {
    pthread_mutex_t lock; /* of everything but the pixels */
    pthread_cond_t changed;
    unsigned clock;
    int width, height;
    struct slot slots[SLOTS];
};

struct sway_cache *sway_cache_new(int width, int height)
{
    struct sway_cache *cache = xcalloc(1, sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->changed, NULL);
    cache->width = width;
    cache->height = height;
    for (int i = 0; i < SLOTS; i++)
        cache->slots[i].step = -1;
    return cache;
}

void sway_cache_free(struct sway_cache *cache)
{
    if (!cache)
        return;
    for (int i = 0; i < SLOTS; i++)
        if (cache->slots[i].frame.planes[0])
            frame420_dispose(&cache->slots[i].frame);
    pthread_cond_destroy(&cache->changed);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* The slot of `step`, or the one that nobody has used for longest; NULL when all are in use. */
static struct slot *slot_for(struct sway_cache *cache, int step)
{
    struct slot *oldest = NULL;
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->step == step)
            return slot;
        if (slot->users == 0 && (!oldest || slot->used_at < oldest->used_at))
            oldest = slot;
    }
    return oldest;
}

static struct slot *slot_take(struct sway_cache *cache, int step, bool *out_draw)
{
    pthread_mutex_lock(&cache->lock);
    struct slot *slot = slot_for(cache, step);
    while (!slot) {
        pthread_cond_wait(&cache->changed, &cache->lock);
        slot = slot_for(cache, step);
    }
    *out_draw = slot->step != step;
    if (*out_draw) {
        slot->step = step;
        slot->ready = false;
        if (!slot->frame.planes[0])
            slot->frame = frame420_new(cache->width, cache->height);
    }
    slot->users++;
    slot->used_at = ++cache->clock;
    while (!*out_draw && !slot->ready)
        pthread_cond_wait(&cache->changed, &cache->lock);
    pthread_mutex_unlock(&cache->lock);
    return slot;
}

void sway_cache_get(struct sway_cache *cache, int step, sway_draw *draw, void *context,
                    struct frame420 *out)
{
    bool mine;
    struct slot *slot = slot_take(cache, step, &mine);
    if (mine) {
        draw(context, step, &slot->frame);
        pthread_mutex_lock(&cache->lock);
        slot->ready = true;
        pthread_cond_broadcast(&cache->changed);
        pthread_mutex_unlock(&cache->lock);
    }
    frame420_copy(&slot->frame, out);
    pthread_mutex_lock(&cache->lock);
    slot->users--;
    pthread_cond_broadcast(&cache->changed);
    pthread_mutex_unlock(&cache->lock);
}
