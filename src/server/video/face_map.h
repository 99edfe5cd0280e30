/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the photo the skin comes from that lies at a place of the talking face.
 *
 * The lower face is seen in the frame of the mouth: x along it, y towards the chin, the middle of
 * the lips at (0, 0). There it is cut into columns. Each column knows where the lips' edges, the
 * chin and the neck lie in the photo and where they lie now; what is between them is stretched
 * smoothly. The skin above the mouth and below it are two sheets that meet outside the corners and
 * part where the mouth opens; both maps go on beyond their edge, so nothing ever tears. */
#pragma once

#include <stdbool.h>

#include "media/face.h"
#include "video/articulation.h"
#include "video/curve.h"

struct frame420;

enum { FACE_COLUMNS = 160 };

/* A frame of reference in the picture: origin and the direction of x; y is x turned clockwise. */
struct axes {
    float x, y, cos, sin;
};

static inline void axes_enter(const struct axes *axes, float x, float y, float *out_x, float *out_y)
{
    float dx = x - axes->x, dy = y - axes->y;
    *out_x = dx * axes->cos + dy * axes->sin;
    *out_y = dy * axes->cos - dx * axes->sin;
}

/* A landmark in these axes: landmarks measure from the corner of the first pixel, axes from its
 * middle. */
void axes_place(const struct axes *axes, struct point3 point, float *out_x, float *out_y);
/* The smooth curve through some landmarks, given by index from left to right. */
struct curve axes_curve(const struct axes *axes, const struct face *face, const int *indices,
                        int count);

static inline void axes_leave(const struct axes *axes, float x, float y, float *out_x, float *out_y)
{
    *out_x = axes->x + x * axes->cos - y * axes->sin;
    *out_y = axes->y + x * axes->sin + y * axes->cos;
}

/* What of a column never changes. */
struct face_column {
    float top, upper_outer, upper, lower, lower_outer, crease, chin, neck; /* y */
    float inside; /* -1 at the right inner corner, 1 at the left one */
    float corner; /* 1 inside the mouth, falling to 0 at the edge of the face */
    float jaw;    /* 1 at the chin, falling to 0 at the jaw's angles */
    float reach;  /* where along the mouth: 0 middle, 1 outer corner */
};

struct face_map {
    struct axes axes;
    float px_per_mm;
    float left, step;              /* x of column 0 and from one column to the next */
    float outer_left, outer_right; /* of the middle to the outer corners, both positive */
    float inner_left, inner_right;
    float top, bottom, half_width; /* bounds of what moves, in axes */
    bool mouth_open;               /* in the photo */
    float rest_gap;                /* px in the middle, 0 when shut */
    float parted;                  /* 0 shut, 1 as wide as a laugh, in the photo */
    float gain;                    /* of all that opens the mouth: thin lips, under hair or in a
                                      small face, must part further to be seen to part at all */
    struct face_column columns[FACE_COLUMNS + 1];
};

/* How large the face is, against the average head. */
float face_px_per_mm(const struct face *face);

/* `photo` refines where exactly the lips meet. */
void face_map_init(struct face_map *map, const struct face *face, const struct frame420 *photo);

/* A column now: edges and how far each has moved down. */
struct face_column_now {
    float top, upper_outer, upper, lower, lower_outer, crease, chin, neck;
    float by_upper_outer, by_upper, by_lower, by_lower_outer, by_crease, by_chin;
    float pad[2];
};

struct face_now {
    const struct face_map *map;
    struct mouth_pose pose;
    float wide; /* px each corner has moved outwards */
    float gap;  /* px in the middle */
    bool moving;
    struct face_column_now columns[FACE_COLUMNS + 1];
};

void face_now_init(struct face_now *now, const struct face_map *map, const struct mouth_pose *pose);

enum face_sheet { SHEET_ABOVE, SHEET_BELOW, SHEET_NEAREST };

/* From a place (x, y) of the talking face to the photo; both in the axes of the mouth. */
void face_now_source(const struct face_now *now, enum face_sheet sheet, float x, float y,
                     float *out_x, float *out_y);

/* The edges of the opening at x, and the x in the photo that it comes from. */
struct opening {
    float source_x, upper, lower;   /* upper > lower never */
    float rest_upper, rest_lower;   /* the same edges in the photo */
    float inside;                   /* as in face_column */
    float upper_steep, lower_steep; /* px down the edge for one across it; 1 where it is level */
};
struct opening face_now_opening(const struct face_now *now, float x, float y);
