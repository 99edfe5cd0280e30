/* SPDX-License-Identifier: Apache-2.0 */
/* What a video's file is called when somebody keeps it: the day and how the message begins. */
#pragma once

#include <stdint.h>

#include "base/attributes.h"

/* "2026-11-23 Happy birthday!.mp4", by this machine's calendar, of UTF-8 text; `ending` has its
 * dot. A name that every system takes: no separators, wildcards, controls, or marks that turn the
 * direction of writing, at most 40 characters of the text. To be freed. */
MUST_USE char *video_name(const char *text, int64_t made_ms, const char *ending);
