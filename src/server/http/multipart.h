/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/form-data (RFC 7578), taken apart as it arrives: bytes in, parts out. A pure state
 * machine without I/O; what it keeps is at most one part's header and one boundary's length.
 *
 *     --boundary CRLF
 *     Content-Disposition: form-data; name="image"; filename="me.jpg" CRLF
 *     Content-Type: image/jpeg CRLF
 *     CRLF
 *     …data… CRLF
 *     --boundary-- CRLF
 */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

enum { MULTIPART_NAME_MAX = 64, MULTIPART_FILE_NAME_MAX = 255, MULTIPART_BOUNDARY_MAX = 70 };

struct multipart_part {
    char name[MULTIPART_NAME_MAX + 1]; /* valid UTF-8 */
    bool is_file;                      /* a file name was given */
    /* What it was, for showing only; "" where it is no UTF-8 or too long. */
    char file_name[MULTIPART_FILE_NAME_MAX + 1];
};

/* Each returns false, with err set, to stop the parser, which then fails with that error. */
struct multipart_sink {
    void *context;
    bool (*begin)(void *context, const struct multipart_part *part, struct error *err);
    bool (*data)(void *context, struct bytes data, struct error *err);
    bool (*end)(void *context, struct error *err);
};

struct multipart;
/* `content_type` is the request's field. Fails (multipart_malformed) when it is no
 * multipart/form-data with a usable boundary. */
MUST_USE struct multipart *multipart_new(const char *content_type,
                                         const struct multipart_sink *sink, struct error *err);
void multipart_free(struct multipart *multipart);
static inline void multipart_free_auto(struct multipart **multipart)
{
    multipart_free(*multipart);
}

/* Takes the next bytes, cut anywhere. After a failure it must not be fed again. Errors of its own
 * have the code multipart_malformed, or multipart_header_too_large. */
MUST_USE bool multipart_feed(struct multipart *multipart, struct bytes input, struct error *err);

/* Call at the end of the body: fails when the closing boundary has not been seen. */
MUST_USE bool multipart_end(const struct multipart *multipart, struct error *err);
