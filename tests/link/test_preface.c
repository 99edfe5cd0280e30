/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "link/preface.h"

static void lines_are_told_from_noise(void **state)
{
    (void)state;
    struct preface preface;
    preface_parse(bytes_of("Welcome to Debian"), &preface);
    assert_int_equal(preface.kind, PREFACE_NOISE);
    preface_parse(bytes_of("VMA-NEED Linux aarch64 zstd\r"), &preface);
    assert_int_equal(preface.kind, PREFACE_NEED);
    assert_string_equal(preface.system, "Linux");
    assert_string_equal(preface.machine, "aarch64");
    assert_string_equal(preface.unpacker, "zstd");
    preface_parse(bytes_of("VMA-READY new"), &preface);
    assert_int_equal(preface.kind, PREFACE_READY_NEW);
    preface_parse(bytes_of("VMA-READY resumed"), &preface);
    assert_int_equal(preface.kind, PREFACE_READY_RESUMED);
    preface_parse(bytes_of("VMA-GONE"), &preface);
    assert_int_equal(preface.kind, PREFACE_GONE);
    preface_parse(bytes_of("VMA-ERROR cannot write x: No space left on device \r"), &preface);
    assert_string_equal(preface.text, "cannot write x: No space left on device");
    preface_parse(bytes_of("VMA-ERROR no\x1b[31mroom"), &preface);
    assert_string_equal(preface.text, "no?[31mroom");
    preface_parse(bytes_of("VMA-NEED "), &preface);
    assert_string_equal(preface.machine, "");
}

/* Runs the command with `answer` as its input, in a home of its own. */
static char *run(const char *home, const char *command, struct bytes answer)
{
    char path[600], output[600];
    snprintf(path, sizeof path, "%s/answer", home);
    snprintf(output, sizeof output, "%s/output", home);
    assert_true(file_write(path, answer, NULL));
    setenv("HOME", home, 1);
    unsetenv("XDG_CACHE_HOME");
    AUTO(mem_free)
    char *line = xasprintf("(%s) < '%s' > '%s' 2>/dev/null", command, path, output);
    int status = system(line);
    (void)status;
    AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
    assert_true(file_read(output, &text, NULL));
    return buf_take(&text);
}

static void the_script_installs_verifies_and_runs(void **state)
{
    (void)state;
    struct error err;
    AUTO(test_dir_free) char *home = test_dir_new();
    struct preface_agent agents[] = {{"x86_64", "1-x86_64-abc"}, {"aarch64", "1-aarch64-abc"}};
    struct preface_plan plan = {agents, 2, "0123", 1000, true};
    AUTO(buf_dispose) struct buf command = BUF(64 * 1024);
    assert_ok(preface_command(&plan, &command, &err), &err);

    const char *program = "#!/bin/sh\necho \"VMA-READY new $*\"\n";
    char sum[SHA256_TEXT_SIZE];
    sha256_text(bytes_of(program), sum);
    AUTO(mem_free) char *good = xasprintf("%zu %s raw\n%s", strlen(program), sum, program);
    AUTO(mem_free) char *bad = xasprintf("%zu %s raw\n%s", strlen(program) - 1, sum, program);

    AUTO(mem_free) char *damaged = run(home, buf_string(&command), bytes_of(bad));
    assert_non_null(strstr(damaged, "VMA-NEED Linux "));
    assert_non_null(strstr(damaged, "VMA-ERROR the agent arrived damaged"));
    AUTO(mem_free) char *first = run(home, buf_string(&command), bytes_of(good));
    assert_non_null(strstr(first, "VMA-NEED Linux "));
    assert_non_null(
        strstr(first, "VMA-READY new agent attach --fresh --session 0123 --keep 1000ms\n"));
    AUTO(mem_free) char *second = run(home, buf_string(&command), bytes_of(""));
    assert_null(strstr(second, "VMA-NEED"));
    assert_non_null(strstr(second, "VMA-READY new"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_told_from_noise),
        cmocka_unit_test(the_script_installs_verifies_and_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
