/* SPDX-License-Identifier: Apache-2.0 */
/* Who of several people a pixel belongs to. A network that sees people but does not tell them
 * apart gives one matte for all; here it is shared out. Each pixel goes to the face from which it
 * is reached on the shortest way, where ways through the picture of people are short, those
 * through background long, and those across an edge of colour longer still: between two who
 * touch, the border follows their clothes. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "media/face.h"

struct picture;

struct persons {
    int count;     /* of faces */
    int *owners;   /* width × height cells laid over the photo: index of the face */
    uint8_t *body; /* the matte in these cells */
    int width, height;
    int photo_width, photo_height;
};

/* `faces` are boxes as face detectors draw them (at least one; they may lie outside of the photo),
 * `matte` says where people are. */
MUST_USE struct persons persons_tell_apart(const struct picture *photo, const struct picture *matte,
                                           const struct box *faces, int count);
void persons_dispose(struct persons *persons);
static inline void persons_dispose_auto(struct persons *persons)
{
    persons_dispose(persons);
}

/* Head and torso of one: as far as they usually reach from such a face, drawn in (or up, for hair
 * and hats) to what the matte shows of this person. Within the photo. */
struct box person_box(const struct persons *persons, const struct box *face, int index);

/* Takes from `matte` (the one that was told apart, or one of the same photo) those whose `keep` is
 * false. With one face, or all kept, nothing changes. */
void persons_keep(const struct persons *persons, const struct picture *photo, const bool *keep,
                  struct picture *matte);
