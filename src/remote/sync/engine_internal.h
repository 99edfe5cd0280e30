/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's parts share this. local.c looks at this side's tree, push.c sends, pull.c
 * receives, answers.c hears what became of it, session.c agrees with the other side, remote.c is
 * the other side. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "sync/apply.h"
#include "sync/engine.h"
#include "sync/reconcile.h"
#include "sync/tree.h"

struct fswatch;
struct ignore;
struct journal;
struct packing;
struct piecing;
struct unpacker;

enum {
    SYNC_FAST_LEVEL = 3,      /* of compression in the fast lane          */
    BATCH_BYTES = 416 * 1024, /* a batch is closed at this size           */
    BATCH_OPS = 2000,         /* and at this many changes                 */
    PIECE_BYTES = 416 * 1024, /* of a large file, in one message          */
    QUEUE_BYTES = 5 << 20,    /* bytes under way to the link in a lane    */
    INFLIGHT_OPS = 40000,
    EXPRESS_NODES = 4096,         /* more at once are a wave                  */
    SENDER_LITERALS = 256 * 1024, /* a delta with less goes in the fast lane */
    SYNC_TEXT_SIZE = 256,         /* of what the other side says, as it is shown */
};

/* A growing list of node numbers. */
struct ids {
    uint32_t *items;
    size_t count, capacity;
};
void ids_add(struct ids *ids, uint32_t id);
void ids_dispose(struct ids *ids);
static inline void ids_dispose_auto(struct ids *ids)
{
    ids_dispose(ids);
}

struct held {
    uint32_t id;
    int64_t due_us, since_us;
    bool removal, retry; /* retry: no haste brings it forward */
};

/* A batch that was sent and not yet answered. */
struct inflight_op {
    uint32_t id;
    struct entry entry;
};
struct inflight {
    struct inflight *next;
    uint64_t sequence;
    enum sync_lane lane;
    size_t count;
    struct inflight_op ops[];
};

/* What is being put together to be sent. */
struct draft {
    struct buf ops;
    struct path_memory memory;
    struct inflight_op *sent; /* as many as ops */
    size_t count, capacity;
    uint64_t sequence;
    enum sync_lane lane;
    bool apart; /* files that do not compress */
};

/* An entry that one side may have from the other, though that was never confirmed. */
struct candidate {
    int kind; /* enum journal_kind: SENT or TAKEN */
    uint32_t id;
    struct entry entry;
};

struct lane_in {
    struct buf bytes;    /* what is not a whole message yet */
    struct buf inner[2]; /* the same for the messages in the zstd streams; [1]: apart */
    struct buf scratch;  /* a message decompressed */
    struct unpacker *unpackers[2];
};

/* Removals without a pause, of which this much was not made up for. */
enum guard_side { GUARD_THERE, GUARD_HERE, GUARD_SIDES };
struct spree {
    size_t lost, credit; /* credit: arrived, with nothing lost yet that it could stand for */
    int64_t last_us, credit_us;
};

enum wave_class { WAVE_CLEAR, WAVE_FOLDER, WAVE_CONTENT, WAVE_REMOVE };
struct wave_item {
    uint32_t id, depth, rank, extension;
    enum wave_class class;
};

/* What would be sent if the other side had nothing: looked up while nobody waits for it. */
struct ahead {
    struct ids work, dense;
    struct wave_item *items;
    size_t count;
    uint64_t changes; /* that there had been */
    bool done;
};

struct sync {
    struct sync_options options;
    const struct sync_port *port;
    void *context;
    int root; /* -1 while it is not there */
    uint64_t root_inode;
    struct tree *tree;
    struct stage *stage;
    struct applier *applier;
    struct ignore *ignore;
    struct fswatch *watch;
    struct journal *journal;
    int64_t now_us;

    /* local.c */
    bool needs_scan, rules_changed, unwatched;
    bool scanned; /* at least once, with this watch */
    int64_t scan_due_us;
    struct ids dirty;
    struct ids waiting; /* for an answer */
    struct held *held;
    size_t held_count, held_capacity, held_removals, held_retries;
    int64_t last_event_us, last_removal_us, dirty_since_us;
    uint64_t skipped_special, clashes;

    /* the link */
    bool connected, live; /* live: both trees are known */
    bool unlinked;        /* what is sent waits, since: */
    int64_t unlinked_us;
    bool hello_sent, list_began, list_complete;
    struct hash128 rules_sent;
    uint32_t generation;
    struct lane_in in[LANE_COUNT];
    struct packing *packing; /* of the bulk lane, once something was sent there */
    uint64_t sent_bytes, received_bytes, raw_bytes; /* without what the packing counts */

