/* SPDX-License-Identifier: Apache-2.0 */
/* The colours of a mouth's inside, as the photo's light and the face's own whites ask for. */
#pragma once

#include <stdbool.h>

struct face;
struct face_map;
struct frame420;

struct palette {
    float enamel[3], shaded[3], tongue[3], dark[3]; /* Y, U, V; shaded: of the lower teeth */
    float tilt;     /* how much lighter the right of the picture is: -1..1 over the mouth's width */
    bool own_teeth; /* the photo shows upper teeth */
};

struct palette palette_of(const struct face_map *map, const struct face *face,
                          const struct frame420 *photo);
