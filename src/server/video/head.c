/* SPDX-License-Identifier: Apache-2.0 */
#include "video/head.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "media/face_mesh.h"
#include "video/curve.h"
#include "video/warp.h"

enum { FOREHEAD = 10, CHIN = 152, CHEEK_RIGHT = 234, CHEEK_LEFT = 454 };

/* The face as an upright ellipse. */
struct shape {
    struct axes axes; /* origin between forehead and chin */
    float half_width, half_height;
};

static struct shape shape_of(const struct face *face, const struct axes *mouth)
{
    const struct point3 *points = face->points;
    struct shape shape = {.axes = *mouth};
    shape.axes.x = (points[FOREHEAD].x + points[CHIN].x) / 2 - 0.5f;
    shape.axes.y = (points[FOREHEAD].y + points[CHIN].y) / 2 - 0.5f;
    shape.half_height = fmaxf(
        hypotf(points[FOREHEAD].x - points[CHIN].x, points[FOREHEAD].y - points[CHIN].y) / 2, 8);
    shape.half_width = fmaxf(hypotf(points[CHEEK_RIGHT].x - points[CHEEK_LEFT].x,
                                    points[CHEEK_RIGHT].y - points[CHEEK_LEFT].y) /
                                 2,
                             shape.half_height * 0.6f);
    return shape;
}

/* How far towards the viewer the face stands out here; 0 away from it. */
static float depth_at(const struct face *face, const struct shape *shape, float x, float y)
{
    float spread = 0.16f * shape->half_height, sum = 0, weight = 0.6f;
    for (int i = 0; i < FACE_MESH_VERTICES; i++) {
        float dx = face->points[i].x - x, dy = face->points[i].y - y;
        float near = (dx * dx + dy * dy) / (spread * spread);
        if (near > 9)
            continue;
        float share = expf(-near);
        sum -= share * face->points[i].z;
        weight += share;
    }
    return sum / weight;
}

static float edge_fade(int width, int height, float x, float y)
{
    float margin = 0.09f * (float)(width < height ? width : height);
    float left = smoothstep(0, margin, x), right = smoothstep(0, margin, (float)width - 1 - x);
    float top = smoothstep(0, margin, y), bottom = smoothstep(0, margin, (float)height - 1 - y);
    return left * right * top * bottom;
}

void head_init(struct head *head, int width, int height, const struct face *face,
               const struct face_map *map, bool cut_out)
{
    *head = (struct head){.columns = (width + TILE - 1) / TILE + 1,
                          .rows = (height + TILE - 1) / TILE + 1,
                          .px_per_mm = map->px_per_mm,
                          .axes = map->axes};
    head->nodes = xcalloc((size_t)head->columns * (size_t)head->rows, sizeof *head->nodes);
    struct shape shape = shape_of(face, &map->axes);
    float tall = shape.half_height * 2;
    for (int row = 0; row < head->rows; row++)
        for (int column = 0; column < head->columns; column++) {
            float x = (float)(column * TILE), y = (float)(row * TILE), across, down;
            axes_enter(&shape.axes, x, y, &across, &down);
            float below_chin = (down - shape.half_height) / tall;
            float weight = 1 - smoothstep(-0.10f, 0.72f, below_chin);
            float shoulders =
                smoothstep(0.05f, 0.75f, below_chin) * (1 - smoothstep(0.9f, 2.0f, below_chin));
            if (!cut_out) {
                float away = hypotf(across / shape.half_width, down / shape.half_height / 1.15f);
                float edge = edge_fade(width, height, x, y);
                weight *= (1 - smoothstep(1.3f, 2.5f, away)) * edge;
                shoulders *= (1 - smoothstep(1.6f, 3.0f, fabsf(across) / shape.half_width)) * edge;
            }
            struct head_node *node = &head->nodes[row * head->columns + column];
            node->weight = weight;
            float behind = 0.16f * tall; /* the neck's axis */
            node->depth = weight > 0 ? weight * (depth_at(face, &shape, x, y) + behind) : 0;
            node->across = weight * across;
            node->down = weight * (down - shape.half_height * 1.35f);
            node->breath = map->px_per_mm * (0.9f * shoulders + 0.35f * weight);
        }
}

void head_dispose(struct head *head)
{
    free(head->nodes);
}

float head_move(const struct head *head, const struct gesture *gesture, struct offset *out)
{
    float longest = 0;
    float shift_x = gesture->shift_x * head->px_per_mm;
    float shift_y = gesture->shift_y * head->px_per_mm;
    for (int i = 0; i < head->columns * head->rows; i++) {
        const struct head_node *node = &head->nodes[i];
        float across =
            gesture->yaw * node->depth - gesture->roll * node->down + shift_x * node->weight;
        float down = gesture->pitch * node->depth + gesture->roll * node->across +
                     shift_y * node->weight - gesture->breath * node->breath;
        out[i].x = across * head->axes.cos - down * head->axes.sin;
        out[i].y = across * head->axes.sin + down * head->axes.cos;
        longest = fmaxf(longest, fmaxf(fabsf(out[i].x), fabsf(out[i].y)));
    }
    return longest;
}
