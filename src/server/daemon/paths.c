/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "daemon/daemon.h"

/* The path without its last `count` components. */
static char *above(const char *path, int count)
{
    char *folder = xstrdup(path);
    for (; count > 0; count--) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            break;
        *slash = '\0';
    }
    return folder;
}

static bool is_folder(const char *path)
{
    struct stat stat_of_it;
    return stat(path, &stat_of_it) == 0 && S_ISDIR(stat_of_it.st_mode);
}

void paths_init(struct paths *paths, const char *executable)
{
    AUTO(mem_free) char *prefix = above(executable, 2);
    AUTO(mem_free) char *shared = xasprintf("%s/share/video-message-app", prefix);
    AUTO(mem_free) char *sources = above(executable, 3);
    AUTO(mem_free) char *mark = xasprintf("%s/src/server", sources);
    const char *root = is_folder(mark) ? sources : shared;
    paths->web = xasprintf("%s/%s", root, root == sources ? "web/dist" : "web");
    paths->assets = xasprintf("%s/assets", root);
    paths->models = xasprintf("%s/models", root);
}

void paths_dispose(struct paths *paths)
{
    free(paths->web);
    free(paths->assets);
    free(paths->models);
}
