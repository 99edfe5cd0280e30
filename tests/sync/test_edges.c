/* SPDX-License-Identifier: Apache-2.0 */
/* Trees and peers that are allowed but unusual: the rest goes on and nothing is taken for what it
 * is not. */
#include "sync/pair.h"

#include <pthread.h>
#include <stdatomic.h>

#include "sync/leftover.h"
#include "sync/message.h"
#include "sync/path.h"
#include "sync/stage.h"

static void start(struct pair *pair)
{
    pair_laptop(pair);
    pair_connect(pair);
    assert_true(pair_settle(pair));
}

static void a_folder_behind_a_link_is_not_taken_for_an_empty_one(void **state)
{
    struct pair pair;
    struct sync_status status;
    pair_init(&pair, SYNC_MIRROR);
    AUTO(mem_free) char *real = pair_path(pair.top, "real");
    assert_int_equal(mkdir(real, 0755), 0);
    assert_int_equal(symlink("real", pair.there), 0);
    put_text(pair.here, "a", "one");
    start(&pair);
    assert_text(real, "a", "one");
    pair_cut(&pair, false);
    put_text(pair.here, "a", "two");
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    sync_status(pair.laptop.sync, &status);
    assert_int_not_equal(status.phase, SYNC_HALTED);
    assert_int_equal(pair.laptop.guards, 0);
    assert_text(real, "a", "two");
    pair_dispose(&pair);
}

