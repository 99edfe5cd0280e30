/* SPDX-License-Identifier: Apache-2.0 */
/* What the service is measured against: ONNX Runtime in a bare loop, with the session options and
 * as many runs at once as the service has.
 *
 *     bench_image_alone THREADS STREAMS SECONDS MODEL [DECODER]
 *
 * prints pictures a second and milliseconds of one.
 *
 *     bench_image_alone photo FILE
 *
 * does with a photo what the service does, without one: decodes it, makes the mask with the
 * embedded network, refines and encodes it; prints the milliseconds.
 *
 *     bench_image_alone photos THREADS LOOPS SECONDS FILE MODELS NAME
 *
 * does the same with a model that was installed in the folder MODELS, in LOOPS plain loops at once:
 * what the processors allow when coding and network share them; prints pictures a second. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "image/cutout.h"
#include "image/portrait.h"
#include "infer/runtime.h"
#include "media/picture.h"

enum { MAX_STREAMS = 16, MAX_INPUTS = 16, MAX_SESSIONS = 2, ROUNDS = 60 };
enum { MAX_SIDE = 4096, MAX_FILE = 96 << 20 };

struct inputs {
    struct tensor tensors[MAX_INPUTS];
    int count;
};

struct bench {
    struct session *sessions[MAX_SESSIONS];
    int session_count;
    struct vision *vision; /* or else photos, from their file to the mask's */
    const char *photo;
    int64_t end_ns;
    pthread_mutex_t lock; /* of what follows */
    int pictures;
    double busy_ms;
    bool failed;
};

static struct inputs inputs_make(const struct session *session)
{
    struct inputs inputs = {.count = 0};
    const struct tensor_info *infos = session_inputs(session, &inputs.count);
    for (int i = 0; i < inputs.count; i++) {
        struct tensor *tensor = &inputs.tensors[i];
        *tensor = (struct tensor){.type = infos[i].type, .rank = infos[i].rank};
        for (int k = 0; k < tensor->rank; k++)
            tensor->dims[k] = infos[i].dims[k] > 0 ? infos[i].dims[k] : 1;
        size_t count = tensor_count(tensor->rank, tensor->dims);
        tensor->data = xcalloc(count, tensor_type_size(tensor->type));
    }
    return inputs;
}

static bool session_once(struct session *session, const struct inputs *inputs, struct error *err)
{
    struct tensor outputs[MAX_INPUTS] = {0};
    const int wanted[MAX_INPUTS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct session_run run = {
        .inputs = inputs->tensors, .wanted = wanted, .out = outputs, .input_count = inputs->count};
    session_outputs(session, &run.out_count);
    bool done = session_run(session, &run, err);
    for (int i = 0; i < run.out_count; i++)
        tensor_dispose(&outputs[i]);
    return done;
}

static void *work(void *raw)
{
    struct bench *bench = raw;
    struct error err;
    struct inputs inputs[MAX_SESSIONS];
    for (int i = 0; i < bench->session_count; i++)
        inputs[i] = inputs_make(bench->sessions[i]);
    while (mono_ns() < bench->end_ns) {
        int64_t start_ns = mono_ns();
        bool done = true;
        for (int i = 0; i < bench->session_count && done; i++)
            done = session_once(bench->sessions[i], &inputs[i], &err);
        pthread_mutex_lock(&bench->lock);
        if (!done && !bench->failed)
            fprintf(stderr, "%s\n", err.text);
        bench->failed |= !done;
        bench->pictures++;
        bench->busy_ms += (double)(mono_ns() - start_ns) / 1e6;
        pthread_mutex_unlock(&bench->lock);
        if (!done)
            break;
    }
    for (int i = 0; i < bench->session_count; i++)
        for (int k = 0; k < inputs[i].count; k++)
            tensor_dispose(&inputs[i].tensors[k]);
    return NULL;
}

static double run_threads(struct bench *bench, int count, double seconds, void *(*run)(void *))
{
    pthread_t threads[MAX_STREAMS];
    int64_t start_ns = mono_ns();
    bench->end_ns = start_ns + (int64_t)(seconds * 1e9);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, run, bench);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return (double)(mono_ns() - start_ns) / 1e9;
}

