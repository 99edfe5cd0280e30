/* SPDX-License-Identifier: Apache-2.0 */
#include "link/advice.h"

#include <string.h>

#include "support/test.h"

static void the_usual_refusals_come_with_what_to_do(void **state)
{
    (void)state;
    char out[160];
    advice_for(bytes_of("me@gpu: Permission denied (publickey)."), "gpu", out, sizeof out);
    assert_non_null(strstr(out, "\"ssh gpu true\" must work first"));
    advice_for(bytes_of("Host key verification failed."), "gpu", out, sizeof out);
    assert_non_null(strstr(out, "once by hand"));
    advice_for(bytes_of("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n"
                        "Host key verification failed."),
               "gpu", out, sizeof out);
    assert_non_null(strstr(out, "not the one that is known"));
}

static void nothing_is_made_up(void **state)
{
    (void)state;
    char out[160] = "x";
    advice_for(bytes_of("ssh: connect to host gpu port 22: Connection refused"), "gpu", out,
               sizeof out);
    assert_string_equal(out, "");
    advice_for((struct bytes){0}, "gpu", out, sizeof out);
    assert_string_equal(out, "");
}

static void a_name_of_any_length_and_content_fits(void **state)
{
    (void)state;
    char host[400], out[40];
    memset(host, '%', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    advice_for(bytes_of("Permission denied"), host, out, sizeof out);
    assert_int_equal(strlen(out), sizeof out - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_refusals_come_with_what_to_do),
        cmocka_unit_test(nothing_is_made_up),
        cmocka_unit_test(a_name_of_any_length_and_content_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
