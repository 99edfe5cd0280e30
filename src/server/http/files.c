/* SPDX-License-Identifier: Apache-2.0 */
#include "http/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/disposition.h"
#include "http/exchange_internal.h"
#include "http/header.h"
#include "http/range.h"
#include "http/request.h"
#include "http/response.h"

static const struct type {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/plain; charset=utf-8"},
    {".wav", "audio/wav"},
    {".ogg", "audio/ogg"},
    {".mp3", "audio/mpeg"},
    {".m4a", "audio/mp4"},
    {".mp4", "video/mp4"},
    {".wasm", "application/wasm"},
};

const char *http_type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_ends(name, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

/* Is the client's copy still good? */
static bool not_modified(const struct http_request *request, const char *etag, int64_t modified_s)
{
    const char *tags = http_request_header(request, "If-None-Match");
    if (tags)
        return header_has_etag(tags, etag, true);
    const char *since = http_request_header(request, "If-Modified-Since");
    int64_t since_s = 0;
    return since && http_date_parse(since, &since_s) && modified_s <= since_s;
}

/* A range counts only while the client's part belongs to the same content. */
static bool range_applies(const struct http_request *request, const char *etag,
                          const char *modified)
{
    if (http_request_method(request) != HTTP_GET)
        return false;
    const char *condition = http_request_header(request, "If-Range");
    return !condition || strcmp(condition, etag) == 0 || strcmp(condition, modified) == 0;
}

static bool send_range(const struct http_request *request, struct http_response *response,
                       struct http_file *file, uint64_t total, struct error *err)
{
    char text[96];
    uint64_t first = 0, size = total;
    switch (http_range_parse(http_request_header(request, "Range"), total, &first, &size)) {
    case HTTP_RANGE_UNSATISFIABLE:
        snprintf(text, sizeof text, "bytes */%" PRIu64, total);
        http_response_header(response, "Content-Range", text);
        error_set(err, ERROR_INVALID, "range beyond %" PRIu64 " bytes", total);
        return error_about(err, NULL, "range_unsatisfiable");
    case HTTP_RANGE_PART:
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
                 first + size - 1, total);
        http_response_status(response, 206);
        http_response_header(response, "Content-Range", text);
        break;
    case HTTP_RANGE_NONE:
        break;
    }
    http_response_fd(response, file->type, &file->fd, first, size);
    return true;
}

bool http_response_file(const struct http_request *request, struct http_response *response,
                        struct http_file *file, struct error *err)
{
    AUTO(fd_close) int fd = file->fd;
    struct stat stat;
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
        return error_os(err, errno ? errno : EINVAL, "examine a file to send");

    char made[64], modified[HTTP_DATE_SIZE];
    snprintf(made, sizeof made, "\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)stat.st_size,
             (uint64_t)stat.st_mtim.tv_sec * 1000000 + (uint64_t)stat.st_mtim.tv_nsec / 1000);
    http_date(stat.st_mtim.tv_sec, modified);
    const char *etag = file->etag ? file->etag : made;

    http_response_header(response, "Accept-Ranges", "bytes");
    const char *match = http_request_header(request, "If-Match");
    if (match && !header_has_etag(match, etag, false)) {
        error_set(err, ERROR_CONFLICT, "the file is not the one that was asked for");
        return error_about(err, NULL, "precondition_failed");
    }
    http_response_header(response, "ETag", etag);
    http_response_header(response, "Last-Modified", modified);
    http_response_header(response, "Cache-Control",
                         file->cache_control ? file->cache_control : "no-cache");
    if (not_modified(request, etag, stat.st_mtim.tv_sec)) {
        http_response_status(response, 304);
        return true;
    }
    if (file->download_name) {
        AUTO(mem_free)
        char *disposition = disposition_attachment(file->download_name);
        http_response_header(response, "Content-Disposition",
                             disposition ? disposition : "attachment");
    }
    struct http_file sent = *file;
    sent.fd = fd_take(&fd);
    if (range_applies(request, etag, modified)) {
        bool done = send_range(request, response, &sent, (uint64_t)stat.st_size, err);
        if (!done)
            close(sent.fd);
        return done;
    }
    http_response_fd(response, sent.type, &sent.fd, 0, (uint64_t)stat.st_size);
    return true;
}

struct http_tree {
    int fd;
};

struct http_tree *http_tree_open(const char *root, struct error *err)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        error_os(err, errno, "open folder %s", root);
        return NULL;
    }
    struct http_tree *tree = xmalloc(sizeof *tree);
    tree->fd = fd;
    return tree;
}

void http_tree_close(struct http_tree *tree)
{
    if (tree)
        close(tree->fd);
    free(tree);
}

int http_tree_open_file(const struct http_tree *tree, const char *path, struct error *err)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    AUTO(fd_close) int fd = (int)syscall(SYS_openat2, tree->fd, path, &how, sizeof how);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        error_set(err, ERROR_NOT_FOUND, "no file %.100s", path);
        error_about(err, NULL, "not_found");
        return -1;
    }
    return fd_take(&fd);
}

bool http_response_tree(const struct http_request *request, struct http_response *response,
                        const struct http_tree *tree, const char *path, bool immutable,
                        struct error *err)
{
    struct http_file file = {
        .fd = -1,
        .type = http_type_of(path),
        .cache_control = immutable ? "public, max-age=31536000, immutable" : NULL,
    };
    if (header_accepts_coding(http_request_header(request, "Accept-Encoding"), "gzip") &&
        !http_request_header(request, "Range")) {
        AUTO(mem_free) char *packed = xasprintf("%s.gz", path);
        file.fd = http_tree_open_file(tree, packed, NULL);
        if (file.fd >= 0)
            http_response_header(response, "Content-Encoding", "gzip");
    }
    if (file.fd < 0)
        file.fd = http_tree_open_file(tree, path, err);
    if (file.fd < 0)
        return false;
    http_response_header(response, "Vary", "Accept-Encoding");
    return http_response_file(request, response, &file, err);
}
