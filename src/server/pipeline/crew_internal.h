/* SPDX-License-Identifier: Apache-2.0 */
/* A few threads, one for each core, that make the frames of all messages. Tasks run in the order
 * in which they were given, so messages that run at once share them evenly. */
#pragma once

#include "base/attributes.h"

struct error;

struct crew_task {
    void (*run)(void *context);
    void *context;
    struct crew_task *next; /* the crew's, until run begins */
};

struct crew;
MUST_USE struct crew *crew_new(int threads, struct error *err);
/* Nothing may be waiting. */
void crew_free(struct crew *crew);
/* The task must live until it runs. */
void crew_submit(struct crew *crew, struct crew_task *task);
int crew_threads(const struct crew *crew);