static void an_emptied_folder_stays_what_it_is_and_stops_the_sync(void **state)
{
    struct pair pair;
    struct stat before, after;
    struct sync_status status;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a", "one");
    start(&pair);
    pair_cut(&pair, false);
    AUTO(mem_free) char *file = pair_path(pair.there, "a");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(chmod(pair.there, 0777), 0);
    assert_int_equal(stat(pair.there, &before), 0);
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    sync_status(pair.laptop.sync, &status);
    assert_int_equal(status.phase, SYNC_HALTED);
    assert_int_equal(stat(pair.there, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mode == after.st_mode);
    pair_dispose(&pair);
}

static void folders_too_deep_to_send_are_named_and_the_rest_goes_on(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a", "one");
    int dir = open(pair.here, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < PATH_MAX_DEPTH + 3; i++) {
        assert_int_equal(mkdirat(dir, "d", 0755), 0);
        int inner = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(dir);
        dir = inner;
    }
    close(dir);
    start(&pair);
    assert_text(pair.there, "a", "one");
    assert_true(exists(pair.there, "d/d/d"));
    struct sync_status status;
    sync_status(pair.laptop.sync, &status);
    assert_non_null(strstr(status.problem, "too deep"));
    put_text(pair.here, "a", "two");
    assert_true(pair_settle(&pair));
    assert_text(pair.there, "a", "two");
    AUTO(mem_free) char *command = xasprintf("rm -r '%s/d' '%s/d'", pair.here, pair.there);
    assert_int_equal(system(command), 0); /* NOLINT: too deep for our own */
    pair_dispose(&pair);
}

/* Nobody knows what both had when it began to be ignored: both contents stay until one is chosen.
 */
static void what_was_edited_while_it_was_ignored_is_kept_on_both_sides(void **state)
{
    struct pair pair;
    struct error err;
    pair_init(&pair, SYNC_TWO_WAY_SAFE);
    static const char *const names[] = {"both", "here", "there", "gone", "same"};
    for (size_t i = 0; i < 5; i++)
        put_text(pair.here, names[i], "one");
    start(&pair);
    put_text(pair.here, ".gitignore", "both\nhere\nthere\ngone\nsame\n");
    assert_true(pair_settle(&pair));
    put_text(pair.here, "both", "edited here");
    put_text(pair.there, "both", "edited there!");
    put_text(pair.here, "here", "edited here");
    put_text(pair.there, "there", "edited there!");
    AUTO(mem_free) char *gone = pair_path(pair.here, "gone");
    assert_int_equal(unlink(gone), 0);
    assert_true(pair_settle(&pair));
    assert_text(pair.there, "both", "edited there!");
    put_text(pair.here, ".gitignore", "none\n");
    assert_true(pair_settle(&pair));
    assert_int_equal(pair.laptop.conflicts, 3);
    assert_text(pair.here, "both", "edited here");
    assert_text(pair.there, "both", "edited there!");
    assert_text(pair.here, "here", "edited here");
    assert_text(pair.there, "here", "one");
    assert_text(pair.here, "there", "one");
    assert_text(pair.there, "there", "edited there!");
    assert_text(pair.here, "gone", "one");
    assert_ok(sync_resolve(pair.laptop.sync, "both", KEEP_BOTH, &err), &err);
    assert_ok(sync_resolve(pair.laptop.sync, "here", KEEP_LOCAL, &err), &err);
    assert_ok(sync_resolve(pair.laptop.sync, "there", KEEP_REMOTE, &err), &err);
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    assert_text(pair.there, "both.local", "edited here");
    assert_text(pair.here, "both", "edited there!");
    assert_text(pair.there, "here", "edited here");
    assert_text(pair.here, "there", "edited there!");
    pair_dispose(&pair);
}

/* As when the client was killed and started again, and the agent of the first is still at work. */
static void two_at_work_on_one_folder_never_mix_their_files_up(void **state)
{
    struct error err;
    char name[STAGED_NAME_SIZE];
    AUTO(test_dir_free) char *top = test_dir_new();
    AUTO(fd_close) int root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(stage_free) struct stage *old = stage_new(root);
    AUTO(stage_free) struct stage *new = NULL;
    staged ids[2];
    struct bytes contents[] = {bytes_of("of the old"), bytes_of("of the new")};
    struct entry entries[2];
    for (int i = 0; i < 2; i++)
        entries[i] = (struct entry){.kind = ENTRY_FILE,
                                    .mode = 0644,
                                    .size = contents[i].size,
                                    .hash = hash128_of(contents[i])};
    assert_ok(stage_bytes(old, &entries[0], contents[0], &ids[0], &err), &err);
    new = stage_new(root); /* clears out what it finds */
    assert_ok(stage_bytes(new, &entries[1], contents[1], &ids[1], &err), &err);
    assert_int_not_equal(ids[0], ids[1]);
    assert_int_equal(stage_place_new(old, &ids[0], root, "a"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(stage_place_new(new, &ids[1], root, "a"), 0);
    assert_text(top, "a", "of the new");
    assert_false(exists(top, staged_name(ids[0], name)));
    ids[0] = 0;
}

static void what_a_killed_run_left_on_another_disk_is_cleared_away(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_folder(pair.here, "d");
    put_text(pair.here, "d/a", "one");
    put_text(pair.here, "d/.vma-stage-notes", "of a person");
    put_text(pair.here, "d/.vma-stage-1f", "of a run that was killed");
    start(&pair);
    assert_false(exists(pair.here, "d/.vma-stage-1f"));
    pair_cut(&pair, false);
    put_text(pair.there, "d/.vma-stage-2a", "of a run that was killed");
    put_text(pair.there, "d/.vma-stage-2b", "of one that is at work");
    AUTO(mem_free) char *path = pair_path(pair.there, "d/.vma-stage-2b");
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(leftover_claim(fd));
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    assert_false(exists(pair.there, "d/.vma-stage-2a"));
    assert_text(pair.there, "d/.vma-stage-2b", "of one that is at work");
    assert_text(pair.here, "d/.vma-stage-notes", "of a person");
    assert_false(exists(pair.there, "d/.vma-stage-notes"));
    pair_dispose(&pair);
}

struct sweeper {
    const char *folder;
    int dir;
    atomic_bool stop;
};

/* What another vma does that looks at the folder. */
static void *sweep(void *context)
{
    struct sweeper *sweeper = context;
    while (!sweeper->stop) {
        DIR *stream = opendir(sweeper->folder);
        assert_non_null(stream);
        for (struct dirent *item; (item = readdir(stream));)
            if (leftover_is(item->d_name))
                leftover_remove(sweeper->dir, item->d_name);
        closedir(stream);
    }
    return NULL;
}

static void what_is_brought_to_another_disk_is_no_leftover(void **state)
{
    struct error err;
    struct stat stats[2];
    pthread_t thread;
    char name[] = "/dev/shm/vma-test-XXXXXX";
    AUTO(test_dir_free) char *top = test_dir_new();
    if (stat(top, &stats[0]) != 0 || !mkdtemp(name) || stat(name, &stats[1]) != 0 ||
        stats[0].st_dev == stats[1].st_dev)
        skip(); /* there is no other */
    AUTO(fd_close) int root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(fd_close) int dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(stage_free) struct stage *stage = stage_new(root);
    struct sweeper sweeper = {.folder = name, .dir = dir};
    assert_int_equal(pthread_create(&thread, NULL, sweep, &sweeper), 0);
    struct bytes content = bytes_of("brought over");
    struct entry entry = {
        .kind = ENTRY_FILE, .mode = 0644, .size = content.size, .hash = hash128_of(content)};
    unsigned lost = 0;
    for (int i = 0; i < 3000; i++) {
        staged id;
        assert_ok(stage_bytes(stage, &entry, content, &id, &err), &err);
        lost += stage_place_over(stage, &id, dir, "a") != 0;
        stage_drop(stage, &id);
    }
    sweeper.stop = true;
    pthread_join(thread, NULL);
    assert_int_equal(lost, 0);
    assert_text(name, "a", "brought over");
    assert_ok(tree_remove(name, &err), &err);
}

static void names_that_clash_elsewhere_are_told_as_they_come(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_folder(pair.here, "d");
    put_text(pair.here, "d/Read.me", "one");
    start(&pair);
    AUTO(mem_free) char *old = pair_path(pair.here, "d/Read.me");
    AUTO(mem_free) char *new = pair_path(pair.here, "d/READ.me");
    assert_int_equal(rename(old, new), 0);
    assert_true(pair_settle(&pair));
    assert_int_equal(pair.laptop.notes, 0);
    put_text(pair.here, "d/read.me", "two");
    put_text(pair.here, "d/other", "three");
    assert_true(pair_settle(&pair));
    assert_int_equal(pair.laptop.notes, 1);
    assert_non_null(strstr(pair.laptop.last_note, "d/read.me: differs from READ.me only in case"));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static size_t files_in_stage(const struct pair *pair)
{
    AUTO(mem_free) char *path = pair_path(pair->there, ".vma-stage");
    DIR *stream = opendir(path);
    size_t count = 0;
    for (struct dirent *item; stream && (item = readdir(stream));)
        count += item->d_name[0] != '.';
    if (stream)
        closedir(stream);
    return count;
}

static void a_large_file_that_is_ignored_halfway_leaves_nothing_there(void **state)
{
    struct pair pair;
    struct error err;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a", "one");
    start(&pair);
    AUTO(mem_free) char *path = pair_path(pair.here, "large");
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    AUTO(mem_free) char *block = xcalloc(1 << 20, 1);
    for (uint32_t i = 0; i < 40; i++) {
        for (uint32_t at = 0; at < 1 << 20; at += 4) {
            uint32_t noise = (i << 20 | at) * 2654435761U; /* for what has an order compresses */
            noise = (noise ^ noise >> 15) * 2246822519U;
            write_u32((uint8_t *)block + at, noise ^ noise >> 13);
        }
        assert_ok(fd_write_all(fd, (struct bytes){(uint8_t *)block, 1 << 20}, &err), &err);
    }
    for (int turn = 0; turn < 400 && !files_in_stage(&pair); turn++) {
        pair.now_us += 10000;
        assert_ok(pair_turn(&pair, &pair.laptop, 100000, &err), &err);
        assert_ok(pair_turn(&pair, &pair.remote, 100000, &err), &err);
    }
    assert_int_equal(files_in_stage(&pair), 1);
    assert_false(exists(pair.there, "large"));
    put_text(pair.here, ".gitignore", "large\n");
    assert_true(pair_settle(&pair));
    assert_true(pair.connected);
    assert_false(exists(pair.there, "large"));
    assert_false(exists(pair.there, ".vma-stage"));
    put_text(pair.here, ".gitignore", "");
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void what_the_other_side_says_cannot_steer_the_terminal(void **state)
{
    struct pair pair;
    struct error err;
    AUTO(buf_dispose) struct buf payload = BUF(1024);
    AUTO(buf_dispose) struct buf message = BUF(1024);
    struct sync_note note = {NOTE_WARNING, bytes_of("a\033[2J"),
                             bytes_of("x\033]0;evil\a\xc2\x9b")};
    pair_init(&pair, SYNC_MIRROR);
    start(&pair);
    assert_ok(sync_note_encode(&note, &payload, &err), &err);
    assert_ok(sync_message_encode(SYNC_NOTE, buf_bytes(&payload), 0, &message, &err), &err);
    assert_ok(sync_receive(pair.laptop.sync, LANE_FAST, buf_bytes(&message), &err), &err);
    struct sync_status status;
    sync_status(pair.laptop.sync, &status);
    assert_non_null(strstr(status.problem, "evil"));
    const char *const shown[] = {status.problem, strstr(pair.laptop.last_note, ": ")};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        assert_null(strchr(shown[i], '\033'));
        assert_null(strchr(shown[i], '\a'));
        assert_null(strstr(shown[i], "\xc2\x9b"));
    }
    pair_dispose(&pair);
}

/* Deeper than any path may be long; the names are made one below the other. */
static void what_lies_too_deep_is_named_and_the_rest_arrives(void **state)
{
    enum { LEVELS = 20 };
    struct pair pair;
    struct sync_status status;
    char name[250];
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    pair_init(&pair, SYNC_MIRROR);
    int at = open(pair.here, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int level = 0; level < LEVELS; level++) {
        assert_true(at >= 0);
        assert_int_equal(mkdirat(at, name, 0755), 0);
        int below = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = below;
    }
    close(at);
    put_text(pair.here, "a", "one");
    start(&pair);
    sync_status(pair.laptop.sync, &status);
    assert_text(pair.there, "a", "one");
    assert_int_equal(status.phase, SYNC_INCOMPLETE);
    assert_int_equal(status.failed, 1);
    assert_non_null(strstr(status.problem, "too deep"));
    pair_dispose(&pair);
}

/* A folder with a secret in it is where a file was saved here: it stays, and that is no success. */
static void a_folder_kept_in_the_way_of_a_file_is_told_until_it_is_gone(void **state)
{
    struct pair pair;
    struct sync_status status;
    pair_init(&pair, SYNC_MIRROR);
    put_folder(pair.here, "k");
    put_text(pair.here, "k/x", "one");
    start(&pair);
    put_text(pair.there, "k/.env", "SECRET=1");
    AUTO(mem_free) char *folder = pair_path(pair.here, "k");
    AUTO(mem_free) char *inner = pair_path(pair.here, "k/x");
    assert_int_equal(unlink(inner), 0);
    assert_int_equal(rmdir(folder), 0);
    put_text(pair.here, "k", "a file");
    assert_true(pair_settle(&pair));
    sync_status(pair.laptop.sync, &status);
    assert_text(pair.there, "k/.env", "SECRET=1");
    assert_int_equal(status.phase, SYNC_INCOMPLETE);
    assert_int_equal(status.failed, 1);
    AUTO(mem_free) char *secret = pair_path(pair.there, "k/.env");
    assert_int_equal(unlink(secret), 0);
    sync_resume(pair.laptop.sync, false);
    assert_true(pair_settle(&pair));
    sync_status(pair.laptop.sync, &status);
    assert_text(pair.there, "k", "a file");
    assert_int_equal(status.phase, SYNC_IN_SYNC);
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_behind_a_link_is_not_taken_for_an_empty_one),
        cmocka_unit_test(an_emptied_folder_stays_what_it_is_and_stops_the_sync),
        cmocka_unit_test(what_lies_too_deep_is_named_and_the_rest_arrives),
        cmocka_unit_test(a_folder_kept_in_the_way_of_a_file_is_told_until_it_is_gone),
        cmocka_unit_test(folders_too_deep_to_send_are_named_and_the_rest_goes_on),
        cmocka_unit_test(what_was_edited_while_it_was_ignored_is_kept_on_both_sides),
        cmocka_unit_test(two_at_work_on_one_folder_never_mix_their_files_up),
        cmocka_unit_test(what_a_killed_run_left_on_another_disk_is_cleared_away),
        cmocka_unit_test(what_is_brought_to_another_disk_is_no_leftover),
        cmocka_unit_test(names_that_clash_elsewhere_are_told_as_they_come),
        cmocka_unit_test(a_large_file_that_is_ignored_halfway_leaves_nothing_there),
        cmocka_unit_test(what_the_other_side_says_cannot_steer_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
