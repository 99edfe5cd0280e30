/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered, as a power cut or a broken disk may leave it: cut off anywhere, any bit
 * another one. It is refused, or good up to the damage, and what was saved on either side stays. */
#include "sync/pair.h"

#include "sync/message.h"
#include "sync/snapshot.h"
#include "sync/tree.h"

static struct entry file(const char *text)
{
    struct bytes content = bytes_of(text);
    return (struct entry){
        .kind = ENTRY_FILE, .mode = 0644, .size = content.size, .hash = hash128_of(content)};
}

static bool can_be_read(struct bytes bytes)
{
    struct error err;
    struct snapshot snapshot;
    AUTO(tree_free) struct tree *tree = tree_new();
    return snapshot_decode(bytes, tree, &snapshot, &err);
}

static void a_snapshot_that_is_damaged_anywhere_is_refused(void **state)
{
    struct error err;
    AUTO(tree_free) struct tree *tree = tree_new();
    AUTO(buf_dispose) struct buf bytes = BUF(1 << 20);
    struct snapshot snapshot = {.generation = 7, .met = true, .rules = bytes_of("rules")};
    for (int i = 0; i < 5; i++) {
        char path[32];
        snprintf(path, sizeof path, "d/%d", i);
        struct node *node = tree_node(tree, tree_make(tree, bytes_of(path)));
        node->local = node->base = file(path);
        node->remote = i % 2 ? node->base : (struct entry){0};
    }
    assert_ok(snapshot_encode(&snapshot, tree, &bytes, &err), &err);
    assert_true(can_be_read(buf_bytes(&bytes)));
    for (size_t size = 0; size < bytes.size; size++) {
        AUTO(mem_free) uint8_t *cut = xmalloc(size + 1); /* so that a sanitizer sees the end */
        memcpy(cut, bytes.data, size);
        assert_false(can_be_read((struct bytes){cut, size}));
    }
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(can_be_read(buf_bytes(&bytes)));
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* --- Through the whole engine -------------------------------------------------------------- */

enum { FILES = 6 };

static void name_of(int i, char out[8])
{
    snprintf(out, 8, "f%d", i);
}

static void read_state(const struct pair *pair, const char *name, struct buf *out)
{
    struct error err;
    AUTO(mem_free) char *path = pair_path(pair->here_state, name);
    *out = BUF(1 << 20);
    assert_ok(file_read(path, out, &err), &err);
}

static void write_state(const struct pair *pair, const char *name, struct bytes bytes)
{
    struct error err;
    AUTO(mem_free) char *path = pair_path(pair->here_state, name);
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(fd_write_all(fd, bytes, &err), &err);
}

/* A snapshot, and after it a journal of some saves that a kill left. */
static void remember(struct pair *pair, struct buf *snapshot, struct buf *journal)
{
    char name[8];
    pair_init(pair, SYNC_TWO_WAY_SAFE);
    for (int i = 0; i < FILES; i++) {
        name_of(i, name);
        put_text(pair->here, name, "base");
    }
    pair_laptop(pair);
    pair_connect(pair);
    assert_true(pair_settle(pair));
    pair_cut(pair, false);
    sync_free(pair->laptop.sync);
    pair_laptop(pair);
    pair_connect(pair);
    put_text(pair->here, "f0", "saved");
    put_text(pair->there, "f1", "saved");
    assert_true(pair_settle(pair));
    sync_kill(pair->laptop.sync);
    pair->laptop.sync = NULL;
    pair_cut(pair, false);
    read_state(pair, "snapshot", snapshot);
    read_state(pair, "journal", journal);
    assert_true(journal->size > 16);
}

/* What people did meanwhile, on either side. */
static void edit(struct pair *pair, int turn)
{
    char here[32], there[32];
    snprintf(here, sizeof here, "here %d", turn);
    snprintf(there, sizeof there, "there %d", turn);
    put_text(pair->here, "f0", here);
    put_text(pair->there, "f1", there);
    put_text(pair->here, "f2", here);
    put_text(pair->there, "f3", there);
    put_text(pair->here, "new", here);
}

static void assert_nothing_lost(struct pair *pair, int turn)
{
    char here[32], there[32];
    snprintf(here, sizeof here, "here %d", turn);
    snprintf(there, sizeof there, "there %d", turn);
    assert_text(pair->here, "f0", here);
    assert_text(pair->there, "f1", there);
    assert_text(pair->here, "f2", here);
    assert_text(pair->there, "f3", there);
    assert_text(pair->here, "new", here);
    assert_text(pair->there, "new", here);
    assert_text(pair->here, "f5", "base");
    assert_text(pair->there, "f5", "base");
}

static void one_start(const char *which, bool cut_off, int turn, int turns)
{
    struct pair pair;
    struct buf files[2];
    static const char *const names[] = {"snapshot", "journal"};
    remember(&pair, &files[0], &files[1]);
    for (int i = 0; i < 2; i++) {
        bool damaged = strcmp(which, names[i]) == 0;
        size_t at = files[i].size * (size_t)turn / (size_t)turns;
        struct bytes bytes = buf_bytes(&files[i]);
        if (damaged && cut_off)
            bytes.size = at;
        else if (damaged)
            files[i].data[at] ^= 0x40;
        write_state(&pair, names[i], bytes);
        buf_dispose(&files[i]);
    }
    edit(&pair, turn);
    pair_laptop(&pair);
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    assert_nothing_lost(&pair, turn);
    assert_int_equal(pair.laptop.guards, 0);
    struct sync_status status;
    sync_status(pair.laptop.sync, &status);
    assert_in_range(status.conflicts, 0, 4);
    pair_dispose(&pair);
}

static void and_costs_a_look_at_everything_but_no_save(void **state)
{
    enum { TURNS = 3 };
    for (int turn = 0; turn < TURNS; turn++)
        for (int cut_off = 0; cut_off < 2; cut_off++) {
            one_start("snapshot", cut_off, turn, TURNS);
            one_start("journal", cut_off, turn, TURNS);
        }
}

static void with_nothing_damaged_there_is_no_conflict(void **state)
{
    struct pair pair;
    struct buf files[2];
    remember(&pair, &files[0], &files[1]);
    buf_dispose(&files[0]);
    buf_dispose(&files[1]);
    edit(&pair, 1);
    pair_laptop(&pair);
    pair_connect(&pair);
    assert_true(pair_settle(&pair));
    assert_nothing_lost(&pair, 1);
    assert_int_equal(pair.laptop.conflicts, 0);
    assert_same_trees(&pair);
    pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_that_is_damaged_anywhere_is_refused),
        cmocka_unit_test(with_nothing_damaged_there_is_no_conflict),
        cmocka_unit_test(and_costs_a_look_at_everything_but_no_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
