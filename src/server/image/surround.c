/* SPDX-License-Identifier: Apache-2.0 */
#include "image/surround.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"

/* Shares of the frame's longer side: how much of the photo's border colours what lies beyond it,
 * how far out that is wholly soft, over how much it darkens, and over how much a cut person fades.
 */
static const float border = 0.03f, soft_after = 0.012f, falls_over = 0.25f, fade = 0.05f;
/* The light falls off towards the frame's corners, as a photographer would have it. */
static const float darker = 0.22f;
/* Below a head there should be a body. Skin that went on there would look like a bare one, so what
 * lies there takes the colour of the whole and sinks into the dark, as in a studio with one lamp.
 */
static const float sinks_over = 0.34f, deepest = 0.30f, paler = 0.45f;

struct box surround_covered(struct box crop, const struct picture *photo,
                            const struct picture *frame)
{
    float scale_x = (float)frame->width / crop.width, scale_y = (float)frame->height / crop.height;
    float left = fmaxf(-crop.x * scale_x, 0), top = fmaxf(-crop.y * scale_y, 0);
    float right = fminf(((float)photo->width - crop.x) * scale_x, (float)frame->width);
    float bottom = fminf(((float)photo->height - crop.y) * scale_y, (float)frame->height);
    return (struct box){left, top, right - left, bottom - top};
}

/* Whole pixels that the photo surely covers. */
struct inside {
    int left, top, right, bottom; /* right and bottom are the last ones inside */
};

static struct inside whole(struct box covered)
{
    return (struct inside){(int)ceilf(covered.x - 0.01f), (int)ceilf(covered.y - 0.01f),
                           (int)floorf(covered.x + covered.width + 0.01f) - 1,
                           (int)floorf(covered.y + covered.height + 0.01f) - 1};
}

static bool covers(struct inside in, const struct picture *frame)
{
    return in.left <= 0 && in.top <= 0 && in.right >= frame->width - 1 &&
           in.bottom >= frame->height - 1;
}

static float distance(int x, int y, struct inside in)
{
    float dx = (float)(x < in.left ? in.left - x : x > in.right ? x - in.right : 0);
    float dy = (float)(y < in.top ? in.top - y : y > in.bottom ? y - in.bottom : 0);
    return hypotf(dx, dy);
}

/* --- the soft continuation -----------------------------------------------------------------------
 *
 * What lies beyond the photo is an average of the photo's border nearby: of a few pixels just
 * outside it, of ever more of the border the further out. Nothing of the photo is recognised in it,
 * and at the photo's edge the colours are the photo's. The averages are taken on a coarse grid, at
 * a few widths, and mixed. */

enum { CELL = 8, LAYERS = 5 };

/* Of each cell the weighted sum of its colours and its weight, later their quotient. */
struct layer {
    int width, height;
    float *sums[4];
};

/* Boxes of 2 × radius + 1 cells, three on top of each other for each layer, and how soft (standard
 * deviation, in cells) all layers up to this one are together. */
static const struct {
    int radius;
    float sigma;
} blurs[LAYERS] = {{1, 1.41f}, {2, 2.83f}, {4, 5.29f}, {8, 10}, {16, 19.3f}};

static struct layer layer_new(int width, int height)
{
    struct layer layer = {.width = width, .height = height};
    for (int c = 0; c < 4; c++)
        layer.sums[c] = xcalloc((size_t)width * (size_t)height, sizeof(float));
    return layer;
}

static void layer_dispose(const struct layer *layer)
{
    for (int c = 0; c < 4; c++)
        free(layer->sums[c]);
}

/* How far inside the photo the nearest border is beyond which the frame goes on. */
static float depth_inside(int x, int y, struct inside in, const struct picture *frame)
{
    float depth = 1e6f;
    if (in.left > 0)
        depth = fminf(depth, (float)(x - in.left));
    if (in.right < frame->width - 1)
        depth = fminf(depth, (float)(in.right - x));
    if (in.top > 0)
        depth = fminf(depth, (float)(y - in.top));
    if (in.bottom < frame->height - 1)
        depth = fminf(depth, (float)(in.bottom - y));
    return depth;
}

