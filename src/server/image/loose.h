/* SPDX-License-Identifier: Apache-2.0 */
/* Scraps of the background that a network was not sure of float in the air once the background is
 * another one. */
#pragma once

#include "media/face.h"
#include "media/picture.h"

/* Takes away what does not hang together with the face and is not right beside what does. */
void matte_drop_loose(struct picture *matte, const struct face *face);
