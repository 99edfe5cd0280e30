/* SPDX-License-Identifier: Apache-2.0 */
/* Where a folder lies, told so that the other side of a link finds out whether it is on the same
 * machine and one of the two lies within the other. A sync of such a pair would feed on itself. */
#pragma once

#include <stdbool.h>

struct jv;

/* Puts the machine's run and what the folder and those around it are into the object. */
void place_tell(const char *folder, struct jv *out);
/* Whether what was told of (which is not trusted) and the folder `path`, which need not be there
 * yet, are the same or one within the other. */
bool place_overlaps(const struct jv *told, const char *path);
