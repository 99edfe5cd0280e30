/* SPDX-License-Identifier: Apache-2.0 */
/*     preamble ──"--b"──▶ after boundary ──CRLF──▶ headers ──blank line──▶ data
 *                            ▲    │"--"                                      │
 *                            │    ▼                                          │
 *                            │   closed (the epilogue is ignored)            │
 *                            └───────────────────CRLF "--b"──────────────────┘
 *
 * The boundary with its CRLF in front is searched in the stream by counting matched bytes. Since
 * that pattern begins with CR and holds no second one, a mismatch can only start over at a CR:
 * what was matched so far is then known to be data, and is the pattern's own prefix. */
#include "http/multipart.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/header.h"

enum { MAX_HEADER = 8 * 1024, MAX_PREAMBLE = 1024 };

enum state { PREAMBLE, AFTER_BOUNDARY, HEADERS, DATA, CLOSED };

struct multipart {
    struct multipart_sink sink;
    enum state state;
    char pattern[MULTIPART_BOUNDARY_MAX + 5]; /* CRLF "--" boundary */
    size_t pattern_size;
    size_t matched;  /* bytes of the pattern seen at the end of the stream so far */
    size_t preamble; /* bytes skipped */
    char tail[2];    /* what follows the boundary */
    size_t tail_size;
    struct buf header;
};

static bool malformed(struct error *err, const char *what)
{
    error_set(err, ERROR_INVALID, "multipart body: %s", what);
    return error_about(err, NULL, "multipart_malformed");
}

/* RFC 2046: what may stand in a boundary; a space not at its end. */
static bool boundary_valid(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > MULTIPART_BOUNDARY_MAX || text[size - 1] == ' ')
        return false;
    for (const char *at = text; *at; at++)
        if (*at < ' ' || *at > '~')
            return false;
    return true;
}

struct multipart *multipart_new(const char *content_type, const struct multipart_sink *sink,
                                struct error *err)
{
    struct bytes field = bytes_of(content_type ? content_type : "");
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    if (!bytes_equal_nocase(header_value(field), "multipart/form-data") ||
        !header_param(field, "boundary", boundary, sizeof boundary) || !boundary_valid(boundary)) {
        malformed(err, "no usable boundary");
        return NULL;
    }
    struct multipart *multipart = xcalloc(1, sizeof *multipart);
    multipart->sink = *sink;
    multipart->header = BUF(MAX_HEADER);
    int size = snprintf(multipart->pattern, sizeof multipart->pattern, "\r\n--%s", boundary);
    multipart->pattern_size = (size_t)size;
    multipart->matched = 2; /* the first boundary needs no line end before it */
    return multipart;
}

void multipart_free(struct multipart *multipart)
{
    if (!multipart)
        return;
    buf_dispose(&multipart->header);
    free(multipart);
}

static bool deliver(struct multipart *multipart, struct bytes data, struct error *err)
{
    if (data.size == 0)
        return true;
    if (multipart->state == DATA)
        return multipart->sink.data(multipart->sink.context, data, err);
    multipart->preamble += data.size;
    return multipart->preamble <= MAX_PREAMBLE || malformed(err, "no boundary at its start");
}

/* Data (or preamble) up to the boundary. *input is what is left of it afterwards. */
static bool feed_data(struct multipart *multipart, struct bytes *input, struct error *err)
{
    const uint8_t *pattern = (const uint8_t *)multipart->pattern;
    size_t at = 0;
    size_t held = multipart->matched; /* matched bytes that came before this input */
    bool first = multipart->state == PREAMBLE && multipart->preamble == 0;

    while (at < input->size && multipart->matched < multipart->pattern_size) {
        uint8_t byte = input->data[at];
        if (byte == pattern[multipart->matched]) {
            multipart->matched++;
            at++;
            continue;
        }
        if (multipart->matched == 0) {
            const uint8_t *cr = memchr(input->data + at, '\r', input->size - at);
            at = cr ? (size_t)(cr - input->data) : input->size;
            continue;
        }
        /* Not the boundary after all. The bytes held back are data, in front of this input. */
        multipart->matched = 0;
        struct bytes false_start = {pattern, held};
        if (first)
            false_start = (struct bytes){pattern + 2, held > 2 ? held - 2 : 0};
        if (held && !deliver(multipart, false_start, err))
            return false;
        if (first)
            multipart->preamble++; /* the line end before the first boundary counts from now on */
        first = false;
        held = 0;
    }
    size_t new_match = multipart->matched - held;
    struct bytes data = {input->data, at - new_match};
    *input = (struct bytes){input->data + at, input->size - at};
    if (!deliver(multipart, data, err))
        return false;
    if (multipart->matched < multipart->pattern_size)
        return true;

    multipart->matched = 0;
    multipart->tail_size = 0;
    bool was_data = multipart->state == DATA;
    multipart->state = AFTER_BOUNDARY;
    return !was_data || multipart->sink.end(multipart->sink.context, err);
}

