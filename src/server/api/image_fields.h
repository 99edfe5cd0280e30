/* SPDX-License-Identifier: Apache-2.0 */
/* Form fields that handlers of the image service read with endpoint_number. */
#pragma once

#include "api/endpoint.h"

extern const struct field image_only_fields[], cutout_fields[], person_fields[], process_fields[];
