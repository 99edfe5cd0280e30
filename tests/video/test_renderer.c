/* SPDX-License-Identifier: Apache-2.0 */
#include "video/renderer.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "support/average_head.h"
#include "support/test.h"
#include "video/frame420.h"
#include "video/gesture.h"

enum { SIDE = 256, FPS = 25 };

struct portrait {
    struct picture photo;
    struct face face;
};

/* The average head seen from the front, drawn with just enough features: skin, lips, eyes, and a
 * texture that shows every shift. */
static void portrait_new(struct portrait *out)
{
    *out = (struct portrait){.photo = picture_new(SIDE, SIDE, PICTURE_RGB)};
    average_head(&out->face, SIDE / 2, SIDE * 0.45f, 10);
    const struct point3 *points = out->face.points;
    float mouth_x = points[13].x, mouth_y = (points[13].y + points[14].y) / 2;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            uint8_t *rgb = picture_row(&out->photo, y) + 3 * x;
            int grain = (x * 7 + y * 13) % 9;
            float lip = hypotf(((float)x - mouth_x) / 25, ((float)y - mouth_y) / 8);
            rgb[0] = (uint8_t)(205 + grain);
            rgb[1] = (uint8_t)((lip < 1 ? 90 : 160) + grain);
            rgb[2] = (uint8_t)((lip < 1 ? 90 : 140) + grain);
            if (fabsf((float)y - mouth_y) < 1 && fabsf((float)x - mouth_x) < 24)
                rgb[0] = rgb[1] = rgb[2] = 40;
        }
}

static void portrait_free_auto(const struct portrait *portrait)
{
    free(portrait->photo.pixels);
}

static struct renderer *renderer_of(const struct portrait *portrait,
                                    const struct viseme_track *track, double seconds, bool sway,
                                    uint64_t seed)
{
    struct scene scene = {.photo = &portrait->photo,
                          .face = &portrait->face,
                          .track = track,
                          .duration_s = seconds,
                          .fps = FPS,
                          .sway = sway,
                          .seed = seed};
    struct error err;
    struct renderer *renderer = renderer_new(&scene, &err);
    assert_ok(renderer, &err);
    return renderer;
}

static struct renderer *renderer_for(const struct portrait *portrait, enum viseme viseme, bool sway,
                                     uint64_t seed)
{
    struct viseme_span spans[] = {
        {0, 0.4f, VISEME_SILENCE, 1}, {0.4f, 0.8f, viseme, 1}, {0.8f, 1.2f, VISEME_SILENCE, 1}};
    struct viseme_track track = {3, spans};
    return renderer_of(portrait, &track, 1.2, sway, seed);
}

static struct renderer *renderer_silent(const struct portrait *portrait, int seconds, bool sway,
                                        uint64_t seed)
{
    struct viseme_span spans[] = {{0, (float)seconds, VISEME_SILENCE, 1}};
    struct viseme_track track = {1, spans};
    return renderer_of(portrait, &track, seconds, sway, seed);
}

/* How many luma pixels of the mouth's surroundings are dark. */
static int dark_pixels(const struct portrait *portrait, enum viseme viseme, int index)
{
    AUTO(renderer_free) struct renderer *renderer = renderer_for(portrait, viseme, false, 1);
    AUTO(frame420_dispose) struct frame420 frame = frame420_new(SIDE, SIDE);
    renderer_frame(renderer, index, &frame);
    int mouth_y = (int)portrait->face.points[13].y, count = 0;
    for (int y = mouth_y - 15; y < mouth_y + 25; y++)
        for (int x = SIDE / 2 - 30; x < SIDE / 2 + 30; x++)
            count += frame.planes[0][y * frame.strides[0] + x] < 65;
    return count;
}

static void silence_shows_the_photo_itself(void **state)
{
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    AUTO(renderer_free) struct renderer *renderer =
        renderer_for(&portrait, VISEME_SILENCE, false, 1);
    AUTO(frame420_dispose) struct frame420 frame = frame420_new(SIDE, SIDE);
    AUTO(frame420_dispose) struct frame420 photo = frame420_new(SIDE, SIDE);
    frame420_from_picture(&portrait.photo, &photo);
    renderer_frame(renderer, 0, &frame);
    int mouth_y = (int)portrait.face.points[13].y;
    for (int y = mouth_y - 20; y < mouth_y + 60; y++)
        assert_memory_equal(frame.planes[0] + y * frame.strides[0],
                            photo.planes[0] + y * photo.strides[0], SIDE);
}

