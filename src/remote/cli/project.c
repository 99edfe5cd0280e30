/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/project.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "config/config.h"

struct project {
    struct config *config;
    char *root;
    const char *host; /* of the environment, borrowed */
};

static const char file_name[] = "vma.yaml";

/* The nearest folder with the file, from here upwards; NULL when there is none. */
static char *root_find(void)
{
    char path[PATH_MAX];
    if (!getcwd(path, sizeof path))
        return NULL;
    for (;;) {
        AUTO(mem_free) char *file = xasprintf("%s/%s", path, file_name);
        if (access(file, R_OK) == 0)
            return xstrdup(path);
        char *slash = strrchr(path, '/');
        if (!slash || slash == path)
            return NULL;
        *slash = '\0';
    }
}

struct project *project_find(struct cli *cli, struct error *err)
{
    AUTO(project_free) struct project *project = xcalloc(1, sizeof *project);
    const char *host = cli->lookup("VMA_HOST");
    project->host = host && *host ? host : NULL;
    project->root = root_find();
    if (!project->root) {
        project->config = config_default();
        return TAKE(project);
    }
    AUTO(mem_free) char *file = xasprintf("%s/%s", project->root, file_name);
    AUTO(buf_dispose) struct buf text = BUF(CONFIG_SIZE_MAX);
    if (!file_read(file, &text, err))
        return NULL;
    project->config = config_parse(buf_bytes(&text), file, err);
    return project->config ? TAKE(project) : NULL;
}

void project_free(struct project *project)
{
    if (!project)
        return;
    config_free(project->config);
    free(project->root);
    free(project);
}

const struct config *project_config(const struct project *project)
{
    return project->config;
}

struct config *project_config_own(struct project *project)
{
    return project->config;
}

const char *project_root(const struct project *project)
{
    return project->root;
}

const char *project_host(const struct project *project)
{
    return project->host ? project->host : project->config->host;
}

const char *project_remote(const struct project *project)
{
    return project->config->remote;
}

const char *const *project_ssh(const struct project *project)
{
    return project->config->ssh.count ? (const char *const *)project->config->ssh.items : NULL;
}

int64_t project_keep_ms(const struct project *project)
{
    return project->config->keep_ms;
}

char *project_remote_folder(const char *root, const char *remote)
{
    char here[PATH_MAX];
    size_t length = strlen(root);
    if (!getcwd(here, sizeof here) || strncmp(here, root, length) != 0 ||
        (here[length] != '/' && here[length] != '\0'))
        return NULL;
    const char *name = strrchr(root, '/');
    AUTO(mem_free)
    char *base = remote && *remote ? xstrdup(remote) : xasprintf("~/%s", name ? name + 1 : root);
    return xasprintf("%s%s", base, here + length);
}
