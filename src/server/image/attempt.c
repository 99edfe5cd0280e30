/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/sysinfo.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/matte.h"
#include "image/turn_internal.h"
#include "image/watch.h"
#include "infer/runtime.h"
#include "infer/trace.h"
#include "media/picture.h"
#include "media/resample.h"

/* How long pictures are cut out at the smaller size that fitted, before the usual one is tried
 * again. */
enum { STAY_SMALL_MS = 60 * 1000 };

/* A mask this small is coarse: its edges are found again in the photo. Larger networks draw them
 * themselves. */
enum { COARSE_SIDE = 512 };

/* To the photo's size, with the photo's edges. */
static void mask_refine(const struct picture *photo, const struct picture *mask,
                        struct picture *out)
{
    TRACE("refine");
    *out = picture_new(photo->width, photo->height, PICTURE_GREY);
    if (mask->width <= COARSE_SIDE && mask->height <= COARSE_SIDE) {
        matte_refine(photo, mask, out);
        return;
    }
    struct box whole = {0, 0, (float)mask->width, (float)mask->height};
    picture_resample(mask, whole, RESAMPLE_TRIANGLE, out);
}

static void stop(void *turn)
{
    turn_stop(turn);
}

static bool out_of_memory(const struct error *err)
{
    return err->kind == ERROR_LIMIT;
}

static void side_keep(struct loaded *loaded, int side)
{
    pthread_mutex_lock(&loaded->lock);
    loaded->side = side;
    loaded->side_until_ms = mono_ms() + STAY_SMALL_MS;
    pthread_mutex_unlock(&loaded->lock);
}

/* Made when it is first needed, and kept. */
static struct cutter *spare_get(struct loaded *loaded, struct error *err)
{
    pthread_mutex_lock(&loaded->lock);
    if (!loaded->spare) {
        const struct cutter_files files = {loaded->kind, loaded->paths[0], loaded->paths[1]};
        const struct session_options options = {.device = "cpu", .threads = loaded->threads};
        loaded->spare = cutter_open(loaded->runtime, &files, &options, err);
    }
    struct cutter *spare = loaded->spare;
    pthread_mutex_unlock(&loaded->lock);
    return spare;
}

static bool infer_smaller(struct attempt *attempt, struct turn *turn, int side, struct cut *cut,
                          struct error *err)
{
    struct cutter *cutter = attempt->loaded->cutter;
    while ((side = cutter_smaller(cutter, side)) != 0) {
        cut_dispose(cut);
        if (!cut_prepare(cutter, attempt->photo, attempt->prompt, side, cut, err))
            return false;
        if (turn_infer(turn, cutter, cut, err)) {
            attempt->side = side;
            side_keep(attempt->loaded, side);
            return true;
        }
        if (!out_of_memory(err))
            return false;
    }
    return false;
}

static bool infer_on_cpu(struct attempt *attempt, struct turn *turn, struct cut *cut,
                         struct error *err)
{
    if (strcmp(cutter_device(attempt->loaded->cutter), "cpu") == 0)
        return false;
    struct cutter *spare = spare_get(attempt->loaded, err);
    cut_dispose(cut);
    return spare && cut_prepare(spare, attempt->photo, attempt->prompt, 0, cut, err) &&
           turn_infer(turn, spare, cut, err);
}

/* *err says that memory ran out at `side`. */
static bool find_relief(struct attempt *attempt, struct turn *turn, int side, struct cut *cut,
                        struct error *err)
{
    log_warn("image.out_of_memory", LOG_TEXT("model", attempt->loaded->key), LOG_ERROR(err));
    attempt->short_of_memory = true;
    turn->ticket.alone = true;
    attempt->relief = RELIEF_ALONE;
    if (turn_infer(turn, attempt->loaded->cutter, cut, err))
        return true;
    attempt->relief = RELIEF_SMALLER;
    if (out_of_memory(err) && infer_smaller(attempt, turn, side, cut, err))
        return true;
    attempt->relief = RELIEF_CPU;
    if (out_of_memory(err) && infer_on_cpu(attempt, turn, cut, err))
        return true;
    attempt->relief = RELIEF_NONE;
    if (out_of_memory(err)) {
        err->kind = ERROR_UNAVAILABLE;
        error_about(err, NULL, "image_out_of_memory");
    }
    return false;
}

/* The picture brought the process down that cut it out, also when it was there alone. */
static bool blame(struct error *err)
{
    if (err->code && strcmp(err->code, "inference_died") == 0)
        error_about(err, "image", "inference_died");
    return false;
}

