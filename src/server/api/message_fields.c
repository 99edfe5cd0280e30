/* SPDX-License-Identifier: Apache-2.0 */
#include "api/message_fields.h"

#include <string.h>

#include "base/error.h"
#include "http/form.h"
#include "pipeline/pipeline.h"

#define FORM(k, n, h) .place = FIELD_FORM, .kind = (k), .name = (n), .help = (h)
#define PICTURE       .max_bytes = IMAGE_MAX_BYTES, .too_large_code = "image_too_large"

static const char *const formats[] = {"1:1", "9:16", "16:9", NULL};
static const char *const switches[] = {"on", "off", NULL};

const struct field message_fields[] = {
    {FORM(FIELD_FILE, "image",
          "The photo: JPEG, PNG, WebP, HEIC, AVIF, TIFF or GIF, up to 10 MB "
          "and 50 megapixels, with a face seen from the front."),
     PICTURE, .required = true},
    {FORM(FIELD_TEXT, "text", "What is said: 1 to 1,000 characters, Japanese or English."),
     .max_bytes = 64 * 1024, .too_large_code = "text_too_long", .not_utf8_code = "text_not_utf8",
     .control_code = "text_control_characters", .required = true},
    {FORM(FIELD_TEXT, "voice_profile",
          "A voice of /api/voices; without it, one for the text's language.")},
    {FORM(FIELD_TEXT, "background",
          "keep, blur, color:#rrggbb, preset:ID of /api/presets/backgrounds, or upload."),
     .initial = "keep"},
    {FORM(FIELD_FILE, "background_image", "The picture behind, for background=upload."), PICTURE},
    {FORM(FIELD_TEXT, "format",
          "The shape: 512×512 at 25 frames a second, 720×1280 or 1280×720 at 30."),
     .choices = formats, .initial = "1:1"},
    {FORM(FIELD_TEXT, "bgm", "Music underneath: none, or an id of /api/presets/music."),
     .initial = "none"},
    {FORM(FIELD_INTEGER, "face", "Which face of /api/image/faces; without it, the largest."),
     .min = 0, .max = 15},
    {FORM(FIELD_TEXT, "motion", "Head sway and breathing."), .choices = switches, .initial = "on"},
    {FORM(FIELD_NUMBER, "speed", "How fast the voice speaks."), .min = 0.5, .max = 2,
     .initial = "1"},
    {FORM(FIELD_NUMBER, "pitch", "Half-tones up or down."), .min = -12, .max = 12, .initial = "0"},
    {FORM(FIELD_NUMBER, "intonation", "How lively the voice speaks."), .min = 0, .max = 2,
     .initial = "1"},
    {FORM(FIELD_NUMBER, "volume", "How loud the voice is."), .min = 0, .max = 2, .initial = "1"},
    {FORM(FIELD_NUMBER, "pause", "How long pauses are."), .min = 0, .max = 3, .initial = "1"},
    {.place = FIELD_HEADER,
     .kind = FIELD_TEXT,
     .name = "Prefer",
     .help = "respond-async to get the job at once, wait=SECONDS to wait no longer than that."},
    {.name = NULL},
};

const struct field preview_fields[] = {
    {FORM(FIELD_FILE, "image", "The photo, up to 10 MB."), PICTURE, .required = true},
    {FORM(FIELD_TEXT, "background",
          "keep, blur, color:#rrggbb, preset:ID of /api/presets/backgrounds, or upload."),
     .initial = "keep"},
    {FORM(FIELD_FILE, "background_image", "The picture behind, for background=upload."), PICTURE},
    {FORM(FIELD_TEXT, "format", "The shape."), .choices = formats, .initial = "1:1"},
    {FORM(FIELD_INTEGER, "face", "Which face of /api/image/faces; without it, the largest."),
     .min = 0, .max = 15},
    {.place = FIELD_HEADER,
     .kind = FIELD_TEXT,
     .name = "Prefer",
     .help = "respond-async to get the job at once, wait=SECONDS to wait no longer than that."},
    {.name = NULL},
};

bool message_background(const struct http_form *form, struct message_request *out,
                        struct error *err)
{
    out->background = http_form_text(form, "background");
    out->background_path = http_form_file(form, "background_image");
    bool uploads = out->background && strcmp(out->background, "upload") == 0;
    if (out->background_path && (!out->background || !*out->background))
        out->background = "upload";
    else if (!uploads)
        out->background_path = NULL; /* sent, but another one is chosen */
    if (!uploads || out->background_path)
        return true;
    error_set(err, ERROR_INVALID, "background is upload, but there is no background_image");
    return error_about(err, "background_image", "part_missing");
}
