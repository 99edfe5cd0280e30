/* SPDX-License-Identifier: Apache-2.0 */
#include "api/persons_found.h"

#include "base/auto.h"
#include "base/error.h"
#include "image/persons.h"
#include "media/picture.h"

bool persons_find(struct photo_work *work, float confidence, struct persons_found *out,
                  struct error *err)
{
    AUTO(picture_dispose) struct picture matte = {0};
    struct box boxes[MAX_FACES];
    *out = (struct persons_found){.count = 0};
    if (!photo_work_faces(work, err))
        return false;
    if (work->face_count == 0)
        return true;
    struct cutout_who everybody = photo_work_everybody(work);
    if (!cutout_matte(work->vision, &work->photo, &everybody, &matte, err))
        return false;
    for (int i = 0; i < work->face_count; i++)
        boxes[i] = work->faces[i].box;
    AUTO(persons_dispose)
    struct persons persons = persons_tell_apart(&work->photo, &matte, boxes, work->face_count);
    for (int i = 0; i < work->face_count; i++) {
        if (work->faces[i].score < confidence)
            continue;
        out->list[out->count++] = (struct person_found){
            .id = i,
            .box = person_box(&persons, &boxes[i], i),
            .confidence = work->faces[i].score,
        };
    }
    return true;
}
