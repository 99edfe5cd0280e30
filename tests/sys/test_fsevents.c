/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fsevents.h"

#include <stdio.h>

#include "support/test.h"
#include "sys/fswatch.h"

static uint32_t find(struct fsevents_folders *folders, const char *path, const char *name)
{
    const char *got;
    uint32_t id = fsevents_find(folders, path, &got);
    if (id)
        assert_string_equal(got, name);
    return id;
}

static void lost_events_are_never_silent(void **state)
{
    (void)state;
    const uint32_t flags[] = {FSEVENTS_MUST_SCAN,
                              FSEVENTS_MUST_SCAN | FSEVENTS_USER_DROPPED,
                              FSEVENTS_MUST_SCAN | FSEVENTS_KERNEL_DROPPED,
                              FSEVENTS_IDS_WRAPPED,
                              FSEVENTS_MOUNT,
                              FSEVENTS_UNMOUNT | FSEVENTS_CREATED};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        assert_int_equal(fsevents_meaning(flags[i], FSEVENTS_OTHER), FSWATCH_LOST);
}

static void what_is_there_now_decides_what_flags_of_a_while_mean(void **state)
{
    (void)state;
    unsigned all = FSEVENTS_CREATED | FSEVENTS_REMOVED | FSEVENTS_RENAMED | FSEVENTS_MODIFIED;
    assert_int_equal(fsevents_meaning(all, FSEVENTS_ABSENT), FSWATCH_GONE);
    assert_int_equal(fsevents_meaning(all | FSEVENTS_IS_FOLDER, FSEVENTS_ABSENT),
                     FSWATCH_GONE | FSWATCH_FOLDER);
    assert_int_equal(fsevents_meaning(FSEVENTS_MODIFIED, FSEVENTS_OTHER), FSWATCH_WRITTEN);
    assert_int_equal(fsevents_meaning(FSEVENTS_RENAMED, FSEVENTS_OTHER), FSWATCH_ARRIVED);
    assert_int_equal(fsevents_meaning(FSEVENTS_REMOVED, FSEVENTS_OTHER), FSWATCH_CREATED);
    assert_int_equal(fsevents_meaning(FSEVENTS_CREATED | FSEVENTS_IS_FOLDER, FSEVENTS_FOLDER),
                     FSWATCH_CREATED | FSWATCH_FOLDER);
    assert_int_equal(fsevents_meaning(0x400, FSEVENTS_OTHER), FSWATCH_MODE);
    assert_int_equal(fsevents_meaning(0x400, FSEVENTS_FOLDER), FSWATCH_MODE | FSWATCH_FOLDER);
    assert_int_equal(fsevents_meaning(FSEVENTS_HISTORY_DONE, FSEVENTS_OTHER), 0);
}

static void a_path_is_told_by_its_folders_number(void **state)
{
    (void)state;
    struct fsevents_folders *folders = fsevents_folders_new();
    int root = fsevents_claim(folders, "/r"), below = fsevents_claim(folders, "/r/a");
    assert_int_equal(find(folders, "/r/a/x", "x"), 0); /* claimed, but nobody's yet */
    fsevents_bind(folders, root, 1);
    fsevents_bind(folders, below, 7);
    assert_int_equal(find(folders, "/r/a/x", "x"), 7);
    assert_int_equal(find(folders, "/r/a", "a"), 1);
    assert_int_equal(find(folders, "/r", ""), 1);
    assert_int_equal(find(folders, "/r/b/x", "x"), 0);
    assert_int_equal(find(folders, "/r/ab", "ab"), 1);
    fsevents_drop(folders, 7);
    assert_false(fsevents_bound(folders, 7));
    assert_int_equal(find(folders, "/r/a/x", "x"), 0);
    fsevents_folders_free(folders);
}

static void a_folder_claimed_again_takes_the_place(void **state)
{
    (void)state;
    struct fsevents_folders *folders = fsevents_folders_new();
    fsevents_bind(folders, fsevents_claim(folders, "/r"), 1);
    fsevents_bind(folders, fsevents_claim(folders, "/r"), 1); /* a scan of everything */
    assert_int_equal(find(folders, "/r/x", "x"), 1);
    fsevents_bind(folders, fsevents_claim(folders, "/r/b"), 1); /* renamed, the same folder */
    assert_int_equal(find(folders, "/r/x", "x"), 0);
    assert_int_equal(find(folders, "/r/b/x", "x"), 1);
    fsevents_bind(folders, fsevents_claim(folders, "/r/b"), 2); /* another in its place */
    assert_false(fsevents_bound(folders, 1));
    assert_int_equal(find(folders, "/r/b/x", "x"), 2);
    fsevents_folders_free(folders);
}

static void many_folders_are_found(void **state)
{
    (void)state;
    struct fsevents_folders *folders = fsevents_folders_new();
    char path[64];
    for (uint32_t i = 1; i <= 20000; i++) {
        snprintf(path, sizeof path, "/r/%u", i);
        fsevents_bind(folders, fsevents_claim(folders, path), i);
    }
    for (uint32_t i = 1; i <= 20000; i += 2)
        fsevents_drop(folders, i);
    for (uint32_t i = 1; i <= 20000; i++) {
        snprintf(path, sizeof path, "/r/%u/x", i);
        assert_int_equal(find(folders, path, "x"), i % 2 ? 0 : i);
    }
    fsevents_folders_free(folders);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_events_are_never_silent),
        cmocka_unit_test(what_is_there_now_decides_what_flags_of_a_while_mean),
        cmocka_unit_test(a_path_is_told_by_its_folders_number),
        cmocka_unit_test(a_folder_claimed_again_takes_the_place),
        cmocka_unit_test(many_folders_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
