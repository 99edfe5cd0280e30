/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be said, sentence by sentence: text from outside, cleaned and bounded so that the
 * front ends (whose buffers are of fixed size) meet only what they were made for. Pure functions.
 *
 * Nothing is left out silently: numbers, signs, emoji, addresses and the other language's words are
 * spelled in a way that can be read, and a letter of a writing system that is not known here is an
 * error. Text of nothing but signs and emoji has nothing to say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "voice/kana_en.h"

struct chars;
struct error;

struct script_line {
    char *text; /* owned; never empty */
    bool question;
};

struct script {
    size_t count, capacity;
    struct script_line *lines;
};

void script_dispose(struct script *script);
static inline void script_dispose_auto(struct script *script)
{
    script_dispose(script);
}

/* The sounds of an English word in small letters; false when it is not in the lexicon (*out is
 * then what its letters suggest). */
struct lexicon_en {
    void *context;
    bool (*look_up)(void *context, const char *word, struct phones_en *out);
};

/* For Open JTalk: kana, kanji and full-width digits, letters and signs, each line at most
 * `limit_bytes`. `lexicon` may be NULL: words that are not known by heart are then spelled.
 * ERROR_INVALID, without code and field, when nothing is left to say or a letter can't be said. */
MUST_USE bool script_ja(const char *text, size_t limit_bytes, const struct lexicon_en *lexicon,
                        struct script *out, struct error *err);

/* For flite: printable ASCII, each line at most `limit_bytes`. Errors as above; Japanese text is
 * one, since flite can't read it. */
MUST_USE bool script_en(const char *text, size_t limit_bytes, struct script *out,
                        struct error *err);

/* Appends a line; for the functions above. */
void script_add(struct script *script, const char *text, size_t size, bool question);
/* "nothing to say", or the letter that can't be said. */
bool script_refuse(uint32_t letter, struct error *err);
