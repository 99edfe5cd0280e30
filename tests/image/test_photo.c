/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as people send them, good and bad, made here with libvips or byte by byte. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vips/vips.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "image/photo.h"
#include "media/picture.h"

/* The HEIC encoder that makes one of the files below keeps a little memory for good. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265";
}

/* libvips' own threads are not compiled for the thread sanitizer. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}

struct fixture {
    struct photos *photos;
    char *dir;
    char path[512];
};

static int set_up(void **state)
{
    struct error err;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->photos = photos_open(NULL, &err);
    assert_ok(fixture->photos, &err);
    fixture->dir = test_dir_new();
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    photos_close(fixture->photos);
    test_dir_free(fixture->dir);
    free(fixture);
    return 0;
}

static const char *path_of(struct fixture *fixture, const char *name)
{
    snprintf(fixture->path, sizeof fixture->path, "%s/%s", fixture->dir, name);
    return fixture->path;
}

/* 60 × 40: left half red, right half blue, a green stripe of 10 rows at the top. */
static VipsImage *drawing(void)
{
    uint8_t pixels[40][60][3];
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 60; x++) {
            const uint8_t colors[3][3] = {{200, 20, 30}, {20, 30, 200}, {20, 180, 40}};
            memcpy(pixels[y][x], colors[y < 10 ? 2 : x < 30 ? 0 : 1], 3);
        }
    VipsImage *image =
        vips_image_new_from_memory_copy(pixels, sizeof pixels, 60, 40, 3, VIPS_FORMAT_UCHAR);
    image->Type = VIPS_INTERPRETATION_sRGB;
    return image;
}

static void replace(VipsImage **image, VipsImage *next)
{
    g_object_unref(*image);
    *image = next;
}

static void save(VipsImage *image, const char *path)
{
    if (vips_image_write_to_file(image, path, NULL) != 0)
        fail_msg("%s: %s", path, vips_error_buffer());
    g_object_unref(image);
}

static void assert_colour(const struct picture *picture, int x, int y, const int rgb[3],
                          int tolerance)
{
    int r = rgb[0], g = rgb[1], b = rgb[2];
    const uint8_t *p = picture_row(picture, y) + x * picture->channels;
    if (abs(p[0] - r) > tolerance || abs(p[1] - g) > tolerance || abs(p[2] - b) > tolerance)
        fail_msg("(%d,%d) is %d,%d,%d and not %d,%d,%d", x, y, p[0], p[1], p[2], r, g, b);
}

static void assert_drawing(const struct picture *picture, int tolerance)
{
    assert_int_equal(picture->width, 60);
    assert_int_equal(picture->height, 40);
    assert_colour(picture, 8, 30, (int[]){200, 20, 30}, tolerance);
    assert_colour(picture, 52, 30, (int[]){20, 30, 200}, tolerance);
    assert_colour(picture, 30, 4, (int[]){20, 180, 40}, tolerance);
}

static struct picture decoded(struct fixture *fixture, int max_side)
{
    struct error err;
    struct picture picture = {0};
    if (!photos_decode(fixture->photos, fixture->path, max_side, &picture, &err))
        fail_msg("%s: %s (%s)", fixture->path, err.text, err.code ? err.code : "no code");
    return picture;
}

static void assert_refused(struct fixture *fixture, const char *code)
{
    struct error err = {0};
    struct picture picture = {0};
    assert_false(photos_decode(fixture->photos, fixture->path, 512, &picture, &err));
    if (!err.code || strcmp(err.code, code) != 0)
        fail_msg("%s gives %s (%s), not %s", fixture->path, err.code ? err.code : "no code",
                 err.text, code);
    assert_string_equal(err.field, "image");
    assert_null(picture.pixels);
}

static void write_bytes(struct fixture *fixture, const char *name, struct bytes bytes)
{
    struct error err;
    assert_ok(file_write(path_of(fixture, name), bytes, &err), &err);
}

