/* SPDX-License-Identifier: Apache-2.0 */
#include "image/faces.h"

#include <math.h>
#include <stdlib.h>

#include "image/detect.h"
#include "image/landmarks.h"
#include "media/picture.h"

enum {
    FINE_SPLIT = 2,   /* parts for faces that are small in the photo … */
    FINEST_SPLIT = 4, /* … and for tiny ones, only when there is no other */
    MAX_SQUARES = 6,  /* of a glance at a long photo */
    NOSE_TIP = 1,     /* of a face's points */
    MIN_PART = 128,   /* pixels; the detector sees no more in a smaller part than in a larger one */
};

/* A photo whose largest face is wider than this share of its shorter side is a portrait: nobody
 * looks for smaller faces in it. */
static const float portrait_share = 0.4f;

/* Faces fill about a third of what the closer look sees. Real ones score above .9 there, whatever
 * else the detector proposes below .73 (measured on textures, machines, animals and stars). */
static const float closer = 3.2f, sure = 0.8f, is_face = 0.5f;

struct search {
    const struct face_models *models;
    const struct picture *photo;
    struct face *faces;
    int count, room;
};

static bool known(const struct search *search, struct box box)
{
    for (int i = 0; i < search->count; i++)
        if (box_overlap(search->faces[i].box, box) > 0.3f)
            return true;
    return false;
}

/* Looks again, with the face in the middle. *out_sure says whether it is there; *detection becomes
 * what was seen, which is more exact. */
static bool look_closer(const struct search *search, struct detection *detection, bool *out_sure,
                        struct error *err)
{
    struct detection found[MAX_DETECTIONS];
    int count = 0;
    struct box box = detection->box;
    float side = fmaxf(box.width, box.height) * closer;
    struct box part = {box.x + (box.width - side) / 2, box.y + (box.height - side) / 2, side, side};
    if (!detect_faces(search->models->detector, search->photo, part, found, &count, err))
        return false;
    *out_sure = false;
    for (int i = 0; i < count && !*out_sure; i++)
        if (found[i].score >= sure && box_overlap(found[i].box, box) > 0.3f) {
            *detection = found[i];
            *out_sure = true;
        }
    return true;
}

static bool check_one(struct search *search, struct detection *detection, struct error *err)
{
    bool is_sure = false;
    if (search->count == search->room || known(search, detection->box))
        return true;
    if (!look_closer(search, detection, &is_sure, err))
        return false;
    if (!is_sure || known(search, detection->box))
        return true;
    struct face *face = &search->faces[search->count];
    if (!search->models->landmarks) {
        *face = (struct face){.box = detection->box, .score = detection->score};
        face->points[NOSE_TIP] = (struct point3){.x = detection->nose[0], .y = detection->nose[1]};
        search->count++;
        return true;
    }
    if (!landmarks_find(search->models->landmarks, search->photo, detection, face, err))
        return false;
    if (face->score < is_face)
        return true;
    face->score = fminf(face->score, detection->score);
    search->count++;
    return true;
}

static bool check_all(struct search *search, struct detection *found, int count, struct error *err)
{
    for (int i = 0; i < count; i++)
        if (!check_one(search, &found[i], err))
            return false;
    return true;
}

static bool look_in_parts(struct search *search, int split, struct error *err)
{
    struct detection found[MAX_DETECTIONS];
    int count = 0;
    return detect_faces_in_parts(search->models->detector, search->photo, split, found, &count,
                                 err) &&
           check_all(search, found, count, err);
}

static float largest_width(const struct search *search)
{
    float width = 0;
    for (int i = 0; i < search->count; i++)
        width = fmaxf(width, search->faces[i].box.width);
    return width;
}

static int larger_first(const void *a, const void *b)
{
    const struct face *left = a, *right = b;
    float x = left->box.width * left->box.height, y = right->box.width * right->box.height;
    return (x < y) - (x > y);
}

static bool box_known(const struct box *box, const struct box *known, int count)
{
    float x = box->x + box->width / 2, y = box->y + box->height / 2;
    for (int i = 0; i < count; i++)
        if (x > known[i].x && x < known[i].x + known[i].width && y > known[i].y &&
            y < known[i].y + known[i].height)
            return true;
    return false;
}

bool faces_glance(struct session *detector, const struct picture *photo, struct box *boxes,
                  int room, int *out_count, struct error *err)
{
    const float likely = 0.6f, wide = 1.3f;
    struct detection found[MAX_DETECTIONS];
    struct box part = {0, 0, (float)photo->width, (float)photo->height};
    float shorter = fminf(part.width, part.height), longer = fmaxf(part.width, part.height);
    /* The detector sees a square: of a long photo, squares that overlap are looked at as well. */
    int squares = longer > wide * shorter ? (int)ceilf(2 * (longer / shorter - 1)) + 1 : 0;
    squares = squares < MAX_SQUARES ? squares : MAX_SQUARES;
    float step = squares > 1 ? (longer - shorter) / (float)(squares - 1) : 0;
    *out_count = 0;
    for (int i = 0; i <= squares; i++) {
        int count = 0;
        if (!detect_faces(detector, photo, part, found, &count, err))
            return false;
        for (int k = 0; k < count && *out_count < room; k++)
            if (found[k].score >= likely && !box_known(&found[k].box, boxes, *out_count))
                boxes[(*out_count)++] = found[k].box;
        part = photo->width > photo->height ? (struct box){step * (float)i, 0, shorter, shorter}
                                            : (struct box){0, step * (float)i, shorter, shorter};
    }
    return true;
}

bool faces_find(const struct face_models *models, const struct picture *photo, struct face *faces,
                int room, int *out_count, struct error *err)
{
    struct search search = {.models = models, .photo = photo, .faces = faces, .room = room};
    struct detection found[MAX_DETECTIONS];
    struct box whole = {0, 0, (float)photo->width, (float)photo->height};
    int count = 0, side = photo->width < photo->height ? photo->width : photo->height;
    if (!detect_faces(models->detector, photo, whole, found, &count, err) ||
        !check_all(&search, found, count, err))
        return false;
    if (largest_width(&search) < portrait_share * (float)side && side >= FINE_SPLIT * MIN_PART &&
        !look_in_parts(&search, FINE_SPLIT, err))
        return false;
    if (search.count == 0 && side >= FINEST_SPLIT * MIN_PART &&
        !look_in_parts(&search, FINEST_SPLIT, err))
        return false;
    qsort(faces, (size_t)search.count, sizeof *faces, larger_first);
    *out_count = search.count;
    return true;
}
