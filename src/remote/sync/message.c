/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/message.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "sync/packed.h"

enum {
    HEADER = 5,
    COMPRESS_LEAST = 256,
    SOURCE_FILTERED = SOURCE_MOVE + 1, /* INLINE with a filter */
};

static const char *const mode_names[SYNC_MODE_COUNT] = {"mirror", "one-way-safe", "two-way-safe",
                                                        "two-way-resolved"};

const char *sync_mode_name(enum sync_mode mode)
{
    return mode_names[mode];
}

bool sync_mode_parse(const char *text, enum sync_mode *out)
{
    for (unsigned i = 0; i < SYNC_MODE_COUNT; i++)
        if (strcmp(text, mode_names[i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* --- Framing ------------------------------------------------------------------------------- */

enum sync_decoded sync_message_decode(struct bytes input, struct buf *scratch,
                                      struct sync_message *out, size_t *out_used, struct error *err)
{
    if (input.size < HEADER)
        return SYNC_SHORT;
    uint32_t size = read_u32(input.data);
    uint8_t type = input.data[4];
    if (size == 0 || size > SYNC_MESSAGE_MAX)
        return error_set(err, ERROR_LIMIT, "sync message of %u bytes", size);
    if ((type & ~SYNC_COMPRESSED) < SYNC_HELLO || (type & ~SYNC_COMPRESSED) > SYNC_APART)
        return error_set(err, ERROR_INVALID, "sync message of unknown type %u", type);
    if (input.size - 4 < size)
        return SYNC_SHORT;
    struct bytes payload = {input.data + HEADER, size - 1};
    *out_used = 4 + (size_t)size;
    if (type & SYNC_COMPRESSED) {
        uint64_t full;
        if (!sync_number_decode(&payload, &full, err))
            return SYNC_BROKEN;
        if (full > SYNC_MESSAGE_MAX)
            return error_set(err, ERROR_LIMIT, "sync message of %llu bytes",
                             (unsigned long long)full);
        buf_clear(scratch);
        if (!unpacked_once(payload, (size_t)full, scratch, err))
            return SYNC_BROKEN;
        payload = buf_bytes(scratch);
    }
    *out = (struct sync_message){type & (uint8_t)~SYNC_COMPRESSED, payload};
    return SYNC_READY;
}

size_t sync_message_lacks(struct bytes beginning)
{
    size_t whole = beginning.size < HEADER ? HEADER : 4 + (size_t)read_u32(beginning.data);
    return whole > beginning.size ? whole - beginning.size : 1;
}

bool sync_message_encode(uint8_t type, struct bytes payload, int level, struct buf *out,
                         struct error *err)
{
    size_t start = out->size;
    uint8_t header[HEADER] = {0};
    if (!buf_append(out, (struct bytes){header, HEADER}, err))
        return false;
    bool packed = level > 0 && payload.size >= COMPRESS_LEAST &&
                  sync_number_encode(payload.size, out, err) && packed_once(payload, level, out);
    if (!packed) {
        out->size = start + HEADER;
        if (!buf_append(out, payload, err)) {
            out->size = start;
            return false;
        }
    }
    size_t size = out->size - start - 4;
    assert(size <= SYNC_MESSAGE_MAX);
    write_u32(out->data + start, (uint32_t)size);
    out->data[start + 4] = packed ? type | SYNC_COMPRESSED : type;
    return true;
}

bool sync_message_head(uint8_t type, size_t size, struct buf *out, struct error *err)
{
    uint8_t header[HEADER];
    assert(size < SYNC_MESSAGE_MAX);
    write_u32(header, (uint32_t)size + 1);
    header[4] = type;
    return buf_append(out, (struct bytes){header, HEADER}, err);
}

/* --- Parts --------------------------------------------------------------------------------- */

bool sync_number_encode(uint64_t value, struct buf *out, struct error *err)
{
    uint8_t bytes[10];
    size_t size = 0;
    do {
        bytes[size] = (uint8_t)(value & 0x7f);
        value >>= 7;
        bytes[size++] |= value ? 0x80 : 0;
    } while (value);
    return buf_append(out, (struct bytes){bytes, size}, err);
}

bool sync_number_decode(struct bytes *input, uint64_t *out, struct error *err)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < input->size; i++) {
        uint8_t byte = input->data[i];
        if (i == 9 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            if (i > 0 && byte == 0)
                break; /* one form for each number */
            *out = value;
            *input = (struct bytes){input->data + i + 1, input->size - i - 1};
            return true;
        }
    }
    return error_set(err, ERROR_INVALID, "sync message with a broken number");
}

static bool get_bytes(struct bytes *input, size_t size, struct bytes *out, struct error *err)
{
    if (size > input->size)
        return error_set(err, ERROR_INVALID, "sync message ends early");
    *out = (struct bytes){input->data, size};
    *input = (struct bytes){input->data + size, input->size - size};
    return true;
}

static bool get_byte(struct bytes *input, uint8_t *out, struct error *err)
{
    struct bytes one = {0};
    if (!get_bytes(input, 1, &one, err))
        return false;
    *out = one.data[0];
    return true;
}

static bool get_hash(struct bytes *input, struct hash128 *out, struct error *err)
{
    struct bytes bytes = {0};
    if (!get_bytes(input, sizeof out->bytes, &bytes, err))
        return false;
    memcpy(out->bytes, bytes.data, sizeof out->bytes);
    return true;
}

static bool get_u32(struct bytes *input, uint32_t *out, struct error *err)
{
    uint64_t value;
    if (!sync_number_decode(input, &value, err))
        return false;
    if (value > UINT32_MAX)
        return error_set(err, ERROR_INVALID, "sync message with a number out of range");
    *out = (uint32_t)value;
    return true;
}

static bool put_byte(uint8_t byte, struct buf *out, struct error *err)
{
    return buf_append(out, (struct bytes){&byte, 1}, err);
}

static bool put_hash(const struct hash128 *hash, struct buf *out, struct error *err)
{
    return buf_append(out, (struct bytes){hash->bytes, sizeof hash->bytes}, err);
}

bool sync_blob_encode(struct bytes blob, struct buf *out, struct error *err)
{
    return sync_number_encode(blob.size, out, err) && buf_append(out, blob, err);
}

bool sync_blob_decode(struct bytes *input, struct bytes *out, struct error *err)
{
    uint64_t size;
    if (!sync_number_decode(input, &size, err))
        return false;
    if (size > input->size)
        return error_set(err, ERROR_INVALID, "sync message ends early");
    return get_bytes(input, (size_t)size, out, err);
}

bool sync_entry_encode(const struct entry *entry, struct buf *out, struct error *err)
{
    if (!put_byte(entry->kind, out, err))
        return false;
    if (entry->kind == ENTRY_NONE)
        return true;
    if (entry->kind != ENTRY_LINK && !sync_number_encode(entry->mode, out, err))
        return false;
    return entry->kind == ENTRY_DIR ||
           (sync_number_encode(entry->size, out, err) && put_hash(&entry->hash, out, err));
}

bool sync_entry_decode(struct bytes *input, struct entry *out, struct error *err)
{
    uint32_t mode = 0;
    *out = (struct entry){0};
    if (!get_byte(input, &out->kind, err))
        return false;
    if (out->kind > ENTRY_LINK)
        return error_set(err, ERROR_INVALID, "sync message with an entry of kind %u", out->kind);
    if (out->kind == ENTRY_NONE)
        return true;
    if (out->kind != ENTRY_LINK && !get_u32(input, &mode, err))
        return false;
    if (mode > ENTRY_MODE_MASK)
        return error_set(err, ERROR_INVALID, "sync message with mode %o", mode);
    out->mode = (uint16_t)mode;
    if (out->kind == ENTRY_DIR)
        return true;
    if (!sync_number_decode(input, &out->size, err) || !get_hash(input, &out->hash, err))
        return false;
    return out->size <= INT64_MAX || error_set(err, ERROR_INVALID, "sync message with a size");
}

bool sync_path_encode(struct bytes path, struct path_memory *memory, struct buf *out,
                      struct error *err)
{
    size_t shared = 0;
    assert(path.size <= PATH_MAX_SIZE);
    while (shared < path.size && shared < memory->size &&
           (uint8_t)memory->text[shared] == path.data[shared])
        shared++;
    struct bytes rest = {path.data + shared, path.size - shared};
    if (!sync_number_encode(shared, out, err) || !sync_blob_encode(rest, out, err))
        return false;
    memcpy(memory->text, path.data, path.size);
    memory->text[path.size] = '\0';
    memory->size = path.size;
    return true;
}

bool sync_path_decode(struct bytes *input, struct path_memory *memory, struct bytes *out,
                      struct error *err)
{
    uint64_t shared;
    struct bytes rest;
    if (!sync_number_decode(input, &shared, err) || !sync_blob_decode(input, &rest, err))
        return false;
    if (shared > memory->size || rest.size > PATH_MAX_SIZE - shared)
        return error_set(err, ERROR_INVALID, "sync message with a path that is too long");
    memcpy(memory->text + shared, rest.data, rest.size);
    memory->size = (size_t)shared + rest.size;
    memory->text[memory->size] = '\0';
    *out = (struct bytes){(const uint8_t *)memory->text, memory->size};
    return path_check(*out, err);
}

/* --- Session ------------------------------------------------------------------------------- */

bool sync_hello_encode(const struct sync_hello *hello, struct buf *out, struct error *err)
{
    return sync_number_encode(hello->version, out, err) &&
           sync_number_encode(hello->generation, out, err) && put_byte(hello->mode, out, err) &&
           put_byte(hello->flags, out, err) && sync_number_encode(hello->known_count, out, err) &&
           put_hash(&hello->known_digest, out, err) && sync_blob_encode(hello->root, out, err) &&
           sync_blob_encode(hello->rules, out, err);
}

bool sync_hello_decode(struct bytes input, struct sync_hello *out, struct error *err)
{
    if (!get_u32(&input, &out->version, err))
        return false;
    if (out->version != SYNC_VERSION)
        return error_set(err, ERROR_INVALID, "sync version %u, this is %u", out->version,
                         SYNC_VERSION);
    if (!get_u32(&input, &out->generation, err) || !get_byte(&input, &out->mode, err) ||
        !get_byte(&input, &out->flags, err) ||
        !sync_number_decode(&input, &out->known_count, err) ||
        !get_hash(&input, &out->known_digest, err) || !sync_blob_decode(&input, &out->root, err) ||
        !sync_blob_decode(&input, &out->rules, err))
        return false;
    if (out->mode >= SYNC_MODE_COUNT || input.size)
        return error_set(err, ERROR_INVALID, "sync hello makes no sense");
    if (out->root.size == 0 || out->root.size > PATH_MAX_SIZE ||
        memchr(out->root.data, '\0', out->root.size))
        return error_set(err, ERROR_INVALID, "sync hello without a usable folder");
    return true;
}

bool sync_welcome_encode(const struct sync_welcome *welcome, struct buf *out, struct error *err)
{
    return sync_number_encode(welcome->version, out, err) &&
           sync_number_encode(welcome->generation, out, err) &&
           put_byte(welcome->flags, out, err) && sync_number_encode(welcome->count, out, err) &&
           put_hash(&welcome->digest, out, err) && sync_blob_encode(welcome->why, out, err);
}

bool sync_welcome_decode(struct bytes input, struct sync_welcome *out, struct error *err)
{
    if (!get_u32(&input, &out->version, err))
        return false;
    if (out->version != SYNC_VERSION)
        return error_set(err, ERROR_INVALID, "sync version %u, this is %u", out->version,
                         SYNC_VERSION);
    return get_u32(&input, &out->generation, err) && get_byte(&input, &out->flags, err) &&
           sync_number_decode(&input, &out->count, err) && get_hash(&input, &out->digest, err) &&
           sync_blob_decode(&input, &out->why, err);
}

bool sync_rules_encode(const struct sync_rules *rules, struct buf *out, struct error *err)
{
    return sync_number_encode(rules->generation, out, err) &&
           sync_number_encode(rules->known_count, out, err) &&
           put_hash(&rules->known_digest, out, err) && sync_blob_encode(rules->rules, out, err);
}

bool sync_rules_decode(struct bytes input, struct sync_rules *out, struct error *err)
{
    return get_u32(&input, &out->generation, err) &&
           sync_number_decode(&input, &out->known_count, err) &&
           get_hash(&input, &out->known_digest, err) && sync_blob_decode(&input, &out->rules, err);
}

bool sync_list_encode(const struct sync_list *list, struct buf *out, struct error *err)
{
    return sync_number_encode(list->generation, out, err) && put_byte(list->flags, out, err);
}

bool sync_list_decode(struct bytes *input, struct sync_list *out, struct error *err)
{
    return get_u32(input, &out->generation, err) && get_byte(input, &out->flags, err);
}

bool sync_listed_encode(const struct sync_listed *listed, struct path_memory *memory,
                        struct buf *out, struct error *err)
{
    return sync_path_encode(listed->path, memory, out, err) &&
           sync_entry_encode(&listed->entry, out, err);
}

bool sync_listed_decode(struct bytes *input, struct path_memory *memory, struct sync_listed *out,
                        struct error *err)
{
    return sync_path_decode(input, memory, &out->path, err) &&
           sync_entry_decode(input, &out->entry, err);
}

bool sync_wanted_encode(const struct sync_wanted *wanted, struct path_memory *memory,
                        struct buf *out, struct error *err)
{
    return sync_path_encode(wanted->path, memory, out, err) && put_byte(wanted->has, out, err) &&
           (!wanted->has || put_hash(&wanted->old, out, err));
}

bool sync_wanted_decode(struct bytes *input, struct path_memory *memory, struct sync_wanted *out,
                        struct error *err)
{
    uint8_t has;
    *out = (struct sync_wanted){0};
    if (!sync_path_decode(input, memory, &out->path, err) || !get_byte(input, &has, err))
        return false;
    out->has = has == 1;
    return has > 1 ? error_set(err, ERROR_INVALID, "sync want makes no sense")
                   : !has || get_hash(input, &out->old, err);
}

bool sync_note_encode(const struct sync_note *note, struct buf *out, struct error *err)
{
    return put_byte(note->code, out, err) && sync_blob_encode(note->path, out, err) &&
           sync_blob_encode(note->text, out, err);
}

bool sync_note_decode(struct bytes input, struct sync_note *out, struct error *err)
{
    return get_byte(&input, &out->code, err) && sync_blob_decode(&input, &out->path, err) &&
           sync_blob_decode(&input, &out->text, err);
}

/* --- Changes ------------------------------------------------------------------------------- */

bool sync_batch_encode(const struct sync_batch *batch, struct buf *out, struct error *err)
{
    return sync_number_encode(batch->sequence, out, err) && put_byte(batch->flags, out, err) &&
           sync_number_encode(batch->count, out, err);
}

bool sync_batch_decode(struct bytes *input, struct sync_batch *out, struct error *err)
{
    return sync_number_decode(input, &out->sequence, err) && get_byte(input, &out->flags, err) &&
           sync_number_decode(input, &out->count, err) &&
           (out->count <= SYNC_BATCH_MAX ||
            error_set(err, ERROR_LIMIT, "sync batch of %llu changes",
                      (unsigned long long)out->count));
}

static bool filter_encode(const struct filter *filter, struct buf *out, struct error *err)
{
    assert(filter_is_valid(filter));
    if (!put_byte(filter->kind, out, err))
        return false;
    switch ((enum filter_kind)filter->kind) {
    case FILTER_NONE:
        return true;
    case FILTER_X86:
        return sync_number_encode(filter->base, out, err);
    case FILTER_TABLE:
        return put_byte(filter->stride, out, err) && sync_number_encode(filter->deltas, out, err);
    }
    return false;
}

static bool filter_decode(struct bytes *input, struct filter *out, struct error *err)
{
    *out = (struct filter){0};
    if (!get_byte(input, &out->kind, err))
        return false;
    if (out->kind == FILTER_X86)
        return sync_number_decode(input, &out->base, err);
    if (out->kind == FILTER_TABLE &&
        (!get_byte(input, &out->stride, err) || !sync_number_decode(input, &out->deltas, err)))
        return false;
    return filter_is_valid(out) || error_set(err, ERROR_INVALID, "sync content in no known form");
}

bool sync_op_encode(const struct sync_op *op, struct path_memory *memory, struct buf *out,
                    struct error *err)
{
    bool filtered = op->source == SOURCE_INLINE && op->filter.kind;
    if (!sync_path_encode(op->path, memory, out, err) ||
        !sync_entry_encode(&op->expect, out, err) || !sync_entry_encode(&op->entry, out, err) ||
        !put_byte(filtered ? (uint8_t)SOURCE_FILTERED : op->source, out, err))
        return false;
    switch ((enum sync_source)op->source) {
    case SOURCE_NONE:
        return true;
    case SOURCE_INLINE:
        return (!filtered || filter_encode(&op->filter, out, err)) &&
               sync_blob_encode(op->content, out, err);
    case SOURCE_PIECES:
        return sync_number_encode(op->transfer, out, err);
    case SOURCE_COPY:
    case SOURCE_MOVE:
        return sync_blob_encode(op->from, out, err);
    }
    return false;
}

bool sync_op_decode(struct bytes *input, struct path_memory *memory, struct sync_op *out,
                    struct error *err)
{
    *out = (struct sync_op){0};
    if (!sync_path_decode(input, memory, &out->path, err) ||
        !sync_entry_decode(input, &out->expect, err) ||
        !sync_entry_decode(input, &out->entry, err) || !get_byte(input, &out->source, err))
        return false;
    switch (out->source) {
    case SOURCE_NONE:
        return true;
    case SOURCE_FILTERED:
        out->source = SOURCE_INLINE;
        return filter_decode(input, &out->filter, err) &&
               sync_blob_decode(input, &out->content, err);
    case SOURCE_INLINE:
        return sync_blob_decode(input, &out->content, err);
    case SOURCE_PIECES:
        return sync_number_decode(input, &out->transfer, err);
    case SOURCE_COPY:
    case SOURCE_MOVE:
        return sync_blob_decode(input, &out->from, err) && path_check(out->from, err);
    default:
        return error_set(err, ERROR_INVALID, "sync change with source %u", out->source);
    }
}

bool sync_ack_encode(const struct sync_ack *ack, struct buf *out, struct error *err)
{
    return sync_number_encode(ack->sequence, out, err) && sync_number_encode(ack->count, out, err);
}

bool sync_ack_decode(struct bytes *input, struct sync_ack *out, struct error *err)
{
    return sync_number_decode(input, &out->sequence, err) &&
           sync_number_decode(input, &out->count, err);
}

bool sync_failure_encode(const struct sync_failure *failure, struct buf *out, struct error *err)
{
    return sync_number_encode(failure->index, out, err) && put_byte(failure->refusal, out, err) &&
           sync_entry_encode(&failure->actual, out, err) &&
           sync_blob_encode(failure->text, out, err);
}

bool sync_failure_decode(struct bytes *input, struct sync_failure *out, struct error *err)
{
    if (!sync_number_decode(input, &out->index, err) || !get_byte(input, &out->refusal, err) ||
        !sync_entry_decode(input, &out->actual, err) || !sync_blob_decode(input, &out->text, err))
        return false;
    return (out->refusal >= REFUSAL_CHANGED && out->refusal <= REFUSAL_FULL) ||
           error_set(err, ERROR_INVALID, "sync refusal %u is unknown", out->refusal);
}

bool sync_piece_encode(const struct sync_piece *piece, struct buf *out, struct error *err)
{
    if (!sync_number_encode(piece->transfer, out, err) || !put_byte(piece->flags, out, err))
        return false;
    if (!(piece->flags & PIECE_FIRST))
        return true;
    return sync_number_encode(piece->size, out, err) && sync_blob_encode(piece->from, out, err) &&
           (piece->from.size == 0 || put_hash(&piece->from_hash, out, err));
}

bool sync_piece_decode(struct bytes *input, struct sync_piece *out, struct error *err)
{
    *out = (struct sync_piece){0};
    if (!sync_number_decode(input, &out->transfer, err) || !get_byte(input, &out->flags, err))
        return false;
    if (!(out->flags & PIECE_FIRST))
        return true;
    if (!sync_number_decode(input, &out->size, err) || !sync_blob_decode(input, &out->from, err))
        return false;
    if (out->size > INT64_MAX)
        return error_set(err, ERROR_INVALID, "sync piece of a file that is too large");
    return out->from.size == 0 ||
           (path_check(out->from, err) && get_hash(input, &out->from_hash, err));
}

/* What a run begins with. */
enum { RUN_PLAIN, RUN_COPY, RUN_FILTERED };

bool sync_run_encode(const struct sync_run *run, struct buf *out, struct error *err)
{
    if (!run->copy)
        return sync_run_head(&run->filter, run->bytes.size, out, err) &&
               buf_append(out, run->bytes, err);
    return put_byte(RUN_COPY, out, err) && sync_number_encode(run->offset, out, err) &&
           sync_number_encode(run->size, out, err);
}

bool sync_run_head(const struct filter *filter, size_t size, struct buf *out, struct error *err)
{
    if (!put_byte(filter->kind ? RUN_FILTERED : RUN_PLAIN, out, err) ||
        (filter->kind && !filter_encode(filter, out, err)))
        return false;
    return sync_number_encode(size, out, err);
}

bool sync_run_decode(struct bytes *input, struct sync_run *out, struct error *err)
{
    uint8_t how;
    *out = (struct sync_run){0};
    if (!get_byte(input, &how, err))
        return false;
    out->copy = how == RUN_COPY;
    if (how == RUN_PLAIN || how == RUN_FILTERED) {
        if ((how == RUN_FILTERED && !filter_decode(input, &out->filter, err)) ||
            !sync_blob_decode(input, &out->bytes, err))
            return false;
        out->size = out->bytes.size;
        return true;
    }
    if (!out->copy || !sync_number_decode(input, &out->offset, err) ||
        !sync_number_decode(input, &out->size, err) || out->offset > INT64_MAX ||
        out->size > INT64_MAX - out->offset)
        return error_set(err, ERROR_INVALID, "sync piece with a broken run");
    return true;
}
