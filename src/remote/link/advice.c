/* SPDX-License-Identifier: Apache-2.0 */
#include "link/advice.h"

#include <stdio.h>
#include <string.h>

/* The first that fits; each %s is the host. */
static const struct {
    const char *words, *advice;
} rows[] = {
    {"IDENTIFICATION HAS CHANGED",
     "its key is not the one that is known here; \"ssh %s\" tells how to take the new one"},
    {"Host key verification failed", "\"ssh %s\" once by hand shows its key and takes it"},
    {"Too many authentication failures",
     "name one key: \"vma ssh-config %s --identity FILE --write\""},
    {"Permission denied", "\"ssh %s true\" must work first: ssh-copy-id, or ssh-add"},
    {"passphrase", "ssh-add lets it in without asking"},
    {"Could not resolve hostname", "is the name right? ~/.ssh/config may give it another"},
    {"Bad configuration option", "this is about ssh's configuration"},
};

static void host_put(const char *format, const char *host, char *out, size_t room)
{
    const char *place = strstr(format, "%s");
    if (place)
        snprintf(out, room, "%.*s%s%s", (int)(place - format), format, host, place + 2);
    else
        snprintf(out, room, "%s", format);
}

void advice_for(struct bytes said, const char *host, char *out, size_t room)
{
    out[0] = '\0';
    for (size_t i = 0; said.size && i < sizeof rows / sizeof *rows; i++) {
        if (memmem(said.data, said.size, rows[i].words, strlen(rows[i].words))) {
            host_put(rows[i].advice, host, out, room);
            return;
        }
    }
}
