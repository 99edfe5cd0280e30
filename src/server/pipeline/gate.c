/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/gate_internal.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"

struct gate {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t moved;
    int64_t capacity, taken;
    struct gate_place *first; /* of the line */
    struct gate_place *inside;
};

struct gate *gate_new(int64_t capacity)
{
    struct gate *gate = xcalloc(1, sizeof *gate);
    pthread_mutex_init(&gate->lock, NULL);
    cond_init_mono(&gate->moved);
    gate->capacity = capacity;
    return gate;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    assert(!gate->first && !gate->inside);
    pthread_cond_destroy(&gate->moved);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

static void append(struct gate_place **list, struct gate_place *place)
{
    while (*list)
        list = &(*list)->next;
    place->next = NULL;
    *list = place;
}

static void take_out(struct gate_place **list, const struct gate_place *place)
{
    while (*list != place)
        list = &(*list)->next;
    *list = place->next;
}

/* Only the first of the line: a large message would wait for ever behind small ones. */
static void let_in(struct gate *gate)
{
    struct gate_place *first;
    while ((first = gate->first) &&
           (!gate->inside || gate->taken + first->size <= gate->capacity)) {
        take_out(&gate->first, first);
        append(&gate->inside, first);
        first->queued = false;
        first->inside = true;
        gate->taken += first->size;
        pthread_cond_broadcast(&gate->moved);
    }
}

bool gate_enter(struct gate *gate, struct gate_place *place, int64_t size, int64_t timeout_ms)
{
    assert(size > 0);
    struct timespec deadline = cond_deadline(mono_ms() + timeout_ms);
    pthread_mutex_lock(&gate->lock);
    if (!place->queued && !place->inside) {
        *place = (struct gate_place){.size = size, .queued = true};
        append(&gate->first, place);
        let_in(gate);
    }
    while (!place->inside)
        if (pthread_cond_timedwait(&gate->moved, &gate->lock, &deadline) == ETIMEDOUT)
            break;
    bool inside = place->inside;
    pthread_mutex_unlock(&gate->lock);
    return inside;
}

void gate_tell(struct gate *gate, struct gate_place *place, double left_s)
{
    pthread_mutex_lock(&gate->lock);
    place->left_s = left_s;
    pthread_mutex_unlock(&gate->lock);
}

double gate_ahead_s(struct gate *gate, const struct gate_place *place)
{
    double ahead_s = 0;
    pthread_mutex_lock(&gate->lock);
    for (const struct gate_place *at = gate->inside; at && place->queued; at = at->next)
        ahead_s = at->left_s > ahead_s ? at->left_s : ahead_s;
    for (const struct gate_place *at = gate->first; at && place->queued && at != place;
         at = at->next)
        ahead_s += at->left_s;
    pthread_mutex_unlock(&gate->lock);
    return ahead_s;
}

void gate_leave(struct gate *gate, struct gate_place *place)
{
    pthread_mutex_lock(&gate->lock);
    if (place->queued)
        take_out(&gate->first, place);
    if (place->inside) {
        take_out(&gate->inside, place);
        gate->taken -= place->size;
    }
    place->queued = place->inside = false;
    let_in(gate);
    pthread_mutex_unlock(&gate->lock);
}
