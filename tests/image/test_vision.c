/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded models on real photos (tests/data/photos). */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/sha256.h"
#include "image/face_matte.h"
#include "image/matte.h"
#include "image/photo.h"
#include "image/portrait.h"
#include "media/face_mesh.h"
#include "media/resample.h"

enum { CHIN = 152, FOREHEAD = 10, RIGHT_IRIS = 468, LEFT_IRIS = 473 };

struct fixture {
    struct photos *photos;
    struct vision *vision;
};

static int set_up(void **state)
{
    struct error err;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->photos = photos_open(NULL, &err);
    assert_ok(fixture->photos, &err);
    fixture->vision = vision_open(SOURCE_DIR "/models", &err);
    assert_ok(fixture->vision, &err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    photos_close(fixture->photos);
    vision_close(fixture->vision);
    free(fixture);
    return 0;
}

static struct picture photo(const struct fixture *fixture, const char *name)
{
    char path[512];
    struct error err;
    struct picture picture = {0};
    snprintf(path, sizeof path, SOURCE_DIR "/tests/data/photos/%s", name);
    assert_ok(photos_decode(fixture->photos, path, 2048, &picture, &err), &err);
    return picture;
}

static int faces_of(const struct fixture *fixture, const struct picture *picture,
                    struct face faces[MAX_FACES])
{
    struct error err;
    int count = -1;
    assert_ok(vision_faces(fixture->vision, picture, faces, &count, &err), &err);
    return count;
}

static struct face *faces_new(void)
{
    return calloc(MAX_FACES, sizeof(struct face));
}

static void assert_near(float value, float expected, float tolerance)
{
    if (!(fabsf(value - expected) <= tolerance))
        fail_msg("%g is not %g +- %g", (double)value, (double)expected, (double)tolerance);
}

static void the_models_are_what_the_manifest_says(void **state)
{
    (void)state;
    struct error err;
    AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
    assert_ok(file_read(SOURCE_DIR "/models/manifest.json", &text, &err), &err);
    AUTO(jv_free) struct jv *manifest = jv_parse(buf_bytes(&text), &err);
    assert_ok(manifest, &err);
    const struct jv *models = jv_get(manifest, "models");
    assert_int_equal(jv_size(models), 3);
    for (size_t i = 0; i < jv_size(models); i++) {
        char path[512], digest[SHA256_TEXT_SIZE];
        const struct jv *model = jv_at(models, i);
        snprintf(path, sizeof path, SOURCE_DIR "/models/%s", jv_get_text(model, "file", ""));
        assert_ok(sha256_file(path, digest, &err), &err);
        assert_string_equal(digest, jv_get_text(model, "sha256", ""));
        assert_string_equal(jv_get_text(model, "licence", ""), "Apache-2.0");
    }
}

static void a_portrait_has_one_face_with_its_points_in_place(void **state)
{
    AUTO(picture_dispose) struct picture picture = photo(*state, "astronaut.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(*state, &picture, faces), 1);
    const struct face *face = &faces[0];
    assert_near(face->box.x + face->box.width / 2, 225, 8);
    assert_near(face->box.y + face->box.height / 2, 128, 8);
    assert_true(face->score > 0.9f);
    /* Seen in the photo: pupils, tip of the nose, corners of the mouth, chin. */
    assert_near(face->points[RIGHT_IRIS].x, 202, 2);
    assert_near(face->points[RIGHT_IRIS].y, 100, 2);
    assert_near(face->points[LEFT_IRIS].x, 245, 3);
    assert_near(face->points[LEFT_IRIS].y, 101, 3);
    assert_near(face->points[61].x, 204, 3);
    assert_near(face->points[61].y, 141, 3);
    assert_near(face->points[291].x, 245, 3);
    assert_near(face->points[CHIN].y, 178, 4);
    assert_near(face->roll, 0.05f, 0.06f);
    assert_near(face->yaw, 0, 0.1f);
    struct error err;
    assert_ok(face_usable(face, &picture, &err), &err);
}

static struct picture mirrored(const struct picture *from)
{
    struct picture to = picture_new(from->width, from->height, PICTURE_RGB);
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++)
            memcpy(picture_row(&to, y) + 3 * x, picture_row(from, y) + 3 * (from->width - 1 - x),
                   3);
    return to;
}

/* Points in pairs, right and left: outer and inner corners of eyes and mouth, cheeks, brows. */
static const int pairs[][2] = {{33, 263}, {133, 362}, {61, 291},  {78, 308},  {234, 454},
                               {70, 300}, {105, 334}, {468, 473}, {159, 386}, {145, 374}};

static void a_mirrored_photo_gives_mirrored_points(void **state)
{
    AUTO(picture_dispose) struct picture picture = photo(*state, "hopper.jpg");
    AUTO(picture_dispose) struct picture mirror = mirrored(&picture);
    AUTO(mem_free) struct face *faces = faces_new();
    AUTO(mem_free) struct face *turned = faces_new();
    assert_int_equal(faces_of(*state, &picture, faces), 1);
    assert_int_equal(faces_of(*state, &mirror, turned), 1);
    float width = (float)picture.width, off = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct point3 *right = &faces->points[pairs[i][0]];
        const struct point3 *left = &turned->points[pairs[i][1]];
        off += hypotf(width - right->x - left->x, right->y - left->y);
    }
    off /= sizeof pairs / sizeof *pairs;
    assert_true(off < 0.012f * faces->box.width);
    assert_near(turned->yaw, -faces->yaw, 0.05f);
    assert_near(turned->roll, -faces->roll, 0.03f);
}

