/* SPDX-License-Identifier: Apache-2.0 */
/* Clean-up by scope: AUTO(f) on what a block owns, TAKE on what leaves it.
 *
 * AUTO(thing_free) struct thing *thing = …; calls thing_free_auto(&thing) at the end of the
 * block; a header that declares thing_free defines thing_free_auto beside it. TAKE(thing) yields
 * the value and leaves NULL behind, so that nothing is freed. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define AUTO(function) __attribute__((cleanup(function##_auto), unused))

#define TAKE(pointer)                                                                              \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* For anything from malloc: AUTO(mem_free) char *text = xstrdup(…); */
static inline void mem_free_auto(void *pointer)
{
    free(*(void **)pointer);
}

/* For a descriptor; negative means none: AUTO(fd_close) int fd = open(…); */
static inline void fd_close_auto(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Hands a descriptor on and leaves -1 behind. */
static inline int fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}
