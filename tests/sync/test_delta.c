/* SPDX-License-Identifier: Apache-2.0 */
/* Large files: what is changed of them is what travels, in both directions and after restarts. */
#include "sync/pair.h"

enum { SIZE = 20 << 20, SOON_US = 30 * 1000 };

static void start(struct pair *pair)
{
    pair_laptop(pair);
    pair_connect(pair);
    assert_true(pair_settle(pair));
}

static void write_random(const char *root, const char *name, size_t size)
{
    struct error err;
    AUTO(mem_free) char *path = pair_path(root, name);
    AUTO(mem_free) uint8_t *bytes = xmalloc(size);
    uint64_t seed = size;
    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(seed >> 56);
    }
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_ok(fd_write_all(fd, (struct bytes){bytes, size}, &err), &err);
}

static void change_bytes(const char *root, const char *name, off_t at, const char *text)
{
    AUTO(mem_free) char *path = pair_path(root, name);
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
}

static void insert_bytes(const char *root, const char *name, size_t at, const char *text)
{
    struct error err;
    AUTO(mem_free) char *path = pair_path(root, name);
    AUTO(buf_dispose) struct buf old = BUF(2 * SIZE);
    assert_ok(file_read(path, &old, &err), &err);
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    struct bytes rest = {old.data + at, old.size - at};
    assert_ok(fd_write_all(fd, (struct bytes){old.data, at}, &err), &err);
    assert_ok(fd_write_all(fd, bytes_of(text), &err), &err);
    assert_ok(fd_write_all(fd, rest, &err), &err);
}

static uint64_t carried(const struct pair *pair)
{
    struct sync_status status;
    sync_status(pair->laptop.sync, &status);
    return status.sent_bytes + status.received_bytes;
}

/* What it takes until both are equal. */
static void assert_travels(struct pair *pair, uint64_t most)
{
    uint64_t before = carried(pair);
    assert_true(pair_settle(pair));
    assert_same_trees(pair);
    if (carried(pair) - before > most)
        fail_msg("%llu bytes travelled", (unsigned long long)(carried(pair) - before));
}

/* Nothing is left to look at for a while: a reading thread at work would be asked for soon. */
static bool rests(struct pair *pair, struct end *end)
{
    int64_t next_us = INT64_MAX;
    assert_ok(sync_step(end->sync, pair->now_us, &next_us, &pair->err), &pair->err);
    return next_us > pair->now_us + SOON_US;
}

/* Turns pass, and the reading thread gets the time that it needs. */
static void wait_for_pieces(struct pair *pair)
{
    unsigned resting = 0;
    for (unsigned i = 0; i < 10000 && resting < 150; i++) {
        usleep(2000);
        pair->now_us += 20000;
        assert_ok(pair_turn(pair, &pair->laptop, SIZE_MAX, &pair->err), &pair->err);
        assert_ok(pair_turn(pair, &pair->remote, SIZE_MAX, &pair->err), &pair->err);
        bool both = rests(pair, &pair->laptop) && rests(pair, &pair->remote);
        resting = both ? resting + 1 : 0;
    }
}

static void a_small_change_of_a_large_file_is_small(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    write_random(pair.here, "big", SIZE);
    start(&pair);
    assert_same_trees(&pair);
    change_bytes(pair.here, "big", SIZE / 2, "hello");
    assert_travels(&pair, 40 * 1024);
    insert_bytes(pair.here, "big", 1000, "inserted");
    assert_travels(&pair, 40 * 1024);
    insert_bytes(pair.here, "big", SIZE, "appended");
    change_bytes(pair.here, "big", 0, "at the beginning");
    assert_travels(&pair, 80 * 1024);
    pair_dispose(&pair);
}

static void so_is_the_first_after_a_start_with_equal_trees(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    assert_int_equal(mkdir(pair.there, 0755), 0);
    write_random(pair.here, "big", SIZE);
    write_random(pair.there, "big", SIZE);
    start(&pair); /* nothing is remembered, and nothing travels */
    assert_true(carried(&pair) < 4096);
    change_bytes(pair.here, "big", SIZE / 2, "hello");
    assert_travels(&pair, 40 * 1024);
    pair_dispose(&pair);
}

