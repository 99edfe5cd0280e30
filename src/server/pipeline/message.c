/* SPDX-License-Identifier: Apache-2.0 */
/* One message on its way through the graph. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "image/segment.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/backdrop_internal.h"
#include "pipeline/gate_internal.h"
#include "pipeline/pipeline_internal.h"
#include "pipeline/reel_internal.h"
#include "pipeline/speaker_internal.h"
#include "pipeline/thumbnail_internal.h"
#include "sys/memory.h"
#include "video/encoder.h"
#include "video/renderer.h"

enum { LOOK_EVERY_MS = 40, THUMBNAIL_SIDE = 480, THUMBNAIL_LIMIT = 1 << 20 };

/* What a message leaves free in the heap of the thread that drew it, another may not find. */
enum { FREED_BYTES = 64 << 20 };

struct message {
    struct pipeline *pipeline;
    const struct order *order;
    const struct places *places;
    const struct client *client;
    struct made *made;
    int64_t start_ns;
    struct outlook outlook;
    struct estimates measured;

    struct gate_place drawing, encoding;
    struct speaker *speaker;
    struct portrait portrait;
    struct picture backdrop;
    struct renderer *renderer;
    struct encoder *encoder;
    double waited_s;    /* for the encoder before this one, once drawing had begun */
    size_t sound_given; /* samples */
};

/* Its memory first, then its places: who comes next finds both. */
static void let_next(struct message *message)
{
    bool drew = message->renderer != NULL;
    encoder_free(message->encoder);
    message->encoder = NULL;
    renderer_free(message->renderer);
    message->renderer = NULL;
    if (drew)
        memory_trim_above(FREED_BYTES);
    gate_leave(message->pipeline->drawing, &message->drawing);
    gate_leave(message->pipeline->encoding, &message->encoding);
}

static void message_dispose_auto(struct message *message)
{
    let_next(message);
    speaker_free(message->speaker);
    picture_dispose(&message->backdrop);
    portrait_dispose(&message->portrait);
}

static double now_s(const struct message *message)
{
    return (double)(mono_ns() - message->start_ns) / 1e9;
}

static void tell(struct message *message, const char *stage)
{
    double now = now_s(message);
    struct gate *drawing = message->pipeline->drawing, *encoding = message->pipeline->encoding;
    message->outlook.ahead_s =
        gate_ahead_s(drawing, &message->drawing) + gate_ahead_s(encoding, &message->encoding);
    double percent = outlook_percent(&message->outlook, now);
    double left_s = outlook_left_s(&message->outlook, now);
    int64_t eta_ms = (int64_t)(left_s * 1000);
    gate_tell(drawing, &message->drawing, left_s - message->outlook.ahead_s);
    gate_tell(encoding, &message->encoding, left_s - message->outlook.ahead_s);
    message->client->progress(message->client->context, stage, percent, eta_ms);
}

static bool go_on(const struct message *message, struct error *err)
{
    if (!message->client->cancelled(message->client->context))
        return true;
    return error_set(err, ERROR_CANCELLED, "called off");
}

/* --- the picture's row ------------------------------------------------------------------------ */

static bool portrait_compute(struct message *message, struct error *err)
{
    const struct order *order = message->order;
    AUTO(photo_dispose) struct photo photo = {0};
    double before = now_s(message);
    if (!photo_make(message->pipeline, message->places->image_path, order->image, &photo, err) ||
        !photo_check(&photo, order->face, err) || !go_on(message, err))
        return false;
    message->made->photo_s = now_s(message) - before;
    struct portrait_wish wish = order_portrait(order, &photo);
    const struct segment_how how = {.gone = message->client->cancelled,
                                    .asked = message->client->context};
    wish.how = &how;
    return portrait_make(message->pipeline->options.vision, &photo.picture, &wish,
                         &message->portrait, err);
}

static bool prepare_portrait(struct message *message, struct error *err)
{
    struct store *store = message->pipeline->options.store;
    char *model = message->made->model;
    order_model(message->order, message->pipeline->options.vision, model);
    struct hash128 name = order_portrait_hash(message->order, model);
    if (!artifact_get_portrait(store, name, &message->portrait)) {
        if (!portrait_compute(message, err))
            return false;
        message->made->portrait_s = now_s(message) - message->made->photo_s;
        message->measured.portrait_s = now_s(message);
        pipeline_observe(message->pipeline, "portrait", message->made->portrait_s);
        /* Another one may have been chosen meanwhile. */
        memcpy(model, message->portrait.model, MODEL_KEY_SIZE);
        name = order_portrait_hash(message->order, model);
        artifact_put_portrait(store, name, &message->portrait);
    }
    return go_on(message, err) && backdrop_make(message->pipeline, message->order, message->places,
                                                &message->portrait, &message->backdrop, err);
}

