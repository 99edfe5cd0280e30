/* SPDX-License-Identifier: Apache-2.0 */
/* What comes with the program: backgrounds, from assets/backgrounds/manifest.json. */
#pragma once

#include "base/attributes.h"

struct error;
struct presets;

MUST_USE struct presets *presets_open(const char *assets_dir, struct error *err);
void presets_close(struct presets *presets);
