/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/memory.h"

#include <malloc/malloc.h>

void memory_trim(void)
{
    malloc_zone_pressure_relief(NULL, 0);
}
