/* SPDX-License-Identifier: Apache-2.0 */
/* This side's tree: scans and events, and what they say must be looked at again.
 *
 * A change waits no longer than it must. Content that is written and closed at a path that is
 * known goes at once. A new name waits a moment, since editors write beside and rename. What
 * disappears waits longer, since they also move away and write anew, and while many names
 * disappear, or did of late, it waits for the end of that, so that a guard sees all of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/content.h"
#include "sync/doubt.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/path.h"
#include "sync/scan.h"
#include "sys/fs.h"
#include "sys/fswatch.h"

enum {
    NEW_NAME_US = 3 * 1000,
    MODE_US = 2 * 1000,
    OPEN_WRITER_US = 300 * 1000,           /* after the last write … */
    OPEN_LARGE_US = 2 * 1000 * 1000,       /* half of a large file is not worth much */
    OPEN_WRITER_MAX_US = 10 * 1000 * 1000, /* … but not for ever: logs are never closed */
    GONE_US = 25 * 1000,
    MANY_GONE = 16,
    MANY_GONE_QUIET_US = 150 * 1000,
    MANY_GONE_MAX_US = 10 * 1000 * 1000, /* while others come and go without end */
    RULES_US = 20 * 1000,
    CLASH_NAMES = 1000,
};

void mark_dirty(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id);
    if (node->flags & NODE_DIRTY)
        return;
    node->flags |= NODE_DIRTY;
    if (sync->dirty.count == 0)
        sync->dirty_since_us = sync->now_us;
    ids_add(&sync->dirty, id);
}

static void hold(struct sync *sync, uint32_t id, int64_t after_us, bool removal)
{
    struct node *node = node_at(sync, id);
    if (removal)
        sync->last_removal_us = sync->now_us;
    if (node->flags & NODE_HELD) { /* most likely among the last */
        size_t i = sync->held_count - 1;
        while (sync->held[i].id != id)
            i--;
        struct held *held = &sync->held[i];
        if (removal) { /* waits its full time */
            sync->held_removals += !held->removal;
            *held = (struct held){id, sync->now_us + after_us, sync->now_us, true, held->retry};
        } else if (after_us == OPEN_WRITER_US &&
                   sync->now_us - held->since_us < OPEN_WRITER_MAX_US) {
            held->due_us = sync->now_us + after_us; /* still being written */
        }
        return;
    }
    node->flags |= NODE_HELD;
    if (sync->held_count == sync->held_capacity) {
        sync->held_capacity = sync->held_capacity ? sync->held_capacity * 2 : 64;
        sync->held = xreallocarray(sync->held, sync->held_capacity, sizeof *sync->held);
    }
    sync->held[sync->held_count++] =
        (struct held){id, sync->now_us + after_us, sync->now_us, removal, false};
    sync->held_removals += removal;
}

/* Whoever wrote to it is done: it waits no longer than a new name does. */
static void hold_closed(struct sync *sync, uint32_t id, int64_t after_us)
{
    hold(sync, id, after_us, false);
    size_t i = sync->held_count - 1;
    while (sync->held[i].id != id)
        i--;
    struct held *held = &sync->held[i];
    if (!held->removal && !held->retry && held->due_us > sync->now_us + after_us)
        held->due_us = sync->now_us + after_us;
}

void local_hold(struct sync *sync, uint32_t id, int64_t after_us, bool retry)
{
    bool held = node_at(sync, id)->flags & NODE_HELD;
    hold(sync, id, after_us, false);
    if (!held && retry) {
        sync->held[sync->held_count - 1].retry = true;
        sync->held_retries++;
    }
}

bool local_watched(const struct sync *sync, uint32_t id)
{
    return sync->watch && fswatch_bound(sync->watch, id);
}

void local_release(struct sync *sync, bool all, int64_t *next_us)
{
    size_t kept = 0;
    bool wait_for_end = !all && sync->held_removals + spree_size(sync, GUARD_THERE) > MANY_GONE;
    int64_t quiet_us = sync->last_removal_us + MANY_GONE_QUIET_US;
    for (size_t i = 0; i < sync->held_count; i++) {
        struct held held = sync->held[i];
        int64_t latest_us = held.since_us + MANY_GONE_MAX_US;
        int64_t end_us = quiet_us < latest_us ? quiet_us : latest_us;
        int64_t due = held.removal && wait_for_end && end_us > held.due_us ? end_us : held.due_us;
        if ((!all || held.retry) && due > sync->now_us) {
            sync_wake_at(sync, next_us, due);
            sync->held[kept++] = held;
            continue;
        }
        node_at(sync, held.id)->flags &= ~NODE_HELD;
        mark_dirty(sync, held.id);
    }
    sync->held_count = kept;
    sync->held_removals = sync->held_retries = 0;
    for (size_t i = 0; i < kept; i++) {
        sync->held_removals += sync->held[i].removal;
        sync->held_retries += sync->held[i].retry;
    }
}

