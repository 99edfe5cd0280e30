/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/faces.h"

#include "base/auto.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/pipeline_internal.h"

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
        face->usable = face_usable(&photo.faces[i], &photo.picture, &face->problem);
    }
    return true;
}
