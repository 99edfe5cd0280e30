/* SPDX-License-Identifier: Apache-2.0 */
#include "media/visemes.h"

#include <stdlib.h>

void viseme_track_dispose(struct viseme_track *track)
{
    free(track->spans);
    *track = (struct viseme_track){0};
}
