/* SPDX-License-Identifier: Apache-2.0 */
#include "video/warp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/test.h"

enum { WIDTH = 96, HEIGHT = 80 };

/* Smooth, so that interpolation has a right answer. */
static float wave(float x, float y)
{
    return 128 + 60 * sinf(x * 0.21f) + 50 * cosf(y * 0.17f + x * 0.05f);
}

static void picture_fill(uint8_t *samples)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            samples[y * WIDTH + x] = (uint8_t)(wave((float)x, (float)y) + 0.5f);
}

static struct tile_map map_of(int cells, float x, float y, float grow)
{
    struct tile_map map = {.cells = cells};
    for (int j = 0; j <= cells; j++)
        for (int i = 0; i <= cells; i++) {
            map.dx[j][i] = x + grow * (float)i / (float)cells;
            map.dy[j][i] = y + grow * (float)(j - i) / (float)cells;
        }
    return map;
}

static void what_does_not_move_stays_the_same_to_the_bit(void **state)
{
    uint8_t samples[WIDTH * HEIGHT], out[TILE * TILE];
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        samples[i] = (uint8_t)(i * 37 ^ i >> 3);
    struct plane once = plane_from(samples, WIDTH, HEIGHT, WIDTH, SOURCE_PAD);
    struct plane twice = plane_doubled_from(samples, WIDTH, HEIGHT, WIDTH, SOURCE_PAD);
    const struct plane *planes[] = {&once, &twice};
    for (int cells = 1; cells <= 4; cells *= 2)
        for (int p = 0; p < 2; p++) {
            struct tile tile = {32, 48, TILE, TILE};
            struct tile_map map = map_of(cells, 0, 0, 0);
            warp_tile(planes[p], PLANE_LUMA, &tile, &map, out, TILE);
            for (int y = 0; y < TILE; y++)
                assert_memory_equal(out + y * TILE, samples + (48 + y) * WIDTH + 32, TILE);
        }
    plane_dispose(&once);
    plane_dispose(&twice);
}

static void what_moves_comes_from_where_the_map_says(void **state)
{
    static const float grows[] = {0, 0.3f, -0.4f, 1.3f, 3.5f, -5};
    uint8_t samples[WIDTH * HEIGHT], out[TILE * TILE];
    picture_fill(samples);
    struct plane planes[] = {plane_from(samples, WIDTH, HEIGHT, WIDTH, SOURCE_PAD),
                             plane_doubled_from(samples, WIDTH, HEIGHT, WIDTH, SOURCE_PAD)};
    for (int step = 0; step < 300; step++) {
        float x = -3 + 0.023f * (float)step, y = 2 - 0.017f * (float)step;
        float grow = grows[step / 3 % 6];
        struct tile tile = {32, 32, TILE, TILE};
        struct tile_map map = map_of(1 << step % 3, x, y, grow);
        warp_tile(&planes[step / 18 % 2], PLANE_LUMA, &tile, &map, out, TILE);
        for (int j = 0; j < TILE; j++)
            for (int i = 0; i < TILE; i++) {
                float across = (float)i / TILE, down = (float)j / TILE;
                float right = wave(32 + (float)i + x + grow * across,
                                   32 + (float)j + y + grow * (down - across));
                assert_true(fabsf(out[j * TILE + i] - right) < 2.6f);
            }
    }
    plane_dispose(&planes[0]);
    plane_dispose(&planes[1]);
}

static void both_colours_come_from_where_the_map_says(void **state)
{
    static const float grows[] = {0, 0.6f, -0.8f, 9};
    uint8_t first[WIDTH * HEIGHT], second[WIDTH * HEIGHT], out[2][TILE * TILE], once[TILE * TILE];
    uint8_t *const outs[2] = {out[0], out[1]};
    picture_fill(first);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        second[i] = (uint8_t)(255 - first[i]);
    struct plane planes[2] = {plane_from(first, WIDTH, HEIGHT, WIDTH, SOURCE_PAD / 2),
                              plane_from(second, WIDTH, HEIGHT, WIDTH, SOURCE_PAD / 2)};
    for (int step = 0; step < 240; step++) {
        float x = -3 + 0.023f * (float)step, y = 2 - 0.017f * (float)step;
        float grow = grows[step % 4];
        struct tile tile = {64, 64, TILE, TILE};
        struct tile_map map = map_of(1 << step % 3, x, y, grow);
        warp_colour(planes, &tile, &map, outs, TILE);
        warp_tile(&planes[0], PLANE_CHROMA, &tile, &map, once, TILE);
        for (int j = 0; j < TILE / 2; j++)
            for (int i = 0; i < TILE / 2; i++) {
                float across = (float)i / (TILE / 2), down = ((float)j + 0.25f) / (TILE / 2);
                float right = wave(32 + (float)i + (x + grow * across) / 2,
                                   32 + (float)j + (y + grow * (down - across)) / 2);
                assert_true(fabsf(out[0][j * TILE + i] - right) < 2.6f);
                assert_true(fabsf(255 - out[1][j * TILE + i] - right) < 2.6f);
                assert_true(abs(once[j * TILE + i] - out[0][j * TILE + i]) <= 2);
            }
    }
    plane_dispose(&planes[0]);
    plane_dispose(&planes[1]);
}

