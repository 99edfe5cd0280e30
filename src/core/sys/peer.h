/* SPDX-License-Identifier: Apache-2.0 */
/* What each system tells in its own way. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"

struct error;

/* Who is at the other end of a Unix socket. */
bool peer_user(int socket, uid_t *out);

/* This program's own file; from malloc. */
MUST_USE char *self_path(struct error *err);

/* A name for this run of the machine: the same in all its processes, another after each start and
 * on every other machine. */
enum { BOOT_NAME_SIZE = 64 };
bool boot_name(char out[BOOT_NAME_SIZE]);

/* A clock that goes on while the machine sleeps. mono_ns may stand still then. */
int64_t boot_ms(void);

/* A descriptor that becomes readable when links, addresses or routes change; -1 with *err.
 * netwatch_drain empties it and tells whether something that matters came. */
MUST_USE int netwatch_open(struct error *err);
bool netwatch_drain(int fd);

/* The words, ended by NULL, of the system's own program that prints a host's addresses, which knows
 * DNS and whatever else is set up. */
enum { LOOKUP_WORDS_MAX = 8 };
void lookup_words(const char *host, const char *out[LOOKUP_WORDS_MAX]);

/* More room in a pipe, or for what a socket sends, where the system lets us. */
void pipe_widen(int fd, int bytes);

/* Whether the processor has instructions for AES. */
bool computes_aes(void);

/* `size` random bytes that nobody can guess. */
void random_bytes(void *out, size_t size);
