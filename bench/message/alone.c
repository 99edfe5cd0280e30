/* SPDX-License-Identifier: Apache-2.0 */
/* What the stages of a message cost by themselves, one after the other, and what libx264 + AAC
 * alone need for the very frames and sound that the pipeline gives them: all frames are rendered
 * into memory first. Stages in seconds of processor time, the encoder by the clock. Prints one JSON
 * object.
 *
 *     bench_message_alone MODELS PHOTO WIDTHxHEIGHT FPS VOICE TEXT ROUNDS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/portrait.h"
#include "sound/sound.h"
#include "video/encoder.h"
#include "video/renderer.h"
#include "voice/voice.h"

struct bench {
    int width, height, fps, rounds;
    struct vision *vision;
    struct voices *voices;
    struct viseme_track track;
    struct pcm raw, pcm;
    struct portrait portrait;
    struct frame420 *frames;
    int count;
};

static double now_s(void)
{
    return (double)mono_ns() / 1e9;
}

static bool on_plan(void *context, const struct viseme_track *track, int rate_hz, size_t samples,
                    struct error *err)
{
    struct bench *bench = context;
    bench->track = (struct viseme_track){.count = track->count};
    bench->track.spans = xcalloc(track->count, sizeof *track->spans);
    memcpy(bench->track.spans, track->spans, track->count * sizeof *track->spans);
    bench->raw = (struct pcm){.rate_hz = rate_hz};
    bench->raw.samples = xcalloc(samples + 1, sizeof *bench->raw.samples);
    return true;
}

static bool on_audio(void *context, const float *samples, size_t count, struct error *err)
{
    struct bench *bench = context;
    memcpy(bench->raw.samples + bench->raw.count, samples, count * sizeof *samples);
    bench->raw.count += count;
    return true;
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool speak(struct bench *bench, const char *voice, const char *text, struct error *err)
{
    struct voice_request request = {
        .voice_id = voice, .text = text, .speed = 1, .intonation = 1, .volume = 1, .pause = 1};
    struct voice_sink sink = {.context = bench, .plan = on_plan, .audio = on_audio};
    struct sound_options options = sound_options_defaults();
    double start = cpu_s();
    if (!voices_speak(bench->voices, &request, &sink, err))
        return false;
    double spoken = cpu_s();
    if (!sound_master(&bench->raw, &options, &bench->pcm, err))
        return false;
    printf("{\"speech_s\": %.4f, \"master_s\": %.4f, ", spoken - start, cpu_s() - spoken);
    return true;
}

static bool look(struct bench *bench, const char *path, struct error *err)
{
    AUTO(picture_dispose) struct picture photo = {0};
    static struct face faces[MAX_FACES];
    int count = 0;
    double start = now_s();
    if (!photo_decode(path, 2048, &photo, err))
        return false;
    double decode_s = now_s() - start; /* by the clock: another process does it */
    double decoded = cpu_s();
    if (!vision_faces(bench->vision, &photo, faces, &count, err))
        return false;
    double found = cpu_s();
    if (count == 0)
        return error_set(err, ERROR_INVALID, "no face");
    const struct portrait_wish wish = {.faces = faces,
                                       .face_count = 1,
                                       .width = bench->width,
                                       .height = bench->height,
                                       .cut_out = true};
    if (!portrait_make(bench->vision, &photo, &wish, &bench->portrait, err))
        return false;
    printf("\"decode_s\": %.4f, \"faces_s\": %.4f, \"portrait_s\": %.4f, ", decode_s,
           found - decoded, cpu_s() - found);
    return true;
}

static struct frame420 frame_new(int width, int height)
{
    size_t luma = (size_t)width * (size_t)height;
    uint8_t *memory = aligned_alloc(64, (luma * 3 / 2 + 63) / 64 * 64);
    return (struct frame420){
        .width = width,
        .height = height,
        .planes = {memory, memory + luma, memory + luma * 5 / 4},
        .strides = {width, width / 2, width / 2},
    };
}

static bool draw(struct bench *bench, struct error *err)
{
    const struct scene scene = {
        .photo = &bench->portrait.photo,
        .matte = &bench->portrait.matte,
        .foreground = &bench->portrait.foreground,
        .face = &bench->portrait.face,
        .track = &bench->track,
        .duration_s = (double)bench->pcm.count / bench->pcm.rate_hz,
        .fps = bench->fps,
        .sway = true,
        .seed = 1,
    };
    double start = cpu_s();
    struct renderer *renderer = renderer_new(&scene, err);
    if (!renderer)
        return false;
    double opened = cpu_s();
    bench->count = renderer_frames(renderer);
    bench->frames = xcalloc((size_t)bench->count, sizeof *bench->frames);
    for (int i = 0; i < bench->count; i++) {
        bench->frames[i] = frame_new(bench->width, bench->height);
        renderer_frame(renderer, i, &bench->frames[i]);
    }
    double drawn = cpu_s();
    renderer_free(renderer);
    printf("\"frames\": %d, \"duration_s\": %.3f, \"renderer_s\": %.4f, \"frames_s\": %.4f, ",
           bench->count, scene.duration_s, opened - start, drawn - opened);
    return true;
}

static bool encode(const struct bench *bench, int threads, double *out_s, struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("/tmp/bench-alone-%d.mp4", (int)getpid());
    const struct encoder_options options = {
        .width = bench->width,
        .height = bench->height,
        .fps = bench->fps,
        .audio_rate_hz = bench->pcm.rate_hz,
        .threads = threads,
    };
    double start = now_s();
    AUTO(encoder_free) struct encoder *encoder = encoder_open(path, &options, err);
    bool fine = encoder && encoder_audio(encoder, bench->pcm.samples, bench->pcm.count, err);
    for (int i = 0; fine && i < bench->count; i++)
        fine = encoder_frame(encoder, &bench->frames[i], err);
    fine = fine && encoder_finish(encoder, err);
    *out_s = now_s() - start;
    unlink(path);
    return fine;
}

static bool encode_alone(const struct bench *bench, struct error *err)
{
    double cpu = cpu_s();
    for (int threads = 1; threads <= 2; threads++) {
        printf("\"alone_%d\": [", threads);
        for (int round = 0; round < bench->rounds; round++) {
            double took_s;
            if (!encode(bench, threads, &took_s, err))
                return false;
            printf("%s%.4f", round ? ", " : "", took_s);
        }
        printf("], ");
        if (threads == 1)
            printf("\"alone_cpu\": %.4f, ", (cpu_s() - cpu) / bench->rounds);
    }
    printf("\"rounds\": %d}\n", bench->rounds);
    return true;
}

int main(int count, char **arguments)
{
    struct error err;
    struct bench bench = {0};
    if (count != 8 || sscanf(arguments[3], "%dx%d", &bench.width, &bench.height) != 2) {
        fprintf(stderr, "usage: MODELS PHOTO WIDTHxHEIGHT FPS VOICE TEXT ROUNDS\n");
        return 64;
    }
    log_set(LOG_WARN, LOG_TERMINAL, STDERR_FILENO);
    bench.fps = atoi(arguments[4]);
    bench.rounds = atoi(arguments[7]);
    bench.vision = vision_open(arguments[1], &err);
    bench.voices = bench.vision ? voices_open(NULL, &err) : NULL;
    if (bench.voices && speak(&bench, arguments[5], arguments[6], &err) &&
        look(&bench, arguments[2], &err) && draw(&bench, &err) && encode_alone(&bench, &err))
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}
