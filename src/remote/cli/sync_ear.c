/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/sync.h"
#include "io/loop.h"
#include "sys/dirs.h"
#include "sys/fdpass.h"
#include "sys/fds.h"

enum { QUESTION_MAX = 64 * 1024 };

/* Somebody who asks. */
struct caller {
    struct sync_ear *ear;
    struct caller *next;
    int fd;
    struct watch *watch;
    struct buf question;
    bool asked, gone;
};

struct sync_ear {
    struct loop *loop;
    struct laptop *laptop;
    int fd;
    struct watch *watch;
    char *socket, *about;
    struct caller *callers;
    struct later *reap;
};

static void caller_free(struct caller *caller)
{
    watch_free(caller->watch);
    close(caller->fd);
    buf_dispose(&caller->question);
    free(caller);
}

static void on_reap(void *context)
{
    struct sync_ear *ear = context;
    for (struct caller **link = &ear->callers; *link;) {
        struct caller *caller = *link;
        if (!caller->gone) {
            link = &caller->next;
            continue;
        }
        *link = caller->next;
        caller_free(caller);
    }
}

static void finish(struct caller *caller)
{
    caller->gone = true;
    later_ask(caller->ear->reap);
}

static void on_answer(void *context, const struct jv *answer)
{
    struct caller *caller = context;
    AUTO(buf_dispose) struct buf text = BUF(64 << 20);
    struct error err;
    bool good = jv_write(answer, false, &text, &err) && buf_text(&text, "\n", &err);
    int flags = fcntl(caller->fd, F_GETFL);
    fcntl(caller->fd, F_SETFL, flags & ~O_NONBLOCK);
    struct timeval limit = {.tv_sec = 1};
    setsockopt(caller->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (good && !fd_write_all(caller->fd, buf_bytes(&text), &err))
        log_debug("sync.answer_lost", LOG_ERROR(&err)); /* whoever asked has gone */
    finish(caller);
}

static void on_readable(void *context, int ready)
{
    struct caller *caller = context;
    struct error err;
    (void)ready;
    uint8_t *room = buf_reserve(&caller->question, 4096, &err);
    ssize_t got = room ? read(caller->fd, room, 4096) : 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        watch_set(caller->watch, 0);
        if (!caller->asked)
            finish(caller);
        return;
    }
    buf_commit(&caller->question, (size_t)got);
    if (caller->asked || !memchr(caller->question.data, '\n', caller->question.size))
        return;
    caller->asked = true;
    AUTO(jv_free) struct jv *question = jv_parse(buf_bytes(&caller->question), &err);
    AUTO(jv_free) struct jv *empty = jv_object();
    sync_ask(caller->ear->laptop, question ? question : empty, on_answer, caller);
}

static void on_call(void *context, int ready)
{
    struct sync_ear *ear = context;
    struct error err;
    (void)ready;
    int fd = fds_accept(ear->fd, FDS_NONBLOCKING);
    if (fd < 0)
        return;
    if (!unix_peer_is_us(fd)) {
        close(fd);
        return;
    }
    struct caller *caller = xcalloc(1, sizeof *caller);
    *caller =
        (struct caller){.ear = ear, .fd = fd, .question = BUF(QUESTION_MAX), .next = ear->callers};
    ear->callers = caller;
    caller->watch = watch_new(ear->loop, fd, on_readable, caller, &err);
    if (!caller->watch) {
        finish(caller);
        return;
    }
    watch_set(caller->watch, WATCH_READ);
}

/* --- Who runs ------------------------------------------------------------------------------ */

static char *about_of(const char *socket)
{
    return xasprintf("%.*s.json", (int)(strlen(socket) - strlen(".sock")), socket);
}

void sync_each(struct cli *cli, sync_seen *seen, void *context)
{
    struct error err;
    AUTO(mem_free) char *folder = dirs_runtime("vma", cli->lookup, &err);
    DIR *entries = folder ? opendir(folder) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!text_starts(entry->d_name, "sync-") || !text_ends(entry->d_name, ".sock"))
            continue;
        AUTO(mem_free) char *socket = xasprintf("%s/%s", folder, entry->d_name);
        AUTO(mem_free) char *about = about_of(socket);
        AUTO(fd_close) int fd = unix_connect(socket, &err);
        if (fd < 0) { /* left behind by one that was killed */
            unix_sweep(socket, about);
            continue;
        }
        AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
        AUTO(jv_free)
        struct jv *value = file_read(about, &text, &err) ? jv_parse(buf_bytes(&text), &err) : NULL;
        if (value)
            seen(context, socket, value);
    }
    if (entries)
        closedir(entries);
}

struct check {
    struct cli *cli;
    const struct sync_about *about;
    const char *dest; /* its real one */
    bool good;
    struct error *err;
};

