/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of names, kept compact: 100,000 files take about 20 MB. A node carries three entries: what
 * is here, what both sides last agreed on, and what the other side has. Nodes are numbers, so
 * that they survive growth; 0 is no node, 1 the root. No I/O. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"
#include "sync/entry.h"

struct chunk_list;
struct tree;

enum { TREE_NONE = 0, TREE_ROOT = 1 };

enum node_flag {
    NODE_DIRTY = 1 << 0,      /* waits to be reconciled                                       */
    NODE_UNHASHED = 1 << 1,   /* local.hash is not known yet                                  */
    NODE_RACY = 1 << 2,       /* hashed so soon after a change that its times prove nothing   */
    NODE_BULK = 1 << 3,       /* something of it is on the way in the bulk lane               */
    NODE_CONFLICT = 1 << 4,   /* waits for a person                                           */
    NODE_HELD = 1 << 5,       /* on the list of changes that wait a moment                    */
    NODE_WANTED = 1 << 6,     /* its content was asked for                                    */
    NODE_FULL = 1 << 7,       /* to be sent whole, since a shorter way was refused            */
    NODE_PINNED = 1 << 8,     /* the other side keeps it: it holds what is ignored            */
    NODE_UNREADABLE = 1 << 9, /* cannot be read; reported                                     */
    NODE_SEEN = 1 << 10,      /* mark of the scan that runs                                   */
    NODE_TOUCHED = 1 << 11,   /* content must be read again whatever its times say            */
    NODE_QUEUED = 1 << 12,    /* in the wave of bulk work                                     */
    NODE_WITHHELD = 1 << 13,  /* a removal that waits for permission                          */
    NODE_CANDIDATE = 1 << 14, /* see struct candidate                                         */
    NODE_AGAIN = 1 << 15,     /* on the list of what waits for an answer                      */
    NODE_MOVABLE = 1 << 16,   /* its removal is in this round of work                         */
    NODE_FREE = 1 << 17,
    NODE_OUTDATED = 1 << 18, /* what was asked for may be from before our own change  */
    NODE_FAILED = 1 << 20,   /* could not be done; reported                       */
    NODE_ASK = 1 << 19,      /* to be asked for, whatever is known of it               */
    NODE_LATE = 1 << 21,     /* a removal that waits for large files                   */
};

struct node {
    uint32_t parent, child, next, previous;
    uint32_t bucket_next;
    uint32_t name; /* where in the arena of names */
    uint8_t name_size;
    uint8_t pending; /* ops on the way for it, not acknowledged */
    uint32_t flags;  /* of enum node_flag */
    uint32_t told;   /* number of the last batch that told of it, from the other side */
    struct entry local, base, remote;
    int64_t mtime_ns, ctime_ns; /* of local, when it was last looked at */
    uint64_t inode;
    struct chunk_list *chunks; /* owned, from malloc; NULL when there is none */
};

MUST_USE struct tree *tree_new(void);
void tree_free(struct tree *tree);
static inline void tree_free_auto(struct tree **tree)
{
    tree_free(*tree);
}

/* Room for that many, so that it need not grow in steps. */
void tree_reserve(struct tree *tree, size_t count);

/* Valid as long as the node. */
struct node *tree_node(const struct tree *tree, uint32_t id);
size_t tree_count(const struct tree *tree); /* with the root */
/* Greater than every id in use. */
uint32_t tree_limit(const struct tree *tree);

struct bytes tree_name(const struct tree *tree, uint32_t id);
uint32_t tree_find(const struct tree *tree, uint32_t parent, struct bytes name);
/* Finds or adds; the name has 1 to 255 bytes. */
uint32_t tree_add(struct tree *tree, uint32_t parent, struct bytes name);
/* "" is the root. */
uint32_t tree_lookup(const struct tree *tree, struct bytes path);
uint32_t tree_make(struct tree *tree, struct bytes path);

/* The path as text without a leading slash; the root is "". Names come from file systems or from
 * checked messages, so depth and length are bounded: PATH_LIMIT bytes with the NUL. */
enum { TREE_PATH_LIMIT = 8192 };
const char *tree_path(const struct tree *tree, uint32_t id, char out[TREE_PATH_LIMIT]);

/* The node after `id` in pre-order within the subtree of `top`; TREE_NONE at the end. */
uint32_t tree_next(const struct tree *tree, uint32_t id, uint32_t top);
/* The same without descending into `id`. */
uint32_t tree_skip(const struct tree *tree, uint32_t id, uint32_t top);

/* Drops the node and then its parents as long as they mean nothing: no entry, no child, no
 * flag, nothing on the way. The root stays. */
void tree_prune(struct tree *tree, uint32_t id);

/* A sum over all entries that does not depend on their order: equal for equal trees. */
enum tree_view { TREE_LOCAL, TREE_BASE, TREE_REMOTE };
struct hash128 tree_digest(const struct tree *tree, enum tree_view view, uint64_t *out_count);
const struct entry *node_entry(const struct node *node, enum tree_view view);
