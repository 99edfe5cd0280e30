/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/memory.h"

#include <malloc.h>

void memory_trim(void)
{
    malloc_trim(0);
}
