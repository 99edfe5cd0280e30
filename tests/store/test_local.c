/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"

static struct store *open_at(const char *root, int64_t reserve_bytes)
{
    struct error err;
    struct store *store = store_local_open(
        &(struct store_options){.root = root, .reserve_bytes = reserve_bytes}, &err);
    assert_ok(store, &err);
    return store;
}

static struct store_key key_of(enum store_class class, const char *name)
{
    struct store_key key;
    struct error err;
    assert_ok(store_key_of(class, name, &key, &err), &err);
    return key;
}

static void assert_content(struct store *store, const struct store_key *key, const char *text)
{
    struct error err;
    AUTO(buf_dispose) struct buf content = BUF(1 << 20);
    assert_ok(store_get(store, key, &content, &err), &err);
    assert_string_equal(buf_string(&content), text);
}

static void what_is_put_is_there_after_a_restart(void **state)
{
    AUTO(test_dir_free) char *root = test_dir_new();
    struct store_key key = key_of(STORE_VIDEO, "abc.mp4");
    struct error err;
    AUTO(store_free) struct store *store = open_at(root, -1);
    assert_false(store_has(store, &key));
    assert_ok(store_put(store, &key, bytes_of("film"), &err), &err);
    assert_ok(store_put(store, &key, bytes_of("film"), &err), &err);
    store_free(store);
    store = open_at(root, -1);
    assert_content(store, &key, "film");
    struct store_usage usage;
    assert_ok(store_usage(store, &usage, &err), &err);
    assert_int_equal(usage.classes[STORE_VIDEO].files, 1);
    assert_int_equal(usage.classes[STORE_VIDEO].bytes, 4);
}

static void a_path_is_no_name(void **state)
{
    static const char *const names[] = {"",        ".",  "..",  "a/b",  "../x", "A",
                                        ".hidden", "-x", "a b", "\xff", "a\n"};
    struct store_key key;
    struct error err;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(store_key_of(STORE_VIDEO, names[i], &key, &err));
        assert_int_equal(err.kind, ERROR_NOT_FOUND);
    }
    assert_false(store_key_of(STORE_VIDEO, NULL, &key, &err));
}

static void an_adopted_file_moves(void **state)
{
    AUTO(test_dir_free) char *root = test_dir_new();
    AUTO(store_free) struct store *store = open_at(root, -1);
    struct store_key key = key_of(STORE_UPLOAD, "photo");
    struct error err;
    AUTO(mem_free) char *path = store_scratch(store, ".jpg", &err);
    assert_ok(file_write(path, bytes_of("pixels"), &err), &err);
    assert_ok(store_adopt(store, &key, path, &err), &err);
    assert_int_equal(access(path, F_OK), -1);
    assert_content(store, &key, "pixels");
    assert_ok(store_remove(store, &key, &err), &err);
    assert_ok(store_remove(store, &key, &err), &err);
    assert_false(store_has(store, &key));
}

static void each_class_has_its_time(void **state)
{
    static const int64_t day_ms = 24 * 60 * 60 * 1000;
    static const int64_t days[STORE_CLASSES] = {7, 3, 30};
    AUTO(test_dir_free) char *root = test_dir_new();
    AUTO(store_free) struct store *store = open_at(root, -1);
    struct error err;
    int64_t removed, now_ms = wall_ms();
    for (int class = 0; class < STORE_CLASSES; class ++) {
        struct store_key key = key_of(class, "thing");
        assert_ok(store_put(store, &key, bytes_of("x"), &err), &err);
        assert_ok(store_sweep(store, now_ms + days[class] * day_ms - 60000, &removed, &err), &err);
        assert_int_equal(removed, 0);
        assert_true(store_has(store, &key));
        assert_ok(store_sweep(store, now_ms + days[class] * day_ms + 60000, &removed, &err), &err);
        assert_int_equal(removed, 1);
        assert_false(store_has(store, &key));
    }
    struct store_usage usage;
    assert_ok(store_usage(store, &usage, &err), &err);
    assert_int_equal(usage.classes[STORE_VIDEO].files, 0);
}

static void a_full_disk_is_refused_and_intermediates_give_way(void **state)
{
    AUTO(test_dir_free) char *root = test_dir_new();
    struct store_key speech = key_of(STORE_INTERMEDIATE, "speech");
    struct store_key video = key_of(STORE_VIDEO, "video");
    struct error err;
    struct store *before = open_at(root, -1);
    assert_ok(store_put(before, &speech, bytes_of("x"), &err), &err);
    assert_ok(store_put(before, &video, bytes_of("x"), &err), &err);
    store_free(before);

    AUTO(store_free) struct store *store = open_at(root, INT64_MAX / 2);
    assert_false(store_put(store, &speech, bytes_of("y"), &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
    assert_string_equal(err.code, "disk_full");
    int64_t removed;
    assert_ok(store_sweep(store, wall_ms(), &removed, &err), &err);
    assert_int_equal(removed, 1);
    assert_false(store_has(store, &speech));
    assert_true(store_has(store, &video));
}

/* A process that is killed leaves its drafts; the next start removes them, but not those of a
 * process that still lives. */
static void drafts_of_the_dead_are_removed(void **state)
{
    AUTO(test_dir_free) char *root = test_dir_new();
    AUTO(store_free) struct store *living = open_at(root, -1);
    struct error err;
    AUTO(mem_free) char *kept = store_scratch(living, ".mp4", &err);
    assert_ok(file_write(kept, bytes_of("half"), &err), &err);
    AUTO(mem_free) char *note = xasprintf("%s/note", root);

    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        struct store *store = open_at(root, -1);
        char *path = store_scratch(store, ".mp4", &err);
        bool fine =
            file_write(path, bytes_of("half"), &err) && file_write(note, bytes_of(path), &err);
        _exit(fine ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    AUTO(buf_dispose) struct buf left = BUF(4096);
    assert_ok(file_read(note, &left, &err), &err);
    assert_int_equal(access(buf_string(&left), F_OK), 0);

    store_free(open_at(root, -1));
    assert_int_equal(access(buf_string(&left), F_OK), -1);
    assert_int_equal(access(kept, F_OK), 0);
}

static void memory_and_faulty_keep_the_same_promises(void **state)
{
    struct error err;
    struct store *memory = store_memory_new();
    AUTO(store_free) struct store *store = store_faulty_new(&memory, 3);
    assert_null(memory);
    struct store_key key = key_of(STORE_VIDEO, "v");
    assert_ok(store_put(store, &key, bytes_of("film"), &err), &err);
    assert_content(store, &key, "film");
    assert_true(store_has(store, &key));
    assert_false(store_put(store, &key, bytes_of("film"), &err));
    assert_error(&err, ERROR_UNAVAILABLE, "keep video v: the store is away (injected)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_there_after_a_restart),
        cmocka_unit_test(a_path_is_no_name),
        cmocka_unit_test(an_adopted_file_moves),
        cmocka_unit_test(each_class_has_its_time),
        cmocka_unit_test(a_full_disk_is_refused_and_intermediates_give_way),
        cmocka_unit_test(drafts_of_the_dead_are_removed),
        cmocka_unit_test(memory_and_faulty_keep_the_same_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
