/* SPDX-License-Identifier: Apache-2.0 */
/* How far, and how long still: from what the stages took before (kept in a file, moving averages)
 * and from what this message's own frames take. Pure arithmetic apart from the file; time is a
 * parameter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct estimates {
    double portrait_s;       /* photo to portrait               */
    double speech_s_per_s;   /* of sound                        */
    double sound_s_per_char; /* how long a text becomes         */
    double frame_s_per_mp;   /* a megapixel, rendered and encoded */
    double finish_s;
};
struct estimates estimates_first(void);
/* From a file; the first guess where there is none that can be read. */
struct estimates estimates_load(const char *path);
void estimates_save(const struct estimates *estimates, const char *path);
/* `measured` counts a third; fields that are 0 were not measured. */
void estimates_learn(struct estimates *estimates, const struct estimates *measured);

/* One message on its way. Times are seconds since it began. */
struct outlook {
    struct estimates by;
    double megapixels; /* of a frame */
    int fps;
    size_t characters;
    bool portrait_ready, plan_ready, sound_ready;
    double sound_s; /* once the plan is ready */
    int frames;     /* all, once the plan is ready */
    int frames_done;
    double ahead_s;        /* of others, before its first frame may be begun */
    double frames_began_s; /* when the first was begun */
    bool frames_over;
    double shown; /* percent, so far the highest */
};
/* Seconds until done. */
double outlook_left_s(const struct outlook *outlook, double now_s);
/* Percent, 0..99, never less than before. */
double outlook_percent(struct outlook *outlook, double now_s);
