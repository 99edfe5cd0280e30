/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts: files that are made once, never changed, and found again by name.
 *
 * A name says what is inside (the hash of all inputs, of the back end and of its version, or an
 * unguessable id), so writing the same name twice is harmless: the content is the same. What is
 * being written is not visible; it appears whole, in one step, or not at all. Every class has
 * its own time to live, after which store_sweep removes what nobody used.
 *
 * Back ends (local.c, memory.c; faulty.c wraps another for tests) are tables of functions behind
 * this header. All calls block and may be made from several threads at once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/hash.h"

struct buf;
struct error;

enum store_class {
    STORE_UPLOAD,       /* what people sent: photos, backgrounds        */
    STORE_INTERMEDIATE, /* what can be computed again                   */
    STORE_VIDEO,        /* results and their thumbnails                 */
    STORE_CLASSES
};
const char *store_class_name(enum store_class class); /* "upload", "intermediate", "video" */

enum { STORE_NAME_SIZE = 72 };

/* A name is 1 to 71 of a-z 0-9 . _ - and begins with a letter or digit; it is never a path. */
struct store_key {
    enum store_class class;
    char name[STORE_NAME_SIZE];
};
/* ERROR_NOT_FOUND when `name` is not one, so that what comes from a URL can be passed in. */
MUST_USE bool store_key_of(enum store_class class, const char *name, struct store_key *out,
                           struct error *err);
/* The hash in hexadecimal, then `suffix` (".mp4", or ""). */
struct store_key store_key_hash(enum store_class class, struct hash128 hash, const char *suffix);

struct store_object {
    int fd; /* at the start of the content, read only; the caller's to close */
    int64_t size_bytes;
    int64_t modified_ms; /* wall clock */
};

struct store_usage {
    struct {
        int64_t bytes, files;
    } classes[STORE_CLASSES];
    int64_t free_bytes;    /* of the file system beneath */
    int64_t reserve_bytes; /* what the guard keeps free  */
};

struct store;
void store_free(struct store *store);
static inline void store_free_auto(struct store **store)
{
    store_free(*store);
}

/* Writes the whole content. ERROR_LIMIT (disk_full) when the guard refuses. Uploads and videos
 * are on the disk when it returns; intermediates may be lost with the power, never halved. */
MUST_USE bool store_put(struct store *store, const struct store_key *key, struct bytes content,
                        struct error *err);

/* Takes the finished file at `path` over; on success it is not at `path` any more. */
MUST_USE bool store_adopt(struct store *store, const struct store_key *key, const char *path,
                          struct error *err);

/* ERROR_NOT_FOUND when it is not there. */
MUST_USE bool store_open(struct store *store, const struct store_key *key, struct store_object *out,
                         struct error *err);
/* Appends the whole content to `out`, whose limit bounds it. */
MUST_USE bool store_get(struct store *store, const struct store_key *key, struct buf *out,
                        struct error *err);
bool store_has(struct store *store, const struct store_key *key);
/* Where a program that wants a path can read it, until it is removed or swept. To be freed. */
MUST_USE char *store_path(struct store *store, const struct store_key *key, struct error *err);
/* Its time to live begins anew. False when it is not there. */
bool store_renew(struct store *store, const struct store_key *key);
/* What is not there is fine. */
MUST_USE bool store_remove(struct store *store, const struct store_key *key, struct error *err);

/* A path for a file that is being made, on the same file system; the file does not exist yet.
 * Whatever is left there is removed at the next start. To be freed. */
MUST_USE char *store_scratch(struct store *store, const char *suffix, struct error *err);

/* What one message may need until it is done. */
enum { STORE_ROOM_BYTES = 64 * 1000 * 1000 };

/* ERROR_LIMIT (disk_full) unless `bytes` more can be written and the reserve stays free. */
MUST_USE bool store_room(struct store *store, int64_t bytes, struct error *err);

/* Removes what was not used for its class's time to live, counted from `now_ms` (wall clock),
 * and, while the reserve and room for a message are not free, the oldest intermediates as well. */
MUST_USE bool store_sweep(struct store *store, int64_t now_ms, int64_t *out_removed,
                          struct error *err);
MUST_USE bool store_usage(struct store *store, struct store_usage *out, struct error *err);

struct store_options {
    const char *root;               /* made when it is not there       */
    int64_t keep_ms[STORE_CLASSES]; /* 0: 7 days, 3 days, 30 days; < 0: for ever */
    int64_t reserve_bytes;          /* 0: 256 MB; < 0: no guard        */
};
/* A local directory: ROOT/CLASS/ab/NAME, sharded by the name's hash, and ROOT/tmp. */
MUST_USE struct store *store_local_open(const struct store_options *options, struct error *err);

/* For tests: one that holds everything in memory, and one that lets `healthy` calls through to
 * `inner` (taken over) and fails from then on with ERROR_UNAVAILABLE. */
MUST_USE struct store *store_memory_new(void);
MUST_USE struct store *store_faulty_new(struct store **inner, unsigned healthy);
