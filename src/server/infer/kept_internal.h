/* SPDX-License-Identifier: Apache-2.0 */
/* What a network made of its last few inputs, for another that is asked about the same one again:
 * a bounded number, the oldest go first. Threads share it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/hash.h"
#include "infer/runtime.h"

enum { KEPT_SETS = 2, KEPT_MS = 60 * 1000 };

struct kept;
struct kept *kept_new(void);
void kept_free(struct kept *kept); /* nobody may use a set of it */

/* Outputs of one run; they stay while somebody uses them. */
struct kept_set {
    struct hash128 key;
    struct tensor tensors[SESSION_FIRST];
    int count, users;
    bool listed;
    int64_t used_ms;
    struct kept_set *next;
};

/* The set of that name, or NULL; and back. */
struct kept_set *kept_find(struct kept *kept, struct hash128 key, int64_t now_ms);
void kept_leave(struct kept *kept, struct kept_set *set);
/* Takes the tensors' data, whether there is such a set already or not; the caller uses it. */
MUST_USE struct kept_set *kept_add(struct kept *kept, struct hash128 key,
                                   struct tensor tensors[SESSION_FIRST], int count, int64_t now_ms);
/* Lets go of what nobody asked for in a while; true while there is something left. */
bool kept_forget(struct kept *kept, int64_t now_ms);
