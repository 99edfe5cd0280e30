/* SPDX-License-Identifier: Apache-2.0 */
#include "video/palette.h"

#include <string.h>

#include "base/auto.h"
#include "support/average_head.h"
#include "support/test.h"
#include "video/face_map.h"
#include "video/frame420.h"
#include "video/renderer.h"

enum { SIDE = 256 };

/* The average head in a photo of one colour with white eyes and darkness between the lips. */
struct scenery {
    struct face face;
    struct face_map map;
    struct frame420 photo;
};

static void scenery_new(struct scenery *scenery, int skin, int white)
{
    *scenery = (struct scenery){.photo = frame420_new(SIDE, SIDE)};
    average_head(&scenery->face, SIDE / 2, SIDE * 0.45f, 10);
    const struct point3 *points = scenery->face.points;
    static const int eyes[2][2] = {{33, 133}, {362, 263}};
    memset(scenery->photo.planes[0], skin, (size_t)scenery->photo.strides[0] * SIDE);
    for (int i = 1; i < 3; i++)
        memset(scenery->photo.planes[i], i == 1 ? 118 : 142,
               (size_t)scenery->photo.strides[i] * SIDE / 2);
    for (int e = 0; e < 2; e++) {
        const struct point3 *from = &points[eyes[e][0]], *to = &points[eyes[e][1]];
        for (int y = (int)from->y - 3; y < (int)from->y + 4; y++)
            memset(scenery->photo.planes[0] + y * scenery->photo.strides[0] + (int)from->x, white,
                   (size_t)(to->x - from->x));
    }
    for (int y = (int)points[13].y - 2; y < (int)points[14].y + 3; y++)
        memset(scenery->photo.planes[0] + y * scenery->photo.strides[0] + SIDE / 2 - 20, 25, 40);
    face_map_init(&scenery->map, &scenery->face, &scenery->photo);
}

static struct palette palette_for(int skin, int white)
{
    struct scenery scenery;
    scenery_new(&scenery, skin, white);
    struct palette palette = palette_of(&scenery.map, &scenery.face, &scenery.photo);
    frame420_dispose(&scenery.photo);
    return palette;
}

static void teeth_are_lighter_than_skin_but_do_not_glow_in_the_dark(void **state)
{
    for (int skin = 40; skin < 200; skin += 20) {
        struct palette palette = palette_for(skin, skin);
        assert_true(palette.enamel[0] > (float)skin);
        assert_true(palette.enamel[0] - 16 < 1.55f * (float)(skin - 16) + 1);
        assert_true(palette.dark[0] < palette.tongue[0]);
        assert_true(palette.tongue[0] < palette.enamel[0]);
    }
}

static void dark_skin_in_good_light_has_white_teeth(void **state)
{
    struct palette lit = palette_for(95, 170), dim = palette_for(95, 60);
    assert_true(lit.enamel[0] > dim.enamel[0] + 8);
    assert_true(lit.enamel[0] > 130);
}

static void a_dark_mouth_in_the_photo_shows_no_teeth(void **state)
{
    assert_false(palette_for(150, 200).own_teeth);
}

static void light_from_one_side_lights_that_side(void **state)
{
    struct scenery scenery;
    scenery_new(&scenery, 120, 150);
    struct palette even = palette_of(&scenery.map, &scenery.face, &scenery.photo);
    assert_true(even.tilt > -0.01f && even.tilt < 0.01f);
    for (int y = 0; y < SIDE; y++)
        memset(scenery.photo.planes[0] + y * scenery.photo.strides[0] + SIDE / 2, 190, SIDE / 2);
    struct palette right = palette_of(&scenery.map, &scenery.face, &scenery.photo);
    assert_true(right.tilt > 0.15f && right.tilt < 0.5f);
    frame420_dispose(&scenery.photo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(teeth_are_lighter_than_skin_but_do_not_glow_in_the_dark),
        cmocka_unit_test(dark_skin_in_good_light_has_white_teeth),
        cmocka_unit_test(a_dark_mouth_in_the_photo_shows_no_teeth),
        cmocka_unit_test(light_from_one_side_lights_that_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
