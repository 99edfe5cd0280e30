/* SPDX-License-Identifier: Apache-2.0 */
#include "image/landmarks.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/detect.h"
#include "image/pose.h"
#include "infer/runtime.h"
#include "media/hot.h"
#include "media/picture.h"

enum {
    SIDE = 192,
    RIGHT_EYE_CORNER = 33, /* outer corners, the person's own right and left */
    LEFT_EYE_CORNER = 263,
};

static const float around_face = 1.5f;

/* A turned square in the photo. */
struct region {
    float x, y; /* its centre */
    float size;
    float cosine, sine; /* of the angle by which it is turned */
};

static struct region region_make(float x, float y, float size, const float right[2],
                                 const float left[2])
{
    float angle = atan2f(left[1] - right[1], left[0] - right[0]);
    return (struct region){x, y, size * around_face, cosf(angle), sinf(angle)};
}

static struct region region_of_detection(const struct detection *found)
{
    const struct box *box = &found->box;
    return region_make(box->x + box->width / 2, box->y + box->height / 2,
                       fmaxf(box->width, box->height), found->right_eye, found->left_eye);
}

static struct region region_of_points(const struct point3 *points)
{
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < FACE_POINTS; i++) {
        x0 = fminf(x0, points[i].x);
        x1 = fmaxf(x1, points[i].x);
        y0 = fminf(y0, points[i].y);
        y1 = fmaxf(y1, points[i].y);
    }
    const struct point3 *right = &points[RIGHT_EYE_CORNER], *left = &points[LEFT_EYE_CORNER];
    return region_make((x0 + x1) / 2, (y0 + y1) / 2, fmaxf(x1 - x0, y1 - y0),
                       (const float[]){right->x, right->y}, (const float[]){left->x, left->y});
}

static int clamp_index(int index, int size)
{
    return index < 0 ? 0 : index >= size ? size - 1 : index;
}

static void sample(const struct picture *photo, float x, float y, float sums[3])
{
    float left = floorf(x), top = floorf(y), u = x - left, v = y - top;
    int x0 = clamp_index((int)left, photo->width), x1 = clamp_index((int)left + 1, photo->width);
    int y0 = clamp_index((int)top, photo->height), y1 = clamp_index((int)top + 1, photo->height);
    const uint8_t *upper = picture_row(photo, y0), *lower = picture_row(photo, y1);
    for (int c = 0; c < 3; c++) {
        float a = (float)upper[3 * x0 + c], b = (float)upper[3 * x1 + c];
        float d = (float)lower[3 * x0 + c], e = (float)lower[3 * x1 + c];
        float above = a + (b - a) * u, below = d + (e - d) * u;
        sums[c] += above + (below - above) * v;
    }
}

/* The region as the network's input. Where it is shrunk, each pixel is the mean of several
 * samples, so that a large photo gives the same points as a small one. */
HOT static void region_read(const struct picture *photo, const struct region *region, float *input)
{
    float step = region->size / SIDE;
    int grid = (int)ceilf(step);
    grid = grid < 1 ? 1 : grid > 6 ? 6 : grid;
    float scale = 1 / (255.0f * (float)(grid * grid));
    for (int i = 0; i < SIDE * SIDE; i++) {
        float sums[3] = {0};
        int x = i % SIDE, y = i / SIDE;
        for (int k = 0; k < grid * grid; k++) {
            int right = k % grid, down = k / grid;
            float u = ((float)x + ((float)right + 0.5f) / (float)grid) * step;
            float v = ((float)y + ((float)down + 0.5f) / (float)grid) * step;
            u -= region->size / 2;
            v -= region->size / 2;
            sample(photo, region->x + u * region->cosine - v * region->sine - 0.5f,
                   region->y + u * region->sine + v * region->cosine - 0.5f, sums);
        }
        for (int c = 0; c < 3; c++)
            input[c * SIDE * SIDE + i] = sums[c] * scale;
    }
}

static void region_place(const struct region *region, const float *raw, struct point3 *points)
{
    float step = region->size / SIDE;
    for (int i = 0; i < FACE_POINTS; i++) {
        float u = (raw[3 * i] - SIDE / 2.0f) * step, v = (raw[3 * i + 1] - SIDE / 2.0f) * step;
        points[i] = (struct point3){region->x + u * region->cosine - v * region->sine,
                                    region->y + u * region->sine + v * region->cosine,
                                    raw[3 * i + 2] * step};
    }
}

static bool look(struct session *session, const struct picture *photo, const struct region *region,
                 struct face *out, struct error *err)
{
    AUTO(mem_free) float *input = xmalloc(sizeof(float) * 3 * SIDE * SIDE);
    float raw[FACE_POINTS * 3], score[1];
    region_read(photo, region, input);
    struct tensor in = {TENSOR_F32, 4, {1, 3, SIDE, SIDE}, input};
    struct tensor results[] = {{TENSOR_F32, 3, {1, FACE_POINTS, 3}, raw},
                               {TENSOR_F32, 2, {1, 1}, score}};
    struct session_run run = {.inputs = &in,
                              .input_count = 1,
                              .wanted = (const int[]){0, 1},
                              .out = results,
                              .out_count = 2};
    if (!session_run(session, &run, err))
        return error_wrap(err, "find the points of a face");
    region_place(region, raw, out->points);
    out->score = score[0];
    return true;
}

bool landmarks_find(struct session *session, const struct picture *photo,
                    const struct detection *detection, struct face *out, struct error *err)
{
    struct region region = region_of_detection(detection);
    if (!look(session, photo, &region, out, err))
        return false;
    region = region_of_points(out->points);
    if (!look(session, photo, &region, out, err))
        return false;
    out->box = detection->box;
    pose_estimate(out);
    return true;
}
