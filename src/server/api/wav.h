/* SPDX-License-Identifier: Apache-2.0 */
/* Sound as a WAV file in memory: 16 bits, one channel. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct buf;
struct error;

/* Appends the 44 bytes that stand before `samples` samples. */
MUST_USE bool wav_header(struct buf *out, int rate_hz, size_t samples, struct error *err);
/* Appends samples, clipped to -1..1. */
MUST_USE bool wav_samples(struct buf *out, const float *samples, size_t count, struct error *err);
