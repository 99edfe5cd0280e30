/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "forward/sockets.h"
#include "io/loop.h"

enum { ACCEPTS_A_TURN = 64, REST_MS = 100 };

struct listener {
    int fd;
    char *path; /* of a Unix socket, removed with it */
    uint16_t port;
    struct watch *watch;
    struct timer *rest;
    listener_accepted *accepted;
    void *context;
    bool *gone; /* set when freed inside of a callback */
};

static void on_ready(void *context, int ready)
{
    struct listener *listener = context;
    bool gone = false;
    (void)ready;
    listener->gone = &gone;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = sockets_accept(listener->fd);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
                watch_set(listener->watch, 0); /* until somebody gives one back */
                timer_start(listener->rest, REST_MS);
            }
            break;
        }
        listener->accepted(listener->context, fd);
        if (gone)
            return;
    }
    listener->gone = NULL;
}

static void on_rested(void *context)
{
    struct listener *listener = context;
    watch_set(listener->watch, WATCH_READ);
}

static void listener_free_auto(struct listener **listener)
{
    listener_free(*listener);
}

struct listener *listener_new(struct loop *loop, const struct forward_place *place,
                              listener_accepted *accepted, void *context, struct error *err)
{
    AUTO(listener_free) struct listener *listener = xcalloc(1, sizeof *listener);
    listener->accepted = accepted;
    listener->context = context;
    listener->fd = sockets_listen(place, &listener->port, err);
    if (listener->fd < 0)
        return NULL;
    if (place->is_path)
        listener->path = xstrdup(place->host);
    listener->watch = watch_new(loop, listener->fd, on_ready, listener, err);
    if (!listener->watch)
        return NULL;
    listener->rest = timer_new(loop, on_rested, listener);
    watch_set(listener->watch, WATCH_READ);
    return TAKE(listener);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    if (listener->gone)
        *listener->gone = true;
    watch_free(listener->watch);
    timer_free(listener->rest);
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->path)
        unlink(listener->path);
    free(listener->path);
    free(listener);
}
