/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    BLOCK_SHIFT = 10,
    BLOCK_NODES = 1 << BLOCK_SHIFT,
    NAME_UNIT = 8, /* names take multiples of this, so that a freed place fits the next */
    NAME_CLASSES = 256 / NAME_UNIT,
    ARENA_SHIFT = 16,
    ARENA_SIZE = 1 << ARENA_SHIFT,
};

struct tree {
    struct node **blocks;
    size_t block_count;
    uint32_t used; /* ids handed out, with the free ones */
    uint32_t free; /* first free node, chained through next */
    size_t count;
    uint32_t *buckets;
    size_t bucket_count; /* a power of two */
    char **arenas;
    size_t arena_count, arena_used;        /* used: within the last one */
    uint32_t free_names[NAME_CLASSES + 1]; /* offset + 1, chained through the first bytes */
};

const char *entry_kind_name(enum entry_kind kind)
{
    static const char *const names[] = {"nothing", "file", "folder", "link"};
    return names[kind];
}

struct node *tree_node(const struct tree *tree, uint32_t id)
{
    return &tree->blocks[id >> BLOCK_SHIFT][id & (BLOCK_NODES - 1)];
}

static char *name_at(const struct tree *tree, uint32_t offset)
{
    return tree->arenas[offset / (ARENA_SIZE / NAME_UNIT)] +
           offset % (ARENA_SIZE / NAME_UNIT) * NAME_UNIT;
}

static unsigned name_class(size_t size)
{
    return (unsigned)((size + NAME_UNIT - 1) / NAME_UNIT);
}

/* Offsets count units, so 32 bits reach 32 GB. */
static uint32_t name_store(struct tree *tree, struct bytes name)
{
    unsigned class = name_class(name.size);
    uint32_t offset = tree->free_names[class];
    if (offset) {
        offset--;
        memcpy(&tree->free_names[class], name_at(tree, offset), sizeof(uint32_t));
    } else {
        size_t need = (size_t) class * NAME_UNIT;
        if (tree->arena_count == 0 || tree->arena_used + need > ARENA_SIZE) {
            tree->arenas = xreallocarray(tree->arenas, tree->arena_count + 1, sizeof *tree->arenas);
            tree->arenas[tree->arena_count++] = xmalloc(ARENA_SIZE);
            tree->arena_used = 0;
        }
        offset = (uint32_t)((tree->arena_count - 1) * (ARENA_SIZE / NAME_UNIT) +
                            tree->arena_used / NAME_UNIT);
        tree->arena_used += need;
    }
    memcpy(name_at(tree, offset), name.data, name.size);
    return offset;
}

static void name_drop(struct tree *tree, uint32_t offset, size_t size)
{
    unsigned class = name_class(size);
    memcpy(name_at(tree, offset), &tree->free_names[class], sizeof(uint32_t));
    tree->free_names[class] = offset + 1;
}

static uint32_t node_take(struct tree *tree)
{
    uint32_t id = tree->free;
    if (id) {
        tree->free = tree_node(tree, id)->next;
    } else {
        id = tree->used++;
        if (id >> BLOCK_SHIFT >= tree->block_count) {
            tree->blocks = xreallocarray(tree->blocks, tree->block_count + 1, sizeof *tree->blocks);
            tree->blocks[tree->block_count++] = xcalloc(BLOCK_NODES, sizeof(struct node));
        }
    }
    memset(tree_node(tree, id), 0, sizeof(struct node));
    tree->count++;
    return id;
}

struct tree *tree_new(void)
{
    struct tree *tree = xcalloc(1, sizeof *tree);
    tree->bucket_count = 1024;
    tree->buckets = xcalloc(tree->bucket_count, sizeof *tree->buckets);
    tree->used = TREE_ROOT;
    tree->blocks = xmalloc(sizeof *tree->blocks);
    tree->blocks[tree->block_count++] = xcalloc(BLOCK_NODES, sizeof(struct node));
    node_take(tree);
    return tree;
}

