/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile other side, to an engine of either role with a folder of its own: every message is
 * refused or handled, and nothing outside of the folder is touched. The first byte says which role
 * and lane, and whether the greeting is left out; then come records: type, size u16, payload. */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "sync/engine.h"
#include "sync/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LAPTOP = 1, NO_GREETING = 2, BULK = 4 };

static void port_send(void *context, enum sync_lane lane, struct bytes bytes)
{
    (void)context, (void)lane, (void)bytes;
}

static size_t port_queued(void *context, enum sync_lane lane)
{
    (void)context, (void)lane;
    return 0;
}

static void port_event(void *context, const struct sync_event *event)
{
    (void)context;
    assert(event->path && event->text);
}

static const struct sync_port port = {
    .send = port_send, .queued = port_queued, .event = port_event};

static void make(const char *top, const char *path, const char *text)
{
    struct error err;
    AUTO(mem_free) char *full = xasprintf("%s/%s", top, path);
    AUTO(fd_close) int fd = text ? open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (text ? fd < 0 || !fd_write_all(fd, bytes_of(text), &err) : mkdir(full, 0700) != 0)
        abort();
}

/* TOP/outside/secret is not to be touched; TOP/root is the engine's. */
static void world_make(const char *top)
{
    AUTO(mem_free) char *way_out = xasprintf("%s/root/out", top);
    AUTO(mem_free) char *way_in = xasprintf("%s/root/link", top);
    make(top, "outside", NULL);
    make(top, "outside/secret", "secret");
    make(top, "root", NULL);
    make(top, "root/a", "one");
    make(top, "root/d", NULL);
    make(top, "root/d/b", "two");
    if (symlink("../outside", way_out) != 0 || symlink("../outside/secret", way_in) != 0)
        abort();
}

static size_t entries(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void world_check(const char *top)
{
    struct error err;
    AUTO(buf_dispose) struct buf text = BUF(64);
    AUTO(mem_free) char *outside = xasprintf("%s/outside", top);
    AUTO(mem_free) char *secret = xasprintf("%s/outside/secret", top);
    assert(entries(top) == 4 && entries(outside) == 3);
    assert(file_read(secret, &text, &err) && strcmp(buf_string(&text), "secret") == 0);
}

static bool deliver(struct sync *sync, enum sync_lane lane, uint8_t type, struct bytes payload)
{
    struct error err;
    AUTO(buf_dispose) struct buf message = BUF(128 * 1024);
    int64_t next;
    return sync_message_encode(type, payload, 0, &message, &err) &&
           sync_receive(sync, lane, buf_bytes(&message), &err) &&
           sync_step(sync, 1000 * 1000, &next, &err);
}

static void greet(struct sync *sync, const char *root)
{
    struct error err;
    AUTO(ignore_free) struct ignore *ignore = ignore_new();
    AUTO(buf_dispose) struct buf rules = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf payload = BUF(64 * 1024);
    struct sync_hello hello = {.version = SYNC_VERSION,
                               .generation = 1,
                               .mode = SYNC_TWO_WAY_SAFE,
                               .flags = HELLO_MAY_CREATE,
                               .root = bytes_of(root)};
    assert(ignore_encode(ignore, &rules, &err));
    hello.rules = buf_bytes(&rules);
    assert(sync_hello_encode(&hello, &payload, &err));
    assert(deliver(sync, LANE_FAST, SYNC_HELLO, buf_bytes(&payload)));
}

static void talk(struct sync *sync, const char *root, struct bytes input)
{
    int64_t next;
    struct error err;
    uint8_t how = input.data[0];
    sync_connected(sync);
    if (how & LAPTOP)
        assert(sync_step(sync, 1000, &next, &err));
    else if (!(how & NO_GREETING))
        greet(sync, root);
    input = (struct bytes){input.data + 1, input.size - 1};
    while (input.size >= 3) {
        size_t size = read_u16(input.data + 1);
        if (size > input.size - 3)
            size = input.size - 3;
        struct bytes payload = {input.data + 3, size};
        if (!deliver(sync, how & BULK ? LANE_BULK : LANE_FAST, input.data[0], payload))
            break;
        input = (struct bytes){input.data + 3 + size, input.size - 3 - size};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 64 * 1024)
        return 0;
    struct error err;
    const char *tmp = getenv("TMPDIR"); /* best in memory */
    AUTO(mem_free) char *top = xasprintf("%s/fuzz-peer-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(top))
        abort();
    world_make(top);
    AUTO(mem_free) char *root = xasprintf("%s/root", top);
    struct sync_options options = {.role = data[0] & LAPTOP ? SYNC_LAPTOP : SYNC_REMOTE,
                                   .root = root,
                                   .remote_root = "/there",
                                   .mode = SYNC_TWO_WAY_SAFE,
                                   .threads = 1};
    struct sync *sync = sync_new(&options, &port, NULL, &err);
    assert(sync);
    talk(sync, root, (struct bytes){data, size});
    sync_free(sync);
    world_check(top);
    if (!tree_remove(top, &err))
        abort();
    return 0;
}
