/* SPDX-License-Identifier: Apache-2.0 */
#include "image/portrait.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/face_matte.h"
#include "image/loose.h"
#include "image/matte.h"
#include "image/persons.h"
#include "image/segment.h"
#include "image/surround.h"
#include "media/resample.h"

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

/* A face that fills the picture, or one stretched to a network's square, may be no person to it:
 * this shows it what the photo covers, a little smaller and not stretched. */
static bool cut_square(struct segment *segment, const struct segment_how *how,
                       const struct portrait *portrait, struct picture *out, struct error *err)
{
    const float margin = 1.12f;
    const struct picture *photo = &portrait->photo;
    const struct box *covered = &portrait->covered;
    int side = (int)(fmaxf(covered->width, covered->height) * margin);
    int left = (int)(covered->x + covered->width / 2) - side / 2;
    int top = (int)(covered->y + covered->height / 2) - side / 2;
    struct box frame = {(float)left, (float)top, (float)side, (float)side};
    AUTO(picture_dispose) struct picture square = picture_new(side, side, PICTURE_RGB);
    picture_resample(photo, frame, RESAMPLE_TRIANGLE, &square);
    surround_fill(&square, surround_covered(frame, photo, &square));
    AUTO(mem_free) struct face *face = xmalloc(sizeof *face);
    face_move(&portrait->face, frame, 1, 1, face);
    struct cut_prompt prompt = cut_prompt_for(face, &square);
    AUTO(picture_dispose) struct picture matte = {0};
    if (!segment_matte(segment, &square, &prompt, how, &matte, err))
        return false;
    *out = picture_new(photo->width, photo->height, PICTURE_GREY);
    int first = left > 0 ? left : 0;
    int end = left + side < photo->width ? left + side : photo->width;
    for (int y = 0; y < photo->height; y++) {
        memset(picture_row(out, y), 0, (size_t)photo->width);
        if (y >= top && y - top < side)
            memcpy(picture_row(out, y) + first, picture_row(&matte, y - top) + first - left,
                   (size_t)(end - first));
    }
    return true;
}

/* The square's matte takes the place of the first one where it shows more of the face. */
static void take_better(struct picture *other, float share, const char *model, struct portrait *out)
{
    if (face_matte_share(other, &out->face) <= share)
        return;
    struct picture worse = out->matte;
    out->matte = *other;
    *other = worse;
    memcpy(out->model, model, sizeof out->model);
}

/* *out_told: the network was told whom to cut out. */
static bool cut(struct segment *segment, const struct segment_how *wanted,
                struct portrait *portrait, bool *out_told, struct error *err)
{
    const float enough = 0.8f;
    struct segment_how how = wanted ? *wanted : (struct segment_how){.priority = PRIORITY_PERSON};
    struct cut_prompt prompt = cut_prompt_for(&portrait->face, &portrait->photo);
    how.model = portrait->model;
    how.out_told = out_told;
    if (!segment_matte(segment, &portrait->photo, &prompt, &how, &portrait->matte, err))
        return false;
    float share = face_matte_share(&portrait->matte, &portrait->face);
    if (share >= enough)
        return true;
    AUTO(picture_dispose) struct picture other = {0};
    char model[MODEL_KEY_SIZE];
    how.model = model;
    if (cut_square(segment, &how, portrait, &other, err)) {
        take_better(&other, share, model, portrait);
        return true;
    }
    if (err->kind == ERROR_CANCELLED)
        return false; /* nobody wants the first one either */
    log_warn("image.second_look_failed", LOG_ERROR(err));
    return true;
}

bool portrait_cut_out(struct vision *vision, const struct portrait_wish *wish,
                      struct portrait *portrait, struct error *err)
{
    enum { RIM = 240 }; /* of the frame's longer side */
    struct segment *segment = vision_segment(vision);
    bool told = false;
    struct error local;
    if (!cut(segment, wish->how, portrait, &told, err ? err : &local))
        return false;
    remove_others(told, portrait);
    face_matte_fill(&portrait->matte, &portrait->face);
    matte_drop_loose(&portrait->matte, &portrait->face);
    if (!wish->in_place)
        surround_clear(&portrait->matte, portrait->covered);
    portrait->foreground = picture_new(portrait->photo.width, portrait->photo.height, PICTURE_RGB);
    const struct picture *photo = &portrait->photo;
    int longer = photo->width > photo->height ? photo->width : photo->height;
    AUTO(picture_dispose) struct picture inside = matte_inside(&portrait->matte, longer / RIM);
    foreground_estimate(photo, &inside, &portrait->foreground);
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
    if (wish->cut_out && !portrait_cut_out(vision, wish, &portrait, err))
        return false;
    *out = portrait;
    portrait = (struct portrait){0};
    return true;
}
