/* SPDX-License-Identifier: Apache-2.0 */
/* vma agent: what runs on the other side; not for people. */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "syncing/service.h"

struct options {
    const char *session;
    bool fresh;
    int64_t keep_ms;
};

static void *services_new(struct loop *loop, struct mux *mux, dirs_lookup *lookup)
{
    struct error err;
    AUTO(mem_free) char *home = dirs_home(lookup);
    AUTO(mem_free) char *state = dirs_state("vma", lookup, &err);
    return sync_service_new(loop, mux, home, state);
}

static void services_free(void *services)
{
    sync_service_free(services);
}

static void services_tell(void *services, struct jv *out)
{
    sync_service_tell(services, out);
}

static bool attach(struct cli *cli, const struct options *options, struct error *err)
{
    struct agent_plan plan = {
        .session = options->session ? options->session : "",
        .fresh = options->fresh,
        .keep_ms = options->keep_ms,
        .files = cli->files,
        .lookup = cli->lookup,
        .services = services_new,
        .services_free = services_free,
        .services_tell = services_tell,
    };
    struct error why;
    if (agent_attach(&plan, &why))
        return true;
    printf("\nVMA-ERROR %s\n", why.text); /* where the client reads */
    fflush(stdout);
    if (err)
        *err = why;
    return false;
}

static bool hash(struct cli *cli, struct error *err)
{
    char text[SHA256_TEXT_SIZE];
    if (!sha256_file(cli->self, text, err))
        return false;
    printf("%s\n", text);
    return true;
}

static bool agent_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    struct cli *cli = context;
    if (strcmp(operands.items[0], "attach") == 0)
        return attach(cli, raw, err);
    if (strcmp(operands.items[0], "hash") == 0)
        return hash(cli, err);
    return error_set(err, ERROR_INVALID, "agent attach or agent hash, not \"%s\"",
                     operands.items[0]);
}

static const struct option rows[] = {
    OPTION_TEXT(0, "session", "ID", session, "the session to attach to"),
    OPTION_FLAG(0, "fresh", fresh, "make the session if it is not there"),
    OPTION_DURATION(0, "keep", "TIME", keep_ms, "how long it waits for a link [12h]"),
    OPTION_END,
};

const struct command command_agent = {
    .name = "agent",
    .operands = "attach|hash",
    .summary = "The remote end; started by vma itself",
    .options = rows,
    .defaults = &(const struct options){.keep_ms = 12 * 60 * 60 * 1000},
    .options_size = sizeof(struct options),
    .min_operands = 1,
    .max_operands = 1,
    .hidden = true,
    .run = agent_run,
};
