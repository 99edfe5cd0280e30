/* SPDX-License-Identifier: Apache-2.0 */
/* Folders that vanish, or in which nothing can be made: told once, nothing is lost, nothing is
 * tried for ever, and all goes on when they are back. */
#include "sync/pair.h"

static void start(struct pair *pair, void *const *state)
{
    pair_init(pair, *(const enum sync_mode *)*state);
    put_text(pair->here, "a", "one");
    put_folder(pair->here, "d");
    put_text(pair->here, "d/b", "two");
    pair_laptop(pair);
    pair_connect(pair);
    assert_true(pair_settle(pair));
}

static void move(const struct pair *pair, const char *from, const char *to)
{
    AUTO(mem_free) char *old = xasprintf("%s/%s", pair->top, from);
    AUTO(mem_free) char *new = xasprintf("%s/%s", pair->top, to);
    assert_int_equal(rename(old, new), 0);
}

static enum sync_phase phase_after(struct pair *pair, int seconds)
{
    struct sync_status status;
    for (int turn = 0; turn < seconds * 100; turn++) {
        pair->now_us += 10000;
        assert_ok(pair_turn(pair, &pair->laptop, SIZE_MAX, &pair->err), &pair->err);
        assert_ok(pair_turn(pair, &pair->remote, SIZE_MAX, &pair->err), &pair->err);
    }
    sync_status(pair->laptop.sync, &status);
    return status.phase;
}