static bool nested(const char *a, const char *b)
{
    return path_is_within(a, b) || path_is_within(b, a);
}

/* Where a sync's copies go, as far as that can be known here. */
static char *real_dest(struct cli *cli, const char *host, const char *dest)
{
    AUTO(mem_free) char *home = dirs_home(cli->lookup);
    if (strcmp(host, "local:") != 0)
        return xstrdup(dest);
    if (dest[0] == '/')
        return path_resolve(dest);
    bool tilde = dest[0] == '~' && (dest[1] == '/' || !dest[1]);
    AUTO(mem_free) char *full = xasprintf("%s/%s", home, tilde ? dest + 1 : dest);
    return path_resolve(full);
}

static void compare(void *context, const char *socket, const struct jv *other)
{
    struct check *check = context;
    const struct sync_about *about = check->about;
    const char *source = jv_get_text(other, "source", "");
    AUTO(mem_free) char *dest =
        real_dest(check->cli, jv_get_text(other, "host", ""), jv_get_text(other, "dest", ""));
    bool same_host = strcmp(jv_get_text(other, "host", ""), about->host) == 0;
    (void)socket;
    if (!check->good)
        return;
    if (same_host && strcmp(source, about->source) == 0 && strcmp(dest, check->dest) == 0)
        check->good =
            error_set(check->err, ERROR_CONFLICT, "%s is synced with %s already (process %lld)",
                      source, dest, (long long)jv_get_int(other, "pid", 0));
    else if (same_host && strcmp(about->host, "local:") == 0 && strcmp(source, check->dest) == 0 &&
             strcmp(dest, about->source) == 0)
        check->good = error_set(check->err, ERROR_CONFLICT,
                                "%s is synced with %s already, the other way: use two-way-safe",
                                source, dest);
    else if (nested(source, about->source))
        check->good =
            error_set(check->err, ERROR_CONFLICT, "%s and %s, which is synced already, are nested",
                      about->source, source);
    else if (same_host && (nested(dest, check->dest) || strcmp(dest, check->dest) == 0))
        check->good = error_set(check->err, ERROR_CONFLICT,
                                "%s on the other side meets %s, into which %s is synced already",
                                about->dest, dest, source);
}

bool sync_ear_check(struct cli *cli, const struct sync_about *about, struct error *err)
{
    AUTO(mem_free) char *dest = real_dest(cli, about->host, about->dest);
    struct check check = {cli, about, dest, true, err};
    if (strcmp(about->host, "local:") == 0 &&
        (strcmp(about->source, dest) == 0 || nested(about->source, dest)))
        return error_set(err, ERROR_CONFLICT, "%s and %s are nested: a sync would feed on itself",
                         about->source, dest);
    sync_each(cli, compare, &check);
    return check.good;
}

static bool write_about(const struct sync_ear *ear, const struct sync_about *about,
                        struct error *err)
{
    AUTO(jv_free) struct jv *value = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
    jv_text(value, "source", about->source);
    jv_text(value, "host", about->host);
    jv_text(value, "dest", about->dest);
    jv_text(value, "mode", about->mode);
    jv_int(value, "pid", getpid());
    return jv_write(value, false, &text, err) && file_write(ear->about, buf_bytes(&text), err);
}

struct sync_ear *sync_ear_new(struct cli *cli, struct loop *loop, struct laptop *laptop,
                              const struct sync_about *about, struct error *err)
{
    AUTO(mem_free) char *folder = dirs_runtime("vma", cli->lookup, err);
    if (!folder)
        return NULL;
    const char *name = strrchr(about->state, '/');
    struct sync_ear *ear = xcalloc(1, sizeof *ear);
    ear->loop = loop;
    ear->laptop = laptop;
    ear->reap = later_new(loop, on_reap, ear);
    ear->socket = xasprintf("%s/sync-%.16s.sock", folder, name ? name + 1 : about->state);
    ear->about = about_of(ear->socket);
    ear->fd = unix_listen(ear->socket, err);
    bool good = ear->fd >= 0 && write_about(ear, about, err);
    if (good)
        good = (ear->watch = watch_new(loop, ear->fd, on_call, ear, err)) != NULL;
    if (!good) {
        sync_ear_free(ear);
        return NULL;
    }
    watch_set(ear->watch, WATCH_READ);
    return ear;
}

void sync_ear_free(struct sync_ear *ear)
{
    if (!ear)
        return;
    while (ear->callers) {
        struct caller *caller = ear->callers;
        ear->callers = caller->next;
        caller_free(caller);
    }
    watch_free(ear->watch);
    if (ear->fd >= 0) {
        close(ear->fd);
        unlink(ear->socket);
        unlink(ear->about);
    }
    later_free(ear->reap);
    free(ear->socket);
    free(ear->about);
    free(ear);
}
