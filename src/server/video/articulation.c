/* SPDX-License-Identifier: Apache-2.0 */
#include "video/articulation.h"

#include <math.h>

/* Every parameter is a weighted mean of the targets near the moment: the weight of a span is the
 * part of a smooth window that it fills, times how much the sound insists on its shape. Lips take
 * their shape earlier than the jaw and keep it longer. On top of that closures are made certain:
 * M B P close and silence is silent, however short they are. */

static const double jaw_window_s = 0.075;  /* half the window */
static const double lips_window_s = 0.105; /* of rounding and spreading */
static const double lips_ahead_s = 0.025;
static const double closure_min_s = 0.044; /* just more than a frame at 25 a second */
static const double closure_ramp_s = 0.045;
static const double silence_min_s = 0.070;
static const double silence_lead_s = 0.025; /* closing begins before the sound ends */
static const double silence_ramp_s = 0.070;

struct target {
    struct mouth_pose pose;
    float insists;
};

static const struct target targets[VISEME_COUNT] = {
    [VISEME_SILENCE] = {{0}, 1.0f},
    [VISEME_A] = {{.jaw = 9.4f, .upper = 1.2f, .lower = 1.5f, .wide = 0.6f}, 1.0f},
    [VISEME_I] = {{.jaw = 1.6f, .upper = 1.2f, .lower = 2.5f, .wide = 3.4f, .teeth = 0.6f}, 1.0f},
    [VISEME_U] = {{.jaw = 2.0f, .upper = 0.3f, .lower = 1.3f, .wide = -3.2f, .round = 0.45f}, 1.0f},
    [VISEME_E] = {{.jaw = 5.4f, .upper = 1.2f, .lower = 1.7f, .wide = 2.0f}, 1.0f},
    [VISEME_O] = {{.jaw = 6.8f, .upper = 0.7f, .lower = 1.0f, .wide = -3.8f, .round = 0.8f}, 1.0f},
    [VISEME_W] = {{.jaw = 1.4f, .upper = 0.5f, .lower = 0.9f, .wide = -5.6f, .round = 1}, 1.6f},
    [VISEME_MBP] = {{.press = 1}, 3.0f},
    [VISEME_FV] = {{.jaw = 0.8f, .upper = 1.6f, .tuck = 1}, 2.4f},
    [VISEME_L] = {{.jaw = 5.6f, .upper = 0.3f, .lower = 0.9f, .wide = 0.2f, .tongue = 1}, 1.2f},
    [VISEME_TH] = {{.jaw = 3.3f, .upper = 0.4f, .lower = 1.7f, .tip = 1}, 1.7f},
    [VISEME_S] = {{.jaw = 0.5f, .upper = 0.8f, .lower = 3.4f, .wide = 1.6f, .teeth = 1}, 1.7f},
    [VISEME_SH] =
        {{.jaw = 0.8f, .upper = 1.5f, .lower = 2.8f, .wide = -3.2f, .round = 0.9f, .teeth = 1},
         1.8f},
    [VISEME_R] =
        {{.jaw = 2.2f, .upper = 0.7f, .lower = 1.0f, .wide = -1.8f, .round = 0.45f, .tongue = 0.3f},
         1.0f},
    [VISEME_T] = {{.jaw = 2.6f, .upper = 0.5f, .lower = 1.4f, .tongue = 0.8f}, 1.2f},
    [VISEME_K] = {{.jaw = 4.4f, .upper = 0.1f, .lower = 0.6f, .wide = -1.0f}, 0.8f},
    [VISEME_Y] = {{.jaw = 1.2f, .upper = 0.8f, .lower = 1.7f, .wide = 2.6f, .teeth = 0.5f}, 1.0f},
    [VISEME_H] = {{.jaw = 1.4f, .upper = 0.4f, .lower = 0.6f}, 0.08f},
};

/* The part of a raised-cosine window of half width 1 around 0 that lies left of `at`. */
static double window_left_of(double at)
{
    if (at <= -1)
        return 0;
    if (at >= 1)
        return 1;
    return 0.5 + at / 2 + sin(M_PI * at) / (2 * M_PI);
}

static double share_of_window(double start_s, double end_s, double centre_s, double half_s)
{
    return window_left_of((end_s - centre_s) / half_s) -
           window_left_of((start_s - centre_s) / half_s);
}

/* 1 from start to end, falling to 0 within ramp on both sides. */
static float plateau(double time_s, double start_s, double end_s, double ramp_s)
{
    double away = fmax(start_s - time_s, time_s - end_s);
    if (away <= 0)
        return 1;
    return away >= ramp_s ? 0 : (float)(0.5 + 0.5 * cos(M_PI * away / ramp_s));
}

