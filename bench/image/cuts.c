/* SPDX-License-Identifier: Apache-2.0 */
/* What scheduler, queue and the process for inference cost, without HTTP and without coding.
 *
 *     bench_image_cuts service THREADS STREAMS SECONDS PHOTO MODELS NAME
 *
 * has eight callers at once ask for mattes of a photo that is decoded already, through the same
 * line and by the same function as the service; MODELS is the folder that NAME was installed in.
 *
 *     bench_image_cuts loop THREADS STREAMS SECONDS PHOTO KIND MODEL [DECODER]
 *
 * does the same steps (scaling, normalising, network, mask, edges) in STREAMS plain loops on one
 * session in this process. Each prints pictures a second. */
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/matte.h"
#include "image/portrait.h"
#include "image/scheduler.h"
#include "image/segment.h"
#include "infer/runtime.h"
#include "loops.h"
#include "media/picture.h"
#include "media/resample.h"

enum { CALLERS = 8, COARSE_SIDE = 512, MAX_SIDE = 4096 };

struct bench {
    struct picture photo;
    int each; /* photos of a thread's own */
    struct cut_prompt prompt;
    struct scheduler *turns; /* the service's line, and what it asks; or else … */
    struct segment *segment;
    struct cutter *cutter;
    atomic_uint number; /* of the photo */
};

static bool cut_plainly(struct bench *bench, const struct picture *photo, struct picture *out,
                        struct error *err)
{
    AUTO(picture_dispose) struct picture mask = {0};
    if (!cutter_mask(bench->cutter, photo, &bench->prompt, NULL, &mask, err))
        return false;
    *out = picture_new(photo->width, photo->height, PICTURE_GREY);
    struct box whole = {0, 0, (float)mask.width, (float)mask.height};
    if (mask.width <= COARSE_SIDE && mask.height <= COARSE_SIDE)
        matte_refine(photo, &mask, out);
    else
        picture_resample(&mask, whole, RESAMPLE_TRIANGLE, out);
    return true;
}

static bool cut_in_turn(struct bench *bench, const struct picture *photo, struct picture *out,
                        struct error *err)
{
    struct ticket ticket = {.priority = PRIORITY_PERSON};
    if (!scheduler_enter(bench->turns, &ticket, err))
        return false;
    bool done = segment_matte(bench->segment, photo, &bench->prompt, NULL, out, err);
    scheduler_leave(bench->turns, &ticket);
    return done;
}

/* A thread's own photos. Nobody sends the same one again and again: what the network makes of one
 * may be kept; and there are as many in a plain loop as callers have, since what lies in a core's
 * cache is no photo that somebody sends either. */
struct own {
    struct picture photos[CALLERS];
    int count, at;
};

static void *own_begin(void *raw)
{
    const struct bench *bench = raw;
    struct own *own = xcalloc(1, sizeof *own);
    own->count = bench->each;
    for (int i = 0; i < own->count; i++)
        own->photos[i] = picture_copy(&bench->photo);
    return own;
}

static void own_end(void *raw)
{
    struct own *own = raw;
    for (int i = 0; i < own->count; i++)
        picture_dispose(&own->photos[i]);
    free(own);
}

static bool cut_once(void *raw, void *raw_own, struct error *err)
{
    struct bench *bench = raw;
    struct own *own = raw_own;
    const struct picture *photo = &own->photos[own->at++ % own->count];
    AUTO(picture_dispose) struct picture matte = {0};
    unsigned number = atomic_fetch_add(&bench->number, 1);
    memcpy(photo->pixels, &number, 3); /* another one */
    return bench->turns ? cut_in_turn(bench, photo, &matte, err)
                        : cut_plainly(bench, photo, &matte, err);
}

static int measure(struct bench *bench, int threads, int streams, double seconds)
{
    float width = (float)bench->photo.width, height = (float)bench->photo.height;
    bench->prompt = (struct cut_prompt){.person = {.25f * width, 0, .5f * width, height},
                                        .points = {{.5f * width, .3f * height, false}},
                                        .point_count = 1};
    struct loops loops = {.once = cut_once,
                          .begin = own_begin,
                          .end = own_end,
                          .bench = bench,
                          .begin_with = streams};
    bench->each = threads < CALLERS ? CALLERS / threads : 1;
    return loops_run(&loops, threads, seconds);
}

static int fail(const struct error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

static int run_service(char **words)
{
    struct error err = {0};
    struct bench bench = {.turns = NULL};
    const struct vision_settings settings = {.models_dir = "models",
                                             .user_models_dir = words[6],
                                             .image_model = words[7],
                                             .threads = atoi(words[2]),
                                             .streams = atoi(words[3])};
    AUTO(vision_close) struct vision *vision = vision_open_with(&settings, &err);
    if (!vision || !vision_decode(vision, words[5], MAX_SIDE, &bench.photo, &err))
        return fail(&err);
    bench.segment = vision_segment(vision);
    bench.turns =
        scheduler_new(&(struct scheduler_settings){.streams = get_nprocs() + 2, .queue = CALLERS});
    int failed = measure(&bench, CALLERS, settings.streams, atof(words[4]));
    scheduler_free(bench.turns);
    picture_dispose(&bench.photo);
    return failed;
}

static int run_loop(char **words, int count)
{
    struct error err = {0};
    struct bench bench = {.turns = NULL};
    int streams = atoi(words[3]);
    const struct session_options options = {.threads = atoi(words[2])};
    const struct cutter_files files = {words[6], words[7], count > 8 ? words[8] : NULL};
    AUTO(vision_close) struct vision *vision = vision_open("models", &err);
    if (!vision || !vision_decode(vision, words[5], MAX_SIDE, &bench.photo, &err))
        return fail(&err);
    AUTO(runtime_close) struct runtime *runtime = runtime_open(NULL, &err);
    AUTO(cutter_close) struct cutter *cutter = NULL;
    if (runtime)
        cutter = cutter_open(runtime, &files, &options, &err);
    if (!cutter || streams < 1 || streams > MAX_LOOPS)
        return fail(&err);
    bench.cutter = cutter;
    int failed = measure(&bench, streams, streams, atof(words[4]));
    picture_dispose(&bench.photo);
    return failed;
}

int main(int count, char **words)
{
    mallopt(M_ARENA_MAX, 2); /* as vmad does */
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    if (count == 8 && strcmp(words[1], "service") == 0)
        return run_service(words);
    if ((count == 8 || count == 9) && strcmp(words[1], "loop") == 0)
        return run_loop(words, count);
    fprintf(stderr, "bench_image_cuts service THREADS STREAMS SECONDS PHOTO MODELS NAME\n"
                    "bench_image_cuts loop THREADS STREAMS SECONDS PHOTO KIND MODEL [DECODER]\n");
    return 2;
}
