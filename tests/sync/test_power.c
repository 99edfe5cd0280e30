/* SPDX-License-Identifier: Apache-2.0 */
/* A power cut takes the last of what was remembered with it. What only one side has then is never
 * deleted nor replaced, however alike it is to what both had before. */
#include "sync/pair.h"

static const char *const names[] = {"snapshot", "journal", "open"};
enum { NAMES = 3 };

/* What had reached the disk. */
struct disk {
    struct buf files[NAMES];
};

static void start(struct pair *pair, enum sync_mode mode, struct disk *disk)
{
    struct error err;
    pair_init(pair, mode);
    put_text(pair->here, "f", "one");
    put_text(pair->here, "calm", "calm");
    put_folder(pair->here, "d");
    put_text(pair->here, "d/g", "three");
    pair_laptop(pair);
    pair_connect(pair);
    assert_true(pair_settle(pair));
    pair_cut(pair, false);
    sync_free(pair->laptop.sync);
    assert_false(exists(pair->here_state, "open")); /* all is on the disk */
    pair_laptop(pair);
    pair_connect(pair);
    put_text(pair->here, "other", "first");
    assert_true(pair_settle(pair));
    for (int i = 0; i < NAMES; i++) {
        AUTO(mem_free) char *path = pair_path(pair->here_state, names[i]);
        disk->files[i] = BUF(1 << 20);
        assert_ok(file_read(path, &disk->files[i], &err), &err);
    }
}

static void stop(struct pair *pair)
{
    sync_kill(pair->laptop.sync);
    pair->laptop.sync = NULL;
    pair_cut(pair, false);
}

static void lose_power(struct pair *pair, struct disk *disk)
{
    struct error err;
    stop(pair);
    for (int i = 0; i < NAMES; i++) {
        bool mark = strcmp(names[i], "open") == 0;
        AUTO(mem_free) char *path = pair_path(pair->here_state, names[i]);
        AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        struct bytes bytes = mark ? bytes_of("another run") : buf_bytes(&disk->files[i]);
        assert_ok(fd >= 0 && fd_write_all(fd, bytes, &err), &err);
        buf_dispose(&disk->files[i]);
    }
}

static void meet_again(struct pair *pair)
{
    pair_connect(pair);
    assert_true(pair_settle(pair));
}

static void go_on(struct pair *pair)
{
    pair_laptop(pair);
    meet_again(pair);
}

static void make_anew(const struct pair *pair, bool here)
{
    const char *root = here ? pair->here : pair->there;
    put_text(root, "f", "one");
    put_folder(root, "d");
    put_text(root, "d/g", "three");
}

static void remove_both(struct pair *pair)
{
    struct error err;
    AUTO(mem_free) char *file = pair_path(pair->here, "f");
    AUTO(mem_free) char *folder = pair_path(pair->here, "d");
    assert_int_equal(unlink(file), 0);
    assert_ok(tree_remove(folder, &err), &err);
    assert_true(pair_settle(pair));
    assert_false(exists(pair->there, "f"));
    assert_false(exists(pair->there, "d"));
}

/* Before the power went, or after; and the first start after it may be killed as well. */
static void deleted_by_both_and_made_anew(enum sync_mode mode, bool here, bool before, bool twice)
{
    struct pair pair;
    struct disk disk;
    start(&pair, mode, &disk);
    remove_both(&pair);
    if (before)
        make_anew(&pair, here);
    lose_power(&pair, &disk);
    if (!before)
        make_anew(&pair, here);
    if (twice) {
        int64_t next;
        pair_laptop(&pair);
        assert_ok(sync_step(pair.laptop.sync, pair.now_us, &next, &pair.err), &pair.err);
        sync_free(pair.laptop.sync);
        pair.laptop.sync = NULL;
    }
    go_on(&pair);
    assert_text(pair.here, "f", "one");
    assert_text(pair.here, "d/g", "three");
    assert_same_trees(&pair);
    assert_int_equal(pair.laptop.conflicts, 0);
    pair_dispose(&pair);
}

static void what_both_deleted_and_one_made_anew_alike_stays(void **state)
{
    (void)state;
    for (int bits = 0; bits < 8; bits++) {
        deleted_by_both_and_made_anew(SYNC_TWO_WAY_SAFE, bits & 1, bits & 2, bits & 4);
        deleted_by_both_and_made_anew(SYNC_TWO_WAY_RESOLVED, bits & 1, bits & 2, bits & 4);
    }
}

static void changed_and_changed_back(enum sync_mode mode, bool here)
{
    struct pair pair;
    struct disk disk;
    start(&pair, mode, &disk);
    put_text(pair.here, "f", "two");
    assert_true(pair_settle(&pair));
    assert_text(pair.there, "f", "two");
    lose_power(&pair, &disk);
    put_text(here ? pair.here : pair.there, "f", "one");
    go_on(&pair);
    assert_text(here ? pair.here : pair.there, "f", "one");
    assert_int_equal(pair.laptop.conflicts, mode == SYNC_TWO_WAY_RESOLVED ? 0 : 1);
    pair_dispose(&pair);
}

