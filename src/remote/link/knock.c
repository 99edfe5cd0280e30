/* SPDX-License-Identifier: Apache-2.0 */
#include "link/knock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "io/loop.h"
#include "sys/fds.h"

enum {
    HANDS = 10,          /* knocks that wait for an answer */
    OFTEN_MS = 100,      /* for the first two minutes … */
    SELDOM_MS = 500,     /* … then for an hour … */
    RARELY_MS = 5 * 1000 /* … and then */
};

struct knock {
    struct loop *loop;
    struct sockaddr_storage address;
    struct hand {
        struct knock *knock;
        int fd;
        struct watch *watch;
    } hands[HANDS];
    size_t next;
    struct timer *timer;
    int64_t since_us;
    unsigned knocks;
    bool on;
    knock_answered *answered;
    void *context;
};

static void hand_drop(struct hand *hand)
{
    watch_free(TAKE(hand->watch));
    if (hand->fd >= 0)
        close(hand->fd);
    hand->fd = -1;
}

static void opened(struct knock *knock)
{
    bool waited = knock->knocks > 1;
    knock_stop(knock);
    knock->answered(knock->context, waited);
}

static void on_ready(void *context, int ready)
{
    struct hand *hand = context;
    int os = 0;
    socklen_t size = sizeof os;
    (void)ready;
    bool known = getsockopt(hand->fd, SOL_SOCKET, SO_ERROR, &os, &size) == 0;
    struct knock *knock = hand->knock;
    hand_drop(hand);
    if (known && os == 0)
        opened(knock);
}

static int64_t pause_ms(const struct knock *knock)
{
    int64_t out_s = (loop_now_us(knock->loop) - knock->since_us) / 1000000;
    if (out_s < 120)
        return OFTEN_MS;
    return out_s < 3600 ? SELDOM_MS : RARELY_MS;
}

static void knock_once(void *context)
{
    struct knock *knock = context;
    struct hand *hand = &knock->hands[knock->next];
    knock->next = (knock->next + 1) % HANDS;
    hand_drop(hand);
    timer_start(knock->timer, pause_ms(knock));
    knock->knocks++;
    hand->fd = fds_socket(knock->address.ss_family, SOCK_STREAM, IPPROTO_TCP, FDS_NONBLOCKING);
    if (hand->fd < 0)
        return;
    socklen_t size = knock->address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                          : sizeof(struct sockaddr_in);
    if (connect(hand->fd, (struct sockaddr *)&knock->address, size) == 0) {
        opened(knock);
        return;
    }
    if (errno == EINPROGRESS)
        hand->watch = watch_new(knock->loop, hand->fd, on_ready, hand, NULL);
    if (hand->watch)
        watch_set(hand->watch, WATCH_WRITE);
    else
        hand_drop(hand);
}

struct knock *knock_new(struct loop *loop, knock_answered *answered, void *context)
{
    struct knock *knock = xcalloc(1, sizeof *knock);
    knock->loop = loop;
    knock->answered = answered;
    knock->context = context;
    knock->timer = timer_new(loop, knock_once, knock);
    for (size_t i = 0; i < HANDS; i++)
        knock->hands[i] = (struct hand){knock, -1, NULL};
    return knock;
}

void knock_at(struct knock *knock, const struct sockaddr_storage *address)
{
    knock->address = *address;
}

bool knock_knows(const struct knock *knock)
{
    return knock->address.ss_family != AF_UNSPEC;
}

void knock_start(struct knock *knock)
{
    if (knock->on || !knock_knows(knock))
        return;
    knock->on = true;
    knock->knocks = 0;
    knock->since_us = loop_now_us(knock->loop);
    timer_start(knock->timer, 0); /* not in here: whoever starts it is not yet ready to hear */
}

void knock_now(struct knock *knock)
{
    if (!knock->on)
        return;
    knock->since_us = loop_now_us(knock->loop);
    timer_start(knock->timer, 0);
}

void knock_stop(struct knock *knock)
{
    knock->on = false;
    timer_stop(knock->timer);
    for (size_t i = 0; i < HANDS; i++)
        hand_drop(&knock->hands[i]);
}

void knock_free(struct knock *knock)
{
    if (!knock)
        return;
    knock_stop(knock);
    timer_free(knock->timer);
    free(knock);
}
