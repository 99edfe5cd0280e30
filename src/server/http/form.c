/* SPDX-License-Identifier: Apache-2.0 */
#include "http/form.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/multipart.h"

struct part {
    const struct http_part_rule *rule;
    struct buf text;
    char *path;      /* NULL when not a file, or taken */
    char *file_name; /* as the client calls it */
    int fd;          /* -1 when not being written */
    size_t size;
};

struct http_form {
    const struct http_part_rule *rules;
    const char *spool_dir;
    struct multipart *multipart;
    struct part parts[HTTP_FORM_MAX_PARTS];
    size_t count;
};

static struct part *find(const struct http_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->parts[i].rule->name, name) == 0)
            return (struct part *)&form->parts[i];
    return NULL;
}

static const struct http_part_rule *rule_for(const struct http_form *form, const char *name)
{
    for (const struct http_part_rule *rule = form->rules; rule->name; rule++)
        if (strcmp(rule->name, name) == 0)
            return rule;
    return NULL;
}

/* A write that failed for want of room is a problem of its own. */
static bool disk_error(struct error *err)
{
    if (err && (err->os == ENOSPC || err->os == EDQUOT)) {
        err->kind = ERROR_UNAVAILABLE;
        return error_about(err, NULL, "disk_full");
    }
    return false;
}

static bool open_file(struct http_form *form, struct part *part, struct error *err)
{
    char *path = xasprintf("%s/upload-XXXXXX", form->spool_dir);
    part->fd = mkostemp(path, O_CLOEXEC);
    if (part->fd < 0) {
        error_os(err, errno, "create an upload");
        free(path);
        return disk_error(err);
    }
    part->path = path;
    return true;
}

static bool part_begin(void *context, const struct multipart_part *sent, struct error *err)
{
    struct http_form *form = context;
    const struct http_part_rule *rule = rule_for(form, sent->name);
    if (!rule) {
        char name[64];
        error_set(err, ERROR_INVALID, "%s", text_show(bytes_of(sent->name), name, sizeof name));
        return error_about(err, NULL, "part_unknown");
    }
    if (find(form, rule->name)) {
        error_set(err, ERROR_INVALID, "part \"%s\" came twice", rule->name);
        return error_about(err, rule->name, "part_duplicate");
    }
    if (rule->kind == HTTP_PART_TEXT && sent->is_file) {
        error_set(err, ERROR_INVALID, "part \"%s\" is a file", rule->name);
        return error_about(err, rule->name, "part_kind");
    }
    if (form->count == HTTP_FORM_MAX_PARTS) {
        error_set(err, ERROR_LIMIT, "more than %d parts", HTTP_FORM_MAX_PARTS);
        return error_about(err, NULL, "multipart_malformed");
    }
    struct part *part = &form->parts[form->count++];
    *part = (struct part){.rule = rule, .text = BUF(rule->max_bytes), .fd = -1};
    if (rule->kind == HTTP_PART_TEXT)
        return true;
    part->file_name = xstrdup(sent->file_name);
    return open_file(form, part, err);
}

static bool part_data(void *context, struct bytes data, struct error *err)
{
    struct http_form *form = context;
    struct part *part = &form->parts[form->count - 1];
    const struct http_part_rule *rule = part->rule;
    if (data.size > rule->max_bytes - part->size) {
        error_set(err, ERROR_LIMIT, "part \"%s\" has more than %zu bytes", rule->name,
                  rule->max_bytes);
        return error_about(err, rule->name,
                           rule->too_large_code ? rule->too_large_code : "part_too_large");
    }
    part->size += data.size;
    if (rule->kind == HTTP_PART_TEXT)
        return buf_append(&part->text, data, err);
    return fd_write_all(part->fd, data, err) || disk_error(err);
}

static bool part_end(void *context, struct error *err)
{
    struct http_form *form = context;
    struct part *part = &form->parts[form->count - 1];
    if (part->rule->kind == HTTP_PART_FILE) {
        close(fd_take(&part->fd));
        return true;
    }
    struct bytes text = buf_bytes(&part->text);
    const struct http_part_rule *rule = part->rule;
    bool valid = utf8_valid(text);
    bool zero = text.size > 0 && memchr(text.data, '\0', text.size);
    if (valid && !zero)
        return true;
    if (valid && rule->control_code) {
        error_set(err, ERROR_INVALID, "part \"%s\" has a zero byte", rule->name);
        return error_about(err, rule->name, rule->control_code);
    }
    error_set(err, ERROR_INVALID, "part \"%s\" is not valid UTF-8", rule->name);
    return error_about(err, rule->name,
                       rule->not_utf8_code ? rule->not_utf8_code : "part_not_utf8");
}

struct http_form *http_form_new(const char *content_type, const struct http_part_rule *rules,
                                const char *spool_dir, struct error *err)
{
    AUTO(http_form_free) struct http_form *form = xcalloc(1, sizeof *form);
    form->rules = rules;
    form->spool_dir = spool_dir;
    const struct multipart_sink sink = {form, part_begin, part_data, part_end};
    form->multipart = multipart_new(content_type, &sink, err);
    return form->multipart ? TAKE(form) : NULL;
}

void http_form_free(struct http_form *form)
{
    if (!form)
        return;
    for (size_t i = 0; i < form->count; i++) {
        struct part *part = &form->parts[i];
        if (part->fd >= 0)
            close(part->fd);
        if (part->path)
            unlink(part->path);
        free(part->path);
        free(part->file_name);
        buf_dispose(&part->text);
    }
    multipart_free(form->multipart);
    free(form);
}

bool http_form_feed(struct http_form *form, struct bytes input, struct error *err)
{
    return multipart_feed(form->multipart, input, err);
}

bool http_form_end(struct http_form *form, struct error *err)
{
    if (!multipart_end(form->multipart, err))
        return false;
    for (const struct http_part_rule *rule = form->rules; rule->name; rule++) {
        if (rule->required && !find(form, rule->name)) {
            error_set(err, ERROR_INVALID, "part \"%s\" is missing", rule->name);
            return error_about(err, rule->name, "part_missing");
        }
    }
    return true;
}

const char *http_form_text(const struct http_form *form, const char *name)
{
    const struct part *part = find(form, name);
    return part && part->rule->kind == HTTP_PART_TEXT ? buf_string(&part->text) : NULL;
}

const char *http_form_file(const struct http_form *form, const char *name)
{
    const struct part *part = find(form, name);
    return part ? part->path : NULL;
}

const char *http_form_file_name(const struct http_form *form, const char *name)
{
    const struct part *part = find(form, name);
    return part ? part->file_name : NULL;
}

size_t http_form_file_size(const struct http_form *form, const char *name)
{
    const struct part *part = find(form, name);
    return part ? part->size : 0;
}

void http_form_disown_file(struct http_form *form, const char *name)
{
    struct part *part = find(form, name);
    if (part)
        free(TAKE(part->path));
}
