/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from the queue, and those of the command line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/mem.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/pipeline_internal.h"
#include "store/store.h"
#include "voice/voice.h"

enum { RESULT_LIMIT = 64 * 1024 };

static void put_timings(struct jv *result, const struct made *made, double wait_s)
{
    struct jv *timings = jv_put_object(result, "timings");
    const struct {
        const char *name;
        double value;
    } rows[] = {
        {"wait_s", wait_s},
        {"photo_s", made->photo_s},
        {"portrait_s", made->portrait_s},
        {"speech_s", made->speech_s},
        {"render_s", made->render_s},
        {"first_frame_s", made->first_frame_s},
        {"finish_s", made->finish_s},
        {"total_s", made->total_s},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        jv_real(timings, rows[i].name, (double)(int64_t)(rows[i].value * 1e4 + .5) / 1e4);
}

char *made_write(const struct pipeline *pipeline, const struct order *order,
                 const struct made *made, double wait_s, const char *video, const char *thumbnail)
{
    const struct voice_info *voice = voices_find(pipeline->options.voices, order->voice);
    AUTO(jv_free) struct jv *result = jv_object();
    if (video) {
        jv_text(result, "video", video);
        jv_text(result, "thumbnail", thumbnail);
    }
    jv_real(result, "duration_s", made->duration_s);
    jv_int(result, "width", made->width);
    jv_int(result, "height", made->height);
    jv_int(result, "fps", made->fps);
    jv_int(result, "frames", made->frames);
    jv_int(result, "size_bytes", made->size_bytes);
    jv_text(result, "voice", order->voice);
    jv_text(result, "credit", voice ? voice->credit : NULL);
    jv_text(result, "language", voice ? voice->language : NULL);
    put_timings(result, made, wait_s);
    AUTO(buf_dispose) struct buf out = BUF(RESULT_LIMIT);
    struct error err;
    return jv_write(result, false, &out, &err) ? buf_take(&out) : xstrdup("{}");
}

/* --- from the queue --------------------------------------------------------------------------- */

static bool run_cancelled(void *context)
{
    return job_run_cancelled(context);
}

static void run_progress(void *context, const char *stage, double percent, int64_t eta_ms)
{
    job_run_progress(context, stage, percent, eta_ms);
}

/* The names under which a result is published. The description comes last: who finds it finds the
 * rest as well. */
struct names {
    struct store_key video, thumbnail, description;
};

static struct names names_of(const struct order *order, const char *model)
{
    struct hash128 hash = order_result_hash(order, model);
    return (struct names){
        .video = store_key_hash(STORE_VIDEO, hash, ".mp4"),
        .thumbnail = store_key_hash(STORE_VIDEO, hash, ".jpg"),
        .description = store_key_hash(STORE_VIDEO, hash, ".json"),
    };
}

/* The same message was made before, or just before a crash. */
static char *made_before(struct store *store, const struct names *names)
{
    AUTO(buf_dispose) struct buf text = BUF(RESULT_LIMIT);
    struct error err;
    if (!store_renew(store, &names->video) || !store_renew(store, &names->thumbnail) ||
        !store_renew(store, &names->description) ||
        !store_get(store, &names->description, &text, &err))
        return NULL;
    return buf_take(&text);
}

static bool publish(struct store *store, const struct names *names, const char *path,
                    const struct made *made, const char *description, struct error *err)
{
    return store_put(store, &names->thumbnail, buf_bytes(&made->thumbnail), err) &&
           store_adopt(store, &names->video, path, err) &&
           store_put(store, &names->description, bytes_of(description), err);
}

/* A path at which an upload can be read; a copy, since the store may keep it elsewhere. */
static char *upload_path(struct store *store, struct hash128 hash, struct error *err)
{
    struct store_key key = store_key_hash(STORE_UPLOAD, hash, "");
    return store_path(store, &key, err);
}

static char *make_and_publish(struct pipeline *pipeline, const struct order *order,
                              struct job_run *run, struct error *err)
{
    struct store *store = pipeline->options.store;
    AUTO(mem_free) char *image = upload_path(store, order->image, err);
    AUTO(mem_free) char *background = NULL;
    if (image && order->backdrop == BACKDROP_UPLOAD)
        background = upload_path(store, order->background, err);
    if (!image || (order->backdrop == BACKDROP_UPLOAD && !background))
        return NULL;
    AUTO(mem_free) char *path = store_scratch(store, ".mp4", err);
    AUTO(made_dispose) struct made made = {0};
    struct places places = {.image_path = image, .background_path = background, .out_path = path};
    struct client client = {.context = run, .cancelled = run_cancelled, .progress = run_progress};
    double wait_s = (double)job_run_waited_ms(run) / 1000;
    if (!path || !message_make(pipeline, order, &places, &client, &made, err))
        return NULL;
    const struct names names = names_of(order, made.model);
    AUTO(mem_free) char *description =
        made_write(pipeline, order, &made, wait_s, names.video.name, names.thumbnail.name);
    if (publish(store, &names, path, &made, description, err))
        return TAKE(description);
    unlink(path);
    return NULL;
}

/* Whoever wrote last when the disk became full knew no better name for it. */
static char *name_full_disk(struct error *err)
{
    if (err && !err->code && (err->os == ENOSPC || err->os == EDQUOT))
        error_about(err, NULL, "disk_full");
    return NULL;
}

char *pipeline_job(void *context, struct job_run *run, struct error *err)
{
    struct pipeline *pipeline = context;
    AUTO(order_dispose) struct order order = {0};
    if (!order_read(job_run_request(run), &order, err))
        return NULL;
    char model[MODEL_KEY_SIZE];
    order_model(&order, pipeline->options.vision, model);
    const struct names names = names_of(&order, model);
    char *result = made_before(pipeline->options.store, &names);
    if (!result)
        result = make_and_publish(pipeline, &order, run, err);
    return result ? result : name_full_disk(err);
}

/* --- from the command line -------------------------------------------------------------------- */

static bool render_cancelled(void *context)
{
    const struct pipeline_render *how = context;
    return how->cancel && atomic_load_explicit(how->cancel, memory_order_relaxed);
}

static void render_progress(void *context, const char *stage, double percent, int64_t eta_ms)
{
    const struct pipeline_render *how = context;
    if (how->progress)
        how->progress(how->context, stage, percent, eta_ms);
}

bool pipeline_render(struct pipeline *pipeline, const struct message_request *request,
                     const struct pipeline_render *how, char **out_result, struct error *err)
{
    AUTO(order_dispose) struct order order = {0};
    AUTO(made_dispose) struct made made = {0};
    struct pipeline_render copy = *how;
    struct client client = {
        .context = &copy, .cancelled = render_cancelled, .progress = render_progress};
    struct places places = {.image_path = request->image_path,
                            .background_path = request->background_path,
                            .out_path = how->out_path};
    if (!order_make(pipeline, request, &order, err) ||
        !hash_file(request->image_path, &order.image, err) ||
        (order.backdrop == BACKDROP_UPLOAD &&
         !hash_file(request->background_path, &order.background, err)) ||
        !message_make(pipeline, &order, &places, &client, &made, err))
        return false;
    if (out_result)
        *out_result = made_write(pipeline, &order, &made, 0, NULL, NULL);
    return true;
}
