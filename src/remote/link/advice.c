/* SPDX-License-Identifier: Apache-2.0 */
#include "link/advice.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char changed[] = "@ *REMOTE HOST IDENTIFICATION HAS CHANGED!*@";

/* Lines of ssh's. '*' is anything; in todo %s is the host. A row with `after` needs such a line
 * somewhere before; the first that fits counts. */
static const struct row {
    const char *line, *after, *todo;
    enum error_kind kind;
    bool follows; /* from something else, mostly: a cause counts more, wherever it is */
} rows[] = {
    {"Host key verification failed.", changed,
     "its key is not the one that is known here; \"ssh %s\" tells how to take the new one",
     ERROR_DENIED, false},
    {"Host key verification failed.", NULL, "\"ssh %s\" once by hand shows its key and takes it",
     ERROR_DENIED, false},
    {"*: Permission denied (*).", "Load key \"*\": bad permissions",
     "others may read your key: chmod 600 it", ERROR_DENIED, false},
    {"*: Permission denied (*).", NULL, "\"ssh %s true\" must work first: ssh-copy-id, or ssh-add",
     ERROR_DENIED, false},
    {"Permission denied (*).", NULL, "\"ssh %s true\" must work first: ssh-copy-id, or ssh-add",
     ERROR_DENIED, false},
    {"Received disconnect from *: Too many authentication failures", NULL,
     "name one key: \"vma ssh-config %s --identity FILE --write\"", ERROR_DENIED, false},
    {"Load key \"*\": *passphrase*", NULL, "ssh-add lets it in without asking", ERROR_DENIED, true},
    {"ssh: Could not resolve hostname *: Temporary failure in name resolution", NULL, NULL,
     ERROR_UNAVAILABLE, false},
    {"ssh: Could not resolve hostname *", NULL,
     "is the name right? ~/.ssh/config may give it another", ERROR_NOT_FOUND, false},
    {"*: line *: Bad configuration option: *", NULL, "this is about ssh's configuration",
     ERROR_NOT_FOUND, false},
    {"Unable to negotiate with *: no matching *", NULL, NULL, ERROR_NOT_FOUND, false},
    {"ssh: connect to host * port *: *", NULL, NULL, ERROR_UNAVAILABLE, false},
    {"Timeout, server * not responding.", NULL, NULL, ERROR_UNAVAILABLE, false},
    {"*System is booting up*", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"Connection closed by *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"Connection reset by *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"Connection timed out*", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"Connection to * *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"Received disconnect from *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"Disconnected from *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"Read from remote host *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"ssh_dispatch_run_fatal: *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"kex_exchange_identification: *", NULL, NULL, ERROR_UNAVAILABLE, true},
    {"client_loop: send disconnect: *", NULL, NULL, ERROR_UNAVAILABLE, true},
};

/* A command in between, ProxyCommand, has words of its own. */
static const char *const away[] = {
    "Connection refused",
    "timed out",
    "No route to host",
    "Network is unreachable",
    "Host is down",
    "Connection reset",
    "Connection closed",
    "closed by remote host",
    "System is booting up",
    "Broken pipe",
    "Temporary failure in name resolution",
};

static bool fits(struct bytes line, const char *pattern)
{
    size_t at = 0, tried = 0;
    const char *star = NULL;
    while (at < line.size) {
        if (*pattern == '*') {
            star = ++pattern;
            tried = at;
        } else if (*pattern == (char)line.data[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = ++tried;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* What stands before the colon in "*: …" is one word: USER@HOST, or a file's name. */
static bool row_fits(const struct row *row, struct bytes line)
{
    if (!fits(line, row->line))
        return false;
    const uint8_t *space = memchr(line.data, ' ', line.size);
    return !text_starts(row->line, "*: ") || (space && space > line.data && space[-1] == ':');
}

static bool said_before(struct bytes said, struct bytes line, const char *pattern)
{
    struct bytes rest = {said.data, (size_t)(line.data - said.data)};
    struct bytes before;
    while (bytes_line(&rest, &before))
        if (fits(text_trim(before), pattern))
            return true;
    return false;
}

static const struct row *row_of(struct bytes said, struct bytes line)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (row_fits(&rows[i], line) && (!rows[i].after || said_before(said, line, rows[i].after)))
            return &rows[i];
    return NULL;
}

static void host_put(const char *format, const char *host, char *out, size_t room)
{
    const char *place = strstr(format, "%s");
    if (place)
        snprintf(out, room, "%.*s%s%s", (int)(place - format), format, host, place + 2);
    else
        snprintf(out, room, "%s", format);
}

static enum error_kind kind_of_last(struct bytes line)
{
    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        if (line.size && memmem(line.data, line.size, away[i], strlen(away[i])))
            return ERROR_UNAVAILABLE;
    return ERROR_NOT_FOUND; /* maybe a mistake in its configuration */
}

void advice_for(struct bytes said, bool by_ssh, const char *host, struct advice *out)
{
    struct bytes rest = text_trim(said), last = {0}, line = {0};
    const struct row *best = NULL;
    while (bytes_line(&rest, &last)) {
        last = text_trim(last);
        const struct row *row = by_ssh ? row_of(said, last) : NULL;
        if (row && (!best || best->follows || !row->follows)) {
            best = row;
            line = last;
        }
    }
    *out = (struct advice){.line = last, .kind = by_ssh ? kind_of_last(last) : ERROR_NOT_FOUND};
    if (!best)
        return;
    out->line = line;
    out->kind = best->kind;
    if (best->todo)
        host_put(best->todo, host, out->todo, sizeof out->todo);
}