/* Only the photo's border counts: a face further in would colour its surroundings. */
static struct layer gather(const struct picture *frame, struct inside in, float reach)
{
    struct layer layer =
        layer_new((frame->width + CELL - 1) / CELL, (frame->height + CELL - 1) / CELL);
    for (int y = in.top; y <= in.bottom; y++) {
        const uint8_t *row = picture_row(frame, y);
        for (int x = in.left; x <= in.right; x++) {
            float depth = depth_inside(x, y, in, frame) / reach;
            float weight = depth < 4 ? expf(-depth) + 1e-4f : 1e-4f;
            size_t at = (size_t)(y / CELL) * (size_t)layer.width + (size_t)(x / CELL);
            for (int c = 0; c < 3; c++)
                layer.sums[c][at] += weight * (float)row[3 * x + c];
            layer.sums[3][at] += weight;
        }
    }
    return layer;
}

/* Nothing lies beyond the grid: what is divided in the end needs no edge. */
static void box_line(float *line, float *copy, int count, int step, int radius)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        copy[i] = line[i * step];
    for (int i = 0; i < radius && i < count; i++)
        sum += copy[i];
    for (int i = 0; i < count; i++) {
        if (i + radius < count)
            sum += copy[i + radius];
        line[i * step] = (float)sum / (float)(2 * radius + 1);
        if (i - radius >= 0)
            sum -= copy[i - radius];
    }
}

static void layer_blur(const struct layer *layer, int radius)
{
    int longer = layer->width > layer->height ? layer->width : layer->height;
    AUTO(mem_free) float *copy = xreallocarray(NULL, (size_t)longer, sizeof *copy);
    for (int c = 0; c < 4; c++)
        for (int pass = 0; pass < 3; pass++) {
            for (int y = 0; y < layer->height; y++)
                box_line(layer->sums[c] + y * layer->width, copy, layer->width, 1, radius);
            for (int x = 0; x < layer->width; x++)
                box_line(layer->sums[c] + x, copy, layer->height, layer->width, radius);
        }
}

static void layer_copy(const struct layer *from, struct layer *out)
{
    *out = layer_new(from->width, from->height);
    for (int c = 0; c < 4; c++)
        memcpy(out->sums[c], from->sums[c],
               (size_t)from->width * (size_t)from->height * sizeof(float));
}

/* Sums become colours; where a narrow average reached nothing, the next wider one knows. */
static void layer_divide(const struct layer *layer, const struct layer *wider)
{
    const float enough = 1e-3f;
    for (int i = 0; i < layer->width * layer->height; i++) {
        float weight = layer->sums[3][i], share = fminf(weight / enough, 1);
        for (int c = 0; c < 3; c++) {
            float own = layer->sums[c][i] / fmaxf(weight, 1e-12f);
            layer->sums[c][i] = wider ? wider->sums[c][i] + (own - wider->sums[c][i]) * share : own;
        }
    }
}

static float layer_at(const struct layer *layer, int channel, float x, float y)
{
    x = fminf(fmaxf(x, 0), (float)(layer->width - 1));
    y = fminf(fmaxf(y, 0), (float)(layer->height - 1));
    int column = (int)x, row = (int)y;
    int right = column + 1 < layer->width ? 1 : 0;
    int below = row + 1 < layer->height ? layer->width : 0;
    const float *at = layer->sums[channel] + row * layer->width + column;
    float fx = x - (float)column, fy = y - (float)row;
    float upper = at[0] + (at[right] - at[0]) * fx;
    float lower = at[below] + (at[below + right] - at[below]) * fx;
    return upper + (lower - upper) * fy;
}

/* -1..1, of a place: so that the slow slopes do not show as steps. */
static float grain(int x, int y)
{
    uint32_t mixed = (uint32_t)x * 0x9e3779b1U ^ (uint32_t)y * 0x85ebca77U;
    mixed = (mixed ^ mixed >> 15) * 0x2c1b3c6dU;
    return (float)(mixed >> 16 & 0xffff) / 32768 - 1;
}

