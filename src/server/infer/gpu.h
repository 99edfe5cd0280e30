/* SPDX-License-Identifier: Apache-2.0 */
/* What a graphics card does right now, by NVIDIA's own account: NVML, which comes with the driver
 * and is loaded at run time. Threads may share one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct gpus;

/* ERROR_UNAVAILABLE where there is no NVML or no driver. `visible` is what CUDA_VISIBLE_DEVICES
 * says, by which "cuda:0" is found among the cards; NULL: all, in the order of their slots. */
MUST_USE struct gpus *gpus_open(const char *visible, struct error *err);
void gpus_close(struct gpus *gpus);
static inline void gpus_close_auto(struct gpus **gpus)
{
    gpus_close(*gpus);
}

/* What a card does not tell is -1. */
struct gpu_state {
    char name[96], driver[48];
    int busy_percent, memory_busy_percent;
    int64_t memory_used_bytes, memory_bytes;
    int temperature_c, clock_mhz, memory_clock_mhz;
    double power_w;
};

/* `device` is "cuda", "cuda:1", … */
MUST_USE bool gpus_read(struct gpus *gpus, const char *device, struct gpu_state *out,
                        struct error *err);

/* "NVIDIA H100: 96 % busy, 3865 of 81559 MiB, 61 C, 491 W, 1980 MHz", without what is not known. */
void gpu_text(const struct gpu_state *state, char *out, unsigned long size);
