/* SPDX-License-Identifier: Apache-2.0 */
/* Where new content waits, whole and verified, until it is moved into place: the folder
 * .vma-stage in the root, so that the last step is a rename. Everything is done beneath the
 * root and no link is ever followed. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"
#include "sync/entry.h"

struct error;
struct stage;
struct sync_op;

/* `root` is borrowed. What an earlier run left behind is removed. */
MUST_USE struct stage *stage_new(int root);
/* Removes the folder if it is empty. */
void stage_free(struct stage *stage);
static inline void stage_free_auto(struct stage **stage)
{
    stage_free(*stage);
}

/* From now on what is staged begins its way to the disk before it is put in place, so that a power
 * cut does not leave an empty file that would be taken for a change. */
void stage_write_soon(struct stage *stage);

/* Nothing more is expected for now: the folder goes, until it is needed again. */
void stage_rest(struct stage *stage);

/* The rest of what was on its way will not come. */
void stage_drop_transfers(struct stage *stage);

/* For tests: the call that changes something for the `countdown`th time, and all after it, fail
 * as if the machine had stopped. */
void stage_fault(struct stage *stage, uint64_t countdown);
bool stage_crashed(const struct stage *stage);

/* A staged file's name in the stage; 0 is none. */
typedef uint64_t staged;
enum { STAGED_NAME_SIZE = 24 };
const char *staged_name(staged id, char out[STAGED_NAME_SIZE]);
int stage_dir(const struct stage *stage);

/* These fail with ERROR_CONFLICT when the content is not what `entry` says, ERROR_LIMIT with
 * os ENOSPC or EDQUOT when the disk is full. */
MUST_USE bool stage_bytes(struct stage *stage, const struct entry *entry, struct bytes content,
                          staged *out, struct error *err);
MUST_USE bool stage_link(struct stage *stage, const struct entry *entry, struct bytes target,
                         staged *out, struct error *err);
/* Copies the open file. */
MUST_USE bool stage_copy(struct stage *stage, const struct entry *entry, int from, staged *out,
                         struct error *err);
/* Gives the file `name` in `dir` a second name in the stage, instead of a copy. */
MUST_USE bool stage_hard_link(struct stage *stage, const struct entry *entry, int dir,
                              const char *name, staged *out, struct error *err);
void stage_drop(struct stage *stage, staged *id);

/* Large files arrive in pieces. `from` is the open old file for copies, or -1; taken over. */
enum { STAGE_TRANSFERS = 256 };
MUST_USE bool stage_begin(struct stage *stage, uint64_t transfer, uint64_t size, int from,
                          struct error *err);
MUST_USE bool stage_write(struct stage *stage, uint64_t transfer, struct bytes bytes,
                          struct error *err);
MUST_USE bool stage_write_old(struct stage *stage, uint64_t transfer, uint64_t offset,
                              uint64_t size, struct error *err);
/* Turns a finished transfer into a staged file. */
MUST_USE bool stage_end(struct stage *stage, uint64_t transfer, const struct entry *entry,
                        staged *out, struct error *err);
/* Gives its room back; what arrives for it is dropped and stage_end fails with *why. */
void stage_fail(struct stage *stage, uint64_t transfer, const struct error *why);
/* Forgets it; what arrives for it is dropped silently until the next begin. */
void stage_abandon(struct stage *stage, uint64_t transfer);

/* The last steps. They return like system calls. */
int stage_place_new(struct stage *stage, staged *id, int dir, const char *name);
int stage_place_over(struct stage *stage, staged *id, int dir, const char *name);
/* Exchanges: afterwards *id names what was there. */
int stage_exchange(struct stage *stage, staged *id, int dir, const char *name);
int stage_remove(struct stage *stage, int dir, const char *name, bool is_dir);
int stage_mkdir(struct stage *stage, int dir, const char *name, mode_t mode);
int stage_chmod(struct stage *stage, int dir, const char *name, mode_t mode);