static void the_size_of_the_photo_does_not_move_the_points(void **state)
{
    AUTO(picture_dispose) struct picture picture = photo(*state, "hopper.jpg");
    AUTO(picture_dispose)
    struct picture large = picture_new(picture.width * 3, picture.height * 3, PICTURE_RGB);
    struct box whole = {0, 0, (float)picture.width, (float)picture.height};
    picture_resample(&picture, whole, RESAMPLE_CUBIC, &large);
    AUTO(mem_free) struct face *faces = faces_new();
    AUTO(mem_free) struct face *larger = faces_new();
    assert_int_equal(faces_of(*state, &picture, faces), 1);
    assert_int_equal(faces_of(*state, &large, larger), 1);
    float off = 0;
    for (int i = 0; i < FACE_POINTS; i++)
        off += hypotf(larger->points[i].x - 3 * faces->points[i].x,
                      larger->points[i].y - 3 * faces->points[i].y);
    off /= FACE_POINTS;
    assert_true(off < 0.01f * larger->box.width);
}

static void the_larger_of_two_faces_comes_first(void **state)
{
    AUTO(picture_dispose) struct picture picture = photo(*state, "two_faces.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(*state, &picture, faces), 2);
    assert_near(faces[0].box.x + faces[0].box.width / 2, 740, 12);
    assert_near(faces[1].box.x + faces[1].box.width / 2, 225, 12);
    assert_true(faces[0].box.width > faces[1].box.width);
}

static void a_rocket_has_no_face(void **state)
{
    AUTO(picture_dispose) struct picture picture = photo(*state, "no_face.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(*state, &picture, faces), 0);
}

static void assert_unusable(const struct fixture *fixture, const char *name, const char *code)
{
    AUTO(picture_dispose) struct picture picture = photo(fixture, name);
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(fixture, &picture, faces), 1);
    struct error err = {0};
    assert_false(face_usable(&faces[0], &picture, &err));
    assert_string_equal(err.code, code);
    assert_string_equal(err.field, "image");
}

static void a_tiny_face_and_a_profile_are_said_to_be_unusable(void **state)
{
    assert_unusable(*state, "tiny_face.jpg", "image_face_too_small");
    assert_unusable(*state, "profile.jpg", "image_face_profile");
}

static void the_crop_has_the_eyes_where_a_photographer_puts_them(void **state)
{
    const int sizes[][2] = {{512, 512}, {720, 1280}, {1280, 720}};
    /* A photo with room on all sides. */
    AUTO(picture_dispose) struct picture picture = picture_new(4000, 3000, PICTURE_RGB);
    AUTO(mem_free) struct face *face = faces_new();
    for (int i = 0; i < FACE_POINTS; i++)
        face->points[i] = (struct point3){2000, 1500, 0};
    face->points[FOREHEAD].y = 1400;
    face->points[CHIN].y = 1700;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct box crop = portrait_crop(face, &picture, sizes[i][0], sizes[i][1]);
        assert_near(crop.width / crop.height, (float)sizes[i][0] / (float)sizes[i][1], 1e-4f);
        assert_near(crop.x + crop.width / 2, 2000, 1);
        float eyes = (1500 - crop.y) / crop.height, tall = 300 / crop.height;
        assert_in_range((int)(eyes * 100), 34, 44);
        assert_in_range((int)(tall * 100), 22, 46);
        assert_true(eyes > 1.1f * tall); /* hair and some air above it */
        assert_true(crop.x >= 0 && crop.y >= 0 && crop.x + crop.width <= 4000 &&
                    crop.y + crop.height <= 3000);
    }
}

