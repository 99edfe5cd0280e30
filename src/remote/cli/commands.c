/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "cli/cli.h"

static const struct command *const commands[] = {
    &command_dev,  &command_init,           &command_status,
    &command_stop, &command_exec,           &command_shell,
    &command_sync, &command_forward,        &command_ssh_config,
    &command_code, &command_docker_context, &command_completion,
    &command_man,  &command_agent,          NULL,
};

const struct program vma_program = {
    .name = "vma",
    .summary = "Edit here, run there: sync, ports, commands, shells over one ssh link",
    .version = VMA_VERSION,
    .commands = commands,
};
