/* SPDX-License-Identifier: Apache-2.0 */
/* People as a painter of test cards sees them: heads over trunks, in one colour each. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "image/persons.h"
#include "media/picture.h"

enum { WIDTH = 600, HEIGHT = 400 };

struct card {
    struct picture photo, matte;
};

static void card_dispose_auto(struct card *card)
{
    picture_dispose(&card->photo);
    picture_dispose(&card->matte);
}

static struct card card_new(void)
{
    struct card card = {picture_new(WIDTH, HEIGHT, PICTURE_RGB),
                        picture_new(WIDTH, HEIGHT, PICTURE_GREY)};
    memset(card.photo.pixels, 200, card.photo.stride * HEIGHT);
    memset(card.matte.pixels, 0, card.matte.stride * HEIGHT);
    return card;
}

static void paint(struct card *card, struct box box, const uint8_t colour[3])
{
    for (int y = (int)box.y; y < (int)(box.y + box.height) && y < HEIGHT; y++)
        for (int x = (int)box.x; x < (int)(box.x + box.width) && x < WIDTH; x++) {
            memcpy(picture_row(&card->photo, y) + 3 * (size_t)x, colour, 3);
            picture_row(&card->matte, y)[x] = 255;
        }
}

/* A head of 60 × 60 with its middle at x, and a trunk below it from `left` to `right`. */
static struct box paint_person(struct card *card, float x, float left, float right,
                               const uint8_t colour[3])
{
    struct box face = {x - 30, 80, 60, 60};
    paint(card, face, (const uint8_t[]){230, 180, 150});
    paint(card, (struct box){x - 15, 140, 30, 30}, (const uint8_t[]){230, 180, 150});
    paint(card, (struct box){left, 165, right - left, HEIGHT - 165}, colour);
    return face;
}

static const uint8_t red[3] = {190, 40, 40}, blue[3] = {40, 60, 190}, green[3] = {40, 150, 60};

static int matte_at(const struct card *card, int x, int y)
{
    return picture_row(&card->matte, y)[x];
}

static void those_who_stand_apart_are_told_apart(void **state)
{
    AUTO(card_dispose) struct card card = card_new();
    struct box faces[] = {paint_person(&card, 150, 70, 230, red),
                          paint_person(&card, 450, 370, 530, blue)};
    AUTO(persons_dispose)
    struct persons persons = persons_tell_apart(&card.photo, &card.matte, faces, 2);
    struct box left = person_box(&persons, &faces[0], 0);
    struct box right = person_box(&persons, &faces[1], 1);
    assert_in_range(left.x, 60, 78);
    assert_in_range(left.x + left.width, 222, 240);
    assert_in_range(left.y, 50, 82);
    assert_in_range(left.y + left.height, 370, HEIGHT);
    assert_in_range(right.x, 360, 378);

    persons_keep(&persons, &card.photo, (const bool[]){false, true}, &card.matte);
    assert_int_equal(matte_at(&card, 150, 110), 0);
    assert_int_equal(matte_at(&card, 150, 300), 0);
    assert_int_equal(matte_at(&card, 450, 110), 255);
    assert_int_equal(matte_at(&card, 520, 390), 255);
}

static void the_border_of_two_who_touch_follows_their_clothes(void **state)
{
    AUTO(card_dispose) struct card card = card_new();
    /* Red reaches over the midline (300), up to 340. */
    struct box faces[] = {paint_person(&card, 200, 100, 340, red),
                          paint_person(&card, 400, 340, 500, blue)};
    AUTO(persons_dispose)
    struct persons persons = persons_tell_apart(&card.photo, &card.matte, faces, 2);
    persons_keep(&persons, &card.photo, (const bool[]){true, false}, &card.matte);
    assert_int_equal(matte_at(&card, 200, 110), 255);
    assert_true(matte_at(&card, 325, 300) > 240);
    assert_true(matte_at(&card, 355, 300) < 15);
    assert_int_equal(matte_at(&card, 400, 110), 0);
}

static void two_in_the_same_colour_are_parted_in_the_middle(void **state)
{
    AUTO(card_dispose) struct card card = card_new();
    struct box faces[] = {paint_person(&card, 200, 100, 300, green),
                          paint_person(&card, 400, 300, 500, green)};
    AUTO(persons_dispose)
    struct persons persons = persons_tell_apart(&card.photo, &card.matte, faces, 2);
    persons_keep(&persons, &card.photo, (const bool[]){true, false}, &card.matte);
    assert_true(matte_at(&card, 280, 250) > 240);
    assert_true(matte_at(&card, 320, 250) < 15);
}

static void one_alone_is_left_as_he_is(void **state)
{
    AUTO(card_dispose) struct card card = card_new();
    struct box face = paint_person(&card, 300, 200, 400, red);
    AUTO(picture_dispose) struct picture before = picture_copy(&card.matte);
    AUTO(persons_dispose)
    struct persons persons = persons_tell_apart(&card.photo, &card.matte, &face, 1);
    persons_keep(&persons, &card.photo, (const bool[]){true}, &card.matte);
    for (int y = 0; y < HEIGHT; y++)
        assert_memory_equal(picture_row(&before, y), picture_row(&card.matte, y), WIDTH);
}

static void faces_outside_and_pictures_of_a_pixel_are_no_harm(void **state)
{
    AUTO(card_dispose) struct card card = card_new();
    struct box faces[] = {{-500, -500, 60, 60}, {5000, 10, 1, 1}, {590, 390, 60, 60}};
    AUTO(persons_dispose)
    struct persons persons = persons_tell_apart(&card.photo, &card.matte, faces, 3);
    for (int i = 0; i < 3; i++) {
        struct box box = person_box(&persons, &faces[i], i);
        assert_true(box.width >= 0 && box.height >= 0 && box.x + box.width <= WIDTH);
    }
    persons_keep(&persons, &card.photo, (const bool[]){true, true, false}, &card.matte);

    AUTO(picture_dispose) struct picture dot = picture_new(1, 1, PICTURE_RGB);
    AUTO(picture_dispose) struct picture point = picture_new(1, 1, PICTURE_GREY);
    memset(dot.pixels, 9, 3);
    point.pixels[0] = 255;
    AUTO(persons_dispose) struct persons few = persons_tell_apart(&dot, &point, faces, 2);
    persons_keep(&few, &dot, (const bool[]){true, false}, &point);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_who_stand_apart_are_told_apart),
        cmocka_unit_test(the_border_of_two_who_touch_follows_their_clothes),
        cmocka_unit_test(two_in_the_same_colour_are_parted_in_the_middle),
        cmocka_unit_test(one_alone_is_left_as_he_is),
        cmocka_unit_test(faces_outside_and_pictures_of_a_pixel_are_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
