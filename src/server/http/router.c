/* SPDX-License-Identifier: Apache-2.0 */
#include "http/router.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"GET",   "HEAD",   "POST",    "PUT",
                                    "PATCH", "DELETE", "OPTIONS", "other"};

enum http_method http_method_parse(const char *text)
{
    for (int i = HTTP_GET; i < HTTP_OTHER; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum http_method)i;
    return HTTP_OTHER;
}

const char *http_method_name(enum http_method method)
{
    return names[method];
}

static void param_add(struct http_params *params, const char *name, size_t name_size,
                      const char *value, size_t value_size)
{
    if (params->count == HTTP_MAX_PARAMS)
        return;
    params->items[params->count].name = name;
    params->items[params->count].name_size = name_size;
    params->items[params->count].value = value;
    params->items[params->count].value_size = value_size;
    params->count++;
}

static bool pattern_match(const char *pattern, const char *path, struct http_params *out)
{
    out->count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern != *path)
                return false;
            pattern++;
            path++;
            continue;
        }
        const char *name = pattern + 1;
        size_t name_size = strcspn(name, "}");
        pattern = name + name_size + 1;
        if (name_size > 3 && memcmp(name + name_size - 3, "...", 3) == 0) {
            param_add(out, name, name_size - 3, path, strlen(path));
            return true;
        }
        size_t value_size = strcspn(path, "/");
        if (value_size == 0)
            return false;
        param_add(out, name, name_size, path, value_size);
        path += value_size;
    }
    return *path == '\0';
}

static bool takes_all(const char *pattern)
{
    return strstr(pattern, "...}") != NULL;
}

struct http_match http_route_find(const struct http_route *routes, size_t count,
                                  enum http_method method, const char *path)
{
    struct http_match match = {.route = NULL};
    struct http_params params;
    for (size_t i = 0; i < count; i++) {
        const struct http_route *route = &routes[i];
        if (!pattern_match(route->pattern, path, &params))
            continue;
        bool all = takes_all(route->pattern);
        if (!all) {
            match.path_known = true;
            match.allowed |= 1u << route->method | 1u << HTTP_OPTIONS;
            if (route->method == HTTP_GET)
                match.allowed |= 1u << HTTP_HEAD;
        }
        bool fits = route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
        if (fits && !(all && match.path_known)) {
            match.route = route;
            match.params = params;
            return match;
        }
    }
    return match;
}

void http_allowed_text(unsigned allowed, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = HTTP_GET; i < HTTP_OTHER; i++) {
        if (!(allowed & 1u << i) || used >= size)
            continue;
        int wrote = snprintf(out + used, size - used, "%s%s", used ? ", " : "", names[i]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}
