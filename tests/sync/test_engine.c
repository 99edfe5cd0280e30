/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/pair.h"

#include "sync/message.h"
#include "sync/packed.h"

static void start(struct pair *pair)
{
    pair_laptop(pair);
    pair_connect(pair);
    assert_true(pair_settle(pair));
}

static void the_first_sync_copies_everything(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_folder(pair.here, "src");
    put_folder(pair.here, "src/empty");
    put_text(pair.here, "src/main.c", "int main(void) { return 0; }\n");
    put_text(pair.here, "empty", "");
    put_text(pair.here, "a name\nwith \xff bytes", "odd");
    AUTO(mem_free) char *script = pair_path(pair.here, "run.sh");
    put_text(pair.here, "run.sh", "#!/bin/sh\n");
    chmod(script, 0755);
    AUTO(mem_free) char *link = pair_path(pair.here, "link");
    assert_int_equal(symlink("../outside", link), 0);
    start(&pair);
    assert_same_trees(&pair);
    assert_text(pair.there, "src/main.c", "int main(void) { return 0; }\n");
    pair_dispose(&pair);
}

/* The bulk lane's stream again, in many zstd frames, which end anywhere in its messages. */
static void reframe(struct buf *lane, struct unpacker *unpacker)
{
    struct error err;
    struct sync_message message;
    size_t used;
    AUTO(buf_dispose) struct buf raw = BUF(1 << 26);
    AUTO(buf_dispose) struct buf out = BUF(1 << 26);
    struct bytes rest = buf_bytes(lane);
    for (; sync_message_decode(rest, &out, &message, &used, &err) == SYNC_READY;
         rest = (struct bytes){rest.data + used, rest.size - used}) {
        assert_int_equal(message.type, SYNC_STREAM);
        for (bool more = true; message.payload.size || more;)
            assert_ok(unpacker_add(unpacker, &message.payload, &raw, &more, &err), &err);
    }
    for (size_t at = 0; at < raw.size; at += 1777) {
        struct bytes piece = {raw.data + at, raw.size - at < 1777 ? raw.size - at : 1777};
        AUTO(buf_dispose) struct buf packed = BUF(1 << 20);
        AUTO(packer_free) struct packer *packer =
            packer_new(&(struct packer_options){.level = 1, .window_log = 20});
        assert_ok(packer_add(packer, piece, PACK_END, &packed, &err) &&
                      sync_message_encode(SYNC_STREAM, buf_bytes(&packed), 0, &out, &err),
                  &err);
    }
    buf_clear(lane);
    assert_ok(buf_append(lane, buf_bytes(&out), &err), &err);
}

static void the_stream_may_begin_anew_anywhere(void **state)
{
    struct pair pair;
    (void)state;
    pair_init(&pair, SYNC_MIRROR);
    for (unsigned i = 0; i < 200; i++) {
        char name[32], text[200 * 150 + 1];
        snprintf(name, sizeof name, "file-%u.txt", i);
        memset(text, 'a' + (int)(i % 26), sizeof text);
        text[20000 + i * 50] = '\0';
        put_text(pair.here, name, text);
    }
    AUTO(unpacker_free) struct unpacker *unpacker = unpacker_new();
    pair_laptop(&pair);
    pair_connect(&pair);
    for (unsigned turn = 0; turn < 40; turn++) {
        pair.now_us += 10000;
        assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &pair.err), &pair.err);
        reframe(&pair.remote.in[LANE_BULK], unpacker);
        assert_ok(pair_turn(&pair, &pair.remote, SIZE_MAX, &pair.err), &pair.err);
    }
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

/* What was acknowledged long ago says nothing of a host that is away now. */
static void nothing_is_claimed_while_the_link_is_away(void **state)
{
    struct pair pair;
    struct sync_status status;
    struct sync_flush flush = {0};
    (void)state;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a", "one");
    start(&pair);
    sync_linked(pair.laptop.sync, false);
    sync_status(pair.laptop.sync, &status);
    assert_int_equal(status.phase, SYNC_AWAY);
    assert_true(status.away_us >= 0);
    assert_false(sync_flush_done(pair.laptop.sync, &flush));
    sync_linked(pair.laptop.sync, true);
    assert_true(pair_settle(&pair));
    sync_status(pair.laptop.sync, &status);
    assert_int_equal(status.phase, SYNC_IN_SYNC);
    assert_true(sync_flush_done(pair.laptop.sync, &flush));
    sync_flush_dispose(&flush);
    pair_dispose(&pair);
}

