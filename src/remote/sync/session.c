/* SPDX-License-Identifier: Apache-2.0 */
/* The laptop's side of agreeing what there is: hello, welcome and, where the two numbers differ,
 * the list of all that the other side has. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "sync/content.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/pieces.h"
#include "sync/sender.h"
#include "sync/snapshot.h"

enum { RULES_MAX = 16 << 20, LOOK_AGAIN_US = 5 * 1000 * 1000 };

static bool keep_rules(struct sync *sync, struct buf *rules, struct error *err)
{
    if (!ignore_encode(sync->ignore, rules, err))
        return false;
    sync->rules_sent = hash128_of(buf_bytes(rules));
    return true;
}

/* The folder there is made without a question only before anything of it was ever known to be
 * there: what was only sent may never have arrived, and of files that were removed one by one
 * before the folder was, nothing else tells. */
static uint8_t root_flags(const struct sync *sync, uint64_t known_count)
{
    if (!sync->met || sync->allow_removals)
        return HELLO_MAY_CREATE;
    return known_count ? HELLO_EXPECTS_ROOT : 0;
}

static bool make_hello(struct sync *sync, struct buf *payload, struct error *err)
{
    AUTO(buf_dispose) struct buf rules = BUF(RULES_MAX);
    sync->live = sync->list_began = sync->list_complete = false;
    sync->generation++;
    sync->hello_sent = true;
    struct sync_hello hello = {.version = SYNC_VERSION,
                               .generation = sync->generation,
                               .mode = (uint8_t)sync->options.mode,
                               .root = bytes_of(sync->options.remote_root)};
    hello.known_digest = tree_digest(sync->tree, TREE_REMOTE, &hello.known_count);
    hello.flags = root_flags(sync, hello.known_count) | (sync->options.watch ? HELLO_WATCH : 0);
    if (!keep_rules(sync, &rules, err))
        return false;
    hello.rules = buf_bytes(&rules);
    return sync_hello_encode(&hello, payload, err);
}

bool session_hello(struct sync *sync, struct error *err)
{
    AUTO(buf_dispose) struct buf payload = BUF(SYNC_MESSAGE_MAX);
    return make_hello(sync, &payload, err) &&
           sync_send(sync, LANE_FAST, SYNC_HELLO, buf_bytes(&payload), err);
}

bool sync_greeting(struct sync *sync, struct buf *out, struct error *err)
{
    AUTO(buf_dispose) struct buf payload = BUF(SYNC_MESSAGE_MAX);
    if (sync->options.role == SYNC_REMOTE || !sync->ignore)
        return true;
    return make_hello(sync, &payload, err) &&
           sync_message_encode(SYNC_HELLO, buf_bytes(&payload), SYNC_FAST_LEVEL, out, err);
}

bool session_rules(struct sync *sync, bool *out_sent, struct error *err)
{
    AUTO(buf_dispose) struct buf rules = BUF(RULES_MAX);
    AUTO(buf_dispose) struct buf payload = BUF(SYNC_MESSAGE_MAX);
    struct hash128 before = sync->rules_sent;
    if (!keep_rules(sync, &rules, err))
        return false;
    *out_sent = !hash128_equal(before, sync->rules_sent);
    if (!*out_sent)
        return true;
    sync->live = sync->list_began = sync->list_complete = false;
    push_forget(sync, false);
    sending_review(sync);
    sync->generation++;
    struct sync_rules message = {.generation = sync->generation, .rules = buf_bytes(&rules)};
    message.known_digest = tree_digest(sync->tree, TREE_REMOTE, &message.known_count);
    return sync_rules_encode(&message, &payload, err) &&
           sync_send(sync, LANE_FAST, SYNC_RULES, buf_bytes(&payload), err);
}

void sync_linked(struct sync *sync, bool up)
{
    if (!up && !sync->unlinked)
        sync->unlinked_us = mono_ns() / 1000;
    sync->unlinked = !up;
}

static void there_is_gone(struct sync *sync, struct bytes why)
{
    char text[SYNC_TEXT_SIZE];
    const char *root = sync->options.remote_root;
    text_show(why, text, sizeof text);
    bool news =
        *text ? guard_set(sync, "%s on the other side: %s: it is looked at again every few seconds",
                          root, text)
              : guard_set(sync,
                          "%s on the other side is gone or empty: it is made anew when you say so "
                          "(vma sync resume --allow-mass-delete)",
                          root);
    sync->live = false;
    push_forget(sync, true);
    if (!sync->there_vanished || news)
        sync_tell(sync, SYNC_EVENT_GUARD, "", sync->guard);
    sync->there_vanished = true;
    sync->greet_due_us = sync->now_us + LOOK_AGAIN_US;
}

