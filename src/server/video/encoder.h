/* SPDX-License-Identifier: Apache-2.0 */
/* H.264 High + AAC in MP4, written as frames and sound arrive. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct error;
struct frame420;

struct encoder_options {
    int width, height, fps;
    int audio_rate_hz; /* of what encoder_audio is given; the file has 48 kHz */
    int threads;
    const char *title, *comment; /* NULL or metadata */
};

struct encoder;
/* Writes `path`.part and renames it in encoder_finish. */
MUST_USE struct encoder *encoder_open(const char *path, const struct encoder_options *options,
                                      struct error *err);
MUST_USE bool encoder_frame(struct encoder *encoder, const struct frame420 *frame,
                            struct error *err);
/* In any portions, at any time; what lies beyond the frames so far is kept until they come. */
MUST_USE bool encoder_audio(struct encoder *encoder, const float *samples, size_t count,
                            struct error *err);
/* Flushes, moves the index to the front, publishes. */
MUST_USE bool encoder_finish(struct encoder *encoder, struct error *err);
/* Without encoder_finish before it, removes what was written. */
void encoder_free(struct encoder *encoder);
static inline void encoder_free_auto(struct encoder **encoder)
{
    encoder_free(*encoder);
}
