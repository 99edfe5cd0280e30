/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/ignore.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mem.h"

const char ignore_default_protect[] = "/.vma-stage/\n"
                                      ".env\n"
                                      ".env.*\n"
                                      "!.env.example\n"
                                      "!.env.sample\n"
                                      "!.env.template\n"
                                      "!.env.dist\n"
                                      "/storage/\n"
                                      "*.pem\n"
                                      "*.key\n"
                                      "*.p12\n"
                                      "*.pfx\n"
                                      "*.ppk\n"
                                      "id_rsa\n"
                                      "id_dsa\n"
                                      "id_ecdsa\n"
                                      "id_ed25519\n"
                                      ".ssh/\n"
                                      ".aws/\n"
                                      ".gnupg/\n"
                                      ".netrc\n";

/* Always there and never configurable: our own stage. */
static const char built_in[] = "/.vma-stage/\n";

enum shape {
    SHAPE_ANY,    /* needs the matcher                        */
    SHAPE_EXACT,  /* no special character                     */
    SHAPE_SUFFIX, /* "*" and then no special character        */
};

struct rule {
    char *pattern; /* owned; without the "!", the leading and the trailing slash */
    size_t size;
    enum shape shape;
    bool negated, dir_only;
    bool anchored; /* matched against the path below the rules' folder, else against the name */
};

struct rules {
    struct rule *items;
    size_t count;
    char *text; /* as given, for encoding */
    size_t text_size;
};

struct ignore_dir {
    const struct ignore_dir *outer;
    char *path;
    size_t path_size;
    struct rules rules;
    struct ignore_dir *bucket_next;
};

enum { BUCKETS = 256, MAX_TEXT = 1024 * 1024, MAX_DIRS = 65536 };

struct ignore {
    struct rules protect, config;
    pthread_mutex_t lock; /* guards buckets */
    struct ignore_dir *buckets[BUCKETS];
    size_t count;
};

/* --- Reading rules ------------------------------------------------------------------------- */

static void rules_dispose(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        free(rules->items[i].pattern);
    free(rules->items);
    free(rules->text);
    *rules = (struct rules){0};
}

/* Blanks at the end do not count unless a backslash stands before them. */
static size_t trim_end(const char *line, size_t size)
{
    size_t keep = 0;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\\' && i + 1 < size) {
            i++;
            keep = i + 1;
        } else if (line[i] != ' ') {
            keep = i + 1;
        }
    }
    return keep;
}

static enum shape shape_of(const char *pattern)
{
    if (!strpbrk(pattern, "*?[\\"))
        return SHAPE_EXACT;
    if (pattern[0] == '*' && !strpbrk(pattern + 1, "*?[\\"))
        return SHAPE_SUFFIX;
    return SHAPE_ANY;
}

static void add_line(struct rules *rules, const char *line, size_t size)
{
    if (size && line[size - 1] == '\r')
        size--;
    size = trim_end(line, size);
    struct rule rule = {0};
    if (size == 0 || line[0] == '#' || memchr(line, '\0', size))
        return;
    if (line[0] == '!') {
        rule.negated = true;
        line++, size--;
    }
    if (size && line[size - 1] == '/') {
        rule.dir_only = true;
        size--;
    }
    rule.anchored = memchr(line, '/', size) != NULL;
    if (size && line[0] == '/')
        line++, size--;
    if (size == 0)
        return;
    rule.pattern = xmalloc(size + 1);
    memcpy(rule.pattern, line, size);
    rule.pattern[size] = '\0';
    rule.size = size;
    rule.shape = shape_of(rule.pattern);
    if (rule.anchored && rule.shape == SHAPE_SUFFIX)
        rule.shape = SHAPE_ANY; /* there the star stops at slashes */
    rules->items = xreallocarray(rules->items, rules->count + 1, sizeof *rules->items);
    rules->items[rules->count++] = rule;
}

static void rules_read(struct rules *rules, struct bytes text)
{
    rules_dispose(rules);
    rules->text = xmalloc(text.size + 1);
    if (text.size)
        memcpy(rules->text, text.data, text.size);
    rules->text[text.size] = '\0';
    rules->text_size = text.size;
    const char *at = rules->text, *end = at + text.size;
    if (text.size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end)
            line_end = end;
        add_line(rules, at, (size_t)(line_end - at));
        at = line_end + 1;
    }
}

