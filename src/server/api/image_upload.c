/* SPDX-License-Identifier: Apache-2.0 */
#include "api/image_upload.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "api/engines.h"
#include "base/auto.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "http/form.h"
#include "image/cutter.h"
#include "image/encode.h"
#include "image/portrait.h"

enum { MAX_PNG = 48 << 20 };

bool image_upload(struct api *api, const struct http_form *form, const char *name, int max_side,
                  struct vision **out_vision, struct picture *out, struct error *err)
{
    struct vision *vision = engines_vision(api->engines, err);
    AUTO(picture_dispose) struct picture picture = {0};
    if (!vision)
        return false;
    if (!vision_decode(vision, http_form_file(form, name), max_side, &picture, err)) {
        if (err->field)
            err->field = name; /* the decoder speaks of "image" */
        return false;
    }
    *out_vision = vision;
    *out = picture.channels == PICTURE_RGB ? picture : picture_on_white(&picture);
    if (picture.channels == PICTURE_RGB)
        picture = (struct picture){0};
    return true;
}

bool image_flag(const struct http_form *form, const char *name, bool fallback, bool *out,
                struct error *err)
{
    static const char *const words[] = {"false", "true", "0", "1", "off", "on", "no", "yes"};
    const char *text = http_form_text(form, name);
    *out = fallback;
    if (!text || !*text)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2;
            return true;
        }
    error_set(err, ERROR_INVALID, "%s is true or false", name);
    return error_about(err, name, "value_unknown");
}

bool image_put_data(struct jv *object, const char *key, const struct picture *picture,
                    struct error *err)
{
    AUTO(buf_dispose) struct buf png = BUF(MAX_PNG);
    AUTO(buf_dispose) struct buf text = BUF(MAX_PNG / 3 * 4 + 64);
    if (!picture_png(picture, &png, err) || !buf_text(&text, "data:image/png;base64,", err) ||
        !base64_encode(buf_bytes(&png), &text, err))
        return false;
    jv_text(object, key, buf_string(&text));
    return true;
}

struct box image_person_box(const struct face *face, const struct picture *photo)
{
    struct cut_prompt prompt = cut_prompt_for(face, photo);
    return prompt.person;
}
