/* SPDX-License-Identifier: Apache-2.0 */
/* What does not compress is told from what does, and takes its turn in a first copy without getting
 * out of order. */
#include "sync/pair.h"

#include "sync/dense.h"
#include "sync/packed.h"

static void fill_random(uint8_t *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(seed >> 56);
    }
}

static void text(struct buf *out, size_t size)
{
    struct error err;
    for (unsigned i = 0; out->size < size; i++)
        assert_ok(buf_printf(out, &err, "line %u is %u\n", i, i * 2654435761u), &err);
}

static void random_and_compressed_bytes_are_dense(void **state)
{
    (void)state;
    uint8_t bytes[DENSE_SAMPLE];
    AUTO(buf_dispose) struct buf raw = BUF(1 << 20);
    AUTO(buf_dispose) struct buf packed = BUF(1 << 20);
    fill_random(bytes, sizeof bytes, 1);
    assert_true(dense_bytes((struct bytes){bytes, sizeof bytes}));
    assert_true(dense_bytes((struct bytes){bytes, DENSE_LEAST}));
    text(&raw, 200000);
    assert_true(packed_once(buf_bytes(&raw), 3, &packed));
    assert_true(dense_bytes((struct bytes){packed.data + packed.size / 2, DENSE_SAMPLE}));
}

static void text_and_numbers_are_not(void **state)
{
    (void)state;
    AUTO(buf_dispose) struct buf raw = BUF(1 << 20);
    text(&raw, DENSE_SAMPLE);
    assert_false(dense_bytes((struct bytes){raw.data, DENSE_SAMPLE}));
    float numbers[DENSE_SAMPLE / sizeof(float)];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        numbers[i] = (float)(i * 2654435761u % 1000003) / 1000003.0f - 0.5f;
    assert_false(dense_bytes((struct bytes){(const uint8_t *)numbers, sizeof numbers}));
}

static void too_little_says_nothing(void **state)
{
    (void)state;
    uint8_t bytes[DENSE_LEAST];
    fill_random(bytes, sizeof bytes, 1);
    assert_false(dense_bytes((struct bytes){bytes, sizeof bytes - 1}));
    assert_false(dense_bytes((struct bytes){bytes, 0}));
    assert_false(dense_file(-1, "nothing", 5000));
}

/* --- In a first copy ----------------------------------------------------------------------- */

static void put_bytes(const char *root, const char *path, struct bytes bytes)
{
    AUTO(mem_free) char *full = pair_path(root, path);
    AUTO(fd_close) int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct error err;
    assert_true(fd >= 0);
    assert_ok(fd_write_all(fd, bytes, &err), &err);
}

/* Large and small files of both sorts. */
static void put_mixture(const char *root)
{
    enum { LARGE = 3 << 20, SMALL = 5000, COUNT = 40 };
    AUTO(mem_free) uint8_t *bytes = xmalloc(LARGE);
    AUTO(buf_dispose) struct buf lines = BUF(LARGE + 4096);
    text(&lines, LARGE);
    put_folder(root, "mixed");
    for (unsigned i = 0; i < COUNT; i++) {
        AUTO(mem_free) char *dense = xasprintf("mixed/%u.gz", i);
        AUTO(mem_free) char *plain = xasprintf("mixed/%u.txt", i);
        size_t size = i % 10 ? SMALL + i : LARGE - i;
        fill_random(bytes, size, i);
        put_bytes(root, dense, (struct bytes){bytes, size});
        put_bytes(root, plain, (struct bytes){lines.data + i, size});
    }
}

static void turns(struct pair *pair, unsigned count, size_t limit)
{
    for (unsigned turn = 0; turn < count; turn++) {
        pair->now_us += 10000;
        assert_ok(pair_turn(pair, &pair->laptop, limit, &pair->err), &pair->err);
        assert_ok(pair_turn(pair, &pair->remote, limit, &pair->err), &pair->err);
    }
}

/* Whatever of the mixture is there while something old is left is not all of it, and once nothing
 * old is left everything new is there. */
