/* SPDX-License-Identifier: Apache-2.0 */
/* What the two ends of a sync say to each other. A message is
 *
 *     size u32, of what follows | type u8 | payload …
 *
 * with its payload as one zstd frame behind its size when SYNC_COMPRESSED is added to the type.
 * Numbers in payloads are varints, little end first, seven bits a byte; a list of paths gives each
 * as the count of bytes it shares with the one before, and the rest. docs/protocol.md has the
 * course of a session. Decoding is pure, borrows from its input and trusts nothing. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"
#include "sync/entry.h"
#include "sync/filter.h"
#include "sync/path.h"

struct buf;
struct error;

enum {
    SYNC_VERSION = 5,
    SYNC_COMPRESSED = 0x80,
    SYNC_MESSAGE_MAX = 32 * 1024 * 1024,
    SYNC_BATCH_MAX = 64 * 1024, /* changes */
};

enum sync_type {
    SYNC_HELLO = 1, /* laptop: what I want, what I think you have               */
    SYNC_RULES,     /* laptop: new ignore rules; scan again and answer WELCOME  */
    SYNC_WELCOME,   /* remote: what I have, in one number                       */
    SYNC_LIST,      /* remote: what I have, all of it, in several messages      */
    SYNC_BATCH,     /* either: changes to apply (laptop) or that happened       */
    SYNC_ACK,       /* either: what became of a batch                           */
    SYNC_PIECE,     /* either: a part of a large file, ahead of its batch       */
    SYNC_WANT,      /* laptop: send me the content of these                     */
    SYNC_NOTE,      /* remote: something a person should know                   */
    SYNC_STREAM,    /* either: part of a zstd stream of further messages        */
    SYNC_APART,     /* either: the same of another, for what does not compress  */
};

enum sync_mode { SYNC_MIRROR, SYNC_ONE_WAY_SAFE, SYNC_TWO_WAY_SAFE, SYNC_TWO_WAY_RESOLVED };
enum { SYNC_MODE_COUNT = 4 };
/* "mirror", "one-way-safe", … and back. */
const char *sync_mode_name(enum sync_mode mode);
bool sync_mode_parse(const char *text, enum sync_mode *out);
static inline bool sync_mode_two_way(enum sync_mode mode)
{
    return mode >= SYNC_TWO_WAY_SAFE;
}

struct sync_message {
    uint8_t type; /* of enum sync_type */
    struct bytes payload;
};

enum sync_decoded { SYNC_BROKEN, SYNC_SHORT, SYNC_READY };

/* The first message of `input`, decompressed into `scratch` where needed (which bounds it). */
MUST_USE enum sync_decoded sync_message_decode(struct bytes input, struct buf *scratch,
                                               struct sync_message *out, size_t *out_used,
                                               struct error *err);
/* Appends a message; at a positive level compressed, if that makes it shorter. */
MUST_USE bool sync_message_encode(uint8_t type, struct bytes payload, int level, struct buf *out,
                                  struct error *err);

/* How many bytes to add at least to a message of which only the beginning is there. */
size_t sync_message_lacks(struct bytes beginning);
/* Appends only what a message of `size` bytes of payload begins with. */
MUST_USE bool sync_message_head(uint8_t type, size_t size, struct buf *out, struct error *err);

/* --- Payloads ------------------------------------------------------------------------------ */

/* HELLO_EXPECTS_ROOT: the folder must be there with something in it; HELLO_MAY_CREATE: it may be
 * made; neither: it must be there. */
enum { HELLO_EXPECTS_ROOT = 1, HELLO_MAY_CREATE = 2, HELLO_WATCH = 4 };
struct sync_hello {
    uint32_t version, generation;
    uint8_t mode, flags;
    uint64_t known_count;
    struct hash128 known_digest;
    struct bytes root, rules;
};
MUST_USE bool sync_hello_encode(const struct sync_hello *hello, struct buf *out, struct error *err);
MUST_USE bool sync_hello_decode(struct bytes input, struct sync_hello *out, struct error *err);

enum { WELCOME_MATCHES = 1, WELCOME_EMPTY = 2, WELCOME_VANISHED = 4 };
struct sync_welcome {
    uint32_t version, generation;
    uint8_t flags;
    uint64_t count;
    struct hash128 digest;
    struct bytes why; /* WELCOME_VANISHED: what is wrong; empty when it is simply not there */
};
MUST_USE bool sync_welcome_encode(const struct sync_welcome *welcome, struct buf *out,
                                  struct error *err);
MUST_USE bool sync_welcome_decode(struct bytes input, struct sync_welcome *out, struct error *err);

struct sync_rules {
    uint32_t generation;
    uint64_t known_count;
    struct hash128 known_digest;
    struct bytes rules;
};
MUST_USE bool sync_rules_encode(const struct sync_rules *rules, struct buf *out, struct error *err);
MUST_USE bool sync_rules_decode(struct bytes input, struct sync_rules *out, struct error *err);

/* Where new content comes from. */
enum sync_source {
    SOURCE_NONE,   /* there is none (folder, removal, mode), or it must be asked for */
    SOURCE_INLINE, /* `content`                                                      */
    SOURCE_PIECES, /* the pieces numbered `transfer`                                 */
    SOURCE_COPY,   /* the file `from` on the receiving side                          */
    SOURCE_MOVE,   /* the same, and `from` is removed in this batch                  */
};

/* One change. `expect` is what must be there for it to be made. */
struct sync_op {
    struct bytes path;
    struct entry expect, entry;
    uint8_t source;
    struct bytes content; /* SOURCE_INLINE: the bytes; of links: the target */
    struct filter filter; /* what was applied to the content                */
    struct bytes from;
    uint64_t transfer;
};

