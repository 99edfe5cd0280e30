/* SPDX-License-Identifier: Apache-2.0 */
/* The vma processes of this user that hold a link and take commands: each has a socket and a small
 * file that says what it is for, in the runtime folder. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct cli;
struct error;

struct hub {
    char *socket, *host;
    char *root;   /* the project's folder here */
    char *remote; /* and there */
    int pid;
};

void hub_free(struct hub *hub);
static inline void hub_free_auto(struct hub **hub)
{
    hub_free(*hub);
}

/* The one for where we stand: its root is the nearest folder above us; with `host`, of that host
 * only. NULL when there is none that answers. */
MUST_USE struct hub *hub_find(struct cli *cli, const char *host);
/* Every one that answers. `visit` borrows. */
void hub_each(struct cli *cli, void (*visit)(void *context, const struct hub *hub), void *context);

/* For the process itself: binds the socket and writes the file; the paths are removed by
 * hub_retire. -1 with *err. */
MUST_USE int hub_announce(struct cli *cli, const char *host, const char *root, const char *remote,
                          char **out_socket, struct error *err);
void hub_retire(const char *socket);
