/* SPDX-License-Identifier: Apache-2.0 */
/* The colour guided filter of He, Sun and Tang: around each pixel the matte is a linear function
 * of the photo's colour. Its coefficients vary slowly, so they are found on a grid about 256
 * cells long, where its radius is two cells, and only applied at full size; and there only where
 * they do not say "nothing" or "wholly" whatever the colour, which they do nearly everywhere. */
#include "image/matte.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "image/lines_internal.h"
#include "image/planes.h"
#include "media/hot.h"
#include "media/resample.h"

enum {
    GRID = 256, /* cells along the longer side */
    BLOCK = 8,  /* cells that are looked at together: shorter runs do not pay */
};
static const struct stretch stretch = {.low = 0.12f, .high = 0.88f};

/* What lines make of every colour there is. */
enum verdict { NOTHING = 1, WHOLLY = 2 };

HOT static void judge(const float *restrict lines, size_t plane, uint8_t *restrict out,
                      size_t count)
{
    const float *red = lines + LINE_RED * plane, *green = lines + LINE_GREEN * plane;
    const float *blue = lines + LINE_BLUE * plane, *offset = lines + LINE_OFFSET * plane;
    for (size_t i = 0; i < count; i++) {
        float r = 255 * red[i], g = 255 * green[i], b = 255 * blue[i];
        float most = offset[i] + (r > 0 ? r : 0) + (g > 0 ? g : 0) + (b > 0 ? b : 0);
        float least = offset[i] + (r < 0 ? r : 0) + (g < 0 ? g : 0) + (b < 0 ? b : 0);
        out[i] = (uint8_t)((most <= 0 ? NOTHING : 0) | (least >= 255 ? WHOLLY : 0));
    }
}

/* Putting the lines to use. The lines between cells are mixtures of these cells' lines, so what all
 * around a place say of every colour is true there. */
struct applier {
    const struct picture *photo, *out;
    const struct planes *lines;
    int *left;       /* for each column of the photo, the cell to its left */
    float *share;    /* and how much the next one counts */
    int blocks;      /* in a row */
    int *first;      /* of each block: its first column of the photo; one more at the end */
    uint8_t *agreed; /* of each block below each row of the grid; then a row of both verdicts */
    float *wide[2];  /* two rows of the grid as wide as the photo, where that is needed */
    int wide_at[2];  /* which rows those are */
};

static void applier_dispose_auto(const struct applier *applier)
{
    free(applier->left);
    free(applier->share);
    free(applier->first);
    free(applier->agreed);
    free(applier->wide[0]);
    free(applier->wide[1]);
}

static int step_down(const struct planes *lines, int y)
{
    return y + 1 < lines->height ? y + 1 : y;
}

/* What all cells from block `block` of row y to the first of the next block, and those below them,
 * agree on. */
static uint8_t block_agreement(const struct planes *lines, const uint8_t *verdicts, int y,
                               int block)
{
    uint8_t all = NOTHING | WHOLLY;
    const uint8_t *above = verdicts + (size_t)y * (size_t)lines->width;
    const uint8_t *below = verdicts + (size_t)step_down(lines, y) * (size_t)lines->width;
    for (int x = block * BLOCK; x <= (block + 1) * BLOCK && x < lines->width; x++)
        all &= above[x] & below[x];
    return all;
}

static void blocks_judge(struct applier *applier)
{
    const struct planes *lines = applier->lines;
    size_t cells = (size_t)lines->width * (size_t)lines->height;
    AUTO(mem_free) uint8_t *verdicts = xmalloc(cells);
    judge(lines->data, cells, verdicts, cells);
    uint8_t *at = applier->agreed;
    for (int y = 0; y < lines->height; y++)
        for (int block = 0; block < applier->blocks; block++)
            *at++ = block_agreement(lines, verdicts, y, block);
    memset(at, NOTHING | WHOLLY, (size_t)applier->blocks);
}

static struct applier applier_make(const struct picture *photo, const struct planes *lines,
                                   const struct picture *out)
{
    size_t width = (size_t)photo->width, blocks = (size_t)(lines->width + BLOCK - 1) / BLOCK;
    struct applier applier = {
        .photo = photo,
        .out = out,
        .lines = lines,
        .left = xmalloc(width * sizeof(int)),
        .share = xmalloc(width * sizeof(float)),
        .blocks = (int)blocks,
        .first = xmalloc((blocks + 1) * sizeof(int)),
        .agreed = xmalloc(blocks * ((size_t)lines->height + 1)),
        .wide = {xmalloc(width * LINE_PARTS * sizeof(float)),
                 xmalloc(width * LINE_PARTS * sizeof(float))},
        .wide_at = {-1, -1},
    };
    int block = 0;
    for (int x = 0; x < photo->width; x++) {
        applier.left[x] = planes_place(x, photo->width, lines->width, &applier.share[x]);
        while (block * BLOCK <= applier.left[x])
            applier.first[block++] = x;
    }
    while (block <= applier.blocks)
        applier.first[block++] = photo->width;
    blocks_judge(&applier);
    return applier;
}

