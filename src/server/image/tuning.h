/* SPDX-License-Identifier: Apache-2.0 */
/* How a model runs best on a device: measured, not believed, and kept in a file for the next start.
 *
 *     {"version": 1, "measured": [{"model": "portrait@1:029f17bdb66a", "device": "cpu",
 *       "name": "Intel(R) Xeon(R), 2 cores", "threads": 1, "streams": 2, "batch": 1,
 *       "pictures_per_s": 210.3, "p50_ms": 9.4}]}
 *
 * An entry is good for the very model and device that it names; a file that cannot be read is as
 * good as none. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "image/models.h"

struct error;
struct runtime;

enum { TUNING_MAX = 64, TUNING_NAME = 96, BATCH_MAX = 4 };

struct tuned {
    char model[MODEL_KEY_SIZE];
    char device[16];
    char name[TUNING_NAME]; /* of the device's kind */
    int threads, streams, batch;
    double pictures_per_s, p50_ms;
};

/* What is kept of the model, device and name of `like`. False when there is nothing. */
MUST_USE bool tuning_find(const char *path, const struct tuned *like, struct tuned *out);
/* Replaces what was kept of the same model and device. */
MUST_USE bool tuning_keep(const char *path, const struct tuned *tuned, struct error *err);

/* What the device is, for people and as part of the key: "AMD EPYC 7B13, 2 cores". `visible` as in
 * gpus_open. */
void device_name(const char *device, const char *visible, char out[TUNING_NAME]);

struct tune_how {
    const char *device;  /* as in session_options */
    const char *visible; /* as in gpus_open */
    double each_s;       /* for one combination; 0: 0.3 */
    int max_threads;     /* 0: as many as there are cores */
    size_t arena_limit_bytes;
    /* Around each combination, or NULL: who else uses the device waits. False ends it. */
    bool (*enter)(void *context);
    void (*leave)(void *context);
    /* After each combination; NULL: nobody watches. */
    void (*tell)(void *context, const struct tuned *measured);
    void *context;
};

/* Tries threads, streams and, where the model takes several pictures at once, batches. Takes as
 * long as each_s times the combinations that make sense, and longer for models that are slower
 * than that. The fastest wins, but more streams, pictures or threads only where they gain 5 %. */
MUST_USE bool tune(struct runtime *runtime, const struct model_entry *entry,
                   const struct tune_how *how, struct tuned *out, struct error *err);

/* Only streams and batches, of a model that is loaded already: about a second of a fast one. */
struct cutter;
MUST_USE bool tune_loaded(struct cutter *cutter, const struct tuned *like,
                          const struct tune_how *how, struct tuned *out, struct error *err);