static int run_loop(char **words, int count)
{
    struct error err = {0};
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct session_options options = {.threads = atoi(words[1])};
    int streams = atoi(words[2]);
    AUTO(runtime_close) struct runtime *runtime = runtime_open(NULL, &err);
    for (int i = 4; runtime && i < count && i < 4 + MAX_SESSIONS; i++) {
        bench.sessions[i - 4] = session_open(runtime, words[i], &options, &err);
        if (!bench.sessions[i - 4])
            break;
        bench.session_count++;
    }
    if (bench.session_count != count - 4 || streams < 1 || streams > MAX_STREAMS) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    double seconds = run_threads(&bench, streams, atof(words[3]), work);
    printf("{\"per_s\": %.3f, \"ms\": %.3f}\n", bench.pictures / seconds,
           bench.busy_ms / bench.pictures);
    for (int i = 0; i < bench.session_count; i++)
        session_close(bench.sessions[i]);
    return bench.failed;
}

/* From the file to the mask's file. */
static bool photo_once(struct vision *vision, const char *path, struct error *err)
{
    const struct cutout_who everybody = {.faces = NULL};
    AUTO(picture_dispose) struct picture photo = {0};
    AUTO(picture_dispose) struct picture matte = {0};
    AUTO(buf_dispose) struct buf file = BUF(MAX_FILE);
    return vision_decode(vision, path, MAX_SIDE, &photo, err) &&
           cutout_matte(vision, &photo, &everybody, &matte, err) &&
           picture_to_png(&matte, &file, err);
}

static void *work_on_photos(void *raw)
{
    struct bench *bench = raw;
    struct error err;
    bool done = true;
    while (done && mono_ns() < bench->end_ns) {
        done = photo_once(bench->vision, bench->photo, &err);
        pthread_mutex_lock(&bench->lock);
        if (!done && !bench->failed)
            fprintf(stderr, "%s\n", err.text);
        bench->failed |= !done;
        bench->pictures++;
        pthread_mutex_unlock(&bench->lock);
    }
    return NULL;
}

static int run_photos(char **words)
{
    struct error err = {0};
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER, .photo = words[5]};
    int loops = atoi(words[3]);
    const struct vision_settings settings = {.models_dir = "models",
                                             .user_models_dir = words[6],
                                             .image_model = words[7],
                                             .inference = "inside",
                                             .threads = atoi(words[2]),
                                             .streams = loops};
    AUTO(vision_close) struct vision *vision = vision_open_with(&settings, &err);
    bench.vision = vision;
    if (!vision || loops < 1 || loops > MAX_STREAMS || !photo_once(vision, words[5], &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    double seconds = run_threads(&bench, loops, atof(words[4]), work_on_photos);
    printf("{\"per_s\": %.3f}\n", bench.pictures / seconds);
    return bench.failed;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int run_photo(const char *path)
{
    struct error err = {0};
    double took_ms[ROUNDS];
    AUTO(vision_close) struct vision *vision = vision_open("models", &err);
    if (!vision || !photo_once(vision, path, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start_ns = mono_ns();
        if (!photo_once(vision, path, &err))
            return 1;
        took_ms[i] = (double)(mono_ns() - start_ns) / 1e6;
    }
    qsort(took_ms, ROUNDS, sizeof *took_ms, by_size);
    printf("{\"ms\": %.3f}\n", took_ms[ROUNDS / 2]);
    return 0;
}

int main(int count, char **words)
{
    mallopt(M_ARENA_MAX, 2); /* as vmad does */
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    if (count == 3 && strcmp(words[1], "photo") == 0)
        return run_photo(words[2]);
    if (count == 8 && strcmp(words[1], "photos") == 0)
        return run_photos(words);
    if (count == 5 || count == 6)
        return run_loop(words, count);
    fprintf(stderr, "bench_image_alone THREADS STREAMS SECONDS MODEL [DECODER] | photo FILE | "
                    "photos THREADS LOOPS SECONDS FILE MODELS NAME\n");
    return 2;
}
