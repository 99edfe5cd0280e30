/* SPDX-License-Identifier: Apache-2.0 */
/* Threads for handlers that block: a bounded queue in front of a fixed number of them. */
#pragma once

#include <stdbool.h>

struct workers;

/* `max_queued` bounds workers_submit; threads start when there is work for them. */
struct workers *workers_new(int threads, int max_queued);
/* Runs what is queued, then ends the threads; nothing can be submitted any more. */
void workers_end(struct workers *workers);
/* Ends them where that has not been done. */
void workers_free(struct workers *workers);

/* False when the queue is full. */
bool workers_submit(struct workers *workers, void (*run)(void *context), void *context);
/* For work that was already admitted: refused only after workers_end. */
bool workers_resubmit(struct workers *workers, void (*run)(void *context), void *context);

void workers_counts(struct workers *workers, int *out_busy, int *out_queued);
