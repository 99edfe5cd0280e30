/* SPDX-License-Identifier: Apache-2.0 */
#include "link/farewell.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "link/ledger.h"
#include "wire/mux.h"

struct farewell {
    struct orphans *orphans; /* NULL once they are settled */
};

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    (void)context;
    channel_consumed(channel, bytes.size);
}

static void on_end(void *context, struct channel *channel)
{
    struct farewell *farewell = context;
    (void)channel;
    ledger_settle(TAKE(farewell->orphans), true);
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct farewell *farewell = context;
    (void)channel;
    (void)reason;
    ledger_settle(TAKE(farewell->orphans), false);
}

static const struct channel_events events = {on_data, on_end, NULL, on_closed};

struct farewell *farewell_new(struct mux *mux, const char *folder, const char *host)
{
    AUTO(jv_free) struct jv *request = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(CHANNEL_REQUEST_MAX);
    struct jv *names = jv_put_array(request, "end");
    struct orphans *orphans = ledger_orphans(folder, host, names);
    if (jv_size(names) == 0 || !jv_write(request, false, &text, NULL)) {
        ledger_settle(orphans, false);
        return NULL;
    }
    struct farewell *farewell = xcalloc(1, sizeof *farewell);
    farewell->orphans = orphans;
    channel_end(
        channel_open(mux, "sessions", CHANNEL_CONTROL, buf_bytes(&text), &events, farewell));
    return farewell;
}

void farewell_free(struct farewell *farewell)
{
    if (!farewell)
        return;
    ledger_settle(farewell->orphans, false);
    free(farewell);
}
