/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that lies: refused, and nothing is touched outside the root. */
#include "sync/pair.h"

#include <pthread.h>
#include <stdatomic.h>

#include "sync/apply.h"
#include "sync/ignore.h"
#include "sync/message.h"
#include "sync/stage.h"
#include "sync/tree.h"
#include "sys/fs.h"

static struct entry file_entry(const char *content)
{
    return (struct entry){.kind = ENTRY_FILE,
                          .mode = 0644,
                          .size = strlen(content),
                          .hash = hash128_of(bytes_of(content))};
}

/* An engine of the remote side that has been greeted and is alone with us. */
static void greet(struct pair *pair)
{
    struct error err;
    AUTO(ignore_free) struct ignore *ignore = ignore_new();
    AUTO(buf_dispose) struct buf rules = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf payload = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf message = BUF(64 * 1024);
    pair_init(pair, SYNC_MIRROR);
    pair_remote(pair);
    pair->connected = true;
    sync_connected(pair->remote.sync);
    assert_ok(ignore_encode(ignore, &rules, &err), &err);
    struct sync_hello hello = {.version = SYNC_VERSION,
                               .generation = 1,
                               .flags = HELLO_MAY_CREATE,
                               .root = bytes_of(pair->there),
                               .rules = buf_bytes(&rules)};
    assert_ok(sync_hello_encode(&hello, &payload, &err), &err);
    assert_ok(sync_message_encode(SYNC_HELLO, buf_bytes(&payload), 0, &message, &err), &err);
    assert_ok(sync_receive(pair->remote.sync, LANE_FAST, buf_bytes(&message), &err), &err);
    assert_ok(pair_turn(pair, &pair->remote, SIZE_MAX, &err), &err);
}

/* Sends one change, its path as it is. */
static bool send_op(struct pair *pair, const char *path, const char *content, struct error *err)
{
    struct entry entry = file_entry(content);
    AUTO(buf_dispose) struct buf payload = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf message = BUF(64 * 1024);
    struct sync_batch batch = {.sequence = 1, .count = 1};
    struct path_memory memory = {0};
    struct sync_op op = {.path = bytes_of(path),
                         .entry = entry,
                         .source = SOURCE_INLINE,
                         .content = bytes_of(content)};
    assert_true(sync_batch_encode(&batch, &payload, err));
    assert_true(sync_op_encode(&op, &memory, &payload, err));
    assert_true(sync_message_encode(SYNC_BATCH, buf_bytes(&payload), 0, &message, err));
    return sync_receive(pair->remote.sync, LANE_FAST, buf_bytes(&message), err);
}

static void paths_that_lead_astray_are_refused(void **state)
{
    static const char *const paths[] = {"../x", "/etc/x", "a/../../x",   "a//b",
                                        "./a",  "a/.",    "..",          "a/b/../c",
                                        "a/",   "",       ".vma-stage/1"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct pair pair;
        struct error err;
        greet(&pair);
        if (send_op(&pair, paths[i], "evil", &err))
            fail_msg("%s was taken", paths[i]);
        AUTO(mem_free) char *outside = pair_path(pair.top, "x");
        assert_int_not_equal(access(outside, F_OK), 0);
        pair_dispose(&pair);
    }
}

static void links_are_never_followed(void **state)
{
    struct pair pair;
    struct error err;
    greet(&pair);
    AUTO(mem_free) char *outside = pair_path(pair.top, "outside");
    AUTO(mem_free) char *link = pair_path(pair.there, "dir");
    AUTO(mem_free) char *file_link = pair_path(pair.there, "file");
    assert_int_equal(mkdir(outside, 0755), 0);
    put_text(pair.top, "outside/secret", "secret");
    assert_int_equal(symlink("../outside", link), 0);
    assert_int_equal(symlink("../outside/secret", file_link), 0);
    assert_true(send_op(&pair, "dir/new", "evil", &err)); /* answered with a refusal */
    assert_false(exists(pair.top, "outside/new"));
    assert_true(send_op(&pair, "dir/secret", "evil", &err));
    assert_true(send_op(&pair, "file", "evil", &err));
    assert_text(pair.top, "outside/secret", "secret");
    pair_dispose(&pair);
}

