/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a channel through zstd: a stream that is flushed at every frame, so that what
 * repeats in it is found again however far apart the frames are. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

struct error;
struct zpack;
struct zunpack;

/* Of raw bytes in one frame: whatever they are, they fit the frame's payload when packed. */
enum { ZSTREAM_RAW_MAX = 63 * 1024, ZSTREAM_UNPACKED_MAX = 1024 * 1024 };

struct zpack *zpack_new(int level);
void zpack_level(struct zpack *pack, int level);
void zpack_free(struct zpack *pack);
/* Packs `raw` (at most ZSTREAM_RAW_MAX) into `out`; how many bytes that gave. */
size_t zpack_frame(struct zpack *pack, struct bytes raw, uint8_t *out, size_t room);

struct zunpack *zunpack_new(void);
void zunpack_free(struct zunpack *unpack);
/* Begins with a frame's payload; then zunpack_next until *out is empty. *out is borrowed until
 * the next call. False for what is no zstd stream or asks for a window above 8 MiB. */
void zunpack_frame(struct zunpack *unpack, struct bytes packed);
MUST_USE bool zunpack_next(struct zunpack *unpack, struct bytes *out, struct error *err);
