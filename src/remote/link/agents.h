/* SPDX-License-Identifier: Apache-2.0 */
/* The agents that this client can install: itself, and those for other machines that lie beside
 * it (vma-linux-aarch64, vma-linux-x86_64). */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "link/preface.h"

struct error;

enum { AGENTS_MAX = 2 };

struct agents {
    size_t count;
    struct {
        char *path;
        char key[96];
        const char *machine;
    } items[AGENTS_MAX];
};

/* `self` is this program's file, `folder` another place to look in (NULL: none). */
void agents_find(const char *self, const char *folder, const char *version, struct agents *out);
void agents_dispose(struct agents *agents);

/* What to answer VMA-NEED with: the head line and the bytes, packed if `unpacker` is zstd. */
MUST_USE bool agents_upload(const struct agents *agents, const struct preface *need,
                            struct buf *out, struct error *err);
