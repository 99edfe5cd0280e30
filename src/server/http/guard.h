/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before anything else of a request is looked at: messages of which two readers
 * could disagree where they end, names that are not ours, and what pages of other sites send in a
 * visitor's name. Pure functions over the header.
 *
 * Names matter because a page can let its own name point to our address (DNS rebinding). To the
 * browser we are then a part of that page's site; only the Host field still has its name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

/* The names by which a server may be asked. */
struct guard_names {
    bool loopback;       /* it can be reached from this machine only */
    const char *own[2];  /* the address it was told to listen on, the machine's name; or NULL */
    const char *allowed; /* "example.org,*.example.net", "*" for every name; or NULL */
};

/* A header as it came. Fields that were not sent are NULL. */
struct guard_header {
    size_t target_bytes, field_bytes, fields;
    size_t hosts, lengths, codings;  /* how often these fields were sent */
    bool odd_name;                   /* a field's name has white space */
    bool old;                        /* HTTP/1.0 and before: there need be no Host field */
    bool reads;                      /* its method changes nothing */
    const char *host, *coding;       /* Host, Transfer-Encoding */
    const char *origin, *fetch_site; /* Origin, Sec-Fetch-Site */
};

enum guard_verdict {
    GUARD_HANG_UP, /* *err says why, and nothing that follows on this connection can be trusted */
    GUARD_REFUSED, /* *err says why */
    GUARD_FINE,
};

/* Errors request_malformed, uri_too_long, headers_too_large, host_denied, origin_denied. */
MUST_USE enum guard_verdict guard_check(const struct guard_names *names,
                                        const struct guard_header *header, struct error *err);

/* Adds a field that was sent; its texts are borrowed. */
void guard_note_field(struct guard_header *header, const char *name, const char *value);

enum { GUARD_MAX_HOST = 272 }; /* with port and the end of the text */

/* The name or address in a Host field, without port and brackets. False when it is malformed. */
bool host_name(const char *field, struct bytes *out);

/* Is every element of such a list a name, "*.name" or "*"? */
MUST_USE bool guard_names_check(const char *allowed, struct error *err);
