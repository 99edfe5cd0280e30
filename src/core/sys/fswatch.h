/* SPDX-License-Identifier: Apache-2.0 */
/* Watching folders for changes, each folder by itself, named by a number that the caller gives.
 *
 * A folder is claimed before it is listed, so that nothing that happens after the listing began
 * is missed, and bound to its number when the caller knows it. fswatch_claim may be called from
 * any thread, everything else from one. When the system loses events (its queue overflows) that
 * is reported, never silent: the caller scans again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct fswatch;

enum fswatch_what {
    FSWATCH_WRITTEN = 1 << 0,  /* closed after writing: the content is whole        */
    FSWATCH_WRITING = 1 << 1,  /* written to, still open                            */
    FSWATCH_CREATED = 1 << 2,  /* a new name                                        */
    FSWATCH_ARRIVED = 1 << 3,  /* moved here, perhaps over something                */
    FSWATCH_GONE = 1 << 4,     /* deleted                                           */
    FSWATCH_DEPARTED = 1 << 5, /* moved away                                        */
    FSWATCH_MODE = 1 << 6,     /* permissions or other metadata                     */
    FSWATCH_FOLDER = 1 << 7,   /* the name is a folder                              */
    FSWATCH_SELF = 1 << 8,     /* the watched folder itself went; name is ""        */
    FSWATCH_LOST = 1 << 9,     /* events were lost: scan everything; id is 0        */
    FSWATCH_CONTENT = 1 << 10, /* something in the folder changed, system says no more */
};

struct fswatch_event {
    uint32_t id;
    unsigned what;    /* of enum fswatch_what */
    const char *name; /* in the folder; borrowed for the call */
};
typedef void fswatch_got(void *context, const struct fswatch_event *event);

MUST_USE struct fswatch *fswatch_new(struct error *err);
void fswatch_free(struct fswatch *watch);
static inline void fswatch_free_auto(struct fswatch **watch)
{
    fswatch_free(*watch);
}

/* Readable when there are events. */
int fswatch_fd(const struct fswatch *watch);

/* Begins to watch the folder open as `fd`. Returns a token for fswatch_bind, or -1 with
 * ERROR_LIMIT when the system allows no more watches. */
MUST_USE int fswatch_claim(struct fswatch *watch, int fd, struct error *err);
/* Events of the token's folder carry `id` from now on, which is not 0. */
void fswatch_bind(struct fswatch *watch, int token, uint32_t id);
void fswatch_drop(struct fswatch *watch, uint32_t id);
bool fswatch_bound(const struct fswatch *watch, uint32_t id);

/* Reports what has happened, without waiting: one portion. *out_more: call again. */
MUST_USE bool fswatch_read(struct fswatch *watch, fswatch_got *got, void *context, bool *out_more,
                           struct error *err);
