/* SPDX-License-Identifier: Apache-2.0 */
#include "link/retry.h"

enum {
    EAGER_MS = 120 * 1000, /* after a cut: a new try every … */
    EAGER_EVERY_MS = 500,
    KNOCKING_EVERY_MS = 1000, /* … for a name may lead elsewhere by now */
    LATER_EVERY_MS = 5 * 1000,
    SLOW_EVERY_MS = 30 * 1000, /* when the host said no */
    SETBACK_MS = 100,          /* twice as long each time */
    SETBACKS_MAX = 9,
};

void retry_cut(struct retry *retry, bool useful, int64_t now_us)
{
    retry->cut_us = now_us;
    retry->refused = false;
    retry->setbacks = useful ? 0 : retry->setbacks + 1;
}

int64_t retry_first_ms(const struct retry *retry)
{
    if (retry->setbacks <= 1)
        return 0;
    unsigned doubled = retry->setbacks - 2;
    return doubled < SETBACKS_MAX ? SETBACK_MS << doubled : SLOW_EVERY_MS;
}

int64_t retry_next_ms(const struct retry *retry, int64_t now_us)
{
    if (retry->refused)
        return SLOW_EVERY_MS;
    if ((now_us - retry->cut_us) / 1000 >= EAGER_MS)
        return LATER_EVERY_MS;
    return retry->knocking ? KNOCKING_EVERY_MS : EAGER_EVERY_MS;
}