static void a_folder_that_is_gone_here_deletes_nothing_there(void **state)
{
    struct pair pair;
    start(&pair, state);
    move(&pair, "here", "aside");
    assert_int_equal(phase_after(&pair, 10), SYNC_HALTED);
    assert_int_equal(pair.laptop.guards, 1);
    assert_text(pair.there, "d/b", "two");
    move(&pair, "aside", "here");
    put_text(pair.here, "c", "three");
    assert_int_equal(phase_after(&pair, 3), SYNC_IN_SYNC);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void so_does_one_that_is_removed_while_it_is_open(void **state)
{
    struct pair pair;
    struct error err;
    start(&pair, state);
    assert_ok(tree_remove(pair.here, &err), &err);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_text(pair.there, "d/b", "two");
    assert_int_equal(mkdir(pair.here, 0755), 0);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_text(pair.there, "d/b", "two");
    put_text(pair.here, "a", "one");
    put_folder(pair.here, "d");
    put_text(pair.here, "d/b", "new");
    assert_int_equal(phase_after(&pair, 3), SYNC_IN_SYNC);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* Even of one file only: an empty folder in the place of the old one is a disk that is missing. */
static void an_empty_folder_in_its_place_is_not_a_removal(void **state)
{
    struct pair pair;
    pair_init(&pair, *(const enum sync_mode *)*state);
    put_text(pair.here, "a", "one");
    pair_laptop(&pair);
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    move(&pair, "here", "aside");
    assert_int_equal(mkdir(pair.here, 0755), 0);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_text(pair.there, "a", "one");
    sync_resume(pair.laptop.sync, true);
    assert_true(pair_settle(&pair));
    assert_false(exists(pair.there, "a"));
    pair_dispose(&pair);
}

static void a_folder_that_is_gone_there_is_told_once_and_looked_for(void **state)
{
    struct pair pair;
    start(&pair, state);
    move(&pair, "there", "aside");
    put_text(pair.here, "c", "three");
    assert_int_equal(phase_after(&pair, 12), SYNC_HALTED);
    assert_int_equal(pair.laptop.guards, 1);
    assert_int_equal(access(pair.there, F_OK), -1);
    move(&pair, "aside", "there");
    assert_int_equal(phase_after(&pair, 6), SYNC_IN_SYNC);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void and_is_made_anew_when_that_is_asked_for(void **state)
{
    struct pair pair;
    struct error err;
    start(&pair, state);
    assert_ok(tree_remove(pair.there, &err), &err);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    sync_resume(pair.laptop.sync, false);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_int_equal(access(pair.there, F_OK), -1);
    sync_resume(pair.laptop.sync, true);
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* What is remembered says so, whatever else is left of it. */
static void a_restart_does_not_make_it_anew_either(void **state)
{
    struct pair pair;
    struct error err;
    start(&pair, state);
    assert_ok(tree_remove(pair.there, &err), &err); /* file by file */
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    for (int killed = 0; killed < 2; killed++) {
        if (killed)
            sync_kill(pair.laptop.sync);
        else
            sync_free(pair.laptop.sync);
        pair.laptop.sync = NULL;
        pair_cut(&pair, killed);
        pair_laptop(&pair);
        pair_connect(&pair);
        assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
        assert_int_equal(access(pair.there, F_OK), -1);
    }
    assert_text(pair.here, "d/b", "two");
    pair_dispose(&pair);
}

/* An empty one is as good as none where something was, and as good as any where nothing was. */
static void a_folder_that_was_emptied_by_its_owner_is_no_riddle(void **state)
{
    struct pair pair;
    struct error err;
    start(&pair, state);
    AUTO(mem_free) char *file = pair_path(pair.here, "a");
    AUTO(mem_free) char *folder = pair_path(pair.here, "d");
    assert_int_equal(unlink(file), 0);
    assert_true(pair_settle(&pair));
    assert_ok(tree_remove(folder, &err), &err);
    assert_true(pair_settle(&pair));
    assert_false(exists(pair.there, "d"));
    pair_cut(&pair, false);
    pair_connect(&pair);
    assert_int_equal(phase_after(&pair, 3), SYNC_IN_SYNC);
    pair_cut(&pair, false);
    assert_int_equal(rmdir(pair.there), 0);
    pair_connect(&pair);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_int_equal(access(pair.there, F_OK), -1);
    assert_int_equal(mkdir(pair.there, 0755), 0);
    put_text(pair.here, "c", "three");
    assert_int_equal(phase_after(&pair, 6), SYNC_IN_SYNC);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void a_first_copy_of_which_nothing_arrived_is_simply_made_again(void **state)
{
    for (int killed = 0; killed < 2; killed++) {
        struct pair pair;
        pair_init(&pair, *(const enum sync_mode *)*state);
        put_text(pair.here, "a", "one");
        pair_laptop(&pair);
        pair_connect(&pair);
        for (int turn = 0; turn < 20; turn++) { /* the agent gets the hello only */
            pair.now_us += 10000;
            assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &pair.err), &pair.err);
            if (!sync_is_live(pair.laptop.sync))
                assert_ok(pair_turn(&pair, &pair.remote, SIZE_MAX, &pair.err), &pair.err);
        }
        assert_true(pair.remote.in[LANE_FAST].size + pair.remote.in[LANE_BULK].size > 0);
        if (killed)
            sync_kill(pair.laptop.sync);
        else
            sync_free(pair.laptop.sync);
        pair.laptop.sync = NULL;
        pair_cut(&pair, true);
        if (killed)
            assert_int_equal(rmdir(pair.there), 0);
        pair_laptop(&pair);
        pair_connect(&pair);
        assert_true(pair_settle(&pair));
        assert_int_equal(pair.laptop.guards, 0);
        assert_same_trees(&pair);
        pair_dispose(&pair);
    }
}

/* That somebody chose a side means that there were two. */
static void a_folder_where_a_conflict_was_settled_is_not_made_anew_unasked(void **state)
{
    struct pair pair;
    struct error err;
    pair_init(&pair, *(const enum sync_mode *)*state);
    if (!sync_mode_two_way(pair.mode)) {
        pair_dispose(&pair);
        return;
    }
    assert_int_equal(mkdir(pair.there, 0755), 0);
    put_text(pair.here, "a", "one");
    put_text(pair.there, "a", "two");
    pair_laptop(&pair);
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    assert_int_equal(pair.laptop.conflicts, 1);
    sync_pause(pair.laptop.sync);
    assert_ok(sync_resolve(pair.laptop.sync, "a", KEEP_LOCAL, &err), &err);
    pair_cut(&pair, false);
    assert_ok(tree_remove(pair.there, &err), &err);
    pair_connect(&pair);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_int_equal(access(pair.there, F_OK), -1);
    pair_dispose(&pair);
}

static const char *guard_of(struct pair *pair)
{
    static struct sync_status status;
    sync_status(pair->laptop.sync, &status);
    return status.guard;
}

static void what_is_wrong_with_a_folder_is_told_as_it_is(void **state)
{
    struct pair pair;
    start(&pair, state);
    move(&pair, "there", "aside");
    put_text(pair.top, "there", "a file");
    put_text(pair.here, "c", "three");
    assert_int_equal(phase_after(&pair, 12), SYNC_HALTED);
    assert_non_null(strstr(guard_of(&pair), "there: Not a directory: it is looked at again"));
    assert_int_equal(unlink(pair.there), 0);
    move(&pair, "aside", "there");
    assert_int_equal(phase_after(&pair, 6), SYNC_IN_SYNC);
    move(&pair, "there", "old");
    put_folder(pair.top, "there");
    put_text(pair.there, "other", "of another folder");
    assert_int_equal(phase_after(&pair, 1), SYNC_HALTED);
    assert_non_null(strstr(guard_of(&pair), "there on the other side: it was replaced by another"));
    if (pair.mode == SYNC_TWO_WAY_SAFE) { /* however few they are */
        assert_int_equal(phase_after(&pair, 6), SYNC_HALTED);
        assert_non_null(strstr(guard_of(&pair), "entries would be deleted here"));
        assert_text(pair.here, "d/b", "two");
        move(&pair, "there", "another");
        move(&pair, "old", "there");
    }
    assert_int_equal(phase_after(&pair, 12), SYNC_IN_SYNC);
    assert_same_trees(&pair);
    assert_int_equal(phase_after(&pair, 6), SYNC_IN_SYNC);
    move(&pair, "here", "aside");
    put_text(pair.top, "here", "a file");
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_non_null(strstr(guard_of(&pair), "here: Not a directory: nothing is deleted"));
    assert_text(pair.there, "d/b", "two");
    assert_int_equal(unlink(pair.here), 0);
    assert_int_equal(phase_after(&pair, 3), SYNC_HALTED);
    assert_non_null(strstr(guard_of(&pair), "here is gone: nothing is deleted"));
    move(&pair, "aside", "here");
    assert_int_equal(phase_after(&pair, 3), SYNC_IN_SYNC);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* The rules change while changes are on their way: their answers still count. */
static void rules_may_change_at_any_time(void **state)
{
    struct pair pair;
    struct error err;
    start(&pair, state);
    /* Two-way, what was changed while it was ignored is a conflict afterwards. */
    bool ignored = pair.mode == SYNC_MIRROR;
    for (int i = 0; i < 20; i++) {
        char rules[64];
        snprintf(rules, sizeof rules, "never-%d\n%s", i, ignored && i % 3 == 0 ? "x3*\n" : "");
        for (int j = 0; j < 40; j++) {
            char name[32], text[32];
            snprintf(name, sizeof name, "x%d", j);
            snprintf(text, sizeof text, "%d %d", i, j);
            put_text(pair.here, name, text);
        }
        for (int turn = 0; turn < i % 5; turn++) {
            pair.now_us += 5000;
            assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &err), &err);
        }
        put_text(pair.here, ".gitignore", rules);
        for (int turn = 0; turn < 5; turn++) {
            pair.now_us += 9000;
            assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &err), &err);
        }
        assert_ok(pair_turn(&pair, &pair.remote, SIZE_MAX, &err), &err);
        assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &err), &err);
    }
    put_text(pair.here, ".gitignore", "none\n");
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    assert_false(exists(pair.there, ".vma-stage"));
    pair_dispose(&pair);
}

