/* SPDX-License-Identifier: Apache-2.0 */
/* Background music: pieces that this program composes and plays by itself, so that nobody's rights
 * are touched. The same piece always sounds the same. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "media/pcm.h"

struct music_info {
    const char *id; /* stable: "sunny" */
    const char *name_ja, *name_en;
    const char *description_ja, *description_en;
    const char *mood; /* "cheerful", "calm", "celebratory", "tender" */
    double loop_s;    /* the length after which it repeats */
};

size_t music_count(void);
const struct music_info *music_at(size_t index);
const struct music_info *music_find(const char *id);

/* `count` samples of the piece from its beginning, at `rate_hz`, repeating without a seam. About
 * −20 LUFS. */
struct pcm music_play(const struct music_info *music, int rate_hz, size_t count);
