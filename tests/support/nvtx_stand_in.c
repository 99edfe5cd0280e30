/* SPDX-License-Identifier: Apache-2.0 */
/* A tool that takes NVTX ranges, as profilers do: named in NVTX_INJECTION64_PATH. It appends a line
 * for each range that ends, "pid stage", to the file NVTX_STAND_IN_LOG. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALLBACKS = 1, CORE = 1, PUSH = 9, POP = 11, DEEPEST = 16 };

typedef void function(void);

struct callbacks {
    size_t size;
    int (*table)(int module, function ****out, unsigned *out_size);
};

static _Thread_local const char *open_ranges[DEEPEST];
static _Thread_local int depth;

static int push(const char *name)
{
    if (depth < DEEPEST)
        open_ranges[depth] = name;
    return depth++;
}

static int pop(void)
{
    char line[128];
    const char *path = getenv("NVTX_STAND_IN_LOG");
    if (depth == 0)
        return -1;
    depth--;
    int size = snprintf(line, sizeof line, "%d %s\n", (int)getpid(), open_ranges[depth]);
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (file >= 0) {
        (void)!write(file, line, (size_t)size);
        close(file);
    }
    return depth;
}

int InitializeInjectionNvtx2(const void *(*tables)(uint32_t number));
int InitializeInjectionNvtx2(const void *(*tables)(uint32_t number))
{
    const struct callbacks *callbacks = tables(CALLBACKS);
    function ***core = NULL;
    unsigned size = 0;
    if (!callbacks || callbacks->size < sizeof *callbacks ||
        !callbacks->table(CORE, &core, &size) || size <= POP)
        return 0;
    *core[PUSH] = (function *)(void *)push;
    *core[POP] = (function *)(void *)pop;
    return 1;
}
