/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/speaker_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/pipeline_internal.h"
#include "sound/sound.h"
#include "voice/voice.h"

/* A breath before the first word, and a moment to close the mouth after the last. */
static const double lead_s = 0.12, tail_s = 0.28;

/* What is spoken ahead lies about until its job begins: a long text is more than ten megabytes a
 * minute, and next to it the time won is nothing. */
enum { AHEAD = 2, AHEAD_CHARACTERS = 500, AHEAD_MS = 10 * 1000, MAX_LEFT = 8 };

struct speaker {
    struct pipeline *pipeline;
    struct order order;   /* its own */
    size_t characters;    /* of its text */
    struct hash128 name;  /* of what is said */
    struct speaker *next; /* in the list of those that were left, under pipeline->lock */
    int64_t left_ms;
    char log_id[64];
    pthread_t thread;
    atomic_bool stop;

    pthread_mutex_t lock; /* of the state; what belongs to a state is fixed once it is reached */
    pthread_cond_t changed;
    enum speaker_state state;
    struct error err;

    struct speech_result result; /* the track once planned, the sound once done */
    double duration_s, took_s;
    struct pcm raw; /* as it comes from the voice; the thread's own */
    size_t raw_capacity;
};

static void reach(struct speaker *speaker, enum speaker_state state)
{
    pthread_mutex_lock(&speaker->lock);
    speaker->state = state;
    pthread_cond_broadcast(&speaker->changed);
    pthread_mutex_unlock(&speaker->lock);
}

static struct sound_options sound_of(const struct order *order)
{
    struct sound_options options = sound_options_defaults();
    options.volume = order->volume;
    options.lead_s = lead_s;
    options.tail_s = tail_s;
    options.bgm = order->bgm;
    return options;
}

/* Moved by the lead, with silence at both ends. */
static struct viseme_track padded(const struct viseme_track *track, double duration_s)
{
    struct viseme_track out = {.spans = xcalloc(track->count + 2, sizeof *out.spans)};
    float lead = (float)lead_s;
    out.spans[out.count++] = (struct viseme_span){.end_s = lead, .viseme = VISEME_SILENCE};
    for (size_t i = 0; i < track->count; i++) {
        struct viseme_span span = track->spans[i];
        span.start_s += lead;
        span.end_s += lead;
        out.spans[out.count++] = span;
    }
    float end = out.spans[out.count - 1].end_s;
    out.spans[out.count++] =
        (struct viseme_span){.start_s = end, .end_s = (float)duration_s, .viseme = VISEME_SILENCE};
    return out;
}

static bool on_plan(void *context, const struct viseme_track *track, int rate_hz, size_t samples,
                    struct error *err)
{
    struct speaker *speaker = context;
    struct sound_options options = sound_of(&speaker->order);
    if (atomic_load(&speaker->stop))
        return error_set(err, ERROR_CANCELLED, "the speech was called off");
    speaker->duration_s = (double)sound_length(samples, rate_hz, &options) / (double)SOUND_RATE_HZ;
    speaker->result.track = padded(track, speaker->duration_s);
    speaker->raw = (struct pcm){.rate_hz = rate_hz};
    speaker->raw.samples = xcalloc(samples + 1, sizeof *speaker->raw.samples);
    speaker->raw_capacity = samples;
    reach(speaker, SPEAKER_PLANNED);
    return true;
}

static bool on_audio(void *context, const float *samples, size_t count, struct error *err)
{
    struct speaker *speaker = context;
    struct pcm *raw = &speaker->raw;
    if (atomic_load(&speaker->stop))
        return error_set(err, ERROR_CANCELLED, "the speech was called off");
    if (count > speaker->raw_capacity - raw->count)
        return error_set(err, ERROR_INTERNAL, "the voice says more than it planned");
    memcpy(raw->samples + raw->count, samples, count * sizeof *samples);
    raw->count += count;
    return true;
}

