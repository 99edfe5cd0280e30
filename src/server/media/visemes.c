/* SPDX-License-Identifier: Apache-2.0 */
#include "media/visemes.h"

#include <stdlib.h>

void viseme_track_dispose(struct viseme_track *track)
{
    free(track->spans);
    *track = (struct viseme_track){0};
}

const char *viseme_name(enum viseme viseme)
{
    static const char *const names[VISEME_COUNT] = {
        "silence", "a",  "i", "u",  "e", "o", "w", "mbp", "fv",
        "l",       "th", "s", "sh", "r", "t", "k", "y",   "h",
    };
    return names[viseme];
}
