/* SPDX-License-Identifier: Apache-2.0 */
#include "api/photo_work.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/engines.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "http/address.h"
#include "image/watch.h"
#include "media/picture.h"

enum {
    MAX_SIDE = 4096,
    MAX_FILE = 96 << 20, /* more than any picture of MAX_SIDE² with alpha takes */
    PATIENCE_MS = 30 * 1000,
    JPEG_QUALITY = 90,
};

/* The photo without, and beside it, its alpha. */
static void alpha_split(struct photo_work *work)
{
    if (work->photo.channels != PICTURE_RGBA)
        return;
    struct picture both = work->photo;
    work->photo = picture_on_white(&both);
    work->alpha = picture_new(both.width, both.height, PICTURE_GREY);
    for (int y = 0; y < both.height; y++)
        for (int x = 0; x < both.width; x++)
            picture_row(&work->alpha, y)[x] = picture_row(&both, y)[4 * x + 3];
    picture_dispose(&both);
}

/* A guess, before anything is decoded: a JPEG is a tenth of its pixels, and those are there about
 * four times when the result is written. */
static size_t memory_for(const struct http_form *form)
{
    size_t guess = http_form_file_size(form, "image") * 43, most = (size_t)MAX_SIDE * MAX_SIDE * 13;
    return guess < most ? guess : most;
}

static bool abandoned(void *request)
{
    return http_request_abandoned(request);
}

/* Who the pictures are for: the connection, or whom a proxy of ours names. */
static struct image_client client_of(const struct api *api, const struct http_request *request)
{
    struct http_peer peer = http_request_peer(request);
    const char *forwarded =
        api->trust_forwarded ? http_request_header(request, "X-Forwarded-For") : NULL;
    uint64_t address = 0;
    if (forwarded && address_forwarded(forwarded, &address))
        return (struct image_client){.address = address};
    return (struct image_client){peer.address, peer.connection};
}

/* RFC 9218: from 0, most urgent, to 7; 3 is what a page's requests have. Whoever says that it is
 * less urgent than that lets those go first who wait for their picture. */
static enum priority priority_of(const struct http_request *request)
{
    const char *text = http_request_header(request, "Priority");
    for (; text; text = strchr(text, ',')) {
        text += strspn(text, ", \t");
        if (text[0] == 'u' && text[1] == '=' && text[2] >= '4' && text[2] <= '7')
            return PRIORITY_BATCH;
    }
    return PRIORITY_PERSON;
}

static void stop_waiting(void *context)
{
    struct photo_work *work = context;
    scheduler_cancel(engines_turns(work->engines), &work->ticket);
}

/* A client that leaves meanwhile leaves its place to others. */
static bool wait_for_turn(struct photo_work *work, struct error *err)
{
    struct watched watched = {
        .gone = work->how.gone, .asked = work->how.asked, .stop = stop_waiting, .context = work};
    watch_begin(engines_watch(work->engines), &watched);
    bool entered = scheduler_enter(engines_turns(work->engines), &work->ticket, err);
    watch_end(engines_watch(work->engines), &watched);
    if (entered)
        work->turns = engines_turns(work->engines);
    return entered;
}

bool photo_work_begin(struct api *api, const struct http_request *request, struct photo_work *out,
                      struct error *err)
{
    const struct http_form *form = http_request_form(request);
    *out = (struct photo_work){.engines = api->engines, .path = http_form_file(form, "image")};
    out->vision = engines_vision(api->engines, err);
    if (!out->vision)
        return false;
    out->ticket = (struct ticket){
        .priority = priority_of(request),
        .deadline_ms = mono_ms() + PATIENCE_MS,
        .memory_bytes = memory_for(form),
        .client = client_of(api, request),
    };
    out->how = (struct segment_how){.priority = out->ticket.priority,
                                    .model = out->model,
                                    .out_told = &out->told,
                                    .deadline_ms = out->ticket.deadline_ms,
                                    .gone = abandoned,
                                    .asked = (void *)(uintptr_t)request};
    out->timing = timing_begin();
    if (!wait_for_turn(out, err))
        return false;
    timing_mark(&out->timing, "wait");
    if (!vision_decode(out->vision, out->path, MAX_SIDE, &out->photo, err))
        return false;
    alpha_split(out);
    timing_mark(&out->timing, "decode");
    return true;
}

void photo_work_end(struct photo_work *work)
{
    if (work->turns)
        scheduler_leave(work->turns, &work->ticket);
    picture_dispose(&work->photo);
    picture_dispose(&work->alpha);
    free(work->faces);
    if (work->turns)
        engines_worked(work->engines);
    *work = (struct photo_work){.turns = NULL};
}

bool photo_work_faces(struct photo_work *work, struct error *err)
{
    if (work->faces)
        return true;
    work->faces = xcalloc(MAX_FACES, sizeof *work->faces);
    return vision_faces(work->vision, &work->photo, work->faces, &work->face_count, err);
}

struct cutout_who photo_work_everybody(const struct photo_work *work)
{
    return (struct cutout_who){
        .faces = work->faces, .face_count = work->face_count, .how = work->how};
}

bool photo_work_cut_out(struct photo_work *work, const struct cutout_who *who, struct picture *out,
                        struct error *err)
{
    AUTO(picture_dispose) struct picture matte = {0};
    if (!cutout_matte(work->vision, &work->photo, who, &matte, err))
        return false;
    timing_mark(&work->timing, "mask");
    *out = cutout_picture(&work->photo, &matte, work->alpha.pixels ? &work->alpha : NULL);
    timing_mark(&work->timing, "colour");
    return true;
}

bool answer_png(struct photo_work *work, const struct picture *picture,
                struct http_response *response, struct error *err)
{
    AUTO(buf_dispose) struct buf file = BUF(MAX_FILE);
    if (!picture_to_png(picture, &file, err))
        return false;
    timing_mark(&work->timing, "encode");
    timing_tell(&work->timing, response);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_take(response, "image/png", &file);
    return true;
}

bool put_png_url(struct jv *object, const char *key, const struct picture *picture,
                 struct error *err)
{
    AUTO(buf_dispose) struct buf file = BUF(MAX_FILE);
    if (!picture_to_png(picture, &file, err))
        return false;
    AUTO(mem_free) char *url = data_url("image/png", &file);
    jv_text(object, key, url);
    return true;
}

bool put_jpeg_url(struct jv *object, const char *key, const struct picture *picture,
                  struct error *err)
{
    AUTO(buf_dispose) struct buf file = BUF(MAX_FILE);
    if (!picture_to_jpeg(picture, JPEG_QUALITY, &file, err))
        return false;
    AUTO(mem_free) char *url = data_url("image/jpeg", &file);
    jv_text(object, key, url);
    return true;
}

bool form_switch(const struct http_form *form, const char *name, bool initial, bool *out,
                 struct error *err)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"0", "1"}, {"no", "yes"}, {"off", "on"}};
    const char *text = http_form_text(form, name);
    *out = initial;
    if (!text || !*text)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int value = 0; value < 2; value++)
            if (strcasecmp(text, words[i][value]) == 0) {
                *out = value;
                return true;
            }
    error_set(err, ERROR_INVALID, "%s: \"%.40s\" is neither true nor false", name, text);
    return error_about(err, name, "switch_malformed");
}