static bool speak(struct speaker *speaker, struct error *err)
{
    const struct order *order = &speaker->order;
    struct voice_request request = {
        .voice_id = order->voice,
        .text = order->text,
        .speed = order->speed,
        .pitch = order->pitch,
        .intonation = order->intonation,
        .volume = 1, /* of the message, which sound_master sets */
        .pause = order->pause,
    };
    struct voice_sink sink = {.context = speaker, .plan = on_plan, .audio = on_audio};
    struct sound_options options = sound_of(order);
    return voices_speak(speaker->pipeline->options.voices, &request, &sink, err) &&
           sound_master(&speaker->raw, &options, &speaker->result.pcm, err);
}

static bool found_again(struct speaker *speaker)
{
    struct speech_result *result = &speaker->result;
    if (!artifact_get_speech(speaker->pipeline->options.store, speaker->name, result))
        return false;
    speaker->duration_s = (double)result->pcm.count / result->pcm.rate_hz;
    return true;
}

static void *speaker_main(void *context)
{
    struct speaker *speaker = context;
    struct error err;
    log_set_id(speaker->log_id[0] ? speaker->log_id : NULL);
    if (found_again(speaker)) {
        reach(speaker, SPEAKER_DONE);
        return NULL;
    }
    int64_t start = mono_ns();
    if (!speak(speaker, &err)) {
        speaker->err = err;
        reach(speaker, SPEAKER_FAILED);
        return NULL;
    }
    speaker->took_s = (double)(mono_ns() - start) / 1e9;
    pcm_dispose(&speaker->raw);
    reach(speaker, SPEAKER_DONE);
    pipeline_observe(speaker->pipeline, "speech", speaker->took_s);
    artifact_put_speech(speaker->pipeline->options.store, speaker->name, &speaker->result);
    return NULL;
}

static size_t count_spoken(struct pipeline *pipeline, ptrdiff_t more)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->spoken += (size_t)more;
    size_t spoken = pipeline->spoken;
    pthread_mutex_unlock(&pipeline->lock);
    return spoken;
}

struct speaker *speaker_start(struct pipeline *pipeline, const struct order *order,
                              struct error *err)
{
    struct speaker *speaker = xcalloc(1, sizeof *speaker);
    speaker->pipeline = pipeline;
    speaker->order = order_copy(order);
    speaker->characters = utf8_count(bytes_of(order->text));
    speaker->name = order_speech_hash(order);
    speaker->state = SPEAKER_SILENT;
    if (log_id())
        snprintf(speaker->log_id, sizeof speaker->log_id, "%s", log_id());
    pthread_mutex_init(&speaker->lock, NULL);
    cond_init_mono(&speaker->changed);
    int failed = pthread_create(&speaker->thread, NULL, speaker_main, speaker);
    if (failed == 0) {
        count_spoken(pipeline, (ptrdiff_t)speaker->characters);
        return speaker;
    }
    error_os(err, failed, "start a thread");
    order_dispose(&speaker->order);
    free(speaker);
    return NULL;
}

/* Waits for its end. */
static void speaker_end(struct speaker *speaker)
{
    atomic_store(&speaker->stop, true);
    pthread_join(speaker->thread, NULL);
    count_spoken(speaker->pipeline, -(ptrdiff_t)speaker->characters);
    speech_result_dispose(&speaker->result);
    pcm_dispose(&speaker->raw);
    pthread_cond_destroy(&speaker->changed);
    pthread_mutex_destroy(&speaker->lock);
    order_dispose(&speaker->order);
    free(speaker);
}

/* --- ahead of the job ------------------------------------------------------------------------- */

struct speaker *speaker_ahead(struct pipeline *pipeline, const struct order *order)
{
    /* Only when the job will run at once: otherwise the sound would lie about. */
    struct jobs *jobs = pipeline->options.jobs;
    struct error err;
    if (!pipeline->working || jobs_waiting(jobs) >= AHEAD)
        return NULL;
    size_t others = count_spoken(pipeline, 0), own = utf8_count(bytes_of(order->text));
    if (others > 0 && others + own > AHEAD_CHARACTERS)
        return NULL;
    return speaker_start(pipeline, order, &err);
}

static bool is_over(struct speaker *speaker)
{
    pthread_mutex_lock(&speaker->lock);
    bool over = speaker->state == SPEAKER_FAILED || speaker->state == SPEAKER_DONE;
    pthread_mutex_unlock(&speaker->lock);
    return over;
}