static void vowels_open_the_mouth_each_in_its_measure(void **state)
{
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    int rest = dark_pixels(&portrait, VISEME_SILENCE, 15);
    int a = dark_pixels(&portrait, VISEME_A, 15);
    int u = dark_pixels(&portrait, VISEME_U, 15);
    assert_true(a > rest + 100);
    assert_true(a > u);
}

static void lips_close_for_m_b_p(void **state)
{
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    int rest = dark_pixels(&portrait, VISEME_SILENCE, 15);
    assert_true(dark_pixels(&portrait, VISEME_MBP, 15) <= rest + rest / 10);
}

static bool same(const struct frame420 *a, const struct frame420 *b)
{
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < (plane ? SIDE / 2 : SIDE); y++)
            if (memcmp(a->planes[plane] + y * a->strides[plane],
                       b->planes[plane] + y * b->strides[plane],
                       (size_t)(plane ? SIDE / 2 : SIDE)) != 0)
                return false;
    return true;
}

static void the_same_seed_makes_the_same_frames_in_any_order(void **state)
{
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    AUTO(renderer_free) struct renderer *first = renderer_for(&portrait, VISEME_E, true, 5);
    AUTO(renderer_free) struct renderer *second = renderer_for(&portrait, VISEME_E, true, 5);
    AUTO(frame420_dispose) struct frame420 a = frame420_new(SIDE, SIDE);
    AUTO(frame420_dispose) struct frame420 b = frame420_new(SIDE, SIDE);
    assert_int_equal(renderer_frames(first), 30);
    for (int i = 0; i < 30; i += 5) {
        renderer_frame(first, 25 - i, &a); /* to have been elsewhere */
        renderer_frame(first, i, &a);
        renderer_frame(second, i, &b);
        assert_true(same(&a, &b));
    }
}

struct shared {
    struct renderer *renderer;
    struct frame420 frames[30];
    atomic_int next;
};

static void *render_some(void *context)
{
    struct shared *shared = context;
    for (int i = shared->next++; i < 30; i = shared->next++)
        renderer_frame(shared->renderer, i, &shared->frames[i]);
    return NULL;
}

static void threads_make_the_same_frames_as_one(void **state)
{
    enum { THREADS = 4 };
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    AUTO(renderer_free) struct renderer *alone = renderer_for(&portrait, VISEME_O, true, 6);
    AUTO(renderer_free) struct renderer *renderer = renderer_for(&portrait, VISEME_O, true, 6);
    struct shared shared = {.renderer = renderer};
    for (int i = 0; i < 30; i++)
        shared.frames[i] = frame420_new(SIDE, SIDE);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, render_some, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    AUTO(frame420_dispose) struct frame420 frame = frame420_new(SIDE, SIDE);
    for (int i = 0; i < 30; i++) {
        renderer_frame(alone, i, &frame);
        assert_true(same(&frame, &shared.frames[i]));
        frame420_dispose(&shared.frames[i]);
    }
}

/* How much the luma of two frames differs, on average. */
static double difference(const struct frame420 *a, const struct frame420 *b)
{
    double sum = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            sum += abs(a->planes[0][y * a->strides[0] + x] - b->planes[0][y * b->strides[0] + x]);
    return sum / (SIDE * SIDE);
}

/* A head that is held for a frame and catches up in the next is seen to judder. */
static void a_head_that_sways_moves_on_in_every_frame(void **state)
{
    enum { SECONDS = 6, FRAMES = SECONDS * FPS, EASED = FPS };
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    for (int y = 0; y < SIDE; y++) /* waves, so that twice as far is twice as different */
        for (int x = 0; x < SIDE; x++)
            memset(picture_row(&portrait.photo, y) + 3 * x,
                   128 + (int)(70 * sinf((float)x * 0.13f) + 50 * sinf((float)y * 0.11f)), 3);
    AUTO(renderer_free) struct renderer *renderer = renderer_silent(&portrait, SECONDS, true, 12);
    struct frame420 frames[2] = {frame420_new(SIDE, SIDE), frame420_new(SIDE, SIDE)};
    double moved[FRAMES] = {0};
    for (int i = 0; i < FRAMES; i++) {
        renderer_frame(renderer, i, &frames[i % 2]);
        moved[i] = i > 0 ? difference(&frames[0], &frames[1]) : 0;
    }
    int held = 0;
    for (int i = EASED; i < FRAMES - EASED; i++) {
        double around = (moved[i - 1] + moved[i + 1]) / 2;
        held += moved[i] < 0.5 * around;
        assert_true(moved[i] < 2.5 * around + 0.1 || moved[i] < 1); /* and none is a jump */
    }
    assert_in_range(held, 0, 3);
    frame420_dispose(&frames[0]);
    frame420_dispose(&frames[1]);
}

