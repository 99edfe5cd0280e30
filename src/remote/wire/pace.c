/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/pace.h"

enum {
    WINDOW_START = 256 * 1024,
    WINDOW_MIN = 64 * 1024,
    WINDOW_MAX = 16 * 1024 * 1024,
    FRAME_MIN = 4 * 1024,
    FRAME_MAX = 64 * 1024,
    BASE_LIFE_US = 10 * 1000 * 1000,
    PROBE_US = 20 * 1000,
    MIN_PERIOD_US = 300 * 1000, /* ten of them: longer than other work keeps us from running */
    CALM_AFTER_US = 10 * 1000 * 1000,
    CALM_SLACK_US = 80 * 1000, /* as long as others keep us, or the other side, from running … */
    CALM_BYTES = 1024 * 1024,  /* … but not so much that it costs memory */
};

static bool is_calm(const struct pace *pace, int64_t now_us)
{
    return !pace->urgent_us || now_us - pace->urgent_us > CALM_AFTER_US;
}

/* The line we let stand in front of the link. */
static int64_t slack_us(const struct pace *pace, int64_t now_us)
{
    int64_t slack = pace->base_rtt_us * 3 / 10;
    int64_t rate = pace_rate(pace);
    slack = slack < 1000 ? 1000 : slack > 20 * 1000 ? 20 * 1000 : slack;
    if (!is_calm(pace, now_us) || !rate)
        return slack;
    int64_t more = CALM_BYTES * INT64_C(1000000) / rate;
    more = more > CALM_SLACK_US ? CALM_SLACK_US : more;
    return more > slack ? more : slack;
}

void pace_init(struct pace *pace)
{
    *pace = (struct pace){.starting = true};
}

void pace_sent(struct pace *pace, uint64_t number, bool limited, int64_t now_us)
{
    if (pace->count == PACE_MARKS)
        return;
    struct pace_mark *mark = &pace->marks[(pace->first + pace->count++) % PACE_MARKS];
    *mark = (struct pace_mark){
        .number = number,
        .sent_us = now_us,
        .delivered = pace->delivered,
        .app_limited = !limited,
    };
}

void pace_urgent(struct pace *pace, int64_t now_us)
{
    pace->urgent_us = now_us;
}

/* The least round trip has not been seen for long: because of the line that we keep in front of the
 * link, or because the way has become longer? */
static void doubt_base(struct pace *pace, int64_t now_us)
{
    bool as_expected = pace->low_rtt_us <= pace->base_rtt_us + slack_us(pace, now_us);
    if (is_calm(pace, now_us) && as_expected) {
        pace->base_at_us = now_us;
    } else {
        int64_t wait = pace->srtt_us * 2;
        pace->probe_end_us = now_us + (wait > PROBE_US ? wait : PROBE_US);
    }
    pace->low_rtt_us = 0;
}

void pace_rtt(struct pace *pace, int64_t rtt_us, int64_t now_us)
{
    if (rtt_us < 1)
        rtt_us = 1;
    pace->srtt_us = pace->srtt_us ? pace->srtt_us + (rtt_us - pace->srtt_us) / 8 : rtt_us;
    if (!pace->low_rtt_us || rtt_us < pace->low_rtt_us)
        pace->low_rtt_us = rtt_us;
    bool probed = pace->probe_end_us && now_us > pace->probe_end_us;
    if (probed)
        pace->probe_end_us = 0;
    if (probed || !pace->base_rtt_us || rtt_us <= pace->base_rtt_us) {
        pace->base_rtt_us = pace->low_rtt_us;
        pace->base_at_us = now_us;
        pace->low_rtt_us = 0;
    }
    if (now_us - pace->base_at_us > BASE_LIFE_US && !pace->probe_end_us)
        doubt_base(pace, now_us);
}

int64_t pace_rate(const struct pace *pace)
{
    int64_t best = 0;
    for (unsigned i = 0; i < PACE_RATES; i++)
        if (pace->rates[i] > best)
            best = pace->rates[i];
    return best;
}

static void round_over(struct pace *pace, int64_t now_us)
{
    int64_t rate = pace_rate(pace);
    pace->round_end_us = now_us + (pace->srtt_us > 1000 ? pace->srtt_us : 1000);
    if (rate > pace->start_rate + pace->start_rate / 4) {
        pace->start_rate = rate;
        pace->flat_rounds = 0;
    } else if (++pace->flat_rounds >= 3) {
        pace->starting = false;
    }
}

static void rate_seen(struct pace *pace, int64_t rate, bool app_limited, int64_t now_us)
{
    if (now_us >= pace->period_end_us && !app_limited) { /* an idle link forgets nothing */
        int64_t period = pace->srtt_us * 2;
        pace->period_end_us = now_us + (period > MIN_PERIOD_US ? period : MIN_PERIOD_US);
        pace->rate_at = (pace->rate_at + 1) % PACE_RATES;
        pace->rates[pace->rate_at] = 0;
    }
    if (app_limited && rate <= pace_rate(pace))
        return;
    if (rate > pace->rates[pace->rate_at])
        pace->rates[pace->rate_at] = rate;
    if (pace->starting && !app_limited && now_us >= pace->round_end_us)
        round_over(pace, now_us);
}

void pace_acked(struct pace *pace, uint64_t number, size_t bytes, int64_t delay_us, int64_t now_us)
{
    struct pace_mark mark;
    bool found = false;
    pace->delivered += bytes;
    while (pace->count > 0 && pace->marks[pace->first].number <= number) {
        mark = pace->marks[pace->first];
        found = true;
        pace->first = (pace->first + 1) % PACE_MARKS;
        pace->count--;
    }
    if (!found)
        return;
    int64_t took = now_us - mark.sent_us;
    if (took < 1)
        took = 1;
    pace_rtt(pace, took > delay_us ? took - delay_us : 1, now_us);
    int64_t rate = (int64_t)(pace->delivered - mark.delivered) * 1000000 / took;
    rate_seen(pace, rate, mark.app_limited, now_us);
}

size_t pace_window(const struct pace *pace, int64_t now_us)
{
    int64_t rate = pace_rate(pace);
    if (!rate || !pace->base_rtt_us)
        return WINDOW_START;
    bool probing = pace->probe_end_us && now_us < pace->probe_end_us;
    int64_t slack = probing ? 0 : slack_us(pace, now_us);
    double window = (double)rate * (double)(pace->base_rtt_us + slack) / 1e6;
    if (pace->starting)
        window *= 2;
    /* What little was sent at first says nothing about the width. */
    size_t least = pace->starting && !pace->start_rate ? WINDOW_START : WINDOW_MIN;
    if (window < (double)least)
        return least;
    return window > WINDOW_MAX ? WINDOW_MAX : (size_t)window;
}

size_t pace_frame(const struct pace *pace)
{
    int64_t size = pace_rate(pace) * 3 / 2000;
    return size < FRAME_MIN   ? pace_rate(pace) ? FRAME_MIN : 16 * 1024
           : size > FRAME_MAX ? FRAME_MAX
                              : (size_t)size;
}