static void every_format_is_decoded(void **state)
{
    const char *const names[] = {
        "a.jpg", "a.png", "a.webp", "a.tif", "a.gif", "a.avif[compression=av1]", "a.heic"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct fixture *fixture = *state;
        VipsImage *image = drawing();
        bool saved = vips_image_write_to_file(image, path_of(fixture, names[i]), NULL) == 0;
        g_object_unref(image);
        if (!saved && i >= 5) { /* no encoder here: then there is nothing to decode */
            print_message("no encoder for %s\n", names[i]);
            vips_error_clear();
            continue;
        }
        assert_true(saved);
        fixture->path[strcspn(fixture->path, "[")] = '\0';
        AUTO(picture_dispose) struct picture picture = decoded(fixture, 512);
        assert_int_equal(picture.channels, PICTURE_RGB);
        assert_drawing(&picture, 30);
    }
}

static void all_eight_orientations_come_out_upright(void **state)
{
    struct fixture *fixture = *state;
    /* What has to be done to an upright picture so that orientation n undoes it. */
    const struct {
        VipsAngle angle;
        bool flip;
    } undo[9] = {[1] = {VIPS_ANGLE_D0, false},   [2] = {VIPS_ANGLE_D0, true},
                 [3] = {VIPS_ANGLE_D180, false}, [4] = {VIPS_ANGLE_D180, true},
                 [5] = {VIPS_ANGLE_D270, true},  [6] = {VIPS_ANGLE_D270, false},
                 [7] = {VIPS_ANGLE_D90, true},   [8] = {VIPS_ANGLE_D90, false}};
    for (int n = 1; n <= 8; n++) {
        VipsImage *image = drawing(), *next = NULL;
        if (undo[n].flip) {
            assert_int_equal(vips_flip(image, &next, VIPS_DIRECTION_HORIZONTAL, NULL), 0);
            replace(&image, next);
        }
        assert_int_equal(vips_rot(image, &next, undo[n].angle, NULL), 0);
        replace(&image, next);
        assert_int_equal(vips_copy(image, &next, NULL), 0);
        replace(&image, next);
        vips_image_set_int(image, VIPS_META_ORIENTATION, n);
        save(image, path_of(fixture, "turned.jpg"));
        AUTO(picture_dispose) struct picture picture = decoded(fixture, 512);
        assert_drawing(&picture, 30);
    }
}

static void print_and_scanner_colours_become_srgb(void **state)
{
    struct fixture *fixture = *state;
    VipsImage *image = drawing(), *next = NULL;
    assert_int_equal(vips_icc_transform(image, &next, "cmyk", "input-profile", "srgb", NULL), 0);
    replace(&image, next);
    save(image, path_of(fixture, "cmyk.jpg"));
    AUTO(picture_dispose) struct picture cmyk = decoded(fixture, 512);
    assert_drawing(&cmyk, 80); /* ink has no such blue */

    image = drawing();
    assert_int_equal(vips_colourspace(image, &next, VIPS_INTERPRETATION_RGB16, NULL), 0);
    replace(&image, next);
    save(image, path_of(fixture, "deep.png"));
    AUTO(picture_dispose) struct picture deep = decoded(fixture, 512);
    assert_drawing(&deep, 3);

    image = drawing();
    assert_int_equal(vips_icc_transform(image, &next, "p3", "input-profile", "srgb", NULL), 0);
    replace(&image, next);
    save(image, path_of(fixture, "p3.png"));
    AUTO(picture_dispose) struct picture wide = decoded(fixture, 512);
    assert_drawing(&wide, 6);
}

static void grey_palette_and_alpha_are_taken(void **state)
{
    struct fixture *fixture = *state;
    VipsImage *image = drawing(), *next = NULL;
    save(image, path_of(fixture, "palette.png[palette,bitdepth=4]"));
    *strchr(fixture->path, '[') = '\0';
    AUTO(picture_dispose) struct picture palette = decoded(fixture, 512);
    assert_drawing(&palette, 20);

    image = drawing();
    assert_int_equal(vips_colourspace(image, &next, VIPS_INTERPRETATION_B_W, NULL), 0);
    replace(&image, next);
    save(image, path_of(fixture, "grey.jpg"));
    AUTO(picture_dispose) struct picture grey = decoded(fixture, 512);
    assert_int_equal(grey.channels, PICTURE_RGB);
    const uint8_t *pixel = picture_row(&grey, 30) + 8 * 3;
    assert_true(pixel[0] == pixel[1] && pixel[1] == pixel[2]);

    image = drawing();
    assert_int_equal(vips_bandjoin_const1(image, &next, 128, NULL), 0);
    replace(&image, next);
    save(image, path_of(fixture, "glass.png"));
    AUTO(picture_dispose) struct picture glass = decoded(fixture, 512);
    assert_int_equal(glass.channels, PICTURE_RGBA);
    assert_int_equal(picture_row(&glass, 0)[3], 128);
    assert_drawing(&glass, 3);

    image = drawing();
    assert_int_equal(vips_addalpha(image, &next, NULL), 0);
    replace(&image, next);
    save(image, path_of(fixture, "opaque.png"));
    AUTO(picture_dispose) struct picture opaque = decoded(fixture, 512);
    assert_int_equal(opaque.channels, PICTURE_RGB);
    assert_drawing(&opaque, 3);
}

