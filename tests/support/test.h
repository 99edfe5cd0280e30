/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka and the assertions of this project. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"

/* The kind and the whole text of an error. */
void assert_error(const struct error *err, enum error_kind kind, const char *text);
/* `condition` must hold; otherwise the error's text is shown. */
#define assert_ok(condition, err)                                                                  \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s: %s", #condition, (err)->text);                                           \
    } while (0)
void assert_bytes_equal(struct bytes actual, struct bytes expected);

/* A fresh folder, removed with all that is in it by test_dir_free. */
char *test_dir_new(void);
void test_dir_free(char *path);
static inline void test_dir_free_auto(char **path)
{
    test_dir_free(*path);
}