void tree_free(struct tree *tree)
{
    if (!tree)
        return;
    for (uint32_t id = TREE_ROOT; id < tree->used; id++)
        free(tree_node(tree, id)->chunks);
    for (size_t i = 0; i < tree->block_count; i++)
        free(tree->blocks[i]);
    for (size_t i = 0; i < tree->arena_count; i++)
        free(tree->arenas[i]);
    free(tree->blocks);
    free(tree->arenas);
    free(tree->buckets);
    free(tree);
}

size_t tree_count(const struct tree *tree)
{
    return tree->count;
}

uint32_t tree_limit(const struct tree *tree)
{
    return tree->used;
}

struct bytes tree_name(const struct tree *tree, uint32_t id)
{
    const struct node *node = tree_node(tree, id);
    if (!node->name_size)
        return (struct bytes){NULL, 0};
    return (struct bytes){(const uint8_t *)name_at(tree, node->name), node->name_size};
}

static size_t bucket_of(const struct tree *tree, uint32_t parent, struct bytes name)
{
    struct hash128 hash = hash128_of(name);
    uint64_t mixed = read_u64(hash.bytes) ^ (uint64_t)parent * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 29;
    return (size_t)mixed & (tree->bucket_count - 1);
}

uint32_t tree_find(const struct tree *tree, uint32_t parent, struct bytes name)
{
    uint32_t id = tree->buckets[bucket_of(tree, parent, name)];
    while (id) {
        const struct node *node = tree_node(tree, id);
        if (node->parent == parent && node->name_size == name.size &&
            memcmp(name_at(tree, node->name), name.data, name.size) == 0)
            return id;
        id = node->bucket_next;
    }
    return TREE_NONE;
}

static void grow_buckets(struct tree *tree, size_t count)
{
    free(tree->buckets);
    while (tree->bucket_count < count)
        tree->bucket_count *= 2;
    tree->buckets = xcalloc(tree->bucket_count, sizeof *tree->buckets);
    for (uint32_t id = TREE_ROOT + 1; id < tree->used; id++) {
        struct node *node = tree_node(tree, id);
        if (node->flags & NODE_FREE)
            continue;
        size_t bucket = bucket_of(tree, node->parent, tree_name(tree, id));
        node->bucket_next = tree->buckets[bucket];
        tree->buckets[bucket] = id;
    }
}

void tree_reserve(struct tree *tree, size_t count)
{
    if (count > tree->bucket_count)
        grow_buckets(tree, count);
}

uint32_t tree_add(struct tree *tree, uint32_t parent, struct bytes name)
{
    assert(name.size >= 1 && name.size <= 255);
    uint32_t id = tree_find(tree, parent, name);
    if (id)
        return id;
    if (tree->count >= tree->bucket_count)
        grow_buckets(tree, tree->bucket_count * 2);
    id = node_take(tree);
    struct node *node = tree_node(tree, id);
    node->name = name_store(tree, name);
    node->name_size = (uint8_t)name.size;
    node->parent = parent;
    struct node *above = tree_node(tree, parent);
    node->next = above->child;
    if (above->child)
        tree_node(tree, above->child)->previous = id;
    above->child = id;
    size_t bucket = bucket_of(tree, parent, name);
    node->bucket_next = tree->buckets[bucket];
    tree->buckets[bucket] = id;
    return id;
}

/* The first component of *path, which loses it. */
static struct bytes component(struct bytes *path)
{
    const uint8_t *slash = memchr(path->data, '/', path->size);
    size_t size = slash ? (size_t)(slash - path->data) : path->size;
    struct bytes name = {path->data, size};
    size_t skip = slash ? size + 1 : size;
    *path = (struct bytes){path->data + skip, path->size - skip};
    return name;
}

