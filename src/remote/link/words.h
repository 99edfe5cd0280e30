/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the command that gets us a stream: ssh's, or for "local:" the agent's own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct agents;
struct buf;
struct error;

struct words_plan {
    const char *host; /* or "local:" */
    const char *const *ssh;
    const char *ciphers; /* or NULL */
    const char *self;
    const char *session;
    int64_t keep_ms;
    const struct agents *agents;
    bool again; /* the session is there already */
    bool ask;   /* ssh may ask for a password */
};

enum { WORDS_MAX = 56 };

/* Fills `out`, ended by NULL; the words live as long as the plan and `room` do. */
MUST_USE bool words_make(const struct words_plan *plan, struct buf *room,
                         const char *out[WORDS_MAX], struct error *err);
bool words_local(const char *host);
