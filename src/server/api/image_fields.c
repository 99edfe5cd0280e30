/* SPDX-License-Identifier: Apache-2.0 */
#include "api/image_fields.h"

#include "api/message_fields.h"

#define FORM(k, n, h)  .place = FIELD_FORM, .kind = (k), .name = (n), .help = (h)
#define QUERY(k, n, h) .place = FIELD_QUERY, .kind = (k), .name = (n), .help = (h)
#define PHOTO                                                                                      \
    {                                                                                              \
        FORM(FIELD_FILE, "image",                                                                  \
             "The photo: JPEG, PNG, WebP, HEIC, AVIF, TIFF or GIF, up to 10 MB and 50 "            \
             "megapixels."),                                                                       \
            .max_bytes = IMAGE_MAX_BYTES, .too_large_code = "image_too_large", .required = true    \
    }
#define CONFIDENCE                                                                                 \
    {                                                                                              \
        FORM(FIELD_NUMBER, "conf", "How sure it must be that there is somebody."),                 \
            .min = 0, .max = 1, .initial = "0.5"                                                   \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const char *const picture_formats[] = {"png", "webp", "mask", NULL};
static const char *const switches[] = {"true", "false", "1", "0", "yes", "no", "on", "off", NULL};

const struct field photo_fields[] = {PHOTO, END};

const struct field cutout_fields[] = {
    PHOTO,
    {FORM(FIELD_TEXT, "format",
          "png and webp: the picture with alpha; mask: the alpha alone, as a grey PNG."),
     .choices = picture_formats, .initial = "png"},
    {FORM(FIELD_TEXT, "output", "Another name of format."), .choices = picture_formats,
     .initial = "png"},
    {QUERY(FIELD_TEXT, "format", "The same, where the form has none."), .choices = picture_formats,
     .initial = "png"},
    {FORM(FIELD_INTEGER, "person",
          "Only this one of /api/person-detection/detect; without it, everybody."),
     .min = 0, .max = 15},
    {FORM(FIELD_TEXT, "box", "Only who is in here: x,y,width,height in pixels of the photo.")},
    {FORM(FIELD_TEXT, "point",
          "Only who is here: x,y in pixels of the photo; x,y,0 for who is not meant. Up to eight, "
          "separated by semicolons.")},
    {FORM(FIELD_TEXT, "hint",
          "Tell box and points only to a network that takes them (the answer's X-Image-Prompt says "
          "whether it does), and cut nothing off otherwise?"),
     .choices = switches, .initial = "false"},
    {.place = FIELD_HEADER,
     .kind = FIELD_TEXT,
     .name = "Priority",
     .help = "u=4 to u=7 (RFC 9218) for batches: those go first for whom somebody waits."},
    END,
};

const struct field process_image_fields[] = {
    PHOTO,
    {FORM(FIELD_TEXT, "remove_background", "Cut the people out?"), .choices = switches,
     .initial = "true"},
    {FORM(FIELD_TEXT, "enhance_quality", "Stretch the contrast and sharpen a little?"),
     .choices = switches, .initial = "false"},
    {FORM(FIELD_FILE, "background", "A picture to put behind the people."),
     .max_bytes = IMAGE_MAX_BYTES, .too_large_code = "image_too_large"},
    END,
};

const struct field detect_person_fields[] = {PHOTO, CONFIDENCE, END};

const struct field extract_person_fields[] = {
    PHOTO,
    {FORM(FIELD_TEXT, "selected_person_ids",
          "The person_id of those to keep, as JSON: [0] or [0, 2]."),
     .max_bytes = 1024, .initial = "[0]"},
    CONFIDENCE,
    {FORM(FIELD_INTEGER, "padding", "Pixels of the photo to keep around them."), .min = 0,
     .max = 100, .initial = "20"},
    {FORM(FIELD_TEXT, "add_transparent_padding", "Nothing around that, for later steps?"),
     .choices = switches, .initial = "true"},
    {FORM(FIELD_INTEGER, "transparent_padding_size", "How many pixels of nothing."), .min = 0,
     .max = 500, .initial = "300"},
    END,
};

const struct answer cutout_answers[] = {
    {200, "image/png", NULL, "The people with straight alpha, or their mask, at the photo's size."},
    {200, "image/webp", NULL, "The same as WebP."},
    {0},
};
const struct answer landmarks_answers[] = {
    {200, "application/json", "Landmarks",
     "The faces, largest first, with 478 points each; none is no error."},
    {0},
};
const struct answer process_image_answers[] = {
    {200, "application/json", "ProcessedImage", "The picture as a data URL."}, {0}};
const struct answer png_answers[] = {{200, "image/png", NULL, "The picture with alpha."}, {0}};
const struct answer background_health_answers[] = {
    {200, "application/json", "State", "It can, with which model, on what device."},
    {0},
};
const struct answer detect_person_answers[] = {
    {200, "application/json", "Persons", "Who is in the photo, largest first; nobody is no error."},
    {0},
};
const struct answer extract_person_answers[] = {
    {200, "application/json", "ExtractedPerson", "The persons as a data URL, cropped."}, {0}};
