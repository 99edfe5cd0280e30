/* SPDX-License-Identifier: Apache-2.0 */
#include "image/loose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"

/* Looked at in cells, CELLS along the longer side: a body is never thinner than that. Beside it
 * KEPT cells keep what they have, hair for instance; over FADE more it vanishes. */
enum { CELLS = 96, KEPT = 3, FADE = 2, SOLID = 128, NOSE = 1, REFUSED = 255 };

struct grid {
    int columns, rows, size;
    uint8_t *near; /* 0: far from the person; 1: the person; 2: beside it; and so on */
    int *queue;    /* cells in the order in which they were reached */
    int queued;
};

static void grid_dispose_auto(const struct grid *grid)
{
    free(grid->near);
    free(grid->queue);
}

static struct grid grid_new(const struct picture *matte)
{
    int longer = matte->width > matte->height ? matte->width : matte->height;
    int size = (longer + CELLS - 1) / CELLS;
    struct grid grid = {.columns = (matte->width + size - 1) / size,
                        .rows = (matte->height + size - 1) / size,
                        .size = size};
    size_t count = (size_t)grid.columns * (size_t)grid.rows;
    grid.near = xcalloc(count, 1);
    grid.queue = xreallocarray(NULL, count, sizeof *grid.queue);
    return grid;
}

static bool solid(const struct grid *grid, const struct picture *matte, int cell)
{
    int left = cell % grid->columns * grid->size, top = cell / grid->columns * grid->size;
    int right = left + grid->size < matte->width ? left + grid->size : matte->width;
    int bottom = top + grid->size < matte->height ? top + grid->size : matte->height, sum = 0;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            sum += picture_row(matte, y)[x];
    return sum >= SOLID * (right - left) * (bottom - top);
}

static void reach(struct grid *grid, int column, int row, int steps)
{
    if (column < 0 || row < 0 || column >= grid->columns || row >= grid->rows)
        return;
    int cell = row * grid->columns + column;
    if (grid->near[cell])
        return;
    grid->near[cell] = (uint8_t)steps;
    grid->queue[grid->queued++] = cell;
}

static void reach_around(struct grid *grid, int cell, int steps)
{
    int column = cell % grid->columns, row = cell / grid->columns;
    reach(grid, column - 1, row, steps);
    reach(grid, column + 1, row, steps);
    reach(grid, column, row - 1, steps);
    reach(grid, column, row + 1, steps);
}

/* All that is solid and hangs together with the nose, then step by step what is around it. */
static void spread(struct grid *grid, const struct picture *matte, const struct face *face)
{
    const struct point3 *nose = &face->points[NOSE];
    if (!(nose->x >= 0 && nose->y >= 0 && nose->x < (float)matte->width &&
          nose->y < (float)matte->height))
        return;
    reach(grid, (int)nose->x / grid->size, (int)nose->y / grid->size, 1);
    int body = 0;
    for (int i = 0; i < grid->queued; i++) {
        if (!solid(grid, matte, grid->queue[i])) {
            grid->near[grid->queue[i]] = REFUSED;
            continue;
        }
        grid->queue[body++] = grid->queue[i];
        reach_around(grid, grid->queue[i], 1);
    }
    grid->queued = body;
    for (int i = 0; i < grid->columns * grid->rows; i++)
        if (grid->near[i] == REFUSED)
            grid->near[i] = 0;
    int from = 0;
    for (int steps = 2; steps <= 1 + KEPT + FADE; steps++)
        for (int end = grid->queued; from < end; from++)
            reach_around(grid, grid->queue[from], steps);
}

/* 0..256 of what a cell has. */
static int share_of(const struct grid *grid, int column, int row)
{
    column = column < 0 ? 0 : column >= grid->columns ? grid->columns - 1 : column;
    row = row < 0 ? 0 : row >= grid->rows ? grid->rows - 1 : row;
    int steps = grid->near[row * grid->columns + column];
    if (steps == 0)
        return 0;
    return steps <= 1 + KEPT ? 256 : 256 * (KEPT + FADE + 2 - steps) / (FADE + 1);
}

/* Between the middles of four cells. */
static void fade_between(const struct grid *grid, const struct picture *matte, int column, int row)
{
    int upper = share_of(grid, column, row), upper_right = share_of(grid, column + 1, row);
    int lower = share_of(grid, column, row + 1), lower_right = share_of(grid, column + 1, row + 1);
    if (upper + upper_right + lower + lower_right == 4 * 256)
        return;
    int size = grid->size, left = column * size + size / 2, top = row * size + size / 2;
    for (int y = top < 0 ? 0 : top; y < top + size && y < matte->height; y++) {
        uint8_t *line = picture_row(matte, y);
        int from = upper + (lower - upper) * (y - top) / size;
        int to = upper_right + (lower_right - upper_right) * (y - top) / size;
        for (int x = left < 0 ? 0 : left; x < left + size && x < matte->width; x++)
            if (line[x])
                line[x] = (uint8_t)(line[x] * (from + (to - from) * (x - left) / size) >> 8);
    }
}

void matte_drop_loose(struct picture *matte, const struct face *face)
{
    AUTO(grid_dispose) struct grid grid = grid_new(matte);
    spread(&grid, matte, face);
    if (grid.queued == 0) /* there is no person to hang together with */
        return;
    for (int row = -1; row < grid.rows; row++)
        for (int column = -1; column < grid.columns; column++)
            fade_between(&grid, matte, column, row);
}
