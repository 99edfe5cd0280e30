/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of header fields and paths never read or write past what they were given, and a
 * path that they accept is safe to open beneath a folder. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/guard.h"
#include "http/header.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const offers[] = {"ja", "en", NULL};
    AUTO(mem_free) char *text = xstrndup((const char *)data, size);
    AUTO(mem_free) char *path = xmalloc(strlen(text) + 2);
    AUTO(mem_free) char *exact = xmalloc(strlen(text) + 1);
    char small[8];
    struct bytes rest = {data, size}, item;
    while (header_list_next(&rest, &item)) {
        assert(item.data >= data && item.data + item.size <= data + size && item.size > 0);
        if (header_param(item, "q", small, sizeof small))
            assert(strlen(small) < sizeof small);
    }
    assert(header_language(text, offers) < 2);
    header_has_etag(text, "\"a\"", true);
    uint64_t first = 0, length = 0;
    if (http_range_parse(text, 1000, &first, &length) == HTTP_RANGE_PART)
        assert(length > 0 && first + length <= 1000);
    struct bytes host;
    if (host_name(text, &host))
        assert(host.size > 0 && (const char *)host.data >= text &&
               (const char *)host.data + host.size <= text + strlen(text));
    const struct guard_names names = {.allowed = text};
    const struct guard_header header = {.hosts = 1, .host = "a.example", .origin = text};
    if (guard_names_check(text, NULL))
        assert(guard_check(&names, &header, NULL) != GUARD_HANG_UP);
    int64_t seconds = 0;
    if (http_date_parse(text, &seconds)) {
        char again[HTTP_DATE_SIZE];
        http_date(seconds, again);
    }
    if (url_decode(bytes_of(text), exact))
        assert(strlen(exact) <= strlen(text));
    if (url_path(text, path)) {
        assert(path[0] == '/' && strlen(path) <= strlen(text) && utf8_valid(bytes_of(path)));
        assert(!strstr(path, "/../") && !text_ends(path, "/.."));
    }
    return 0;
}
