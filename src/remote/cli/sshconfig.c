/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sshconfig.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

static bool plain(const char *text, const char *what, struct error *err)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f || strchr("\"'#*?!,\\%", *at))
            return error_set(err, ERROR_INVALID,
                             "%s \"%s\" has a character that ssh's "
                             "configuration gives a meaning",
                             what, text);
    if (!*text || *text == '-')
        return error_set(err, ERROR_INVALID, "\"%s\" is no %s", text, what);
    return true;
}

static bool add_rule(const struct forward_rule *rule, struct buf *out, struct error *err)
{
    char listen[FORWARD_TEXT_MAX], target[FORWARD_TEXT_MAX];
    forward_place_text(&rule->listen, listen);
    forward_place_text(&rule->target, target);
    if (strpbrk(listen, " \t\"'\\%") || strpbrk(target, " \t\"'\\%"))
        return error_set(err, ERROR_INVALID, "forward %s cannot be written down for ssh", listen);
    return buf_printf(out, err, "    %s %s %s\n", rule->reverse ? "RemoteForward" : "LocalForward",
                      listen, target);
}

/* ssh leaves the files of sockets behind, and would refuse to listen there the next time. */
static bool add_unlink(const struct sshconfig *config, struct buf *out, struct error *err)
{
    bool here = false, there = false;
    for (size_t i = 0; i < config->rules_count; i++)
        if (config->rules[i].listen.is_path)
            *(config->rules[i].reverse ? &there : &here) = true;
    return (!here || buf_text(out,
                              "    # a socket's file that an earlier connection left is replaced\n"
                              "    StreamLocalBindUnlink yes\n",
                              err)) &&
           (!there || buf_text(out,
                               "    # for a socket there it is sshd_config that must say "
                               "StreamLocalBindUnlink yes\n",
                               err));
}

bool sshconfig_block(const struct sshconfig *config, struct buf *out, struct error *err)
{
    if (!plain(config->host, "host", err) ||
        (config->address && !plain(config->address, "address", err)) ||
        (config->user && !plain(config->user, "user", err)))
        return false;
    if (config->identity && strpbrk(config->identity, "\"\n\r%\\"))
        return error_set(err, ERROR_INVALID, "key file \"%s\" cannot be written down for ssh",
                         config->identity);
    bool good = buf_printf(out, err, "# >>> vma: %s (written by vma ssh-config) >>>\nHost %s\n",
                           config->host, config->host);
    if (config->address)
        good = good && buf_printf(out, err, "    HostName %s\n", config->address);
    if (config->user)
        good = good && buf_printf(out, err, "    User %s\n", config->user);
    if (config->port)
        good = good && buf_printf(out, err, "    Port %u\n", config->port);
    if (config->identity)
        good = good && buf_printf(out, err, "    IdentityFile \"%s\"\n    IdentitiesOnly yes\n",
                                  config->identity);
    if (config->ciphers)
        good = good && buf_printf(out, err,
                                  "    # faster than ssh's own first choice on this processor\n"
                                  "    %s\n",
                                  config->ciphers);
    good = good && buf_text(out,
                            "    # a dead connection is noticed in ten seconds\n"
                            "    ServerAliveInterval 5\n"
                            "    ServerAliveCountMax 2\n"
                            "    # one connection for editors, docker and shells\n"
                            "    ControlMaster auto\n"
                            "    ControlPath ~/.ssh/vma/%C\n"
                            "    ControlPersist 10m\n",
                            err);
    good = good && add_unlink(config, out, err);
    for (size_t i = 0; i < config->rules_count && good; i++)
        good = add_rule(&config->rules[i], out, err);
    return good && buf_printf(out, err, "# <<< vma: %s <<<\n", config->host);
}

/* Where a line that begins with `text` begins, from `from` on; the size when there is none. */
static size_t line_find(struct bytes file, size_t from, const char *text)
{
    size_t length = strlen(text);
    for (size_t at = from; at < file.size;) {
        if (file.size - at >= length && memcmp(file.data + at, text, length) == 0)
            return at;
        const uint8_t *newline = memchr(file.data + at, '\n', file.size - at);
        at = newline ? (size_t)(newline + 1 - file.data) : file.size;
    }
    return file.size;
}

bool sshconfig_merge(struct bytes file, const char *host, struct bytes block, struct buf *out,
                     struct error *err)
{
    AUTO(mem_free) char *opening = xasprintf("# >>> vma: %s (", host);
    AUTO(mem_free) char *closing = xasprintf("# <<< vma: %s <<<", host);
    size_t begin = line_find(file, 0, opening);
    if (begin == file.size)
        return buf_append(out, block, err) && (file.size == 0 || buf_text(out, "\n", err)) &&
               buf_append(out, file, err);
    size_t end = line_find(file, begin, closing);
    if (end == file.size)
        return error_set(err, ERROR_CONFLICT, "the block of %s has lost its last line (%s)", host,
                         closing);
    const uint8_t *newline = memchr(file.data + end, '\n', file.size - end);
    end = newline ? (size_t)(newline + 1 - file.data) : file.size;
    struct bytes before = {file.data, begin};
    struct bytes after = {file.data + end, file.size - end};
    return buf_append(out, before, err) && buf_append(out, block, err) &&
           buf_append(out, after, err);
}