/* --- Matching ------------------------------------------------------------------------------ */

static bool rule_matches(const struct rule *rule, const char *below, const char *name)
{
    const char *subject = rule->anchored ? below : name;
    switch (rule->shape) {
    case SHAPE_EXACT:
        return strcmp(subject, rule->pattern) == 0;
    case SHAPE_SUFFIX: {
        size_t size = strlen(subject), tail = rule->size - 1;
        return size >= tail && memcmp(subject + size - tail, rule->pattern + 1, tail) == 0;
    }
    case SHAPE_ANY:
        break;
    }
    /* As git does it: what stands before the first wildcard is compared by itself, so that a
     * "**" right behind it counts as one at the beginning. */
    size_t plain = rule->anchored ? strcspn(rule->pattern, "*?[\\") : 0;
    return strncmp(rule->pattern, subject, plain) == 0 &&
           ignore_wildmatch(rule->pattern + plain, subject + plain);
}

enum decision { UNDECIDED, IGNORED, KEPT };

static enum decision rules_decide(const struct rules *rules, const char *below, const char *name,
                                  bool is_dir)
{
    for (size_t i = rules->count; i-- > 0;) {
        const struct rule *rule = &rules->items[i];
        if ((is_dir || !rule->dir_only) && rule_matches(rule, below, name))
            return rule->negated ? KEPT : IGNORED;
    }
    return UNDECIDED;
}

enum ignore_verdict ignore_match(const struct ignore *ignore, const struct ignore_dir *dir,
                                 const char *path, bool is_dir)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    static const char own[] = ".vma-stage-"; /* see leftover.h */
    if (strcmp(path, ".vma-stage") == 0 || strncmp(name, own, sizeof own - 1) == 0 ||
        rules_decide(&ignore->protect, path, name, is_dir) == IGNORED)
        return IGNORE_PROTECTED;
    enum decision decision = rules_decide(&ignore->config, path, name, is_dir);
    for (; dir && decision == UNDECIDED; dir = dir->outer) {
        const char *below = dir->path_size ? path + dir->path_size + 1 : path;
        decision = rules_decide(&dir->rules, below, name, is_dir);
    }
    return decision == IGNORED ? IGNORE_RULE : IGNORE_NOT;
}

enum ignore_verdict ignore_match_path(struct ignore *ignore, const char *path, bool is_dir)
{
    AUTO(mem_free) char *partial = xstrdup(path);
    const struct ignore_dir *dir = ignore_dir_at(ignore, NULL, "");
    for (char *slash = partial; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        enum ignore_verdict verdict = ignore_match(ignore, dir, partial, true);
        if (verdict)
            return verdict;
        dir = ignore_dir_at(ignore, dir, partial);
        *slash = '/';
    }
    return ignore_match(ignore, dir, path, is_dir);
}

/* --- The set ------------------------------------------------------------------------------- */

struct ignore *ignore_new(void)
{
    struct ignore *ignore = xcalloc(1, sizeof *ignore);
    pthread_mutex_init(&ignore->lock, NULL);
    ignore_set_protect(ignore, bytes_of(ignore_default_protect));
    return ignore;
}

void ignore_free(struct ignore *ignore)
{
    if (!ignore)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct ignore_dir *dir = ignore->buckets[i], *next; dir; dir = next) {
            next = dir->bucket_next;
            rules_dispose(&dir->rules);
            free(dir->path);
            free(dir);
        }
    rules_dispose(&ignore->protect);
    rules_dispose(&ignore->config);
    pthread_mutex_destroy(&ignore->lock);
    free(ignore);
}

void ignore_set_protect(struct ignore *ignore, struct bytes text)
{
    rules_read(&ignore->protect, text.size ? text : bytes_of(built_in));
}

void ignore_set_config(struct ignore *ignore, struct bytes text)
{
    rules_read(&ignore->config, text);
}

static struct ignore_dir **bucket(struct ignore *ignore, const char *path)
{
    return &ignore->buckets[hash128_of(bytes_of(path)).bytes[0]];
}

static struct ignore_dir *find(struct ignore *ignore, const char *path)
{
    struct ignore_dir *dir = *bucket(ignore, path);
    while (dir && strcmp(dir->path, path) != 0)
        dir = dir->bucket_next;
    return dir;
}

