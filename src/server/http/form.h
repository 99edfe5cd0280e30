/* SPDX-License-Identifier: Apache-2.0 */
/* An uploaded form: fields in memory, files on disk, each within its limit while it arrives.
 *
 * What is allowed is a table. A part that is not in it, comes twice or is too large stops the
 * upload there; a part that is missing is found at the end. Files get names of our own in the
 * spool folder and disappear with the form unless somebody takes them over. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

enum http_part_kind { HTTP_PART_TEXT = 1, HTTP_PART_FILE };

struct http_part_rule {
    const char *name; /* NULL ends the table */
    enum http_part_kind kind;
    size_t max_bytes;
    const char *too_large_code; /* the problem when it is larger; NULL: part_too_large */
    const char *not_utf8_code;  /* when a text is not UTF-8; NULL: part_not_utf8 */
    const char *control_code;   /* when a text has a zero byte; NULL: as not_utf8_code */
    bool required;
};

enum { HTTP_FORM_MAX_PARTS = 32 };

struct http_form;
/* `rules` and `spool_dir` must live as long as the form. */
MUST_USE struct http_form *http_form_new(const char *content_type,
                                         const struct http_part_rule *rules, const char *spool_dir,
                                         struct error *err);
void http_form_free(struct http_form *form);
static inline void http_form_free_auto(struct http_form **form)
{
    http_form_free(*form);
}

/* Errors: multipart_malformed, part_unknown (whose text is the name), part_duplicate, part_kind,
 * part_too_large and what the rule says, part_not_utf8, disk_full. */
MUST_USE bool http_form_feed(struct http_form *form, struct bytes input, struct error *err);
/* Errors: multipart_malformed, part_missing. */
MUST_USE bool http_form_end(struct http_form *form, struct error *err);

/* A field's value, valid UTF-8 without NUL, or NULL when it was not sent. */
const char *http_form_text(const struct http_form *form, const char *name);
/* Where a file lies, or NULL when it was not sent. An empty file is a file. */
const char *http_form_file(const struct http_form *form, const char *name);
/* What the client calls it, for showing only: never a path of ours. NULL when it was not sent. */
const char *http_form_file_name(const struct http_form *form, const char *name);
size_t http_form_file_size(const struct http_form *form, const char *name);
/* The file is no longer the form's: somebody else has taken it over, and removes it. */
void http_form_disown_file(struct http_form *form, const char *name);