static void without_sway_the_rest_of_the_photo_never_changes(void **state)
{
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    AUTO(renderer_free) struct renderer *renderer = renderer_for(&portrait, VISEME_A, false, 3);
    AUTO(frame420_dispose) struct frame420 frame = frame420_new(SIDE, SIDE);
    AUTO(frame420_dispose) struct frame420 photo = frame420_new(SIDE, SIDE);
    frame420_from_picture(&portrait.photo, &photo);
    for (int i = 0; i < renderer_frames(renderer); i++) {
        renderer_frame(renderer, i, &frame);
        for (int y = 0; y < SIDE; y++) { /* left and right of the face */
            assert_memory_equal(frame.planes[0] + y * frame.strides[0],
                                photo.planes[0] + y * photo.strides[0], 24);
            assert_memory_equal(frame.planes[0] + y * frame.strides[0] + SIDE - 24,
                                photo.planes[0] + y * photo.strides[0] + SIDE - 24, 24);
        }
    }
}

/* A silent portrait's frames in which the eyes are shut and the brows at rest, one after another.
 */
struct shut {
    struct renderer *renderer;
    struct frame420 frame;
    struct gesture_source gestures;
    int next;
};

static void shut_begin(struct shut *shut, const struct portrait *portrait)
{
    enum { SECONDS = 4, SEED = 7 };
    *shut = (struct shut){.renderer = renderer_silent(portrait, SECONDS, false, SEED),
                          .frame = frame420_new(SIDE, SIDE),
                          .gestures = {SEED, SECONDS}};
}

static bool shut_next(struct shut *shut)
{
    while (shut->next < renderer_frames(shut->renderer)) {
        int at = shut->next++;
        struct gesture gesture = gesture_at(&shut->gestures, (at + 0.5) / FPS, 0);
        if (gesture.blink < 0.99f || fabsf(gesture.brows) > 0.4f)
            continue;
        renderer_frame(shut->renderer, at, &shut->frame);
        return true;
    }
    return false;
}

static void shut_end_auto(struct shut *shut)
{
    renderer_free(shut->renderer);
    frame420_dispose(&shut->frame);
}

/* Brows that nearly lie on the lids are hair, not skin: only what is between them comes down. */
static void a_low_brow_stays_where_it_is_in_a_blink(void **state)
{
    enum { DARK = 100 };
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    const struct point3 *points = portrait.face.points;
    int lid = (int)points[159].y, left = (int)points[33].x - 3, right = (int)points[133].x + 3;
    for (int y = lid - 9; y < lid - 4; y++)
        for (int x = left; x < right; x++)
            memset(picture_row(&portrait.photo, y) + 3 * x, 50, 3);
    AUTO(shut_end) struct shut shut;
    const struct frame420 *frame = &shut.frame;
    int seen = 0;
    shut_begin(&shut, &portrait);
    for (; shut_next(&shut); seen++) {
        int middle = (left + right) / 2;
        for (int x = middle - 6; x < middle + 6; x++) {
            const uint8_t *column = frame->planes[0] + x;
            for (int y = lid - 8; y < lid - 5; y++)
                assert_true(column[y * frame->strides[0]] < DARK);
            for (int y = lid - 3; y < lid; y++) /* no hair on the lid */
                assert_true(column[y * frame->strides[0]] > DARK);
        }
    }
    assert_true(seen > 0);
}

/* However much lashes and make-up surround the open eye, what is seen of the shut one is skin, as
 * light as that around it, and one line of lashes. */
static void a_shut_eye_is_skin_with_a_line_of_lashes(void **state)
{
    enum { SKIN = 150, DARK = 100 };
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    const struct point3 *points = portrait.face.points;
    int upper = (int)points[159].y, lower = (int)points[145].y;
    int left = (int)points[33].x, right = (int)points[133].x, middle = (left + right) / 2;
    for (int x = left; x < right; x++) {
        float at = (float)(x - middle) / (float)(right - middle), open = 1 - at * at;
        float corner = points[33].y;
        int top = (int)(corner + ((float)upper - corner) * open);
        int height = (int)((float)(lower - upper) * open);
        for (int y = top - 2; y < top; y++)
            memset(picture_row(&portrait.photo, y) + 3 * x, 30, 3);
        for (int y = top; y < top + height; y++)
            memset(picture_row(&portrait.photo, y) + 3 * x, abs(x - middle) < 5 ? 20 : 245, 3);
    }
    AUTO(shut_end) struct shut shut;
    const struct frame420 *frame = &shut.frame;
    int seen = 0;
    shut_begin(&shut, &portrait);
    for (; shut_next(&shut); seen++) {
        for (int x = middle - 2; x < middle + 2; x++) {
            const uint8_t *column = frame->planes[0] + x;
            for (int y = upper - 3; y < (upper + lower) / 2; y++)
                assert_in_range(column[y * frame->strides[0]], SKIN - 25, SKIN + 25);
            int darkest = SKIN;
            for (int y = (upper + lower) / 2; y < lower + 3; y++)
                if (column[y * frame->strides[0]] < darkest)
                    darkest = column[y * frame->strides[0]];
            assert_true(darkest < DARK);
        }
    }
    assert_true(seen > 0);
}

