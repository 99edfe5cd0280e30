/* SPDX-License-Identifier: Apache-2.0 */
/* A model that is loaded, and one picture's way through it. */
#pragma once

#include <pthread.h>

#include "image/models.h"
#include "image/scheduler.h"
#include "image/segment.h"
#include "infer/runtime.h"

struct cutter;
struct rider;
struct watch;

/* Everybody who uses it counts as a user; the last one closes it. */
struct loaded {
    struct runtime *runtime;
    struct cutter *cutter;
    int users;
    size_t memory_bytes; /* of one picture */
    double seconds;      /* of one picture */
    char key[MODEL_KEY_SIZE];
    char kind[16];
    char *paths[MODEL_FILES];
    int threads, streams, batch; /* as is best for it; streams 0: not known */
    pthread_mutex_t lock;        /* everything below */
    struct cutter *spare; /* the same model on the CPU, for when the device's memory is short */
    struct rider *riders; /* who may be taken along, in the order in which they came */
    pthread_cond_t arrived;
    int side; /* at which pictures fit since memory was short; 0: the usual one */
    int64_t side_until_ms;
};

/* Loads it and sends one grey picture through it. */
MUST_USE struct loaded *loaded_open(struct runtime *runtime, const struct model_entry *entry,
                                    const struct session_options *options, struct error *err);
void loaded_free(struct loaded *loaded);
static inline void loaded_free_auto(struct loaded **loaded)
{
    loaded_free(*loaded);
}

/* The smaller size of the network's input that fits into memory since that was short; or 0. */
int loaded_side(struct loaded *loaded);

/* How a picture got through although memory was short. */
enum relief { RELIEF_ALONE, RELIEF_SMALLER, RELIEF_CPU, RELIEF_NONE, RELIEFS };

struct attempt {
    struct scheduler *scheduler;
    struct watch *watch;
    struct loaded *loaded;
    const struct picture *photo;
    const struct cut_prompt *prompt; /* or NULL */
    const struct segment_how *how;   /* or NULL */
    bool refine;                     /* the mask gets the photo's size and edges */
    /* Filled in. */
    bool short_of_memory;
    enum relief relief;
    bool known; /* the network had looked at this picture before */
    int side;   /* of the network's input, where that was made smaller */
};

/* The mask, as the network made it or refined. Waits for its turn at the device, stops at the
 * deadline and when nobody waits any more, and finds a way when memory is short: with the device to
 * itself and its memory given back, then at a smaller size, then on the CPU. */
MUST_USE bool attempt_run(struct attempt *attempt, struct picture *out, struct error *err);
