/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that a graphics card reads and writes by itself, so that copies to and from it run beside
 * its work. Each run in flight has a slot of its own: with two streams one is copied while the
 * other is computed. Slots are kept for the next runs. Threads share one. */
#pragma once

#include <onnxruntime_c_api.h>

#include "infer/runtime_internal.h"

struct pinned;
struct pinned_slot;

/* NULL where the session has no such memory: then ordinary memory serves. */
struct pinned *pinned_open(const struct runtime *runtime, const OrtSession *session);
void pinned_close(struct pinned *pinned); /* before its session */

struct pinned_slot *pinned_take(struct pinned *pinned);
void pinned_give(struct pinned *pinned, struct pinned_slot *slot);

/* Room for tensor `index` of the run; NULL when there is no more of that memory. */
void *pinned_room(struct pinned *pinned, struct pinned_slot *slot, int index, size_t size);
const OrtMemoryInfo *pinned_memory(const struct pinned *pinned);
