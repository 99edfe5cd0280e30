/* SPDX-License-Identifier: Apache-2.0 */
#include "image/cutout.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/matte.h"
#include "image/persons.h"
#include "image/portrait.h"
#include "media/hot.h"
#include "media/picture.h"

/* Each costs as much as the whole photo. */
enum { MAX_LOOKS = 6 };

static bool everybody(const struct cutout_who *who)
{
    for (int i = 0; who->keep && i < who->face_count; i++)
        if (!who->keep[i])
            return false;
    return true;
}

/* 1 inside, falling to 0 over `soft` pixels outside. */
static float share_within(float at, float low, float high, float soft)
{
    float outside = fmaxf(low - at, at - high);
    return outside <= 0 ? 1 : fmaxf(1 - outside / soft, 0);
}

static void limit_to_box(struct box box, struct picture *matte)
{
    float soft = fmaxf(2, 0.02f * fmaxf(box.width, box.height));
    for (int y = 0; y < matte->height; y++) {
        uint8_t *row = picture_row(matte, y);
        float down = share_within((float)y + 0.5f, box.y, box.y + box.height, soft);
        if (down <= 0) {
            memset(row, 0, (size_t)matte->width);
            continue;
        }
        for (int x = 0; x < matte->width; x++) {
            float share = down * share_within((float)x + 0.5f, box.x, box.x + box.width, soft);
            row[x] = (uint8_t)((float)row[x] * share + 0.5f);
        }
    }
}

/* The part of the photo that shows one person as networks like it. */
static struct box near_box(const struct box *face, const struct picture *photo)
{
    float left = fmaxf(face->x - 2.2f * face->width, 0);
    float right = fminf(face->x + 3.2f * face->width, (float)photo->width);
    float top = fmaxf(face->y - 1.3f * face->height, 0);
    float bottom = fminf(face->y + 5.5f * face->height, (float)photo->height);
    return (struct box){left, top, right - left, bottom - top};
}

HOT static unsigned row_sum(const uint8_t *restrict row, int count)
{
    unsigned sum = 0;
    for (int x = 0; x < count; x++)
        sum += row[x];
    return sum;
}

static float mean_in(const struct picture *matte, float left, float top, float right, float bottom)
{
    long sum = 0, count = 0;
    int x0 = (int)fmaxf(left, 0), x1 = (int)fminf(right, (float)matte->width);
    int y0 = (int)fmaxf(top, 0), y1 = (int)fminf(bottom, (float)matte->height);
    for (int y = y0; y < y1 && x0 < x1; y++, count += x1 - x0)
        sum += row_sum(picture_row(matte, y) + x0, x1 - x0);
    return count ? (float)sum / (float)count : 255;
}

/* Face and chest must be solid; where they are not, the person was overlooked. */
static bool overlooked(const struct picture *matte, const struct box *face)
{
    assert(face);
    float x = face->x + face->width / 2, w = face->width, y = face->y, h = face->height;
    return mean_in(matte, x - 0.3f * w, y + 0.2f * h, x + 0.3f * w, y + 0.9f * h) < 235 ||
           mean_in(matte, x - 0.5f * w, y + 1.5f * h, x + 0.5f * w, y + 2.2f * h) < 200;
}

/* Adds what was seen in `box`; towards edges that are not the photo's own it fades out. */
static void add_part(const struct picture *part, struct box box, struct picture *matte)
{
    float soft = 0.06f * fminf(box.width, box.height);
    float right = (float)matte->width, bottom = (float)matte->height;
    for (int y = 0; y < part->height; y++) {
        uint8_t *row = picture_row(matte, (int)box.y + y) + (int)box.x;
        const uint8_t *from = picture_row(part, y);
        float above = box.y > 0 ? (float)y / soft : 1;
        float below = box.y + box.height < bottom ? (float)(part->height - y) / soft : 1;
        float down = fminf(fminf(above, below), 1);
        for (int x = 0; x < part->width; x++) {
            float before = box.x > 0 ? (float)x / soft : 1;
            float after = box.x + box.width < right ? (float)(part->width - x) / soft : 1;
            float share = fminf(fminf(before, after), 1) * down;
            uint8_t value = (uint8_t)((float)from[x] * share + 0.5f);
            row[x] = value > row[x] ? value : row[x];
        }
    }
}

