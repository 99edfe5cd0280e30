/* SPDX-License-Identifier: Apache-2.0 */
#include "http/disposition.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

static bool is_plain(unsigned char byte)
{
    return byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\' && byte != '%';
}

/* What is left of the name in ASCII, for the few clients that know nothing else. */
static char *plain_name(const char *name)
{
    char *plain = xcalloc(1, strlen(name) + 1), *to = plain;
    for (; *name; name++) {
        bool twice = *name == ' ' && (to == plain || to[-1] == ' ');
        if (is_plain((unsigned char)*name) && !twice)
            *to++ = *name;
        if (*name == '.' && to > plain + 1 && to[-2] == ' ') { /* "2026-11-23 .mp4" */
            to[-2] = '.';
            to--;
        }
    }
    *to = '\0';
    return plain;
}

static bool is_attr_char(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || (byte && strchr("!#$&+-.^_`|~", byte));
}

char *disposition_attachment(const char *name)
{
    if (!utf8_valid(bytes_of(name)))
        return NULL;
    AUTO(mem_free) char *plain = plain_name(name);
    if (strcmp(plain, name) == 0)
        return xasprintf("attachment; filename=\"%s\"", plain);
    AUTO(mem_free) char *escaped = xcalloc(3, strlen(name) + 1);
    char *to = escaped;
    for (; *name; name++) {
        if (is_attr_char((unsigned char)*name))
            *to++ = *name;
        else
            to += sprintf(to, "%%%02X", (unsigned char)*name);
    }
    return xasprintf("attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, escaped);
}
