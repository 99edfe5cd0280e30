/* SPDX-License-Identifier: Apache-2.0 */
#include "media/pcm.h"

#include <stdlib.h>

void pcm_dispose(struct pcm *pcm)
{
    free(pcm->samples);
    *pcm = (struct pcm){0};
}
