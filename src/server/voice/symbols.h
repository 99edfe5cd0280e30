/* SPDX-License-Identifier: Apache-2.0 */
/* What signs and emoji are called when they are read out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct symbol {
    uint32_t c;
    const char *ja, *en;
};

/* NULL for what has no name here. */
const struct symbol *symbol_find(uint32_t c);

/* Pictures, which somebody adds to words and which alone are nothing to say. */
bool symbol_is_emoji(uint32_t c);
