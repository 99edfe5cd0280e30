/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a request can be wrong, in words: one row for each code that any module puts
 * into an error. A test holds the table to the codes that the sources use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum language { LANGUAGE_JA, LANGUAGE_EN, LANGUAGES };

struct problem_row {
    const char *code;
    int status;
    const char *title[LANGUAGES];
    const char *detail[LANGUAGES]; /* says what to do */
    bool show_reason;              /* the error's own text helps and gives nothing away */
    bool text_is_field;            /* the error's text is the name of a field that is not ours */
    int retry_after_s;             /* 0: trying again as it is does not help */
};

/* The row of a code; NULL for an unknown one or NULL. */
const struct problem_row *problem_find(const char *code);
/* The row that explains an error: its code's, or a general one for its kind. Never NULL. */
const struct problem_row *problem_of(const struct error *err);

size_t problem_count(void);
const struct problem_row *problem_at(size_t index);