static void large_pictures_are_scaled_down(void **state)
{
    struct fixture *fixture = *state;
    VipsImage *image = drawing(), *next = NULL;
    assert_int_equal(vips_zoom(image, &next, 50, 50, NULL), 0); /* 3000 × 2000 */
    replace(&image, next);
    save(image, path_of(fixture, "large.jpg"));
    AUTO(picture_dispose) struct picture picture = decoded(fixture, 700);
    assert_in_range(picture.width, 490, 700);
    assert_in_range(picture.height, picture.width * 2 / 3 - 1, picture.width * 2 / 3 + 1);
    assert_colour(&picture, 100, 200, (int[]){200, 20, 30}, 10);
}

static void odd_metadata_does_no_harm(void **state)
{
    struct fixture *fixture = *state;
    VipsImage *image = drawing(), *next = NULL;
    static uint8_t noise[40000];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 2654435761U >> 13);
    memcpy(noise, "Exif\0\0II*\0\x08\0\0\0\xff\xff", 16);
    assert_int_equal(vips_copy(image, &next, NULL), 0);
    replace(&image, next);
    vips_image_set_blob_copy(image, VIPS_META_EXIF_NAME, noise, sizeof noise);
    vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, noise, sizeof noise);
    vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, noise, 3000);
    save(image, path_of(fixture, "noise.png"));
    AUTO(picture_dispose) struct picture picture = decoded(fixture, 512);
    assert_drawing(&picture, 3);
}

static void a_photo_with_a_film_or_a_page_behind_it_passes(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    AUTO(buf_dispose) struct buf file = BUF(1 << 20);
    save(drawing(), path_of(fixture, "plain.jpg"));
    assert_ok(file_read(fixture->path, &file, &err), &err);
    assert_ok(buf_text(&file, "ftypmp42<html><script>alert(1)</script></html>", &err), &err);
    for (int i = 0; i < 1000; i++)
        assert_ok(buf_text(&file, "PK\3\4 and more", &err), &err);
    write_bytes(fixture, "motion.jpg", buf_bytes(&file));
    AUTO(picture_dispose) struct picture picture = decoded(fixture, 512);
    assert_drawing(&picture, 30);
}

