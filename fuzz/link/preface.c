/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a host prints is a line of ours or noise, and safe to show. */
#include <assert.h>
#include <string.h>

#include "link/preface.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct preface preface;
    preface_parse((struct bytes){data, size}, &preface);
    assert(strlen(preface.text) < sizeof preface.text);
    assert(!strchr(preface.text, 0x1b) && !strchr(preface.machine, 0x1b));
    return 0;
}
