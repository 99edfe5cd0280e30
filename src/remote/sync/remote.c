/* SPDX-License-Identifier: Apache-2.0 */
/* The remote side: says what it has, applies what it is sent, reports what changes by itself and
 * sends what it is asked for. It decides nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/chunk.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/pieces.h"
#include "sync/sender.h"
#include "sync/snapshot.h"
#include "sys/fswatch.h"

enum { LIST_BYTES = 256 * 1024 };

static bool root_is_empty(const char *path)
{
    DIR *stream = opendir(path);
    if (!stream) /* what it is, opening it will say */
        return errno == ENOENT;
    bool empty = true;
    for (struct dirent *item; empty && (item = readdir(stream));)
        empty = strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0;
    closedir(stream);
    return empty;
}

static bool take_rules(struct sync *sync, struct bytes rules, struct error *err)
{
    struct ignore *ignore = ignore_decode(rules, err);
    if (!ignore)
        return false;
    ignore_free(sync->ignore);
    sync->ignore = ignore;
    return true;
}

bool remote_vanished(struct sync *sync, const struct error *failure, struct error *err)
{
    const char *why = root_is_empty(sync->options.root) ? ""
                      : failure                         ? failure->text
                                                        : "it was replaced by another one";
    AUTO(buf_dispose) struct buf payload = BUF(1024);
    struct sync_welcome welcome = {.version = SYNC_VERSION,
                                   .generation = sync->generation,
                                   .flags = WELCOME_VANISHED,
                                   .why = bytes_of(why)};
    sync->live = sync->welcome_due = sync->needs_scan = false;
    return sync_welcome_encode(&welcome, &payload, err) &&
           sync_send(sync, LANE_FAST, SYNC_WELCOME, buf_bytes(&payload), err);
}

bool remote_hello(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_hello hello;
    if (!sync_hello_decode(payload, &hello, err))
        return false;
    if (sync->options.root[0] != '/')
        return error_set(err, ERROR_INVALID, "the folder's path is not absolute");
    sync->options.mode = hello.mode;
    if (!(hello.flags & HELLO_WATCH)) { /* a copy that is made once need not be followed */
        sync->options.watch = false;
        fswatch_free(TAKE(sync->watch));
    }
    sync->generation = hello.generation;
    sync->expected_count = hello.known_count;
    sync->expected_digest = hello.known_digest;
    if (!take_rules(sync, hello.rules, err))
        return false;
    bool must_be = !(hello.flags & HELLO_MAY_CREATE);
    bool gone = hello.flags & HELLO_EXPECTS_ROOT
                    ? root_is_empty(sync->options.root)
                    : must_be && access(sync->options.root, F_OK) != 0 && errno == ENOENT;
    if (gone)
        return remote_vanished(sync, NULL, err);
    bool fresh = sync->root < 0;
    if (!sync_open_root(sync, !must_be, err))
        return must_be && remote_vanished(sync, err, err);
    bool watch = hello.flags & HELLO_WATCH && sync->options.watch;
    if (watch && !sync->watch && !(sync->watch = fswatch_new(err)))
        return false;
    if (!watch)
        fswatch_free(TAKE(sync->watch));
    if (fresh)
        snapshot_load(sync);
    for (uint32_t id = TREE_ROOT + 1; id < tree_limit(sync->tree); id++)
        node_at(sync, id)->base = node_at(sync, id)->remote = (struct entry){0};
    sync->needs_scan = true;
    sync->welcome_due = true;
    sync->live = false;
    return true;
}

bool remote_rules(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_rules rules;
    if (!sync_rules_decode(payload, &rules, err) || !take_rules(sync, rules.rules, err))
        return false;
    sync->generation = rules.generation;
    sync->expected_count = rules.known_count;
    sync->expected_digest = rules.known_digest;
    sync->needs_scan = sync->root >= 0;
    sync->welcome_due = sync->root >= 0;
    sync->live = false;
    return true;
}

static bool send_list(struct sync *sync, struct buf *payload, bool last, struct error *err)
{
    uint8_t *flags = payload->data;
    while (*flags & 0x80) /* behind the generation */
        flags++;
    flags[1] = last ? LIST_LAST : 0;
    bool done = sync_send(sync, LANE_FAST, SYNC_LIST, buf_bytes(payload), err);
    buf_clear(payload);
    return done;
}