/* --- waiting for the sound's row -------------------------------------------------------------- */

static bool wait_for(struct message *message, enum speaker_state wanted, const char *stage,
                     struct error *err)
{
    for (;;) {
        enum speaker_state state = speaker_wait(message->speaker, wanted, LOOK_EVERY_MS, err);
        if (state == SPEAKER_FAILED || !go_on(message, err))
            return false;
        if (state >= wanted)
            return true;
        tell(message, stage);
    }
}

/* Gives the sound to the encoder once it is there, as far as there are `frames`: what comes later
 * would only lie there twice. */
static bool give_sound(struct message *message, int frames, struct error *err)
{
    if (!message->outlook.sound_ready) {
        if (speaker_wait(message->speaker, SPEAKER_DONE, 0, NULL) != SPEAKER_DONE)
            return true;
        message->outlook.sound_ready = true;
        message->made->speech_s = speaker_took_s(message->speaker);
    }
    const struct pcm *pcm = speaker_pcm(message->speaker);
    size_t from = message->sound_given;
    double until_s = (double)frames / message->order->format->fps;
    size_t until = frames < INT_MAX ? (size_t)(until_s * pcm->rate_hz) : pcm->count;
    until = until < pcm->count ? until : pcm->count;
    if (until <= from)
        return true;
    message->sound_given = until;
    return encoder_audio(message->encoder, pcm->samples + from, until - from, err);
}

/* Until memory and cores are there for its frames. */
static bool wait_for_turn(struct message *message, struct gate *gate, struct gate_place *place,
                          struct error *err)
{
    const struct format *format = message->order->format;
    int64_t pixels = (int64_t)format->width * format->height;
    while (!gate_enter(gate, place, pixels, LOOK_EVERY_MS)) {
        if (!go_on(message, err))
            return false;
        tell(message, "video");
    }
    return true;
}

/* --- frames ----------------------------------------------------------------------------------- */

static bool open_scene(struct message *message, struct error *err)
{
    const struct order *order = message->order;
    const struct portrait *portrait = &message->portrait;
    struct hash128 name = order_video_hash(order);
    struct scene scene = {
        .photo = &portrait->photo,
        .matte = portrait->matte.pixels ? &portrait->matte : NULL,
        .foreground = portrait->foreground.pixels ? &portrait->foreground : NULL,
        .background = message->backdrop.pixels ? &message->backdrop : NULL,
        .face = &portrait->face,
        .track = speaker_track(message->speaker),
        .duration_s = speaker_duration_s(message->speaker),
        .fps = order->format->fps,
        .sway = order->motion,
        .seed = read_u64(name.bytes),
    };
    message->renderer = renderer_new(&scene, err);
    return message->renderer != NULL;
}

static bool open_encoder(struct message *message, struct error *err)
{
    const struct order *order = message->order;
    struct encoder_options options = {
        .width = order->format->width,
        .height = order->format->height,
        .fps = order->format->fps,
        .audio_rate_hz = 48000,
        .threads = 2, /* so that neither core waits: speech and frames leave gaps on both */
    };
    message->encoder = encoder_open(message->places->out_path, &options, err);
    return message->encoder != NULL;
}

static bool make_frames(struct message *message, struct error *err)
{
    int count = renderer_frames(message->renderer);
    const struct format *format = message->order->format;
    AUTO(reel_free)
    struct reel *reel =
        reel_new(message->pipeline->crew, message->renderer, format->width, format->height);
    /* The first frames are drawn while the message before this one is finished. */
    double before = now_s(message);
    if (!wait_for_turn(message, message->pipeline->encoding, &message->encoding, err))
        return false;
    message->waited_s = now_s(message) - before;
    if (!open_encoder(message, err))
        return false;
    message->outlook.frames = count;
    message->outlook.frames_began_s = now_s(message);
    for (int i = 0; i < count; i++) {
        if (!go_on(message, err) || !encoder_frame(message->encoder, reel_next(reel), err) ||
            !give_sound(message, i + 1, err))
            return false;
        if (i == 0)
            message->made->first_frame_s = now_s(message);
        message->outlook.frames_done = i + 1;
        tell(message, "video");
    }
    message->outlook.frames_over = true;
    message->made->frames = count;
    return true;
}

