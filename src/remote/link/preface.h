/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on ssh's streams before they become the link: the script that finds or installs
 * the agent, and the lines that come back. Pure.
 *
 *     VMA-NEED <system> <machine> <unpacker>   the agent is not there; answer with
 *                                              "<bytes> <sha256> <how>\n" and the bytes
 *     VMA-READY new | VMA-READY resumed        the link begins after this line
 *     VMA-GONE                                 that session is not there (any more)
 *     VMA-ERROR <text>
 * Anything else is what login scripts print, and skipped. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;

enum preface_kind {
    PREFACE_NOISE,
    PREFACE_NEED,
    PREFACE_READY_NEW,
    PREFACE_READY_RESUMED,
    PREFACE_GONE,
    PREFACE_ERROR,
};

struct preface {
    enum preface_kind kind;
    char system[32], machine[32], unpacker[16]; /* of PREFACE_NEED  */
    char text[200];                             /* of PREFACE_ERROR */
};
void preface_parse(struct bytes line, struct preface *out);

enum { PREFACE_LINE_MAX = 4096 };

struct preface_agent {
    const char *machine; /* as uname -m says it: "x86_64" or "aarch64" */
    const char *key;     /* names the agent's folder: "0.1.0-x86_64-0123…" */
};

struct preface_plan {
    const struct preface_agent *agents; /* those that can be offered */
    size_t agents_count;
    const char *session;
    int64_t keep_ms;
    bool fresh;
};

/* One argument for ssh: the whole command, whatever shell the user has there. */
MUST_USE bool preface_command(const struct preface_plan *plan, struct buf *out, struct error *err);
