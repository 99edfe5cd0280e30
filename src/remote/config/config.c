/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/mem.h"

enum { LIST_MAX = 1000, KEEP_DEFAULT_MS = 12 * 60 * 60 * 1000 };

struct reading {
    yaml_document_t *document;
    const char *name;
    struct config *config;
};

typedef bool key_read(const struct reading *reading, const yaml_node_t *value, void *field,
                      struct error *err);

struct key {
    const char *name;
    key_read *read;
    size_t offset; /* of the field in struct config */
    const struct key *inner;
};

/* --- values --------------------------------------------------------------------------------- */

static bool fail(const struct reading *reading, const yaml_node_t *node, struct error *err,
                 const char *format, ...) PRINTF_LIKE(4, 5);

static bool fail(const struct reading *reading, const yaml_node_t *node, struct error *err,
                 const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(err, ERROR_INVALID, "%s line %zu: %s", reading->name,
                     node->start_mark.line + 1, length > 0 ? text : "");
}

static const char *scalar(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    bool plain = node->type == YAML_SCALAR_NODE && strlen(text) == node->data.scalar.length;
    return plain ? text : NULL;
}

static bool is_null(const yaml_node_t *node)
{
    const char *text = node->type == YAML_SCALAR_NODE ? scalar(node) : NULL;
    return text && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static bool read_text(const struct reading *reading, const yaml_node_t *value, void *field,
                      struct error *err)
{
    const char *text = value->type == YAML_SCALAR_NODE ? scalar(value) : NULL;
    if (!text || !*text)
        return fail(reading, value, err, "a text is expected here");
    *(char **)field = xstrdup(text);
    return true;
}

static bool read_duration(const struct reading *reading, const yaml_node_t *value, void *field,
                          struct error *err)
{
    const char *text = value->type == YAML_SCALAR_NODE ? scalar(value) : NULL;
    struct error why;
    if (!text || !duration_parse(text, field, &why))
        return fail(reading, value, err, "a time such as 12h or 30m is expected here");
    return true;
}

static void list_add(struct config_list *list, const char *text, size_t length)
{
    list->items = xreallocarray(list->items, list->count + 2, sizeof *list->items);
    list->items[list->count++] = xstrndup(text, length);
    list->items[list->count] = NULL; /* so that it can be given to exec */
}

static bool read_list(const struct reading *reading, const yaml_node_t *value, void *field,
                      struct error *err)
{
    if (value->type != YAML_SEQUENCE_NODE)
        return fail(reading, value, err, "a list is expected here, one \"- item\" a line");
    const yaml_node_item_t *items = value->data.sequence.items.start;
    size_t count = (size_t)(value->data.sequence.items.top - items);
    if (count > LIST_MAX)
        return fail(reading, value, err, "a list of %zu, at most %d", count, LIST_MAX);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = yaml_document_get_node(reading->document, items[i]);
        const char *text = item->type == YAML_SCALAR_NODE ? scalar(item) : NULL;
        if (!text || !*text)
            return fail(reading, item, err, "a text is expected here");
        list_add(field, text, strlen(text));
    }
    return true;
}

/* A list, or words in one line. */
static bool read_words(const struct reading *reading, const yaml_node_t *value, void *field,
                       struct error *err)
{
    const char *text = value->type == YAML_SCALAR_NODE ? scalar(value) : NULL;
    if (!text)
        return read_list(reading, value, field, err);
    while (*(text += strspn(text, " \t"))) {
        size_t length = strcspn(text, " \t");
        list_add(field, text, length);
        text += length;
    }
    return true;
}

static bool read_mode(const struct reading *reading, const yaml_node_t *value, void *field,
                      struct error *err)
{
    static const char *const modes[] = {"mirror", "one-way-safe", "two-way-safe",
                                        "two-way-resolved", "off"};
    const char *text = value->type == YAML_SCALAR_NODE ? scalar(value) : NULL;
    for (size_t i = 0; text && i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(text, modes[i]) == 0) {
            *(char **)field = xstrdup(text);
            return true;
        }
    }
    return fail(reading, value, err,
                "mirror, one-way-safe, two-way-safe, two-way-resolved or off is expected here");
}

/* --- keys ----------------------------------------------------------------------------------- */

static bool read_map(const struct reading *reading, const yaml_node_t *value,
                     const struct key *keys, struct error *err);

#define FIELD(member) offsetof(struct config, member)

static const struct key sync_keys[] = {
    {"mode", read_mode, FIELD(sync.mode), NULL},
    {"ignore", read_list, FIELD(sync.ignore), NULL},
    {"protect", read_list, FIELD(sync.protect), NULL},
    {0},
};

static const struct key keys[] = {
    {"host", read_text, FIELD(host), NULL},
    {"remote", read_text, FIELD(remote), NULL},
    {"ssh", read_words, FIELD(ssh), NULL},
    {"keep", read_duration, FIELD(keep_ms), NULL},
    {"forward", read_list, FIELD(forward), NULL},
    {"reverse", read_list, FIELD(reverse), NULL},
    {"sync", NULL, 0, sync_keys},
    {0},
};

static size_t alike(const char *a, const char *b)
{
    size_t same = 0;
    while (a[same] && a[same] == b[same])
        same++;
    return same;
}

static bool unknown(const struct reading *reading, const yaml_node_t *node, const char *name,
                    const struct key *known, struct error *err)
{
    const char *nearest = NULL;
    size_t best = 1;
    for (; known->name; known++) {
        if (alike(known->name, name) > best) {
            best = alike(known->name, name);
            nearest = known->name;
        }
    }
    if (nearest)
        return fail(reading, node, err, "unknown key \"%.40s\"; is it \"%s\"?", name, nearest);
    return fail(reading, node, err, "unknown key \"%.40s\"", name);
}

