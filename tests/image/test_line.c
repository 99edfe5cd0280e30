/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in when there are too many, on a clock that is only a number. */
#include "support/test.h"

#include <stdlib.h>

#include "image/line_internal.h"

enum { CLIENTS = 64, QUEUE = 16, STREAMS = 2, WARM_MS = 4000, SECONDS = 20 };

/* One who asks again as soon as he has his picture, or, sent away, when he was told to: or much
 * sooner, if he does not care. */
struct guest {
    struct ticket ticket;
    bool careless, connects_again;
    enum { AWAY, WAITS, INSIDE } where;
    int64_t next_ms; /* when he comes, or has his picture */
    int served, refused;
};

struct house {
    struct line line;
    struct guest guests[CLIENTS];
    int picture_ms, longest_s;
    uint64_t connections, lots;
};

static int lot(struct house *house, int below)
{
    house->lots = house->lots * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (int)((house->lots >> 33) % (uint64_t)below);
}

static void guest_leaves(struct house *house, struct guest *guest, int64_t now_ms)
{
    int told_s = guest->ticket.retry_after_s;
    guest->refused++;
    guest->where = AWAY;
    guest->next_ms = now_ms + (guest->careless ? 2 : told_s * 1000) + 1 + lot(house, 5);
    assert_in_range(told_s, 1, 60);
    house->longest_s = told_s > house->longest_s ? told_s : house->longest_s;
}

static void guest_enters(struct house *house, struct guest *guest, int64_t now_ms)
{
    struct ticket *displaced;
    if (guest->connects_again) {
        shares_gone(house->line.shares, guest->ticket.client);
        guest->ticket.client.connection = ++house->connections;
    }
    switch (line_enter(&house->line, &guest->ticket, now_ms * 1000000, &displaced)) {
    case LINE_FULL:
        guest_leaves(house, guest, now_ms);
        return;
    case LINE_INSIDE:
    case LINE_WAITS:
        guest->where = WAITS;
    }
    if (displaced)
        guest_leaves(house, (struct guest *)displaced, now_ms);
}

static void step(struct house *house, int64_t now_ms)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct guest *guest = &house->guests[i];
        if (guest->where == INSIDE && guest->next_ms <= now_ms) {
            line_leave(&house->line, &guest->ticket, now_ms * 1000000);
            line_admit(&house->line, now_ms * 1000000);
            guest->served++;
            guest->where = AWAY;
            guest->next_ms = now_ms + 1 + lot(house, 3);
        } else if (guest->where == AWAY && guest->next_ms <= now_ms) {
            guest_enters(house, guest, now_ms);
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct guest *guest = &house->guests[i];
        if (guest->where == WAITS && guest->ticket.inside) {
            guest->where = INSIDE;
            guest->next_ms = now_ms + house->picture_ms * 3 / 4 + lot(house, house->picture_ms / 2);
        }
    }
}

static void run(struct house *house)
{
    for (int64_t now_ms = 1; now_ms < WARM_MS + SECONDS * 1000; now_ms++) {
        for (int i = 0; i < CLIENTS && now_ms == WARM_MS; i++)
            house->guests[i].served = house->guests[i].refused = 0;
        step(house, now_ms);
    }
}

static int set_up(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    line_init(&house->line, &(struct scheduler_settings){.streams = STREAMS, .queue = QUEUE});
    house->picture_ms = 20;
    for (int i = 0; i < CLIENTS; i++) {
        house->guests[i].next_ms = 1 + i % 8;
        house->guests[i].ticket.client = (struct image_client){1, ++house->connections};
    }
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    line_dispose(&house->line);
    free(house);
    return 0;
}

