/* SPDX-License-Identifier: Apache-2.0 */
/* A text spoken to its end, as a WAV file in memory. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct buf;
struct error;
struct voice_request;
struct voices;

/* Appends the file. `out` bounds it: a text of 1,000 characters may take ten minutes, 60 MB. */
MUST_USE bool spoken_wav(struct voices *voices, const struct voice_request *request,
                         struct buf *out, struct error *err);
