/* SPDX-License-Identifier: Apache-2.0 */
/* The persons of a photo, for the endpoints that list and cut them. */
#pragma once

#include "api/photo_work.h"

struct persons_found {
    int count;
    struct person_found {
        int id; /* index of the face, largest first: the same for any confidence */
        struct box box;
        float confidence;
    } list[MAX_FACES];
};

/* Those that are at least as sure as `confidence`; also finds the work's faces. */
MUST_USE bool persons_find(struct photo_work *work, float confidence, struct persons_found *out,
                           struct error *err);
