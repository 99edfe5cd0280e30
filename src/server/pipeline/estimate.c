/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/estimate_internal.h"

#include <math.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/log.h"

static const struct row {
    const char *name;
    size_t offset;
    double first;
} rows[] = {
    {"portrait_s", offsetof(struct estimates, portrait_s), .15},
    {"speech_s_per_s", offsetof(struct estimates, speech_s_per_s), .06},
    {"sound_s_per_char", offsetof(struct estimates, sound_s_per_char), .13},
    {"frame_s_per_mp", offsetof(struct estimates, frame_s_per_mp), .015},
    {"finish_s", offsetof(struct estimates, finish_s), .05},
};
enum { ROWS = sizeof rows / sizeof *rows };

static double *field(struct estimates *estimates, size_t i)
{
    return (double *)((char *)estimates + rows[i].offset);
}

struct estimates estimates_first(void)
{
    struct estimates estimates;
    for (size_t i = 0; i < ROWS; i++)
        *field(&estimates, i) = rows[i].first;
    return estimates;
}

static bool sane(double value)
{
    return isfinite(value) && value > 1e-6 && value < 1000;
}

struct estimates estimates_load(const char *path)
{
    struct estimates estimates = estimates_first();
    AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
    struct error err;
    if (!path || !file_read(path, &text, &err))
        return estimates;
    AUTO(jv_free) struct jv *value = jv_parse(buf_bytes(&text), &err);
    for (size_t i = 0; value && i < ROWS; i++) {
        double read = jv_get_real(value, rows[i].name, 0);
        if (sane(read))
            *field(&estimates, i) = read;
    }
    return estimates;
}

void estimates_save(const struct estimates *estimates, const char *path)
{
    struct estimates copy = *estimates;
    AUTO(jv_free) struct jv *value = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(4096);
    struct error err;
    for (size_t i = 0; i < ROWS; i++)
        jv_real(value, rows[i].name, *field(&copy, i));
    if (path && (!jv_write(value, true, &text, &err) || !file_write(path, buf_bytes(&text), &err)))
        log_warn("pipeline.estimates_not_kept", LOG_ERROR(&err));
}

void estimates_learn(struct estimates *estimates, const struct estimates *measured)
{
    struct estimates copy = *measured;
    for (size_t i = 0; i < ROWS; i++) {
        double *average = field(estimates, i), value = *field(&copy, i);
        if (sane(value))
            *average += (value - *average) / 3;
    }
}

static double at_least(double value, double least)
{
    return value > least ? value : least;
}

/* What is awaited before the first frame: the slower of the two rows. */
static double prepare_left_s(const struct outlook *outlook, double now_s)
{
    if (outlook->portrait_ready && outlook->plan_ready)
        return 0;
    double portrait_s = outlook->portrait_ready ? 0 : outlook->by.portrait_s - now_s;
    double plan_s = outlook->plan_ready ? 0 : outlook->by.portrait_s - now_s;
    return at_least(at_least(portrait_s, plan_s), .02);
}

static double frames_left_s(const struct outlook *outlook, double now_s)
{
    if (outlook->frames_over)
        return 0;
    double sound_s = outlook->plan_ready
                         ? outlook->sound_s
                         : outlook->by.sound_s_per_char * (double)outlook->characters;
    double frames = outlook->plan_ready ? outlook->frames : sound_s * outlook->fps;
    double each_s = outlook->by.frame_s_per_mp * outlook->megapixels;
    if (outlook->frames_done > 0) {
        /* The more of its own frames are known, the more they count. */
        double own_s = (now_s - outlook->frames_began_s) / outlook->frames_done;
        double weight = outlook->frames_done / (outlook->frames_done + 15.0);
        each_s = own_s * weight + each_s * (1 - weight);
    }
    return each_s * at_least(frames - outlook->frames_done, 0);
}

double outlook_left_s(const struct outlook *outlook, double now_s)
{
    return prepare_left_s(outlook, now_s) + outlook->ahead_s + frames_left_s(outlook, now_s) +
           outlook->by.finish_s;
}

double outlook_percent(struct outlook *outlook, double now_s)
{
    double left_s = outlook_left_s(outlook, now_s);
    double percent = 100 * now_s / at_least(now_s + left_s, 1e-3);
    percent = percent < 99 ? percent : 99;
    if (percent > outlook->shown)
        outlook->shown = percent;
    return outlook->shown;
}
