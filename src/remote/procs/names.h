/* SPDX-License-Identifier: Apache-2.0 */
/* What exec's two sides agree on. */
#pragma once

enum exec_message {
    EXEC_SIZE = 1,
    EXEC_SIGNAL = 2,
    EXEC_EXITED = 3,
    EXEC_DEAF = 4,
    EXEC_STARTED = 5
};
/* Of EXEC_DEAF: what is not read any more. */
enum exec_stream { EXEC_OUTPUT = 1, EXEC_ERRORS = 2 };
enum { EXEC_MESSAGE_MAX = 256, EXEC_TOKEN_SIZE = 16 };

/* Signals have other numbers elsewhere. "INT"; NULL for what does not travel. */
const char *signal_name(int number);
/* 0 for what is unknown. */
int signal_number(const char *name);