static void a_tile_at_the_edge_reads_the_repeated_edge(void **state)
{
    uint8_t samples[WIDTH * HEIGHT], out[TILE * TILE];
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        samples[i] = (uint8_t)(i % WIDTH == 0 ? 200 : 10);
    struct plane plane = plane_from(samples, WIDTH, HEIGHT, WIDTH, SOURCE_PAD);
    struct tile tile = {0, 0, TILE, TILE};
    struct tile_map map = map_of(1, -SOURCE_REACH, -SOURCE_REACH, 0);
    warp_tile(&plane, PLANE_LUMA, &tile, &map, out, TILE);
    for (int i = 0; i < TILE * TILE; i++)
        assert_int_equal(out[i], 200);
    plane_dispose(&plane);
}

/* The same plane, ending where memory does. */
static struct plane plane_at_the_end_of(uint8_t *end, const struct plane *plane)
{
    size_t size = (size_t)plane->stride * (size_t)((plane->height + 2 * plane->pad) * plane->scale);
    struct plane moved = *plane;
    moved.block = end - size;
    moved.origin = moved.block + (plane->origin - plane->block);
    memcpy(moved.block, plane->block, size);
    return moved;
}

static void as_far_as_a_map_may_lead_nothing_beyond_the_plane_is_read(void **state)
{
    enum { ROOM = 1 << 18 };
    long page = sysconf(_SC_PAGESIZE);
    uint8_t samples[WIDTH * HEIGHT], out[2][TILE * TILE];
    uint8_t *const outs[2] = {out[0], out[1]};
    uint8_t *room =
        mmap(NULL, ROOM + (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    assert_int_equal(mprotect(room + ROOM, (size_t)page, PROT_NONE), 0);
    memset(samples, 90, sizeof samples);
    struct plane fine = plane_doubled_from(samples, WIDTH, HEIGHT, WIDTH, SOURCE_PAD);
    struct plane half = plane_from(samples, WIDTH / 2, HEIGHT / 2, WIDTH, SOURCE_PAD / 2);
    struct tile tile = {WIDTH - TILE, HEIGHT - TILE, TILE, TILE};
    for (int cells = 1; cells <= 4; cells *= 2) {
        struct tile_map map = map_of(cells, SOURCE_REACH, 0, 0);
        for (int j = 0; j <= cells; j++) /* all of it comes from the lowest place */
            for (int i = 0; i <= cells; i++)
                map.dy[j][i] = (float)(SOURCE_REACH + TILE * (cells - j) / cells);
        const struct plane luma = plane_at_the_end_of(room + ROOM, &fine);
        warp_tile(&luma, PLANE_LUMA, &tile, &map, out[0], TILE);
        const struct plane one = plane_at_the_end_of(room + ROOM, &half);
        warp_tile(&one, PLANE_CHROMA, &tile, &map, out[1], TILE);
        warp_colour((struct plane[]){one, one}, &tile, &map, outs, TILE);
        assert_int_equal(out[0][0], 90);
        assert_int_equal(out[1][0], 90);
    }
    plane_dispose(&fine);
    plane_dispose(&half);
    munmap(room, ROOM + (size_t)page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_move_stays_the_same_to_the_bit),
        cmocka_unit_test(what_moves_comes_from_where_the_map_says),
        cmocka_unit_test(both_colours_come_from_where_the_map_says),
        cmocka_unit_test(a_tile_at_the_edge_reads_the_repeated_edge),
        cmocka_unit_test(as_far_as_a_map_may_lead_nothing_beyond_the_plane_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
