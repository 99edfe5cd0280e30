/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, each defined in the file of its name. */
#pragma once

#include "base/command.h"

extern const struct command command_dev, command_init, command_status, command_stop;
extern const struct command command_agent, command_exec, command_forward, command_shell,
    command_sync;
extern const struct command command_ssh_config, command_code, command_docker_context;
extern const struct command command_completion, command_man;
