/* SPDX-License-Identifier: Apache-2.0 */
#include "video/moment.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "video/articulation.h"
#include "video/curve.h"

/* --- bounds --------------------------------------------------------------------------------------
 */

static const float far_away = 1 << 20; /* pixels: as good as infinitely far */

static struct bounds bounds_of(const struct axes *axes, float left, float top, float right,
                               float bottom)
{
    float x[4], y[4];
    axes_leave(axes, left, top, &x[0], &y[0]);
    axes_leave(axes, right, top, &x[1], &y[1]);
    axes_leave(axes, left, bottom, &x[2], &y[2]);
    axes_leave(axes, right, bottom, &x[3], &y[3]);
    for (int i = 0; i < 4; i++) {
        x[i] = clampf(x[i], -far_away, far_away);
        y[i] = clampf(y[i], -far_away, far_away);
    }
    return (struct bounds){
        .left = (int)floorf(fminf(fminf(x[0], x[1]), fminf(x[2], x[3]))) - 1,
        .top = (int)floorf(fminf(fminf(y[0], y[1]), fminf(y[2], y[3]))) - 1,
        .right = (int)ceilf(fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3]))) + 2,
        .bottom = (int)ceilf(fmaxf(fmaxf(y[0], y[1]), fmaxf(y[2], y[3]))) + 2,
    };
}

static void grow(struct bounds *bounds, int by)
{
    bounds->left -= by;
    bounds->top -= by;
    bounds->right += by;
    bounds->bottom += by;
}

bool bounds_touch(const struct bounds *bounds, const struct tile *tile)
{
    return tile->x < bounds->right && tile->x + tile->width > bounds->left &&
           tile->y < bounds->bottom && tile->y + tile->height > bounds->top;
}

/* Where the lips may show something else than skin. */
static struct bounds mouth_bounds(const struct face_map *map, const struct face_now *now)
{
    float top = 0, bottom = 0, mm = map->px_per_mm;
    for (int i = 0; i <= FACE_COLUMNS; i++)
        if (fabsf(map->columns[i].inside) < 1.1f) {
            top = fminf(top, now->columns[i].upper);
            bottom = fmaxf(bottom, now->columns[i].lower);
        }
    float wide = fmaxf(now->wide, 0) + 2;
    return bounds_of(&map->axes, -map->inner_left - wide, top - 2 * mm, map->inner_right + wide,
                     bottom + 3.5f * mm);
}

static void set_bounds(struct moment *moment, float longest)
{
    const struct renderer *renderer = moment->renderer;
    const struct face_map *map = &renderer->face;
    int by = (int)ceilf(longest);
    moment->face_box =
        bounds_of(&map->axes, -map->half_width, map->top, map->half_width, map->bottom);
    moment->mouth_box = mouth_bounds(map, &moment->face);
    grow(&moment->face_box, by);
    grow(&moment->mouth_box, by);
    for (int i = 0; i < 2; i++) {
        const struct eye *eye = &renderer->eyes[i];
        float reach = eye->brow_reach * 1.6f;
        moment->eye_boxes[i] =
            bounds_of(&eye->axes, eye->from, fminf(eye->top, eye->lid.y), eye->to, eye->bottom);
        moment->brow_boxes[i] =
            bounds_of(&eye->axes, -reach, eye->brow_y - 22 * eye->px_per_mm, reach, eye->top);
        grow(&moment->eye_boxes[i], by);
        grow(&moment->brow_boxes[i], by);
    }
}

/* A frame shows the middle of the time for which it is seen. */
static double time_of(const struct renderer *renderer, int index)
{
    return (index + 0.5) / renderer->fps;
}

/* How stressed the last half second was: single syllables do not shake the head. */
static float emphasis_at(const struct renderer *renderer, double time_s)
{
    enum { SAMPLES = 8 };
    float sum = 0;
    for (int i = 0; i < SAMPLES; i++)
        sum += articulation_at(&renderer->track, time_s + 0.12 - 0.07 * i).jaw;
    return clampf(sum / SAMPLES / 4.5f, 0, 1);
}

/* Returns the longest way that anything moves. */
static float move_head(struct moment *moment)
{
    const struct renderer *renderer = moment->renderer;
    if (!renderer->sway)
        return 0;
    size_t nodes = (size_t)renderer->head.columns * (size_t)renderer->head.rows;
    moment->head = xreallocarray(NULL, nodes, sizeof *moment->head);
    float longest = head_move(&renderer->head, &moment->gesture, moment->head);
    moment->head_moves = longest > 0;
    return longest;
}

