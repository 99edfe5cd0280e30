/* SPDX-License-Identifier: Apache-2.0 */
/* The little of the C library that systems do differently and base needs. */
#pragma once

#include <stddef.h>

/* What an errno value means, in `room` or in a constant. */
const char *os_error_text(int os, char *room, size_t size);
