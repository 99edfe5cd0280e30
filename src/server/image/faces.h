/* SPDX-License-Identifier: Apache-2.0 */
/* The faces of a photo with their landmarks: what the detector proposes, checked by a closer look
 * and by the landmark network, so that a rocket's window is not taken for somebody. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "media/face.h"

struct error;
struct picture;
struct session;

struct face_models {
    struct session *detector, *landmarks;
};

/* Boxes of what one look at the whole photo takes for a face, unchecked: at most `room`, which is
 * a fraction of what faces_find costs. */
MUST_USE bool faces_glance(struct session *detector, const struct picture *photo, struct box *boxes,
                           int room, int *out_count, struct error *err);

/* At most `room` faces of `photo` (RGB), the largest first. Without a landmark network (NULL) they
 * have their box and, of their points, the tip of the nose: enough to say who is meant. */
MUST_USE bool faces_find(const struct face_models *models, const struct picture *photo,
                         struct face *faces, int room, int *out_count, struct error *err);
