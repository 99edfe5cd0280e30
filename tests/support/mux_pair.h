/* SPDX-License-Identifier: Apache-2.0 */
/* Two sessions' ends that talk over a socket pair, on one loop; for tests of services. */
#pragma once

#include <sys/socket.h>

#include "base/error.h"
#include "carry/carrier.h"
#include "io/loop.h"
#include "wire/mux.h"

struct mux_pair {
    struct loop *loop;
    struct mux *client, *agent;
    struct carrier *carriers[2];
    struct timer *patience;
    bool late;
};

static inline void mux_pair_output(void *context)
{
    struct carrier **carrier = context;
    if (*carrier)
        carrier_output(*carrier);
}

static inline void mux_pair_nothing(void *context)
{
    (void)context;
}

static inline void mux_pair_closed(void *context, const struct error *reason, bool broken)
{
    (void)context;
    (void)reason;
    (void)broken;
}

static inline void mux_pair_late(void *context)
{
    struct mux_pair *pair = context;
    pair->late = true;
    loop_stop(pair->loop);
}

static inline void mux_pair_init(struct mux_pair *pair)
{
    static const struct mux_events events = {.output = mux_pair_output, .ended = mux_pair_nothing};
    int ends[2];
    *pair = (struct mux_pair){.loop = loop_new(NULL)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pair->client = mux_new(MUX_CLIENT, (struct mux_id){{1}}, &events, &pair->carriers[0]);
    pair->agent = mux_new(MUX_AGENT, (struct mux_id){{1}}, &events, &pair->carriers[1]);
    pair->patience = timer_new(pair->loop, mux_pair_late, pair);
    struct mux *muxes[] = {pair->client, pair->agent};
    for (int i = 0; i < 2; i++) {
        pair->carriers[i] = carrier_new(pair->loop, muxes[i], (int[]){ends[i], ends[i]},
                                        mux_pair_closed, NULL, NULL);
        assert_non_null(pair->carriers[i]);
    }
}

/* Until loop_stop, which has to come within seconds. */
static inline void mux_pair_run(struct mux_pair *pair)
{
    timer_start(pair->patience, 5000);
    loop_run(pair->loop);
    timer_stop(pair->patience);
    assert_false(pair->late);
}

static inline void mux_pair_dispose(struct mux_pair *pair)
{
    for (int i = 0; i < 2; i++)
        carrier_free(pair->carriers[i]);
    pair->carriers[0] = pair->carriers[1] = NULL;
    mux_free(pair->client);
    mux_free(pair->agent);
    timer_free(pair->patience);
    loop_free(pair->loop);
}