/* --- What a scan found --------------------------------------------------------------------- */

static enum entry_kind entry_kind_of(uint8_t scanned)
{
    return scanned == SCAN_FILE ? ENTRY_FILE : scanned == SCAN_LINK ? ENTRY_LINK : ENTRY_DIR;
}

static void changed(struct sync *sync, uint32_t id)
{
    if (sync->live)
        mark_dirty(sync, id);
}

/* Takes over what stat says; the hash stays when nothing changed since it was made. */
static void take_entry(struct sync *sync, uint32_t id, const struct scan_entry *found)
{
    struct node *node = node_at(sync, id);
    enum entry_kind kind = entry_kind_of(found->kind);
    if (kind == ENTRY_DIR) {
        if (node->local.kind != ENTRY_DIR || node->local.mode != found->mode) {
            sync->changes++;
            changed(sync, id);
        }
        if (node->local.kind != ENTRY_DIR)
            node->flags &= ~NODE_PINNED;
        node->local = (struct entry){.kind = ENTRY_DIR, .mode = found->mode};
        node->flags &= ~(NODE_UNHASHED | NODE_RACY);
        return;
    }
    bool same = node->local.kind == kind && node->local.size == found->size &&
                node->mtime_ns == found->mtime_ns && node->ctime_ns == found->ctime_ns &&
                node->inode == found->inode && !(node->flags & (NODE_RACY | NODE_TOUCHED));
    if (same)
        return;
    if (node->local.kind == ENTRY_DIR)
        local_gone(sync, id);
    node->local = (struct entry){.kind = kind,
                                 .mode = kind == ENTRY_LINK ? 0 : found->mode,
                                 .size = found->size,
                                 .hash = node->local.hash};
    node->flags |= NODE_UNHASHED;
    doubt_node(sync, node);
    sync->changes++;
    changed(sync, id);
}

struct folded {
    uint64_t hash;
    const char *name;
};

static int by_hash(const void *a, const void *b)
{
    uint64_t left = ((const struct folded *)a)->hash, right = ((const struct folded *)b)->hash;
    return left < right ? -1 : left > right;
}

static void tell_clash(struct sync *sync, const char *path, const char *other)
{
    char text[PATH_TEXT_SIZE];
    AUTO(mem_free) char *note =
        xasprintf("differs from %s only in case or composition: the two become one on systems "
                  "that do not tell them apart",
                  path_text(other, text));
    sync->clashes++;
    sync_tell(sync, SYNC_EVENT_NOTE, path, note);
}

/* Names that a system which folds case or composition could not tell apart. */
static void find_clashes(struct sync *sync, const struct scan_dir *dir)
{
    AUTO(mem_free) struct folded *folded = xcalloc(dir->count, sizeof *folded);
    for (size_t i = 0; i < dir->count; i++) {
        const char *name = dir->names + dir->entries[i].name;
        folded[i] = (struct folded){path_fold_hash(bytes_of(name)), name};
    }
    qsort(folded, dir->count, sizeof *folded, by_hash);
    for (size_t i = 1; i < dir->count; i++) {
        if (!folded[i].hash || folded[i].hash != folded[i - 1].hash)
            continue;
        AUTO(mem_free) char *path =
            xasprintf("%s%s%s", dir->path, *dir->path ? "/" : "", folded[i].name);
        tell_clash(sync, path, folded[i - 1].name);
    }
}

static void see_all(struct sync *sync, uint32_t top)
{
    for (uint32_t id = tree_next(sync->tree, top, top); id; id = tree_next(sync->tree, id, top)) {
        node_at(sync, id)->flags |= NODE_SEEN;
        doubt_node(sync, node_at(sync, id));
    }
}

static void leave_out(struct sync *sync, uint32_t folder, const char *path)
{
    tree_node(sync->tree, folder)->flags |= NODE_UNREADABLE;
    sync_problem(sync, path, "too deep: longer paths than this one are not synced");
}

