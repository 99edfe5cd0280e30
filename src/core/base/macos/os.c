/* SPDX-License-Identifier: Apache-2.0 */
#include "base/os.h"

#include <string.h>

const char *os_error_text(int os, char *room, size_t size)
{
    return strerror_r(os, room, size) == 0 ? room : "an unknown error";
}
