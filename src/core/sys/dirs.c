/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/dirs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

/* A socket's path has 104 bytes on some systems; ours end in /run/, 40 more at most. */
enum { CACHE_LENGTH_MAX = 58 };

static const char *absolute(const char *path)
{
    return path && path[0] == '/' ? path : NULL;
}

char *dirs_home(dirs_lookup *lookup)
{
    const char *home = absolute(lookup("HOME"));
    return xstrdup(home ? home : ".");
}

static char *private_dir(char *path, struct error *err)
{
    AUTO(mem_free) char *made = path;
    struct stat status;
    if (!dir_make(made, err))
        return NULL;
    if (lstat(made, &status) != 0) {
        error_os(err, errno, "look at %s", made);
        return NULL;
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid()) {
        error_set(err, ERROR_DENIED, "%s is not a folder of this user", made);
        return NULL;
    }
    if ((status.st_mode & 077) != 0 && chmod(made, 0700) != 0) {
        error_os(err, errno, "make %s private", made);
        return NULL;
    }
    return TAKE(made);
}

static char *find(const char *name, const char *variable, const char *below_home,
                  dirs_lookup *lookup)
{
    const char *base = absolute(lookup(variable));
    if (base)
        return xasprintf("%s/%s", base, name);
    AUTO(mem_free) char *home = dirs_home(lookup);
    return xasprintf("%s/%s/%s", home, below_home, name);
}

char *dirs_cache(const char *name, dirs_lookup *lookup, struct error *err)
{
    return private_dir(find(name, "XDG_CACHE_HOME", ".cache", lookup), err);
}

char *dirs_state(const char *name, dirs_lookup *lookup, struct error *err)
{
    return private_dir(find(name, "XDG_STATE_HOME", ".local/state", lookup), err);
}

char *dirs_lasting(const char *name, dirs_lookup *lookup, struct error *err)
{
    AUTO(mem_free) char *cache = dirs_cache(name, lookup, err);
    if (!cache)
        return NULL;
    if (strlen(cache) <= CACHE_LENGTH_MAX)
        return private_dir(xasprintf("%s/run", cache), err);
    return private_dir(xasprintf("/tmp/%s-%ld", name, (long)geteuid()), err);
}

char *dirs_runtime(const char *name, dirs_lookup *lookup, struct error *err)
{
    const char *base = absolute(lookup("XDG_RUNTIME_DIR"));
    if (base && access(base, W_OK) == 0)
        return private_dir(xasprintf("%s/%s", base, name), err);
    AUTO(mem_free) char *cache = dirs_cache(name, lookup, err);
    return cache ? private_dir(xasprintf("%s/run", cache), err) : NULL;
}
