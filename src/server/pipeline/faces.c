/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/faces.h"

#include <math.h>

#include "base/auto.h"
#include "codec/codec.h"
#include "media/resample.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/pipeline_internal.h"

enum { HEAD_SIDE = 144, HEAD_QUALITY = 82, MAX_HEAD = 64 * 1024 };

void photo_faces_dispose(struct photo_faces *faces)
{
    for (int i = 0; i < MAX_FACES; i++)
        buf_dispose(&faces->faces[i].thumbnail);
}

/* A square with some air around the head, kept within the photo. */
static bool head_picture(const struct picture *photo, const struct box *face, struct buf *out,
                         struct error *err)
{
    AUTO(picture_dispose) struct picture plain = {0};
    AUTO(picture_dispose) struct picture head = picture_new(HEAD_SIDE, HEAD_SIDE, PICTURE_RGB);
    float width = (float)photo->width, height = (float)photo->height;
    float side = fminf(1.9f * fmaxf(face->width, face->height), fminf(width, height));
    float x = face->x + (face->width - side) / 2, y = face->y + (face->height * 0.85f - side) / 2;
    struct box box = {fminf(fmaxf(x, 0), width - side), fminf(fmaxf(y, 0), height - side), side,
                      side};
    if (photo->channels != PICTURE_RGB) {
        plain = picture_on_white(photo);
        photo = &plain;
    }
    picture_resample(photo, box, RESAMPLE_CUBIC, &head);
    *out = BUF(MAX_HEAD);
    return picture_to_jpeg(&head, HEAD_QUALITY, out, err);
}

bool pipeline_faces(struct pipeline *pipeline, const char *image_path, struct photo_faces *out,
                    struct error *err)
{
    AUTO(photo_dispose) struct photo photo = {0};
    struct hash128 hash;
    *out = (struct photo_faces){.count = 0};
    if (!hash_file(image_path, &hash, err) || !photo_make(pipeline, image_path, hash, &photo, err))
        return false;
    out->width = photo.picture.width;
    out->height = photo.picture.height;
    out->count = photo.face_count;
    for (int i = 0; i < photo.face_count; i++) {
        struct photo_face *face = &out->faces[i];
        face->box = photo.faces[i].box;
        face->score = photo.faces[i].score;
        if (photo.face_count > 1 &&
            !head_picture(&photo.picture, &face->box, &face->thumbnail, err)) {
            photo_faces_dispose(out);
            return false;
        }
        face->usable = face_usable(&photo.faces[i], &photo.picture, &face->problem);
    }
    return true;
}
