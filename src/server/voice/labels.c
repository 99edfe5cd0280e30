/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { LABELS_MAX = 8000 };

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

/* The voice was trained on breath groups of up to seven accent phrases ("@forward_backward|" in
 * "/F:"). A place beyond that falls on the leaf for silence, half a second for each phoneme, so it
 * stays the last one that is known. */
static char *label_bound(const char *label, size_t length)
{
    enum { PHRASES_MAX = 7 };
    AUTO(mem_free) char *copy = xstrndup(label, length);
    char *field = strstr(copy, "/F:"), *mark = field ? strchr(field, '@') : NULL;
    char *end = mark;
    unsigned long forward = mark ? strtoul(mark + 1, &end, 10) : 0;
    if (forward <= PHRASES_MAX)
        return TAKE(copy);
    *mark = '\0';
    return xasprintf("%s@%d%s", copy, PHRASES_MAX, end);
}

bool labels_parse(const char *trace, struct labels *out, struct error *err)
{
    static const char heading[] = "[Output label]\n";
    const char *at = strstr(trace, heading);
    if (!at)
        return error_set(err, ERROR_INTERNAL, "open_jtalk's trace has no labels");
    AUTO(labels_dispose) struct labels labels = {0};
    labels_reserve(&labels, LABELS_MAX);
    for (at += sizeof heading - 1; *at && *at != '\n' && labels.count < LABELS_MAX;) {
        size_t length = strcspn(at, "\n");
        const char *label = memrchr(at, ' ', length);
        label = label ? label + 1 : at;
        labels.lines[labels.count++] = label_bound(label, (size_t)(at + length - label));
        at += length;
        at += *at == '\n';
    }
    if (labels.count < 3) /* silence at both ends and nothing between */
        return error_set(err, ERROR_INVALID, "nothing to say");
    labels_reserve(&labels, labels.count);
    *out = labels;
    labels = (struct labels){0};
    return true;
}