/* There is less of the photo beside a face at its edge, and so in the frame, too. */
static void a_face_at_the_edge_stands_further_in(void **state)
{
    (void)state;
    const int sizes[][2] = {{512, 512}, {720, 1280}};
    AUTO(picture_dispose) struct picture picture = picture_new(1600, 2000, PICTURE_RGB);
    AUTO(mem_free) struct face *face = faces_new();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int x = 160; x <= 1440; x += 1280) {
            for (int k = 0; k < FACE_POINTS; k++)
                face->points[k] = (struct point3){(float)x, 900, 0};
            face->points[FOREHEAD].y = 800;
            face->points[CHIN].y = 1100;
            struct box crop = portrait_crop(face, &picture, sizes[i][0], sizes[i][1]);
            float at = ((float)x - crop.x) / crop.width;
            assert_in_range((int)(100 * at), 27, 73);
            assert_true(crop.x >= 0 && crop.x + crop.width <= 1600);
            assert_true(crop.y <= 900 - 0.75f * 300 && crop.height > 300 / 0.6f);
        }
}

static void the_crop_stays_in_the_photo_where_it_can(void **state)
{
    AUTO(picture_dispose) struct picture picture = photo(*state, "hopper.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(*state, &picture, faces), 1);
    const int sizes[][2] = {{512, 512}, {720, 1280}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct box crop = portrait_crop(faces, &picture, sizes[i][0], sizes[i][1]);
        assert_true(crop.x >= -0.01f && crop.y >= -0.01f);
        assert_true(crop.x + crop.width <= (float)picture.width + 0.01f);
        assert_true(crop.y + crop.height <= (float)picture.height + 0.01f);
    }
    /* Wide, from a photo that is tall: the head is never cut for it. */
    struct box crop = portrait_crop(faces, &picture, 1280, 720);
    assert_true(crop.y <= faces->points[FOREHEAD].y);
    assert_true(crop.y + crop.height >= faces->points[CHIN].y);
}

/* A face that fills its photo: rather a close-up than a frame to be filled up, and where a frame
 * cannot be filled from the photo, nothing is made up above the head. */
static void a_tight_photo_becomes_a_close_up(void **state)
{
    AUTO(picture_dispose) struct picture picture = picture_new(280, 284, PICTURE_RGB);
    AUTO(mem_free) struct face *face = faces_new();
    for (int i = 0; i < FACE_POINTS; i++)
        face->points[i] = (struct point3){140, 115, 0};
    face->points[FOREHEAD].y = -10;
    face->points[CHIN].y = 260;
    struct box square = portrait_crop(face, &picture, 512, 512);
    assert_true(square.x >= 0 && square.y >= 0);
    assert_true(square.x + square.width <= 280.01f && square.y + square.height <= 284.01f);
    struct box tall = portrait_crop(face, &picture, 720, 1280);
    assert_true(tall.x >= 0 && tall.x + tall.width <= 280.01f);
    assert_near(tall.y, 0, 0.01f);
    assert_near(tall.x + tall.width / 2, 140, 1);
    assert_true(tall.height < 284 / 0.55f); /* the photo fills most of it */
    struct box wide = portrait_crop(face, &picture, 1280, 720);
    assert_true(wide.y >= 0 && wide.y + wide.height <= 284.01f);
    assert_near(wide.x + wide.width / 2, 140, 1);
    assert_true(280 / wide.width > 0.5f);
}

/* Of one face, as wished. */
static void make_portrait(const struct fixture *fixture, const struct picture *picture,
                          const struct face *face, struct portrait_wish wish, struct portrait *out)
{
    struct error err;
    wish.faces = face;
    wish.face_count = 1;
    assert_ok(portrait_make(fixture->vision, picture, &wish, out, &err), &err);
}

static void the_portrait_is_found_again_where_it_was_put(void **state)
{
    struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture picture = photo(fixture, "astronaut.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    AUTO(mem_free) struct face *again = faces_new();
    assert_int_equal(faces_of(fixture, &picture, faces), 1);
    AUTO(portrait_dispose) struct portrait portrait;
    make_portrait(fixture, &picture, faces,
                  (struct portrait_wish){.width = 512, .height = 512, .cut_out = true}, &portrait);
    assert_int_equal(portrait.photo.width, 512);
    assert_int_equal(portrait.photo.channels, PICTURE_RGB);
    assert_int_equal(portrait.matte.channels, PICTURE_GREY);
    assert_int_equal(faces_of(fixture, &portrait.photo, again), 1);
    float off = 0;
    for (int i = 0; i < FACE_POINTS; i++)
        off += hypotf(again->points[i].x - portrait.face.points[i].x,
                      again->points[i].y - portrait.face.points[i].y);
    assert_true(off / FACE_POINTS < 0.012f * portrait.face.box.width);
}

static void the_person_is_cut_out_and_the_wall_is_not(void **state)
{
    struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture picture = photo(fixture, "astronaut.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(fixture, &picture, faces), 1);
    AUTO(portrait_dispose) struct portrait portrait;
    make_portrait(fixture, &picture, faces,
                  (struct portrait_wish){.width = 512, .height = 512, .cut_out = true}, &portrait);
    const struct point3 *nose = &portrait.face.points[1];
    assert_int_equal(picture_row(&portrait.matte, (int)nose->y)[(int)nose->x], 255);
    for (int x = 120; x < 512; x += 20) /* above her head and beside it */
        if (x < 150 || x > 400)
            assert_int_equal(picture_row(&portrait.matte, 10)[x], 0);
    /* Further in than colours run over its edge the foreground is the photo. */
    AUTO(picture_dispose) struct picture inside = matte_inside(&portrait.matte, 3);
    for (int y = 0; y < 512; y += 7)
        for (int x = 0; x < 512; x += 7)
            if (picture_row(&inside, y)[x] == 255)
                assert_memory_equal(picture_row(&portrait.foreground, y) + 3 * x,
                                    picture_row(&portrait.photo, y) + 3 * x, 3);
}

/* Nothing but the face in a tall frame: all of it is the person. Before another background the
 * person fades where the photo ends; before the photo's own there is no edge to fade at. */
static void a_face_alone_is_cut_out_and_fades_only_before_another_background(void **state)
{
    struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture whole = photo(fixture, "astronaut.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(fixture, &whole, faces), 1);
    struct box tight = faces[0].box;
    AUTO(picture_dispose) struct picture picture = picture_new(280, 280, PICTURE_RGB);
    picture_resample(&whole, tight, RESAMPLE_CUBIC, &picture);
    assert_int_equal(faces_of(fixture, &picture, faces), 1);
    uint8_t at_edge[2];
    for (int i = 0; i < 2; i++) {
        AUTO(portrait_dispose) struct portrait portrait;
        make_portrait(fixture, &picture, faces,
                      (struct portrait_wish){
                          .width = 720, .height = 1280, .cut_out = true, .in_place = i == 0},
                      &portrait);
        assert_true(face_matte_share(&portrait.matte, &portrait.face) > 0.8f);
        const struct box *covered = &portrait.covered;
        assert_true(covered->y == 0 && covered->height < 1200);
        at_edge[i] = picture_row(&portrait.matte, (int)(covered->height) -
                                                      4)[(int)(covered->x + covered->width / 2)];
    }
    assert_true(at_edge[0] > 200);
    assert_true(at_edge[1] < 60);
}

static void without_cutting_out_there_is_only_the_photo(void **state)
{
    struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture picture = photo(fixture, "hopper.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    assert_int_equal(faces_of(fixture, &picture, faces), 1);
    AUTO(portrait_dispose) struct portrait portrait;
    make_portrait(fixture, &picture, faces,
                  (struct portrait_wish){.width = 720, .height = 1280, .cut_out = false},
                  &portrait);
    assert_int_equal(portrait.photo.height, 1280);
    assert_null(portrait.matte.pixels);
    assert_null(portrait.foreground.pixels);
}

static void a_missing_model_is_named(void **state)
{
    (void)state;
    struct error err;
    assert_null(vision_open("/nowhere", &err));
    assert_non_null(strstr(err.text, "/nowhere/face_detection.onnx"));
}

static float mean_matte(const struct picture *matte, int left, int right)
{
    double sum = 0;
    for (int y = 0; y < matte->height; y++)
        for (int x = left; x < right; x++)
            sum += picture_row(matte, y)[x];
    return (float)(sum / matte->height / (right - left));
}

static void the_cut_out_of_one_of_two_has_no_other(void **state)
{
    const struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture picture = photo(fixture, "two_faces.jpg");
    AUTO(mem_free) struct face *faces = faces_new();
    struct error err;
    int count = faces_of(fixture, &picture, faces);
    assert_int_equal(count, 2);
    /* Wide enough to show both: the left one is the second. */
    struct portrait_wish wish = {
        .faces = faces, .face_count = 2, .chosen = 1, .width = 640, .height = 345, .cut_out = true};
    AUTO(portrait_dispose) struct portrait one = {0};
    assert_ok(portrait_make(fixture->vision, &picture, &wish, &one, &err), &err);
    AUTO(portrait_dispose) struct portrait both = {0};
    make_portrait(fixture, &picture, &faces[1],
                  (struct portrait_wish){.width = 640, .height = 345, .cut_out = true}, &both);
    struct box other = one.others[0];
    int from = (int)other.x, to = (int)(other.x + other.width);
    from = from > 0 ? from : 0, to = to < 640 ? to : 640;
    if (to - from > 20) {
        assert_true(mean_matte(&both.matte, from, to) > 60);
        assert_true(mean_matte(&one.matte, from, to) < 12);
    }
    int middle = (int)(one.face.box.x + one.face.box.width / 2);
    assert_true(mean_matte(&one.matte, middle - 20, middle + 20) > 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_models_are_what_the_manifest_says),
        cmocka_unit_test(a_portrait_has_one_face_with_its_points_in_place),
        cmocka_unit_test(a_mirrored_photo_gives_mirrored_points),
        cmocka_unit_test(the_size_of_the_photo_does_not_move_the_points),
        cmocka_unit_test(the_larger_of_two_faces_comes_first),
        cmocka_unit_test(a_rocket_has_no_face),
        cmocka_unit_test(a_tiny_face_and_a_profile_are_said_to_be_unusable),
        cmocka_unit_test(the_crop_has_the_eyes_where_a_photographer_puts_them),
        cmocka_unit_test(a_face_at_the_edge_stands_further_in),
        cmocka_unit_test(the_crop_stays_in_the_photo_where_it_can),
        cmocka_unit_test(a_tight_photo_becomes_a_close_up),
        cmocka_unit_test(the_portrait_is_found_again_where_it_was_put),
        cmocka_unit_test(the_person_is_cut_out_and_the_wall_is_not),
        cmocka_unit_test(a_face_alone_is_cut_out_and_fades_only_before_another_background),
        cmocka_unit_test(without_cutting_out_there_is_only_the_photo),
        cmocka_unit_test(a_missing_model_is_named),
        cmocka_unit_test(the_cut_out_of_one_of_two_has_no_other),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