static void so_is_one_that_was_made_while_nobody_looked(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    write_random(pair.here, "big", SIZE);
    start(&pair);
    pair_cut(&pair, false);
    sync_free(pair.laptop.sync);
    insert_bytes(pair.here, "big", 5000, "while vma does not run");
    start(&pair);
    assert_travels(&pair, 40 * 1024);
    assert_true(carried(&pair) < 50 * 1024);
    pair_dispose(&pair);
}

static void a_change_there_is_small_on_its_way_here(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_TWO_WAY_SAFE);
    write_random(pair.here, "big", SIZE);
    start(&pair);
    wait_for_pieces(&pair);
    change_bytes(pair.there, "big", SIZE / 2, "from there");
    assert_travels(&pair, 40 * 1024);
    insert_bytes(pair.there, "big", 1000, "and again");
    assert_travels(&pair, 40 * 1024);
    wait_for_pieces(&pair);
    change_bytes(pair.here, "big", SIZE / 3, "and back");
    assert_travels(&pair, 40 * 1024);
    pair_dispose(&pair);
}

/* More than goes at once is told of first, asked for with what is here, and only then sent. */
static void larger_changes_there_are_asked_for_as_what_differs(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_TWO_WAY_SAFE);
    write_random(pair.here, "big", SIZE);
    start(&pair);
    wait_for_pieces(&pair);
    for (off_t at = 0; at < SIZE; at += SIZE / 40)
        change_bytes(pair.there, "big", at + 12345, "spread");
    assert_travels(&pair, SIZE / 8);
    pair_dispose(&pair);
}

/* The other side's file is another than is believed: the change comes whole, and is right. */
static void a_delta_against_a_file_that_has_changed_is_sent_whole(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    write_random(pair.here, "big", SIZE);
    start(&pair);
    change_bytes(pair.there, "big", 77, "meddled");
    change_bytes(pair.here, "big", SIZE / 2, "meant");
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* Whoever looks there sees the old or the new, or both, never neither. */
static void what_replaces_it_is_there_before_the_old_goes(struct pair *pair, const char *old)
{
    for (int turn = 0; turn < 1000 && (exists(pair->there, old) || turn < 60); turn++) {
        pair->now_us += 10000;
        assert_ok(pair_turn(pair, &pair->laptop, SIZE_MAX, &pair->err), &pair->err);
        assert_ok(pair_turn(pair, &pair->remote, 300000, &pair->err), &pair->err);
        assert_true(exists(pair->there, old) || exists(pair->there, "new-model"));
    }
    assert_false(exists(pair->there, old));
    assert_true(pair_settle(pair));
    assert_same_trees(pair);
}

static void a_removal_waits_for_the_large_file_before_it(void **state)
{
    struct pair pair;
    struct error err;
    (void)state;
    pair_init(&pair, SYNC_MIRROR);
    put_folder(pair.here, "old");
    put_text(pair.here, "old/model", "small");
    put_text(pair.here, "other", "stays");
    start(&pair);
    write_random(pair.here, "new-model", SIZE);
    AUTO(mem_free) char *old = pair_path(pair.here, "old");
    assert_ok(tree_remove(old, &err), &err);
    what_replaces_it_is_there_before_the_old_goes(&pair, "old/model");
    assert_false(exists(pair.there, "old"));
    pair_dispose(&pair);
}

static void so_do_those_of_a_first_copy(void **state)
{
    struct pair pair;
    char name[32];
    (void)state;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "old-model", "small");
    start(&pair);
    pair_cut(&pair, false);
    sync_free(pair.laptop.sync);
    AUTO(mem_free) char *old = pair_path(pair.here, "old-model");
    assert_int_equal(unlink(old), 0);
    for (size_t i = 0; i < 1500; i++) { /* more than fits into the line */
        snprintf(name, sizeof name, "many-%zu", i);
        write_random(pair.here, name, 6000 + i);
    }
    pair_laptop(&pair);
    pair_connect(&pair);
    for (int turn = 0; turn < 6; turn++) { /* it has begun */
        pair.now_us += 10000;
        assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &pair.err), &pair.err);
        assert_ok(pair_turn(&pair, &pair.remote, 2000, &pair.err), &pair.err);
    }
    write_random(pair.here, "new-model", SIZE);
    what_replaces_it_is_there_before_the_old_goes(&pair, "old-model");
    pair_dispose(&pair);
}

