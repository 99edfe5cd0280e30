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
 *     bench_image_alone photos THREADS LOOPS SECONDS FOLDER MODELS NAME
 *
 * does the same with the photos 0.jpg to 15.jpg of a folder and a model that was installed in the
 * folder MODELS, in LOOPS plain loops at once: what the processors allow when coding and network
 * share them; prints pictures a second. */
#include <malloc.h>
#include <stdatomic.h>
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
#include "loops.h"
#include "media/picture.h"

enum { MAX_INPUTS = 16, MAX_SESSIONS = 2, ROUNDS = 60 };
enum { PHOTOS = 16, MAX_SIDE = 4096, MAX_FILE = 96 << 20 };

struct inputs {
    struct tensor tensors[MAX_INPUTS];
    int count;
};

struct bench {
    struct session *sessions[MAX_SESSIONS];
    int session_count;
};

/* Photos, from their file to the mask's. */
struct photos_bench {
    struct vision *vision;
    const char *folder;
    atomic_uint number; /* of the photo */
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

static void *inputs_begin(void *raw)
{
    struct bench *bench = raw;
    struct inputs *inputs = xcalloc(MAX_SESSIONS, sizeof *inputs);
    for (int i = 0; i < bench->session_count; i++)
        inputs[i] = inputs_make(bench->sessions[i]);
    return inputs;
}

static void inputs_end(void *raw)
{
    struct inputs *inputs = raw;
    for (int i = 0; i < MAX_SESSIONS; i++)
        for (int k = 0; k < inputs[i].count; k++)
            tensor_dispose(&inputs[i].tensors[k]);
    free(inputs);
}

static bool sessions_once(void *raw, void *own, struct error *err)
{
    struct bench *bench = raw;
    const struct inputs *inputs = own;
    for (int i = 0; i < bench->session_count; i++)
        if (!session_once(bench->sessions[i], &inputs[i], err))
            return false;
    return true;
}

static int run_loop(char **words, int count)
{
    struct error err = {0};
    struct bench bench = {.session_count = 0};
    struct session_options options = {.threads = atoi(words[1])};
    int streams = atoi(words[2]);
    AUTO(runtime_close) struct runtime *runtime = runtime_open(NULL, &err);
    for (int i = 4; runtime && i < count && i < 4 + MAX_SESSIONS; i++) {
        bench.sessions[i - 4] = session_open(runtime, words[i], &options, &err);
        if (!bench.sessions[i - 4])
            break;
        bench.session_count++;
    }
    if (bench.session_count != count - 4 || streams < 1 || streams > MAX_LOOPS) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct loops loops = {
        .once = sessions_once, .begin = inputs_begin, .end = inputs_end, .bench = &bench};
    loops.begin_with = streams;
    int failed = loops_run(&loops, streams, atof(words[3]));
    for (int i = 0; i < bench.session_count; i++)
        session_close(bench.sessions[i]);
    return failed;
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

static bool photos_once(void *raw, void *own, struct error *err)
{
    struct photos_bench *bench = raw;
    char path[512];
    (void)own;
    snprintf(path, sizeof path, "%s/%u.jpg", bench->folder,
             atomic_fetch_add(&bench->number, 1) % PHOTOS);
    return photo_once(bench->vision, path, err);
}

static int run_photos(char **words)
{
    struct error err = {0};
    struct photos_bench bench = {.folder = words[5]};
    int count = atoi(words[3]);
    const struct vision_settings settings = {.models_dir = "models",
                                             .user_models_dir = words[6],
                                             .image_model = words[7],
                                             .inference = "inside",
                                             .threads = atoi(words[2]),
                                             .streams = count};
    AUTO(vision_close) struct vision *vision = vision_open_with(&settings, &err);
    bench.vision = vision;
    if (!vision || count < 1 || count > MAX_LOOPS || !photos_once(&bench, NULL, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct loops loops = {.once = photos_once, .bench = &bench, .begin_with = count};
    return loops_run(&loops, count, atof(words[4]));
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
                    "photos THREADS LOOPS SECONDS FOLDER MODELS NAME\n");
    return 2;
}
