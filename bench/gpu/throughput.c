/* SPDX-License-Identifier: Apache-2.0 */
/* How many pictures a second a model does on a device, with one to four runs at once.
 *
 *     bench_gpu LIBRARY MODEL DEVICE SECONDS STREAMS [mask]
 *
 * prints one line of JSON. With "mask" the whole way of a photo is measured, as the service goes
 * it: resize and normalise, inference, mask, refined matte and foreground, by stage. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/matte.h"
#include "infer/runtime.h"
#include "media/picture.h"

enum { MAX_STREAMS = 16, MAX_RUNS = 20000 };

struct bench {
    struct session *session;
    struct cutter *cutter; /* or NULL */
    int64_t end_ns;
    pthread_mutex_t lock; /* of what follows */
    double took_ms[MAX_RUNS];
    int count;
    double mask_ms, refine_ms;
    bool failed;
};

static bool run_once(struct bench *bench, struct tensor *input, struct error *err)
{
    struct tensor out = {0};
    const int wanted = 0;
    const struct session_run run = {
        .inputs = input, .wanted = &wanted, .out = &out, .input_count = 1, .out_count = 1};
    bool done = session_run(bench->session, &run, err);
    if (done)
        tensor_dispose(&out);
    return done;
}

static bool mask_once(struct bench *bench, const struct picture *photo, struct error *err)
{
    AUTO(picture_dispose) struct picture coarse = {0};
    AUTO(picture_dispose) struct picture matte = picture_new(photo->width, photo->height, 1);
    AUTO(picture_dispose) struct picture own = picture_new(photo->width, photo->height, 3);
    int64_t start = mono_ns();
    if (!cutter_mask(bench->cutter, photo, NULL, NULL, &coarse, err))
        return false;
    int64_t masked = mono_ns();
    matte_refine(photo, &coarse, &matte);
    foreground_estimate(photo, &matte, &own);
    pthread_mutex_lock(&bench->lock);
    bench->mask_ms += (double)(masked - start) / 1e6;
    bench->refine_ms += (double)(mono_ns() - masked) / 1e6;
    pthread_mutex_unlock(&bench->lock);
    return true;
}

static void *work(void *raw)
{
    struct bench *bench = raw;
    struct error err;
    struct tensor input = {0};
    AUTO(picture_dispose) struct picture photo = picture_new(1024, 1024, PICTURE_RGB);
    for (int y = 0; y < photo.height; y++)
        for (int x = 0; x < photo.width * 3; x++)
            picture_row(&photo, y)[x] = (uint8_t)(x * 7 + y * 13);
    if (bench->session) {
        int inputs;
        const struct tensor_info *info = session_inputs(bench->session, &inputs);
        input = (struct tensor){.type = info->type, .rank = info->rank};
        memcpy(input.dims, info->dims, sizeof input.dims);
        size_t count = tensor_count(input.rank, input.dims);
        float *values = xcalloc(count, sizeof *values);
        for (size_t i = 0; i < count; i++)
            values[i] = (float)(i * 2654435761U % 1000) / 500 - 1;
        input.data = values;
    }
    while (mono_ns() < bench->end_ns) {
        int64_t start = mono_ns();
        bool done = bench->cutter ? mask_once(bench, &photo, &err) : run_once(bench, &input, &err);
        pthread_mutex_lock(&bench->lock);
        if (!done && !bench->failed)
            fprintf(stderr, "%s\n", err.text);
        bench->failed = bench->failed || !done;
        if (done && bench->count < MAX_RUNS)
            bench->took_ms[bench->count++] = (double)(mono_ns() - start) / 1e6;
        pthread_mutex_unlock(&bench->lock);
        if (!done)
            break;
    }
    free(input.data);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct bench *bench, double seconds, int streams)
{
    pthread_t threads[MAX_STREAMS];
    bench->count = 0;
    bench->mask_ms = bench->refine_ms = 0;
    bench->end_ns = mono_ns() + (int64_t)(seconds * 1e9);
    for (int i = 0; i < streams; i++)
        pthread_create(&threads[i], NULL, work, bench);
    for (int i = 0; i < streams; i++)
        pthread_join(threads[i], NULL);
}

static int64_t batch_of(const struct bench *bench)
{
    int inputs;
    return bench->session ? session_inputs(bench->session, &inputs)->dims[0] : 1;
}

int main(int count, char **arguments)
{
    static struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct error err;
    if (count < 6) {
        fprintf(stderr, "usage: bench_gpu LIBRARY MODEL DEVICE SECONDS STREAMS [mask]\n");
        return 64;
    }
    double seconds = atof(arguments[4]);
    int streams = atoi(arguments[5]);
    streams = streams < 1 ? 1 : streams > MAX_STREAMS ? MAX_STREAMS : streams;
    AUTO(runtime_close) struct runtime *runtime = runtime_open(arguments[1], &err);
    const struct session_options options = {.device = arguments[3], .threads = 1};
    if (runtime && count > 6) {
        const struct cutter_files files = {"birefnet", arguments[2], NULL};
        bench.cutter = cutter_open(runtime, &files, &options, &err);
    } else if (runtime) {
        bench.session = session_open(runtime, arguments[2], &options, &err);
    }
    if (!bench.cutter && !bench.session) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    const char *device = bench.cutter ? cutter_device(bench.cutter) : session_device(bench.session);
    const char *why =
        bench.cutter ? cutter_fallback(bench.cutter) : session_fallback(bench.session);
    measure(&bench, 1, 1); /* warm */
    int64_t start = mono_ns();
    measure(&bench, seconds, streams);
    double took_s = (double)(mono_ns() - start) / 1e9;
    qsort(bench.took_ms, (size_t)bench.count, sizeof *bench.took_ms, by_size);
    int n = bench.count;
    printf("{\"device\":\"%s\",\"fallback\":\"%s\",\"streams\":%d,\"batch\":%lld,\"runs\":%d,"
           "\"images_per_s\":%.2f,\"p50_ms\":%.2f,\"p99_ms\":%.2f",
           device, why ? why : "", streams, (long long)batch_of(&bench), n,
           (double)n * (double)batch_of(&bench) / took_s, n ? bench.took_ms[n / 2] : 0.0,
           n ? bench.took_ms[n * 99 / 100] : 0.0);
    if (bench.cutter && n)
        printf(",\"mask_ms\":%.2f,\"refine_ms\":%.2f", bench.mask_ms / n, bench.refine_ms / n);
    printf("}\n");
    cutter_close(bench.cutter);
    session_close(bench.session);
    return bench.failed;
}