/* The first span that ends after `time_s`. */
static size_t first_span(const struct viseme_track *track, double time_s)
{
    size_t low = 0, high = track->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (track->spans[middle].end_s > time_s)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct blend {
    struct mouth_pose jaw, lips; /* sums of weight × target */
    double jaw_weight, lips_weight;
};

static void blend_add(struct blend *blend, const struct viseme_span *span, double time_s)
{
    const struct target *target = &targets[span->viseme];
    double jaw =
        target->insists * share_of_window(span->start_s, span->end_s, time_s, jaw_window_s);
    double lips = target->insists *
                  share_of_window(span->start_s, span->end_s, time_s + lips_ahead_s, lips_window_s);
    float strength = span->viseme == VISEME_SILENCE ? 1 : fminf(fmaxf(span->strength, 0), 1.2f);
    float by_jaw = (float)jaw * strength, by_lips = (float)lips * strength;
    const struct mouth_pose *pose = &target->pose;
    blend->jaw.jaw += by_jaw * pose->jaw;
    blend->jaw.upper += by_jaw * pose->upper;
    blend->jaw.lower += by_jaw * pose->lower;
    blend->jaw.teeth += by_jaw * pose->teeth;
    blend->jaw.tongue += by_jaw * pose->tongue;
    blend->jaw.tip += by_jaw * pose->tip;
    blend->lips.wide += by_lips * pose->wide;
    blend->lips.round += by_lips * pose->round;
    blend->jaw_weight += jaw;
    blend->lips_weight += lips;
}

static struct mouth_pose blend_result(const struct blend *blend)
{
    float jaw = blend->jaw_weight > 1e-9 ? (float)(1 / blend->jaw_weight) : 0;
    float lips = blend->lips_weight > 1e-9 ? (float)(1 / blend->lips_weight) : 0;
    return (struct mouth_pose){
        .jaw = blend->jaw.jaw * jaw,
        .upper = blend->jaw.upper * jaw,
        .lower = blend->jaw.lower * jaw,
        .teeth = blend->jaw.teeth * jaw,
        .tongue = blend->jaw.tongue * jaw,
        .tip = blend->jaw.tip * jaw,
        .wide = blend->lips.wide * lips,
        .round = blend->lips.round * lips,
    };
}

/* How certainly a span of M B P or F V, or a silence, holds at the moment. */
static float hold(const struct viseme_span *span, double time_s)
{
    double middle = (span->start_s + span->end_s) / 2;
    double length = span->end_s - span->start_s;
    if (span->viseme == VISEME_SILENCE) {
        if (length < silence_min_s)
            return 0;
        double ramp = fmin(silence_ramp_s, length / 2);
        double start = fmin(span->start_s - silence_lead_s + ramp, middle);
        double end = fmax(span->end_s + silence_lead_s - ramp, middle);
        return plateau(time_s, start, end, ramp);
    }
    /* The closure takes the middle of the span, and never less than one frame of it. */
    double half = fmax(length * 0.3, closure_min_s / 2);
    return plateau(time_s, middle - half, middle + half, closure_ramp_s) *
           fminf(1, span->strength * 2);
}

static void close_lips(struct mouth_pose *pose, float amount)
{
    float left = 1 - amount;
    pose->jaw *= left;
    pose->upper *= left;
    pose->lower *= left;
    pose->teeth *= left;
    pose->tongue *= left;
    pose->tip *= left;
    pose->press = fmaxf(pose->press, amount);
    pose->tuck *= left;
}

static void tuck_lip(struct mouth_pose *pose, float amount)
{
    const struct mouth_pose *target = &targets[VISEME_FV].pose;
    pose->jaw += (target->jaw - pose->jaw) * amount;
    pose->upper += (target->upper - pose->upper) * amount;
    pose->lower += (target->lower - pose->lower) * amount;
    pose->tuck = fmaxf(pose->tuck, amount);
}

static void scale(struct mouth_pose *pose, float by)
{
    float *value = &pose->jaw;
    for (size_t i = 0; i < sizeof *pose / sizeof *value; i++)
        value[i] *= by;
}

struct mouth_pose articulation_at(const struct viseme_track *track, double time_s)
{
    double reach = lips_window_s + lips_ahead_s;
    size_t begin = first_span(track, time_s - reach), end = begin;
    struct blend blend = {0};
    for (; end < track->count && track->spans[end].start_s < time_s + reach; end++)
        blend_add(&blend, &track->spans[end], time_s);
    if (end == begin)
        return (struct mouth_pose){0};

    /* Before the track and after it there is silence. */
    struct viseme_span before = {-1e3, track->spans[0].start_s, VISEME_SILENCE, 1};
    struct viseme_span after = {track->spans[track->count - 1].end_s, 1e6, VISEME_SILENCE, 1};
    blend_add(&blend, &before, time_s);
    blend_add(&blend, &after, time_s);

    struct mouth_pose pose = blend_result(&blend);
    float silence = fmaxf(hold(&before, time_s), hold(&after, time_s));
    for (size_t i = begin; i < end; i++) {
        const struct viseme_span *span = &track->spans[i];
        if (span->viseme == VISEME_MBP)
            close_lips(&pose, hold(span, time_s));
        else if (span->viseme == VISEME_FV)
            tuck_lip(&pose, hold(span, time_s));
        else if (span->viseme == VISEME_SILENCE)
            silence = fmaxf(silence, hold(span, time_s));
    }
    scale(&pose, 1 - silence);
    return pose;
}

float mouth_pose_gap(const struct mouth_pose *pose)
{
    return (pose->jaw * 0.92f + pose->upper + pose->lower) * (1 - pose->press);
}

bool mouth_pose_is_still(const struct mouth_pose *pose)
{
    const float *value = &pose->jaw;
    for (size_t i = 0; i < sizeof *pose / sizeof *value; i++)
        if (value[i] != 0)
            return false;
    return true;
}