static bool read_pair(const struct reading *reading, const yaml_node_t *name_node,
                      const yaml_node_t *value, const struct key *known, struct error *err)
{
    const char *name = name_node->type == YAML_SCALAR_NODE ? scalar(name_node) : NULL;
    if (!name)
        return fail(reading, name_node, err, "a key is expected here");
    const struct key *key = known;
    while (key->name && strcmp(key->name, name) != 0)
        key++;
    if (!key->name)
        return unknown(reading, name_node, name, known, err);
    if (is_null(value))
        return true; /* a key left empty is the default */
    if (key->inner)
        return read_map(reading, value, key->inner, err);
    return key->read(reading, value, (char *)reading->config + key->offset, err);
}

static bool read_map(const struct reading *reading, const yaml_node_t *value,
                     const struct key *known, struct error *err)
{
    if (value->type != YAML_MAPPING_NODE)
        return fail(reading, value, err, "\"key: value\" lines are expected here");
    const yaml_node_pair_t *pairs = value->data.mapping.pairs.start;
    size_t count = (size_t)(value->data.mapping.pairs.top - pairs);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *name = yaml_document_get_node(reading->document, pairs[i].key);
        for (size_t j = 0; j < i; j++) {
            const yaml_node_t *other = yaml_document_get_node(reading->document, pairs[j].key);
            if (name->type == YAML_SCALAR_NODE && other->type == YAML_SCALAR_NODE &&
                strcmp((const char *)name->data.scalar.value,
                       (const char *)other->data.scalar.value) == 0)
                return fail(reading, name, err, "\"%.40s\" is there twice",
                            (const char *)name->data.scalar.value);
        }
        if (!read_pair(reading, name, yaml_document_get_node(reading->document, pairs[i].value),
                       known, err))
            return false;
    }
    return true;
}

/* --- the whole ------------------------------------------------------------------------------ */

struct config *config_default(void)
{
    struct config *config = xcalloc(1, sizeof *config);
    config->keep_ms = KEEP_DEFAULT_MS;
    return config;
}

static void list_free(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    free(config->host);
    free(config->remote);
    free(config->sync.mode);
    list_free(&config->ssh);
    list_free(&config->forward);
    list_free(&config->reverse);
    list_free(&config->sync.ignore);
    list_free(&config->sync.protect);
    free(config);
}

/* What the parser says, and for its most frequent word what is mostly meant. */
static const char *problem_of(const yaml_parser_t *parser)
{
    if (!parser->problem)
        return "this is no YAML";
    return strstr(parser->problem, "cannot start any token")
               ? "a character that cannot stand here: a tab? (spaces only; or put quotes around it)"
               : parser->problem;
}

static bool read_document(yaml_parser_t *parser, const char *name, struct config *config,
                          struct error *err)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return error_set(err, ERROR_INVALID, "%s line %zu: %s", name, parser->problem_mark.line + 1,
                         problem_of(parser));
    struct reading reading = {&document, name, config};
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    bool fine = !root || is_null(root) || read_map(&reading, root, keys, err);
    yaml_document_delete(&document);
    return fine;
}

struct config *config_parse(struct bytes text, const char *name, struct error *err)
{
    AUTO(config_free) struct config *config = config_default();
    yaml_parser_t parser;
    if (text.size > CONFIG_SIZE_MAX) {
        error_set(err, ERROR_LIMIT, "%s has %zu bytes, at most %d", name, text.size,
                  CONFIG_SIZE_MAX);
        return NULL;
    }
    if (!yaml_parser_initialize(&parser)) {
        error_set(err, ERROR_INTERNAL, "start the YAML parser");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, text.data, text.size);
    bool fine = read_document(&parser, name, config, err);
    yaml_parser_delete(&parser);
    return fine ? TAKE(config) : NULL;
}

bool config_example(const char *host, struct buf *out, struct error *err)
{
    return buf_printf(
        out, err,
        "# Edit here, run there. `vma dev` reads this file; `vma help dev` tells more.\n"
        "\n"
        "# The machine to work on, as ssh knows it: user@host, or a Host of its config.\n"
        "# local: tries everything out on this machine, without ssh.\n"
        "%shost: \"%s\"\n"
        "\n"
        "# The folder there. Without it: ~/ and this folder's name.\n"
        "#remote: ~/project\n"
        "\n"
        "# The ssh command, if it is not simply ssh.\n"
        "#ssh: ssh -F ./ssh_config\n"
        "\n"
        "# How long the other side keeps everything while this one cannot be reached.\n"
        "keep: 12h\n"
        "\n"
        "# What runs there, reachable here. LISTEN or LISTEN=TARGET; each is PORT,\n"
        "# HOST:PORT or a socket's /path. 55433 alone: this port on both loopbacks.\n"
        "forward:\n"
        "  - 55433\n"
        "#  - 8080=80\n"
        "#  - /tmp/docker.sock=/var/run/docker.sock\n"
        "\n"
        "# What runs here, reachable there. For containers, listen on their bridge.\n"
        "#reverse:\n"
        "#  - 8001\n"
        "#  - 172.17.0.1:8001=8001\n"
        "\n"
        "sync:\n"
        "  # mirror: there becomes as here is. one-way-safe: what changed there is kept.\n"
        "  # two-way-safe: both ways, conflicts are kept. two-way-resolved: ours wins.\n"
        "  mode: mirror\n"
        "  # Beside what .gitignore says, with the same patterns.\n"
        "  ignore:\n"
        "    - node_modules/\n"
        "    - __pycache__/\n"
        "    - build/\n"
        "  # Never sent, never deleted there; .env, keys and storage are so anyway.\n"
        "  #protect:\n"
        "  #  - data/\n",
        host ? "" : "#", host ? host : "user@machine");
}
