/* SPDX-License-Identifier: Apache-2.0 */
/* Named ranges around stages, for Nsight Systems and whatever else speaks NVTX. Such a tool names
 * its library in NVTX_INJECTION64_PATH and takes the calls itself; without one they cost a test.
 * One per process, as the tool has it. */
#pragma once

#include <stdbool.h>

/* For main.c, before threads start: `library` is the variable's value, or NULL. False when there is
 * one and it is of no use; out_reason (room for 160) says why. */
bool trace_begin(const char *library, char *out_reason, unsigned long size);

/* Ranges nest, thread by thread. */
void trace_push(const char *name);
void trace_pop(void);

/* TRACE("prepare"); until the end of the block. */
#define TRACE(name)                                                                                \
    __attribute__((cleanup(trace_pop_auto), unused)) const char *trace_range_ = trace_push_(name)
static inline const char *trace_push_(const char *name)
{
    trace_push(name);
    return name;
}
static inline void trace_pop_auto(const char **name)
{
    (void)name;
    trace_pop();
}
