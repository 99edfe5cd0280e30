/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of a runtime that is apart (runtime.h): runs models for the process that started
 * it, until that closes the connection. */
#pragma once

/* `library` as in runtime_open. Does not return before the end; the exit code. */
int infer_serve(const char *library);
