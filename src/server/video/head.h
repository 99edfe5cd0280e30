/* SPDX-License-Identifier: Apache-2.0 */
/* The head that is never quite still, and the breath that lifts the shoulders: how far each place
 * of the frame has moved, on a coarse grid. What is nearer to the viewer moves further. */
#pragma once

#include <stdbool.h>

#include "video/face_map.h"
#include "video/gesture.h"

/* How a node answers to each motion. */
struct head_node {
    float weight;       /* 1 moves with the head, 0 stays */
    float depth;        /* towards the viewer, px, times weight */
    float across, down; /* from the pivot in the neck, px, times weight */
    float breath;       /* px up at full breath */
};

struct head {
    int columns,
        rows; /* nodes, one every TILE pixels, from (0, 0) to the frame's far edge or beyond */
    float px_per_mm;
    struct axes axes; /* upright as the face is */
    struct head_node *nodes;
};

/* `cut_out`: the person is a layer of its own, so only the person moves; else the surroundings of
 * the head give way, and the frame's edges stay. */
void head_init(struct head *head, int width, int height, const struct face *face,
               const struct face_map *map, bool cut_out);
void head_dispose(struct head *head);

struct offset {
    float x, y; /* px that what is seen here has moved */
};
/* Fills head->columns × head->rows; returns the longest. */
float head_move(const struct head *head, const struct gesture *gesture, struct offset *out);
