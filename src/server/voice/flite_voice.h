/* SPDX-License-Identifier: Apache-2.0 */
/* flite: English text → analysed utterances, and its own clustergen voices. flite keeps state of
 * its own, so one call at a time goes into it; calls wait for each other here. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "voice/kana_en.h"
#include "voice/script.h"
#include "voice/utterance_en.h"

struct error;
struct flite;
struct voice_request;
struct voice_sink;

/* Of these, `FLITE_SLT` is only needed where the HTS voice of the same speaker is missing. */
enum flite_speaker { FLITE_SLT, FLITE_RMS, FLITE_AWB, FLITE_SPEAKERS };

MUST_USE struct flite *flite_open(void);
void flite_close(struct flite *flite);

/* Analyses one line of script_en, in about a millisecond. ERROR_INVALID when flite finds no word
 * in it. */
MUST_USE bool flite_analyse(struct flite *flite, const char *line, struct utterance_en *out,
                            struct error *err);

/* The sounds of a word in small letters; false when it is not in the lexicon, and *out is what its
 * letters suggest. */
bool flite_word(struct flite *flite, const char *word, struct phones_en *out);

/* How a flite voice differs from what its makers recorded. */
struct flite_style {
    enum flite_speaker speaker;
    double half_tones;
    double intonation, speed; /* 1 as recorded */
    double tract;             /* added to the all-pass constant; negative: a shorter vocal tract */
};

MUST_USE bool flite_speak(struct flite *flite, const struct flite_style *style,
                          const struct voice_request *request, const struct script *script,
                          const struct voice_sink *sink, struct error *err);