static bool look_again(struct vision *vision, const struct picture *photo,
                       const struct cutout_who *who, struct picture *matte, struct error *err)
{
    int looks = 0;
    for (int i = 0; i < who->face_count && looks < MAX_LOOKS; i++) {
        const struct box *face = &who->faces[i].box;
        if ((who->keep && !who->keep[i]) || !overlooked(matte, face))
            continue;
        struct box box = near_box(face, photo);
        if (box.width * box.height > 0.75f * (float)photo->width * (float)photo->height)
            continue; /* it would see the same again */
        AUTO(picture_dispose) struct picture part = picture_part(photo, &box);
        AUTO(picture_dispose) struct picture seen = {0};
        if (!segment_matte(vision_segment(vision), &part, NULL, &who->how, &seen, err))
            return false;
        add_part(&seen, box, matte);
        looks++;
    }
    return true;
}

/* For networks that cut out whom they are told to: one after the other, and all together. */
static bool matte_of_each(struct segment *segment, const struct picture *photo,
                          const struct cutout_who *who, struct picture *out, struct error *err)
{
    int looks = 0;
    AUTO(picture_dispose)
    struct picture all = picture_new(photo->width, photo->height, PICTURE_GREY);
    memset(all.pixels, 0, all.stride * (size_t)all.height);
    for (int i = 0; i < who->face_count && looks < MAX_LOOKS && *who->how.out_told; i++) {
        if (who->keep && !who->keep[i])
            continue;
        struct cut_prompt prompt = cut_prompt_for(&who->faces[i], photo);
        AUTO(picture_dispose) struct picture one = {0};
        if (!segment_matte(segment, photo, &prompt, &who->how, &one, err))
            return false;
        struct box whole = {0, 0, (float)photo->width, (float)photo->height};
        add_part(&one, whole, &all);
        looks++;
    }
    *out = all;
    all = (struct picture){0};
    return true;
}

/* Is nobody there at all, or is a face that a quick look shows not part of the matte? */
static bool may_miss_somebody(struct vision *vision, const struct picture *photo,
                              const struct picture *matte, bool *out_may, struct error *err)
{
    const float almost_nothing = 2.5f; /* of 255 */
    struct box boxes[MAX_FACES];
    int count = 0;
    if (!vision_glance(vision, photo, boxes, &count, err))
        return false;
    *out_may = mean_in(matte, 0, 0, (float)matte->width, (float)matte->height) < almost_nothing;
    *out_may |= count > 1; /* where there are two, there may be more, further away */
    for (int i = 0; i < count; i++)
        *out_may |= overlooked(matte, &boxes[i]);
    return true;
}

/* Room for the faces that are looked for here, because nobody did before. */
static bool find_faces(struct vision *vision, const struct picture *photo, struct face **room,
                       struct cutout_who *who, struct error *err)
{
    *room = xcalloc(MAX_FACES, sizeof **room);
    who->faces = *room;
    return vision_heads(vision, photo, *room, &who->face_count, err);
}

/* The face whose person reaches to this point; the nearest one where several do. -1: nobody's. */
static int face_at(const struct picture *photo, const struct cutout_who *who,
                   const struct cut_point *point)
{
    int best = -1;
    float nearest = INFINITY;
    for (int i = 0; i < who->face_count; i++) {
        const struct box *face = &who->faces[i].box;
        struct box reach = cut_prompt_for(&who->faces[i], photo).person;
        float x = (point->x - face->x - face->width / 2) / face->width;
        float y = (point->y - face->y - face->height / 2) / face->height;
        bool within = point->x >= reach.x && point->x <= reach.x + reach.width &&
                      point->y >= reach.y && point->y <= reach.y + reach.height;
        if (within && x * x + y * y < nearest) {
            nearest = x * x + y * y;
            best = i;
        }
    }
    return best;
}

static void prompt_add(struct cut_prompt *prompt, struct cut_point point)
{
    if (prompt->point_count < CUT_POINTS)
        prompt->points[prompt->point_count++] = point;
}

/* One prompt of all that is known of who is meant: their box, or that of the person whose face is
 * near the first point, and the points; the nose too, where those leave room for it. */
