/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps two trees in step: one engine on the laptop, which decides, and one on the remote side.
 *
 *     laptop                                                    remote
 *     events ─► dirty ─► read, compare ─► BATCH ───────────────► stage, verify, rename
 *                            base := sent ◄─────────────── ACK ─┘
 *     reconcile ◄─────────────────────── BATCH (report) ◄─────── events
 *
 * The laptop's tree holds three entries a path: what is here, what both agreed on, what the other
 * side has. A save is sent against the third without asking; every change names what it expects
 * to replace, so a wrong guess is refused and told, never overwritten blindly.
 *
 * An engine does its own file work and blocks in it, so it lives on a thread of its own. All calls
 * come from that thread. It never waits: sync_step does what is due and says when to come back. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"
#include "sync/message.h"

struct buf;
struct error;
struct jv;
struct sync;

enum sync_role { SYNC_LAPTOP, SYNC_REMOTE };

/* Two ordered streams of bytes to the other engine: saves overtake copies. */
enum sync_lane { LANE_FAST, LANE_BULK, LANE_COUNT };

enum sync_event_kind {
    SYNC_EVENT_STATE,    /* connected, scanning, in sync …: see sync_status         */
    SYNC_EVENT_NOTE,     /* something a person should know about a path             */
    SYNC_EVENT_CONFLICT, /* a path came into conflict                               */
    SYNC_EVENT_GUARD,    /* stopped to ask: text says why                           */
    SYNC_EVENT_APPLIED,  /* this side's tree was changed; path; count is 0 for the
                            last of a burst                                          */
};
struct sync_event {
    enum sync_event_kind kind;
    const char *path; /* "" for none */
    const char *text;
    bool more; /* APPLIED: the burst goes on */
};

struct sync_port {
    void (*send)(void *context, enum sync_lane lane, struct bytes bytes);
    /* Bytes handed to `send` that have not left yet. */
    size_t (*queued)(void *context, enum sync_lane lane);
    void (*event)(void *context, const struct sync_event *event);
    /* Call sync_step soon. NULL: nothing may be called from another thread. Otherwise a thread of
     * the engine's compresses, and calls this, `send` and `queued` for the bulk lane. */
    void (*wake)(void *context);
    /* The least time there and back of late, 0 while unknown; likewise. May be NULL. */
    int64_t (*distance_us)(void *context);
    /* Both or neither: the same as `send`, and the buffer is taken over and left empty; and what
     * the link delivered lately at its best, in bytes a second. */
    void (*give)(void *context, enum sync_lane lane, struct buf *bytes);
    int64_t (*rate)(void *context);
    /* Call sync_step as soon as no more than `bytes` wait in the lane: `queued` need not be exact
     * before that. May be NULL. */
    void (*room_at)(void *context, enum sync_lane lane, size_t bytes);
};

struct sync_options {
    enum sync_role role;
    const char *root;        /* absolute */
    const char *remote_root; /* laptop: as the other side shall open it */
    const char *state; /* absolute folder of our own for what is remembered; NULL: nothing is */
    enum sync_mode mode;
    const char *ignore;  /* sync.ignore, or NULL */
    const char *protect; /* NULL: the default; "": nothing is protected */
    bool watch;
    unsigned threads; /* for scanning; 0: one per core */
    bool allow_mass_delete;
};

/* Strings and the port are borrowed for as long as it lives. */
MUST_USE struct sync *sync_new(const struct sync_options *options, const struct sync_port *port,
                               void *context, struct error *err);
/* Remembers what is worth it. */
void sync_free(struct sync *sync);
static inline void sync_free_auto(struct sync **sync)
{
    sync_free(*sync);
}
/* For tests: ends as if the process had been killed. */
void sync_kill(struct sync *sync);
/* For tests: see stage_fault. */
void sync_fault(struct sync *sync, uint64_t countdown);
bool sync_crashed(const struct sync *sync);

/* The other side's engine is there, with nothing received yet; or it is gone. */
void sync_connected(struct sync *sync);
void sync_disconnected(struct sync *sync);
/* Whether what is sent gets there now, or waits until the link is back: the other side's engine is
 * there either way. It does at first. */
