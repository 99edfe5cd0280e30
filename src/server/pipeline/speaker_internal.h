/* SPDX-License-Identifier: Apache-2.0 */
/* The row of the sound, on a thread of its own: found again, or spoken, mastered and kept. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct order;
struct pcm;
struct pipeline;
struct viseme_track;

struct speaker;
MUST_USE struct speaker *speaker_start(struct pipeline *pipeline, const struct order *order,
                                       struct error *err);

/* While a request is still being looked at, its speech may begin: speaker_ahead starts it,
 * speaker_leave gives it to the job that follows, which finds it with speaker_take (NULL when it
 * is not there). What nobody takes is dropped after a while. */
struct speaker *speaker_ahead(struct pipeline *pipeline, const struct order *order);
void speaker_leave(struct speaker **speaker);
static inline void speaker_leave_auto(struct speaker **speaker)
{
    speaker_leave(speaker);
}
struct speaker *speaker_take(struct pipeline *pipeline, const struct order *order);
void speakers_drop(struct pipeline *pipeline);

/* Calls the speech off when it is still going on; does not wait for its end. */
void speaker_free(struct speaker *speaker);
static inline void speaker_free_auto(struct speaker **speaker)
{
    speaker_free(*speaker);
}

enum speaker_state { SPEAKER_FAILED, SPEAKER_SILENT, SPEAKER_PLANNED, SPEAKER_DONE };
/* Waits until `wanted` is reached, at most `timeout_ms`. On SPEAKER_FAILED *err is set. */
enum speaker_state speaker_wait(struct speaker *speaker, enum speaker_state wanted,
                                int64_t timeout_ms, struct error *err);

/* Once planned: borrowed until speaker_free. */
const struct viseme_track *speaker_track(const struct speaker *speaker);
double speaker_duration_s(const struct speaker *speaker);
/* Once done. */
const struct pcm *speaker_pcm(const struct speaker *speaker);
double speaker_took_s(const struct speaker *speaker); /* 0 when it was found again */
