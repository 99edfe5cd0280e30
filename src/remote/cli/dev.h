/* SPDX-License-Identifier: Apache-2.0 */
/* What `vma dev` runs: one link, the project's forwards, its sync, and an ear for other commands.
 */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct cli;
struct config;
struct dev;
struct error;
struct loop;

struct dev_plan {
    const char *host, *root, *remote; /* remote as the other side takes it */
    const struct config *config;
    bool no_sync, no_forward, quiet;
    bool patient; /* wait for a host that does not answer yet, too */
};

struct dev_events {
    void (*up)(void *context); /* for the first time */
    void (*ended)(void *context, const struct error *reason /* NULL: asked to */);
};

MUST_USE struct dev *dev_new(struct cli *cli, struct loop *loop, const struct dev_plan *plan,
                             const struct dev_events *events, void *context, struct error *err);
void dev_stop(struct dev *dev);
void dev_free(struct dev *dev);
