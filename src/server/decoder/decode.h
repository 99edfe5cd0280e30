/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes a picture with libvips: runs inside the confined worker (sandbox/worker.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct photo_reply;
struct photo_request;

/* Before work_serve: loads and initialises the library. */
bool decode_prepare(const char *program);

/* Reads the file, and writes pixels (upright, sRGB, RGB or RGBA) to `shared`. */
void decode_photo(int file, const struct photo_request *request, uint8_t *shared,
                  size_t shared_bytes, struct photo_reply *reply);
