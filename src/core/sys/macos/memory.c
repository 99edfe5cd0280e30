/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/memory.h"

#include <malloc/malloc.h>

void memory_trim(void)
{
    malloc_zone_pressure_relief(NULL, 0);
}

void memory_trim_above(size_t bytes)
{
    malloc_statistics_t now;
    malloc_zone_statistics(NULL, &now);
    if (now.size_allocated - now.size_in_use > bytes)
        memory_trim();
}

void memory_keep_little(void)
{
    /* The system's allocator has no such choice. */
}

void memory_let_go_of_code(void)
{
    /* The system takes such pages itself. */
}

void memory_in_large_pages(void *start, size_t bytes)
{
    (void)start, (void)bytes;
}