static bool render(struct message *message, struct error *err)
{
    if (!wait_for_turn(message, message->pipeline->drawing, &message->drawing, err))
        return false;
    double before = now_s(message);
    if (!open_scene(message, err) || !make_frames(message, err))
        return false;
    message->made->render_s = now_s(message) - before - message->waited_s;
    pipeline_observe(message->pipeline, "video", message->made->render_s);
    return wait_for(message, SPEAKER_DONE, "video", err) && give_sound(message, INT_MAX, err);
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool finish(struct message *message, struct error *err)
{
    struct made *made = message->made;
    double before = now_s(message);
    tell(message, "finish");
    gate_leave(message->pipeline->drawing, &message->drawing);
    const struct format *format = message->order->format;
    AUTO(picture_dispose)
    struct picture still = picture_new(format->width, format->height, PICTURE_RGB);
    renderer_frame_rgb(message->renderer, 0, &still);
    if (!thumbnail_make(&still, THUMBNAIL_SIDE, &made->thumbnail, err) ||
        !encoder_finish(message->encoder, err))
        return false;
    struct stat file;
    if (stat(message->places->out_path, &file) == 0)
        made->size_bytes = file.st_size;
    let_next(message);
    made->finish_s = now_s(message) - before;
    made->total_s = now_s(message);
    pipeline_observe(message->pipeline, "finish", made->finish_s);
    return true;
}

static void learn(struct message *message)
{
    struct pipeline *pipeline = message->pipeline;
    const struct made *made = message->made;
    struct estimates *measured = &message->measured;
    measured->sound_s_per_char = made->duration_s / (double)message->outlook.characters;
    measured->speech_s_per_s = made->speech_s / made->duration_s;
    measured->frame_s_per_mp = made->render_s / made->frames / message->outlook.megapixels;
    measured->finish_s = made->finish_s;
    pthread_mutex_lock(&pipeline->lock);
    estimates_learn(&pipeline->estimates, measured);
    struct estimates now = pipeline->estimates;
    pthread_mutex_unlock(&pipeline->lock);
    estimates_save(&now, pipeline->options.state_path);
}

static void message_begin(struct message *message)
{
    const struct format *format = message->order->format;
    size_t characters = utf8_count(bytes_of(message->order->text));
    pthread_mutex_lock(&message->pipeline->lock);
    struct estimates estimates = message->pipeline->estimates;
    pthread_mutex_unlock(&message->pipeline->lock);
    message->start_ns = mono_ns();
    message->outlook = (struct outlook){
        .by = estimates,
        .megapixels = format->width * format->height / 1e6,
        .fps = format->fps,
        .characters = characters > 0 ? characters : 1,
    };
    *message->made = (struct made){
        .width = format->width,
        .height = format->height,
        .fps = format->fps,
        .thumbnail = BUF(THUMBNAIL_LIMIT),
    };
}

bool message_make(struct pipeline *pipeline, const struct order *order, const struct places *places,
                  const struct client *client, struct made *out, struct error *err)
{
    AUTO(message_dispose)
    struct message message = {
        .pipeline = pipeline, .order = order, .places = places, .client = client, .made = out};
    message_begin(&message);
    tell(&message, "photo");
    message.speaker = speaker_take(pipeline, order);
    if (!message.speaker)
        message.speaker = speaker_start(pipeline, order, err);
    if (!message.speaker || !prepare_portrait(&message, err))
        return false;
    message.outlook.portrait_ready = true;
    if (!wait_for(&message, SPEAKER_PLANNED, "speech", err))
        return false;
    message.outlook.plan_ready = true;
    message.outlook.sound_s = out->duration_s = speaker_duration_s(message.speaker);
    message.outlook.frames = (int)(out->duration_s * order->format->fps + 1);
    if (!render(&message, err) || !finish(&message, err))
        return false;
    learn(&message);
    return true;
}

void made_dispose(struct made *made)
{
    buf_dispose(&made->thumbnail);
}