/* Faces that no model would find, or only half in the picture: nothing is read outside it. */
static void no_landmarks_make_it_read_outside_the_picture(void **state)
{
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    AUTO(picture_dispose) struct picture matte = picture_new(SIDE, SIDE, PICTURE_GREY);
    AUTO(frame420_dispose) struct frame420 frame = frame420_new(SIDE, SIDE);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            picture_row(&matte, y)[x] = (uint8_t)(x * y);
    struct viseme_span spans[] = {{0, 0.5f, VISEME_A, 1}, {0.5f, 3, VISEME_W, 1}};
    struct viseme_track track = {2, spans};
    const struct face good = portrait.face;
    unsigned seed = 1;
    for (int round = 0; round < 60; round++) {
        float size = powf(2, (float)(round % 7) - 3), turn = (float)round * 0.7f;
        float left = (float)((round * 97) % 500) - 150, top = (float)((round * 61) % 500) - 150;
        for (int i = 0; i < FACE_POINTS; i++) {
            float x = (good.points[i].x - SIDE / 2) * size,
                  y = (good.points[i].y - SIDE / 2) * size;
            float wild = round % 3 ? 0 : size * 12;
            portrait.face.points[i].x =
                left + x * cosf(turn) - y * sinf(turn) + wild * (float)(rand_r(&seed) % 9 - 4);
            portrait.face.points[i].y =
                top + x * sinf(turn) + y * cosf(turn) + wild * (float)(rand_r(&seed) % 9 - 4);
        }
        struct scene scene = {.photo = &portrait.photo,
                              .matte = round % 2 ? &matte : NULL,
                              .face = &portrait.face,
                              .track = &track,
                              .duration_s = 3,
                              .fps = FPS,
                              .sway = round % 4 > 0,
                              .seed = (uint64_t)round};
        struct error err;
        AUTO(renderer_free) struct renderer *renderer = renderer_new(&scene, &err);
        for (int i = 0; renderer && i < renderer_frames(renderer); i += 7)
            renderer_frame(renderer, i, &frame);
    }
    portrait.face.points[7].x = NAN;
    struct scene scene = {.photo = &portrait.photo,
                          .face = &portrait.face,
                          .track = &track,
                          .duration_s = 1,
                          .fps = FPS};
    struct error err;
    assert_null(renderer_new(&scene, &err));
    assert_error(&err, ERROR_INVALID, "landmark 7 lies outside the picture");
}

static void a_picture_that_cannot_be_coded_is_refused(void **state)
{
    AUTO(portrait_free) struct portrait portrait;
    portrait_new(&portrait);
    portrait.photo.width--;
    struct viseme_track track = {0};
    struct scene scene = {.photo = &portrait.photo,
                          .face = &portrait.face,
                          .track = &track,
                          .duration_s = 1,
                          .fps = FPS};
    struct error err;
    assert_null(renderer_new(&scene, &err));
    assert_error(&err, ERROR_INTERNAL, "255 × 256 with 3 channels cannot be animated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_shows_the_photo_itself),
        cmocka_unit_test(vowels_open_the_mouth_each_in_its_measure),
        cmocka_unit_test(lips_close_for_m_b_p),
        cmocka_unit_test(the_same_seed_makes_the_same_frames_in_any_order),
        cmocka_unit_test(threads_make_the_same_frames_as_one),
        cmocka_unit_test(a_head_that_sways_moves_on_in_every_frame),
        cmocka_unit_test(without_sway_the_rest_of_the_photo_never_changes),
        cmocka_unit_test(a_low_brow_stays_where_it_is_in_a_blink),
        cmocka_unit_test(a_shut_eye_is_skin_with_a_line_of_lashes),
        cmocka_unit_test(no_landmarks_make_it_read_outside_the_picture),
        cmocka_unit_test(a_picture_that_cannot_be_coded_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
