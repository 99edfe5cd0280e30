/* SPDX-License-Identifier: Apache-2.0 */
/* Noise taken out of a small picture, for a network that was shown little of it: where it is
 * strong, that one sees no person in it. Clean pictures stay as they are, textures too. Pure. */
#pragma once

struct picture;

/* How much each value strays (a standard deviation, of 255), where the RGB picture is calmest. */
float picture_noise(const struct picture *picture);

/* Smooths it as far as its noise asks for. */
void picture_calm(struct picture *picture);
