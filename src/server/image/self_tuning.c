/* SPDX-License-Identifier: Apache-2.0 */
#include "image/self_tuning_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sleeper.h"
#include "image/cutter.h"
#include "image/tuning.h"
#include "sys/memory.h"

enum { IDLE_MS = 5000 };

static const double slowest_s = 0.5; /* the first picture, which warms up */
static const double each_s = 0.1;    /* a combination */

struct self_tuning {
    struct loaded *loaded;
    struct scheduler *scheduler;
    const char *path, *visible_gpus;
    struct ticket ticket;
    struct sleeper sleeper;
};

static bool wait_ms(struct self_tuning *tuning, int64_t ms)
{
    int64_t until_ms = mono_ms() + ms;
    bool go_on = true;
    pthread_mutex_lock(&tuning->sleeper.lock);
    while (go_on && mono_ms() < until_ms)
        go_on = sleeper_wait(&tuning->sleeper, until_ms);
    pthread_mutex_unlock(&tuning->sleeper.lock);
    return go_on;
}

/* After the first picture: who never cuts anything out shall not be held up by what would make
 * that faster. False when it is called off. */
static bool await_idle(struct self_tuning *tuning)
{
    uint64_t served = 0;
    while (wait_ms(tuning, IDLE_MS)) {
        struct scheduler_state now = scheduler_state(tuning->scheduler);
        if (served > 0 && now.served == served && now.inside == 0 && now.waiting == 0)
            return true;
        served = now.served;
    }
    return false;
}

/* Others have the device between combinations. */
static bool enter(void *context)
{
    struct self_tuning *tuning = context;
    pthread_mutex_lock(&tuning->sleeper.lock);
    bool go_on = !tuning->sleeper.ended;
    pthread_mutex_unlock(&tuning->sleeper.lock);
    return go_on && scheduler_enter(tuning->scheduler, &tuning->ticket, NULL);
}

static void leave(void *context)
{
    struct self_tuning *tuning = context;
    scheduler_leave(tuning->scheduler, &tuning->ticket);
}

static void *run(void *context)
{
    struct self_tuning *tuning = context;
    struct loaded *loaded = tuning->loaded;
    struct error err = {.kind = ERROR_INTERNAL};
    struct tuned like = {.threads = loaded->threads}, best;
    const struct tune_how how = {
        .each_s = each_s, .enter = enter, .leave = leave, .context = tuning};
    if (!await_idle(tuning))
        return NULL;
    memcpy(like.model, loaded->key, sizeof like.model);
    snprintf(like.device, sizeof like.device, "%s", cutter_device(loaded->cutter));
    device_name(like.device, tuning->visible_gpus, like.name);
    if (!tune_loaded(loaded->cutter, &like, &how, &best, &err) ||
        !tuning_keep(tuning->path, &best, &err)) {
        if (err.kind != ERROR_CANCELLED)
            log_warn("image.not_tuned", LOG_ERROR(&err));
        return NULL;
    }
    scheduler_set_streams(tuning->scheduler, best.streams);
    log_info("image.tuned", LOG_TEXT("model", best.model), LOG_INT("threads", best.threads),
             LOG_INT("streams", best.streams), LOG_INT("batch", best.batch),
             LOG_REAL("pictures_per_s", best.pictures_per_s));
    memory_trim(); /* nobody asks for anything: the process is as small as it was before */
    memory_let_go_of_code();
    return NULL;
}

struct self_tuning *self_tuning_begin(struct loaded *loaded, struct scheduler *scheduler,
                                      const char *path, const char *visible_gpus)
{
    if (loaded->seconds > slowest_s)
        return NULL;
    struct self_tuning *tuning = xcalloc(1, sizeof *tuning);
    *tuning = (struct self_tuning){
        .loaded = loaded,
        .scheduler = scheduler,
        .path = path,
        .visible_gpus = visible_gpus,
        .ticket = {.priority = PRIORITY_BATCH, .alone = true},
    };
    sleeper_init(&tuning->sleeper);
    if (sleeper_start(&tuning->sleeper, run, tuning))
        return tuning;
    sleeper_end(&tuning->sleeper);
    free(tuning);
    return NULL;
}

void self_tuning_end(struct self_tuning *tuning)
{
    if (!tuning)
        return;
    scheduler_cancel(tuning->scheduler, &tuning->ticket); /* its turn may never come under load */
    sleeper_end(&tuning->sleeper);
    free(tuning);
}