static void there_is_back(struct sync *sync)
{
    if (!sync->there_vanished)
        return;
    sync->there_vanished = false;
    sync->root_replaced = true; /* perhaps: what is missing in it then is looked at more closely */
    if (!sync->vanished)
        sync->guard[0] = '\0';
    sync_tell(sync, SYNC_EVENT_STATE, "", "back");
}

bool session_look_again(struct sync *sync, int64_t *next_us, struct error *err)
{
    if (!sync->there_vanished || !sync->connected || sync->vanished)
        return true;
    if (sync->greet_due_us <= sync->now_us) {
        sync->greet_due_us = sync->now_us + LOOK_AGAIN_US;
        if (!session_hello(sync, err))
            return false;
    }
    sync_wake_at(sync, next_us, sync->greet_due_us);
    return true;
}

bool session_welcome(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_welcome welcome;
    if (!sync_welcome_decode(payload, &welcome, err))
        return false;
    if (welcome.generation != sync->generation)
        return true; /* an answer to rules that have changed since */
    if (welcome.flags & WELCOME_VANISHED) {
        there_is_gone(sync, welcome.why);
        return true;
    }
    there_is_back(sync);
    if (welcome.flags & WELCOME_MATCHES)
        sync->list_complete = true;
    else
        sync->list_began = sync->list_complete = false;
    if (sync->list_complete && sync->scanned && !sync->needs_scan)
        session_begin(sync);
    return true;
}

bool session_list(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_list list;
    struct path_memory memory = {0};
    if (!sync_list_decode(&payload, &list, err))
        return false;
    if (list.generation != sync->generation)
        return true;
    if (sync->live)
        return error_set(err, ERROR_INVALID, "a list nobody asked for");
    if (!sync->list_began)
        for (uint32_t id = TREE_ROOT + 1; id < tree_limit(sync->tree); id++)
            node_at(sync, id)->remote = (struct entry){0};
    sync->list_began = true;
    while (payload.size) {
        struct sync_listed listed;
        if (!sync_listed_decode(&payload, &memory, &listed, err))
            return false;
        uint32_t id = tree_lookup(sync->tree, listed.path);
        bool known = id && node_at(sync, id)->local.kind;
        if (!known && sync->scanned &&
            ignore_match_path(sync->ignore, memory.text, listed.entry.kind == ENTRY_DIR))
            continue;
        id = id ? id : tree_make(sync->tree, listed.path);
        node_at(sync, id)->remote = listed.entry;
    }
    sync->list_complete = list.flags & LIST_LAST;
    if (sync->list_complete && sync->scanned && !sync->needs_scan)
        session_begin(sync);
    return true;
}

/* An entry that one side has and the other may have had is what both agreed on, though a cut or a
 * crash came before that was said. Without this the next edit would look like a conflict. */
static void settle_candidates(struct sync *sync)
{
    char path[TREE_PATH_LIMIT];
    for (size_t i = 0; i < sync->candidate_count; i++) {
        const struct candidate *candidate = &sync->candidates[i];
        struct node *node = node_at(sync, candidate->id);
        node->flags &= ~NODE_CANDIDATE;
        if (candidate->kind == JOURNAL_SENT) {
            if (entry_equal(&node->remote, &candidate->entry))
                node_meet(sync, node, &candidate->entry);
            continue;
        }
        const char *name;
        struct error err;
        AUTO(fd_close) int parent =
            open_parent(sync->root, tree_path(sync->tree, candidate->id, path), &name);
        bool seen = parent >= 0 && examine(parent, name, node, &err);
        if (seen && entry_equal(&node->local, &candidate->entry))
            node_meet(sync, node, &candidate->entry);
    }
    for (size_t i = 0; i < sync->candidate_count; i++)
        if (!(node_at(sync, sync->candidates[i].id)->flags & NODE_FREE))
            tree_prune(sync->tree, sync->candidates[i].id);
    sync->candidate_count = 0;
}

void session_begin(struct sync *sync)
{
    bool first = !sync->live;
    if (!sync->list_complete)
        return;
    if (first) {
        for (uint32_t id = TREE_ROOT; id < tree_limit(sync->tree); id++) {
            node_at(sync, id)->flags &= ~(NODE_PINNED | NODE_FAILED);
            node_at(sync, id)->told = 0;
        }
        settle_candidates(sync);
        copies_fill(sync);
    }
    sync->live = true;
    guard_review(sync); /* what was missing there may be back */
    pieces_look(sync, NULL);
    push_wave_start(sync);
    push_ahead_drop(sync);
    sync_tell(sync, SYNC_EVENT_STATE, "", "agreed");
}
