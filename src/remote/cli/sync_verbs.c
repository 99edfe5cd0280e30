/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a sync that runs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/sync.h"
#include "sys/fdpass.h"

enum { ANSWER_MAX = 256 << 20, PATH_ROOM = 16 * 1024 };

struct found {
    char *socket;
    struct jv *about;
};

struct search {
    char here[PATH_MAX];
    struct found *all;
    size_t count;
};

static void collect(void *context, const char *socket, const struct jv *about)
{
    struct search *search = context;
    search->all = xreallocarray(search->all, search->count + 1, sizeof *search->all);
    search->all[search->count++] = (struct found){xstrdup(socket), jv_copy(about)};
}

static void search_dispose_auto(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        free(search->all[i].socket);
        jv_free(search->all[i].about);
    }
    free(search->all);
}

/* The sync whose folder we are in, or the only one. */
static const struct found *choose(const struct search *search, struct error *err)
{
    const struct found *best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < search->count; i++) {
        const char *source = jv_get_text(search->all[i].about, "source", "");
        size_t size = strlen(source);
        bool around = strncmp(search->here, source, size) == 0 &&
                      (search->here[size] == '/' || search->here[size] == '\0');
        if (around && size >= best_size) {
            best = &search->all[i];
            best_size = size;
        }
    }
    if (!best && search->count == 1)
        best = &search->all[0];
    if (!best)
        error_set(err, search->count ? ERROR_CONFLICT : ERROR_NOT_FOUND,
                  search->count
                      ? "several syncs run and none is for this folder: go to one's folder"
                      : "no sync runs; vma dev or vma sync starts one");
    return best;
}

static struct jv *ask(const char *socket, const struct jv *question, struct error *err)
{
    AUTO(buf_dispose) struct buf text = BUF(ANSWER_MAX);
    AUTO(fd_close) int fd = unix_connect(socket, err);
    if (fd < 0 || !jv_write(question, false, &text, err) || !buf_text(&text, "\n", err) ||
        !fd_write_all(fd, buf_bytes(&text), err))
        return NULL;
    buf_clear(&text);
    for (;;) {
        uint8_t *room = buf_reserve(&text, 64 * 1024, err);
        if (!room)
            return NULL;
        ssize_t got = read(fd, room, 64 * 1024);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        buf_commit(&text, (size_t)got);
    }
    if (!text.size) {
        error_set(err, ERROR_UNAVAILABLE, "the sync ended");
        return NULL;
    }
    return jv_parse(buf_bytes(&text), err);
}

struct jv *sync_state_of(struct cli *cli, const char *source, const char *host)
{
    AUTO(search_dispose) struct search search = {0};
    AUTO(jv_free) struct jv *question = jv_object();
    struct error err;
    jv_text(question, "do", "status");
    sync_each(cli, collect, &search);
    for (size_t i = 0; i < search.count; i++)
        if (strcmp(jv_get_text(search.all[i].about, "source", ""), source) == 0 &&
            strcmp(jv_get_text(search.all[i].about, "host", ""), host) == 0)
            return ask(search.all[i].socket, question, &err);
    return NULL;
}

static enum error_kind kind_of(const char *name)
{
    for (enum error_kind kind = ERROR_INVALID; kind <= ERROR_INTERNAL; kind++)
        if (strcmp(error_kind_name(kind), name) == 0)
            return kind;
    return ERROR_INTERNAL;
}

static bool print_json(const struct jv *value, struct error *err)
{
    AUTO(buf_dispose) struct buf text = BUF(ANSWER_MAX);
    if (!jv_write(value, false, &text, err))
        return false;
    printf("%s\n", buf_string(&text));
    return true;
}

