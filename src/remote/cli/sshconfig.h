/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of ~/.ssh/config that are ours, between markers. Pure. */
#pragma once

#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "forward/forward.h"

struct buf;
struct error;

struct sshconfig {
    const char *host;                      /* the name it gets */
    const char *address, *user, *identity; /* NULL: as ssh finds them */
    uint16_t port;                         /* 0: likewise */
    const char *ciphers;                   /* one more line, or NULL */
    const struct forward_rule *rules;
    size_t rules_count;
};

/* Refuses names that ssh_config would read as something else. */
MUST_USE bool sshconfig_block(const struct sshconfig *config, struct buf *out, struct error *err);
/* `file` with the block in place of the one of the same host, or in front: what comes first counts
 * in ssh_config. Everything else stays byte for byte. */
MUST_USE bool sshconfig_merge(struct bytes file, const char *host, struct bytes block,
                              struct buf *out, struct error *err);
