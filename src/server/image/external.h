/* SPDX-License-Identifier: Apache-2.0 */
/* The files in which an ONNX model keeps its weights, where these are not in the model itself
 * ("external data"): every model above two gigabytes, and many below. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

enum { EXTERNAL_FILES = 256 };

struct external {
    char *names[EXTERNAL_FILES]; /* each once, in the order of their first mention */
    int count;
};
void external_dispose(struct external *external);
static inline void external_dispose_auto(struct external *external)
{
    external_dispose(external);
}

/* Reads what `model`, the content of an .onnx file, says of them. ERROR_INVALID when it is no
 * model, or names a file that is not directly beside it; ERROR_LIMIT when there are too many. */
MUST_USE bool external_find(struct bytes model, struct external *out, struct error *err);