static void removals_wait_for_files_of_either_sort(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    pair.allow = true;
    assert_int_equal(mkdir(pair.there, 0755), 0);
    put_folder(pair.there, "old");
    put_text(pair.there, "old/file", "old");
    put_mixture(pair.here);
    pair_laptop(&pair);
    pair_connect(&pair);
    for (unsigned turn = 0; turn < 400 && exists(pair.there, "old/file"); turn++)
        turns(&pair, 1, 300000);
    assert_false(exists(pair.there, "old/file"));
    for (unsigned i = 0; i < 40; i++) {
        AUTO(mem_free) char *dense = xasprintf("mixed/%u.gz", i);
        AUTO(mem_free) char *plain = xasprintf("mixed/%u.txt", i);
        assert_true(exists(pair.there, dense));
        assert_true(exists(pair.there, plain));
    }
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void a_copy_that_is_cut_anywhere_goes_on(void **state)
{
    (void)state;
    for (unsigned cut = 1; cut < 60; cut += 9) {
        struct pair pair;
        pair_init(&pair, SYNC_MIRROR);
        put_mixture(pair.here);
        pair_laptop(&pair);
        pair_connect(&pair);
        turns(&pair, cut, 300000);
        pair_cut(&pair, cut % 2);
        pair_connect(&pair);
        assert_true(pair_settle(&pair));
        assert_same_trees(&pair);
        pair_dispose(&pair);
    }
}

static void a_save_in_the_middle_is_not_lost(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_mixture(pair.here);
    pair_laptop(&pair);
    pair_connect(&pair);
    turns(&pair, 12, 300000);
    put_text(pair.here, "mixed/10.gz", "saved meanwhile"); /* a large dense one */
    put_text(pair.here, "mixed/20.txt", "this one, too");
    put_text(pair.here, "mixed/39.gz", "and this");
    assert_true(pair_settle(&pair));
    assert_text(pair.there, "mixed/10.gz", "saved meanwhile");
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void remove_path(const char *root, const char *path)
{
    AUTO(mem_free) char *full = pair_path(root, path);
    assert_int_equal(unlink(full), 0);
}

/* What is sent first is put in order before the other side has answered. */
static void what_changes_before_the_answer_is_not_lost(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_mixture(pair.here);
    pair_laptop(&pair);
    pair_connect(&pair);
    assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &pair.err), &pair.err);
    remove_path(pair.here, "mixed/1.gz");
    remove_path(pair.here, "mixed/10.gz");
    put_text(pair.here, "mixed/20.gz", "small now");
    put_text(pair.here, "mixed/new.gz", "new");
    remove_path(pair.here, "mixed/20.txt");
    put_folder(pair.here, "mixed/20.txt");
    put_text(pair.here, "mixed/20.txt/file", "in the place of a file");
    assert_true(pair_settle(&pair));
    assert_false(exists(pair.there, "mixed/10.gz"));
    assert_text(pair.there, "mixed/20.gz", "small now");
    assert_text(pair.there, "mixed/20.txt/file", "in the place of a file");
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* Nor is what the other side had all the time. */
static void an_order_that_was_made_ahead_yields_to_what_is_there(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, SYNC_TWO_WAY_SAFE);
    assert_int_equal(mkdir(pair.there, 0755), 0);
    put_mixture(pair.there);
    put_mixture(pair.here);
    put_text(pair.there, "mixed/theirs", "only there");
    put_text(pair.here, "mixed/ours", "only here");
    pair_laptop(&pair);
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    assert_text(pair.here, "mixed/theirs", "only there");
    assert_text(pair.there, "mixed/ours", "only here");
    assert_int_equal(pair.laptop.conflicts, 0);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_and_compressed_bytes_are_dense),
        cmocka_unit_test(text_and_numbers_are_not),
        cmocka_unit_test(too_little_says_nothing),
        cmocka_unit_test(removals_wait_for_files_of_either_sort),
        cmocka_unit_test(a_copy_that_is_cut_anywhere_goes_on),
        cmocka_unit_test(a_save_in_the_middle_is_not_lost),
        cmocka_unit_test(what_changes_before_the_answer_is_not_lost),
        cmocka_unit_test(an_order_that_was_made_ahead_yields_to_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