/* It need not wait for that itself. */
static void what_is_made_anew_meanwhile_goes_at_once(void **state)
{
    struct pair pair;
    struct error err;
    (void)state;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "file", "one");
    put_folder(pair.here, "d");
    put_text(pair.here, "d/file", "two");
    put_text(pair.here, "other", "stays");
    start(&pair);
    write_random(pair.here, "new-model", SIZE);
    AUTO(mem_free) char *file = pair_path(pair.here, "file");
    AUTO(mem_free) char *folder = pair_path(pair.here, "d");
    assert_int_equal(unlink(file), 0);
    assert_ok(tree_remove(folder, &err), &err);
    for (int turn = 0; turn < 40; turn++) {
        if (turn == 15) {
            put_text(pair.here, "file", "again");
            put_text(pair.here, "d", "a file now");
        }
        pair.now_us += 10000;
        assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &err), &err);
        assert_ok(pair_turn(&pair, &pair.remote, 100000, &err), &err);
    }
    assert_false(exists(pair.there, "new-model"));
    assert_text(pair.there, "file", "again");
    assert_text(pair.there, "d", "a file now");
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    assert_int_equal(pair.laptop.notes, 0);
    pair_dispose(&pair);
}

static void some_turns(struct pair *pair, unsigned count)
{
    for (unsigned turn = 0; turn < count; turn++) {
        pair->now_us += 10000;
        assert_ok(pair_turn(pair, &pair->laptop, SIZE_MAX, &pair->err), &pair->err);
        assert_ok(pair_turn(pair, &pair->remote, 10000, &pair->err), &pair->err);
    }
}

/* Only what belongs together waits for a file that takes long. */
static void what_is_removed_later_waits_for_nobody(void **state)
{
    struct pair pair;
    struct error err;
    (void)state;
    pair_init(&pair, SYNC_MIRROR);
    put_folder(pair.here, "old");
    put_text(pair.here, "old/model", "small");
    put_text(pair.here, "old/other", "small");
    put_text(pair.here, "later", "goes");
    put_text(pair.here, "last", "stays");
    start(&pair);
    AUTO(mem_free) char *model = pair_path(pair.here, "old/model");
    AUTO(mem_free) char *old = pair_path(pair.here, "old");
    AUTO(mem_free) char *later = pair_path(pair.here, "later");
    write_random(pair.here, "new-model", SIZE);
    assert_int_equal(unlink(model), 0);
    some_turns(&pair, 20);
    pair.now_us += 3000 * 1000;
    assert_int_equal(unlink(later), 0);
    assert_ok(tree_remove(old, &err), &err);
    some_turns(&pair, 40);
    assert_false(exists(pair.there, "new-model"));
    assert_true(exists(pair.there, "old/model"));
    assert_false(exists(pair.there, "later"));
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    assert_int_equal(pair.laptop.notes, 0);
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_change_of_a_large_file_is_small),
        cmocka_unit_test(so_is_the_first_after_a_start_with_equal_trees),
        cmocka_unit_test(so_is_one_that_was_made_while_nobody_looked),
        cmocka_unit_test(a_change_there_is_small_on_its_way_here),
        cmocka_unit_test(larger_changes_there_are_asked_for_as_what_differs),
        cmocka_unit_test(a_delta_against_a_file_that_has_changed_is_sent_whole),
        cmocka_unit_test(a_removal_waits_for_the_large_file_before_it),
        cmocka_unit_test(so_do_those_of_a_first_copy),
        cmocka_unit_test(what_is_made_anew_meanwhile_goes_at_once),
        cmocka_unit_test(what_is_removed_later_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
