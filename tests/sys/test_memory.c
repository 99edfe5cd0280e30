/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/memory.h"

/* Addresses that the loader fills in, in memory that is read-only afterwards. */
static double (*const functions[])(double) = {sqrt, fabs, floor};
static const char *const words[] = {"one", "two", "three"};

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static long resident_file_kb(void)
{
    char line[200];
    long kb = -1;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "RssFile:", 8) == 0)
            kb = strtol(line + 8, NULL, 10);
    if (file)
        fclose(file);
    return kb;
}

static void everything_works_as_before(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        const char *sorted[] = {words[2], words[1], words[0]};
        memory_let_go_of_code();
        qsort(sorted, 3, sizeof *sorted, compare);
        assert_string_equal(sorted[1], "three");
        assert_true(functions[0](81) == 9 && functions[1](-3) == 3 && functions[2](2.5) == 2);
    }
}

static void code_that_rests_takes_no_memory(void **state)
{
    (void)state;
    long before_kb = resident_file_kb();
    if (before_kb < 0)
        skip();
    memory_let_go_of_code();
    assert_true(resident_file_kb() < before_kb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_works_as_before),
        cmocka_unit_test(code_that_rests_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