uint32_t tree_lookup(const struct tree *tree, struct bytes path)
{
    uint32_t id = TREE_ROOT;
    while (id && path.size)
        id = tree_find(tree, id, component(&path));
    return id;
}

uint32_t tree_make(struct tree *tree, struct bytes path)
{
    uint32_t id = TREE_ROOT;
    while (path.size)
        id = tree_add(tree, id, component(&path));
    return id;
}

const char *tree_path(const struct tree *tree, uint32_t id, char out[TREE_PATH_LIMIT])
{
    char *at = out + TREE_PATH_LIMIT - 1;
    *at = '\0';
    while (id > TREE_ROOT) {
        struct bytes name = tree_name(tree, id);
        assert(name.size > 0);
        if ((size_t)(at - out) < name.size + 1)
            break;
        if (*at)
            *--at = '/';
        at -= name.size;
        memcpy(at, name.data, name.size);
        id = tree_node(tree, id)->parent;
    }
    return memmove(out, at, (size_t)(out + TREE_PATH_LIMIT - at));
}

uint32_t tree_skip(const struct tree *tree, uint32_t id, uint32_t top)
{
    while (id != top) {
        const struct node *node = tree_node(tree, id);
        if (node->next)
            return node->next;
        id = node->parent;
    }
    return TREE_NONE;
}

uint32_t tree_next(const struct tree *tree, uint32_t id, uint32_t top)
{
    uint32_t child = tree_node(tree, id)->child;
    return child ? child : tree_skip(tree, id, top);
}

static void remove_node(struct tree *tree, uint32_t id)
{
    struct node *node = tree_node(tree, id);
    struct bytes name = tree_name(tree, id);
    uint32_t *link = &tree->buckets[bucket_of(tree, node->parent, name)];
    while (*link != id)
        link = &tree_node(tree, *link)->bucket_next;
    *link = node->bucket_next;
    if (node->previous)
        tree_node(tree, node->previous)->next = node->next;
    else
        tree_node(tree, node->parent)->child = node->next;
    if (node->next)
        tree_node(tree, node->next)->previous = node->previous;
    name_drop(tree, node->name, node->name_size);
    free(node->chunks);
    *node = (struct node){.flags = NODE_FREE, .next = tree->free};
    tree->free = id;
    tree->count--;
}

void tree_prune(struct tree *tree, uint32_t id)
{
    while (id > TREE_ROOT) {
        const struct node *node = tree_node(tree, id);
        uint32_t parent = node->parent;
        if (node->child || node->flags || node->pending || node->local.kind || node->base.kind ||
            node->remote.kind)
            return;
        remove_node(tree, id);
        id = parent;
    }
}

const struct entry *node_entry(const struct node *node, enum tree_view view)
{
    return view == TREE_LOCAL ? &node->local : view == TREE_BASE ? &node->base : &node->remote;
}

struct hash128 tree_digest(const struct tree *tree, enum tree_view view, uint64_t *out_count)
{
    char input[TREE_PATH_LIMIT + 32];
    uint64_t high = 0, low = 0, count = 0;
    for (uint32_t id = tree_next(tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(tree, id, TREE_ROOT)) {
        const struct entry *entry = node_entry(tree_node(tree, id), view);
        if (!entry->kind)
            continue;
        size_t size = strlen(tree_path(tree, id, input)) + 1;
        uint8_t *state = (uint8_t *)input + size; /* right behind the path */
        state[0] = entry->kind;
        write_u16(state + 1, entry->mode);
        write_u64(state + 3, entry->size);
        memcpy(state + 11, entry->hash.bytes, sizeof entry->hash.bytes);
        struct hash128 hash = hash128_of((struct bytes){(uint8_t *)input, size + 27});
        high += read_u64(hash.bytes);
        low += read_u64(hash.bytes + 8);
        count++;
    }
    struct hash128 digest;
    write_u64(digest.bytes, high);
    write_u64(digest.bytes + 8, low);
    *out_count = count;
    return digest;
}
