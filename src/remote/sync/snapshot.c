/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "sync/chunk.h"
#include "sync/message.h"
#include "sync/tree.h"

static const char magic[8] = {'V', 'M', 'A', 'S', 'Y', 'N', 'C', 3};
static const char journal_magic[8] = {'V', 'M', 'A', 'J', 'R', 'N', 'L', 1};

enum { NODE_BYTES = 60 /* of a file in a snapshot, at the least */ };
enum { HAVE_MET = 1 /* flags of the whole */ };
enum { HAS_LOCAL = 1, HAS_BASE = 2, REMOTE_DIFFERS = 4, IS_UNHASHED = 8, HAS_PIECES = 16 };

static bool put_u64(uint64_t value, struct buf *out, struct error *err)
{
    uint8_t bytes[8];
    write_u64(bytes, value);
    return buf_append(out, (struct bytes){bytes, sizeof bytes}, err);
}

static bool get_u64(struct bytes *input, uint64_t *out, struct error *err)
{
    if (input->size < 8)
        return error_set(err, ERROR_INVALID, "the remembered state ends early");
    *out = read_u64(input->data);
    *input = (struct bytes){input->data + 8, input->size - 8};
    return true;
}

/* --- Pieces of large files: content's hash | size u64 | count u32 | (size u32 | hash) … | the
 * hashes of the blocks --- */

enum { PIECES_HEAD = 16 + 8 + 4, PIECE_SIZE = 4 + 16 };

static bool put_pieces(const struct chunk_list *list, struct buf *out, struct error *err)
{
    uint8_t head[PIECES_HEAD], piece[PIECE_SIZE];
    assert(list);
    memcpy(head, list->content.bytes, 16);
    write_u64(head + 16, list->size);
    write_u32(head + 24, list->count);
    if (!buf_append(out, (struct bytes){head, sizeof head}, err))
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        write_u32(piece, list->items[i].size);
        memcpy(piece + 4, list->items[i].hash.bytes, 16);
        if (!buf_append(out, (struct bytes){piece, sizeof piece}, err))
            return false;
    }
    return buf_append(out,
                      (struct bytes){chunk_blocks(list)->bytes,
                                     sum_block_count(list->size) * sizeof(struct hash128)},
                      err);
}

/* The new list is the caller's; NULL when what is there makes none. */
static struct chunk_list *get_pieces(struct bytes *input, struct error *err)
{
    error_set(err, ERROR_INVALID, "the remembered pieces make no sense");
    if (input->size < PIECES_HEAD)
        return NULL;
    const uint8_t *at = input->data;
    uint64_t size = read_u64(at + 16), sum = 0;
    uint32_t count = read_u32(at + 24);
    size_t left = input->size - PIECES_HEAD;
    if (size > SUM_FILE_MAX || count > left / PIECE_SIZE)
        return NULL;
    size_t blocks = sum_block_count(size) * sizeof(struct hash128);
    if (blocks > left - (size_t)count * PIECE_SIZE)
        return NULL;
    AUTO(mem_free) struct chunk_list *list = xcalloc(1, chunk_list_size(size, count));
    memcpy(list->content.bytes, at, 16);
    list->size = size;
    list->count = count;
    at += PIECES_HEAD;
    for (uint32_t i = 0; i < count; i++, at += PIECE_SIZE) {
        list->items[i].size = read_u32(at);
        memcpy(list->items[i].hash.bytes, at + 4, 16);
        sum += list->items[i].size;
        if (!list->items[i].size)
            return NULL;
    }
    if (sum != size)
        return NULL;
    memcpy(chunk_blocks(list), at, blocks);
    *input = (struct bytes){at + blocks, left - (size_t)count * PIECE_SIZE - blocks};
    return TAKE(list);
}

/* Lists of something that neither side has are of no use any more. */
static bool has_pieces(const struct node *node)
{
    return node->chunks && (hash128_equal(node->chunks->content, node->remote.hash) ||
                            hash128_equal(node->chunks->content, node->local.hash));
}

static bool put_node(const struct tree *tree, uint32_t id, struct path_memory *memory,
                     struct buf *out, struct error *err)
{
    char path[TREE_PATH_LIMIT];
    const struct node *node = tree_node(tree, id);
    bool unsure = node->flags & (NODE_UNHASHED | NODE_TOUCHED | NODE_RACY);
    bool differs = !entry_equal(&node->base, &node->remote);
    uint8_t flags = (node->local.kind ? HAS_LOCAL : 0) | (node->base.kind ? HAS_BASE : 0) |
                    (differs ? REMOTE_DIFFERS : 0) | (unsure ? IS_UNHASHED : 0);
    if (flags && has_pieces(node))
        flags |= HAS_PIECES;
    if (!flags)
        return true;
    if (!sync_path_encode(bytes_of(tree_path(tree, id, path)), memory, out, err) ||
        !buf_append(out, (struct bytes){&flags, 1}, err))
        return false;
    if (node->local.kind &&
        (!sync_entry_encode(&node->local, out, err) ||
         !put_u64((uint64_t)node->mtime_ns, out, err) ||
         !put_u64((uint64_t)node->ctime_ns, out, err) || !put_u64(node->inode, out, err)))
        return false;
    return (!node->base.kind || sync_entry_encode(&node->base, out, err)) &&
           (!differs || sync_entry_encode(&node->remote, out, err)) &&
           (!(flags & HAS_PIECES) || put_pieces(node->chunks, out, err));
}

