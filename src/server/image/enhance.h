/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct picture;

/* Stretches flat contrast and sharpens a little, in place. `photo` is RGB; one that is fine hardly
 * changes. */
void picture_enhance(struct picture *photo);