static struct cut_prompt prompt_of(const struct picture *photo, const struct cutout_who *who)
{
    struct cut_prompt prompt = {.person = who->box};
    const struct box *box = &who->box;
    int face = -1;
    for (int i = 0; i < who->point_count && face < 0; i++)
        if (!who->points[i].outside)
            face = face_at(photo, who, &who->points[i]);
    for (int i = 0; i < who->point_count; i++)
        prompt_add(&prompt, who->points[i]);
    if (box->width <= 0 && face >= 0) {
        const struct cut_prompt around = cut_prompt_for(&who->faces[face], photo);
        prompt.person = around.person;
        prompt_add(&prompt, around.points[0]);
    }
    if (prompt.point_count == 0)
        prompt_add(&prompt,
                   (struct cut_point){box->x + box->width / 2, box->y + 0.4f * box->height, false});
    return prompt;
}

/* Who lies in the box or at the points, for networks that can be told. */
static bool matte_of_prompt(struct segment *segment, const struct picture *photo,
                            const struct cutout_who *who, struct picture *out, struct error *err)
{
    const struct cut_prompt prompt = prompt_of(photo, who);
    if (!segment_matte(segment, photo, &prompt, &who->how, out, err))
        return false;
    if (!who->hint && who->box.width > 0)
        limit_to_box(who->box, out);
    return true;
}

static bool matte_of_all(struct vision *vision, const struct picture *photo, struct cutout_who *who,
                         struct face **room, struct picture *out, struct error *err)
{
    bool may = false;
    if (!segment_matte(vision_segment(vision), photo, NULL, &who->how, out, err))
        return false;
    if (!who->faces && (!may_miss_somebody(vision, photo, out, &may, err) ||
                        (may && !find_faces(vision, photo, room, who, err))))
        return false;
    return look_again(vision, photo, who, out, err);
}

static bool points_at(const struct cutout_who *who, bool outside)
{
    for (int i = 0; i < who->point_count; i++)
        if (who->points[i].outside == outside)
            return true;
    return false;
}

/* Whose the point is; -1 where nobody is. */
static int owner_at(const struct persons *persons, const struct cut_point *point)
{
    const uint8_t somebody = 64;
    int x = (int)(point->x * (float)persons->width / (float)persons->photo_width);
    int y = (int)(point->y * (float)persons->height / (float)persons->photo_height);
    int cell = y * persons->width + x;
    bool within = x >= 0 && y >= 0 && x < persons->width && y < persons->height;
    return within && persons->body[cell] >= somebody ? persons->owners[cell] : -1;
}

/* Who is at the points is added to or taken from those who are kept; who is at points of both kinds
 * is kept. */
static void keep_by_points(const struct persons *persons, const struct cutout_who *who, bool *keep)
{
    bool named = who->keep || points_at(who, false);
    for (int i = 0; i < persons->count; i++)
        keep[i] = who->keep ? who->keep[i] : !named;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < who->point_count; i++) {
            int owner = owner_at(persons, &who->points[i]);
            if (owner >= 0 && who->points[i].outside == (pass == 0))
                keep[owner] = pass == 1;
        }
}

static void keep_wanted(const struct picture *photo, const struct cutout_who *who,
                        struct picture *matte)
{
    struct box boxes[MAX_FACES];
    bool keep[MAX_FACES];
    int count = who->face_count < MAX_FACES ? who->face_count : MAX_FACES;
    if (count == 0 || (everybody(who) && who->point_count == 0))
        return;
    for (int i = 0; i < count; i++)
        boxes[i] = who->faces[i].box;
    AUTO(persons_dispose)
    struct persons persons = persons_tell_apart(photo, matte, boxes, count);
    keep_by_points(&persons, who, keep);
    persons_keep(&persons, photo, keep, matte);
}

static bool somebody_there(const struct cutout_who *who, const struct picture *matte,
                           struct error *err)
{
    const float little = 24; /* of 255 */
    float around = fmaxf(2, 0.01f * fmaxf((float)matte->width, (float)matte->height));
    for (int i = 0; i < who->point_count; i++) {
        const struct cut_point *at = &who->points[i];
        if (!at->outside &&
            mean_in(matte, at->x - around, at->y - around, at->x + around, at->y + around) > little)
            return true;
    }
    if (who->hint || !points_at(who, false))
        return true;
    error_set(err, ERROR_INVALID, "there is nobody at the point");
    return error_about(err, "point", "point_nobody");
}

