/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "sync/content.h"
#include "sync/tree.h"
#include "sys/fs.h"

struct item {
    char *path;
    struct entry expect, entry;
    enum sync_source source;
    staged staged;
    enum sync_refusal refusal;
    char *text; /* owned */
};

struct applier {
    struct applier_options options;
    struct item *items;
    size_t count, capacity;
    char *parent_path; /* the folder opened last */
    int parent;
};

struct applier *applier_new(const struct applier_options *options)
{
    struct applier *applier = xcalloc(1, sizeof *applier);
    applier->options = *options;
    applier->parent = -1;
    return applier;
}

static void forget_parent(struct applier *applier)
{
    if (applier->parent >= 0)
        close(applier->parent);
    applier->parent = -1;
    free(TAKE(applier->parent_path));
}

static void clear(struct applier *applier)
{
    for (size_t i = 0; i < applier->count; i++) {
        stage_drop(applier->options.stage, &applier->items[i].staged);
        free(applier->items[i].path);
        free(applier->items[i].text);
    }
    applier->count = 0;
    forget_parent(applier);
}

void applier_free(struct applier *applier)
{
    if (!applier)
        return;
    clear(applier);
    free(applier->items);
    free(applier);
}

int open_parent(int root, const char *path, const char **out_name)
{
    const char *slash = strrchr(path, '/');
    *out_name = slash ? slash + 1 : path;
    AUTO(mem_free) char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
    return fs_open_beneath(root, folder, O_RDONLY | O_DIRECTORY, 0);
}

/* The same, remembered for the next path in the same folder. */
static int parent_of(struct applier *applier, const char *path, const char **out_name)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    const char *known = applier->parent_path;
    if (applier->parent >= 0 && strlen(known) == size && memcmp(known, path, size) == 0) {
        *out_name = slash ? slash + 1 : path;
        return applier->parent;
    }
    forget_parent(applier);
    applier->parent = open_parent(applier->options.root, path, out_name);
    applier->parent_path = xstrndup(path, size);
    return applier->parent;
}

/* --- Staging ------------------------------------------------------------------------------- */

static void refuse(struct item *item, enum sync_refusal refusal, const char *text)
{
    item->refusal = refusal;
    free(item->text);
    item->text = xstrdup(text);
}

static void refuse_error(struct item *item, const struct error *err)
{
    bool full = err->os == ENOSPC || err->os == EDQUOT;
    refuse(item,
           full                          ? REFUSAL_FULL
           : err->kind == ERROR_CONFLICT ? REFUSAL_CONTENT
                                         : REFUSAL_FAILED,
           err->text);
}

static bool stage_from(struct applier *applier, struct item *item, const char *from,
                       struct error *err)
{
    const char *name;
    struct stage *stage = applier->options.stage;
    AUTO(fd_close) int parent = open_parent(applier->options.root, from, &name);
    if (parent < 0)
        return error_set(err, ERROR_CONFLICT, "the file to copy from is not there");
    uint32_t id = tree_lookup(applier->options.tree, bytes_of(from));
    struct node *node = id ? tree_node(applier->options.tree, id) : NULL;
    if (node && item->source == SOURCE_MOVE && examine(parent, name, node, err) &&
        entry_equal(&node->local, &item->entry) && /* two names have one mode */
        stage_hard_link(stage, &item->entry, parent, name, &item->staged, err)) {
        struct stat stat; /* linking changed its times */
        if (fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) == 0)
            node->ctime_ns = fs_ctime_ns(&stat);
        return true;
    }
    AUTO(fd_close) int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_CONFLICT, "the file to copy from is not there");
    return stage_copy(stage, &item->entry, fd, &item->staged, err);
}

static bool stage_content(struct applier *applier, struct item *item, const struct sync_op *op,
                          struct error *err)
{
    struct stage *stage = applier->options.stage;
    if (op->source != SOURCE_NONE && op->entry.kind != ENTRY_FILE && op->entry.kind != ENTRY_LINK)
        return error_set(err, ERROR_INVALID, "content for what has none");
    switch ((enum sync_source)op->source) {
    case SOURCE_NONE:
        return true;
    case SOURCE_INLINE: {
        AUTO(buf_dispose) struct buf scratch = BUF(SYNC_MESSAGE_MAX);
        struct bytes content = op->content;
        if (!filter_undo_into(&op->filter, &content, &scratch, err))
            return false;
        return op->entry.kind == ENTRY_LINK
                   ? stage_link(stage, &op->entry, content, &item->staged, err)
                   : stage_bytes(stage, &op->entry, content, &item->staged, err);
    }
    case SOURCE_PIECES:
        return stage_end(stage, op->transfer, &op->entry, &item->staged, err);
    case SOURCE_COPY:
    case SOURCE_MOVE: {
        AUTO(mem_free) char *from = xstrndup((const char *)op->from.data, op->from.size);
        return stage_from(applier, item, from, err);
    }
    }
    return error_set(err, ERROR_INVALID, "content from nowhere");
}

