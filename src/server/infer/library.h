/* SPDX-License-Identifier: Apache-2.0 */
/* Where ONNX Runtime's shared library is. */
#pragma once

#include <stddef.h>

#include "base/attributes.h"

struct error;

/* Loads `path`, or searches when it is NULL; returns dlopen's handle and the name that worked. */
MUST_USE void *library_load(const char *path, char *out_name, size_t name_size, struct error *err);