/* *who->how.out_told: does the network take prompts? Afterwards, did it? */
static bool matte_of_those(struct vision *vision, const struct picture *photo,
                           struct cutout_who *who, struct face **room, struct picture *out,
                           struct error *err)
{
    struct segment *segment = vision_segment(vision);
    bool takes = *who->how.out_told, boxed = who->box.width > 0;
    bool pointed = who->point_count > 0, alone = takes && (who->hint || (boxed && !who->faces));
    if (alone && (boxed || pointed))
        return matte_of_prompt(segment, photo, who, out, err);
    if (who->hint) {
        who->box = (struct box){0, 0, 0, 0};
        who->point_count = 0;
    }
    if ((takes || who->point_count > 0) && !who->faces &&
        !find_faces(vision, photo, room, who, err))
        return false;
    if (takes && !who->keep && points_at(who, false))
        return matte_of_prompt(segment, photo, who, out, err);
    bool told = takes && who->face_count > 0;
    if (told ? !matte_of_each(segment, photo, who, out, err)
             : !matte_of_all(vision, photo, who, room, out, err))
        return false;
    if (!told || who->point_count > 0)
        keep_wanted(photo, who, out);
    if (who->box.width > 0 && who->box.height > 0)
        limit_to_box(who->box, out);
    return true;
}

bool cutout_matte(struct vision *vision, const struct picture *photo,
                  const struct cutout_who *wanted, struct picture *out, struct error *err)
{
    struct cutout_who who = *wanted;
    AUTO(mem_free) struct face *room = NULL;
    AUTO(picture_dispose) struct picture matte = {0};
    bool prompted = who.box.width > 0 || who.point_count > 0;
    bool takes = segment_takes_prompts(vision_segment(vision), prompted), told = takes;
    who.how.out_told = &told;
    if (!matte_of_those(vision, photo, &who, &room, &matte, err))
        return false;
    if (takes && !told) { /* another network was chosen meanwhile, and cut out everybody */
        picture_dispose(&matte);
        if (!matte_of_those(vision, photo, &who, &room, &matte, err))
            return false;
    }
    if (wanted->how.out_told)
        *wanted->how.out_told = told;
    if (!somebody_there(&who, &matte, err))
        return false;
    *out = matte;
    matte = (struct picture){0};
    return true;
}

HOT static void compose_row(const uint8_t *restrict colour, const uint8_t *restrict cover,
                            uint8_t *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        unsigned seen = cover[x] ? 0xff : 0;
        out[4 * x] = colour[3 * x] & (uint8_t)seen;
        out[4 * x + 1] = colour[3 * x + 1] & (uint8_t)seen;
        out[4 * x + 2] = colour[3 * x + 2] & (uint8_t)seen;
        out[4 * x + 3] = cover[x];
    }
}

struct picture cutout_picture(const struct picture *photo, const struct picture *matte,
                              const struct picture *alpha)
{
    AUTO(picture_dispose)
    struct picture colour = picture_new(photo->width, photo->height, PICTURE_RGB);
    struct picture out = picture_new(photo->width, photo->height, PICTURE_RGBA);
    foreground_estimate(photo, matte, &colour);
    for (int y = 0; y < photo->height; y++) {
        uint8_t *row = picture_row(&out, y);
        compose_row(picture_row(&colour, y), picture_row(matte, y), row, photo->width);
        for (int x = 0; alpha && x < photo->width; x++)
            row[4 * x + 3] = (uint8_t)((row[4 * x + 3] * picture_row(alpha, y)[x] + 127) / 255);
    }
    return out;
}

struct picture picture_part(const struct picture *photo, struct box *box)
{
    int left = (int)fmaxf(floorf(box->x), 0), top = (int)fmaxf(floorf(box->y), 0);
    int right = (int)fminf(ceilf(box->x + box->width), (float)photo->width);
    int bottom = (int)fminf(ceilf(box->y + box->height), (float)photo->height);
    left = left < photo->width ? left : photo->width - 1;
    top = top < photo->height ? top : photo->height - 1;
    right = right > left ? right : left + 1;
    bottom = bottom > top ? bottom : top + 1;
    struct picture part = picture_new(right - left, bottom - top, photo->channels);
    size_t step = (size_t)photo->channels;
    for (int y = 0; y < part.height; y++)
        memcpy(picture_row(&part, y), picture_row(photo, top + y) + (size_t)left * step,
               (size_t)part.width * step);
    *box = (struct box){(float)left, (float)top, (float)part.width, (float)part.height};
    return part;
}
