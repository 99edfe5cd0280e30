/* SPDX-License-Identifier: Apache-2.0 */
#include "video/teeth.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "video/curve.h"

struct tooth {
    float width, edge, corner; /* mm: along the arch, its edge above the row's, rounding */
};

enum { TEETH_IN_ROW = 6, SUBSAMPLES = 4 };

static const struct tooth upper_row[TEETH_IN_ROW] = {
    {8.5f, 0.0f, 1.1f}, {6.5f, 0.65f, 1.4f}, {7.6f, 0.25f, 2.2f},
    {7.0f, 0.9f, 2.0f}, {6.8f, 1.2f, 2.0f},  {9.5f, 1.5f, 2.0f},
};
static const struct tooth lower_row[TEETH_IN_ROW] = {
    {5.3f, 0.0f, 0.7f}, {5.8f, 0.15f, 0.9f}, {6.8f, 0.1f, 1.8f},
    {7.0f, 0.8f, 1.8f}, {7.1f, 1.2f, 1.6f},  {10.0f, 1.6f, 1.6f},
};

/* mm: the arch is nearly round, and lies behind the lips. */
static const float arch_radius = 27, arch_depth = 31, behind_lips = 5;

/* Where on the arch x mm from the middle of the lips is, as an angle. */
static float angle_at(float x, float yaw)
{
    float turned = sinf(yaw);
    return asinf(clampf((x + behind_lips * turned) / arch_radius + turned, -1, 1)) - yaw;
}

/* The row at `angle` of its arch and `up` mm from the biting edge towards the gum. */
static struct tooth_hit tooth_at(const struct tooth row[TEETH_IN_ROW], float angle, float up,
                                 float detail)
{
    float along = fabsf(angle) * arch_depth, start = 0;
    int i = 0;
    while (i < TEETH_IN_ROW - 1 && along > start + row[i].width)
        start += row[i++].width;
    float at = clampf((along - start) / row[i].width * 2 - 1, -1, 1); /* -1..1 within the tooth */
    float side = fabsf(at);
    /* The edge is rounded at the corners; the outer corner more than the inner one. */
    float round = detail * row[i].corner * powf(side, 5.0f) * (at > 0 ? 1.25f : 0.8f);
    float above = up - detail * row[i].edge - round;
    if (above < 0)
        return (struct tooth_hit){0, 0};
    /* Each is rounded across and lengthwise; between two lies a thin shadow, deeper at the gum. */
    float between = 0.24f + 0.05f * fminf(above, 4);
    float bulge = 1 - detail * (0.15f * side * side + between * powf(side, 12));
    float lengthwise = 1 - 0.16f * expf(-above / 0.6f) - 0.022f * fmaxf(above - 2.5f, 0);
    float into = sinf(angle); /* towards the back no light comes */
    return (struct tooth_hit){1, bulge * lengthwise * (1 - 0.66f * into * into)};
}

struct teeth teeth_new(bool upper, float px_per_mm, float yaw)
{
    const struct tooth *row = upper ? upper_row : lower_row;
    float height_mm = upper ? 12 : 10, pad = 2;
    float width = 2 * (arch_radius * (1 + fabsf(sinf(yaw)) * 1.2f) * px_per_mm + pad);
    struct teeth teeth = {.width = (int)width + 1, .height = (int)(height_mm * px_per_mm + 4)};
    teeth.x = (float)teeth.width / 2;
    teeth.y = upper ? (float)teeth.height - 2 : 2;
    /* Where a tooth is but a few pixels wide its outline would look like a comb. */
    float detail = clampf(px_per_mm / 3, 0.4f, 1);
    size_t count = (size_t)teeth.width * (size_t)teeth.height;
    teeth.cover = xcalloc(count, 1);
    teeth.shade = xcalloc(count, 1);
    for (int x = 0; x < teeth.width; x++) {
        float angles[SUBSAMPLES];
        for (int across = 0; across < SUBSAMPLES; across++)
            angles[across] = angle_at(
                ((float)x + ((float)across + 0.5f) / SUBSAMPLES - 0.5f - teeth.x) / px_per_mm, yaw);
        for (int y = 0; y < teeth.height; y++) {
            float cover = 0, shade = 0;
            for (int sub = 0; sub < SUBSAMPLES * SUBSAMPLES; sub++) {
                int across = sub % SUBSAMPLES, down = sub / SUBSAMPLES;
                float sy = (float)y + ((float)down + 0.5f) / SUBSAMPLES - 0.5f;
                float up = (upper ? teeth.y - sy : sy - teeth.y) / px_per_mm;
                struct tooth_hit hit = tooth_at(row, angles[across], up, detail);
                cover += hit.cover;
                shade += hit.cover * hit.shade;
            }
            size_t at = (size_t)y * (size_t)teeth.width + (size_t)x;
            teeth.cover[at] = (uint8_t)(cover * 255 / (SUBSAMPLES * SUBSAMPLES));
            teeth.shade[at] = cover > 0 ? (uint8_t)clampf(shade / cover * 255, 0, 255) : 0;
        }
    }
    return teeth;
}

void teeth_dispose(struct teeth *teeth)
{
    free(teeth->cover);
    free(teeth->shade);
    *teeth = (struct teeth){0};
}

struct tooth_hit teeth_at(const struct teeth *teeth, float x, float y)
{
    x += teeth->x;
    y += teeth->y;
    if (x < 0 || x >= (float)teeth->width - 1)
        return (struct tooth_hit){0, 0};
    y = clampf(y, 0, (float)teeth->height - 1.01f);
    int column = (int)x, row = (int)y;
    float fx = x - (float)column, fy = y - (float)row;
    const uint8_t *cover = teeth->cover + row * teeth->width + column;
    const uint8_t *shade = teeth->shade + row * teeth->width + column;
    int below = teeth->width;
    float weight[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
    float c[4] = {cover[0] * weight[0], cover[1] * weight[1], cover[below] * weight[2],
                  cover[below + 1] * weight[3]};
    float sum = c[0] + c[1] + c[2] + c[3];
    if (sum < 0.5f)
        return (struct tooth_hit){0, 0};
    float light =
        (c[0] * shade[0] + c[1] * shade[1] + c[2] * shade[below] + c[3] * shade[below + 1]) / sum;
    return (struct tooth_hit){sum / 255, light / 255};
}