HOT static void widen(const float *restrict row, const int *restrict left,
                      const float *restrict share, int step, float *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        float a = row[left[x]], b = row[left[x] + step];
        out[x] = a + (b - a) * share[x];
    }
}

/* Row y of the grid, where the blocks above or below it are not agreed on. */
static void row_widen(const struct applier *applier, int slot, int y)
{
    const struct planes *lines = applier->lines;
    int step = lines->width > 1, none = lines->height;
    const uint8_t *above = applier->agreed + (size_t)(y ? y - 1 : none) * (size_t)applier->blocks;
    const uint8_t *below = applier->agreed + (size_t)y * (size_t)applier->blocks;
    for (int block = 0, end; block < applier->blocks; block = end) {
        bool needed = !above[block] || !below[block];
        for (end = block + 1; end < applier->blocks && (!above[end] || !below[end]) == needed;)
            end++;
        int from = applier->first[block], to = applier->first[end];
        for (int part = 0; part < LINE_PARTS && needed; part++)
            widen(planes_row(lines, part, y), applier->left + from, applier->share + from, step,
                  applier->wide[slot] + part * applier->photo->width + from, to - from);
    }
}

/* Makes the rows before and after some place available, the former first. */
static void rows_load(struct applier *applier, int before, int after)
{
    if (applier->wide_at[0] != before) {
        float *spare = applier->wide[0];
        applier->wide[0] = applier->wide[1];
        applier->wide[1] = spare;
        applier->wide_at[0] = applier->wide_at[1];
        applier->wide_at[1] = -1;
        if (applier->wide_at[0] != before)
            row_widen(applier, 0, before);
        applier->wide_at[0] = before;
    }
    if (applier->wide_at[1] != after)
        row_widen(applier, 1, after);
    applier->wide_at[1] = after;
}

/* A place between two rows of lines; `pitch` numbers from one part of the lines to the next. */
struct between {
    const float *above, *below;
    float share;
    size_t pitch;
};

HOT static void lines_apply(struct between lines, const uint8_t *restrict colour,
                            uint8_t *restrict out, int width)
{
    const size_t pitch = lines.pitch;
    const float share = lines.share;
    const float *r0 = lines.above, *g0 = r0 + pitch, *b0 = g0 + pitch, *o0 = b0 + pitch;
    const float *r1 = lines.below, *g1 = r1 + pitch, *b1 = g1 + pitch, *o1 = b1 + pitch;
    for (int x = 0; x < width; x++) {
        float r = r0[x] + (r1[x] - r0[x]) * share, g = g0[x] + (g1[x] - g0[x]) * share;
        float b = b0[x] + (b1[x] - b0[x]) * share, offset = o0[x] + (o1[x] - o0[x]) * share;
        float value = r * (float)colour[3 * x] + g * (float)colour[3 * x + 1];
        value += b * (float)colour[3 * x + 2] + offset;
        value = value < 0 ? 0 : value > 255 ? 255 : value;
        out[x] = (uint8_t)(value + 0.5f);
    }
}

static void row_apply(struct applier *applier, int y)
{
    float share;
    int before = planes_place(y, applier->photo->height, applier->lines->height, &share);
    const uint8_t *agreed = applier->agreed + (size_t)before * (size_t)applier->blocks;
    const uint8_t *colour = picture_row(applier->photo, y);
    uint8_t *out = picture_row(applier->out, y);
    rows_load(applier, before, step_down(applier->lines, before));
    for (int block = 0, end; block < applier->blocks; block = end) {
        for (end = block + 1; end < applier->blocks && agreed[end] == agreed[block];)
            end++;
        int from = applier->first[block], count = applier->first[end] - from;
        if (agreed[block])
            memset(out + from, agreed[block] & WHOLLY ? 255 : 0, (size_t)count);
        else
            lines_apply((struct between){applier->wide[0] + from, applier->wide[1] + from, share,
                                         (size_t)applier->photo->width},
                        colour + 3 * (size_t)from, out + from, count);
    }
}

static struct picture scaled(const struct picture *from, int width, int height)
{
    struct picture to = picture_new(width, height, from->channels);
    picture_resample(from, (struct box){0, 0, (float)from->width, (float)from->height},
                     RESAMPLE_TRIANGLE, &to);
    return to;
}

void matte_refine(const struct picture *photo, const struct picture *coarse,
                  const struct picture *out)
{
    int longer = photo->width > photo->height ? photo->width : photo->height;
    float scale = longer > GRID ? (float)GRID / (float)longer : 1;
    int width = (int)ceilf((float)photo->width * scale);
    int height = (int)ceilf((float)photo->height * scale);

    AUTO(picture_dispose) struct picture colour = scaled(photo, width, height);
    AUTO(picture_dispose) struct picture mask = {0};
    if (coarse->width != width || coarse->height != height)
        mask = scaled(coarse, width, height);
    AUTO(planes_dispose)
    struct planes lines = lines_find(&colour, mask.pixels ? &mask : coarse, stretch);

    AUTO(applier_dispose) struct applier applier = applier_make(photo, &lines, out);
    for (int y = 0; y < photo->height; y++)
        row_apply(&applier, y);
}