void applier_add(struct applier *applier, const struct sync_op *op)
{
    struct error err;
    if (applier->count == applier->capacity) {
        applier->capacity = applier->capacity ? applier->capacity * 2 : 16;
        applier->items = xreallocarray(applier->items, applier->capacity, sizeof *applier->items);
    }
    struct item *item = &applier->items[applier->count++];
    *item = (struct item){.path = xstrndup((const char *)op->path.data, op->path.size),
                          .expect = op->expect,
                          .entry = op->entry,
                          .source = op->source};
    if (!stage_content(applier, item, op, &err))
        refuse_error(item, &err);
}

/* --- Looking ------------------------------------------------------------------------------- */

bool examine(int parent, const char *name, struct node *node, struct error *err)
{
    struct stat stat;
    if (fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return error_os(err, errno, "stat");
        node->local = (struct entry){0};
        return true;
    }
    if (S_ISDIR(stat.st_mode)) {
        node->local =
            (struct entry){.kind = ENTRY_DIR, .mode = (uint16_t)(stat.st_mode & ENTRY_MODE_MASK)};
        return true;
    }
    bool known = node->local.kind == (S_ISLNK(stat.st_mode) ? ENTRY_LINK : ENTRY_FILE) &&
                 !(node->flags & (NODE_UNHASHED | NODE_TOUCHED)) && node->inode == stat.st_ino &&
                 node->mtime_ns == fs_mtime_ns(&stat) && node->ctime_ns == fs_ctime_ns(&stat) &&
                 node->local.size == (uint64_t)stat.st_size;
    if (known)
        return true;
    AUTO(content_dispose) struct content content;
    if (!content_read(parent, name, 0, NULL, &content, err))
        return false;
    content_store(&content, node);
    return true;
}

static void restamp(int parent, const char *name, struct node *node, const struct entry *entry)
{
    struct stat stat;
    node->local = *entry;
    node->flags &= ~(NODE_UNHASHED | NODE_TOUCHED | NODE_UNREADABLE | NODE_RACY);
    if (entry->kind && fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        node->mtime_ns = fs_mtime_ns(&stat);
        node->ctime_ns = fs_ctime_ns(&stat);
        node->inode = stat.st_ino;
        node->flags |= NODE_RACY;
    }
}

/* --- Putting in place ---------------------------------------------------------------------- */

