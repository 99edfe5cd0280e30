/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/jv.h"
#include "link/ledger.h"

static size_t orphans_of(const char *folder, const char *host, bool told, const char **out_name)
{
    static char name[64];
    AUTO(jv_free) struct jv *list = jv_array();
    struct orphans *orphans = ledger_orphans(folder, host, list);
    snprintf(name, sizeof name, "%s", jv_as_text(jv_at(list, 0), ""));
    if (out_name)
        *out_name = name;
    ledger_settle(orphans, told);
    return jv_size(list);
}

static void what_a_dead_client_left_is_found_until_the_host_was_told(void **state)
{
    char folder[] = "/tmp/ledger-XXXXXX";
    const char *name;
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct ledger *ours = ledger_open(folder, "aa", "gpu");
    assert_non_null(ours);
    assert_null(ledger_open(folder, "aa", "gpu"));
    assert_int_equal(orphans_of(folder, "gpu", false, NULL), 0); /* we live */

    pid_t child = fork();
    if (child == 0) { /* one that is killed */
        struct ledger *left = ledger_open(folder, "bb", "gpu");
        _exit(left == NULL);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(orphans_of(folder, "other", true, NULL), 0);
    assert_int_equal(orphans_of(folder, "gpu", false, &name), 1);
    assert_string_equal(name, "bb");
    assert_int_equal(orphans_of(folder, "gpu", true, NULL), 1);
    assert_int_equal(orphans_of(folder, "gpu", true, NULL), 0);

    ledger_close(ours, false); /* ended while the link was cut */
    assert_int_equal(orphans_of(folder, "gpu", true, NULL), 1);
    ledger_close(ledger_open(folder, "cc", "gpu"), true);
    assert_int_equal(orphans_of(folder, "gpu", true, NULL), 0);
    assert_true(tree_remove(folder, NULL));
}

static void a_folder_that_is_not_there_costs_nothing(void **state)
{
    (void)state;
    assert_null(ledger_open("/no/such/folder", "aa", "gpu"));
    assert_int_equal(orphans_of("/no/such/folder", "gpu", true, NULL), 0);
    ledger_close(NULL, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_dead_client_left_is_found_until_the_host_was_told),
        cmocka_unit_test(a_folder_that_is_not_there_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
