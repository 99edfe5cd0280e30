/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about what ssh said. ssh's own words are shown as they are; this goes behind them. */
#pragma once

#include <stddef.h>

#include "base/bytes.h"

/* Writes "" when nothing better is known. `said`: all that ssh wrote to its standard error. */
void advice_for(struct bytes said, const char *host, char *out, size_t room);
