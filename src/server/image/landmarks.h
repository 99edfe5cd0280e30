/* SPDX-License-Identifier: Apache-2.0 */
/* The 478 points of a face that was detected, and how its head is turned. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "media/face.h"

struct detection;
struct error;
struct picture;
struct session;

/* Fills everything of `out`. The network looks twice: the second time where the first look says
 * that the face is, which moves the points by up to 2.5 pixels. out->score is what it thinks of
 * there being a face. */
MUST_USE bool landmarks_find(struct session *session, const struct picture *photo,
                             const struct detection *detection, struct face *out,
                             struct error *err);
