/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/path.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "sync/fold.h"

static bool component_ok(const uint8_t *name, size_t size)
{
    if (size == 0 || size > PATH_MAX_NAME)
        return false;
    return !(name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')));
}

bool path_check(struct bytes path, struct error *err)
{
    static const char stage[] = ".vma-stage";
    char text[PATH_TEXT_SIZE];
    char shown[64];
    snprintf(shown, sizeof shown, "%.*s", (int)(path.size < 60 ? path.size : 60),
             path.size ? (const char *)path.data : "");
    if (path.size == 0 || path.size > PATH_MAX_SIZE)
        return error_set(err, ERROR_INVALID, "path of %zu bytes", path.size);
    if (memchr(path.data, '\0', path.size))
        return error_set(err, ERROR_INVALID, "path with a NUL after %s", path_text(shown, text));
    unsigned depth = 0;
    for (size_t start = 0, end; start <= path.size; start = end + 1) {
        const uint8_t *slash = memchr(path.data + start, '/', path.size - start);
        end = slash ? (size_t)(slash - path.data) : path.size;
        if (!component_ok(path.data + start, end - start) || ++depth > PATH_MAX_DEPTH)
            return error_set(err, ERROR_INVALID, "path %s leads astray", path_text(shown, text));
        if (depth == 1 && end == sizeof stage - 1 && memcmp(path.data, stage, end) == 0)
            return error_set(err, ERROR_INVALID, "path %s is reserved", path_text(shown, text));
    }
    return true;
}

const char *path_text(const char *path, char out[PATH_TEXT_SIZE])
{
    enum { ROOM = PATH_TEXT_SIZE - 8 };
    struct bytes rest = bytes_of(path);
    size_t used = 0;
    while (rest.size && used < ROOM) {
        uint32_t code;
        size_t size = utf8_decode(rest, &code);
        if (size == 0 || code < 0x20 || code == 0x7f || (code >= 0x80 && code < 0xa0)) {
            size = size ? size : 1;
            for (size_t i = 0; i < size && used < ROOM; i++)
                used += (size_t)snprintf(out + used, 5, "\\x%02x", rest.data[i]);
        } else {
            memcpy(out + used, rest.data, size);
            used += size;
        }
        rest = (struct bytes){rest.data + size, rest.size - size};
    }
    if (rest.size) {
        memcpy(out + used, "…", 3);
        used += 3;
    }
    out[used] = '\0';
    return out;
}

uint64_t path_fold_hash(struct bytes name)
{
    uint8_t folded[PATH_MAX_NAME * 4];
    size_t used = 0;
    bool folds = false;
    while (name.size && used + 16 < sizeof folded) {
        uint32_t code;
        size_t size = utf8_decode(name, &code);
        if (size == 0) {
            code = name.data[0] | 0x40000000;
            size = 1;
        }
        folds =
            folds || code >= 0x80 || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z');
        uint32_t parts[FOLD_PARTS];
        size_t count = fold_code_point(code, parts);
        for (size_t i = 0; i < count && used + 4 < sizeof folded; i++, used += 4)
            write_u32(folded + used, parts[i]);
        name = (struct bytes){name.data + size, name.size - size};
    }
    return folds ? read_u64(hash128_of((struct bytes){folded, used}).bytes) | 1 : 0;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

/* Each code point folds by itself, and to one at least: where ASCII differs the rest is no matter.
 */
bool path_may_clash(struct bytes a, struct bytes b)
{
    size_t same = 0;
    while (same < a.size && same < b.size && a.data[same] < 0x80 &&
           lower(a.data[same]) == lower(b.data[same]))
        same++;
    if (same == a.size || same == b.size)
        return a.size == b.size;
    return a.data[same] >= 0x80 || b.data[same] >= 0x80;
}