void moment_init(struct moment *moment, const struct renderer *renderer, int index)
{
    double time_s = time_of(renderer, index);
    struct mouth_pose pose = articulation_at(&renderer->track, time_s);
    *moment = (struct moment){.renderer = renderer, .pass = PASS_FRAME};
    moment->gesture = gesture_at(&renderer->gestures, time_s, emphasis_at(renderer, time_s));
    const struct gesture *gesture = &moment->gesture;
    face_now_init(&moment->face, &renderer->face, &pose);
    mouth_now_init(&moment->mouth, &renderer->mouth, &moment->face, &renderer->photo);
    moment->brows_move = gesture->brows != 0;
    moment->eyes_move = gesture->blink > 0 || gesture->gaze_x != 0 || gesture->gaze_y != 0;
    for (int i = 0; i < 2; i++) {
        float mm = renderer->eyes[i].px_per_mm;
        moment->eyes[i] = (struct eye_now){&renderer->eyes[i], gesture->blink, gesture->gaze_x * mm,
                                           gesture->gaze_y * mm};
    }
    set_bounds(moment, move_head(moment));
}

void moment_dispose(struct moment *moment)
{
    free(moment->head);
}

/* --- where a place comes from
 * ---------------------------------------------------------------------- */

struct tile_head moment_tile_head(const struct moment *moment, const struct tile *tile)
{
    struct tile_head head = {0};
    if (!moment->head_moves)
        return head;
    int columns = moment->renderer->head.columns;
    const struct offset *at = moment->head + tile->y / TILE * columns + tile->x / TILE;
    head.corners[0] = at[0];
    head.corners[1] = at[1];
    head.corners[2] = at[columns];
    head.corners[3] = at[columns + 1];
    return head;
}

static void undo_mouth(const struct moment *moment, enum face_sheet sheet, float at_x, float at_y,
                       float *x, float *y)
{
    const struct face_map *map = &moment->renderer->face;
    float mx, my, sx, sy;
    axes_enter(&map->axes, at_x, at_y, &mx, &my);
    if (fabsf(mx) >= map->half_width || my <= map->top || my >= map->bottom)
        return;
    face_now_source(&moment->face, sheet, mx, my, &sx, &sy);
    sx -= mx;
    sy -= my;
    *x += sx * map->axes.cos - sy * map->axes.sin;
    *y += sx * map->axes.sin + sy * map->axes.cos;
}

static void undo_brows(const struct moment *moment, float at_x, float at_y, float *x, float *y)
{
    for (int i = 0; i < 2; i++) {
        const struct eye *eye = &moment->renderer->eyes[i];
        float ex, ey;
        axes_enter(&eye->axes, at_x, at_y, &ex, &ey);
        float lift = moment->gesture.brows * eye->px_per_mm * eye_brow_share(eye, ex, ey);
        *x -= lift * eye->axes.sin;
        *y += lift * eye->axes.cos;
    }
}

/* Less than this nobody sees, but to draw it takes as long. */
static bool far_from(float dx, float dy)
{
    static const float visible = 0.04f;
    return fabsf(dx) > visible || fabsf(dy) > visible;
}

bool moment_map(const struct moment *moment, const struct tile *tile, const struct tile_head *head,
                int cells, enum face_sheet sheet, struct tile_map *out)
{
    const struct renderer *renderer = moment->renderer;
    bool face = moment->face.moving && bounds_touch(&moment->face_box, tile);
    bool brows = moment->brows_move && (bounds_touch(&moment->brow_boxes[0], tile) ||
                                        bounds_touch(&moment->brow_boxes[1], tile));
    const float most = SOURCE_REACH;
    bool moves = false;
    int size = TILE / cells;
    out->cells = cells;
    for (int j = 0; j <= cells; j++)
        for (int i = 0; i <= cells; i++) {
            float to_x = (float)(tile->x + i * size);
            float to_y = (float)(tile->y + j * size);
            float x = to_x, y = to_y;
            if (moment->head_moves)
                tile_head_undo(head, tile, &x, &y);
            float at_x = x, at_y = y;
            if (face)
                undo_mouth(moment, sheet, at_x, at_y, &x, &y);
            if (brows)
                undo_brows(moment, at_x, at_y, &x, &y);
            x = clampf(x, -most, (float)renderer->width + most);
            y = clampf(y, -most, (float)renderer->height + most);
            out->dx[j][i] = x - to_x;
            out->dy[j][i] = y - to_y;
            moves |= far_from(x - to_x, y - to_y);
        }
    return moves;
}
