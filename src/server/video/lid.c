/* SPDX-License-Identifier: Apache-2.0 */
#include "video/lid.h"

#include <math.h>

#include "video/curve.h"
#include "video/eye.h"
#include "video/renderer.h"

/* --- what is to be covered ---------------------------------------------------------------------
 */

static void colour_at(const struct eye *eye, const struct frame420 *photo, float ex, float ey,
                      float yuv[3])
{
    float x, y;
    axes_leave(&eye->axes, ex, ey, &x, &y);
    int column = (int)clampf(x + 0.5f, 0, (float)(photo->width - 1));
    int row = (int)clampf(y + 0.5f, 0, (float)(photo->height - 1));
    yuv[0] = photo->planes[0][row * photo->strides[0] + column];
    const int half_row = row / 2, half_column = column / 2;
    for (int i = 1; i < 3; i++)
        yuv[i] = photo->planes[i][half_row * photo->strides[i] + half_column];
}

/* The lashes of a column of the eye: how far up they reach from the lid's edge, how dark they are
 * and how thick where they grow. */
struct lashes {
    float reach, light, thick;
};

static struct lashes lashes_of(const struct eye *eye, const struct frame420 *photo, int index)
{
    enum { SAMPLES = 24 };
    const struct eye_column *column = &eye->columns[index];
    float mm = eye->px_per_mm, x = eye->left + eye->step * (float)index;
    float room = 0.75f * (column->upper - column->top), skin = 1, luma[SAMPLES];
    bool corner = column->inside < 0.8f; /* where eyes are larger than the landmarks see them */
    if (corner)
        room = fmaxf(room, 0.4f * (column->upper - eye->brow_y));
    room = fminf(room, 5 * mm);
    for (int k = 0; k < SAMPLES; k++) {
        float yuv[3];
        colour_at(eye, photo, x, column->upper + 0.3f * mm - room * (float)k / (SAMPLES - 1), yuv);
        luma[k] = yuv[0] - 16;
        skin = fmaxf(skin, luma[k]);
    }
    struct lashes lashes = {.reach = 0.9f * mm, .light = 1};
    for (int k = 0; k < SAMPLES; k++) {
        float up = room * (float)k / (SAMPLES - 1);
        if (luma[k] < 0.78f * skin && up < lashes.reach + (corner ? 2.6f : 0.8f) * mm)
            lashes.reach = up + 0.5f * mm;
        lashes.light = fminf(lashes.light, luma[k] / skin);
        if (luma[k] < 0.6f * skin && up < 2.4f * mm)
            lashes.thick += room / SAMPLES;
    }
    lashes.reach = fminf(lashes.reach, fmaxf(room, 0.9f * mm));
    return lashes;
}

/* Where the lid's fold begins to be seen: above all that is covered. */
struct opening_edges {
    float upper[EYE_COLUMNS + 1], lower[EYE_COLUMNS + 1];
};

static void find_edges(struct lid *lid, const struct eye *eye, const struct frame420 *photo,
                       struct opening_edges *out)
{
    enum { NEAR = 3 };
    float reach[EYE_COLUMNS + 1], mm = eye->px_per_mm, light = 0, thick = 0, count = 0;
    for (int i = 0; i <= EYE_COLUMNS; i++) {
        struct lashes lashes = lashes_of(eye, photo, i);
        reach[i] = lashes.reach;
        if (eye->columns[i].inside < 0.5f)
            continue;
        light += lashes.light;
        thick += lashes.thick;
        count++;
    }
    lid->lash_light = clampf(light / fmaxf(count, 1), 0.25f, 0.62f);
    lid->lash_thick = clampf(0.7f * thick / fmaxf(count, 1), 0.45f * mm, 1.1f * mm);
    for (int i = 0; i <= EYE_COLUMNS; i++) {
        float sum = 0;
        for (int j = -NEAR; j <= NEAR; j++)
            sum += reach[(int)clampf((float)(i + j), 0, EYE_COLUMNS)] / (2 * NEAR + 1);
        out->upper[i] = eye->columns[i].upper - fmaxf(sum, 0.7f * reach[i]);
        out->lower[i] = eye->columns[i].lower + 1.3f * mm;
    }
}

/* How far outside of what is covered, px; negative inside. */
static float outside(const struct eye *eye, const struct opening_edges *edges, float x, float y)
{
    float at = clampf((x - eye->left) / eye->step, 0, EYE_COLUMNS);
    int index = (int)fminf(at, EYE_COLUMNS - 1);
    float upper = lerpf(edges->upper[index], edges->upper[index + 1], at - (float)index);
    float lower = lerpf(edges->lower[index], edges->lower[index + 1], at - (float)index);
    float beyond = 2.0f * eye->px_per_mm; /* corners are longer than landmarks see them */
    float sideways = fmaxf(eye->left - x, x - eye->right) - beyond,
          upright = fmaxf(upper - y, y - lower);
    return sideways > 0 ? hypotf(sideways, fmaxf(upright, 0)) : upright;
}

/* --- what covers it ----------------------------------------------------------------------------
 */

/* The mean of the photo in a sample's cell. */
static void cell_colour(const struct lid *lid, const struct eye *eye, const struct frame420 *photo,
                        float x, float y, float out[3])
{
    int across = (int)clampf(lid->step_x + 0.5f, 1, 4),
        down = (int)clampf(lid->step_y + 0.5f, 1, 4);
    out[0] = out[1] = out[2] = 0;
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++) {
            float yuv[3];
            colour_at(eye, photo, x + lid->step_x * (((float)i + 0.5f) / (float)across - 0.5f),
                      y + lid->step_y * (((float)j + 0.5f) / (float)down - 0.5f), yuv);
            for (int c = 0; c < 3; c++)
                out[c] += yuv[c] / (float)(across * down);
        }
}

