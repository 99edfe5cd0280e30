/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/find.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

static char *readable(char *path)
{
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* Beside the program or above it: bin/../share, and .deps at the root of the source tree. */
static char *near_program(const char *file)
{
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0)
        return NULL;
    folder[length] = '\0';
    for (char *slash; (slash = strrchr(folder, '/'));) {
        *slash = '\0';
        char *found = readable(xasprintf("%s/share/video-message-app/voices/%s", folder, file));
        if (!found)
            found = readable(xasprintf("%s/.deps/voices/%s", folder, file));
        if (found)
            return found;
    }
    return NULL;
}

char *voice_file_find(const char *data_dir, const char *file, const char *elsewhere)
{
    char *found = data_dir ? readable(xasprintf("%s/voices/%s", data_dir, file)) : NULL;
    if (!found)
        found = near_program(file);
    if (!found)
        found = readable(xstrdup(elsewhere));
    return found;
}
