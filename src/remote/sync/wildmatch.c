/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns as git reads them. Backtracking is bounded: each "*" remembers one place to go on
 * from, and a later one replaces an earlier of its kind, so the time is at most the product of
 * the two lengths, squared where "**" and "*" alternate. */
#include "sync/ignore.h"

#include <ctype.h>
#include <string.h>

enum class_result { CLASS_BROKEN, CLASS_MISSES, CLASS_MATCHES };

static const struct named_class {
    const char *name;
    int (*test)(int);
} named_classes[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
    {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
    {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

/* "[:name:]" at `at`: 1 matches, 0 does not, -1 is no such class. */
static int named_class(const char *at, const char *end, unsigned char c)
{
    size_t size = (size_t)(end - at);
    for (size_t i = 0; i < sizeof named_classes / sizeof *named_classes; i++)
        if (strlen(named_classes[i].name) == size && memcmp(named_classes[i].name, at, size) == 0)
            return c < 128 && named_classes[i].test(c) != 0;
    return -1;
}

/* One character of a class, escapes resolved; 0 at the end of the pattern. */
static unsigned char class_char(const char **at)
{
    if (**at == '\\' && (*at)[1])
        (*at)++;
    unsigned char c = (unsigned char)**at;
    if (c)
        (*at)++;
    return c;
}

/* `*at` is behind the "["; on a result but BROKEN it is behind the "]". */
static enum class_result class_match(const char **at, unsigned char c)
{
    const char *p = *at;
    bool negated = *p == '!' || *p == '^';
    if (negated)
        p++;
    bool matched = false;
    for (bool first = true; *p != ']' || first; first = false) {
        if (!*p)
            return CLASS_BROKEN;
        if (p[0] == '[' && p[1] == ':') {
            const char *end = strchr(p + 2, ']');
            if (!end)
                return CLASS_BROKEN;
            if (end - p >= 3 && end[-1] == ':') {
                int result = named_class(p + 2, end - 1, c);
                if (result < 0)
                    return CLASS_BROKEN;
                matched = matched || result;
                p = end + 1;
                continue;
            }
        }
        unsigned char low = class_char(&p), high = low;
        if (!low)
            return CLASS_BROKEN;
        if (p[0] == '-' && p[1] && p[1] != ']') {
            p++;
            high = class_char(&p);
        }
        matched = matched || (low <= c && c <= high);
    }
    *at = p + 1;
    return matched != negated && c != '/' ? CLASS_MATCHES : CLASS_MISSES;
}

/* One element that is no star: whether it matches *text; advances the pattern. */
static bool element_match(const char **pattern, char c)
{
    const char *p = *pattern;
    switch (*p) {
    case '?':
        *pattern = p + 1;
        return c != '/';
    case '[': {
        p++;
        enum class_result result = class_match(&p, (unsigned char)c);
        *pattern = p;
        return result == CLASS_MATCHES;
    }
    case '\\':
        if (!p[1])
            return false; /* nothing is escaped: such a pattern never matches */
        p++;
        break;
    default:
        break;
    }
    *pattern = p + 1;
    return *p == c;
}

struct star {
    const char *pattern, *text; /* where to go on after one more character; NULL: none */
};

/* "**" alone between slashes spans folders; anywhere else it is "*". */
static bool is_double(const char *start, const char *p, size_t stars)
{
    bool left = p == start || p[-1] == '/';
    bool right = p[stars] == '\0' || p[stars] == '/' || (p[stars] == '\\' && p[stars + 1] == '/');
    return stars >= 2 && left && right;
}

bool ignore_wildmatch(const char *pattern, const char *text)
{
    const char *start = pattern;
    struct star near = {0}, far = {0};
    for (;;) {
        if (*pattern == '*') {
            size_t stars = strspn(pattern, "*");
            if (is_double(start, pattern, stars)) {
                pattern += stars;
                if (!*pattern)
                    return true;
                pattern += *pattern == '\\' ? 2 : 1; /* the slash, which no folder at all needs */
                far = (struct star){pattern, text};
                near = (struct star){0};
            } else {
                pattern += stars;
                near = (struct star){pattern, text};
            }
            continue;
        }
        if (*text && *pattern) {
            const char *next = pattern;
            if (element_match(&next, *text)) {
                pattern = next;
                text++;
                continue;
            }
        } else if (!*text && !*pattern) {
            return true;
        }
        if (near.pattern && *near.text && *near.text != '/') {
            pattern = near.pattern;
            text = ++near.text;
        } else if (far.pattern && (far.text = strchr(far.text, '/'))) {
            pattern = far.pattern; /* only after a slash: the pattern begins a component */
            text = ++far.text;
            near = (struct star){0};
        } else {
            return false;
        }
    }
}