/* Somebody over there who changes a folder into a link that leads out, and back, all the time. */
struct swapper {
    int root;
    atomic_bool over;
    unsigned swaps;
};

static void *swap(void *context)
{
    struct swapper *swapper = context;
    while (!atomic_load(&swapper->over))
        swapper->swaps += fs_rename_exchange(swapper->root, "dir", swapper->root, "way-out") == 0;
    return NULL;
}

static bool send_one(struct pair *pair, uint64_t sequence, const struct sync_op *op,
                     struct error *err)
{
    AUTO(buf_dispose) struct buf payload = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf message = BUF(64 * 1024);
    struct sync_batch batch = {.sequence = sequence, .count = 1};
    struct path_memory memory = {0};
    assert_true(sync_batch_encode(&batch, &payload, err));
    assert_true(sync_op_encode(op, &memory, &payload, err));
    assert_true(sync_message_encode(SYNC_BATCH, buf_bytes(&payload), 0, &message, err));
    return sync_receive(pair->remote.sync, LANE_FAST, buf_bytes(&message), err);
}

static void a_folder_that_becomes_a_link_meanwhile_leads_nowhere(void **state)
{
    enum { ROUNDS = 800 };
    struct pair pair;
    struct error err;
    pthread_t thread;
    greet(&pair);
    AUTO(mem_free) char *link = pair_path(pair.there, "way-out");
    put_folder(pair.top, "outside");
    put_text(pair.top, "outside/secret", "secret");
    put_folder(pair.there, "dir");
    assert_int_equal(symlink("../outside", link), 0);
    struct swapper swapper = {.root = open(pair.there, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (fs_rename_exchange(swapper.root, "dir", swapper.root, "way-out") != 0)
        skip();
    assert_int_equal(pthread_create(&thread, NULL, swap, &swapper), 0);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "dir/%llu", (unsigned long long)i / 4);
        struct sync_op ops[] = {
            {.path = bytes_of(name), .entry = file_entry("evil"), .source = SOURCE_INLINE},
            {.path = bytes_of("dir/secret"),
             .entry = file_entry("evil"),
             .source = SOURCE_INLINE,
             .expect = file_entry("secret")},
            {.path = bytes_of("dir/secret"), .expect = file_entry("secret")}, /* a removal */
            {.path = bytes_of("stolen"),
             .entry = file_entry("secret"),
             .source = SOURCE_COPY,
             .from = bytes_of("dir/secret")},
        };
        ops[0].content = ops[1].content = bytes_of("evil");
        assert_ok(send_one(&pair, 1 + i, &ops[i % 4], &err), &err);
    }
    atomic_store(&swapper.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(swapper.root);
    assert_true(swapper.swaps > 0);
    assert_text(pair.top, "outside/secret", "secret");
    AUTO(buf_dispose) struct buf outside = BUF(64 * 1024);
    describe_tree(pair.top, "outside", &outside);
    assert_null(strchr(strchr(buf_string(&outside), '\n') + 1, '\n')); /* one entry */
    assert_false(exists(pair.there, "stolen"));
    pair_dispose(&pair);
}

static void content_that_is_not_what_was_announced_is_not_put_in_place(void **state)
{
    struct pair pair;
    struct error err;
    greet(&pair);
    AUTO(buf_dispose) struct buf payload = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf message = BUF(64 * 1024);
    struct sync_batch batch = {.sequence = 1, .count = 1};
    struct path_memory memory = {0};
    struct sync_op op = {.path = bytes_of("a"),
                         .entry = file_entry("good"),
                         .source = SOURCE_INLINE,
                         .content = bytes_of("evil")};
    assert_true(sync_batch_encode(&batch, &payload, &err));
    assert_true(sync_op_encode(&op, &memory, &payload, &err));
    assert_true(sync_message_encode(SYNC_BATCH, buf_bytes(&payload), 0, &message, &err));
    assert_ok(sync_receive(pair.remote.sync, LANE_FAST, buf_bytes(&message), &err), &err);
    assert_false(exists(pair.there, "a"));
    pair_dispose(&pair);
}

static void a_batch_of_more_changes_than_anybody_makes_is_refused(void **state)
{
    struct pair pair;
    struct error err;
    greet(&pair);
    AUTO(buf_dispose) struct buf payload = BUF(4 * 1024 * 1024);
    AUTO(buf_dispose) struct buf message = BUF(4 * 1024 * 1024);
    struct sync_batch batch = {.sequence = 1, .count = SYNC_BATCH_MAX + 1};
    struct path_memory memory = {0};
    struct sync_op op = {.path = bytes_of("a")};
    assert_true(sync_batch_encode(&batch, &payload, &err));
    for (uint64_t i = 0; i < batch.count; i++)
        assert_true(sync_op_encode(&op, &memory, &payload, &err));
    assert_true(sync_message_encode(SYNC_BATCH, buf_bytes(&payload), 3, &message, &err));
    assert_false(sync_receive(pair.remote.sync, LANE_FAST, buf_bytes(&message), &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
    pair_dispose(&pair);
}

static void broken_messages_end_the_session(void **state)
{
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, SYNC_BATCH};
    static const uint8_t unknown[] = {0, 0, 0, 1, 77};
    static const uint8_t many[] = {0,    0,    0,    13,   SYNC_BATCH, 1,    0,    0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff,       0xff, 0xff, 1};
    static const uint8_t welcome[] = {0, 0, 0, 2, SYNC_WELCOME, 1};
    static const uint8_t answer[] = {0, 0, 0, 3, SYNC_ACK, 9, 0};
    static const uint8_t bomb[] = {0,    0,    0, 8, SYNC_NOTE | SYNC_COMPRESSED, 0xff, 0xff, 0xff,
                                   0xff, 0x7f, 0, 0};
    static const struct bytes messages[] = {{huge, sizeof huge},     {unknown, sizeof unknown},
                                            {many, sizeof many},     {welcome, sizeof welcome},
                                            {answer, sizeof answer}, {bomb, sizeof bomb}};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct pair pair;
        struct error err;
        greet(&pair);
        if (sync_receive(pair.remote.sync, LANE_FAST, messages[i], &err))
            fail_msg("message %zu was taken", i);
        pair_dispose(&pair);
    }
}

static void nothing_counts_before_the_hello(void **state)
{
    struct pair pair;
    struct error err;
    pair_init(&pair, SYNC_MIRROR);
    pair_remote(&pair);
    pair.connected = true;
    sync_connected(pair.remote.sync);
    assert_false(send_op(&pair, "a", "evil", &err));
    assert_false(exists(pair.there, "a"));
    pair_dispose(&pair);
}

/* The laptop believes nothing either. */
static void the_laptop_takes_nothing_for_an_ignored_path(void **state)
{
    struct pair pair;
    struct error err;
    pair_init(&pair, SYNC_TWO_WAY_SAFE);
    put_text(pair.here, "a", "a");
    pair_laptop(&pair);
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    AUTO(buf_dispose) struct buf payload = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf message = BUF(64 * 1024);
    struct sync_batch batch = {.sequence = 900, .flags = BATCH_REPORT, .count = 2};
    struct path_memory memory = {0};
    struct sync_op env = {.path = bytes_of(".env"),
                          .entry = file_entry("evil"),
                          .source = SOURCE_INLINE,
                          .content = bytes_of("evil")};
    struct sync_op plain = env;
    plain.path = bytes_of("fine");
    assert_true(sync_batch_encode(&batch, &payload, &err));
    assert_true(sync_op_encode(&env, &memory, &payload, &err));
    assert_true(sync_op_encode(&plain, &memory, &payload, &err));
    assert_true(sync_message_encode(SYNC_BATCH, buf_bytes(&payload), 0, &message, &err));
    assert_ok(sync_receive(pair.laptop.sync, LANE_FAST, buf_bytes(&message), &err), &err);
    assert_false(exists(pair.here, ".env"));
    assert_text(pair.here, "fine", "evil");
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_that_lead_astray_are_refused),
        cmocka_unit_test(links_are_never_followed),
        cmocka_unit_test(a_folder_that_becomes_a_link_meanwhile_leads_nowhere),
        cmocka_unit_test(content_that_is_not_what_was_announced_is_not_put_in_place),
        cmocka_unit_test(a_batch_of_more_changes_than_anybody_makes_is_refused),
        cmocka_unit_test(broken_messages_end_the_session),
        cmocka_unit_test(nothing_counts_before_the_hello),
        cmocka_unit_test(the_laptop_takes_nothing_for_an_ignored_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
