/* SPDX-License-Identifier: Apache-2.0 */
/* Knocking at the other machine's door while the link is away: a TCP connection every tenth of a
 * second, dropped as soon as it is made. It costs a packet where a try costs an ssh process, and
 * it is not held up by the system's patience with the first packet of a connection (1, 3, 7 s). */
#pragma once

#include <stdbool.h>

struct knock;
struct loop;
struct sockaddr_storage;

/* The door opened, and knocking has stopped. `waited`: not at the first knock. */
typedef void knock_answered(void *context, bool waited);

struct knock *knock_new(struct loop *loop, knock_answered *answered, void *context);
/* Where to; until then nothing is done. */
void knock_at(struct knock *knock, const struct sockaddr_storage *address);
bool knock_knows(const struct knock *knock);
/* Knocks until somebody answers; the longer it takes, the less often. Goes on when it is on. */
void knock_start(struct knock *knock);
/* Once more right now, and often again, if it is on: the network has changed. */
void knock_now(struct knock *knock);
void knock_stop(struct knock *knock);
void knock_free(struct knock *knock);