static void merge(void *context, const struct scan_dir *dir)
{
    struct sync *sync = context;
    uint32_t top = tree_make(sync->tree, bytes_of(dir->path));
    bool has_new = false;
    if (dir->token >= 0)
        fswatch_bind(sync->watch, dir->token, top);
    if (dir->unwatched && !sync->unwatched) {
        sync->unwatched = true;
        sync_problem(sync, dir->path, dir->error.text);
    }
    if (dir->failed) {
        if (dir->error.os != ENOENT && dir->error.os != ENOTDIR) {
            see_all(sync, top); /* unknown is not deleted */
            tree_node(sync->tree, top)->flags |= NODE_UNREADABLE;
            sync_problem(sync, dir->path, dir->error.text);
        }
        return;
    }
    tree_node(sync->tree, top)->flags &= ~NODE_UNREADABLE;
    if (dir->left_out)
        leave_out(sync, top, dir->path);
    for (size_t i = 0; i < dir->count; i++) {
        const struct scan_entry *found = &dir->entries[i];
        struct bytes name = {(const uint8_t *)dir->names + found->name, found->name_size};
        if (found->kind == SCAN_SPECIAL) {
            if (sync->skipped_special++ < 8) {
                AUTO(mem_free) char *path =
                    xasprintf("%s%s%s", dir->path, *dir->path ? "/" : "", dir->names + found->name);
                sync_tell(sync, SYNC_EVENT_NOTE, path,
                          "skipped: a socket, FIFO or device is not synced");
            }
            continue;
        }
        uint32_t id = tree_find(sync->tree, top, name);
        has_new = has_new || !id;
        if (!id)
            id = tree_add(sync->tree, top, name);
        take_entry(sync, id, found);
        node_at(sync, id)->flags |= NODE_SEEN;
    }
    if (has_new && dir->count > 1 && sync->options.role == SYNC_LAPTOP)
        find_clashes(sync, dir);
}

static void drop_node_watch(struct sync *sync, uint32_t id)
{
    if (sync->watch)
        fswatch_drop(sync->watch, id);
}

void local_gone(struct sync *sync, uint32_t top)
{
    for (uint32_t id = top; id; id = tree_next(sync->tree, id, top)) {
        struct node *node = node_at(sync, id);
        if (node->local.kind == ENTRY_DIR)
            drop_node_watch(sync, id);
        if (node->local.kind) {
            node->local = (struct entry){0};
            node->flags &= ~(NODE_UNHASHED | NODE_RACY | NODE_TOUCHED | NODE_UNREADABLE);
            doubt_node(sync, node);
            changed(sync, id);
        }
    }
}

/* A path that is ignored from now on: neither side shall touch it. */
static void forget(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id);
    if (node->local.kind == ENTRY_DIR)
        drop_node_watch(sync, id);
    if (node->flags & NODE_WANTED && sync->want_open)
        sync->want_open--; /* the other side forgets it as well */
    node->local = node->base = node->remote = (struct entry){0};
    node->flags &=
        NODE_DIRTY | NODE_HELD | NODE_QUEUED | NODE_WITHHELD | NODE_CANDIDATE | NODE_LATE;
}

static void sweep(struct sync *sync, uint32_t top)
{
    char path[TREE_PATH_LIMIT];
    AUTO(ids_dispose) struct ids unseen = {0};
    for (uint32_t id = tree_next(sync->tree, top, top); id; id = tree_next(sync->tree, id, top)) {
        struct node *node = node_at(sync, id);
        if (node->flags & NODE_SEEN) {
            node->flags &= ~NODE_SEEN;
            continue;
        }
        bool is_dir = node->local.kind == ENTRY_DIR || node->base.kind == ENTRY_DIR ||
                      node->remote.kind == ENTRY_DIR;
        if (ignore_match_path(sync->ignore, tree_path(sync->tree, id, path), is_dir)) {
            forget(sync, id);
        } else if (node->local.kind) {
            if (node->local.kind == ENTRY_DIR)
                drop_node_watch(sync, id);
            node->local = (struct entry){0};
            node->flags &= ~(NODE_UNHASHED | NODE_RACY | NODE_TOUCHED | NODE_UNREADABLE);
            doubt_node(sync, node);
            changed(sync, id);
        }
        ids_add(&unseen, id);
    }
    sync->changes += unseen.count;
    for (size_t i = unseen.count; i-- > 0;)
        if (!(node_at(sync, unseen.items[i])->flags & NODE_FREE))
            tree_prune(sync->tree, unseen.items[i]);
}

