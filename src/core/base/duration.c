/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

static const int64_t max_ms = INT64_C(24000) * 60 * 60 * 1000;
static const int64_t max_bytes = INT64_C(1) << 50;

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit time_units[] = {
    {"d", INT64_C(24) * 60 * 60 * 1000},
    {"h", INT64_C(60) * 60 * 1000},
    {"ms", 1}, /* before "m", which is its prefix */
    {"m", 60 * 1000},
    {"s", 1000},
    {NULL, 0},
};

static const struct unit size_units[] = {
    {"kB", 1000},
    {"MB", 1000 * 1000},
    {"GB", 1000 * 1000 * 1000},
    {"KiB", 1024},
    {"MiB", 1024 * 1024},
    {"GiB", 1024 * 1024 * 1024},
    {"B", 1},
    {NULL, 0},
};

static const struct unit *unit_at(const struct unit *units, const char *text)
{
    for (; units->name; units++)
        if (strncmp(text, units->name, strlen(units->name)) == 0)
            return units;
    return NULL;
}

/* Digits at *at, which moves behind them; -1 when there are none or more than `max`. */
static int64_t count_at(const char **at, int64_t max)
{
    int64_t count = **at >= '0' && **at <= '9' ? 0 : -1;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        count = count * 10 + (**at - '0');
        if (count > max)
            return -1;
    }
    return count;
}

bool duration_parse(const char *text, int64_t *out_ms, struct error *err)
{
    int64_t total = 0;
    int64_t previous = INT64_MAX; /* size of the unit before this one */
    const char *at = text;

    do {
        int64_t count = count_at(&at, max_ms);
        const struct unit *unit = unit_at(time_units, at);
        if (count < 0 || !unit || unit->factor >= previous)
            return error_set(err, ERROR_INVALID, "duration \"%.40s\": expected e.g. 1h30m", text);
        if (count > (max_ms - total) / unit->factor)
            return error_set(err, ERROR_LIMIT, "duration \"%.40s\" is too long", text);
        total += count * unit->factor;
        previous = unit->factor;
        at += strlen(unit->name);
    } while (*at);

    *out_ms = total;
    return true;
}

bool size_parse(const char *text, int64_t *out_bytes, struct error *err)
{
    const char *at = text;
    int64_t count = count_at(&at, max_bytes);
    const struct unit *unit = unit_at(size_units, at);
    if (count < 0 || !unit || at[strlen(unit->name)] != '\0')
        return error_set(err, ERROR_INVALID, "size \"%.40s\": expected e.g. 10MB or 512KiB", text);
    if (count > max_bytes / unit->factor)
        return error_set(err, ERROR_LIMIT, "size \"%.40s\" is too large", text);
    *out_bytes = count * unit->factor;
    return true;
}
