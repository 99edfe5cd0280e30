/* SPDX-License-Identifier: Apache-2.0 */
/* What mux.c (the stream), channel.c (what travels in it) and sending.c share. */
#pragma once

#include "base/buf.h"
#include "wire/frame.h"
#include "wire/mux.h"
#include "wire/outbox.h"
#include "wire/pace.h"
#include "wire/zstream.h"

enum {
    PRIORITIES = CHANNEL_BULK + 1,
    WINDOW_DEFAULT = 1024 * 1024,
    WINDOW_LIMIT = 16 * 1024 * 1024,
    QUEUE_HIGH = 256 * 1024,
    QUEUE_LOW = 64 * 1024,
    QUEUE_MAX = 1024 * 1024 * 1024,
    OUTBOX_MAX = 16 * 1024 * 1024,
    CHANNELS_MAX = 16 * 1024,
};

/* What was handed to a channel, buffer and all. */
struct given {
    struct given *next;
    struct buf bytes;
    size_t at; /* what is before was framed */
};

struct channel {
    struct mux *mux;
    uint32_t id;
    enum channel_priority priority;
    const char *service; /* the name it was opened with from the other side */
    const struct channel_events *events;
    void *context;
    struct channel *next_in_table, *next_pending, *next_dead;

    struct given *given, *given_last; /* not yet framed; goes before the queue */
    size_t given_size;
    struct buf queue; /* written, not yet framed, from queue_at on */
    size_t queue_at;
    size_t high, low;  /* bytes of it: full, and room again */
    size_t credit;     /* bytes that the peer still takes */
    size_t window;     /* bytes that we let the peer send ahead */
    size_t allowed;    /* of them, not yet sent by the peer */
    size_t unreported; /* dealt with, credit not yet sent */
    int level;
    struct zpack *pack;
    struct zunpack *unpack;
    bool pending; /* in a list of the mux */
    bool patient;
    bool was_full, ending, end_sent, end_received, dead;
    uint8_t *reserved; /* straight into the outbox, or NULL: into the queue */
};

struct pending {
    struct channel *first, *last;
};

struct service {
    struct service *next;
    const char *name;
    service_open *open;
    void *context;
};

struct mux {
    enum mux_side side;
    struct mux_id id;
    const struct mux_events *events;
    void *context;

    struct channel **table; /* by id, chained */
    size_t table_size, channel_count;
    uint32_t next_id, next_peer_id;
    struct pending pending[PRIORITIES];
    struct channel *dead;
    struct service *services;

    struct outbox outbox;
    struct buf urgent;  /* frames about the stream */
    struct buf partial; /* the beginning of a frame */
    struct pace pace;
    uint64_t received; /* numbered frames taken */
    uint64_t acked;    /* the last of them that the peer was told of */
    size_t unacked_in; /* bytes since then */

    bool attached, established, asked, ended, ending, bulk_waits;
    bool said_bye; /* on this stream */
    bool hasty;    /* what is still to be written need not be */
    bool gone;     /* mux_free has begun */
    bool urged;    /* somebody waits for what was framed */
    unsigned attaches;
    int64_t now_us, received_at_us, unacked_since_us, heard_us, ping_us, stepped_us, hurry_us;
    bool ping_open; /* a ping is on its way */
    bool doubted;   /* its answer is overdue, which was told */
    uint64_t sent_bytes, received_bytes, repeated_bytes;
};

/* mux.c */
void mux_want_output(struct mux *mux);

/* channel.c */
struct channel *channel_find(const struct mux *mux, uint32_t id);
/* A numbered frame from the peer. */
MUST_USE bool channel_frame(struct mux *mux, const struct frame *frame, struct error *err);
void channels_close_all(struct mux *mux, const struct error *reason);
void channels_reap(struct mux *mux);
/* It is over, on both sides; NULL: as it should. */
void channel_closed(struct channel *channel, const struct error *reason);
/* Frees the first of what was given. */
void channel_drop_given(struct channel *channel);

/* sending.c */
/* Into the line of those with something to send, if it has, and out of it. */
void channel_enqueue(struct channel *channel);
void channel_unqueue(struct channel *channel);
/* Frames what is queued, as far as credit and the link allow. */
void channels_pump(struct mux *mux);
bool channels_waiting(const struct mux *mux);
