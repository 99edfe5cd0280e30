/* SPDX-License-Identifier: Apache-2.0 */
/* What flite_voice.c (text) and flite_speak.c (sound) share; flite's own types go no further. */
#pragma once

#include <pthread.h>

#include <flite/flite.h>

#include "voice/flite_voice.h"

struct flite {
    pthread_mutex_t lock;  /* around everything that flite does to an utterance */
    pthread_mutex_t noise; /* around its vocoder, whose noise is rand(): the same in every run */
    cst_voice *speakers[FLITE_SPEAKERS];
};

/* A line that is not analysed yet. */
cst_utterance *flite_utterance(cst_voice *voice, const char *line);