/* Takes the speaker of that name out of the list. */
static struct speaker *unlist(struct pipeline *pipeline, const struct hash128 *name)
{
    struct speaker *found = NULL;
    pthread_mutex_lock(&pipeline->lock);
    for (struct speaker **at = &pipeline->left; *at && !found;) {
        if (hash128_equal((*at)->name, *name) && !atomic_load(&(*at)->stop)) {
            found = *at;
            *at = found->next;
        } else {
            at = &(*at)->next;
        }
    }
    pthread_mutex_unlock(&pipeline->lock);
    return found;
}

/* Takes one out that was left before that time. One that still speaks is told to stop and stays,
 * so that nobody waits for it, unless `all` must go. */
static struct speaker *unlist_old(struct pipeline *pipeline, int64_t before_ms, bool all)
{
    struct speaker *found = NULL;
    pthread_mutex_lock(&pipeline->lock);
    for (struct speaker **at = &pipeline->left; *at && !found;) {
        struct speaker *speaker = *at;
        bool old = speaker->left_ms < before_ms;
        if (old)
            atomic_store(&speaker->stop, true);
        if (old && (all || is_over(speaker))) {
            found = speaker;
            *at = found->next;
        } else {
            at = &(*at)->next;
        }
    }
    pthread_mutex_unlock(&pipeline->lock);
    return found;
}

static void drop_before(struct pipeline *pipeline, int64_t before_ms, bool all)
{
    for (struct speaker *old; (old = unlist_old(pipeline, before_ms, all));)
        speaker_end(old);
}

static int list(struct speaker *speaker, int64_t left_ms)
{
    struct pipeline *pipeline = speaker->pipeline;
    int count = 0;
    pthread_mutex_lock(&pipeline->lock);
    speaker->left_ms = left_ms;
    speaker->next = pipeline->left;
    pipeline->left = speaker;
    for (const struct speaker *at = pipeline->left; at; at = at->next)
        count++;
    pthread_mutex_unlock(&pipeline->lock);
    return count;
}

void speaker_free(struct speaker *speaker)
{
    if (!speaker)
        return;
    struct pipeline *pipeline = speaker->pipeline;
    atomic_store(&speaker->stop, true);
    if (is_over(speaker))
        speaker_end(speaker);
    else if (list(speaker, 0) > MAX_LEFT)
        drop_before(pipeline, 1, true);
}

void speaker_leave(struct speaker **speaker)
{
    struct speaker *left = TAKE(*speaker);
    if (!left)
        return;
    drop_before(left->pipeline, mono_ms() - AHEAD_MS, false);
    list(left, mono_ms());
}

struct speaker *speaker_take(struct pipeline *pipeline, const struct order *order)
{
    drop_before(pipeline, mono_ms() - AHEAD_MS, false);
    struct hash128 name = order_speech_hash(order);
    return unlist(pipeline, &name);
}

void speakers_drop(struct pipeline *pipeline)
{
    drop_before(pipeline, INT64_MAX, true);
}

enum speaker_state speaker_wait(struct speaker *speaker, enum speaker_state wanted,
                                int64_t timeout_ms, struct error *err)
{
    int64_t deadline_ms = mono_ms() + timeout_ms;
    struct timespec deadline = {.tv_sec = deadline_ms / 1000,
                                .tv_nsec = deadline_ms % 1000 * 1000000};
    pthread_mutex_lock(&speaker->lock);
    while (speaker->state != SPEAKER_FAILED && speaker->state < wanted)
        if (pthread_cond_timedwait(&speaker->changed, &speaker->lock, &deadline) == ETIMEDOUT)
            break;
    enum speaker_state state = speaker->state;
    pthread_mutex_unlock(&speaker->lock);
    if (state == SPEAKER_FAILED && err)
        *err = speaker->err;
    return state;
}

const struct viseme_track *speaker_track(const struct speaker *speaker)
{
    return &speaker->result.track;
}

double speaker_duration_s(const struct speaker *speaker)
{
    return speaker->duration_s;
}

const struct pcm *speaker_pcm(const struct speaker *speaker)
{
    return &speaker->result.pcm;
}

double speaker_took_s(const struct speaker *speaker)
{
    return speaker->took_s;
}
