/* SPDX-License-Identifier: Apache-2.0 */
/* Everything about one frame before a pixel is drawn: where mouth, lids, brows and head are, and
 * from where in the photo a place in the frame comes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/visemes.h"
#include "video/eye.h"
#include "video/face_map.h"
#include "video/gesture.h"
#include "video/head.h"
#include "video/mouth.h"
#include "video/renderer.h"
#include "video/warp.h"

/* How much of a tile and of what may move into it is the person. */
enum tile_cover { COVER_NONE, COVER_PART, COVER_ALL };

/* What a frame's tiles are drawn for. */
enum pass {
    PASS_STILL, /* everything, at rest: the base of all frames */
    PASS_FRAME, /* what moves in it */
};

struct renderer {
    int width, height, fps, frames;
    bool sway, layered; /* layered: the person is drawn over a backdrop */
    struct viseme_track track;
    struct gesture_source gestures;
    struct frame420 base;     /* what a frame begins as */
    struct frame420 backdrop; /* behind the person, when layered */
    struct source photo;
    struct face_map face;
    struct mouth mouth;
    struct eye eyes[2];
    struct head head;
    int tile_columns, tile_rows;
    uint8_t *tile_cover; /* enum tile_cover of each tile, row by row */
    const struct picture
        *still; /* RGB of the base, borrowed; NULL when it is none of the scene's */
};

struct moment {
    const struct renderer *renderer;
    struct gesture gesture;
    struct face_now face;
    struct mouth_now mouth;
    struct eye_now eyes[2];
    bool eyes_move, brows_move, head_moves;
    enum pass pass;
    struct bounds face_box, mouth_box, eye_boxes[2], brow_boxes[2]; /* in the frame */
    struct offset *head; /* of each node; NULL when the head is still */
};

/* For PASS_FRAME. */
void moment_init(struct moment *moment, const struct renderer *renderer, int index);
void moment_dispose(struct moment *moment);

bool bounds_touch(const struct bounds *bounds, const struct tile *tile);

/* What the head does to a tile: its motion at the four corners. */
struct tile_head {
    struct offset corners[4]; /* upper left, upper right, lower left, lower right */
};
struct tile_head moment_tile_head(const struct moment *moment, const struct tile *tile);

/* From the frame to the face that talks but does not sway. */
static inline void tile_head_undo(const struct tile_head *head, const struct tile *tile, float *x,
                                  float *y)
{
    float across = (*x - (float)tile->x) / TILE, down = (*y - (float)tile->y) / TILE;
    const struct offset *at = head->corners;
    float upper_x = at[0].x + (at[1].x - at[0].x) * across;
    float lower_x = at[2].x + (at[3].x - at[2].x) * across;
    float upper_y = at[0].y + (at[1].y - at[0].y) * across;
    float lower_y = at[2].y + (at[3].y - at[2].y) * across;
    *x -= upper_x + (lower_x - upper_x) * down;
    *y -= upper_y + (lower_y - upper_y) * down;
}

/* The map of a tile; true when something in it moves. */
bool moment_map(const struct moment *moment, const struct tile *tile, const struct tile_head *head,
                int cells, enum face_sheet sheet, struct tile_map *out);
