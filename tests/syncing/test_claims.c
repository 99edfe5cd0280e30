/* SPDX-License-Identifier: Apache-2.0 */
/* No folder is synced twice or within another, and one that ends is waited for. */
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "syncing/claims.h"

static void a_folder_is_had_once(void **state)
{
    (void)state;
    struct error err;
    struct claims *claims = claims_new();
    struct claim *first = claim_new(claims, "/nowhere/a");
    struct claim *same = claim_new(claims, "/nowhere/b/../a");
    struct claim *inner = claim_new(claims, "/nowhere/a/b");
    struct claim *beside = claim_new(claims, "/nowhere/ab");
    assert_ok(claim_make_good(first, &err), &err);
    assert_false(claim_make_good(same, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_non_null(strstr(err.text, "being synced already"));
    assert_false(claim_make_good(inner, &err));
    assert_non_null(strstr(err.text, "are nested"));
    assert_ok(claim_make_good(beside, &err), &err);
    claim_free(first);
    assert_ok(claim_make_good(inner, &err), &err);
    claim_free(same);
    claim_free(inner);
    claim_free(beside);
    claims_free(claims);
}

static void *make_good(void *claim)
{
    struct error err;
    return claim_make_good(claim, &err) ? claim : NULL;
}

static void one_that_ends_is_waited_for(void **state)
{
    (void)state;
    struct error err;
    struct claims *claims = claims_new();
    struct claim *first = claim_new(claims, "/nowhere/a");
    struct claim *next = claim_new(claims, "/nowhere/a");
    struct claim *last = claim_new(claims, "/nowhere/a");
    pthread_t threads[2];
    void *had;
    assert_ok(claim_make_good(first, &err), &err);
    claim_end(first);
    assert_int_equal(pthread_create(&threads[0], NULL, make_good, last), 0);
    claim_end(last); /* while it waits, or before */
    pthread_join(threads[0], &had);
    assert_null(had);
    assert_int_equal(pthread_create(&threads[1], NULL, make_good, next), 0);
    claim_free(first);
    pthread_join(threads[1], &had);
    assert_ptr_equal(had, next);
    claim_free(next);
    claim_free(last);
    claims_free(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_had_once),
        cmocka_unit_test(one_that_ends_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
