/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be said, sentence by sentence: text from outside, cleaned and bounded so that the
 * front ends (whose buffers are of fixed size) meet only what they were made for. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

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

/* For Open JTalk: kana, kanji and full-width digits and signs, each line at most `limit_bytes`.
 * Latin words are spelled in kana. ERROR_INVALID when nothing is left to say. */
MUST_USE bool script_ja(const char *text, size_t limit_bytes, struct script *out,
                        struct error *err);

/* For flite: printable ASCII, each line at most `limit_bytes`. */
MUST_USE bool script_en(const char *text, size_t limit_bytes, struct script *out,
                        struct error *err);

/* Appends a line; for the functions above. */
void script_add(struct script *script, const char *text, size_t size, bool question);
