/* SPDX-License-Identifier: Apache-2.0 */
/* The instruments of our music: one note of each, made from sines, noise and envelopes. */
#pragma once

#include <stddef.h>

#include "media/pcm.h"

enum instrument {
    INSTRUMENT_PLUCK, /* a nylon string */
    INSTRUMENT_PIANO, /* a soft electric piano */
    INSTRUMENT_PAD,   /* strings far away */
    INSTRUMENT_BASS,
    INSTRUMENT_BELL,   /* a music box, a glockenspiel */
    INSTRUMENT_KICK,   /* a soft bass drum; pitch means nothing */
    INSTRUMENT_SHAKER, /* noise; pitch means nothing */
    INSTRUMENT_CLAP,
    INSTRUMENT_COUNT
};

/* A note of `seconds` and its fading away; `pitch` is a MIDI number. Peaks at about 1. */
struct pcm instrument_note(enum instrument instrument, int pitch, double seconds, int rate_hz);
