/* SPDX-License-Identifier: Apache-2.0 */
/* From what a voice made to what a message sounds like: 48 kHz, −16 LUFS, no peak above −1 dBTP,
 * music underneath when asked for.
 *
 * Loudness is a property of the whole utterance, so this takes all of it at once; 10 s cost about
 * 60 ms. Nothing here moves the speech in time but `lead_s`: sample n of the input sounds at
 * lead_s + n / rate. Pure functions; threads may call them at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "media/pcm.h"

struct error;

enum { SOUND_RATE_HZ = 48000 };

struct sound_options {
    /* 1 is −16 LUFS; 0.5 is 6 dB less, 0 is silence, 2 is 6 dB more as far as the peak limit
     * allows. Here is the place for a request's volume: give the voice 1, since what it makes is
     * normalised. */
    double volume;
    double lead_s, tail_s; /* silence put before and after, 0..10 each; a track of visemes must be
                              moved by lead_s */
    const char *bgm;       /* NULL, "" or "none"; or the id of a piece of music.h */
    double bgm_level;      /* 1 as composed, 0..2 */
};

/* volume 1, no padding, no music, bgm_level 1. */
struct sound_options sound_options_defaults(void);

/* How many samples sound_master makes of `count` samples at `rate_hz`. Known with the voice's plan,
 * before there is sound. */
size_t sound_length(size_t count, int rate_hz, const struct sound_options *options);

/* Takes the speech's samples over: *speech is empty afterwards, unless this fails before. The
 * length of *out is exactly sound_length. ERROR_INVALID about "bgm" (bgm_unknown); ERROR_LIMIT for
 * more than ten minutes. */
MUST_USE bool sound_master(struct pcm *speech, const struct sound_options *options, struct pcm *out,
                           struct error *err);
