/* SPDX-License-Identifier: Apache-2.0 */
#include "link/ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"

enum { ORPHANS_MAX = 32, HOST_MAX = 1024 };

static const char prefix[] = "link-";

struct ledger {
    char *path;
    int fd; /* holds the lock */
};

struct orphans {
    size_t count;
    struct ledger *items[ORPHANS_MAX];
};

static struct ledger *entry(char *path, int fd)
{
    struct ledger *ledger = xcalloc(1, sizeof *ledger);
    *ledger = (struct ledger){path, fd};
    return ledger;
}

struct ledger *ledger_open(const char *folder, const char *session, const char *host)
{
    AUTO(mem_free) char *path = xasprintf("%s/%s%s", folder, prefix, session);
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return NULL;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !fd_write_all(fd, bytes_of(host), NULL)) {
        unlink(path);
        return NULL;
    }
    return entry(TAKE(path), fd_take(&fd));
}

void ledger_close(struct ledger *ledger, bool ended)
{
    if (!ledger)
        return;
    if (ended)
        unlink(ledger->path);
    close(ledger->fd);
    free(ledger->path);
    free(ledger);
}

/* NULL when its client lives, or it is of another host. */
static struct ledger *claim(const char *folder, const char *name, const char *host)
{
    AUTO(mem_free) char *path = xasprintf("%s/%s", folder, name);
    AUTO(buf_dispose) struct buf text = BUF(HOST_MAX);
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || !file_read(path, &text, NULL) ||
        !bytes_equal(buf_bytes(&text), bytes_of(host)))
        return NULL;
    return entry(TAKE(path), fd_take(&fd));
}

struct orphans *ledger_orphans(const char *folder, const char *host, struct jv *out)
{
    struct orphans *orphans = xcalloc(1, sizeof *orphans);
    DIR *entries = opendir(folder);
    for (struct dirent *file; entries && (file = readdir(entries));) {
        if (!text_starts(file->d_name, prefix) || orphans->count == ORPHANS_MAX)
            continue;
        struct ledger *found = claim(folder, file->d_name, host);
        if (!found)
            continue;
        orphans->items[orphans->count++] = found;
        jv_push_text(out, file->d_name + strlen(prefix));
    }
    if (entries)
        closedir(entries);
    return orphans;
}

void ledger_settle(struct orphans *orphans, bool told)
{
    if (!orphans)
        return;
    for (size_t i = 0; i < orphans->count; i++)
        ledger_close(orphans->items[i], told);
    free(orphans);
}
