/* SPDX-License-Identifier: Apache-2.0 */
/* Random work on both trees, with cuts of the link and kills of either engine at any step, compared
 * with what must come out. A failing seed is printed; SYNC_SEED repeats it. */
#include "sync/pair.h"

#include <errno.h>
#include <time.h>

enum { ROUNDS = 360, STEPS = 6, NAMES = 7, PARTS = 9 };

static const char *program; /* this one: it runs the parts of a test side by side */

struct rng {
    uint64_t state;
};

static uint32_t roll(struct rng *rng, uint32_t below)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = rng->state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % below);
}

/* Names of the laptop's begin with another letter than the remote's where both must not meet. */
static char *random_path(struct rng *rng, char prefix)
{
    static const char *const folders[] = {"", "", "d/", "e/", "d/f/", "d/f/g/"};
    return xasprintf("%s%c%u", folders[roll(rng, 6)], prefix, roll(rng, NAMES));
}

static void make_parents(const char *root, const char *path)
{
    AUTO(mem_free) char *full = pair_path(root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(full, 0755);
    }
}

static void write_content(const char *full, struct rng *rng, size_t size)
{
    struct error err;
    AUTO(mem_free) uint8_t *bytes = xmalloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)roll(rng, i % 3 ? 4 : 256);
    AUTO(fd_close) int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0)
        assert_ok(fd_write_all(fd, (struct bytes){bytes, size}, &err), &err);
}

static void beside_and_rename(const char *full, struct rng *rng)
{
    AUTO(mem_free) char *beside = xasprintf("%s.tmp", full);
    write_content(beside, rng, roll(rng, 300));
    if (rename(beside, full) != 0)
        unlink(beside);
}

/* One change by a person or a program. */
static void change(struct rng *rng, const char *root, char prefix)
{
    AUTO(mem_free) char *path = random_path(rng, prefix);
    AUTO(mem_free) char *other = random_path(rng, prefix);
    AUTO(mem_free) char *full = pair_path(root, path);
    AUTO(mem_free) char *second = pair_path(root, other);
    struct error err;
    make_parents(root, path);
    uint32_t what = roll(rng, 12);
    if (getenv("SYNC_TEST_LOUD"))
        fprintf(stderr, "  change %u %s %s %s\n", what, root, path, other);
    switch (what) {
    case 0:
    case 1:
    case 2:
        write_content(full, rng, roll(rng, 400));
        break;
    case 3:
        beside_and_rename(full, rng);
        break;
    case 4:
        unlink(full);
        break;
    case 5:
        make_parents(root, other);
        if (rename(full, second) != 0)
            unlink(full);
        break;
    case 6:
        chmod(full, roll(rng, 2) ? 0755 : 0600);
        break;
    case 7:
        if (symlink("nowhere/to/be", full) != 0)
            unlink(full);
        break;
    case 8:
        assert_ok(tree_remove(full, &err), &err);
        break;
    case 9:
        if (mkdir(full, 0755) == 0)
            write_content(second, rng, 10);
        break;
    case 10:
        write_content(full, rng, 0);
        break;
    default:
        write_content(full, rng, roll(rng, 8) ? 2000 : 700 * 1024);
        break;
    }
}

static void revive(struct pair *pair)
{
    if (!pair->laptop.sync)
        pair_laptop(pair);
    if (!pair->connected)
        pair_connect(pair);
}

/* What happened to all pairs together. */
struct toll {
    unsigned cuts, kills;
};

static void kill_laptop(struct pair *pair, bool orderly)
{
    struct sync *sync = pair->laptop.sync;
    pair->laptop.sync = NULL;
    if (orderly)
        sync_free(sync);
    else
        sync_kill(sync);
    pair_cut(pair, !orderly);
}