static int run_in(enum sync_mode mode)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_folder_that_is_gone_here_deletes_nothing_there, &mode),
        cmocka_unit_test_prestate(so_does_one_that_is_removed_while_it_is_open, &mode),
        cmocka_unit_test_prestate(an_empty_folder_in_its_place_is_not_a_removal, &mode),
        cmocka_unit_test_prestate(a_folder_that_is_gone_there_is_told_once_and_looked_for, &mode),
        cmocka_unit_test_prestate(and_is_made_anew_when_that_is_asked_for, &mode),
        cmocka_unit_test_prestate(a_restart_does_not_make_it_anew_either, &mode),
        cmocka_unit_test_prestate(a_folder_that_was_emptied_by_its_owner_is_no_riddle, &mode),
        cmocka_unit_test_prestate(a_first_copy_of_which_nothing_arrived_is_simply_made_again,
                                  &mode),
        cmocka_unit_test_prestate(a_folder_where_a_conflict_was_settled_is_not_made_anew_unasked,
                                  &mode),
        cmocka_unit_test_prestate(what_is_wrong_with_a_folder_is_told_as_it_is, &mode),
        cmocka_unit_test_prestate(rules_may_change_at_any_time, &mode),
    };
    return cmocka_run_group_tests_name(sync_mode_name(mode), tests, NULL, NULL);
}

int main(void)
{
    return run_in(SYNC_MIRROR) + run_in(SYNC_TWO_WAY_SAFE);
}