static void what_one_changed_back_is_not_replaced(void **state)
{
    (void)state;
    changed_and_changed_back(SYNC_TWO_WAY_SAFE, true);
    changed_and_changed_back(SYNC_TWO_WAY_SAFE, false);
    changed_and_changed_back(SYNC_TWO_WAY_RESOLVED, true);
    changed_and_changed_back(SYNC_ONE_WAY_SAFE, false);
}

/* What nobody touched here since is as certain as ever. */
static void and_the_rest_goes_on_as_before(void **state)
{
    struct pair pair;
    struct disk disk;
    (void)state;
    start(&pair, SYNC_TWO_WAY_SAFE, &disk);
    AUTO(mem_free) char *file = pair_path(pair.there, "calm");
    AUTO(mem_free) char *other = pair_path(pair.there, "d/g");
    lose_power(&pair, &disk);
    put_text(pair.there, "calm", "changed there");
    assert_int_equal(unlink(other), 0);
    go_on(&pair);
    assert_text(pair.here, "calm", "changed there");
    assert_false(exists(pair.here, "d/g"));
    assert_int_equal(pair.laptop.conflicts, 0);
    put_text(pair.here, "f", "by hand"); /* and it is over: what follows is no riddle */
    assert_true(pair_settle(&pair));
    pair.now_us += 200 * 1000 * 1000; /* time enough to write it all down */
    assert_true(pair_settle(&pair));
    stop(&pair);
    assert_int_equal(unlink(file), 0);
    put_text(pair.here, "f", "at night");
    go_on(&pair);
    assert_false(exists(pair.here, "calm"));
    assert_text(pair.there, "f", "at night");
    assert_int_equal(pair.laptop.conflicts, 0);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* A run that ended well leaves no doubt, whatever becomes of the machine then. */
static void an_orderly_end_leaves_no_doubt(void **state)
{
    struct pair pair;
    struct disk disk;
    (void)state;
    start(&pair, SYNC_TWO_WAY_SAFE, &disk);
    for (int i = 0; i < NAMES; i++)
        buf_dispose(&disk.files[i]);
    pair_cut(&pair, false);
    sync_free(pair.laptop.sync);
    assert_false(exists(pair.here_state, "open"));
    AUTO(mem_free) char *file = pair_path(pair.here, "calm");
    assert_int_equal(unlink(file), 0);
    put_text(pair.here, "f", "at night");
    go_on(&pair);
    assert_false(exists(pair.there, "calm"));
    assert_text(pair.there, "f", "at night");
    assert_int_equal(pair.laptop.conflicts, 0);
    pair_dispose(&pair);
}

/* The program is killed, the machine goes on: what both agreed on without a word is known all the
 * same, and what one of them makes anew is new. */
static void what_both_deleted_is_known_after_a_kill(void **state)
{
    for (int here = 0; here < 2; here++) {
        struct pair pair;
        struct disk disk;
        (void)state;
        start(&pair, SYNC_TWO_WAY_SAFE, &disk);
        pair_cut(&pair, false);
        AUTO(mem_free) char *file = pair_path(pair.here, "f");
        AUTO(mem_free) char *other = pair_path(pair.there, "f");
        assert_int_equal(unlink(file), 0);
        assert_int_equal(unlink(other), 0);
        meet_again(&pair);
        stop(&pair);
        put_text(here ? pair.here : pair.there, "f", "one");
        go_on(&pair);
        assert_text(pair.here, "f", "one");
        assert_text(pair.there, "f", "one");
        pair_dispose(&pair);
        for (int i = 0; i < NAMES; i++)
            buf_dispose(&disk.files[i]);
    }
}

/* The state was written, but nothing can be added to it from then on. */
static void without_a_journal_there_is_doubt(void **state)
{
    struct pair pair;
    struct disk disk;
    (void)state;
    start(&pair, SYNC_TWO_WAY_SAFE, &disk);
    for (int i = 0; i < NAMES; i++)
        buf_dispose(&disk.files[i]);
    AUTO(mem_free) char *journal = pair_path(pair.here_state, "journal");
    assert_int_equal(unlink(journal), 0);
    assert_int_equal(symlink("nowhere/journal", journal), 0);
    put_text(pair.here, "other", "second");
    assert_true(pair_settle(&pair));
    pair.now_us += 200 * 1000 * 1000; /* the state is written */
    assert_true(pair_settle(&pair));
    remove_both(&pair);
    stop(&pair);
    make_anew(&pair, true);
    go_on(&pair);
    assert_text(pair.here, "f", "one");
    assert_text(pair.here, "d/g", "three");
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_both_deleted_and_one_made_anew_alike_stays),
        cmocka_unit_test(what_one_changed_back_is_not_replaced),
        cmocka_unit_test(and_the_rest_goes_on_as_before),
        cmocka_unit_test(an_orderly_end_leaves_no_doubt),
        cmocka_unit_test(what_both_deleted_is_known_after_a_kill),
        cmocka_unit_test(without_a_journal_there_is_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
