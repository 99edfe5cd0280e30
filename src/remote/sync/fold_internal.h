/* SPDX-License-Identifier: Apache-2.0 */
/* Unicode's canonical decompositions and lower-case mappings. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* from..to in steps become lower case by adding delta. */
struct fold_lower {
    uint32_t from, to;
    int32_t step, delta;
};
extern const struct fold_lower fold_lowers[];
extern const size_t fold_lower_count;

/* A composed character, what it is based on and the mark that is added; by code. */
struct fold_composed {
    uint32_t code, base, mark;
};
extern const struct fold_composed fold_composed[];
extern const size_t fold_composed_count;
