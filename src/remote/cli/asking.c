/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/asking.h"

#include "base/error.h"
#include "io/loop.h"
#include "wire/mux.h"

void asking_fail(struct asking *asking, const struct error *reason)
{
    if (!asking->failed && !asking->answered)
        *asking->err = *reason;
    asking->failed = true;
    loop_stop(asking->loop);
}

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct asking *asking = context;
    struct error err;
    channel_consumed(channel, bytes.size);
    if (!asking->failed && !buf_append(&asking->answer, bytes, &err))
        asking_fail(asking, &err);
}

static void on_end(void *context, struct channel *channel)
{
    struct asking *asking = context;
    (void)channel;
    asking->answered = !asking->failed;
    loop_stop(asking->loop);
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct asking *asking = context;
    (void)channel;
    if (reason && !asking->answered)
        asking_fail(asking, reason);
}

bool asking_put(struct asking *asking, struct mux *mux, const char *service, struct bytes question)
{
    static const struct channel_events events = {on_data, on_end, NULL, on_closed};
    if (asking->failed)
        return false;
    asking->answered = false;
    buf_clear(&asking->answer);
    channel_open(mux, service, CHANNEL_CONTROL, question, &events, asking);
    loop_run(asking->loop);
    return asking->answered;
}
