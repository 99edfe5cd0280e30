/* SPDX-License-Identifier: Apache-2.0 */
#include "syncing/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "sys/peer.h"

enum { DEPTH_MAX = 256 };

/* A folder by what it is, whatever it is called and through whichever door it is seen. */
static char *identity(const char *path)
{
    struct stat stat_;
    return stat(path, &stat_) == 0 ? xasprintf("%llx:%llx", (unsigned long long)stat_.st_dev,
                                               (unsigned long long)stat_.st_ino)
                                   : NULL;
}

/* The folder's parent, in place; false at the top. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || !path[1])
        return false;
    slash[slash == path] = '\0';
    return true;
}

void place_tell(const char *folder, struct jv *out)
{
    char boot[BOOT_NAME_SIZE];
    AUTO(mem_free) char *path = path_resolve(folder);
    size_t depth = 0;
    if (!boot_name(boot))
        return;
    jv_text(out, "boot", boot);
    struct jv *list = jv_put_array(out, "folders");
    do {
        AUTO(mem_free) char *name = identity(path);
        if (name)
            jv_push_text(list, name);
    } while (go_up(path) && ++depth < DEPTH_MAX);
}

static bool has(const struct jv *list, const char *name)
{
    for (size_t i = 0; i < jv_size(list) && i < DEPTH_MAX; i++)
        if (strcmp(jv_as_text(jv_at(list, i), ""), name) == 0)
            return true;
    return false;
}

bool place_overlaps(const struct jv *told, const char *path)
{
    char boot[BOOT_NAME_SIZE];
    const struct jv *list = jv_get(told, "folders");
    if (!boot_name(boot) || strcmp(jv_get_text(told, "boot", ""), boot) != 0 || !jv_size(list))
        return false;
    AUTO(mem_free) char *at = path_resolve(path);
    AUTO(mem_free) char *itself = identity(at);
    if (itself && has(list, itself))
        return true; /* what was told of is in it, or is it */
    const char *theirs = jv_as_text(jv_at(list, 0), "");
    do {
        AUTO(mem_free) char *name = identity(at);
        if (name && strcmp(name, theirs) == 0)
            return true;
    } while (go_up(at));
    return false;
}
