/* SPDX-License-Identifier: Apache-2.0 */
/* The guard against mass deletion where files go one by one, as when somebody removes a whole
 * folder on a slow disk. */
#include "sync/pair.h"

enum { FILES = 60 };

static void name_of(int i, char out[32])
{
    snprintf(out, 32, "d/%02d", i);
}

static enum sync_phase pass(struct pair *pair, int ms)
{
    struct sync_status status;
    for (int passed = 0; passed < ms; passed += 10) {
        pair->now_us += 10000;
        assert_ok(pair_turn(pair, &pair->laptop, SIZE_MAX, &pair->err), &pair->err);
        assert_ok(pair_turn(pair, &pair->remote, SIZE_MAX, &pair->err), &pair->err);
    }
    sync_status(pair->laptop.sync, &status);
    return status.phase;
}

static void start(struct pair *pair, enum sync_mode mode)
{
    char name[32];
    pair_init(pair, mode);
    put_folder(pair->here, "d");
    for (int i = 0; i < FILES; i++) {
        name_of(i, name);
        put_text(pair->here, name, name);
    }
    pair_laptop(pair);
    pair_connect(pair);
    assert_true(pair_settle(pair));
    (void)pass(pair, 2000);
}

static void remove_one(const char *root, int i)
{
    char name[32];
    name_of(i, name);
    AUTO(mem_free) char *path = pair_path(root, name);
    assert_int_equal(unlink(path), 0);
}

static int left(const char *root)
{
    char name[32];
    int count = 0;
    for (int i = 0; i < FILES; i++) {
        name_of(i, name);
        count += exists(root, name);
    }
    return count;
}

static void remove_root(struct pair *pair, const char *root, int ms)
{
    struct error err;
    for (int i = 0; i < FILES; i++) {
        remove_one(root, i);
        (void)pass(pair, ms);
    }
    assert_ok(tree_remove(root, &err), &err);
}

static void a_folder_that_is_removed_file_by_file_is_kept_there(void **state)
{
    struct pair pair;
    start(&pair, SYNC_MIRROR);
    remove_root(&pair, pair.here, 10);
    assert_int_equal(pass(&pair, 3000), SYNC_HALTED);
    assert_in_range(left(pair.there), FILES - 20, FILES);
    pair_dispose(&pair);
}

static void and_half_of_it_however_slowly_that_goes(void **state)
{
    struct pair pair;
    struct sync_status status;
    start(&pair, SYNC_MIRROR);
    remove_root(&pair, pair.here, 400);
    assert_int_equal(pass(&pair, 3000), SYNC_HALTED);
    assert_in_range(left(pair.there), FILES / 2 - 1, FILES);
    assert_int_equal(mkdir(pair.here, 0755), 0);
    assert_int_equal(pass(&pair, 3000), SYNC_HALTED);
    sync_status(pair.laptop.sync, &status);
    assert_int_equal(pair.laptop.guards, 3); /* half of it, the folder, nothing in the new one */
    assert_non_null(strstr(status.guard, "entries would be deleted on the other side"));
    assert_in_range(left(pair.there), FILES / 2 - 1, FILES);
    sync_resume(pair.laptop.sync, true);
    assert_true(pair_settle(&pair));
    assert_int_equal(left(pair.there), 0);
    pair_dispose(&pair);
}

static void the_rest_may_come_back_instead(void **state)
{
    struct pair pair;
    char name[32];
    start(&pair, SYNC_MIRROR);
    for (int i = 0; i < FILES; i++) {
        remove_one(pair.here, i);
        (void)pass(&pair, 400);
    }
    assert_int_equal(pass(&pair, 100), SYNC_HALTED);
    int kept = left(pair.there);
    assert_in_range(kept, FILES / 2 - 1, FILES - 1);
    for (int i = 0; i < FILES; i++) {
        name_of(i, name);
        put_text(pair.here, name, "back");
    }
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void so_it_is_here_when_it_happens_there(void **state)
{
    static const int paces_ms[] = {10, 400};
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        start(&pair, SYNC_TWO_WAY_SAFE);
        remove_root(&pair, pair.there, paces_ms[i]);
        assert_int_equal(pass(&pair, 8000), SYNC_HALTED);
        assert_in_range(left(pair.here), i ? FILES / 2 - 1 : FILES - 20, FILES);
        pair_dispose(&pair);
    }
}

static void moving_everything_one_by_one_is_no_loss(void **state)
{
    struct pair pair;
    char name[32];
    start(&pair, SYNC_MIRROR);
    put_folder(pair.here, "e");
    for (int i = 0; i < FILES; i++) {
        name_of(i, name);
        AUTO(mem_free) char *from = pair_path(pair.here, name);
        name[0] = 'e';
        AUTO(mem_free) char *to = pair_path(pair.here, name);
        assert_int_equal(rename(from, to), 0);
        (void)pass(&pair, i % 2 ? 400 : 10);
    }
    assert_int_equal(pass(&pair, 1000), SYNC_IN_SYNC);
    assert_int_equal(pair.laptop.guards, 0);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void nor_is_tidying_up_now_and_then(void **state)
{
    struct pair pair;
    start(&pair, SYNC_MIRROR);
    for (int i = 0; i < 40; i++) {
        remove_one(pair.here, i);
        (void)pass(&pair, i % 10 == 9 ? 11000 : 50);
    }
    assert_int_equal(pass(&pair, 1000), SYNC_IN_SYNC);
    assert_int_equal(pair.laptop.guards, 0);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* As programs do with files for the moment: what is really removed is not kept waiting for ever. */
static void files_that_come_and_go_hold_nothing_up(void **state)
{
    struct pair pair;
    start(&pair, SYNC_MIRROR);
    for (int i = 0; i < 20; i++)
        remove_one(pair.here, i);
    for (int i = 0; i < 150; i++) {
        put_text(pair.here, "moment", "x");
        (void)pass(&pair, 50);
        AUTO(mem_free) char *path = pair_path(pair.here, "moment");
        assert_int_equal(unlink(path), 0);
        (void)pass(&pair, 50);
    }
    assert_int_equal(left(pair.there), FILES - 20);
    assert_int_equal(pair.laptop.guards, 0);
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_that_is_removed_file_by_file_is_kept_there),
        cmocka_unit_test(and_half_of_it_however_slowly_that_goes),
        cmocka_unit_test(the_rest_may_come_back_instead),
        cmocka_unit_test(so_it_is_here_when_it_happens_there),
        cmocka_unit_test(moving_everything_one_by_one_is_no_loss),
        cmocka_unit_test(nor_is_tidying_up_now_and_then),
        cmocka_unit_test(files_that_come_and_go_hold_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
