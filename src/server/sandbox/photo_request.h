/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the picture decoder and what it answers. */
#pragma once

#include <stdint.h>

enum {
    PHOTO_MAX_BYTES = 10 * 1024 * 1024,
    PHOTO_MAX_PIXELS = 50 * 1000 * 1000,
    PHOTO_MAX_SIDE = 4096, /* of what comes out */
};

/* Seconds of processor time that a picture may take, once it has said how large it is. The slowest
 * honest ones (HEIC, PNG with 16 bits, progressive JPEG) take 0.06 s a megapixel on a core of 2020;
 * what swells beyond what it shows ends here. */
enum { PHOTO_MAX_CPU_S = 8, PHOTO_CPU_MS_A_MEGAPIXEL = 120 };
static inline int photo_cpu_s(int64_t pixels)
{
    return 1 + (int)((pixels * PHOTO_CPU_MS_A_MEGAPIXEL / 1000000 + 999) / 1000);
}

struct photo_request {
    uint32_t max_side; /* pixels */
};

enum photo_outcome {
    PHOTO_DECODED = 1,
    PHOTO_UNKNOWN,   /* no picture that we take, by its first bytes */
    PHOTO_BROKEN,    /* says it is one, but makes no sense */
    PHOTO_TRUNCATED, /* ends too early */
    PHOTO_HUGE,      /* too many pixels */
    PHOTO_ANIMATED,
    PHOTO_UNUSUAL, /* for another decoder */
};

struct photo_reply {
    uint32_t outcome;
    uint32_t width, height, channels; /* rows without gaps in the shared memory */
    char text[128];                   /* for the log */
};