static bool list_everything(struct sync *sync, struct error *err)
{
    char path[TREE_PATH_LIMIT];
    struct path_memory memory = {0};
    struct sync_list head = {.generation = sync->generation};
    AUTO(buf_dispose) struct buf payload = BUF(SYNC_MESSAGE_MAX);
    if (!sync_list_encode(&head, &payload, err))
        return false;
    for (uint32_t id = tree_next(sync->tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(sync->tree, id, TREE_ROOT)) {
        const struct node *node = node_at(sync, id);
        if (!node->local.kind)
            continue;
        struct sync_listed listed = {bytes_of(tree_path(sync->tree, id, path)), node->local};
        if (!sync_listed_encode(&listed, &memory, &payload, err))
            return false;
        if (payload.size < LIST_BYTES)
            continue;
        memory.size = 0;
        if (!send_list(sync, &payload, false, err) || !sync_list_encode(&head, &payload, err))
            return false;
    }
    return send_list(sync, &payload, true, err);
}

bool remote_welcome(struct sync *sync, struct error *err)
{
    AUTO(buf_dispose) struct buf payload = BUF(1024);
    if (sync->needs_scan)
        return true;
    sync->welcome_due = false;
    if (!local_hash_all(sync, err))
        return false;
    for (uint32_t id = TREE_ROOT + 1; id < tree_limit(sync->tree); id++) {
        struct node *node = node_at(sync, id);
        node->base = node->local; /* the laptop knows it from now on */
    }
    struct sync_welcome welcome = {.version = SYNC_VERSION, .generation = sync->generation};
    welcome.digest = tree_digest(sync->tree, TREE_LOCAL, &welcome.count);
    bool same = welcome.count == sync->expected_count &&
                hash128_equal(welcome.digest, sync->expected_digest);
    welcome.flags = same ? WELCOME_MATCHES : 0;
    sync->live = true;
    pieces_look(sync, NULL);
    return sync_welcome_encode(&welcome, &payload, err) &&
           sync_send(sync, LANE_FAST, SYNC_WELCOME, buf_bytes(&payload), err) &&
           (same || list_everything(sync, err));
}

/* --- Applying ------------------------------------------------------------------------------ */

struct answer {
    struct sync *sync;
    struct buf failures;
    uint64_t failed, count, total;
    bool more;
};

static void told(void *context, const struct applied *applied)
{
    struct answer *answer = context;
    struct sync *sync = answer->sync;
    struct node *node = node_at(sync, applied->node);
    node->base = node->local; /* told to the laptop with this answer */
    pieces_look(sync, &node->local);
    sync->changes++;
    answer->count++;
    if (!applied->refusal) {
        sync->port->event(
            sync->context,
            &(struct sync_event){.kind = SYNC_EVENT_APPLIED,
                                 .path = applied->path,
                                 .text = "",
                                 .more = answer->more || answer->count < answer->total});
        return;
    }
    struct sync_failure failure = {.index = applied->index,
                                   .refusal = (uint8_t)applied->refusal,
                                   .actual = applied->actual,
                                   .text = bytes_of(applied->text)};
    struct error err;
    answer->failed += sync_failure_encode(&failure, &answer->failures, &err);
}

bool remote_batch(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_batch batch;
    struct path_memory memory = {0};
    if (!sync_batch_decode(&payload, &batch, err))
        return false;
    if (!sync->applier || sync->root < 0)
        return error_set(err, ERROR_INVALID, "a batch before there is a folder");
    if (!local_root_stands(sync))
        return remote_vanished(sync, NULL, err);
    struct answer answer = {.sync = sync,
                            .failures = BUF(SYNC_MESSAGE_MAX / 2),
                            .total = batch.count,
                            .more = batch.flags & BATCH_MORE};
    AUTO(buf_dispose) struct buf acknowledgement = BUF(SYNC_MESSAGE_MAX);
    for (uint64_t i = 0; i < batch.count; i++) {
        struct sync_op op;
        if (!sync_op_decode(&payload, &memory, &op, err))
            return false;
        applier_add(sync->applier, &op);
    }
    applier_commit(sync->applier, told, &answer);
    if (!answer.more)
        stage_rest(sync->stage);
    struct sync_ack ack = {batch.sequence, answer.failed};
    bool done = sync_ack_encode(&ack, &acknowledgement, err) &&
                buf_append(&acknowledgement, buf_bytes(&answer.failures), err);
    buf_dispose(&answer.failures);
    if (sync_crashed(sync))
        return error_set(err, ERROR_INTERNAL, "stopped in the middle (injected)");
    return done && sync_send(sync, LANE_FAST, SYNC_ACK, buf_bytes(&acknowledgement), err);
}

/* --- Telling and sending ------------------------------------------------------------------- */

bool remote_report(struct sync *sync, int64_t *next_us, struct error *err)
{
    return push_express(sync, next_us, err);
}

bool remote_want(struct sync *sync, struct bytes payload, struct error *err)
{
    struct path_memory memory = {0};
    struct sync_wanted wanted;
    while (payload.size) {
        if (!sync_wanted_decode(&payload, &memory, &wanted, err))
            return false;
        uint32_t id = tree_make(sync->tree, wanted.path);
        struct node *node = node_at(sync, id);
        if (node->flags & NODE_QUEUED)
            continue; /* it is on the list */
        if (node->local.kind == ENTRY_NONE || node->local.kind == ENTRY_DIR) {
            struct sync_op op = {.path = wanted.path, .expect = node->base, .entry = node->local};
            if (!draft_add(sync, LANE_BULK, &op, id, err))
                return false;
            tree_prune(sync->tree, id);
            continue;
        }
        if (node->chunks && !(wanted.has && hash128_equal(node->chunks->content, wanted.old)))
            free(TAKE(node->chunks)); /* of something that the laptop has not */
        node->flags |= NODE_WANTED | NODE_QUEUED;
        ids_add(&sync->large, id);
    }
    return true;
}
