/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/mux.h"

static const struct rule {
    const char *name;
    uint32_t min_payload, max_payload;
} rules[] = {
    [FRAME_HELLO] = {"hello", HELLO_SIZE, 256},
    [FRAME_ACK] = {"ack", ACK_SIZE, ACK_SIZE},
    [FRAME_PING] = {"ping", 8, 8},
    [FRAME_PONG] = {"pong", 8, 8},
    [FRAME_BYE] = {"bye", 2, 2 + FRAME_TEXT_MAX},
    [FRAME_OPEN] = {"open", 3, FRAME_PAYLOAD_MAX},
    [FRAME_DATA] = {"data", 1, FRAME_PAYLOAD_MAX},
    [FRAME_ZDATA] = {"zdata", 1, FRAME_PAYLOAD_MAX},
    [FRAME_WINDOW] = {"window", 4, 4},
    [FRAME_END] = {"end", 0, 0},
    [FRAME_RESET] = {"reset", 2, 2 + FRAME_TEXT_MAX},
};

static const struct rule *rule_for(unsigned type)
{
    bool known = type < sizeof rules / sizeof *rules && rules[type].name;
    return known ? &rules[type] : NULL;
}

static uint32_t read_u24(const uint8_t *at)
{
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

enum frame_result frame_decode(struct bytes input, struct frame *out, size_t *out_used,
                               struct error *err)
{
    if (input.size < FRAME_HEADER_SIZE)
        return FRAME_SHORT;

    uint8_t type = input.data[0];
    uint32_t size = read_u24(input.data + 1);
    uint32_t channel = read_u32(input.data + 4);
    uint32_t number = read_u32(input.data + 8);
    const struct rule *rule = rule_for(type);
    if (!rule)
        return error_set(err, ERROR_INVALID, "frame type %u is unknown", type);
    if (size < rule->min_payload || size > rule->max_payload)
        return error_set(err, ERROR_LIMIT, "%s frame of %u bytes, allowed are %u to %u", rule->name,
                         size, rule->min_payload, rule->max_payload);
    if (frame_numbered(type) ? channel == 0 : channel != 0 || number != 0)
        return error_set(err, ERROR_INVALID, "%s frame with channel %u and number %u", rule->name,
                         channel, number);
    if (input.size - FRAME_HEADER_SIZE < size)
        return FRAME_SHORT;

    *out = (struct frame){
        .type = type,
        .channel = channel,
        .number = number,
        .payload = {input.data + FRAME_HEADER_SIZE, size},
    };
    *out_used = FRAME_HEADER_SIZE + size;
    return FRAME_READY;
}

void frame_header(uint8_t out[FRAME_HEADER_SIZE], enum frame_type type, size_t size,
                  uint32_t channel, uint32_t number)
{
    write_u32(out, (uint32_t)type << 24 | (uint32_t)size);
    write_u32(out + 4, channel);
    write_u32(out + 8, number);
}

size_t frame_size(const uint8_t *encoded)
{
    return FRAME_HEADER_SIZE + (size_t)read_u24(encoded + 1);
}

static const uint8_t magic[4] = {'V', 'M', 'A', 0x1a};

void hello_encode(const struct hello *hello, uint8_t out[HELLO_SIZE])
{
    memcpy(out, magic, sizeof magic);
    write_u16(out + 4, hello->version);
    write_u16(out + 6, hello->oldest);
    memcpy(out + 8, hello->session, sizeof hello->session);
    write_u64(out + 24, hello->received);
}

bool hello_decode(struct bytes payload, struct hello *out, struct error *err)
{
    if (payload.size < HELLO_SIZE || memcmp(payload.data, magic, sizeof magic) != 0)
        return error_set(err, ERROR_INVALID, "this is not vma's protocol");
    out->version = read_u16(payload.data + 4);
    out->oldest = read_u16(payload.data + 6);
    memcpy(out->session, payload.data + 8, sizeof out->session);
    out->received = read_u64(payload.data + 24);
    if (out->oldest > PROTOCOL_VERSION || out->version < PROTOCOL_OLDEST)
        return error_set(err, ERROR_INVALID,
                         "the other side speaks protocol %u to %u, this one %d to %d", out->oldest,
                         out->version, PROTOCOL_OLDEST, PROTOCOL_VERSION);
    return true;
}

void ack_encode(const struct ack *ack, uint8_t out[ACK_SIZE])
{
    write_u64(out, ack->received);
    write_u32(out + 8, ack->delay_us);
}

struct ack ack_decode(struct bytes payload)
{
    return (struct ack){read_u64(payload.data), read_u32(payload.data + 8)};
}

bool open_decode(struct bytes payload, struct open *out, struct error *err)
{
    size_t name = payload.data[1];
    if (name == 0 || name > CHANNEL_SERVICE_MAX || name > payload.size - 2)
        return error_set(err, ERROR_INVALID, "open frame with a service name of %zu bytes", name);
    if (payload.data[0] > CHANNEL_BULK)
        return error_set(err, ERROR_INVALID, "open frame with priority %u", payload.data[0]);
    *out = (struct open){
        .priority = payload.data[0],
        .service = {payload.data + 2, name},
        .request = {payload.data + 2 + name, payload.size - 2 - name},
    };
    if (out->request.size > CHANNEL_REQUEST_MAX)
        return error_set(err, ERROR_LIMIT, "open frame with a request of %zu bytes",
                         out->request.size);
    return true;
}

/* Numbers of error numbers differ between systems, so these travel under their own. */
static const int oses[] = {0,      ECONNREFUSED, ECONNRESET, ETIMEDOUT,    EPIPE,      ENOENT,
                           EACCES, EADDRINUSE,   ENOSPC,     EHOSTUNREACH, ENETUNREACH};
enum { OS_COUNT = sizeof oses / sizeof *oses };

size_t reason_encode(const struct error *reason, uint8_t out[2 + FRAME_TEXT_MAX])
{
    out[0] = out[1] = 0;
    if (!reason)
        return 2;
    out[0] = (uint8_t)(reason->kind + 1);
    for (int i = 1; i < OS_COUNT; i++)
        if (oses[i] == reason->os)
            out[1] = (uint8_t)i;
    size_t length = strnlen(reason->text, sizeof reason->text);
    memcpy(out + 2, reason->text, length);
    return 2 + length;
}

void reason_decode(struct bytes payload, struct error *out)
{
    unsigned kind = payload.data[0];
    *out = (struct error){
        .kind = kind > 0 && kind <= ERROR_INTERNAL + 1 ? kind - 1 : ERROR_UNAVAILABLE,
        .os = payload.data[1] < OS_COUNT ? oses[payload.data[1]] : 0,
    };
    struct bytes text = {payload.data + 2, payload.size - 2};
    text_show(text, out->text, sizeof out->text);
    if (text.size == 0)
        snprintf(out->text, sizeof out->text, "closed by the other side");
}
