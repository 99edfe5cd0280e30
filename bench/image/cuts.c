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
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "image/cutter.h"
#include "image/matte.h"
#include "image/portrait.h"
#include "image/scheduler.h"
#include "image/segment.h"
#include "infer/runtime.h"
#include "media/picture.h"
#include "media/resample.h"

enum { CALLERS = 8, MAX_THREADS = 16, COARSE_SIDE = 512, MAX_SIDE = 4096 };

struct bench {
    struct picture photo;
    struct cut_prompt prompt;
    struct scheduler *turns; /* the service's line, and what it asks; or else … */
    struct segment *segment;
    struct cutter *cutter;
    int64_t end_ns;
    pthread_mutex_t lock; /* of what follows */
    int pictures;
    bool failed;
};

static bool cut_plainly(struct bench *bench, struct picture *out, struct error *err)
{
    AUTO(picture_dispose) struct picture mask = {0};
    if (!cutter_mask(bench->cutter, &bench->photo, &bench->prompt, NULL, &mask, err))
        return false;
    *out = picture_new(bench->photo.width, bench->photo.height, PICTURE_GREY);
    struct box whole = {0, 0, (float)mask.width, (float)mask.height};
    if (mask.width <= COARSE_SIDE && mask.height <= COARSE_SIDE)
        matte_refine(&bench->photo, &mask, out);
    else
        picture_resample(&mask, whole, RESAMPLE_TRIANGLE, out);
    return true;
}

static bool cut_in_turn(struct bench *bench, struct picture *out, struct error *err)
{
    struct ticket ticket = {.priority = PRIORITY_PERSON};
    if (!scheduler_enter(bench->turns, &ticket, err))
        return false;
    bool done = segment_matte(bench->segment, &bench->photo, &bench->prompt, NULL, out, err);
    scheduler_leave(bench->turns, &ticket);
    return done;
}

static void *work(void *raw)
{
    struct bench *bench = raw;
    struct error err;
    bool done = true;
    while (done && mono_ns() < bench->end_ns) {
        AUTO(picture_dispose) struct picture matte = {0};
        done = bench->turns ? cut_in_turn(bench, &matte, &err) : cut_plainly(bench, &matte, &err);
        pthread_mutex_lock(&bench->lock);
        if (!done && !bench->failed)
            fprintf(stderr, "%s\n", err.text);
        bench->failed |= !done;
        bench->pictures++;
        pthread_mutex_unlock(&bench->lock);
    }
    return NULL;
}

static int measure(struct bench *bench, int threads, double seconds)
{
    pthread_t running[MAX_THREADS];
    float width = (float)bench->photo.width, height = (float)bench->photo.height;
    bench->prompt = (struct cut_prompt){.person = {.25f * width, 0, .5f * width, height},
                                        .points = {{.5f * width, .3f * height, false}},
                                        .point_count = 1};
    int64_t start_ns = mono_ns();
    bench->end_ns = start_ns + (int64_t)(seconds * 1e9);
    for (int i = 0; i < threads; i++)
        pthread_create(&running[i], NULL, work, bench);
    for (int i = 0; i < threads; i++)
        pthread_join(running[i], NULL);
    printf("{\"per_s\": %.3f}\n", bench->pictures / ((double)(mono_ns() - start_ns) / 1e9));
    return bench->failed;
}

static int fail(const struct error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

static int run_service(char **words)
{
    struct error err = {0};
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER};
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
    int failed = measure(&bench, CALLERS, atof(words[4]));
    scheduler_free(bench.turns);
    picture_dispose(&bench.photo);
    return failed;
}

static int run_loop(char **words, int count)
{
    struct error err = {0};
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER};
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
    if (!cutter || streams < 1 || streams > MAX_THREADS)
        return fail(&err);
    bench.cutter = cutter;
    int failed = measure(&bench, streams, atof(words[4]));
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