/* Two bytes decide: CRLF begins a part, "--" ends the body. White space before CRLF is allowed. */
static bool feed_after_boundary(struct multipart *multipart, struct bytes *input, struct error *err)
{
    while (input->size && multipart->tail_size < 2) {
        char byte = (char)input->data[0];
        *input = (struct bytes){input->data + 1, input->size - 1};
        if ((byte == ' ' || byte == '\t') && multipart->tail_size == 0)
            continue;
        multipart->tail[multipart->tail_size++] = byte;
    }
    if (multipart->tail_size < 2)
        return true;
    if (memcmp(multipart->tail, "--", 2) == 0) {
        multipart->state = CLOSED;
        return true;
    }
    if (memcmp(multipart->tail, "\r\n", 2) != 0)
        return malformed(err, "a boundary is not followed by a line end");
    buf_clear(&multipart->header);
    multipart->state = HEADERS;
    return true;
}

/* One header line without its line end. */
static bool header_line(struct bytes line, struct multipart_part *part, bool *named,
                        struct error *err)
{
    static const char disposition[] = "content-disposition";
    const uint8_t *colon = memchr(line.data, ':', line.size);
    if (!colon || colon == line.data)
        return malformed(err, "a part's header line has no name");
    struct bytes name = {line.data, (size_t)(colon - line.data)};
    struct bytes value = {colon + 1, line.size - name.size - 1};
    if (!bytes_equal_nocase(name, disposition))
        return true;
    if (*named || !bytes_equal_nocase(header_value(value), "form-data") ||
        !header_param(value, "name", part->name, sizeof part->name) || !part->name[0] ||
        !utf8_valid(bytes_of(part->name)))
        return malformed(err, "a part has no usable name");
    *named = true;
    part->is_file =
        header_param(value, "filename", NULL, 0) || header_param(value, "filename*", NULL, 0);
    if (!header_param(value, "filename", part->file_name, sizeof part->file_name) ||
        !utf8_valid(bytes_of(part->file_name)))
        part->file_name[0] = '\0';
    return true;
}

static bool header_block(struct bytes block, struct multipart_part *part, struct error *err)
{
    bool named = false;
    while (block.size) {
        const uint8_t *end = memmem(block.data, block.size, "\r\n", 2);
        size_t size = end ? (size_t)(end - block.data) : block.size;
        struct bytes line = {block.data, size};
        if (memchr(line.data, '\0', line.size) || memchr(line.data, '\n', line.size))
            return malformed(err, "a part's header has control characters");
        if (size && !header_line(line, part, &named, err))
            return false;
        size += end ? 2 : 0;
        block = (struct bytes){block.data + size, block.size - size};
    }
    return named || malformed(err, "a part has no name");
}

static bool headers_done(const struct buf *header)
{
    return (header->size == 2 && memcmp(header->data, "\r\n", 2) == 0) ||
           (header->size >= 4 && memcmp(header->data + header->size - 4, "\r\n\r\n", 4) == 0);
}

static bool feed_headers(struct multipart *multipart, struct bytes *input, struct error *err)
{
    while (input->size && !headers_done(&multipart->header)) {
        const uint8_t *lf = memchr(input->data, '\n', input->size);
        size_t size = lf ? (size_t)(lf - input->data) + 1 : input->size;
        if (!buf_append(&multipart->header, (struct bytes){input->data, size}, err))
            return error_about(err, NULL, "multipart_header_too_large");
        *input = (struct bytes){input->data + size, input->size - size};
    }
    if (!headers_done(&multipart->header))
        return true;
    struct multipart_part part = {.is_file = false};
    if (!header_block(buf_bytes(&multipart->header), &part, err))
        return false;
    multipart->state = DATA;
    multipart->matched = 0;
    return multipart->sink.begin(multipart->sink.context, &part, err);
}

bool multipart_feed(struct multipart *multipart, struct bytes input, struct error *err)
{
    bool fine = true;
    while (fine && input.size && multipart->state != CLOSED) {
        switch (multipart->state) {
        case AFTER_BOUNDARY:
            fine = feed_after_boundary(multipart, &input, err);
            break;
        case HEADERS:
            fine = feed_headers(multipart, &input, err);
            break;
        default:
            fine = feed_data(multipart, &input, err);
        }
    }
    return fine;
}

bool multipart_end(const struct multipart *multipart, struct error *err)
{
    return multipart->state == CLOSED || malformed(err, "it ends before its closing boundary");
}
