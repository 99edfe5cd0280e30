/* SPDX-License-Identifier: Apache-2.0 */
/* Files that keep a decoder busy with more than the picture that they show. How large that is says
 * how long they may take (photo_cpu_s), so a large one must not have the time for something else.
 * Pure. */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "decoder/sniff.h"

/* PNG: its stream unpacks to more than its rows; that takes about a tenth of reading it. JPEG: it
 * is sent in more passes than any camera or program makes. */
bool photo_swells(enum photo_format format, struct bytes file);
