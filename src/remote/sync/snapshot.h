/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered between runs: the tree with its hashes and times, so that a restart need only
 * stat, the pieces of large files, so that the first change after it is small on the wire, and a
 * journal of what happened since it was written, so that a crash is never taken for two sides
 * changing the same file.
 *
 * snapshot:  "VMASYNC" version u8 | generation u64 | flags u8 (1 met) | rules | entries … |
 *            XXH3-128 of all before
 * journal:   "VMAJRNL" version u8 | generation u64 | records, each with its own check sum
 *
 * A journal belongs to the snapshot of its generation; one of another is not read. Decoding is
 * pure and trusts nothing; a torn journal is good up to the tear. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"
#include "sync/entry.h"

struct buf;
struct error;
struct journal;
struct sync;
struct tree;

struct snapshot {
    uint64_t generation;
    bool met;           /* both sides once had the same */
    struct bytes rules; /* ignore_encode's; empty when there were none */
};

MUST_USE bool snapshot_encode(const struct snapshot *snapshot, const struct tree *tree,
                              struct buf *out, struct error *err);
/* Fills an empty tree. out->rules points into the input. */
MUST_USE bool snapshot_decode(struct bytes input, struct tree *tree, struct snapshot *out,
                              struct error *err);

enum journal_kind {
    JOURNAL_SENT = 1, /* the other side may have this from us by now   */
    JOURNAL_AGREED,   /* both have this                                */
    JOURNAL_TAKEN,    /* this side may have this from the other by now */
};
struct journal_record {
    enum journal_kind kind;
    struct bytes path;
    struct entry entry;
};

MUST_USE bool journal_header_decode(struct bytes *input, uint64_t *out_generation,
                                    struct error *err);
/* False at the end or where it is torn. */
MUST_USE bool journal_record_decode(struct bytes *input, struct journal_record *out);

/* The engine's own: see struct sync. Without a state folder they do nothing. */
void snapshot_load(struct sync *sync);
MUST_USE bool snapshot_save(struct sync *sync, struct error *err);
/* When some time has passed since something changed, and nobody works. */
void snapshot_save_if_due(struct sync *sync, int64_t *next_us);
/* Whether there is anything to save. */
bool snapshot_differs(const struct sync *sync);
void journal_add(struct sync *sync, enum journal_kind kind, uint32_t id, const struct entry *entry);
void journal_flush(struct sync *sync);
void journal_close(struct journal *journal);
