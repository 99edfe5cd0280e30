/* SPDX-License-Identifier: Apache-2.0 */
#include "api/image_fields.h"

#include "api/message_fields.h"

#define IMAGE_FIELD                                                                                \
    {                                                                                              \
        .place = FIELD_FORM, .kind = FIELD_FILE, .name = "image",                                  \
        .help = "The photo, up to 10 MB.", .required = true, .max_bytes = IMAGE_MAX_BYTES,         \
        .too_large_code = "image_too_large"                                                        \
    }
#define FORM_TEXT(n, h) .place = FIELD_FORM, .kind = FIELD_TEXT, .name = (n), .help = (h)
#define END_FIELD                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const char *const outputs[] = {"png", "webp", "mask", NULL};

const struct field image_only_fields[] = {IMAGE_FIELD, END_FIELD};

const struct field cutout_fields[] = {
    IMAGE_FIELD,
    {FORM_TEXT("output", "PNG or WebP with alpha, or only the mask (a grey PNG)."),
     .choices = outputs, .initial = "png"},
    END_FIELD,
};

const struct field person_fields[] = {
    IMAGE_FIELD,
    {FORM_TEXT("selected_person_ids", "Ids of the detection as a JSON list; without it, [0].")},
    {.place = FIELD_FORM,
     .kind = FIELD_NUMBER,
     .name = "conf",
     .help = "How sure it must be that somebody is there.",
     .min = 0,
     .max = 1,
     .initial = "0.5"},
    {.place = FIELD_FORM,
     .kind = FIELD_INTEGER,
     .name = "padding",
     .help = "Pixels of the photo around the person.",
     .min = 0,
     .max = 100,
     .initial = "20"},
    {FORM_TEXT("add_transparent_padding", "Empty pixels around that: true or false."),
     .initial = "true"},
    {.place = FIELD_FORM,
     .kind = FIELD_INTEGER,
     .name = "transparent_padding_size",
     .help = "How many.",
     .min = 0,
     .max = 500,
     .initial = "300"},
    END_FIELD,
};

const struct field process_fields[] = {
    IMAGE_FIELD,
    {FORM_TEXT("remove_background", "true or false."), .initial = "true"},
    {FORM_TEXT("enhance_quality", "Stretch the tones: true or false."), .initial = "false"},
    {.place = FIELD_FORM,
     .kind = FIELD_FILE,
     .name = "background",
     .help = "A picture to put behind the person.",
     .max_bytes = IMAGE_MAX_BYTES,
     .too_large_code = "image_too_large"},
    END_FIELD,
};
