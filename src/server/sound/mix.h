/* SPDX-License-Identifier: Apache-2.0 */
/* Music under speech: quiet while somebody speaks, a little louder in pauses, in and out softly. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct error;
struct music_info;
struct pcm;

/* Adds the piece to `speech`, which is levelled already. `level` is 1 as meant, 0 none. */
MUST_USE bool mix_music(struct pcm *speech, const struct music_info *music, double level,
                        struct error *err);
