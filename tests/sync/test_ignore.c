/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "sync/ignore.h"

static void patterns_match_as_git_reads_them(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"*.o", "a.o", true},          {"*.o", "d/a.o", false},       {"d/*.o", "d/a.o", true},
        {"d/*.o", "d/e/a.o", false},   {"**/a", "a", true},           {"**/a", "x/y/a", true},
        {"a/**", "a/b/c", true},       {"a/**", "a", false},          {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},   {"a/**/b", "a/xb", false},     {"?.c", "x.c", true},
        {"?.c", "/.c", false},         {"[a-c]x", "bx", true},        {"[!a-c]x", "bx", false},
        {"[]]x", "]x", true},          {"[[:digit:]]x", "7x", true},  {"a\\*b", "a*b", true},
        {"a\\*b", "axb", false},       {"a**b", "aXXb", true},        {"**/**/x", "a/b/c/x", true},
        {"*a*b*c", "xxaxxbxxc", true}, {"*a*b*c", "xxaxxbxx", false}, {"[a", "[a", false},
        {"a\\", "a\\", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ignore_wildmatch(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("%s against %s", cases[i].pattern, cases[i].text);
}

static void a_hostile_pattern_takes_no_time(void **state)
{
    char text[3000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(ignore_wildmatch("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
    for (size_t i = 1; i < sizeof text - 1; i += 2)
        text[i] = '/';
    assert_false(ignore_wildmatch("**/*a/**/*a/**/*a/**/*a/**/b", text));
}

static void secrets_are_protected_whatever_gitignore_says(void **state)
{
    AUTO(ignore_free) struct ignore *ignore = ignore_new();
    ignore_add(ignore, NULL, "", bytes_of("!.env\n!*.pem\n"));
    assert_int_equal(ignore_match_path(ignore, "a/.env", false), IGNORE_PROTECTED);
    assert_int_equal(ignore_match_path(ignore, ".env.local", false), IGNORE_PROTECTED);
    assert_int_equal(ignore_match_path(ignore, ".env.example", false), IGNORE_NOT);
    assert_int_equal(ignore_match_path(ignore, "k/id_rsa", false), IGNORE_PROTECTED);
    assert_int_equal(ignore_match_path(ignore, "storage/x", false), IGNORE_PROTECTED);
    assert_int_equal(ignore_match_path(ignore, "src/storage/x", false), IGNORE_NOT);
    assert_int_equal(ignore_match_path(ignore, ".vma-stage/1", false), IGNORE_PROTECTED);
    assert_int_equal(ignore_match_path(ignore, "a/.vma-stage-1", false), IGNORE_PROTECTED);
}

/* --- Against git itself -------------------------------------------------------------------- */

static uint64_t state_of_dice = 88172645463325252u;

static unsigned roll(unsigned below)
{
    state_of_dice ^= state_of_dice << 13;
    state_of_dice ^= state_of_dice >> 7;
    state_of_dice ^= state_of_dice << 17;
    return (unsigned)(state_of_dice >> 33) % below;
}

static const char *const parts[] = {"a", "b", "ab", "a.o", "b.o", "x y", "build"};

static void random_pattern(struct buf *out)
{
    static const char *const bits[] = {
        "a",   "b",   "ab", "*",   "**",  "/", "/",   "?",     ".o",          "[ab]", "[!a]",
        "\\a", "*.o", "b*", "**/", "/**", " ", "\\ ", "build", "[[:alpha:]]", "[a-b]"};
    struct error err;
    if (roll(5) == 0)
        assert_true(buf_text(out, "!", &err));
    if (roll(4) == 0)
        assert_true(buf_text(out, "/", &err));
    for (unsigned i = 1 + roll(4); i; i--)
        assert_true(buf_text(out, bits[roll(sizeof bits / sizeof *bits)], &err));
    assert_true(buf_text(out, roll(4) == 0 ? "/\n" : "\n", &err));
}

static void write_rules(const char *top, const char *folder, struct ignore *ignore)
{
    struct error err;
    AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
    for (unsigned i = 1 + roll(4); i; i--)
        random_pattern(&text);
    AUTO(mem_free)
    char *path = xasprintf("%s/%s%s.gitignore", top, folder, *folder ? "/" : "");
    assert_ok(file_write(path, buf_bytes(&text), &err), &err);
    const struct ignore_dir *outer = *folder ? ignore_dir_at(ignore, NULL, "") : NULL;
    ignore_add(ignore, outer, folder, buf_bytes(&text));
}

/* Two levels of folders and files in each. */
static size_t make_paths(const char *top, char *paths[], bool *is_dir)
{
    enum { PARTS = sizeof parts / sizeof *parts };
    size_t count = 0;
    struct error err;
    for (unsigned i = 0; i < PARTS; i++) {
        bool folder = i < 2 || i == 6;
        AUTO(mem_free) char *full = xasprintf("%s/%s", top, parts[i]);
        if (folder)
            assert_int_equal(mkdir(full, 0755), 0);
        else
            assert_ok(file_write(full, bytes_of(""), &err), &err);
        is_dir[count] = folder;
        paths[count++] = xstrdup(parts[i]);
        for (unsigned j = 0; folder && j < PARTS; j++) {
            AUTO(mem_free) char *inner = xasprintf("%s/%s", full, parts[j]);
            assert_ok(file_write(inner, bytes_of(""), &err), &err);
            is_dir[count] = false;
            paths[count++] = xasprintf("%s/%s", parts[i], parts[j]);
        }
    }
    return count;
}

static void agrees_with_git_about_random_rules(void **state)
{
    enum { ROUNDS = 60 };
    AUTO(test_dir_free) char *top = test_dir_new();
    AUTO(mem_free) char *init = xasprintf("cd '%s' && git init -q . 2>/dev/null", top);
    if (system(init) != 0)
        skip();
    char *paths[64];
    bool is_dir[64];
    struct error err;
    size_t count = make_paths(top, paths, is_dir);
    AUTO(mem_free) char *names = xasprintf("%s/.git/names", top);
    AUTO(mem_free) char *answer = xasprintf("%s/.git/answer", top);
    AUTO(mem_free)
    char *command = xasprintf("cd '%s' && git -c core.excludesFile=/dev/null check-ignore "
                              "--no-index -z --stdin < .git/names > .git/answer; true",
                              top);
    AUTO(buf_dispose) struct buf list = BUF(64 * 1024);
    for (size_t i = 0; i < count; i++)
        assert_true(
            buf_append(&list, (struct bytes){(uint8_t *)paths[i], strlen(paths[i]) + 1}, &err));
    assert_ok(file_write(names, buf_bytes(&list), &err), &err);
    for (unsigned round = 0; round < ROUNDS; round++) {
        AUTO(ignore_free) struct ignore *ignore = ignore_new();
        ignore_set_protect(ignore, bytes_of(""));
        write_rules(top, "", ignore);
        write_rules(top, "a", ignore);
        assert_int_equal(system(command), 0);
        AUTO(buf_dispose) struct buf said = BUF(64 * 1024);
        assert_ok(file_read(answer, &said, &err), &err);
        for (size_t i = 0; i < count; i++) {
            bool git = false;
            for (size_t at = 0; at < said.size; at += strlen((char *)said.data + at) + 1)
                git = git || strcmp((char *)said.data + at, paths[i]) == 0;
            bool ours = ignore_match_path(ignore, paths[i], is_dir[i]) != IGNORE_NOT;
            if (git != ours) {
                AUTO(mem_free) char *show =
                    xasprintf("cd '%s' && grep -n '' .gitignore a/.gitignore >&2", top);
                if (system(show) != 0)
                    print_error("no rules\n");
                fail_msg("round %u: %s: git %d, ours %d", round, paths[i], git, ours);
            }
        }
    }
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_git_reads_them),
        cmocka_unit_test(a_hostile_pattern_takes_no_time),
        cmocka_unit_test(secrets_are_protected_whatever_gitignore_says),
        cmocka_unit_test(agrees_with_git_about_random_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