    /* push.c */
    uint64_t sequence, transfer;
    uint64_t turns;     /* times that all that was dirty was taken */
    uint64_t refusals;  /* after which something is sent again */
    uint64_t forgotten; /* answers to batches up to this one mean nothing any more */
    struct inflight *inflight, **inflight_end;
    size_t inflight_ops;
    struct draft draft[LANE_COUNT];
    struct wave_item *wave;
    size_t wave_count, wave_at;
    struct ids dense; /* files of the wave that do not compress: to fill the link with */
    size_t dense_at;
    bool dense_turn; /* what is added or sent is of one of them */
    struct ahead ahead;
    uint64_t work_files, work_bytes, done_files, done_bytes;
    uint32_t *copies; /* by content: what the other side has */
    size_t copies_size, copies_used;
    struct ids withheld;
    struct spree spree[GUARD_SIDES];
    bool allow_removals, paused;
    bool vanished;        /* this side's folder, */
    bool there_vanished;  /* the other side's    */
    bool root_replaced;   /* either may be another one since both were last in sync */
    bool met;             /* both sides once had the same: kept for good, see session.c */
    int64_t greet_due_us; /* while there_vanished: when it is looked for again */
    char guard[SYNC_GUARD_SIZE], problem[256];
    unsigned problems, conflicts;

    int folder; /* open for the next file in it, within a turn; or -1 */
    uint32_t folder_id;
    struct ids large;           /* large files that wait for the bulk lane */
    struct ids late;            /* removals that wait for those            */
    int64_t large_us, late_us;  /* when one last joined these, and those    */
    struct sending *sending[2]; /* those under way; [1] is a dense one */

    /* pieces.c */
    struct piecing *piecing; /* the file that is read, or NULL */
    uint32_t pieces_at;      /* the node to look at next; 0: none lacks its list */

    /* memory.c */
    uint64_t state_generation;
    struct candidate *candidates;
    size_t candidate_count, candidate_capacity;

    /* doubt.c */
    bool has_mark, marked; /* there is one; it is of this run of the machine      */
    bool doubtful;         /* what both had is believed only of what did not change */
    size_t doubted;        /* paths of which it was not                           */

    /* pull.c */
    struct ids wanted;
    uint64_t want_open; /* asked for, not answered */
    int64_t save_due_us;
    uint64_t changes;           /* since the state was saved */
    struct hash128 rules_saved; /* the ignore rules in it */

    /* remote.c */
    bool may_create, expects_root;
    uint64_t expected_count;
    struct hash128 expected_digest;
    bool welcome_due;
    char *remote_root;
};

static inline struct node *node_at(const struct sync *sync, uint32_t id)
{
    return tree_node(sync->tree, id);
}

/* What the other side has, as far as this one knows. */
static inline const struct entry *sync_theirs(const struct sync *sync, const struct node *node)
{
    return sync->options.role == SYNC_REMOTE ? &node->base : &node->remote;
}

/* What both sides had last, as far as that is known, and that they met: said here only. */
static inline void node_meet(struct sync *sync, struct node *node, const struct entry *entry)
{
    node->base = *entry;
    sync->met = sync->met || entry->kind;
}

/* What the bulk lane has to do yet. */
static inline size_t wave_left(const struct sync *sync)
{
    return sync->wave_count - sync->wave_at + sync->dense.count - sync->dense_at +
           sync->large.count + sync->late.count + (sync->sending[0] != NULL) +
           (sync->sending[1] != NULL);
}

/* engine.c */
void sync_tell(struct sync *sync, enum sync_event_kind kind, const char *path, const char *text);
void sync_problem(struct sync *sync, const char *path, const char *text);
MUST_USE bool sync_send(struct sync *sync, enum sync_lane lane, uint8_t type, struct bytes payload,
                        struct error *err);
/* In the bulk lane: what the payload begins with, and the rest, which is taken over. `apart`: it
 * does not compress. */
MUST_USE bool sync_send_bulk(struct sync *sync, uint8_t type, bool apart, struct bytes head,
                             struct buf *rest, struct error *err);
MUST_USE bool sync_open_root(struct sync *sync, bool create, struct error *err);
void sync_wake_at(struct sync *sync, int64_t *next_us, int64_t at_us);
MUST_USE bool sync_handle(struct sync *sync, const struct sync_message *message, struct error *err);

/* memory.c */
void candidate_sent(struct sync *sync, uint32_t id, const struct entry *entry);

/* local.c */
void mark_dirty(struct sync *sync, uint32_t id);
MUST_USE bool local_scan(struct sync *sync, const char *start, struct error *err);
MUST_USE bool local_events(struct sync *sync, struct error *err);
void local_release(struct sync *sync, bool all, int64_t *next_us);
MUST_USE bool local_hash_all(struct sync *sync, struct error *err);
/* The path and all beneath it are not there any more. */
void local_gone(struct sync *sync, uint32_t id);
/* Looks at it again later; with `retry` not before, also when somebody waits. */
void local_hold(struct sync *sync, uint32_t id, int64_t after_us, bool retry);
bool local_watched(const struct sync *sync, uint32_t id);
/* The folder that is open is the one that the root's path leads to. */
bool local_root_stands(const struct sync *sync);
void local_scan_again(struct sync *sync, int64_t after_us);

