/* SPDX-License-Identifier: Apache-2.0 */
/* Another sample rate, over libswresample. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "media/pcm.h"

struct error;

/* *out has exactly round(count * to_hz / rate) samples, and sample n of it is at the same time as
 * before. The same rate is a copy. */
MUST_USE bool resample(const struct pcm *pcm, int to_hz, struct pcm *out, struct error *err);

size_t resampled_count(size_t count, int from_hz, int to_hz);
