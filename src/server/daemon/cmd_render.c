/* SPDX-License-Identifier: Apache-2.0 */
/* vmad render PHOTO: a message without a server. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/command.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/daemon.h"
#include "daemon/progress_bar.h"
#include "image/portrait.h"
#include "pipeline/pipeline.h"
#include "voice/voice.h"

enum { MAX_TEXT_FILE = 64 * 1024 };

struct options {
    const char *text, *text_file, *out, *voice, *background, *format, *bgm;
    double speed, pitch, intonation, volume, pause;
    int64_t face;
    bool motion, json, quiet;
};

static const char *const formats[] = {"1:1", "9:16", "16:9", NULL};

static const struct option rows[] = {
    OPTION_TEXT('t', "text", "TEXT", text, "what is said, up to 1000 characters"),
    OPTION_TEXT(0, "text-file", "FILE", text_file, "read it from FILE; - is standard input"),
    OPTION_TEXT('o', "output", "FILE", out, "write the video here [message.mp4]"),
    OPTION_TEXT('v', "voice", "ID", voice, "who speaks (vmad voices lists them) [by the language]"),
    OPTION_TEXT('b', "background", "WHAT", background,
                "keep, blur, #rrggbb, preset:ID or a picture file [keep]"),
    OPTION_CHOICE('f', "format", "FORMAT", format, "512x512, 720x1280 or 1280x720 pixels [1:1]",
                  .choices = formats),
    OPTION_TEXT('m', "music", "ID", bgm, "music under the voice [none]"),
    OPTION_REAL(0, "speed", "N", speed, "0.5 slow to 2 fast [1]", .min = .5, .max = 2),
    OPTION_REAL(0, "pitch", "N", pitch, "half-tones, -12 to 12 [0]", .min = -12, .max = 12),
    OPTION_REAL(0, "intonation", "N", intonation, "0 flat to 2 lively [1]", .min = 0, .max = 2),
    OPTION_REAL(0, "volume", "N", volume, "0 to 2 [1]", .min = 0, .max = 2),
    OPTION_REAL(0, "pause", "N", pause, "length of pauses, 0 to 3 [1]", .min = 0, .max = 3),
    OPTION_INT(0, "face", "N", face, "which face, 0 is the largest [0]", .min = 0, .max = 15),
    OPTION_FLAG(0, "motion", motion, "let the head move; --no-motion keeps it still"),
    OPTION_FLAG(0, "json", json, "print the result as JSON"),
    OPTION_FLAG('q', "quiet", quiet, "print nothing but errors"),
    OPTION_END,
};

/* --- Ctrl-C ----------------------------------------------------------------------------------- */

/* A thread that takes the signals which ask for an end. They are blocked everywhere else. */
struct interrupt {
    atomic_bool asked;
    sigset_t signals;
    pthread_t thread;
    bool started;
};

static void *interrupt_main(void *context)
{
    struct interrupt *interrupt = context;
    int number;
    while (sigwait(&interrupt->signals, &number) != 0)
        ;
    atomic_store(&interrupt->asked, true);
    return NULL;
}

static bool interrupt_start(struct interrupt *interrupt, struct error *err)
{
    sigemptyset(&interrupt->signals);
    sigaddset(&interrupt->signals, SIGINT);
    sigaddset(&interrupt->signals, SIGTERM);
    sigaddset(&interrupt->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    int failed = pthread_create(&interrupt->thread, NULL, interrupt_main, interrupt);
    interrupt->started = failed == 0;
    return failed == 0 || error_os(err, failed, "start a thread");
}

static void interrupt_stop_auto(struct interrupt *interrupt)
{
    if (!interrupt->started)
        return;
    pthread_cancel(interrupt->thread); /* sigwait is a place where that works */
    pthread_join(interrupt->thread, NULL);
}

/* --- the engines ------------------------------------------------------------------------------ */

struct engines {
    struct vision *vision;
    struct voices *voices;
    struct pipeline *pipeline;
};

static void engines_close_auto(struct engines *engines)
{
    pipeline_close(engines->pipeline);
    if (engines->voices)
        voices_close(engines->voices);
    if (engines->vision)
        vision_close(engines->vision);
}

static bool engines_open(const struct daemon *daemon, struct engines *out, struct error *err)
{
    out->vision = vision_open(daemon->paths.models, err);
    if (!out->vision)
        return false;
    out->voices = voices_open(NULL, err);
    if (!out->voices)
        return false;
    const struct pipeline_options options = {
        .vision = out->vision, .voices = out->voices, .assets_dir = daemon->paths.assets};
    out->pipeline = pipeline_open(&options, err);
    return out->pipeline != NULL;
}

/* --- what is asked for ------------------------------------------------------------------------ */

static bool read_text(const struct options *options, struct buf *out, struct error *err)
{
    if (options->text && options->text_file)
        return error_set(err, ERROR_INVALID, "give --text or --text-file, not both");
    if (options->text)
        return buf_text(out, options->text, err);
    if (!options->text_file)
        return error_set(err, ERROR_INVALID, "say what is to be said: --text \"…\"");
    bool standard = strcmp(options->text_file, "-") == 0;
    return file_read(standard ? "/dev/stdin" : options->text_file, out, err);
}

/* A file's name means that picture, "#rrggbb" that colour. To be freed. */
static char *background_spec(const char *given, const char **out_path)
{
    struct stat file;
    if (given && given[0] == '#')
        return xasprintf("color:%s", given);
    if (given && !text_starts(given, "preset:") && !text_starts(given, "color:") &&
        stat(given, &file) == 0 && S_ISREG(file.st_mode)) {
        *out_path = given;
        return xstrdup("upload");
    }
    return xstrdup(given ? given : "keep");
}

static struct message_request request_of(const struct options *options, const char *photo,
                                         const char *text)
{
    struct message_request request = message_request_defaults();
    request.image_path = photo;
    request.text = text;
    request.voice_profile = options->voice;
    request.format = options->format;
    request.bgm = options->bgm;
    request.speed = options->speed;
    request.pitch = options->pitch;
    request.intonation = options->intonation;
    request.volume = options->volume;
    request.pause = options->pause;
    request.face = (int)options->face;
    request.motion = options->motion;
    return request;
}

/* --- what is told ----------------------------------------------------------------------------- */

static void show(void *context, const char *stage, double percent, int64_t eta_ms)
{
    static const struct {
        const char *stage, *label;
    } labels[] = {
        {"photo", "Reading the photo"},
        {"speech", "Speaking"},
        {"video", "Drawing frames"},
        {"finish", "Finishing"},
    };
    const char *label = stage;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(labels[i].stage, stage) == 0)
            label = labels[i].label;
    progress_bar_show(context, label, percent, eta_ms);
}

