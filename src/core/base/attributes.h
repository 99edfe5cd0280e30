/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes that let the compiler check what a declaration promises. */
#pragma once

#define MUST_USE   __attribute__((warn_unused_result))
#define NEVER_NULL __attribute__((returns_nonnull))
#define NORETURN   __attribute__((noreturn))

/* Argument `text_at` is a printf format whose values begin at argument `values_at`. */
#define PRINTF_LIKE(text_at, values_at) __attribute__((format(printf, text_at, values_at)))