static void a_new_file_goes_as_soon_as_it_is_closed(void **state)
{
    struct pair pair;
    (void)state;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a", "one");
    start(&pair);
    put_text(pair.here, "new", "two");
    for (int turn = 0; turn < 4; turn++) {
        pair.now_us += 2000;
        assert_ok(pair_turn(&pair, &pair.laptop, SIZE_MAX, &pair.err), &pair.err);
        assert_ok(pair_turn(&pair, &pair.remote, SIZE_MAX, &pair.err), &pair.err);
    }
    assert_text(pair.there, "new", "two");
    pair_dispose(&pair);
}

static void a_save_a_rename_and_a_removal_follow(void **state)
{
    struct pair pair;
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a", "one");
    put_folder(pair.here, "d");
    put_text(pair.here, "d/x", text);
    start(&pair);
    put_text(pair.here, "a", "two");
    assert_true(pair_settle(&pair));
    assert_text(pair.there, "a", "two");
    AUTO(mem_free) char *from = pair_path(pair.here, "d");
    AUTO(mem_free) char *to = pair_path(pair.here, "e");
    assert_int_equal(rename(from, to), 0);
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    AUTO(mem_free) char *file = pair_path(pair.here, "a");
    assert_int_equal(unlink(file), 0);
    put_folder(pair.here, "a");
    put_text(pair.here, "a/b", "now a folder");
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void a_restart_finds_nothing_to_do(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a", "one");
    put_folder(pair.here, "d");
    put_text(pair.here, "d/b", "two");
    start(&pair);
    pair_cut(&pair, false);
    sync_free(pair.laptop.sync);
    pair_laptop(&pair);
    struct sync_status status;
    pair_connect(&pair);
    pair.remote.applied = 0;
    assert_true(pair_settle(&pair));
    sync_status(pair.laptop.sync, &status);
    assert_int_equal(pair.remote.applied, 0);
    assert_true(status.received_bytes < 60);
    pair_dispose(&pair);
}

/* As the runner does it: what greets is on its way while the laptop still looks at its tree, and
 * holds only if the rules that are found then are the same. */
static void a_greeting_goes_ahead_of_the_scan(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, "a.c", "one");
    put_text(pair.here, "b.o", "object");
    start(&pair);
    for (int round = 0; round < 2; round++) {
        AUTO(buf_dispose) struct buf greeting = BUF(1 << 20);
        pair_cut(&pair, false);
        sync_free(pair.laptop.sync);
        if (round == 1) /* while nobody looked */
            put_text(pair.here, ".gitignore", "*.o\n");
        put_text(pair.here, "a.c", round ? "three" : "two");
        pair_laptop(&pair);
        assert_ok(sync_greeting(pair.laptop.sync, &greeting, &pair.err), &pair.err);
        assert_true(greeting.size > 0);
        pair_remote(&pair);
        sync_connected(pair.remote.sync);
        pair.connected = true;
        pair_send(&pair.laptop, LANE_FAST, buf_bytes(&greeting));
        assert_ok(pair_turn(&pair, &pair.remote, SIZE_MAX, &pair.err), &pair.err);
        assert_true(pair.laptop.in[LANE_FAST].size > 0); /* the welcome */
        if (round == 1)
            assert_ok(pair_turn(&pair, &pair.laptop, 0, &pair.err), &pair.err);
        sync_greeted(pair.laptop.sync);
        assert_true(pair_settle(&pair));
        assert_text(pair.there, "a.c", round ? "three" : "two");
        put_text(pair.here, "b.o", round ? "ignored" : "object 2");
        assert_true(pair_settle(&pair));
        assert_text(pair.there, "b.o", "object 2");
    }
    pair_dispose(&pair);
}