/* Some turns with a few bytes each, after which somebody may pull the plug. */
static void go_on_for_a_while(struct pair *pair, struct rng *rng, struct toll *toll)
{
    bool break_off = roll(rng, 3) == 0;
    bool laptop = roll(rng, 2);
    if (break_off && (laptop ? pair->laptop.sync : pair->remote.sync))
        sync_fault(laptop ? pair->laptop.sync : pair->remote.sync, 1 + roll(rng, 12));
    for (uint32_t turns = roll(rng, 12); turns; turns--) {
        size_t limit = roll(rng, 2) ? 1 + roll(rng, 2000) : SIZE_MAX;
        struct error err;
        pair->now_us += roll(rng, 20000);
        bool good = pair_turn(pair, &pair->laptop, limit, &err) &&
                    pair_turn(pair, &pair->remote, limit, &err);
        bool crashed = (pair->laptop.sync && sync_crashed(pair->laptop.sync)) ||
                       (pair->remote.sync && sync_crashed(pair->remote.sync));
        if (crashed)
            break;
        assert_ok(good, &err);
    }
    bool laptop_died = sync_crashed(pair->laptop.sync);
    bool remote_died = !laptop_died && pair->remote.sync && sync_crashed(pair->remote.sync);
    toll->kills += laptop_died || remote_died;
    if (laptop_died)
        kill_laptop(pair, false);
    else if (remote_died)
        pair_cut(pair, true);
    else if (break_off)
        sync_fault(laptop ? pair->laptop.sync : pair->remote.sync, 0);
    switch (roll(rng, 8)) {
    case 0:
        if (!pair->connected)
            break;
        pair_cut(pair, roll(rng, 2));
        toll->cuts++;
        break;
    case 1:
        if (!pair->laptop.sync)
            break;
        kill_laptop(pair, roll(rng, 2));
        toll->kills++;
        break;
    default:
        break;
    }
}

static uint64_t first_seed(void)
{
    const char *given = getenv("SYNC_SEED");
    return given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000;
}

static unsigned rounds(void)
{
    const char *given = getenv("SYNC_ROUNDS");
    return given ? (unsigned)strtoul(given, NULL, 10) : ROUNDS;
}

/* The lines of `a` that `b` has not. */
static void show_missing(const char *title, const char *a, const char *b)
{
    AUTO(mem_free) char *copy = xstrdup(a);
    char *rest;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (!strstr(b, line))
            print_error("%s %s\n", title, line);
}

static void show_and_fail(const struct pair *pair, uint64_t seed, unsigned round, const char *here,
                          const char *there)
{
    show_missing("only here: ", here, there);
    show_missing("only there:", there, here);
    fail_msg("mode %s seed %llu round %u (the pair began %u seeds before): %u conflicts, \"%s\"",
             sync_mode_name(pair->mode), (unsigned long long)seed, round, round % 10,
             pair->laptop.conflicts, pair->laptop.last_note);
}

/* The lines of `text` whose last name begins with `letter`. */
static char *lines_of(const char *text, char letter)
{
    struct error err;
    AUTO(mem_free) char *copy = xstrdup(text);
    AUTO(buf_dispose) struct buf out = BUF(64 << 20);
    char *rest;
    assert_true(buf_text(&out, "", &err));
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        size_t path = strcspn(line, " ");
        while (path && line[path - 1] != '/')
            path--;
        if (line[path] == letter)
            assert_true(buf_printf(&out, &err, "%s\n", line));
    }
    return buf_take(&out);
}

struct game {
    struct pair *pair;
    struct toll *toll;
    uint64_t seed;
    unsigned round;
    bool meet;  /* both sides change the same names */
    bool rules; /* the ignore rules change, too */
};

static void describe_both(const struct pair *pair, struct buf *here, struct buf *there)
{
    describe_tree(pair->here, "", here);
    describe_tree(pair->there, "", there);
}

/* What was made there is theirs, what is here is there as well, and no more than that. */
static void judge_one_way(const struct game *game, const char *before, const char *here,
                          const char *there)
{
    AUTO(mem_free) char *theirs_before = lines_of(before, 'z');
    AUTO(mem_free) char *theirs = lines_of(there, 'z');
    AUTO(mem_free) char *ours_here = lines_of(here, 'a');
    AUTO(mem_free) char *ours_there = lines_of(there, 'a');
    if (strcmp(theirs_before, theirs) != 0 || strcmp(ours_here, ours_there) != 0 ||
        game->pair->laptop.conflicts)
        show_and_fail(game->pair, game->seed, game->round, here, there);
}

