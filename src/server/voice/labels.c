/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/labels.h"

#include "base/mem.h"

void labels_dispose(struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        free(labels->lines[i]);
    free(labels->lines);
    *labels = (struct labels){0};
}

void labels_reserve(struct labels *labels, size_t count)
{
    labels->lines = xreallocarray(labels->lines, count, sizeof *labels->lines);
}
