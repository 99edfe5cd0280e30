/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sessions.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "sys/fdpass.h"
#include "wire/mux.h"

enum { TEXT_MAX = 256 * 1024, PATIENCE_US = 500 * 1000, SESSIONS_MAX = 256 };

struct sessions {
    const char *folder, *own;
};

/* Says one word to a session's process; *out (may be NULL) is what it answers. */
static bool ask(const char *path, const char *word, struct buf *out)
{
    AUTO(fd_close) int fd = unix_connect(path, NULL);
    struct timeval patience = {.tv_usec = PATIENCE_US};
    if (fd < 0 || !unix_peer_is_us(fd))
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!fd_write_all(fd, bytes_of(word), NULL))
        return false;
    for (;;) {
        uint8_t *room = buf_reserve(out, 4096, NULL);
        ssize_t got = room ? recv(fd, room, 4096, 0) : -1;
        if (got < 0 && room && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        buf_commit(out, (size_t)got);
    }
}

static bool is_session(const char *name)
{
    return strspn(name, "0123456789abcdef") == SESSION_DIGITS &&
           strcmp(name + SESSION_DIGITS, ".sock") == 0;
}

static void tell_all(const struct sessions *sessions, struct jv *out)
{
    DIR *entries = opendir(sessions->folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!is_session(entry->d_name) || jv_size(out) >= SESSIONS_MAX ||
            strncmp(entry->d_name, sessions->own, SESSION_DIGITS) == 0)
            continue;
        AUTO(mem_free) char *path = xasprintf("%s/%s", sessions->folder, entry->d_name);
        AUTO(buf_dispose) struct buf text = BUF(TEXT_MAX);
        if (!ask(path, "look", &text))
            continue;
        AUTO(jv_free) struct jv *told = jv_parse(buf_bytes(&text), NULL);
        if (told)
            jv_push(out, &told);
    }
    if (entries)
        closedir(entries);
}

static void end_one(const struct sessions *sessions, const char *session)
{
    AUTO(mem_free) char *name = xasprintf("%s.sock", session);
    if (!is_session(name) || strcmp(session, sessions->own) == 0)
        return;
    AUTO(mem_free) char *path = xasprintf("%s/%s", sessions->folder, name);
    AUTO(buf_dispose) struct buf text = BUF(TEXT_MAX);
    bool heard = ask(path, "end", &text);
    (void)heard; /* it is gone already, then */
}

static const struct channel_events answer_events = {0};

static bool on_open(void *context, struct channel *channel, struct bytes request, struct error *err)
{
    const struct sessions *sessions = context;
    AUTO(jv_free) struct jv *wanted = jv_parse(request, err);
    if (!wanted)
        return false;
    const struct jv *ending = jv_get(wanted, "end");
    for (size_t i = 0; i < jv_size(ending) && i < SESSIONS_MAX; i++)
        end_one(sessions, jv_as_text(jv_at(ending, i), ""));
    AUTO(jv_free) struct jv *answer = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(SESSIONS_MAX * TEXT_MAX);
    if (!ending)
        tell_all(sessions, jv_put_array(answer, "sessions"));
    if (!jv_write(answer, false, &text, err))
        return false;
    channel_bind(channel, &answer_events, NULL);
    channel_write(channel, buf_bytes(&text));
    channel_end(channel);
    return true;
}

struct sessions *sessions_new(struct mux *mux, const char *folder, const char *own)
{
    struct sessions *sessions = xcalloc(1, sizeof *sessions);
    *sessions = (struct sessions){folder, own};
    mux_serve(mux, "sessions", on_open, sessions);
    return sessions;
}

void sessions_free(struct sessions *sessions)
{
    free(sessions);
}
