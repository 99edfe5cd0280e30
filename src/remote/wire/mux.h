/* SPDX-License-Identifier: Apache-2.0 */
/* The session between client and agent: channels over any byte stream that may be cut and
 * replaced at any moment. docs/protocol.md is the specification.
 *
 *     service code ── channel_write ──► queue ──► [ring: numbered frames] ──► mux_output ──► fd
 *     service code ◄── data, end … ◄── [decoder, numbers checked] ◄── mux_receive ◄────────── fd
 *
 * Every frame that matters is numbered and kept until the peer has acknowledged it; when a new
 * stream is attached, both say what they have and the rest is sent again. So channels never
 * notice a cut: not a byte is lost, doubled or reordered, only late. Bulk channels may have no
 * more on the way than the link holds plus a millisecond or so (80 when nobody has been in a hurry
 * for ten seconds), so interactive bytes, which go first, never stand in a long line twice.
 *
 * No I/O and no clock in here: bytes and times go in, bytes come out. Single-threaded.
 * Callbacks may open, write, end and reset any channel, but not free the mux. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/error.h"

struct buf;
struct mux;
struct channel;

/* --- Channels: what services use ----------------------------------------------------------- */

enum channel_priority {
    CHANNEL_CONTROL,     /* a few small messages, before everything else    */
    CHANNEL_INTERACTIVE, /* somebody waits: keys, requests, a saved file     */
    CHANNEL_BULK,        /* copies; yields to the others, fills what is left */
};

struct channel_events {
    /* Bytes, in order, borrowed for the call. Whoever has dealt with them (now or later) says so
     * with channel_consumed; until then they count against the peer's credit. */
    void (*data)(void *context, struct channel *channel, struct bytes bytes);
    /* The peer will send no more; the other direction stays open. May be NULL. */
    void (*end)(void *context, struct channel *channel);
    /* channel_full was true and is not any more. May be NULL. */
    void (*room)(void *context, struct channel *channel);
    /* The last event; the channel is gone when it returns. `reason` is NULL after both sides
     * ended, else why it was cut short: the peer's reset, or the session's end. */
    void (*closed)(void *context, struct channel *channel, const struct error *reason);
};

/* Opens a channel to the service of that name on the other side. Sent at once, and data may
 * follow at once: no round trip. `request` is what the service wants to know first, at most
 * CHANNEL_REQUEST_MAX bytes. Never fails: a refusal arrives as `closed` with a reason. */
enum { CHANNEL_REQUEST_MAX = 48 * 1024, CHANNEL_SERVICE_MAX = 63 };
struct channel *channel_open(struct mux *mux, const char *service, enum channel_priority priority,
                             struct bytes request, const struct channel_events *events,
                             void *context);

/* For the accepting side, and for handing a channel from one owner to another. `events` must
 * outlive the channel. */
void channel_bind(struct channel *channel, const struct channel_events *events, void *context);

/* Takes all of it, always: what cannot be sent yet is queued. Stop writing while channel_full
 * says so (the queue is above 256 KiB) and go on at `room` (below 64 KiB). */
void channel_write(struct channel *channel, struct bytes bytes);
/* The same without a copy, for much at once: the bytes are taken over and the buffer left empty. */
void channel_give(struct channel *channel, struct buf *bytes);
/* Without a copy too: room for `size` bytes (at most 64 KiB), then how many were filled. */
uint8_t *channel_reserve(struct channel *channel, size_t size);
void channel_commit(struct channel *channel, size_t size);
bool channel_full(const struct channel *channel);
/* Where full begins and where there is room again, in bytes of the queue: more for who needs a
 * while to go on. */
void channel_marks(struct channel *channel, size_t high, size_t low);
/* Bytes written that have not yet left the queue, for progress and for pacing. */
size_t channel_queued(const struct channel *channel);

/* No more will be written; what was written still arrives. */
void channel_end(struct channel *channel);
/* Ends both directions now; the peer's `closed` gets this reason. No event follows here and the
 * pointer is dead. What was queued and not yet framed is dropped. */
void channel_reset(struct channel *channel, const struct error *reason);

/* Gives the peer credit for `size` more bytes. */
void channel_consumed(struct channel *channel, size_t size);
/* How much the peer may send ahead, from the default 1 MiB: more for long fat links. At most
 * 16 MiB; never shrinks. */
void channel_window(struct channel *channel, size_t bytes);

/* From now on, bytes written here travel through a zstd stream of that level (1…19; 0 is off
 * again). Worth it for text, never for what is compressed already. May be changed at any time;
 * credit and channel_queued count the bytes before compression. */
