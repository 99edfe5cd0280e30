/* SPDX-License-Identifier: Apache-2.0 */
#include "image/turn_internal.h"

#include "base/error.h"
#include "image/cutter.h"
#include "image/tuning.h"

enum ride { RIDE_WAITS, RIDE_TAKEN, RIDE_DONE };

/* Who waits and may be taken along. */
struct rider {
    struct turn *turn;
    struct cut *cut;
    enum ride state;
    bool done; /* successfully; otherwise it goes by itself */
    struct rider *next;
};

void turn_stop(struct turn *turn)
{
    scheduler_cancel(turn->scheduler, &turn->ticket);
    if (turn->control)
        run_control_cancel(turn->control);
}

static bool infer_alone(struct turn *turn, struct cutter *cutter, struct cut *cut,
                        struct error *err)
{
    struct cut_how how = {.control = turn->control, .shrink = turn->ticket.alone};
    if (!scheduler_enter(turn->scheduler, &turn->ticket, err))
        return false;
    bool done = cut_infer(cutter, cut, &how, err);
    scheduler_leave(turn->scheduler, &turn->ticket);
    return done;
}

/* The next three are called under the model's lock. */

static void rider_remove(struct loaded *loaded, const struct rider *rider)
{
    for (struct rider **at = &loaded->riders; *at; at = &(*at)->next)
        if (*at == rider) {
            *at = rider->next;
            return;
        }
}

static void rider_append(struct loaded *loaded, struct rider *rider)
{
    struct rider **at = &loaded->riders;
    while (*at)
        at = &(*at)->next;
    *at = rider;
}

/* Up to `most` of those that wait with pictures of this size, the first come first, as far as there
 * is the memory for them. */
static int riders_take(struct turn *turn, const struct cut *like, int most, struct rider *out[])
{
    struct loaded *loaded = turn->loaded;
    int count = 0;
    for (struct rider **at = &loaded->riders; *at && count < most;) {
        struct rider *rider = *at;
        bool fits = rider->cut->width == like->width && rider->cut->height == like->height;
        if (!fits || !scheduler_take_along(turn->scheduler, &turn->ticket, &rider->turn->ticket)) {
            at = &rider->next;
            continue;
        }
        *at = rider->next;
        rider->state = RIDE_TAKEN;
        out[count++] = rider;
    }
    return count;
}

/* Inside, with those that were taken along. When that fails, each goes by itself: it may be one
 * client's leaving, or memory that one picture does not need. */
static bool infer_with(struct turn *turn, struct cutter *cutter, struct cut *cut,
                       struct rider *taken[], int count, struct error *err)
{
    struct cut_how how = {.control = turn->control};
    struct cut *cuts[BATCH_MAX] = {cut};
    for (int i = 0; i < count; i++)
        cuts[i + 1] = taken[i]->cut;
    bool done = cut_infer_all(cutter, cuts, count + 1, &how, err);
    pthread_mutex_lock(&turn->loaded->lock);
    for (int i = 0; i < count; i++) {
        taken[i]->done = done;
        taken[i]->state = RIDE_DONE;
    }
    pthread_cond_broadcast(&turn->loaded->arrived);
    pthread_mutex_unlock(&turn->loaded->lock);
    return done || (count > 0 && err->kind != ERROR_CANCELLED && cut_infer(cutter, cut, &how, err));
}

/* Waits for the one that took it along. False: it has to go by itself. */
static bool await_arrival(struct loaded *loaded, const struct rider *rider)
{
    pthread_mutex_lock(&loaded->lock);
    while (rider->state != RIDE_DONE)
        pthread_cond_wait(&loaded->arrived, &loaded->lock);
    pthread_mutex_unlock(&loaded->lock);
    return rider->done;
}

bool turn_infer(struct turn *turn, struct cutter *cutter, struct cut *cut, struct error *err)
{
    struct loaded *loaded = turn->loaded;
    struct rider *taken[BATCH_MAX];
    if (loaded->batch <= 1 || turn->ticket.alone || cutter != loaded->cutter)
        return infer_alone(turn, cutter, cut, err);
    struct rider self = {.turn = turn, .cut = cut};
    pthread_mutex_lock(&loaded->lock);
    rider_append(loaded, &self);
    pthread_mutex_unlock(&loaded->lock);
    bool entered = scheduler_enter(turn->scheduler, &turn->ticket, err);
    pthread_mutex_lock(&loaded->lock);
    bool was_taken = self.state != RIDE_WAITS;
    if (!was_taken)
        rider_remove(loaded, &self);
    int count = entered ? riders_take(turn, cut, loaded->batch - 1, taken) : 0;
    pthread_mutex_unlock(&loaded->lock);

    if (was_taken)
        return await_arrival(loaded, &self) || infer_alone(turn, cutter, cut, err);
    if (!entered)
        return false;
    bool done = infer_with(turn, cutter, cut, taken, count, err);
    scheduler_leave(turn->scheduler, &turn->ticket);
    return done;
}
