/* SPDX-License-Identifier: Apache-2.0 */
/* HOT marks a function whose inner loops run over every pixel: it is compiled for speed in every
 * build and, where the compiler can, once for plain x86-64 and once for AVX2 with the choice made
 * when the program starts. */
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
#define HOT
#elif defined(__x86_64__) && defined(__gnu_linux__)
#define HOT __attribute__((optimize("O3"), target_clones("default", "arch=x86-64-v3")))
#elif defined(__GNUC__)
#define HOT __attribute__((optimize("O3")))
#else
#define HOT
#endif
