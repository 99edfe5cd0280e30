/* SPDX-License-Identifier: Apache-2.0 */
/* The usual photo, with libjpeg alone: setting a pipeline of libvips up in a fresh process takes
 * several times as long as decoding it. Runs inside the confined worker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct photo_reply;

/* Where pixels go. */
struct jpeg_room {
    uint8_t *data;
    size_t size;  /* bytes */
    int max_side; /* pixels */
};

/* Decodes to upright RGB and fills `reply`. False when libvips has to do it: another colour space,
 * a profile, no scale of libjpeg's near the size, or something wrong other than an early end. */
bool jpeg_decode(struct bytes file, const struct jpeg_room *room, struct photo_reply *reply);

/* What the library does once in a process: before forking, so that not each worker does it. */
void jpeg_warm(void);
