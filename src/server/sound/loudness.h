/* SPDX-License-Identifier: Apache-2.0 */
/* Loudness as EBU R 128 measures it, over libebur128. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct error;
struct pcm;

struct loudness {
    double lufs;      /* integrated; -INFINITY for silence */
    double peak_dbtp; /* true peak; -INFINITY for silence  */
};

/* Sounds shorter than a second are measured as if repeated, since the standard's first window is
 * 0.4 s. */
MUST_USE bool loudness_measure(const struct pcm *pcm, struct loudness *out, struct error *err);
