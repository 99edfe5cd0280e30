/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind the person, composed once for a message. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "media/picture.h"

struct error;
struct order;
struct pipeline;
struct places;
struct portrait;

/* RGB at the frame's size; stays empty for a background that is kept. */
MUST_USE bool backdrop_make(struct pipeline *pipeline, const struct order *order,
                            const struct places *places, const struct portrait *portrait,
                            struct picture *out, struct error *err);
