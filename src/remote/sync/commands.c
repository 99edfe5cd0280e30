/* SPDX-License-Identifier: Apache-2.0 */
/* What people ask of the laptop's engine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "sync/engine_internal.h"
#include "sync/packing.h"
#include "sync/snapshot.h"
#include "sys/fs.h"

const char *sync_phase_name(enum sync_phase phase)
{
    static const char *const names[] = {"away",       "scanning", "working", "in-sync",
                                        "incomplete", "paused",   "halted"};
    return names[phase];
}

static uint64_t open_work(const struct sync *sync)
{
    return sync->dirty.count + sync->held_count + sync->waiting.count + sync->inflight_ops +
           wave_left(sync) + sync->wanted.count + sync->want_open + sync->draft[LANE_FAST].count +
           sync->draft[LANE_BULK].count;
}

enum sync_phase sync_phase(const struct sync *sync)
{
    if (!sync_stands(sync) || sync->withheld.count)
        return SYNC_HALTED;
    if (!sync->connected || sync->unlinked)
        return SYNC_AWAY;
    if (sync->paused)
        return SYNC_PAUSED;
    if (!sync->live || sync->needs_scan)
        return SYNC_SCANNING;
    if (open_work(sync) > sync->held_retries)
        return SYNC_WORKING;
    return sync->held_retries ? SYNC_INCOMPLETE : SYNC_IN_SYNC;
}

void sync_status(const struct sync *sync, struct sync_status *out)
{
    struct packing_counts bulk = {0};
    if (sync->packing)
        bulk = packing_counts(sync->packing);
    *out = (struct sync_status){.phase = sync_phase(sync),
                                .work_files = sync->work_files,
                                .work_bytes = sync->work_bytes,
                                .done_files = sync->done_files,
                                .done_bytes = sync->done_bytes,
                                .sent_bytes = sync->sent_bytes + bulk.packed,
                                .received_bytes = sync->received_bytes,
                                .sent_raw_bytes = sync->raw_bytes + bulk.raw,
                                .pending = open_work(sync),
                                .conflicts = sync->conflicts,
                                .problems = sync->problems,
                                .level = bulk.level};
    if (sync->unlinked)
        out->away_us = mono_ns() / 1000 - sync->unlinked_us;
    for (uint32_t id = TREE_ROOT + 1; id < tree_limit(sync->tree); id++) {
        const struct node *node = node_at(sync, id);
        out->failed += node->flags & NODE_UNREADABLE ||
                       (node->flags & NODE_FAILED && node_verdict(sync, node) != VERDICT_NONE);
        if (node->local.kind != ENTRY_FILE && node->local.kind != ENTRY_LINK)
            continue;
        out->files++;
        out->bytes += node->local.size;
    }
    if (out->phase == SYNC_IN_SYNC && out->failed)
        out->phase = SYNC_INCOMPLETE;
    snprintf(out->guard, sizeof out->guard, "%s", sync->guard);
    snprintf(out->problem, sizeof out->problem, "%s", sync->problem);
}

bool sync_is_live(const struct sync *sync)
{
    return sync->live;
}

bool sync_flushed(struct sync *sync)
{
    struct error err;
    int64_t next = INT64_MAX;
    if (!sync->live || sync->unlinked || sync->needs_scan || !local_events(sync, &err))
        return false;
    local_release(sync, true, &next);
    return !sync->needs_scan && open_work(sync) == sync->held_retries;
}

void sync_pause(struct sync *sync)
{
    sync->paused = true;
    sync_tell(sync, SYNC_EVENT_STATE, "", "paused");
}

static void try_again(struct sync *sync)
{
    for (uint32_t id = TREE_ROOT + 1; id < tree_limit(sync->tree); id++) {
        struct node *node = node_at(sync, id);
        if (!(node->flags & (NODE_UNREADABLE | NODE_FAILED)))
            continue;
        sync->needs_scan = sync->needs_scan || node->local.kind == ENTRY_DIR;
        if (node->flags & NODE_UNREADABLE && node->local.kind)
            node->flags |= NODE_TOUCHED;
        node->flags &= ~NODE_FAILED; /* told again */
        mark_dirty(sync, id);
    }
}

void sync_resume(struct sync *sync, bool allow)
{
    struct error err;
    sync->paused = false;
    sync->allow_removals = sync->allow_removals || allow;
    if (allow)
        memset(sync->spree, 0, sizeof sync->spree);
    struct ids withheld = sync->withheld;
    sync->withheld = (struct ids){0};
    for (size_t i = 0; i < withheld.count; i++) {
        node_at(sync, withheld.items[i])->flags &= ~NODE_WITHHELD;
        mark_dirty(sync, withheld.items[i]);
    }
    free(withheld.items);
    sync->guard[0] = '\0';
    try_again(sync);
    sync->root_replaced = false;
    if (sync->vanished) { /* which the scan that is due finds out anew */
        sync->vanished = false;
        sync->scan_due_us = 0;
    }
    if (sync->there_vanished && sync->connected && !session_hello(sync, &err))
        sync_problem(sync, "", err.text);
    sync_tell(sync, SYNC_EVENT_STATE, "", "resumed");
}

/* --- Conflicts ----------------------------------------------------------------------------- */

