/* SPDX-License-Identifier: Apache-2.0 */
#include "image/line_internal.h"

#include <math.h>

#include "image/shares.h"

enum {
    DEFAULT_QUEUE = 16,
    MOST_S = 60,
    EARLY_MS = 20, /* clocks differ */
};

void line_init(struct line *line, const struct scheduler_settings *settings)
{
    *line = (struct line){.settings = *settings, .shares = shares_new()};
    if (line->settings.streams < 1)
        line->settings.streams = 1;
    if (line->settings.queue < 1)
        line->settings.queue = DEFAULT_QUEUE;
}

void line_dispose(struct line *line)
{
    shares_free(line->shares);
}

static void insert(struct line *line, struct ticket *ticket)
{
    struct ticket **at = &line->waiting;
    while (*at && (*at)->priority <= ticket->priority)
        at = &(*at)->next;
    ticket->next = *at;
    *at = ticket;
    line->queued++;
}

bool line_remove(struct line *line, struct ticket *ticket)
{
    for (struct ticket **at = &line->waiting; *at; at = &(*at)->next)
        if (*at == ticket) {
            *at = ticket->next;
            line->queued--;
            return true;
        }
    return false;
}

static bool has_memory(const struct line *line, const struct ticket *ticket)
{
    size_t limit = line->settings.memory_bytes;
    return limit == 0 ||
           (line->memory_inside <= limit && ticket->memory_bytes <= limit - line->memory_inside);
}

static bool has_room(const struct line *line, const struct ticket *ticket)
{
    if (line->inside == 0)
        return true;
    if (line->someone_alone || ticket->alone || line->inside >= line->settings.streams)
        return false;
    return has_memory(line, ticket);
}

static void let_in(struct line *line, struct ticket *ticket, int64_t now_ns)
{
    ticket->inside = true;
    ticket->entered_ns = now_ns;
    line->inside++;
    line->memory_inside += ticket->memory_bytes;
    line->someone_alone |= ticket->alone;
}

/* The head of the queue waits for room even when a smaller one behind it would fit: otherwise a
 * large picture could wait for ever. */
struct ticket *line_admit(struct line *line, int64_t now_ns)
{
    struct ticket *first = NULL, **last = &first;
    while (line->waiting && has_room(line, line->waiting)) {
        struct ticket *ticket = line->waiting;
        line_remove(line, ticket);
        let_in(line, ticket, now_ns);
        ticket->next = NULL;
        *last = ticket;
        last = &ticket->next;
    }
    return first;
}

int line_retry_after_s(const struct line *line, int64_t now_ms)
{
    int pictures = line->inside + line->along + line->queued;
    double each_s = line->mean_s / line->settings.streams;
    double wait_s = each_s * (pictures + shares_expected(line->shares, now_ms));
    return wait_s < 1 ? 1 : (wait_s > MOST_S ? MOST_S : (int)ceil(wait_s));
}

/* Whoever is sent away counts among those that are expected from then on. */
static void send_away(struct line *line, struct ticket *ticket, int64_t now_ms)
{
    line->refused++;
    ticket->retry_after_s = line_retry_after_s(line, now_ms);
    shares_told(line->shares, ticket->client, now_ms + ticket->retry_after_s * 1000 - EARLY_MS,
                now_ms);
}

/* By how much `a` had more than `b`. Of one address: its connections are compared. */
static double more_s(const struct ticket *a, struct share a_had, const struct ticket *b,
                     struct share b_had)
{
    if (a->client.address != b->client.address)
        return a_had.address_s - b_had.address_s;
    return a_had.client_s - b_had.client_s;
}

/* Of those who wait and are not more urgent, and who had more than who comes by a picture at least:
 * less is chance. Of several the one that came last. NULL: none did. */
static struct ticket *who_had_most(struct line *line, const struct ticket *newcomer, int64_t now_ms)
{
    struct share had = shares_of(line->shares, newcomer->client, now_ms), most_had = had;
    struct ticket *most = NULL;
    for (struct ticket *at = line->waiting; at; at = at->next) {
        struct share at_had = shares_of(line->shares, at->client, now_ms);
        bool enough = more_s(at, at_had, newcomer, had) > line->mean_s;
        if (at->priority < newcomer->priority || !enough ||
            (most && more_s(at, at_had, most, most_had) < 0))
            continue;
        most = at;
        most_had = at_had;
    }
    return most;
}

enum line_answer line_enter(struct line *line, struct ticket *ticket, int64_t now_ns,
                            struct ticket **out_displaced)
{
    int64_t now_ms = now_ns / 1000000;
    ticket->number = ++line->numbers;
    ticket->inside = ticket->displaced = ticket->taken_along = false;
    *out_displaced = NULL;
    bool goes_in = !line->waiting && has_room(line, ticket);
    bool full = !goes_in && line->queued >= line->settings.queue;
    int64_t early_ms = goes_in ? 0 : shares_early_ms(line->shares, ticket->client, now_ms);
    if (early_ms) {
        line->refused++;
        ticket->retry_after_s = (int)((early_ms + EARLY_MS + 999) / 1000);
        return LINE_FULL;
    }
    shares_told(line->shares, ticket->client, 0, now_ms);
    if (goes_in) {
        let_in(line, ticket, now_ns);
        return LINE_INSIDE;
    }
    if (full) {
        struct ticket *loser = who_had_most(line, ticket, now_ms);
        send_away(line, loser ? loser : ticket, now_ms);
        if (!loser)
            return LINE_FULL;
        line_remove(line, loser);
        loser->displaced = true;
        *out_displaced = loser;
    }
    insert(line, ticket);
    return LINE_WAITS;
}

bool line_take_along(struct line *line, struct ticket *host, struct ticket *rider)
{
    if (!host->inside || !has_memory(line, rider) || !line_remove(line, rider))
        return false;
    rider->taken_along = true;
    host->riders++;
    host->riders_bytes += rider->memory_bytes;
    line->along++;
    line->memory_inside += rider->memory_bytes;
    return true;
}

void line_leave(struct line *line, struct ticket *ticket, int64_t now_ns)
{
    int pictures = 1 + ticket->riders;
    double stay_s = (double)(now_ns - ticket->entered_ns) / 1e9, each_s = stay_s / pictures;
    line->mean_s = line->served ? line->mean_s * 0.9 + each_s * 0.1 : each_s;
    line->busy_s += stay_s;
    line->served += (uint64_t)pictures;
    line->inside--;
    line->along -= ticket->riders;
    line->memory_inside -= ticket->memory_bytes + ticket->riders_bytes;
    if (ticket->alone)
        line->someone_alone = false;
    ticket->inside = false;
    ticket->riders = 0;
    ticket->riders_bytes = 0;
    shares_charge(line->shares, ticket->client, stay_s, now_ns / 1000000);
}
