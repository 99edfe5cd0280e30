/* SPDX-License-Identifier: Apache-2.0 */
/* The fields and answers of the image service's rows in the route table. */
#pragma once

#include "api/endpoint.h"

extern const struct field photo_fields[], cutout_fields[], process_image_fields[],
    detect_person_fields[], extract_person_fields[];

extern const struct answer cutout_answers[], landmarks_answers[], process_image_answers[],
    png_answers[], background_health_answers[], detect_person_answers[], extract_person_answers[];
