/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/gate_internal.h"
#include "pipeline/pipeline_internal.h"
#include "pipeline/speaker_internal.h"
#include "sound/music.h"
#include "store/store.h"

/* One message of the largest format for two cores, or two or three of the smallest. */
enum { DEFAULT_WORKERS = 2, DECODE_PATIENCE_S = 20, PIXELS_A_CORE = 1280 * 720 / 2 };

static int cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > 64 ? 64 : (int)count;
}

struct pipeline *pipeline_open(const struct pipeline_options *options, struct error *err)
{
    int threads = options->threads > 0 ? options->threads : cores();
    struct crew *crew = crew_new(threads, err);
    if (!crew)
        return NULL;
    struct pipeline *pipeline = xcalloc(1, sizeof *pipeline);
    pipeline->options = *options;
    pipeline->options.threads = threads;
    if (options->assets_dir)
        pipeline->assets_dir = xstrdup(options->assets_dir);
    if (options->state_path)
        pipeline->state_path = xstrdup(options->state_path);
    pipeline->options.assets_dir = pipeline->assets_dir;
    pipeline->options.state_path = pipeline->state_path;
    pipeline->crew = crew;
    pipeline->drawing = gate_new((int64_t)threads * PIXELS_A_CORE);
    pipeline->encoding = gate_new((int64_t)threads * PIXELS_A_CORE);
    pipeline->estimates = estimates_load(options->state_path);
    pthread_mutex_init(&pipeline->lock, NULL);
    cond_init_mono(&pipeline->decoded);
    return pipeline;
}

void pipeline_close(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    speakers_drop(pipeline);
    gate_free(pipeline->drawing);
    gate_free(pipeline->encoding);
    crew_free(pipeline->crew);
    pthread_cond_destroy(&pipeline->decoded);
    pthread_mutex_destroy(&pipeline->lock);
    free(pipeline->assets_dir);
    free(pipeline->state_path);
    free(pipeline);
}

char *pipeline_background_path(const struct pipeline *pipeline, const char *id,
                               const struct format *format)
{
    if (!pipeline->assets_dir)
        return NULL;
    AUTO(mem_free)
    char *fitting =
        xasprintf("%s/backgrounds/%s_%s.jpg", pipeline->assets_dir, id, format->file_suffix);
    if (access(fitting, R_OK) == 0)
        return TAKE(fitting);
    return xasprintf("%s/backgrounds/%s.jpg", pipeline->assets_dir, id);
}

bool pipeline_bgm_known(const char *id)
{
    return music_find(id) != NULL;
}

void pipeline_observe(struct pipeline *pipeline, const char *stage, double seconds)
{
    if (pipeline->options.observe)
        pipeline->options.observe(pipeline->options.observe_context, stage, seconds);
}

bool pipeline_decode_enter(struct pipeline *pipeline, struct error *err)
{
    int64_t deadline_ms = mono_ms() + DECODE_PATIENCE_S * 1000;
    struct timespec deadline = cond_deadline(deadline_ms);
    bool entered = true;
    pthread_mutex_lock(&pipeline->lock);
    while (entered && pipeline->decoding >= pipeline->options.threads)
        entered =
            pthread_cond_timedwait(&pipeline->decoded, &pipeline->lock, &deadline) != ETIMEDOUT;
    pipeline->decoding += entered;
    pthread_mutex_unlock(&pipeline->lock);
    if (entered)
        return true;
    error_set(err, ERROR_UNAVAILABLE, "too many photos are being looked at");
    return error_about(err, NULL, "busy");
}

void pipeline_decode_leave(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->decoding--;
    pthread_cond_signal(&pipeline->decoded);
    pthread_mutex_unlock(&pipeline->lock);
}

/* --- submitting ------------------------------------------------------------------------------- */

static struct store_key upload_key(struct hash128 hash)
{
    return store_key_hash(STORE_UPLOAD, hash, "");
}

/* All that can be refused before anything is taken over. The speech begins as soon as the text is
 * known to be fine: decoding the photo keeps only one core busy. */
static bool look_first(struct pipeline *pipeline, const struct message_request *request,
                       struct order *order, struct speaker **out_speaker, struct error *err)
{
    if (!jobs_room(pipeline->options.jobs, err) ||
        !store_room(pipeline->options.store, STORE_ROOM_BYTES, err) ||
        !order_make(pipeline, request, order, err) ||
        !hash_file(request->image_path, &order->image, err))
        return false;
    if (order->backdrop == BACKDROP_UPLOAD &&
        !hash_file(request->background_path, &order->background, err))
        return false;
    *out_speaker = speaker_ahead(pipeline, order);
    AUTO(photo_dispose) struct photo photo = {0};
    return photo_make(pipeline, request->image_path, order->image, &photo, err) &&
           photo_check(&photo, order->face, err);
}

/* Is the uploaded background a picture at all? */
static bool look_at_background(struct pipeline *pipeline, const struct message_request *request,
                               const struct order *order, struct error *err)
{
    AUTO(picture_dispose) struct picture picture = {0};
    if (order->backdrop != BACKDROP_UPLOAD)
        return true;
    if (!pipeline_decode_enter(pipeline, err))
        return false;
    bool fine =
        vision_decode(pipeline->options.vision, request->background_path, 256, &picture, err);
    pipeline_decode_leave(pipeline);
    if (!fine && err && err->field)
        err->field = "background_image";
    return fine;
}

static bool take_files(struct pipeline *pipeline, const struct message_request *request,
                       const struct order *order, struct error *err)
{
    struct store *store = pipeline->options.store;
    struct store_key image = upload_key(order->image);
    struct store_key background = upload_key(order->background);
    return store_adopt(store, &image, request->image_path, err) &&
           (order->backdrop != BACKDROP_UPLOAD ||
            store_adopt(store, &background, request->background_path, err));
}

bool pipeline_submit(struct pipeline *pipeline, const struct message_request *request,
                     char out_job_id[JOB_ID_SIZE], struct error *err)
{
    AUTO(order_dispose) struct order order = {0};
    /* Also when the photo is refused: the same words come again with another one. */
    AUTO(speaker_leave) struct speaker *speaker = NULL;
    if (!look_first(pipeline, request, &order, &speaker, err) ||
        !look_at_background(pipeline, request, &order, err) ||
        !take_files(pipeline, request, &order, err))
        return false;
    AUTO(mem_free) char *json = order_write(&order);
    speaker_leave(&speaker);
    return jobs_submit(pipeline->options.jobs, json, out_job_id, err);
}

bool pipeline_start(struct pipeline *pipeline, int workers, struct error *err)
{
    atomic_store(&pipeline->working, true);
    return jobs_start(pipeline->options.jobs, workers > 0 ? workers : DEFAULT_WORKERS, pipeline_job,
                      pipeline, err);
}