static void say_done(const struct options *options, const char *result)
{
    struct error err;
    AUTO(jv_free) struct jv *made = jv_parse(bytes_of(result), &err);
    if (options->quiet || !made)
        return;
    if (options->json) {
        jv_text(made, "output", options->out);
        AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
        if (jv_write(made, true, &text, &err))
            printf("%s\n", buf_string(&text));
        return;
    }
    const struct jv *timings = jv_get(made, "timings");
    double kilobytes = (double)jv_get_int(made, "size_bytes", 0) / 1000;
    printf("%s: %.1f s, %dx%d at %d frames a second, %.0f kB, made in %.1f s\n", options->out,
           jv_get_real(made, "duration_s", 0), (int)jv_get_int(made, "width", 0),
           (int)jv_get_int(made, "height", 0), (int)jv_get_int(made, "fps", 0), kilobytes,
           jv_get_real(timings, "total_s", 0));
    const char *credit = jv_get_text(made, "credit", NULL);
    if (credit)
        printf("Show with it: %s\n", credit);
}

static bool render_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    const struct options *options = raw;
    AUTO(interrupt_stop) struct interrupt interrupt = {.started = false};
    AUTO(engines_close) struct engines engines = {0};
    AUTO(buf_dispose) struct buf text = BUF(MAX_TEXT_FILE);
    AUTO(mem_free) char *result = NULL;

    log_set(LOG_WARN, LOG_TERMINAL, STDERR_FILENO);
    if (!read_text(options, &text, err) || !interrupt_start(&interrupt, err) ||
        !engines_open(context, &engines, err))
        return false;
    struct message_request request = request_of(options, operands.items[0], buf_string(&text));
    AUTO(mem_free) char *background =
        background_spec(options->background, &request.background_path);
    request.background = background;
    struct progress_bar bar = progress_bar_on(options->quiet ? -1 : STDERR_FILENO);
    const struct pipeline_render how = {
        .out_path = options->out, .cancel = &interrupt.asked, .progress = show, .context = &bar};
    bool fine = pipeline_render(engines.pipeline, &request, &how, &result, err);
    progress_bar_clear(&bar);
    if (fine)
        say_done(options, result);
    else if (err->field && strcmp(err->field, "image") == 0)
        error_wrap(err, "%s", operands.items[0]);
    return fine;
}

const struct command command_render = {
    .name = "render",
    .operands = "PHOTO",
    .summary = "Make one message without a server",
    .details = "Backgrounds: preset:baby, birthday, christmas, congratulations, fireworks, "
               "graduation, newyear, sakura, thanks or wedding.\n"
               "Music: sunny, stillness, fanfare or keepsake.\n\n"
               "Exit codes: 0 the video is there, 64 the photo, the text or an option cannot be "
               "used, 66 a file or a voice that was named is not there, 69 something needed is not "
               "installed, 70 an error of the program, 74 the disk is full, 130 interrupted "
               "(nothing is left behind).",
    .options = rows,
    .defaults =
        &(const struct options){
            .out = "message.mp4",
            .format = "1:1",
            .speed = 1,
            .intonation = 1,
            .volume = 1,
            .pause = 1,
            .motion = true,
        },
    .options_size = sizeof(struct options),
    .min_operands = 1,
    .max_operands = 1,
    .run = render_run,
};
