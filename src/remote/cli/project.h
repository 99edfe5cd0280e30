/* SPDX-License-Identifier: Apache-2.0 */
/* The project around the working folder: the nearest vma.yaml above, or none. */
#pragma once

#include <stdint.h>

#include "base/attributes.h"

struct cli;
struct config;
struct error;
struct project;

/* Never NULL but for an error in the file. */
MUST_USE struct project *project_find(struct cli *cli, struct error *err);
void project_free(struct project *project);
static inline void project_free_auto(struct project **project)
{
    project_free(*project);
}

const struct config *project_config(const struct project *project);
/* The same, to be changed by what the command line says. */
struct config *project_config_own(struct project *project);
/* The folder of vma.yaml; NULL without one. */
const char *project_root(const struct project *project);
/* VMA_HOST, or the file's; NULL when neither says. */
const char *project_host(const struct project *project);
const char *project_remote(const struct project *project);
/* Ended by NULL; NULL when the file does not say. */
const char *const *project_ssh(const struct project *project);
int64_t project_keep_ms(const struct project *project);

/* The remote folder for the working folder: `remote` (NULL: ~/ and the root's name) and the way
 * from `root` to here. NULL when we are not beneath the root. From malloc. */
MUST_USE char *project_remote_folder(const char *root, const char *remote);
