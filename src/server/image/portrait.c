/* SPDX-License-Identifier: Apache-2.0 */
#include "image/portrait.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "image/cutter.h"
#include "image/matte.h"
#include "image/persons.h"
#include "image/segment.h"
#include "image/surround.h"
#include "media/resample.h"

enum { FOREHEAD = 10, CHIN = 152, RIGHT_IRIS = 468, LEFT_IRIS = 473 };

bool face_usable(const struct face *face, const struct picture *photo, struct error *err)
{
    (void)photo;
    const float min_width = 48, max_yaw = 0.70f; /* 40 degrees */
    if (face->box.width < min_width) {
        error_set(err, ERROR_INVALID, "the face is only %.0f pixels wide, at least %.0f are needed",
                  (double)face->box.width, (double)min_width);
        return error_about(err, "image", "image_face_too_small");
    }
    if (fabsf(face->yaw) > max_yaw) {
        error_set(err, ERROR_INVALID, "the face is turned by %.0f degrees",
                  (double)face->yaw * 180 / M_PI);
        return error_about(err, "image", "image_face_profile");
    }
    return true;
}

/* How large the face is in the frame and how far down the eyes are, by the frame's shape. */
static const struct framing {
    float aspect; /* width over height */
    float face;   /* forehead to chin over the frame's height */
    float eyes;   /* of the frame's height, from the top */
} framings[] = {
    {9.0f / 16, 0.25f, 0.36f},
    {1, 0.36f, 0.41f},
    {16.0f / 9, 0.42f, 0.42f},
};

static struct framing framing_for(float aspect)
{
    const struct framing *a = &framings[0], *b = &framings[1];
    if (aspect > b->aspect) {
        a = &framings[1];
        b = &framings[2];
    }
    float share = (aspect - a->aspect) / (b->aspect - a->aspect);
    share = fminf(fmaxf(share, 0), 1);
    return (struct framing){aspect, a->face + (b->face - a->face) * share,
                            a->eyes + (b->eyes - a->eyes) * share};
}

/* Moves [*start, *start + size) into [0, limit), as far as [low, high) stays inside it. */
static void keep_inside(float *start, float size, float limit, float low, float high)
{
    float wanted = fminf(fmaxf(*start, 0), limit - size);
    if (size > limit)
        wanted = (limit - size) / 2;
    wanted = fmaxf(wanted, high - size); /* the head must not be cut … */
    wanted = fminf(wanted, low);         /* … least of all at its top or left */
    *start = wanted;
}

struct box portrait_crop(const struct face *face, const struct picture *photo, int width,
                         int height)
{
    float aspect = (float)width / (float)height;
    struct framing framing = framing_for(aspect);
    const struct point3 *p = face->points;
    float tall = hypotf(p[FOREHEAD].x - p[CHIN].x, p[FOREHEAD].y - p[CHIN].y);
    float eye_x = (p[RIGHT_IRIS].x + p[LEFT_IRIS].x) / 2;
    float eye_y = (p[RIGHT_IRIS].y + p[LEFT_IRIS].y) / 2;

    /* As large as the framing asks, smaller where the photo ends, but never cutting the head. */
    float crop_height = tall / framing.face;
    float fits = fminf((float)photo->height, (float)photo->width / aspect);
    float head = fmaxf(tall * 1.6f, tall * 1.25f / aspect);
    /* A wide frame of a tall photo shows more than the head, and soft surroundings beside it. */
    float roomy = aspect > 1.3f ? fminf(tall * 1.9f, (float)photo->height) : 0;
    crop_height = fmaxf(fminf(crop_height, fits), fmaxf(head, roomy));
    float crop_width = crop_height * aspect;

    /* A head that looks aside gets some room in front of it. */
    float ahead = sinf(face->yaw) * 0.06f * crop_width;
    struct box crop = {eye_x - crop_width / 2 + ahead, eye_y - crop_height * framing.eyes,
                       crop_width, crop_height};
    keep_inside(&crop.x, crop_width, (float)photo->width, eye_x - tall * 0.6f, eye_x + tall * 0.6f);
    keep_inside(&crop.y, crop_height, (float)photo->height, eye_y - tall * 0.8f,
                eye_y + tall * 0.75f);
    return crop;
}

