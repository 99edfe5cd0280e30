/* SPDX-License-Identifier: Apache-2.0 */
/* An engine: what stands behind some of the voices. One file each (japanese.c, english.c; a
 * remote one would be one more) and one row in voices.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "voice/voice.h"

struct error;
struct flite;

/* What engines share, and outlives them. */
struct engine_parts {
    const char *data_dir; /* or NULL; only while open runs */
    struct flite *flite;
};

struct engine_ops {
    const char *name; /* for the log */
    /* What the engine keeps; NULL and err when it is not there. */
    void *(*open)(const struct engine_parts *parts, struct error *err);
    void (*close)(void *engine);
    /* Its voices; the table may depend on what was found by open. Borrowed while it is open. */
    size_t (*count)(const void *engine);
    const struct voice_info *(*at)(const void *engine, size_t index);
    /* Can its voices read this? ERROR_INVALID where a letter is unknown to them. */
    bool (*can_read)(const void *engine, const char *text, struct error *err);
    /* Voice `index` speaks. Threads may call it at once. */
    bool (*speak)(void *engine, size_t index, const struct voice_request *request,
                  const struct voice_sink *sink, struct error *err);
};

extern const struct engine_ops engine_japanese, engine_english;