static void take_side(struct sync *sync, uint32_t top, bool local)
{
    for (uint32_t id = top; id; id = tree_next(sync->tree, id, top)) {
        struct node *node = node_at(sync, id);
        node_meet(sync, node, local ? &node->remote : &node->local);
        mark_dirty(sync, id);
    }
}

/* The local version under a name of its own, which is new to both sides. */
static bool set_aside(struct sync *sync, uint32_t id, const char *path, struct error *err)
{
    const char *name;
    AUTO(fd_close) int parent = open_parent(sync->root, path, &name);
    if (parent < 0)
        return error_os(err, errno, "open the folder of %s", path);
    const char *dot = strrchr(name, '.');
    size_t stem = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    for (unsigned i = 1; i < 1000; i++) {
        AUTO(mem_free) char *aside =
            i == 1 ? xasprintf("%.*s.local%s", (int)stem, name, name + stem)
                   : xasprintf("%.*s.local-%u%s", (int)stem, name, i, name + stem);
        if (strlen(aside) > PATH_MAX_NAME)
            return error_set(err, ERROR_LIMIT, "the name is too long for another beside it");
        if (fs_rename_new(parent, name, parent, aside) == 0) {
            mark_dirty(sync, tree_add(sync->tree, node_at(sync, id)->parent, bytes_of(aside)));
            local_gone(sync, id);
            for (uint32_t at = id; at; at = tree_next(sync->tree, at, id)) {
                node_at(sync, at)->base = (struct entry){0};
                mark_dirty(sync, at);
            }
            return true;
        }
        if (errno != EEXIST)
            return error_os(err, errno, "rename %s", path);
    }
    return error_set(err, ERROR_CONFLICT, "no free name beside %s", path);
}

bool sync_resolve(struct sync *sync, const char *path, enum sync_keep keep, struct error *err)
{
    uint32_t id = path_check(bytes_of(path), err) ? tree_lookup(sync->tree, bytes_of(path)) : 0;
    if (!id || !(node_at(sync, id)->flags & NODE_CONFLICT))
        return error_set(err, ERROR_NOT_FOUND, "%s is not in conflict", path);
    if (!sync_mode_two_way(sync->options.mode) && keep != KEEP_LOCAL)
        return error_set(err, ERROR_INVALID,
                         "%s never changes this side: copy the file yourself, then --keep local",
                         sync_mode_name(sync->options.mode));
    if (keep == KEEP_BOTH && !set_aside(sync, id, path, err))
        return false;
    if (keep != KEEP_BOTH)
        take_side(sync, id, keep == KEEP_LOCAL);
    node_calm(sync, id);
    return true;
}

static void put_path(struct jv *object, const char *path)
{
    char shown[PATH_TEXT_SIZE];
    bool plain = utf8_valid(bytes_of(path));
    jv_text(object, "path", plain ? path : path_text(path, shown));
}

static void put_entry(struct jv *object, const char *key, const struct entry *entry)
{
    struct jv *value = jv_put_object(object, key);
    jv_text(value, "kind", entry_kind_name(entry->kind));
    if (entry->kind == ENTRY_FILE)
        jv_int(value, "size", (int64_t)entry->size);
}

struct jv *sync_conflicts(struct sync *sync)
{
    char path[TREE_PATH_LIMIT];
    struct jv *list = jv_array();
    for (uint32_t id = tree_next(sync->tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(sync->tree, id, TREE_ROOT)) {
        const struct node *node = node_at(sync, id);
        if (!(node->flags & NODE_CONFLICT))
            continue;
        struct jv *item = jv_push_object(list);
        put_path(item, tree_path(sync->tree, id, path));
        put_entry(item, "local", &node->local);
        put_entry(item, "remote", &node->remote);
    }
    return list;
}

struct jv *sync_diff(struct sync *sync)
{
    char path[TREE_PATH_LIMIT];
    struct error err;
    struct jv *list = jv_array();
    int64_t next = INT64_MAX;
    bool looked = local_events(sync, &err);
    local_release(sync, true, &next);
    push_look(sync);
    if (!looked || !local_hash_all(sync, &err))
        return list;
    for (uint32_t id = tree_next(sync->tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(sync->tree, id, TREE_ROOT)) {
        const struct node *node = node_at(sync, id);
        enum verdict verdict = node_verdict(sync, node);
        if (verdict == VERDICT_NONE || verdict == VERDICT_AGREE)
            continue;
        const struct entry *to = verdict == VERDICT_PULL ? &node->remote : &node->local;
        const struct entry *from = verdict == VERDICT_PULL ? &node->local : &node->remote;
        struct jv *item = jv_push_object(list);
        put_path(item, tree_path(sync->tree, id, path));
        jv_text(item, "action",
                verdict == VERDICT_CONFLICT    ? "conflict"
                : !to->kind                    ? "delete"
                : !from->kind                  ? "create"
                : entry_same_content(to, from) ? "mode"
                                               : "change");
        jv_text(item, "on",
                verdict == VERDICT_PULL   ? "local"
                : verdict == VERDICT_PUSH ? "remote"
                                          : "both");
        jv_text(item, "kind", entry_kind_name(to->kind ? to->kind : from->kind));
        if (to->kind == ENTRY_FILE)
            jv_int(item, "size", (int64_t)to->size);
    }
    return list;
}
