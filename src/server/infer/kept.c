/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/kept_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct kept {
    pthread_mutex_t lock;  /* everything below, and the sets but for their tensors */
    struct kept_set *sets; /* the one used last is the first */
};

struct kept *kept_new(void)
{
    struct kept *kept = xcalloc(1, sizeof *kept);
    pthread_mutex_init(&kept->lock, NULL);
    return kept;
}

static void set_free(struct kept_set *set)
{
    for (int i = 0; i < set->count; i++)
        tensor_dispose(&set->tensors[i]);
    free(set);
}

/* The rest is called under the lock. */

static void unlist(struct kept_set **at)
{
    struct kept_set *set = *at;
    *at = set->next;
    set->listed = false;
    if (set->users == 0)
        set_free(set);
}

static void list(struct kept *kept, struct kept_set *set)
{
    set->next = kept->sets;
    set->listed = true;
    kept->sets = set;
}

static bool forget(struct kept *kept, int64_t now_ms)
{
    int count = 0;
    for (struct kept_set **at = &kept->sets; *at;) {
        if (++count > KEPT_SETS || now_ms - (*at)->used_ms > KEPT_MS)
            unlist(at);
        else
            at = &(*at)->next;
    }
    return kept->sets != NULL;
}

/* And these are not. */

void kept_free(struct kept *kept)
{
    if (!kept)
        return;
    while (kept->sets)
        unlist(&kept->sets);
    pthread_mutex_destroy(&kept->lock);
    free(kept);
}

struct kept_set *kept_find(struct kept *kept, struct hash128 key, int64_t now_ms)
{
    struct kept_set *found = NULL;
    pthread_mutex_lock(&kept->lock);
    (void)forget(kept, now_ms);
    for (struct kept_set **at = &kept->sets; *at && !found; at = &(*at)->next)
        if (hash128_equal((*at)->key, key)) {
            found = *at;
            *at = found->next;
            list(kept, found);
            break;
        }
    if (found) {
        found->users++;
        found->used_ms = now_ms;
    }
    pthread_mutex_unlock(&kept->lock);
    return found;
}

void kept_leave(struct kept *kept, struct kept_set *set)
{
    pthread_mutex_lock(&kept->lock);
    bool last = --set->users == 0 && !set->listed;
    pthread_mutex_unlock(&kept->lock);
    if (last)
        set_free(set);
}

struct kept_set *kept_add(struct kept *kept, struct hash128 key,
                          struct tensor tensors[SESSION_FIRST], int count, int64_t now_ms)
{
    struct kept_set *set = xcalloc(1, sizeof *set);
    *set = (struct kept_set){.key = key, .count = count, .users = 1, .used_ms = now_ms};
    memcpy(set->tensors, tensors, (size_t)count * sizeof *tensors);
    memset(tensors, 0, (size_t)count * sizeof *tensors);
    pthread_mutex_lock(&kept->lock);
    list(kept, set);
    (void)forget(kept, now_ms);
    pthread_mutex_unlock(&kept->lock);
    return set;
}

bool kept_forget(struct kept *kept, int64_t now_ms)
{
    pthread_mutex_lock(&kept->lock);
    bool left = forget(kept, now_ms);
    pthread_mutex_unlock(&kept->lock);
    return left;
}
