/* SPDX-License-Identifier: Apache-2.0 */
/* Voices, models and the pipeline, opened in the background, so that a process answers at once
 * after its start; and given back what they do not need while nobody asks for anything. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "image/portrait.h"

struct error;
struct health;
struct jobs;
struct metrics;
struct pipeline;
struct scheduler;
struct store;
struct vision;
struct watch;
struct voices;

/* Everything is borrowed and must outlive the engines. */
struct engines_options {
    struct vision_settings vision;
    const char *assets_dir, *state_path;
    struct store *store;
    struct jobs *jobs;
    struct health *health;
    struct metrics *metrics;
    bool work;     /* take jobs from the queue */
    bool messages; /* voices and pipeline too, not only what looks at pictures */
};

struct engines;
struct engines *engines_new(const struct engines_options *options);
/* Nothing is opened from here on, and nobody takes up work any more: for jobs_stop, after it. */
void engines_end(struct engines *engines);
/* After jobs_stop. */
void engines_free(struct engines *engines);

/* Begins to open them, unless that has begun. */
void engines_warm(struct engines *engines);

/* What is there, waiting until it has been opened. Blocking. ERROR_UNAVAILABLE (engine_missing)
 * with the reason when it could not be. */
MUST_USE struct vision *engines_vision(struct engines *engines, struct error *err);
MUST_USE struct voices *engines_voices(struct engines *engines, struct error *err);
MUST_USE struct pipeline *engines_pipeline(struct engines *engines, struct error *err);

/* NULL while it has not been opened. */
struct vision *engines_vision_now(struct engines *engines);

/* Whose turn it is to have a photo decoded, looked at and encoded: all of that takes processors
 * and memory, so only a few do it at once, and a bounded number waits. */
struct scheduler *engines_turns(struct engines *engines);
/* How many can work and wait there. */
int engines_turns_places(struct engines *engines);

/* Ends the waiting of whoever has left. */
struct watch *engines_watch(struct engines *engines);

/* There was work: memory that it took is given back to the system when no other follows. */
void engines_worked(struct engines *engines);
