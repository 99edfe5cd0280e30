/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hubs.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "sys/fdpass.h"

void hub_free(struct hub *hub)
{
    if (!hub)
        return;
    free(hub->socket);
    free(hub->host);
    free(hub->root);
    free(hub->remote);
    free(hub);
}

static char *with_ending(const char *socket, const char *ending)
{
    return xasprintf("%.*s%s", (int)(strlen(socket) - strlen(".sock")), socket, ending);
}

static struct hub *hub_read(const char *socket)
{
    AUTO(mem_free) char *about = with_ending(socket, ".json");
    AUTO(buf_dispose) struct buf text = BUF(16 * 1024);
    if (!file_read(about, &text, NULL))
        return NULL;
    AUTO(jv_free) struct jv *value = jv_parse(buf_bytes(&text), NULL);
    AUTO(fd_close) int fd = value ? unix_connect(socket, NULL) : -1;
    if (fd < 0) { /* left behind by one that was killed, or just beginning */
        unix_sweep(socket, about);
        return NULL;
    }
    struct hub *hub = xcalloc(1, sizeof *hub);
    hub->socket = xstrdup(socket);
    hub->host = xstrdup(jv_get_text(value, "host", ""));
    hub->root = xstrdup(jv_get_text(value, "root", ""));
    hub->remote = xstrdup(jv_get_text(value, "remote", ""));
    hub->pid = (int)jv_get_int(value, "pid", 0);
    return hub;
}

void hub_each(struct cli *cli, void (*visit)(void *context, const struct hub *hub), void *context)
{
    AUTO(mem_free) char *folder = dirs_runtime("vma", cli->lookup, NULL);
    DIR *entries = folder ? opendir(folder) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!text_starts(entry->d_name, "hub-") || !text_ends(entry->d_name, ".sock"))
            continue;
        AUTO(mem_free) char *socket = xasprintf("%s/%s", folder, entry->d_name);
        AUTO(hub_free) struct hub *hub = hub_read(socket);
        if (hub)
            visit(context, hub);
    }
    if (entries)
        closedir(entries);
}

struct search {
    const char *host;
    char here[PATH_MAX];
    struct hub *best;
    size_t best_length;
};

static bool beneath(const char *path, const char *root)
{
    size_t length = strlen(root);
    return length > 0 && strncmp(path, root, length) == 0 &&
           (path[length] == '/' || path[length] == '\0' || root[length - 1] == '/');
}

static void consider(void *context, const struct hub *hub)
{
    struct search *search = context;
    bool near = beneath(search->here, hub->root);
    if (search->host && strcmp(search->host, hub->host) != 0)
        return;
    if (!search->host && !near)
        return;
    size_t length = near ? strlen(hub->root) + 1 : 0;
    if (search->best && length <= search->best_length)
        return;
    hub_free(search->best);
    search->best = xcalloc(1, sizeof *hub);
    *search->best = (struct hub){xstrdup(hub->socket), xstrdup(hub->host), xstrdup(hub->root),
                                 xstrdup(hub->remote), hub->pid};
    search->best_length = length;
}

struct hub *hub_find(struct cli *cli, const char *host)
{
    struct search search = {.host = host};
    if (!getcwd(search.here, sizeof search.here))
        search.here[0] = '\0';
    hub_each(cli, consider, &search);
    return search.best;
}

int hub_announce(struct cli *cli, const char *host, const char *root, const char *remote,
                 char **out_socket, struct error *err)
{
    AUTO(mem_free) char *folder = dirs_runtime("vma", cli->lookup, err);
    if (!folder)
        return -1;
    AUTO(mem_free) char *socket = xasprintf("%s/hub-%ld.sock", folder, (long)getpid());
    AUTO(mem_free) char *about = with_ending(socket, ".json");
    AUTO(jv_free) struct jv *value = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(16 * 1024);
    jv_text(value, "host", host);
    jv_text(value, "root", root);
    jv_text(value, "remote", remote);
    jv_int(value, "pid", getpid());
    AUTO(fd_close) int fd = unix_listen(socket, err);
    if (fd < 0 || !jv_write(value, false, &text, err) || !file_write(about, buf_bytes(&text), err))
        return -1;
    *out_socket = TAKE(socket);
    return fd_take(&fd);
}

void hub_retire(const char *socket)
{
    AUTO(mem_free) char *about = with_ending(socket, ".json");
    unlink(about);
    unlink(socket);
}