/* The fewest and the most pictures of those who care, and the most of the others. */
static void count(const struct house *house, int *out_least, int *out_most, int *out_careless)
{
    *out_least = 1 << 30;
    *out_most = *out_careless = 0;
    for (int i = 0; i < CLIENTS; i++) {
        const struct guest *guest = &house->guests[i];
        if (guest->careless || guest->connects_again) {
            *out_careless = guest->served > *out_careless ? guest->served : *out_careless;
            continue;
        }
        *out_least = guest->served < *out_least ? guest->served : *out_least;
        *out_most = guest->served > *out_most ? guest->served : *out_most;
    }
    if (getenv("SHOW_SHARES"))
        print_message("%d to %d, careless %d\n", *out_least, *out_most, *out_careless);
}

static void assert_busy(const struct house *house)
{
    int served = 0;
    for (int i = 0; i < CLIENTS; i++)
        served += house->guests[i].served;
    assert_true(served > SECONDS * 1000 * STREAMS / house->picture_ms * 9 / 10);
}

static void everybody_has_about_the_same(void **state)
{
    struct house *house = *state;
    int least, most, careless;
    run(house);
    count(house, &least, &most, &careless);
    assert_true(most <= least * 3 / 2);
    assert_busy(house);
}

static void every_address_has_about_the_same(void **state)
{
    struct house *house = *state;
    int least, most, careless;
    for (int i = 0; i < CLIENTS; i++)
        house->guests[i].ticket.client.address = (uint64_t)(i + 1);
    run(house);
    count(house, &least, &most, &careless);
    assert_true(most <= least * 3 / 2);
    assert_busy(house);
}

static void who_does_not_wait_as_told_has_no_more(void **state)
{
    struct house *house = *state;
    int least, most, careless;
    for (int i = 0; i < CLIENTS; i += 8)
        house->guests[i].careless = true;
    run(house);
    count(house, &least, &most, &careless);
    assert_true(most <= least * 2);
    assert_true(careless <= most);
    assert_busy(house);
}

static void who_connects_again_each_time_has_no_more(void **state)
{
    struct house *house = *state;
    int least, most, careless;
    for (int i = 0; i < CLIENTS; i += 8)
        house->guests[i].careless = house->guests[i].connects_again = true;
    run(house);
    count(house, &least, &most, &careless);
    assert_true(most <= least * 2);
    assert_true(careless <= most);
}

static void an_address_with_many_connections_takes_nothing_from_others(void **state)
{
    struct house *house = *state;
    int least, most, greedy = 0;
    for (int i = 0; i < CLIENTS; i++) {
        house->guests[i].careless = i >= 16;
        house->guests[i].ticket.client.address = i < 16 ? (uint64_t)(i + 2) : 1;
    }
    run(house);
    count(house, &least, &most, &(int){0});
    for (int i = 16; i < CLIENTS; i++)
        greedy += house->guests[i].served;
    assert_true(most <= least * 3 / 2);
    assert_true(greedy <= 2 * most);
    assert_busy(house);
}

static void the_slower_it_is_the_later_they_are_told_to_come(void **state)
{
    struct house *house = *state;
    int least, most, careless;
    house->picture_ms = 1000;
    run(house);
    assert_in_range(house->longest_s, 20, 35); /* 64 pictures, two at once, a second each */
    count(house, &least, &most, &careless);
    assert_busy(house);
}

static void when_nobody_waits_everybody_is_let_in(void **state)
{
    struct house *house = *state;
    struct ticket *displaced;
    struct guest *guest = &house->guests[0];
    for (int i = 0; i < 50; i++) {
        int64_t now_ns = (int64_t)i * 20 * 1000000;
        assert_int_equal(line_enter(&house->line, &guest->ticket, now_ns, &displaced), LINE_INSIDE);
        line_leave(&house->line, &guest->ticket, now_ns + 19 * 1000000);
    }
    assert_int_equal(line_retry_after_s(&house->line, 0), 1);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(everybody_has_about_the_same),
        HERE(every_address_has_about_the_same),
        HERE(who_does_not_wait_as_told_has_no_more),
        HERE(who_connects_again_each_time_has_no_more),
        HERE(an_address_with_many_connections_takes_nothing_from_others),
        HERE(the_slower_it_is_the_later_they_are_told_to_come),
        HERE(when_nobody_waits_everybody_is_let_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