void channel_compress(struct channel *channel, int level);

/* Interactive, but nobody asks and waits to and fro: when nobody else has been in a hurry of late,
 * it may come behind a line of 80 ms, which keeps the link busy. */
void channel_patient(struct channel *channel);

void channel_priority_set(struct channel *channel, enum channel_priority priority);
enum channel_priority channel_priority_get(const struct channel *channel);
struct mux *channel_mux(const struct channel *channel);
/* The name that the other side opened it with; "" for one that was opened here. */
const char *channel_service(const struct channel *channel);

/* --- Services: who answers an open --------------------------------------------------------- */

/* Called for an open from the other side. Either binds the channel and returns true, or returns
 * false and the opener gets *err as the reason. `request` is borrowed for the call. */
typedef bool service_open(void *context, struct channel *channel, struct bytes request,
                          struct error *err);
/* The name must outlive the mux. An open for a name nobody serves is reset with
 * ERROR_NOT_FOUND. */
void mux_serve(struct mux *mux, const char *name, service_open *open, void *context);

/* --- The link: who carries the bytes ------------------------------------------------------- */

enum mux_side { MUX_CLIENT, MUX_AGENT };

struct mux_id {
    uint8_t bytes[16]; /* random, chosen by the client; names the session */
};

struct mux_events {
    /* There is output, or an earlier time for mux_step: called once, until mux_output. */
    void (*output)(void *context);
    /* The peer ended the session for good. */
    void (*ended)(void *context);
    /* A sign of life is overdue: the link may be gone, or only slow. Once for each silence. May be
     * NULL. */
    void (*doubt)(void *context);
};

struct mux *mux_new(enum mux_side side, struct mux_id id, const struct mux_events *events,
                    void *context);
/* Every channel gets `closed` with ERROR_UNAVAILABLE first. */
void mux_free(struct mux *mux);
static inline void mux_free_auto(struct mux **mux)
{
    mux_free(*mux);
}

/* A fresh stream: forgets the rest of a frame that the old one broke off, and says hello. */
void mux_attach(struct mux *mux, int64_t now_us);
/* The stream is gone. Writing goes on into the queues. */
void mux_detach(struct mux *mux);
/* The peer's hello has arrived on this stream. */
bool mux_established(const struct mux *mux);

/* Bytes that came in, in pieces of any size. False when the peer breaks the protocol: close the
 * stream, and end the session, since a peer that lies once is not asked again. */
MUST_USE bool mux_receive(struct mux *mux, struct bytes bytes, int64_t now_us, struct error *err);

/* What to write next: up to `count` runs, borrowed until the next call that is given the mux.
 * Zero runs: nothing to write. Then mux_sent with how many of the bytes were taken. */
size_t mux_output(struct mux *mux, struct bytes *runs, size_t count, int64_t now_us);
void mux_sent(struct mux *mux, size_t size, int64_t now_us);

/* Heartbeats and acknowledgements that are due. False when the link is dead: nothing was heard
 * for too long. Call again at mux_next_us (INT64_MAX: only when something happens). */
MUST_USE bool mux_step(struct mux *mux, int64_t now_us, struct error *err);
int64_t mux_next_us(const struct mux *mux);
/* When the peer was last heard on this stream. */
int64_t mux_heard_us(const struct mux *mux);
/* From `doubt` until the peer has answered; what it said before it heard us is no answer. */
bool mux_doubtful(const struct mux *mux);
/* Something about the network changed: ask for a sign of life now and expect it soon. */
void mux_probe(struct mux *mux, int64_t now_us);

/* Says goodbye for good, on this stream and, until it was answered, on each that follows: once
 * everything written has left, or at once. The peer's `ended` is called, and then ours by its
 * answer. A stream that closes without one proves nothing. */
void mux_end(struct mux *mux, bool at_once);
/* Nothing is left to write. */
bool mux_flushed(const struct mux *mux);

struct mux_stats {
    int64_t rtt_us;          /* smoothed; 0 before the first answer                     */
    int64_t base_rtt_us;     /* the least seen lately: the link without our own queue   */
    int64_t rate_bytes_s;    /* what the link delivered lately at its best; 0: unknown  */
    uint64_t sent_bytes;     /* over all streams, with frame headers and repeats        */
    uint64_t received_bytes; /* likewise                                                */
    uint64_t repeated_bytes; /* sent again after a cut                                  */
    size_t unacked_bytes;
    unsigned attaches;
    unsigned channels;
};
void mux_stats(const struct mux *mux, struct mux_stats *out);
