/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "pipeline/estimate_internal.h"

static struct outlook fresh(void)
{
    return (struct outlook){
        .by = estimates_first(), .megapixels = .262, .fps = 25, .characters = 80};
}

/* A message whose frames take `each_s`, whatever was expected: what is shown climbs, and is
 * neither done too early nor stuck near the end. */
static void assert_honest(double each_s)
{
    struct outlook outlook = fresh();
    double before = 0, now_s = .3, longest_wait = 0;
    double total_s = now_s + 250 * each_s + .05, at_half = 0;
    outlook.portrait_ready = outlook.plan_ready = true;
    outlook.sound_s = 10;
    outlook.frames = 250;
    outlook.frames_began_s = now_s;
    for (int i = 1; i <= 250; i++, now_s += each_s) {
        outlook.frames_done = i;
        double percent = outlook_percent(&outlook, now_s);
        assert_true(percent >= before && percent <= 99);
        if (percent - before > longest_wait)
            longest_wait = percent - before;
        before = percent;
        if (i == 125)
            at_half = percent;
    }
    assert_true(before > 90);
    assert_true(longest_wait < 25);
    assert_true(at_half > 25 && at_half < 75);
    assert_true(outlook_left_s(&outlook, total_s) < .3);
}

static void progress_is_honest_whatever_was_expected(void **state)
{
    assert_honest(.001);
    assert_honest(.004);
    assert_honest(.05);
}

static void progress_never_reaches_the_end_by_itself(void **state)
{
    struct outlook outlook = fresh();
    for (double now_s = 0; now_s < 600; now_s += 7)
        assert_true(outlook_percent(&outlook, now_s) <= 99);
    assert_true(outlook_left_s(&outlook, 600) > 0);
}

static void measurements_are_averaged_and_kept(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/estimates.json", dir);
    struct estimates estimates = estimates_first();
    struct estimates measured = {.portrait_s = estimates.portrait_s + 3};
    double speech = estimates.speech_s_per_s;
    estimates_learn(&estimates, &measured);
    assert_true(estimates.portrait_s > 1.1 && estimates.portrait_s < 1.2);
    assert_true(estimates.speech_s_per_s <= speech && estimates.speech_s_per_s >= speech);
    estimates_save(&estimates, path);
    struct estimates again = estimates_load(path);
    assert_true(again.portrait_s > 1.1 && again.portrait_s < 1.2);
}

static void a_file_of_nonsense_is_not_believed(void **state)
{
    static const char *const contents[] = {
        "", "{", "[]", "{\"portrait_s\": -1, \"finish_s\": \"x\"}", "{\"portrait_s\": 1e300}"};
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/estimates.json", dir);
    struct error err;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        assert_ok(file_write(path, bytes_of(contents[i]), &err), &err);
        struct estimates estimates = estimates_load(path);
        assert_true(estimates.portrait_s > .1 && estimates.portrait_s < .2);
        assert_true(estimates.finish_s > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_honest_whatever_was_expected),
        cmocka_unit_test(progress_never_reaches_the_end_by_itself),
        cmocka_unit_test(measurements_are_averaged_and_kept),
        cmocka_unit_test(a_file_of_nonsense_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