/* The root must be what it was: a folder that was unmounted or replaced by an empty one is not a
 * tree whose files were all deleted. */
bool local_root_stands(const struct sync *sync)
{
    struct stat named, opened;
    return sync->root >= 0 && stat(sync->options.root, &named) == 0 &&
           fstat(sync->root, &opened) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static bool open_root_if_needed(struct sync *sync, struct error *err)
{
    if (local_root_stands(sync))
        return true;
    bool had = sync->root >= 0;
    /* To the other side a folder that took its place is one that vanished: it says hello to it. */
    if (had && sync->options.role == SYNC_REMOTE)
        return error_set(err, ERROR_NOT_FOUND, "it was replaced by another one");
    if (!sync_open_root(sync, false, err))
        return false;
    sync->root_replaced = sync->root_replaced || had;
    return true;
}

bool local_scan(struct sync *sync, const char *start, struct error *err)
{
    bool laptop = sync->options.role == SYNC_LAPTOP;
    bool whole = !*start;
    if (whole && !open_root_if_needed(sync, err))
        return false;
    if (laptop && whole) { /* the rules are read again with the tree */
        ignore_free(sync->ignore);
        sync->ignore = ignore_new();
        if (sync->options.protect)
            ignore_set_protect(sync->ignore, bytes_of(sync->options.protect));
        if (sync->options.ignore)
            ignore_set_config(sync->ignore, bytes_of(sync->options.ignore));
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = sync->options.threads ? sync->options.threads
                       : cores > 1           ? (unsigned)cores
                                             : 1;
    struct scan_options options = {.root = sync->root,
                                   .start = start,
                                   .ignore = sync->ignore,
                                   .learn = laptop,
                                   .recurse = true,
                                   .watch = sync->watch,
                                   .threads = whole ? threads : 1};
    if (!scan_run(&options, merge, sync, err))
        return false;
    uint32_t top = tree_lookup(sync->tree, bytes_of(start));
    if (top)
        sweep(sync, top);
    if (whole) {
        sync->scanned = true;
        doubt_looked(sync);
    }
    return true;
}

bool local_hash_all(struct sync *sync, struct error *err)
{
    char path[TREE_PATH_LIMIT];
    (void)err;
    for (uint32_t id = tree_next(sync->tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(sync->tree, id, TREE_ROOT)) {
        struct node *node = node_at(sync, id);
        if (!(node->flags & NODE_UNHASHED))
            continue;
        const char *name;
        struct error failed;
        AUTO(content_dispose) struct content content = {.fd = -1};
        AUTO(fd_close) int parent = open_parent(sync->root, tree_path(sync->tree, id, path), &name);
        if (parent < 0)
            continue;
        if (content_read(parent, name, 0, NULL, &content, &failed)) {
            content_store(&content, node);
            sync->changes++;
        } else if (!(node->flags & NODE_UNREADABLE)) {
            node->flags |= NODE_UNREADABLE;
            sync_problem(sync, path, failed.text);
        }
    }
    return true;
}

/* --- Events -------------------------------------------------------------------------------- */

/* The same for one new name. In a very large folder the next scan tells. */
static void find_clash(struct sync *sync, uint32_t id, const char *path)
{
    char other[TREE_PATH_LIMIT];
    struct stat stat;
    unsigned looked = 0;
    struct bytes name = tree_name(sync->tree, id);
    uint64_t hash = path_fold_hash(name);
    uint32_t at = node_at(sync, node_at(sync, id)->parent)->child;
    for (; hash && at && looked < CLASH_NAMES; at = node_at(sync, at)->next, looked++) {
        struct bytes sibling = tree_name(sync->tree, at);
        if (at == id || !path_may_clash(name, sibling) || path_fold_hash(sibling) != hash)
            continue;
        tree_path(sync->tree, at, other);
        const char *slash = strrchr(other, '/');
        /* One that was just renamed to the new name is no clash. */
        if (fstatat(sync->root, other, &stat, AT_SYMLINK_NOFOLLOW) == 0)
            tell_clash(sync, path, slash ? slash + 1 : other);
    }
}

static void on_folder(struct sync *sync, uint32_t id, const char *path, unsigned what)
{
    struct error err;
    if (what & (FSWATCH_CREATED | FSWATCH_ARRIVED)) {
        struct node *node = node_at(sync, id);
        if (node->local.kind != ENTRY_DIR) {
            node->local = (struct entry){.kind = ENTRY_DIR, .mode = 0755};
            node->flags &= ~NODE_PINNED;
            mark_dirty(sync, id);
        }
        if (!local_scan(sync, path, &err))
            hold(sync, id, GONE_US, true); /* gone again, or replaced */
        mark_dirty(sync, id);
    } else if (what & (FSWATCH_GONE | FSWATCH_DEPARTED)) {
        for (uint32_t at = id; at; at = tree_next(sync->tree, at, id))
            drop_node_watch(sync, at); /* their names are others now */
        hold(sync, id, GONE_US, true);
    } else {
        hold(sync, id, MODE_US, false);
    }
}

static void on_file(struct sync *sync, uint32_t id, unsigned what)
{
    struct node *node = node_at(sync, id);
    bool known = node->base.kind == ENTRY_FILE || node->remote.kind == ENTRY_FILE;
    node->flags &= ~NODE_FAILED;                    /* what is new is told again */
    if (what & (FSWATCH_WRITTEN | FSWATCH_WRITING)) /* a rename changes the times itself */
        node->flags |= NODE_TOUCHED;
    if (what & (FSWATCH_WRITTEN | FSWATCH_ARRIVED)) {
        if (known)
            mark_dirty(sync, id);
        else
            hold_closed(sync, id, what & FSWATCH_ARRIVED ? GONE_US : NEW_NAME_US);
    } else if (what & (FSWATCH_GONE | FSWATCH_DEPARTED)) {
        hold(sync, id, GONE_US, true);
    } else if (what & FSWATCH_WRITING) {
        hold(sync, id, node->remote.size >= CHUNK_FILE_MIN ? OPEN_LARGE_US : OPEN_WRITER_US, false);
    } else {
        hold(sync, id, what & FSWATCH_CREATED ? NEW_NAME_US : MODE_US, false);
    }
}

void local_scan_again(struct sync *sync, int64_t after_us)
{
    int64_t due = sync->now_us + after_us;
    if (!sync->needs_scan || sync->scan_due_us > due)
        sync->scan_due_us = due;
    sync->needs_scan = true;
}

static void on_event(void *context, const struct fswatch_event *event)
{
    struct sync *sync = context;
    char path[TREE_PATH_LIMIT];
    sync->last_event_us = sync->now_us;
    if (event->what & (FSWATCH_LOST | FSWATCH_CONTENT)) {
        local_scan_again(sync, event->what & FSWATCH_LOST ? 0 : RULES_US);
        return;
    }
    /* A folder that is removed while it is open only loses its last name. */
    if (event->id == TREE_ROOT && !*event->name &&
        (event->what & FSWATCH_SELF || !local_root_stands(sync)))
        local_scan_again(sync, 0);
    size_t size = strlen(event->name);
    if (size == 0 || size > PATH_MAX_NAME)
        return;
    struct bytes name = bytes_of(event->name);
    uint32_t id = tree_find(sync->tree, event->id, name);
    bool vanished = event->what & (FSWATCH_GONE | FSWATCH_DEPARTED);
    if (!id && vanished && !(event->what & (FSWATCH_CREATED | FSWATCH_ARRIVED)))
        return;
    tree_path(sync->tree, event->id, path);
    size_t used = strlen(path);
    if (used + size + 2 > PATH_MAX_SIZE) {
        if (event->what & (FSWATCH_CREATED | FSWATCH_ARRIVED))
            leave_out(sync, event->id, path);
        return;
    }
    snprintf(path + used, sizeof path - used, "%s%s", used ? "/" : "", event->name);
    if (sync->options.role == SYNC_LAPTOP && strcmp(event->name, ".gitignore") == 0) {
        sync->rules_changed = true;
        local_scan_again(sync, RULES_US);
    }
    if (ignore_match_path(sync->ignore, path, event->what & FSWATCH_FOLDER))
        return;
    if (!id) {
        id = tree_add(sync->tree, event->id, name);
        if (sync->options.role == SYNC_LAPTOP)
            find_clash(sync, id, path);
    }
    if (event->what & FSWATCH_FOLDER)
        on_folder(sync, id, path, event->what);
    else
        on_file(sync, id, event->what);
}

bool local_events(struct sync *sync, struct error *err)
{
    if (!sync->watch || !sync->scanned)
        return true;
    for (bool more = true; more;)
        if (!fswatch_read(sync->watch, on_event, sync, &more, err))
            return false;
    return true;
}