static void what_is_not_a_picture_is_refused(void **state)
{
    static const char svg[] = "<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' "
                              "xmlns:x='http://www.w3.org/1999/xlink'>"
                              "<image x:href='file:///etc/passwd'/></svg>";
    const struct {
        const char *name, *bytes, *code;
    } files[] = {
        {"note.jpg", "Dear Ann, this is a letter.", "image_not_a_picture"},
        {"drawing.svg", svg, "image_not_a_picture"},
        {"paper.png", "%PDF-1.7\n%\xff\xd8\xff", "image_not_a_picture"},
        {"page.gif", "<html>GIF89a</html>", "image_not_a_picture"},
        {"script.gif", "GIF89a/*\x01\x01\xff\xff*/=1;alert(1)", "image_not_a_picture"},
        {"head.jpg", "\xff\xd8\xff\xe0 and then nothing of the kind", "image_not_a_picture"},
        {"v.v", "\x08\xf2\xa6\xb6 a picture of libvips itself", "image_not_a_picture"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_bytes(*state, files[i].name, bytes_of(files[i].bytes));
        struct error err = {0};
        struct picture picture = {0};
        struct fixture *fixture = *state;
        assert_false(photos_decode(fixture->photos, fixture->path, 512, &picture, &err));
        if (!err.code ||
            (strcmp(err.code, files[i].code) != 0 && strcmp(err.code, "image_truncated") != 0))
            fail_msg("%s: %s (%s)", files[i].name, err.code, err.text);
    }
    struct fixture *fixture = *state;
    write_bytes(fixture, "nothing.jpg", bytes_of(""));
    assert_refused(fixture, "image_empty");
    path_of(fixture, ".");
    assert_refused(fixture, "image_not_a_picture");
}

static void half_a_file_is_called_truncated(void **state)
{
    struct fixture *fixture = *state;
    const char *const names[] = {"half.jpg", "half.png", "half.webp", "half.tif"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct error err;
        AUTO(buf_dispose) struct buf file = BUF(1 << 22);
        VipsImage *image = drawing(), *next = NULL;
        assert_int_equal(vips_zoom(image, &next, 10, 10, NULL), 0);
        replace(&image, next);
        save(image, path_of(fixture, names[i]));
        assert_ok(file_read(fixture->path, &file, &err), &err);
        write_bytes(fixture, names[i], (struct bytes){file.data, file.size * 6 / 10});
        assert_refused(fixture, "image_truncated");
    }
}

/* A PNG's header for `width` × `height` and a little data: it announces far more than it has. */
static void write_bomb(struct fixture *fixture, uint32_t width, uint32_t height)
{
    VipsImage *image = NULL;
    assert_int_equal(vips_black(&image, (int)width, (int)height, NULL), 0);
    save(image, path_of(fixture, "bomb.png[compression=9]"));
    *strchr(fixture->path, '[') = '\0';
}

static void too_many_pixels_are_refused_before_they_are_decoded(void **state)
{
    struct fixture *fixture = *state;
    write_bomb(fixture, 10000, 6000);
    assert_refused(fixture, "image_too_many_pixels");
    write_bomb(fixture, 60000, 1200);
    assert_refused(fixture, "image_too_many_pixels");
}

static void fifty_megapixels_are_fine(void **state)
{
    struct fixture *fixture = *state;
    write_bomb(fixture, 8000, 6000);
    AUTO(picture_dispose) struct picture picture = decoded(fixture, 1024);
    assert_int_equal(picture.width, 1024);
    assert_int_equal(picture.height, 768);
}

static void moving_pictures_are_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *const names[] = {"moving.gif", "moving.webp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        VipsImage *one = drawing(), *two = NULL, *both = NULL;
        assert_int_equal(vips_invert(one, &two, NULL), 0);
        assert_int_equal(vips_join(one, two, &both, VIPS_DIRECTION_VERTICAL, NULL), 0);
        g_object_unref(one);
        g_object_unref(two);
        VipsImage *pages = NULL;
        assert_int_equal(vips_copy(both, &pages, NULL), 0);
        g_object_unref(both);
        vips_image_set_int(pages, VIPS_META_PAGE_HEIGHT, 40);
        save(pages, path_of(fixture, names[i]));
        assert_refused(fixture, "image_animated");
    }
}

static void a_file_of_more_than_10_mb_is_not_even_read(void **state)
{
    struct fixture *fixture = *state;
    write_bytes(fixture, "heavy.jpg", bytes_of("\xff\xd8\xff"));
    assert_int_equal(truncate(fixture->path, 10 * 1024 * 1024 + 1), 0);
    assert_refused(fixture, "image_too_large");
}

#define WITH_PHOTOS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    if (vips_init(argv[0]) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        WITH_PHOTOS(every_format_is_decoded),
        WITH_PHOTOS(all_eight_orientations_come_out_upright),
        WITH_PHOTOS(print_and_scanner_colours_become_srgb),
        WITH_PHOTOS(grey_palette_and_alpha_are_taken),
        WITH_PHOTOS(large_pictures_are_scaled_down),
        WITH_PHOTOS(odd_metadata_does_no_harm),
        WITH_PHOTOS(a_photo_with_a_film_or_a_page_behind_it_passes),
        WITH_PHOTOS(what_is_not_a_picture_is_refused),
        WITH_PHOTOS(half_a_file_is_called_truncated),
        WITH_PHOTOS(too_many_pixels_are_refused_before_they_are_decoded),
        WITH_PHOTOS(fifty_megapixels_are_fine),
        WITH_PHOTOS(moving_pictures_are_refused),
        WITH_PHOTOS(a_file_of_more_than_10_mb_is_not_even_read),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    vips_shutdown();
    return failed;
}
