/* SPDX-License-Identifier: Apache-2.0 */
/* A voice: text in; phoneme times first, then sound, as it is made.
 *
 * Back ends (local.c …) are tables of functions behind this header. All calls block and may be
 * made from several threads at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "media/visemes.h"

struct error;

struct voice_info {
    const char *id;       /* stable, in URLs and artifact keys: "ja-hana" */
    const char *language; /* "ja" or "en" */
    const char *name_ja, *name_en;
    const char *description_ja, *description_en;
    const char *engine; /* "hts", "flite", "voicevox" … */
    const char *credit; /* NULL, or what must be shown beside a result */
};

struct voice_request {
    const char *voice_id;
    const char *text;  /* valid UTF-8, 1..1000 code points, something to say in it */
    double speed;      /* 1 as it is, 0.5..2          */
    double pitch;      /* half-tones up or down, 0 as it is, ±12 */
    double intonation; /* 1 as it is, 0..2            */
    double volume;     /* 1 as it is, 0..2            */
    double pause;      /* length of pauses, 1 as it is, 0..3 */
};

/* What the engine tells, in this order: plan once, then audio until all of it is there. Each
 * returns false (with err set) to stop the engine, which then returns false with that error. */
struct voice_sink {
    void *context;
    /* The whole track and the exact number of samples that will follow. */
    bool (*plan)(void *context, const struct viseme_track *track, int rate_hz, size_t samples,
                 struct error *err);
    bool (*audio)(void *context, const float *samples, size_t count, struct error *err);
};

struct voices; /* all engines that are there */

/* `data_dir` NULL: where the installation keeps dictionaries and voices. Engines that are missing
 * are left out with a log line; it fails only when not one voice is left. */
MUST_USE struct voices *voices_open(const char *data_dir, struct error *err);
void voices_close(struct voices *voices);

size_t voices_count(const struct voices *voices);
const struct voice_info *voices_at(const struct voices *voices, size_t index);
const struct voice_info *voices_find(const struct voices *voices, const char *id);

/* The default voice for this text's language, Japanese when it has kana or kanji. */
const struct voice_info *voices_for_text(const struct voices *voices, const char *text);

/* Whether this voice can say the text, without saying it: what voices_speak would refuse about it
 * is refused here, in microseconds. Errors as below. */
MUST_USE bool voices_can_read(const struct voices *voices, const char *voice_id, const char *text,
                              struct error *err);

/* ERROR_INVALID about "text" (voice_text_unspeakable) when nothing in it can be said or this voice
 * cannot read a letter of it (Japanese for an English voice, say), or (text_not_utf8); ERROR_LIMIT
 * (text_too_long); ERROR_NOT_FOUND about "voice_profile" (voice_unknown) for an unknown id;
 * ERROR_INVALID (number_out_of_range) about the number's own field.
 *
 * A voice's `volume` is a gain on what it makes; what is normalised afterwards (sound/sound.h)
 * should be made with 1. The times in the plan are those of the samples. */
MUST_USE bool voices_speak(struct voices *voices, const struct voice_request *request,
                           const struct voice_sink *sink, struct error *err);
