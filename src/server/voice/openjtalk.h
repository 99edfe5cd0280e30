/* SPDX-License-Identifier: Apache-2.0 */
/* Japanese text → full-context labels, by the open_jtalk program.
 *
 * Its text analysis (dictionary, digits, accent phrases and types, devoiced and long vowels) exists
 * only as that program, which also synthesises. So it is given a voice of one state that makes
 * a few samples a phoneme, and its trace is read: 2 ms a sentence and 5 ms for fourteen seconds of
 * speech. Being a child, it may fall over hostile text without taking anybody along. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "voice/labels.h"

struct error;
struct openjtalk;

/* `data_dir` may be NULL. ERROR_NOT_FOUND when the program or its dictionary is not there. */
MUST_USE struct openjtalk *openjtalk_open(const char *data_dir, struct error *err);
void openjtalk_close(struct openjtalk *openjtalk);
static inline void openjtalk_close_auto(struct openjtalk **openjtalk)
{
    openjtalk_close(*openjtalk);
}

/* The longest sentence that the program takes, in bytes. */
enum { OPENJTALK_LIMIT = 1000 };

/* One sentence in full-width characters (script_ja.h makes them), at most OPENJTALK_LIMIT bytes.
 * ERROR_INVALID when there was nothing to say in it. Threads may call this at once. */
MUST_USE bool openjtalk_labels(const struct openjtalk *openjtalk, const char *sentence,
                               struct labels *out, struct error *err);