/* After an exchange: whether what came out is what was examined a moment ago. */
static bool came_out_as_expected(struct applier *applier, const struct item *item,
                                 const struct node *node)
{
    char name[STAGED_NAME_SIZE];
    struct stat stat;
    if (fstatat(stage_dir(applier->options.stage), staged_name(item->staged, name), &stat,
                AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    return !S_ISDIR(stat.st_mode) && stat.st_ino == node->inode &&
           fs_mtime_ns(&stat) == node->mtime_ns;
}

static int replace(struct applier *applier, struct item *item, int parent, const char *name,
                   const struct node *node)
{
    struct stage *stage = applier->options.stage;
    if (!applier->options.careful)
        return stage_place_over(stage, &item->staged, parent, name);
    if (stage_exchange(stage, &item->staged, parent, name) != 0)
        return errno == EINVAL || errno == ENOSYS || errno == EXDEV
                   ? stage_place_over(stage, &item->staged, parent, name)
                   : -1;
    if (came_out_as_expected(applier, item, node)) {
        stage_drop(stage, &item->staged);
        return 0;
    }
    stage_exchange(stage, &item->staged, parent, name);
    errno = EEXIST; /* changed in the last moment */
    return -1;
}

static int put_content(struct applier *applier, struct item *item, int parent, const char *name,
                       const struct node *node)
{
    struct stage *stage = applier->options.stage;
    if (item->expect.kind == ENTRY_DIR && stage_remove(stage, parent, name, true) != 0)
        return -1;
    if (item->expect.kind == ENTRY_FILE || item->expect.kind == ENTRY_LINK)
        return replace(applier, item, parent, name, node);
    return stage_place_new(stage, &item->staged, parent, name);
}

static int put_dir(struct applier *applier, const struct item *item, int parent, const char *name)
{
    struct stage *stage = applier->options.stage;
    if (item->expect.kind == ENTRY_DIR)
        return stage_chmod(stage, parent, name, item->entry.mode);
    if (item->expect.kind && stage_remove(stage, parent, name, false) != 0)
        return -1;
    return stage_mkdir(stage, parent, name, item->entry.mode);
}

static int put(struct applier *applier, struct item *item, int parent, const char *name,
               const struct node *node)
{
    struct stage *stage = applier->options.stage;
    switch ((enum entry_kind)item->entry.kind) {
    case ENTRY_NONE:
        return stage_remove(stage, parent, name, item->expect.kind == ENTRY_DIR);
    case ENTRY_DIR:
        return put_dir(applier, item, parent, name);
    case ENTRY_FILE:
    case ENTRY_LINK:
        break;
    }
    if (item->source == SOURCE_NONE && entry_same_content(&item->entry, &item->expect))
        return stage_chmod(stage, parent, name, item->entry.mode);
    if (!item->staged) {
        errno = ENODATA;
        return -1;
    }
    return put_content(applier, item, parent, name, node);
}

/* Nothing is known to be where something new goes: then one look less, the call that puts it there
 * fails if that is wrong. */
static bool put_new(struct applier *applier, struct item *item, int parent, const char *name,
                    struct node *node)
{
    bool new = !item->refusal && item->staged && !item->expect.kind && !node->local.kind;
    if (!new || stage_place_new(applier->options.stage, &item->staged, parent, name) != 0)
        return false;
    restamp(parent, name, node, &item->entry);
    return true;
}

static void commit_at(struct applier *applier, struct item *item, int parent, const char *name,
                      struct node *node)
{
    struct error err;
    if (put_new(applier, item, parent, name, node))
        return;
    if (!examine(parent, name, node, &err)) {
        refuse_error(item, &err);
        return;
    }
    if (entry_equal(&node->local, &item->entry)) {
        item->refusal = 0; /* so it is already, however that came */
        return;
    }
    if (item->refusal)
        return;
    if (!entry_equal(&node->local, &item->expect)) {
        refuse(item, REFUSAL_CHANGED, "something else is there");
        return;
    }
    if (put(applier, item, parent, name, node) == 0) {
        restamp(parent, name, node, &item->entry);
        return;
    }
    bool pinned = errno == ENOTEMPTY && item->expect.kind == ENTRY_DIR;
    bool lost = errno == ENOENT && item->staged; /* somebody cleared the stage */
    error_os(&err, errno, "%s", item->entry.kind ? "put in place" : "remove");
    if (pinned)
        refuse(item, REFUSAL_PINNED, "the folder is kept: it holds files that are not synced");
    else if (lost)
        refuse(item, REFUSAL_CONTENT, "its content was gone before it could be put in place");
    else if (errno == EEXIST)
        refuse(item, REFUSAL_CHANGED, "something else is there");
    else
        refuse_error(item, &err);
    node->flags |= NODE_TOUCHED;
    if (!examine(parent, name, node, &err))
        node->flags |= NODE_TOUCHED;
}

static void commit_item(struct applier *applier, struct item *item, struct node *node)
{
    const char *name;
    int parent = parent_of(applier, item->path, &name);
    if (parent >= 0) {
        commit_at(applier, item, parent, name, node);
        return;
    }
    bool missing = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    struct error err;
    error_os(&err, errno, "open the folder around it");
    if (missing)
        node->local = (struct entry){0};
    if (missing && !item->entry.kind)
        item->refusal = 0;
    else
        refuse(item, missing ? REFUSAL_PARENT : REFUSAL_FAILED, err.text);
}

void applier_commit(struct applier *applier, applier_told *told, void *context)
{
    struct tree *tree = applier->options.tree;
    for (size_t i = 0; i < applier->count; i++) {
        struct item *item = &applier->items[i];
        uint32_t id = tree_make(tree, bytes_of(item->path));
        commit_item(applier, item, tree_node(tree, id));
        told(context, &(struct applied){.index = i,
                                        .node = id,
                                        .path = item->path,
                                        .entry = item->entry,
                                        .actual = tree_node(tree, id)->local,
                                        .refusal = item->refusal,
                                        .text = item->text ? item->text : ""});
        if (item->entry.kind == ENTRY_NONE)
            forget_parent(applier);
        tree_prune(tree, id);
    }
    clear(applier);
}