static void print_list(const struct jv *answer, const char *verb)
{
    const struct jv *list = jv_get(answer, verb);
    for (size_t i = 0; i < jv_size(list); i++) {
        char path[PATH_ROOM];
        const struct jv *item = jv_at(list, i);
        text_show(bytes_of(jv_get_text(item, "path", "")), path, sizeof path);
        if (strcmp(verb, "diff") == 0)
            printf("%-8s %-6s %s\n", jv_get_text(item, "action", ""), jv_get_text(item, "on", ""),
                   path);
        else
            printf("%s (here: %s, there: %s)\n", path,
                   jv_get_text(jv_get(item, "local"), "kind", ""),
                   jv_get_text(jv_get(item, "remote"), "kind", ""));
    }
}

/* All that run. */
static bool status(const struct search *search, bool json, struct error *err)
{
    AUTO(jv_free) struct jv *question = jv_object();
    AUTO(jv_free) struct jv *all = jv_array();
    jv_text(question, "do", "status");
    for (size_t i = 0; i < search->count; i++) {
        struct error failed;
        struct jv *answer = ask(search->all[i].socket, question, &failed);
        if (!answer)
            continue;
        if (!json) {
            sync_print_status(search->all[i].about, answer);
            jv_free(answer);
            continue;
        }
        struct jv *about = jv_copy(search->all[i].about);
        jv_put(answer, "sync", &about);
        jv_push(all, &answer);
    }
    if (json)
        return print_json(all, err);
    if (search->count == 0)
        printf("no sync runs\n");
    return true;
}

/* From where we stand to the path below the sync's folder. */
static char *below(const char *source, const char *path, struct error *err)
{
    char full[PATH_MAX];
    AUTO(mem_free) char *copy = xstrdup(path);
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (slash)
        *slash = '\0';
    size_t size = strlen(source);
    bool found = realpath(slash ? (*copy ? copy : "/") : ".", full) != NULL;
    bool inside =
        found && strncmp(full, source, size) == 0 && (full[size] == '/' || full[size] == '\0');
    if (!inside) /* taken as it is: below the folder */
        return xstrdup(path);
    (void)err;
    return full[size] ? xasprintf("%s/%s", full + size + 1, name) : xstrdup(name);
}

bool sync_verb(struct cli *cli, const struct sync_choices *choices, const char *verb,
               struct operands operands, struct error *err)
{
    AUTO(search_dispose) struct search search = {0};
    bool resolve = strcmp(verb, "resolve") == 0;
    if (operands.count != (resolve ? 1 : 0))
        return error_set(err, ERROR_INVALID, resolve ? "resolve which path?" : "%s takes no more",
                         verb);
    if (!getcwd(search.here, sizeof search.here))
        search.here[0] = '\0';
    sync_each(cli, collect, &search);
    if (strcmp(verb, "status") == 0)
        return status(&search, choices->json, err);
    const struct found *found = choose(&search, err);
    if (!found)
        return false;
    AUTO(jv_free) struct jv *question = jv_object();
    jv_text(question, "do", verb);
    jv_bool(question, "allow", choices->allow_mass_delete);
    if (resolve) {
        AUTO(mem_free)
        char *path = below(jv_get_text(found->about, "source", ""), operands.items[0], err);
        jv_text(question, "path", path);
        jv_text(question, "keep", choices->keep);
    }
    AUTO(jv_free) struct jv *answer = ask(found->socket, question, err);
    if (!answer)
        return false;
    const char *failed = jv_get_text(answer, "error", NULL);
    if (failed)
        return error_set(err, kind_of(jv_get_text(answer, "kind", "")), "%s", failed);
    if (choices->json && !print_json(answer, err))
        return false;
    if (!choices->json)
        print_list(answer, verb);
    const char *guard = jv_get_text(answer, "guard", NULL);
    if (strcmp(verb, "flush") == 0 && guard)
        return error_set(err, ERROR_DENIED, "%s", guard);
    if (strcmp(verb, "flush") == 0 && !jv_get_bool(answer, "flushed", true))
        return error_set(err, ERROR_DENIED, "paused: what was saved is sent after vma sync resume");
    return strcmp(verb, "flush") != 0 || sync_judge(answer, err);
}