bool snapshot_encode(const struct snapshot *snapshot, const struct tree *tree, struct buf *out,
                     struct error *err)
{
    size_t start = out->size;
    uint8_t flags = snapshot->met ? HAVE_MET : 0;
    struct path_memory memory = {0};
    if (!buf_append(out, (struct bytes){(const uint8_t *)magic, sizeof magic}, err) ||
        !put_u64(snapshot->generation, out, err) ||
        !buf_append(out, (struct bytes){&flags, 1}, err) ||
        !sync_blob_encode(snapshot->rules, out, err))
        return false;
    for (uint32_t id = tree_next(tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(tree, id, TREE_ROOT))
        if (!put_node(tree, id, &memory, out, err))
            return false;
    struct hash128 hash = hash128_of((struct bytes){out->data + start, out->size - start});
    return buf_append(out, (struct bytes){hash.bytes, sizeof hash.bytes}, err);
}

/* Most nodes follow another one of the same folder. */
struct place {
    uint32_t folder;
    size_t size; /* of its path */
    char path[PATH_MAX_SIZE + 1];
};

static uint32_t make_node(struct tree *tree, struct bytes path, struct place *place)
{
    size_t size = path.size;
    while (size && path.data[size - 1] != '/')
        size--;
    if (!place->folder || place->size != size || memcmp(place->path, path.data, size) != 0) {
        place->folder = tree_make(tree, (struct bytes){path.data, size ? size - 1 : 0});
        place->size = size;
        memcpy(place->path, path.data, size);
    }
    return tree_add(tree, place->folder, (struct bytes){path.data + size, path.size - size});
}

static bool get_node(struct bytes *input, struct tree *tree, struct path_memory *memory,
                     struct place *place, struct error *err)
{
    struct bytes path;
    if (!sync_path_decode(input, memory, &path, err))
        return false;
    if (input->size < 1)
        return error_set(err, ERROR_INVALID, "the remembered state ends early");
    uint8_t flags = input->data[0];
    *input = (struct bytes){input->data + 1, input->size - 1};
    struct node *node = tree_node(tree, make_node(tree, path, place));
    uint64_t mtime, ctime;
    if (flags & HAS_LOCAL) {
        if (!sync_entry_decode(input, &node->local, err) || !get_u64(input, &mtime, err) ||
            !get_u64(input, &ctime, err) || !get_u64(input, &node->inode, err))
            return false;
        node->mtime_ns = (int64_t)mtime;
        node->ctime_ns = (int64_t)ctime;
    }
    if (flags & IS_UNHASHED)
        node->flags |= NODE_UNHASHED | NODE_TOUCHED;
    if (flags & HAS_BASE && !sync_entry_decode(input, &node->base, err))
        return false;
    node->remote = node->base;
    if (flags & REMOTE_DIFFERS && !sync_entry_decode(input, &node->remote, err))
        return false;
    if (!(flags & HAS_PIECES))
        return true;
    free(node->chunks);
    return (node->chunks = get_pieces(input, err)) != NULL;
}

static bool get_flags(struct bytes *input, struct snapshot *out, struct error *err)
{
    if (!input->size || input->data[0] > HAVE_MET)
        return error_set(err, ERROR_INVALID, "the remembered state makes no sense");
    out->met = input->data[0] & HAVE_MET;
    *input = (struct bytes){input->data + 1, input->size - 1};
    return true;
}

bool snapshot_decode(struct bytes input, struct tree *tree, struct snapshot *out, struct error *err)
{
    struct path_memory memory = {0};
    struct place place = {0};
    struct hash128 hash;
    if (input.size < sizeof magic + sizeof hash.bytes ||
        memcmp(input.data, magic, sizeof magic) != 0)
        return error_set(err, ERROR_INVALID, "the remembered state is of another version");
    size_t size = input.size - sizeof hash.bytes;
    hash = hash128_of((struct bytes){input.data, size});
    if (memcmp(input.data + size, hash.bytes, sizeof hash.bytes) != 0)
        return error_set(err, ERROR_INVALID, "the remembered state is damaged");
    input = (struct bytes){input.data + sizeof magic, size - sizeof magic};
    if (!get_u64(&input, &out->generation, err) || !get_flags(&input, out, err) ||
        !sync_blob_decode(&input, &out->rules, err))
        return false;
    tree_reserve(tree, input.size / NODE_BYTES);
    while (input.size)
        if (!get_node(&input, tree, &memory, &place, err))
            return false;
    return true;
}

/* --- The journal's records: size u16 of what follows the check sum | check sum u32 | kind u8,
 * path, entry --- */

bool journal_header_decode(struct bytes *input, uint64_t *out_generation, struct error *err)
{
    if (input->size < sizeof journal_magic ||
        memcmp(input->data, journal_magic, sizeof journal_magic) != 0)
        return error_set(err, ERROR_INVALID, "the journal is of another version");
    *input = (struct bytes){input->data + sizeof journal_magic, input->size - sizeof journal_magic};
    return get_u64(input, out_generation, err);
}

bool journal_record_decode(struct bytes *input, struct journal_record *out)
{
    struct error err;
    if (input->size < 6)
        return false;
    uint16_t size = read_u16(input->data);
    uint32_t sum = read_u32(input->data + 2);
    if (size < 1 || size > input->size - 6)
        return false;
    struct bytes record = {input->data + 6, size};
    if (read_u32(hash128_of(record).bytes) != sum)
        return false;
    *input = (struct bytes){record.data + size, input->size - 6 - size};
    out->kind = record.data[0];
    record = (struct bytes){record.data + 1, record.size - 1};
    return out->kind >= JOURNAL_SENT && out->kind <= JOURNAL_TAKEN &&
           sync_blob_decode(&record, &out->path, &err) && path_check(out->path, &err) &&
           sync_entry_decode(&record, &out->entry, &err) && record.size == 0;
}
