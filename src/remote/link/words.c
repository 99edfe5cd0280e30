/* SPDX-License-Identifier: Apache-2.0 */
#include "link/words.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "link/agents.h"
#include "link/preface.h"

bool words_local(const char *host)
{
    return strcmp(host, "local:") == 0;
}

static size_t ssh_words(const struct words_plan *plan, const char **out)
{
    static const char *const always[] = {
        "-T",
        "-e",
        "none",
        "-o",
        "Compression=no", /* what is worth it is compressed already */
        "-o",
        "ControlMaster=no",
        "-o",
        "ControlPath=none", /* a stale master would hang us */
        "-o",
        "ClearAllForwardings=yes",
        "-o",
        "ForwardX11=no",
        "-o",
        "PermitLocalCommand=no",
        "-o",
        "RemoteCommand=none",
        "-o",
        "IPQoS=af21",
        "-o",
        "ServerAliveInterval=15",
    };
    size_t count = 0;
    for (size_t i = 0; plan->ssh[i] && count < WORDS_MAX / 2; i++)
        out[count++] = plan->ssh[i];
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        out[count++] = always[i];
    out[count++] = "-o";
    out[count++] = plan->ask ? "BatchMode=no" : "BatchMode=yes";
    if (plan->again) {
        out[count++] = "-o";
        out[count++] = "ConnectTimeout=10";
    }
    if (plan->ciphers) {
        out[count++] = "-c";
        out[count++] = plan->ciphers;
    }
    out[count++] = "--";
    out[count++] = plan->host;
    return count;
}

static bool local_words(const struct words_plan *plan, struct buf *room, const char **out,
                        struct error *err)
{
    size_t count = 0;
    if (!buf_printf(room, err, "%lldms", (long long)plan->keep_ms))
        return false;
    const char *const run[] = {
        plan->self, "agent", "attach", "--session", plan->session, "--keep", buf_string(room),
    };
    for (size_t i = 0; i < sizeof run / sizeof *run; i++)
        out[count++] = run[i];
    if (!plan->again)
        out[count++] = "--fresh";
    out[count] = NULL;
    return true;
}

bool words_make(const struct words_plan *plan, struct buf *room, const char *out[WORDS_MAX],
                struct error *err)
{
    if (words_local(plan->host))
        return local_words(plan, room, out, err);
    struct preface_agent offers[AGENTS_MAX];
    for (size_t i = 0; i < plan->agents->count; i++)
        offers[i] =
            (struct preface_agent){plan->agents->items[i].machine, plan->agents->items[i].key};
    struct preface_plan preface = {offers, plan->agents->count, plan->session, plan->keep_ms,
                                   !plan->again};
    if (!preface_command(&preface, room, err))
        return false;
    size_t count = ssh_words(plan, out);
    out[count++] = buf_string(room);
    out[count] = NULL;
    return true;
}