void sync_linked(struct sync *sync, bool up);
/* The laptop's first words, from what is remembered: nothing when that is nothing. Whoever has sent
 * them on LANE_FAST before the engine had time calls sync_greeted in place of sync_connected. So
 * the other side looks at its tree while this one does. Once, before the first step. */
MUST_USE bool sync_greeting(struct sync *sync, struct buf *out, struct error *err);
void sync_greeted(struct sync *sync);
/* False when the other side breaks the protocol: it is to be disconnected. */
MUST_USE bool sync_receive(struct sync *sync, enum sync_lane lane, struct bytes bytes,
                           struct error *err);

/* Readable when there is work, or -1. */
int sync_watch_fd(const struct sync *sync);
/* Does what is due. *out_next_us: when to call at the latest (INT64_MAX: only when something
 * happens; `now_us` or earlier: at once, or when sent bytes have left). False only when it cannot
 * go on at all. */
MUST_USE bool sync_step(struct sync *sync, int64_t now_us, int64_t *out_next_us, struct error *err);

/* --- What people ask for (laptop) ---------------------------------------------------------- */

enum sync_phase {
    SYNC_AWAY,       /* no other side, or no way to it    */
    SYNC_SCANNING,   /* looking at both trees             */
    SYNC_WORKING,    /* changes are on the way            */
    SYNC_IN_SYNC,    /* nothing is left to do             */
    SYNC_INCOMPLETE, /* likewise, but for what could not be done */
    SYNC_PAUSED,
    SYNC_HALTED, /* a guard waits for permission      */
};
const char *sync_phase_name(enum sync_phase phase);

enum { SYNC_GUARD_SIZE = 512 };
struct sync_status {
    enum sync_phase phase;
    uint64_t files, bytes;               /* in the tree, without folders                  */
    uint64_t work_files, work_bytes;     /* of the present wave: all …                    */
    uint64_t done_files, done_bytes;     /* … and done                                    */
    uint64_t sent_bytes, received_bytes; /* on the wire since the start                */
    uint64_t sent_raw_bytes;             /* before compression                            */
    uint64_t pending;                    /* changes not yet acknowledged or not yet sent  */
    unsigned conflicts, problems;        /* problems: told so far                         */
    uint64_t failed;                     /* paths that could not be done, as it stands    */
    int level;                           /* of compression in the bulk lane */
    int64_t away_us;                     /* how long there has been no way to the other side */
    char guard[SYNC_GUARD_SIZE];         /* why it is halted; "" */
    char problem[256];                   /* the latest */
};
/* Looks at the whole tree: not in every turn. */
void sync_status(const struct sync *sync, struct sync_status *out);
enum sync_phase sync_phase(const struct sync *sync);

/* Both trees are known. */
bool sync_is_live(const struct sync *sync);
/* Everything that was saved before this call has been applied, or cannot be, and nothing else is
 * left to do. Ask after each step. */
bool sync_flushed(struct sync *sync);

/* Whether everything saved before the first call with this `flush` (then all zero) has been
 * applied, or cannot be, whatever was saved since. Ask after each step. */
struct sync_flush {
    int state;
    bool followed;
    unsigned rounds;
    uint32_t generation;
    uint64_t turn, sequence, refusals;
    uint32_t *rest;
    size_t rest_count;
};
bool sync_flush_done(struct sync *sync, struct sync_flush *flush);
void sync_flush_dispose(struct sync_flush *flush);
void sync_pause(struct sync *sync);
/* Also answers a guard: `allow` lets the withheld removals happen. What could not be done is tried
 * again. */
void sync_resume(struct sync *sync, bool allow);

enum sync_keep { KEEP_LOCAL, KEEP_REMOTE, KEEP_BOTH };
MUST_USE bool sync_resolve(struct sync *sync, const char *path, enum sync_keep keep,
                           struct error *err);
/* Arrays of objects, for printing: what is in conflict; what would be done. */
MUST_USE struct jv *sync_conflicts(struct sync *sync);
MUST_USE struct jv *sync_diff(struct sync *sync);