/* push.c */
MUST_USE bool push_express(struct sync *sync, int64_t *next_us, struct error *err);
MUST_USE bool push_wave(struct sync *sync, struct error *err);
void push_wave_start(struct sync *sync);
/* Before anything is known of the other side: puts all that is here in the order in which it would
 * be sent, so that the link need not wait for that later. Once. */
void push_ahead(struct sync *sync);
void push_ahead_drop(struct sync *sync);
/* The bulk lane takes no more for now. */
bool push_is_full(struct sync *sync);
/* Looks at everything dirty on the disk, without sending. */
void push_look(struct sync *sync);
MUST_USE bool draft_send(struct sync *sync, enum sync_lane lane, bool more, struct error *err);
MUST_USE bool push_acknowledge(struct sync *sync, struct bytes payload, struct error *err);
/* What was going to be sent is decided anew; with `inflight` no answers are expected either. */
void push_forget(struct sync *sync, bool inflight);
/* Looks at the node again when something was acknowledged. */
void push_wait(struct sync *sync, uint32_t id);
enum verdict node_verdict(const struct sync *sync, const struct node *node);
MUST_USE bool draft_add(struct sync *sync, enum sync_lane lane, const struct sync_op *op,
                        uint32_t id, struct error *err);

/* In a place where a file or link is to be: it must go before that can come. */
bool node_in_the_way(const struct sync *sync, uint32_t id);

/* late.c */
bool late_is(const struct sync *sync, const struct wave_item *item);
void late_add(struct sync *sync, uint32_t id);
/* Takes back what was made anew, and what must make room now. */
void late_review(struct sync *sync);
MUST_USE bool late_next(struct sync *sync, struct error *err);

/* guard.c: whether that many removals need permission; says so. */
bool guard_trips(struct sync *sync, size_t removals, enum guard_side side);
/* Takes what must not be removed yet out of the work. */
void guard_items(struct sync *sync, struct wave_item *items, size_t *count);
void spree_add(struct sync *sync, enum guard_side side, size_t removals, size_t arrivals);
/* Sets what a person is told of why it is halted; whether that is news. */
bool guard_set(struct sync *sync, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How much was lost of late, without a pause. */
size_t spree_size(const struct sync *sync, enum guard_side side);
void withhold(struct sync *sync, uint32_t id);
/* What was withheld and is no removal any more needs no permission. */
void guard_review(struct sync *sync);
/* Nothing is sent or taken while a folder is away. */
static inline bool sync_stands(const struct sync *sync)
{
    return !sync->vanished && !sync->there_vanished;
}

/* sender.c: the folder that is kept open. */
void sender_close_folder(struct sync *sync);

/* pull.c */
MUST_USE bool pull_batch(struct sync *sync, struct bytes payload, struct error *err);
MUST_USE bool pull_nodes(struct sync *sync, const uint32_t *ids, size_t count, struct error *err);
MUST_USE bool pull_wanted(struct sync *sync, struct error *err);
/* The other side has said what is wrong with the path: it may come later, but nobody waits. */
void pull_refused(struct sync *sync, struct bytes path);
/* Both have the same; nothing is to be done; both changed. */
void node_agree(struct sync *sync, uint32_t id);
void node_calm(struct sync *sync, uint32_t id);
void node_conflict(struct sync *sync, uint32_t id);
/* Something in a folder that had to be kept is gone: perhaps that can go now. */
void node_try_parent(struct sync *sync, uint32_t id);
/* A folder kept for what is in it is wanted again if any of that is synced. */
void node_unpin_if_used(struct sync *sync, uint32_t id);

/* session.c */
MUST_USE bool session_hello(struct sync *sync, struct error *err);
/* Sends the rules if they are others than the other side has. */
MUST_USE bool session_rules(struct sync *sync, bool *out_sent, struct error *err);
MUST_USE bool session_welcome(struct sync *sync, struct bytes payload, struct error *err);
MUST_USE bool session_list(struct sync *sync, struct bytes payload, struct error *err);
void session_begin(struct sync *sync);
/* Whether the other side's folder is back, now and then while it is gone. */
MUST_USE bool session_look_again(struct sync *sync, int64_t *next_us, struct error *err);

/* remote.c */
MUST_USE bool remote_hello(struct sync *sync, struct bytes payload, struct error *err);
MUST_USE bool remote_rules(struct sync *sync, struct bytes payload, struct error *err);
MUST_USE bool remote_welcome(struct sync *sync, struct error *err);
/* Says that the folder is gone, or else what is wrong with it: `failure`, or that it is another one
 * now. Nothing is done until the next hello. */
MUST_USE bool remote_vanished(struct sync *sync, const struct error *failure, struct error *err);
MUST_USE bool remote_batch(struct sync *sync, struct bytes payload, struct error *err);
MUST_USE bool remote_want(struct sync *sync, struct bytes payload, struct error *err);
MUST_USE bool remote_report(struct sync *sync, int64_t *next_us, struct error *err);
MUST_USE bool receive_piece(struct sync *sync, struct bytes payload, struct error *err);