enum { BATCH_REPORT = 1, BATCH_PULLED = 2, BATCH_MORE = 4 /* the burst goes on */ };
struct sync_batch {
    uint64_t sequence;
    uint8_t flags;
    uint64_t count;
};

/* Writers and readers of lists keep the last path. */
struct path_memory {
    size_t size;
    char text[PATH_MAX_SIZE + 1];
};

MUST_USE bool sync_batch_encode(const struct sync_batch *batch, struct buf *out, struct error *err);
MUST_USE bool sync_op_encode(const struct sync_op *op, struct path_memory *memory, struct buf *out,
                             struct error *err);
MUST_USE bool sync_batch_decode(struct bytes *input, struct sync_batch *out, struct error *err);
/* The next op of the batch; op->path points into `memory` until the next call. */
MUST_USE bool sync_op_decode(struct bytes *input, struct path_memory *memory, struct sync_op *out,
                             struct error *err);

enum sync_refusal {
    REFUSAL_CHANGED = 1, /* something else is there: `actual`                     */
    REFUSAL_CONTENT,     /* the short way failed (copy, delta): send it whole     */
    REFUSAL_FAILED,      /* the system refused; `text` says what                  */
    REFUSAL_PINNED,      /* a folder that holds what is ignored was kept          */
    REFUSAL_PARENT,      /* the folder around it is not there                     */
    REFUSAL_FULL,        /* no room on the disk                                   */
};
struct sync_failure {
    uint64_t index; /* of the op in its batch */
    uint8_t refusal;
    struct entry actual;
    struct bytes text;
};
struct sync_ack {
    uint64_t sequence, count;
};
MUST_USE bool sync_ack_encode(const struct sync_ack *ack, struct buf *out, struct error *err);
MUST_USE bool sync_failure_encode(const struct sync_failure *failure, struct buf *out,
                                  struct error *err);
MUST_USE bool sync_ack_decode(struct bytes *input, struct sync_ack *out, struct error *err);
MUST_USE bool sync_failure_decode(struct bytes *input, struct sync_failure *out, struct error *err);

enum { PIECE_FIRST = 1, PIECE_LAST = 2, PIECE_DROPPED = 4 /* no more will come */ };
struct sync_piece {
    uint64_t transfer;
    uint8_t flags;
    uint64_t size;     /* FIRST: of the whole file */
    struct bytes from; /* FIRST: path of the file that copies come from; empty when none do */
    struct hash128 from_hash;
};
/* A run: `bytes`, to which the filter was applied, or `size` bytes at `offset` of the old file. */
struct sync_run {
    bool copy;
    uint64_t offset, size;
    struct bytes bytes;
    struct filter filter;
};
MUST_USE bool sync_piece_encode(const struct sync_piece *piece, struct buf *out, struct error *err);
MUST_USE bool sync_run_encode(const struct sync_run *run, struct buf *out, struct error *err);
/* Only what `size` literal bytes begin with. */
MUST_USE bool sync_run_head(const struct filter *filter, size_t size, struct buf *out,
                            struct error *err);
MUST_USE bool sync_piece_decode(struct bytes *input, struct sync_piece *out, struct error *err);
MUST_USE bool sync_run_decode(struct bytes *input, struct sync_run *out, struct error *err);

struct sync_listed {
    struct bytes path;
    struct entry entry;
};
enum { LIST_LAST = 1 };
struct sync_list {
    uint32_t generation;
    uint8_t flags;
};
MUST_USE bool sync_list_encode(const struct sync_list *list, struct buf *out, struct error *err);
MUST_USE bool sync_listed_encode(const struct sync_listed *listed, struct path_memory *memory,
                                 struct buf *out, struct error *err);
MUST_USE bool sync_list_decode(struct bytes *input, struct sync_list *out, struct error *err);
MUST_USE bool sync_listed_decode(struct bytes *input, struct path_memory *memory,
                                 struct sync_listed *out, struct error *err);

/* WANT is a list of these. */
struct sync_wanted {
    struct bytes path;
    bool has; /* a file is there, and `old` is its content's name: send what differs */
    struct hash128 old;
};
MUST_USE bool sync_wanted_encode(const struct sync_wanted *wanted, struct path_memory *memory,
                                 struct buf *out, struct error *err);
MUST_USE bool sync_wanted_decode(struct bytes *input, struct path_memory *memory,
                                 struct sync_wanted *out, struct error *err);
MUST_USE bool sync_path_encode(struct bytes path, struct path_memory *memory, struct buf *out,
                               struct error *err);
MUST_USE bool sync_path_decode(struct bytes *input, struct path_memory *memory, struct bytes *out,
                               struct error *err);

enum sync_note_code {
    NOTE_WARNING,
    NOTE_UNREADABLE,
    NOTE_SKIPPED,
    NOTE_UNWATCHED,
    NOTE_REFUSED,
    NOTE_CLASH
};
struct sync_note {
    uint8_t code;
    struct bytes path, text;
};
MUST_USE bool sync_note_encode(const struct sync_note *note, struct buf *out, struct error *err);
MUST_USE bool sync_note_decode(struct bytes input, struct sync_note *out, struct error *err);

/* An entry alone, as in snapshots. */
MUST_USE bool sync_entry_encode(const struct entry *entry, struct buf *out, struct error *err);
MUST_USE bool sync_entry_decode(struct bytes *input, struct entry *out, struct error *err);
MUST_USE bool sync_number_encode(uint64_t value, struct buf *out, struct error *err);
MUST_USE bool sync_number_decode(struct bytes *input, uint64_t *out, struct error *err);
MUST_USE bool sync_blob_encode(struct bytes blob, struct buf *out, struct error *err);
MUST_USE bool sync_blob_decode(struct bytes *input, struct bytes *out, struct error *err);