static void what_is_ignored_or_protected_stays_where_it_is(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    put_text(pair.here, ".gitignore", "*.o\n/build/\n");
    put_text(pair.here, "x.o", "object");
    put_text(pair.here, ".env", "SECRET=1");
    put_folder(pair.here, "build");
    put_text(pair.here, "build/out", "out");
    put_text(pair.here, "x.c", "c");
    assert_int_equal(mkdir(pair.there, 0755), 0);
    put_text(pair.there, ".env", "REMOTE=1");
    put_text(pair.there, "y.o", "there");
    start(&pair);
    assert_text(pair.there, "x.c", "c");
    assert_text(pair.there, ".env", "REMOTE=1");
    assert_text(pair.there, "y.o", "there");
    assert_false(exists(pair.there, "x.o"));
    assert_false(exists(pair.there, "build"));
    put_text(pair.here, ".gitignore", "/build/\n");
    assert_true(pair_settle(&pair));
    assert_text(pair.there, "x.o", "object");
    assert_false(exists(pair.there, "y.o"));
    put_text(pair.here, ".gitignore", "/build/\n*.c\n");
    assert_true(pair_settle(&pair));
    assert_text(pair.there, "x.c", "c"); /* ignored from now on, not deleted */
    pair_dispose(&pair);
}

static void two_way_carries_both_directions_and_keeps_conflicts(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_TWO_WAY_SAFE);
    put_text(pair.here, "mine", "m");
    put_text(pair.here, "both", "base");
    start(&pair);
    put_text(pair.there, "theirs", "t");
    put_folder(pair.there, "dir");
    put_text(pair.there, "dir/inner", "i");
    put_text(pair.there, "mine", "changed there");
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    assert_text(pair.here, "theirs", "t");
    assert_text(pair.here, "mine", "changed there");
    pair_cut(&pair, false);
    put_text(pair.here, "both", "here!");
    put_text(pair.there, "both", "there");
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    assert_text(pair.here, "both", "here!");
    assert_text(pair.there, "both", "there");
    assert_int_equal(pair.laptop.conflicts, 1);
    assert_ok(sync_resolve(pair.laptop.sync, "both", KEEP_BOTH, &pair.err), &pair.err);
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    assert_text(pair.here, "both", "there");
    assert_text(pair.there, "both.local", "here!");
    pair_dispose(&pair);
}

/* The answer to the first is still on its way when the second is saved. */
static void two_saves_in_a_row_are_no_conflict(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_TWO_WAY_SAFE);
    put_text(pair.here, "a", "one");
    start(&pair);
    for (int i = 0; i < 6; i++) {
        put_text(pair.here, "a", i % 2 ? "odd" : "even");
        put_text(pair.here, "new", i % 2 ? "odd" : "even");
        for (int turn = 0; turn < 8; turn++) {
            pair.now_us += 20000;
            assert_ok(pair_turn(&pair, &pair.laptop, 0, &pair.err), &pair.err);
        }
    }
    assert_true(pair_settle(&pair));
    assert_int_equal(pair.laptop.conflicts, 0);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

static void deleting_most_of_the_tree_stops_and_asks(void **state)
{
    struct pair pair;
    pair_init(&pair, SYNC_MIRROR);
    for (int i = 0; i < 30; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        put_text(pair.here, name, name);
    }
    start(&pair);
    for (int i = 0; i < 30; i++) {
        AUTO(mem_free) char *path = xasprintf("%s/f%d", pair.here, i);
        unlink(path);
    }
    put_text(pair.here, "new", "goes on");
    assert_true(pair_settle(&pair));
    assert_int_equal(pair.laptop.guards, 1);
    assert_true(exists(pair.there, "f7"));
    assert_text(pair.there, "new", "goes on");
    sync_resume(pair.laptop.sync, true);
    assert_true(pair_settle(&pair));
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sync_copies_everything),
        cmocka_unit_test(the_stream_may_begin_anew_anywhere),
        cmocka_unit_test(nothing_is_claimed_while_the_link_is_away),
        cmocka_unit_test(a_new_file_goes_as_soon_as_it_is_closed),
        cmocka_unit_test(a_save_a_rename_and_a_removal_follow),
        cmocka_unit_test(a_restart_finds_nothing_to_do),
        cmocka_unit_test(a_greeting_goes_ahead_of_the_scan),
        cmocka_unit_test(what_is_ignored_or_protected_stays_where_it_is),
        cmocka_unit_test(two_way_carries_both_directions_and_keeps_conflicts),
        cmocka_unit_test(two_saves_in_a_row_are_no_conflict),
        cmocka_unit_test(deleting_most_of_the_tree_stops_and_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
