/* SPDX-License-Identifier: Apache-2.0 */
#include "link/agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <zstd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sha256.h"

enum { AGENT_MAX = 64 * 1024 * 1024, PACK_LEVEL = 6 };

static const char *const machines[AGENTS_MAX] = {"x86_64", "aarch64"};

static const char *machine_here(void)
{
    struct utsname names;
    if (uname(&names) != 0 || strcmp(names.sysname, "Linux") != 0)
        return "";
    if (strcmp(names.machine, "arm64") == 0)
        return machines[1];
    for (size_t i = 0; i < AGENTS_MAX; i++)
        if (strcmp(names.machine, machines[i]) == 0)
            return machines[i];
    return "";
}

static bool add(struct agents *agents, const char *path, const char *machine, const char *version)
{
    AUTO(buf_dispose) struct buf content = BUF(AGENT_MAX);
    char hash[HASH128_TEXT_SIZE];
    if (!file_read(path, &content, NULL) || content.size == 0)
        return false;
    hash128_text(hash128_of(buf_bytes(&content)), hash);
    size_t at = agents->count++;
    agents->items[at].path = xstrdup(path);
    agents->items[at].machine = machine;
    snprintf(agents->items[at].key, sizeof agents->items[at].key, "%.20s-%s-%.16s", version,
             machine, hash);
    return true;
}

static char *beside(const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    return slash ? xasprintf("%.*s/%s", (int)(slash - file), file, name) : xstrdup(name);
}

void agents_find(const char *self, const char *folder, const char *version, struct agents *out)
{
    const char *here = machine_here();
    *out = (struct agents){0};
    for (size_t i = 0; i < AGENTS_MAX; i++) {
        char name[64];
        snprintf(name, sizeof name, "vma-linux-%s", machines[i]);
        if (strcmp(here, machines[i]) == 0) {
            add(out, self, machines[i], version);
            continue;
        }
        AUTO(mem_free) char *near = beside(self, name);
        AUTO(mem_free) char *far = folder ? xasprintf("%s/%s", folder, name) : NULL;
        if (!add(out, near, machines[i], version) && far)
            add(out, far, machines[i], version);
    }
}

void agents_dispose(struct agents *agents)
{
    for (size_t i = 0; i < agents->count; i++)
        free(agents->items[i].path);
    *agents = (struct agents){0};
}

static bool append_packed(struct bytes raw, const char *sum, struct buf *out, struct error *err)
{
    size_t room = ZSTD_compressBound(raw.size);
    AUTO(mem_free) uint8_t *packed = xmalloc(room);
    size_t size = ZSTD_compress(packed, room, raw.data, raw.size, PACK_LEVEL);
    if (ZSTD_isError(size))
        return error_set(err, ERROR_INTERNAL, "pack the agent: %s", ZSTD_getErrorName(size));
    return buf_printf(out, err, "%zu %s zstd\n", size, sum) &&
           buf_append(out, (struct bytes){packed, size}, err);
}

bool agents_upload(const struct agents *agents, const struct preface *need, struct buf *out,
                   struct error *err)
{
    for (size_t i = 0; i < agents->count && strcmp(need->system, "Linux") == 0; i++) {
        if (strcmp(agents->items[i].machine, need->machine) != 0)
            continue;
        AUTO(buf_dispose) struct buf content = BUF(AGENT_MAX);
        char sum[SHA256_TEXT_SIZE];
        if (!file_read(agents->items[i].path, &content, err))
            return false;
        sha256_text(buf_bytes(&content), sum);
        if (strcmp(need->unpacker, "zstd") == 0)
            return append_packed(buf_bytes(&content), sum, out, err);
        return buf_printf(out, err, "%zu %s raw\n", content.size, sum) &&
               buf_append(out, buf_bytes(&content), err);
    }
    if (strcmp(need->system, "Linux") != 0)
        return error_set(err, ERROR_NOT_FOUND,
                         "it runs %s: the other side has to be Linux (this side may be a Mac)",
                         strcmp(need->system, "Darwin") == 0 ? "macOS" : need->system);
    return error_set(err, ERROR_NOT_FOUND,
                     "no agent for %s on %s: put vma-linux-%s beside this program", need->system,
                     need->machine, need->machine);
}
