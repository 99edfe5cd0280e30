/* SPDX-License-Identifier: Apache-2.0 */
/* Digits in Japanese text: dates, times, money, telephone numbers, versions. What is left as digits
 * is read as a number, with its counter, by the dictionary. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct chars;

/* Reads what begins at in->at[at] (a digit, or a currency sign before one) and appends what is to
 * be said. Returns how many characters it took, 0 when it is nothing of its own. */
size_t number_ja(const struct chars *in, size_t at, struct chars *out);
