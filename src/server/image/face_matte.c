/* SPDX-License-Identifier: Apache-2.0 */
#include "image/face_matte.h"

#include <math.h>

#include "media/face_mesh.h"

enum { OVAL_POINTS = 36, SECTORS = 72 };

/* Around the face, from the middle of the forehead, clockwise as the viewer sees it. */
static const uint16_t oval[OVAL_POINTS] = {
    10,  338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58,  132, 93,  234, 127, 162, 21,  54,  103, 67,  109};

float face_matte_share(const struct picture *matte, const struct face *face)
{
    int count = 0, sum = 0;
    for (int i = 0; i < FACE_MESH_VERTICES; i++) {
        float x = face->points[i].x, y = face->points[i].y;
        if (!(x >= 0 && y >= 0 && x < (float)matte->width && y < (float)matte->height))
            continue;
        sum += picture_row(matte, (int)y)[(int)x];
        count++;
    }
    return count > 0 ? (float)sum / (255 * (float)count) : 1;
}

/* The oval as its reach in every direction from its middle. */
struct reach {
    float x, y, longest, reach[SECTORS];
};

static float turn_of(float dx, float dy)
{
    return (atan2f(dy, dx) / (2 * (float)M_PI) + 1) * SECTORS;
}

static struct reach reach_of(const struct face *face)
{
    struct reach out = {0};
    for (int i = 0; i < OVAL_POINTS; i++) {
        out.x += face->points[oval[i]].x / OVAL_POINTS;
        out.y += face->points[oval[i]].y / OVAL_POINTS;
    }
    for (int i = 0; i < OVAL_POINTS; i++) {
        const struct point3 *from = &face->points[oval[i]];
        const struct point3 *to = &face->points[oval[(i + 1) % OVAL_POINTS]];
        enum { STEPS = 8 };
        for (int step = 0; step < STEPS; step++) {
            float share = (float)step / STEPS;
            float dx = from->x + (to->x - from->x) * share - out.x;
            float dy = from->y + (to->y - from->y) * share - out.y;
            if (!isfinite(dx) || !isfinite(dy))
                return (struct reach){0};
            int sector = (int)turn_of(dx, dy) % SECTORS;
            out.reach[sector] = fmaxf(out.reach[sector], hypotf(dx, dy));
            out.longest = fmaxf(out.longest, out.reach[sector]);
        }
    }
    return out;
}

static float reach_towards(const struct reach *reach, float dx, float dy)
{
    float turn = turn_of(dx, dy) + SECTORS - 0.5f; /* a sector's reach is that of its middle */
    int sector = (int)turn;
    float share = turn - (float)sector;
    float from = reach->reach[sector % SECTORS], to = reach->reach[(sector + 1) % SECTORS];
    return from + (to - from) * share;
}

void face_matte_fill(struct picture *matte, const struct face *face)
{
    /* Wholly up to here, then less and less: what the oval touches may be a cap or hair. */
    static const float whole = 0.86f;
    struct reach reach = reach_of(face);
    float far = reach.longest;
    if (!(far > 1 && fabsf(reach.x) < 1e5f && fabsf(reach.y) < 1e5f && far < 1e5f))
        return;
    int top = (int)fmaxf(reach.y - far, 0), left = (int)fmaxf(reach.x - far, 0);
    int bottom = (int)fminf(reach.y + far + 1, (float)matte->height);
    int right = (int)fminf(reach.x + far + 1, (float)matte->width);
    for (int y = top; y < bottom; y++) {
        uint8_t *row = picture_row(matte, y);
        for (int x = left; x < right; x++) {
            float dx = (float)x + 0.5f - reach.x, dy = (float)y + 0.5f - reach.y;
            if (row[x] == 255)
                continue;
            float at = hypotf(dx, dy) / fmaxf(reach_towards(&reach, dx, dy), 1);
            float share = (1 - at) / (1 - whole);
            float value = 255 * fminf(fmaxf(share, 0), 1);
            row[x] = (uint8_t)fmaxf((float)row[x], value);
        }
    }
}