void portrait_dispose(struct portrait *portrait)
{
    picture_dispose(&portrait->photo);
    picture_dispose(&portrait->matte);
    picture_dispose(&portrait->foreground);
}

static void face_move(const struct face *face, struct box crop, float scale_x, float scale_y,
                      struct face *out)
{
    *out = *face;
    out->box.x = (face->box.x - crop.x) * scale_x;
    out->box.y = (face->box.y - crop.y) * scale_y;
    out->box.width *= scale_x;
    out->box.height *= scale_y;
    for (int i = 0; i < FACE_POINTS; i++) {
        out->points[i].x = (face->points[i].x - crop.x) * scale_x;
        out->points[i].y = (face->points[i].y - crop.y) * scale_y;
        out->points[i].z = face->points[i].z * scale_x;
    }
}

void portrait_frame(const struct picture *photo, const struct face *face, int width, int height,
                    struct portrait *out)
{
    AUTO(picture_dispose) struct picture plain = {0};
    if (photo->channels != PICTURE_RGB) {
        plain = picture_on_white(photo);
        photo = &plain;
    }
    struct box crop = portrait_crop(face, photo, width, height);
    *out = (struct portrait){.photo = picture_new(width, height, PICTURE_RGB)};
    picture_resample(photo, crop, RESAMPLE_CUBIC, &out->photo);
    out->covered = surround_covered(crop, photo, &out->photo);
    surround_fill(&out->photo, out->covered);
    face_move(face, crop, (float)width / crop.width, (float)height / crop.height, &out->face);
}

/* Networks that are told whom to cut out have left the others out already. */
static void remove_others(bool told, struct portrait *portrait)
{
    struct box boxes[MAX_FACES + 1] = {portrait->face.box};
    bool keep[MAX_FACES + 1] = {true};
    if (portrait->other_count == 0 || told)
        return;
    memcpy(boxes + 1, portrait->others, (size_t)portrait->other_count * sizeof *boxes);
    AUTO(persons_dispose)
    struct persons persons =
        persons_tell_apart(&portrait->photo, &portrait->matte, boxes, portrait->other_count + 1);
    persons_keep(&persons, &portrait->photo, keep, &portrait->matte);
}

bool portrait_cut_out(struct vision *vision, const struct segment_how *how,
                      struct portrait *portrait, struct error *err)
{
    struct segment *segment = vision_segment(vision);
    struct cut_prompt prompt = cut_prompt_for(&portrait->face, &portrait->photo);
    if (!segment_matte(segment, &portrait->photo, &prompt, how, &portrait->matte, err))
        return false;
    remove_others(segment_takes_prompts(segment), portrait);
    surround_clear(&portrait->matte, portrait->covered);
    portrait->foreground = picture_new(portrait->photo.width, portrait->photo.height, PICTURE_RGB);
    foreground_estimate(&portrait->photo, &portrait->matte, &portrait->foreground);
    return true;
}

static void add_others(const struct picture *photo, const struct portrait_wish *wish,
                       struct portrait *portrait)
{
    struct box crop = portrait_crop(&wish->faces[wish->chosen], photo, wish->width, wish->height);
    float x = (float)wish->width / crop.width, y = (float)wish->height / crop.height;
    for (int i = 0; i < wish->face_count && portrait->other_count < MAX_FACES; i++) {
        struct box box = wish->faces[i].box;
        if (i != wish->chosen)
            portrait->others[portrait->other_count++] = (struct box){
                (box.x - crop.x) * x, (box.y - crop.y) * y, box.width * x, box.height * y};
    }
}

bool portrait_make(struct vision *vision, const struct picture *photo,
                   const struct portrait_wish *wish, struct portrait *out, struct error *err)
{
    AUTO(portrait_dispose) struct portrait portrait;
    portrait_frame(photo, &wish->faces[wish->chosen], wish->width, wish->height, &portrait);
    add_others(photo, wish, &portrait);
    if (wish->cut_out && !portrait_cut_out(vision, wish->how, &portrait, err))
        return false;
    *out = portrait;
    portrait = (struct portrait){0};
    return true;
}