static void play_round(const struct game *game)
{
    struct pair *pair = game->pair;
    bool one_way = pair->mode == SYNC_ONE_WAY_SAFE;
    bool both = sync_mode_two_way(pair->mode) || one_way || game->meet;
    struct rng rng = {game->seed};
    if (getenv("SYNC_TEST_LOUD"))
        fprintf(stderr, "== round %u seed %llu\n", game->round, (unsigned long long)game->seed);
    for (uint32_t step = roll(&rng, STEPS); step; step--) {
        revive(pair);
        for (uint32_t i = roll(&rng, 5); i; i--)
            change(&rng, pair->here, 'a');
        for (uint32_t i = roll(&rng, 5); i && both; i--)
            if (access(pair->there, F_OK) == 0)
                change(&rng, pair->there, game->meet ? 'a' : 'z');
        if (game->rules && step % 2) { /* nothing here has such a name */
            char rule[32];
            snprintf(rule, sizeof rule, "never-%u\n", step);
            put_text(pair->here, ".gitignore", rule);
        }
        go_on_for_a_while(pair, &rng, game->toll);
    }
    AUTO(buf_dispose) struct buf before = BUF(64 << 20);
    AUTO(buf_dispose) struct buf here = BUF(64 << 20);
    AUTO(buf_dispose) struct buf there = BUF(64 << 20);
    describe_tree(pair->there, "", &before);
    revive(pair);
    if (!pair_settle(pair))
        fail_msg("seed %llu: does not settle", (unsigned long long)game->seed);
    describe_both(pair, &here, &there);
    if (one_way) {
        judge_one_way(game, buf_string(&before), buf_string(&here), buf_string(&there));
        return;
    }
    bool same = strcmp(buf_string(&here), buf_string(&there)) == 0;
    bool conflict = pair->laptop.conflicts > 0;
    if ((!same && !(game->meet && conflict)) || (conflict && !game->meet))
        show_and_fail(pair, game->seed, game->round, buf_string(&here), buf_string(&there));
}

/* One pair lives through some rounds, since what is remembered is part of what is tested. */
static void play_from(enum sync_mode mode, bool meet, uint64_t seed, unsigned total, bool rules,
                      struct toll *toll)
{
    struct pair pair;
    for (unsigned round = 0; round < total; round++, seed++) {
        if (round % 10 == 0) {
            if (round)
                pair_dispose(&pair);
            pair_init(&pair, mode);
            pair.allow = true;
            pair.near = round / 10 % 2;
        }
        play_round(&(struct game){&pair, toll, seed, round, meet, rules && seed % 4 == 0});
        assert_false(exists(pair.here, ".vma-stage"));
        assert_false(exists(pair.there, ".vma-stage"));
    }
    if (total)
        pair_dispose(&pair);
}

/* What one of the programs that were started says: "toll CUTS KILLS", and what went wrong. */
static bool end_part(FILE *part, struct toll *toll)
{
    char line[2048];
    unsigned cuts, kills;
    struct error err;
    AUTO(buf_dispose) struct buf said = BUF(16 << 20);
    while (fgets(line, sizeof line, part)) {
        if (sscanf(line, "toll %u %u", &cuts, &kills) == 2) {
            toll->cuts += cuts;
            toll->kills += kills;
        } else if (!buf_printf(&said, &err, "%s", line)) {
            break;
        }
    }
    if (pclose(part) == 0)
        return true;
    print_error("%s", buf_string(&said));
    return false;
}

