/* SPDX-License-Identifier: Apache-2.0 */
/* fs_open_beneath where the system has no call for it: component by component. */
#pragma once

#include <sys/types.h>

int fs_open_walking(int root, const char *path, int flags, mode_t mode);
