/* SPDX-License-Identifier: Apache-2.0 */
/* HTS Engine: full-context labels → durations, then sound, sentence by sentence.
 *
 * Durations are known before a sample is made, so the whole track is told first (about 1 ms for a
 * second of speech) and the sound follows as it is made (about 5 ms for a second, vocoder.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "voice/labels.h"
#include "voice/mouth.h"

struct error;
struct voice_request;
struct voice_sink;

/* What makes a character out of a voice file. */
struct hts_style {
    double half_tones;
    double alpha;      /* all-pass constant; below the voice's own: a shorter vocal tract */
    double speed;      /* 1 as trained */
    double intonation; /* 1 as trained */
    double gv;         /* weight of the spectrum's global variance: 1 clear, 0.5 soft */
    double unvoiced;   /* threshold: 0.5 as trained; higher is breathier */
};

struct hts_sentence {
    struct labels labels;
    bool question; /* rises at its end */
};

struct hts_sentences {
    size_t count;
    struct hts_sentence *items;
};

void hts_sentences_dispose(struct hts_sentences *sentences);
static inline void hts_sentences_dispose_auto(struct hts_sentences *sentences)
{
    hts_sentences_dispose(sentences);
}
/* Room for `count` in all, zeroed; for those who fill it in. */
void hts_sentences_reserve(struct hts_sentences *sentences, size_t count);

struct hts_speech {
    const char *path; /* the voice file */
    const struct hts_style *style;
    const struct voice_request *request;
    const struct hts_sentences *sentences;
    /* The mouth for a label; `phoneme` and `next` are taken from it. */
    struct mouth (*mouth)(const char *label, const char *phoneme, const char *next);
};

/* Threads may call this at once: each call loads the voice for itself (6 ms). */
MUST_USE bool hts_speak(const struct hts_speech *speech, const struct voice_sink *sink,
                        struct error *err);
