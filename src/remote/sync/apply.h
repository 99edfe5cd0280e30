/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the changes of a batch: first all content is staged and verified, then everything is put
 * in place in the order given. A change whose expectation does not hold is refused and the
 * others go on. */
#pragma once

#include "base/attributes.h"
#include "sync/message.h"
#include "sync/stage.h"

struct applier;
struct error;
struct node;
struct tree;

struct applier_options {
    int root;          /* borrowed */
    struct tree *tree; /* its local entries are kept up to date */
    struct stage *stage;
    bool careful; /* look again at what was replaced, in the moment after */
};

MUST_USE struct applier *applier_new(const struct applier_options *options);
void applier_free(struct applier *applier);
static inline void applier_free_auto(struct applier **applier)
{
    applier_free(*applier);
}

/* Stages the op's content. What fails is remembered and told by applier_commit. Everything in
 * `op` is copied. */
void applier_add(struct applier *applier, const struct sync_op *op);

struct applied {
    size_t index;              /* counted from the first add */
    uint32_t node;             /* may mean nothing any more after the call */
    const char *path;          /* borrowed for the call */
    struct entry entry;        /* what was asked for */
    struct entry actual;       /* what is there now */
    enum sync_refusal refusal; /* 0: done */
    const char *text;
};
typedef void applier_told(void *context, const struct applied *applied);

/* Puts everything in place, tells about each and forgets them. */
void applier_commit(struct applier *applier, applier_told *told, void *context);

/* Brings node->local up to date with what is at its place; cheap when its times are unchanged.
 * `parent` is its folder and `name` its name there. */
MUST_USE bool examine(int parent, const char *name, struct node *node, struct error *err);

/* The folder of `path`, opened beneath the root; *out_name is the last component. -1 and errno. */
int open_parent(int root, const char *path, const char **out_name);