/* Straight from above to below; good enough to begin with. */
static void fill_columns(struct lid *lid, const bool hidden[LID_ROWS][LID_COLUMNS])
{
    for (int column = 1; column < LID_COLUMNS - 1; column++)
        for (int row = 1; row < LID_ROWS - 1; row++) {
            int end = row;
            while (end < LID_ROWS - 1 && hidden[end][column])
                end++;
            for (int at = row; at < end; at++)
                for (int c = 0; c < 3; c++)
                    lid->yuv[c][at][column] =
                        lerpf(lid->yuv[c][row - 1][column], lid->yuv[c][end][column],
                              (float)(at - row + 1) / (float)(end - row + 1));
            row = end;
        }
}

/* As a soap film hangs between what is around it. */
static void stretch_film(struct lid *lid, const bool hidden[LID_ROWS][LID_COLUMNS])
{
    enum { ROUNDS = 24 };
    short cells[LID_ROWS * LID_COLUMNS];
    int count = 0;
    for (int row = 1; row < LID_ROWS - 1; row++)
        for (int column = 1; column < LID_COLUMNS - 1; column++)
            if (hidden[row][column])
                cells[count++] = (short)(row * LID_COLUMNS + column);
    float aspect = lid->step_x / lid->step_y * (lid->step_x / lid->step_y);
    const float over = 1.8f, across = 1 / (2 + 2 * aspect), down = aspect / (2 + 2 * aspect);
    fill_columns(lid, hidden);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < count; i++)
            for (int c = 0; c < 3; c++) {
                float *at = &lid->yuv[c][0][0] + cells[i];
                float mean =
                    across * (at[-1] + at[1]) + down * (at[-LID_COLUMNS] + at[LID_COLUMNS]);
                *at += over * (mean - *at);
            }
}

/* Lashes, a brow, a rim of glasses or the white of a corner in what surrounds the eye would be
 * smeared over the lid. */
static void hide_what_is_not_skin(const struct lid *lid, bool hidden[LID_ROWS][LID_COLUMNS])
{
    enum { LEVELS = 256 };
    const float dark = 0.80f, bright = 1.3f;
    int counts[LEVELS] = {0}, seen = 0, middle = 0;
    for (int row = 0; row < LID_ROWS; row++)
        for (int column = 0; column < LID_COLUMNS; column++)
            if (!hidden[row][column]) {
                counts[(int)clampf(lid->yuv[0][row][column], 0, LEVELS - 1)]++;
                seen++;
            }
    for (int below = counts[0]; middle < LEVELS - 1 && 2 * below < seen; below += counts[middle])
        middle++;
    for (int row = 1; row < LID_ROWS - 1; row++)
        for (int column = 1; column < LID_COLUMNS - 1; column++) {
            float light = (lid->yuv[0][row][column] - 16) / (float)(middle > 17 ? middle - 16 : 1);
            hidden[row][column] |= light < dark || light > bright;
        }
}

void lid_init(struct lid *lid, const struct eye *eye, const struct frame420 *photo)
{
    struct opening_edges edges;
    bool hidden[LID_ROWS][LID_COLUMNS];
    float mm = eye->px_per_mm, margin = 4.6f * mm, top = INFINITY, bottom = -INFINITY;
    find_edges(lid, eye, photo, &edges);
    for (int i = 0; i <= EYE_COLUMNS; i++) {
        top = fminf(top, edges.upper[i]);
        bottom = fmaxf(bottom, edges.lower[i]);
    }
    lid->x = eye->left - margin;
    lid->y = top - margin;
    lid->step_x = (eye->right + margin - lid->x) / (LID_COLUMNS - 1);
    lid->step_y = (bottom + margin - lid->y) / (LID_ROWS - 1);
    for (int row = 0; row < LID_ROWS; row++)
        for (int column = 0; column < LID_COLUMNS; column++) {
            float x = lid->x + lid->step_x * (float)column, y = lid->y + lid->step_y * (float)row;
            float away = outside(eye, &edges, x, y), yuv[3];
            hidden[row][column] = away < 0.4f * mm;
            lid->share[row][column] = 1 - smoothstep(0.2f * mm, 2.2f * mm, away);
            cell_colour(lid, eye, photo, x, y, yuv);
            for (int c = 0; c < 3; c++)
                lid->yuv[c][row][column] = yuv[c];
        }
    hide_what_is_not_skin(lid, hidden);
    stretch_film(lid, hidden);
}

static float between(float plane[LID_ROWS][LID_COLUMNS], int column, int row, float right,
                     float below)
{
    float upper = lerpf(plane[row][column], plane[row][column + 1], right);
    float lower = lerpf(plane[row + 1][column], plane[row + 1][column + 1], right);
    return lerpf(upper, lower, below);
}

bool lid_at(const struct lid *lid, float x, float y, float *out_share, float out_yuv[3])
{
    float across = (x - lid->x) / lid->step_x, down = (y - lid->y) / lid->step_y;
    if (!(across >= 0 && across < LID_COLUMNS - 1 && down >= 0 && down < LID_ROWS - 1))
        return false;
    int column = (int)across, row = (int)down;
    float right = across - (float)column, below = down - (float)row;
    *out_share = between((float(*)[LID_COLUMNS])lid->share, column, row, right, below);
    if (*out_share <= 0)
        return false;
    for (int c = 0; c < 3; c++)
        out_yuv[c] = between((float(*)[LID_COLUMNS])lid->yuv[c], column, row, right, below);
    return true;
}
