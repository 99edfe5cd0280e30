/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and sizes as people write them: "250ms", "1h30m", "10MB". Pure functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;

/* Units d, h, m, s and ms, largest first, at most 1000 d. */
MUST_USE bool duration_parse(const char *text, int64_t *out_ms, struct error *err);

/* A number with B, kB, MB, GB (powers of 1000) or KiB, MiB, GiB (powers of 1024). */
MUST_USE bool size_parse(const char *text, int64_t *out_bytes, struct error *err);