static bool finish(const struct attempt *attempt, struct cut *cut, struct picture *out,
                   struct error *err)
{
    AUTO(picture_dispose) struct picture mask = {0};
    if (!attempt->refine)
        return cut_finish(attempt->loaded->cutter, cut, out, err);
    if (!cut_finish(attempt->loaded->cutter, cut, &mask, err))
        return false;
    mask_refine(attempt->photo, &mask, out);
    return true;
}

/* One picture from the photo to its mask. */
struct whole {
    struct attempt *attempt;
    struct turn *turn;
    struct cut cut;
    struct picture *out;
    bool finished;
};

static void whole_dispose_auto(struct whole *whole)
{
    cut_dispose(&whole->cut);
}

static bool whole_finish(struct whole *whole, struct error *err)
{
    whole->finished = finish(whole->attempt, &whole->cut, whole->out, err);
    return whole->finished;
}

static bool whole_prepare(struct whole *whole, struct error *err)
{
    const struct attempt *attempt = whole->attempt;
    return cut_prepare(attempt->loaded->cutter, attempt->photo, attempt->prompt, attempt->side,
                       &whole->cut, err);
}

static bool whole_run(void *context, struct error *err)
{
    struct whole *whole = context;
    const struct cut_how how = {.control = whole->turn->control};
    return whole_prepare(whole, err) &&
           cut_infer(whole->attempt->loaded->cutter, &whole->cut, &how, err) &&
           whole_finish(whole, err);
}

/* Is the device the processor, each core of which has a stream to itself? Then there is nothing
 * that the rest of the work could overlap. */
static bool device_does_all(const struct attempt *attempt)
{
    const struct loaded *loaded = attempt->loaded;
    return loaded->batch <= 1 && !runtime_state(loaded->runtime).apart &&
           strcmp(cutter_device(loaded->cutter), "cpu") == 0 &&
           scheduler_state(attempt->scheduler).streams >= get_nprocs();
}

static bool picture_cut(struct attempt *attempt, struct turn *turn, struct picture *out,
                        struct error *err)
{
    AUTO(whole_dispose) struct whole whole = {.attempt = attempt, .turn = turn, .out = out};
    const struct errand errand = {whole_run, &whole, err};
    int side = attempt->side = loaded_side(attempt->loaded);
    bool done = device_does_all(attempt)
                    ? scheduler_do(turn->scheduler, &turn->ticket, &errand)
                    : whole_prepare(&whole, err) &&
                          turn_infer(turn, attempt->loaded->cutter, &whole.cut, err);
    bool again = !done && out_of_memory(err) && whole.cut.input.data;
    if (!done && !(again && find_relief(attempt, turn, side, &whole.cut, err)))
        return false;
    attempt->known = whole.cut.kept;
    return whole.finished || whole_finish(&whole, err);
}

/* As the watch stopped it. */
static bool stopped(enum watch_reason reason, struct error *err)
{
    if (reason == WATCH_EXPIRED)
        return error_set(err, ERROR_TIMEOUT, "the deadline passed while it was being cut out");
    return error_set(err, ERROR_CANCELLED, "nobody waits for it any more");
}

bool attempt_run(struct attempt *attempt, struct picture *out, struct error *err)
{
    static const struct segment_how unhurried;
    const struct segment_how *how = attempt->how ? attempt->how : &unhurried;
    AUTO(run_control_free) struct run_control *control = NULL;
    struct turn turn = {.scheduler = attempt->scheduler,
                        .loaded = attempt->loaded,
                        .ticket = {.priority = how->priority,
                                   .deadline_ms = how->deadline_ms,
                                   .memory_bytes = attempt->loaded->memory_bytes}};
    struct watched watched = {.deadline_ms = how->deadline_ms,
                              .gone = how->gone,
                              .asked = how->asked,
                              .stop = stop,
                              .context = &turn};
    bool watching = attempt->watch && (how->deadline_ms || how->gone);
    if (watching) {
        turn.control = control = run_control_new();
        watch_begin(attempt->watch, &watched);
    }
    bool done = picture_cut(attempt, &turn, out, err);
    enum watch_reason reason = watching ? watch_end(attempt->watch, &watched) : WATCH_GOES_ON;
    if (!done && reason != WATCH_GOES_ON && err->kind == ERROR_CANCELLED)
        return stopped(reason, err);
    return done || blame(err);
}