/* Most of the time passes while the kernel ends watches, so the parts wait together. */
static void play(void **state, enum sync_mode mode, bool meet)
{
    FILE *parts[PARTS];
    uint64_t seed = first_seed();
    unsigned total = rounds(), done = 0;
    bool good = true;
    for (unsigned i = 0; i < PARTS; i++) {
        unsigned count = (total - done) / (PARTS - i);
        AUTO(mem_free)
        char *command = xasprintf("exec '%s' %d %d %llu %u 2>&1", program, (int)mode, meet,
                                  (unsigned long long)(seed + done), count);
        done += count;
        parts[i] = popen(command, "r"); /* NOLINT(cert-env33-c) */
        assert_non_null(parts[i]);
    }
    for (unsigned i = 0; i < PARTS; i++)
        good = end_part(parts[i], *state) && good;
    assert_true(good);
}

struct part {
    enum sync_mode mode;
    bool meet;
    uint64_t seed;
    unsigned rounds;
};

static void a_part(void **state)
{
    const struct part *part = *state;
    struct toll toll = {0};
    play_from(part->mode, part->meet, part->seed, part->rounds, true, &toll);
    printf("toll %u %u\n", toll.cuts, toll.kills);
}

static int play_part(char **argv)
{
    struct part part = {(enum sync_mode)strtol(argv[1], NULL, 10), argv[2][0] == '1',
                        strtoull(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10)};
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(a_part, &part)};
    return cmocka_run_group_tests_name("part", tests, NULL, NULL);
}

static void a_mirror_is_equal_after_any_cuts_and_kills(void **state)
{
    play(state, SYNC_MIRROR, false);
}

static void a_mirror_wins_over_changes_on_the_other_side(void **state)
{
    play(state, SYNC_MIRROR, true);
}

static void one_way_safe_keeps_what_was_made_there(void **state)
{
    play(state, SYNC_ONE_WAY_SAFE, false);
}

static void two_sides_that_do_not_meet_never_conflict(void **state)
{
    play(state, SYNC_TWO_WAY_SAFE, false);
}

static void two_sides_that_meet_are_resolved_for_the_laptop(void **state)
{
    play(state, SYNC_TWO_WAY_RESOLVED, true);
}

/* What was asked for came after the answer to a newer save, and was taken for newer; a save before
 * the answer to the last one was a conflict; a move changed the mode of what it moved; what changed
 * there while the laptop still looked at its own tree was not taken note of; what was asked for and
 * gone by then was never answered, or came after the word that it is gone and was believed. */
static void seeds_that_failed_once(void **state)
{
    play_from(SYNC_TWO_WAY_RESOLVED, true, UINT64_C(30689285518), 1, false, *state);
    play_from(SYNC_TWO_WAY_SAFE, false, UINT64_C(1795420313130), 4, false, *state);
    play_from(SYNC_ONE_WAY_SAFE, false, UINT64_C(1295176038), 6, false, *state);
    play_from(SYNC_MIRROR, true, UINT64_C(1795439146000), 5, true, *state);
    play_from(SYNC_TWO_WAY_SAFE, false, UINT64_C(1795454457320), 1, true, *state);
    play_from(SYNC_TWO_WAY_RESOLVED, true, UINT64_C(1795457733080), 17, true, *state);
}

/* The last test: what was asked of all rounds together. */
static void there_were_a_thousand_cuts_and_kills(void **state)
{
    const struct toll *toll = *state;
    print_message("%u cuts, %u kills\n", toll->cuts, toll->kills);
    if (rounds() >= ROUNDS)
        assert_true(toll->cuts + toll->kills >= 1000);
}

int main(int argc, char **argv)
{
    struct toll toll = {0};
    program = argv[0];
    if (argc == 5)
        return play_part(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(seeds_that_failed_once, &toll),
        cmocka_unit_test_prestate(a_mirror_is_equal_after_any_cuts_and_kills, &toll),
        cmocka_unit_test_prestate(a_mirror_wins_over_changes_on_the_other_side, &toll),
        cmocka_unit_test_prestate(one_way_safe_keeps_what_was_made_there, &toll),
        cmocka_unit_test_prestate(two_sides_that_do_not_meet_never_conflict, &toll),
        cmocka_unit_test_prestate(two_sides_that_meet_are_resolved_for_the_laptop, &toll),
        cmocka_unit_test_prestate(there_were_a_thousand_cuts_and_kills, &toll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