const struct ignore_dir *ignore_dir_at(struct ignore *ignore, const struct ignore_dir *outer,
                                       const char *path)
{
    pthread_mutex_lock(&ignore->lock);
    const struct ignore_dir *dir = find(ignore, path);
    pthread_mutex_unlock(&ignore->lock);
    return dir ? dir : outer;
}

const struct ignore_dir *ignore_add(struct ignore *ignore, const struct ignore_dir *outer,
                                    const char *path, struct bytes text)
{
    pthread_mutex_lock(&ignore->lock);
    struct ignore_dir *dir = find(ignore, path);
    if (!dir && ignore->count < MAX_DIRS && text.size <= MAX_TEXT) {
        dir = xcalloc(1, sizeof *dir);
        dir->outer = outer;
        dir->path = xstrdup(path);
        dir->path_size = strlen(path);
        rules_read(&dir->rules, text);
        struct ignore_dir **at = bucket(ignore, path);
        dir->bucket_next = *at;
        *at = dir;
        ignore->count++;
    }
    pthread_mutex_unlock(&ignore->lock);
    return dir ? dir : outer;
}

/* --- As bytes: protect, config, count, then folders by path -------------------------------- */

static bool put_text(struct buf *out, const char *text, size_t size, struct error *err)
{
    uint8_t head[4];
    write_u32(head, (uint32_t)size);
    return buf_append(out, (struct bytes){head, sizeof head}, err) &&
           buf_append(out, (struct bytes){(const uint8_t *)text, size}, err);
}

static int by_path(const void *a, const void *b)
{
    const struct ignore_dir *const *left = a, *const *right = b;
    return strcmp((*left)->path, (*right)->path);
}

bool ignore_encode(struct ignore *ignore, struct buf *out, struct error *err)
{
    AUTO(mem_free) struct ignore_dir **dirs = xcalloc(ignore->count, sizeof *dirs);
    size_t count = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct ignore_dir *dir = ignore->buckets[i]; dir; dir = dir->bucket_next)
            dirs[count++] = dir;
    qsort(dirs, count, sizeof *dirs, by_path);
    if (!put_text(out, ignore->protect.text, ignore->protect.text_size, err) ||
        !put_text(out, ignore->config.text, ignore->config.text_size, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!put_text(out, dirs[i]->path, dirs[i]->path_size, err) ||
            !put_text(out, dirs[i]->rules.text, dirs[i]->rules.text_size, err))
            return false;
    return true;
}

static bool get_text(struct bytes *input, struct bytes *out, struct error *err)
{
    if (input->size < 4)
        return error_set(err, ERROR_INVALID, "ignore rules end early");
    uint32_t size = read_u32(input->data);
    if (size > MAX_TEXT || size > input->size - 4)
        return error_set(err, ERROR_INVALID, "ignore rules of %u bytes are cut short", size);
    *out = (struct bytes){input->data + 4, size};
    *input = (struct bytes){input->data + 4 + size, input->size - 4 - size};
    return true;
}

/* The chain of the folders around `path`, by looking each of them up. */
static const struct ignore_dir *outer_of(struct ignore *ignore, const char *path)
{
    if (!*path)
        return NULL;
    AUTO(mem_free) char *partial = xstrdup(path);
    for (char *slash; (slash = strrchr(partial, '/'));) {
        *slash = '\0';
        const struct ignore_dir *dir = find(ignore, partial);
        if (dir)
            return dir;
    }
    return find(ignore, "");
}

struct ignore *ignore_decode(struct bytes input, struct error *err)
{
    struct bytes text, path;
    AUTO(ignore_free) struct ignore *ignore = ignore_new();
    if (!get_text(&input, &text, err))
        return NULL;
    ignore_set_protect(ignore, text);
    if (!get_text(&input, &text, err))
        return NULL;
    ignore_set_config(ignore, text);
    while (input.size) {
        if (!get_text(&input, &path, err) || !get_text(&input, &text, err))
            return NULL;
        if (path.size > 4096 || (path.size && memchr(path.data, '\0', path.size))) {
            error_set(err, ERROR_INVALID, "ignore rules for a broken path");
            return NULL;
        }
        AUTO(mem_free) char *name = xstrndup((const char *)path.data, path.size);
        ignore_add(ignore, outer_of(ignore, name), name, text);
    }
    return TAKE(ignore);
}