/* What is seen `away` pixels outside the photo. */
static void beyond(const struct layer layers[LAYERS], int x, int y, float away, float out[3])
{
    float wanted = log2f(fmaxf(away / CELL / blurs[0].sigma, 1));
    int index = (int)fminf(wanted, LAYERS - 2);
    float share = fminf(wanted - (float)index, 1);
    float cell_x = ((float)x + 0.5f) / CELL - 0.5f, cell_y = ((float)y + 0.5f) / CELL - 0.5f;
    for (int c = 0; c < 3; c++) {
        float narrow = layer_at(&layers[index], c, cell_x, cell_y);
        float wide = layer_at(&layers[index + 1], c, cell_x, cell_y);
        out[c] = narrow + (wide - narrow) * share;
    }
}

/* What is to be seen below the photo: 0 at its edge, 1 far down. */
static void sink(const struct layer *widest, float down, float colour[3])
{
    float t = fminf(down / sinks_over, 1), mean[3], grey = 0;
    t = t * t * (3 - 2 * t);
    for (int c = 0; c < 3; c++) {
        mean[c] = layer_at(widest, c, (float)widest->width / 2, (float)widest->height / 2);
        grey += mean[c] / 3;
    }
    for (int c = 0; c < 3; c++) {
        float calm = mean[c] + (grey - mean[c]) * paler;
        colour[c] = (colour[c] + (calm - colour[c]) * t) * (1 - (1 - deepest) * t);
    }
}

static void draw_beyond(const struct picture *frame, struct inside in,
                        const struct layer layers[LAYERS], float longer)
{
    for (int y = 0; y < frame->height; y++) {
        uint8_t *row = picture_row(frame, y);
        int near_y = y < in.top ? in.top : y > in.bottom ? in.bottom : y;
        for (int x = 0; x < frame->width; x++) {
            float away = distance(x, y, in), colour[3];
            if (away <= 0)
                continue;
            int near_x = x < in.left ? in.left : x > in.right ? in.right : x;
            const uint8_t *edge = picture_row(frame, near_y) + 3 * (size_t)near_x;
            float far = away / (longer * falls_over);
            float light = 1 - darker * (1 - expf(-far * far));
            float share = fminf(away / (longer * soft_after), 1);
            beyond(layers, x, y, away, colour);
            if (y > in.bottom)
                sink(&layers[LAYERS - 1], (float)(y - in.bottom) / longer, colour);
            for (int c = 0; c < 3; c++) {
                float soft = (float)edge[c] + (colour[c] - (float)edge[c]) * share;
                float value = soft * light + share * grain(x, y);
                row[3 * x + c] = (uint8_t)(fminf(fmaxf(value, 0), 255) + 0.5f);
            }
        }
    }
}

void surround_fill(struct picture *frame, struct box covered)
{
    struct inside in = whole(covered);
    if (covers(in, frame) || in.right <= in.left || in.bottom <= in.top)
        return;
    float longer = (float)(frame->width > frame->height ? frame->width : frame->height);
    struct layer layers[LAYERS];
    layers[0] = gather(frame, in, longer * border);
    for (int i = 0; i < LAYERS; i++) {
        if (i > 0)
            layer_copy(&layers[i - 1], &layers[i]);
        layer_blur(&layers[i], blurs[i].radius);
    }
    for (int i = LAYERS - 1; i >= 0; i--)
        layer_divide(&layers[i], i + 1 < LAYERS ? &layers[i + 1] : NULL);
    draw_beyond(frame, in, layers, longer);
    for (int i = 0; i < LAYERS; i++)
        layer_dispose(&layers[i]);
}

void surround_clear(struct picture *matte, struct box covered)
{
    struct inside in = whole(covered);
    if (covers(in, matte) || in.right <= in.left || in.bottom <= in.top)
        return;
    float longer = (float)(matte->width > matte->height ? matte->width : matte->height);
    float width = fmaxf(longer * fade, 1);
    for (int y = 0; y < matte->height; y++) {
        uint8_t *row = picture_row(matte, y);
        for (int x = 0; x < matte->width; x++) {
            float left = in.left > 0 ? (float)(x - in.left) : width;
            float right = in.right < matte->width - 1 ? (float)(in.right - x) : width;
            float top = in.top > 0 ? (float)(y - in.top) : width;
            float bottom = in.bottom < matte->height - 1 ? (float)(in.bottom - y) : width;
            float nearest = fminf(fminf(left, right), fminf(top, bottom));
            float share = fminf(fmaxf(nearest / width, 0), 1);
            row[x] = (uint8_t)((float)row[x] * share + 0.5f);
        }
    }
}
