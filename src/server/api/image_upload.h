/* SPDX-License-Identifier: Apache-2.0 */
/* What the image endpoints share. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "media/face.h"
#include "media/picture.h"

struct api;
struct error;
struct http_form;
struct jv;
struct vision;

/* The uploaded picture `name` as RGB, its larger side at most `max_side`; *out_vision is what looks
 * at it. */
MUST_USE bool image_upload(struct api *api, const struct http_form *form, const char *name,
                           int max_side, struct vision **out_vision, struct picture *out,
                           struct error *err);

/* "true", "1", "on", "yes" and their opposites; `fallback` when it was not sent. Error
 * value_not_allowed about the field. */
MUST_USE bool image_flag(const struct http_form *form, const char *name, bool fallback, bool *out,
                         struct error *err);

/* Puts "data:image/png;base64,…" of the picture. */
MUST_USE bool image_put_data(struct jv *object, const char *key, const struct picture *picture,
                             struct error *err);

/* The part of a photo that shows the person of a face, inside the photo. */
struct box image_person_box(const struct face *face, const struct picture *photo);
