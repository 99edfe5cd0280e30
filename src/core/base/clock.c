/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t mono_ms(void)
{
    return mono_ns() / 1000000;
}

int64_t wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}

void clock_text(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t used = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + used, CLOCK_TEXT_SIZE - used, ".%03dZ", (int)(ms % 1000));
}
