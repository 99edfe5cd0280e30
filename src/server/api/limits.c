/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/limits: what the page has to know before it asks for anything. */
#include "api/endpoint.h"
#include "api/message_fields.h"
#include "base/error.h"
#include "base/jv.h"

static void put_numbers(struct jv *body)
{
    struct jv *numbers = jv_put_object(body, "numbers");
    for (const struct field *field = message_fields; field->name; field++) {
        if (field->kind != FIELD_NUMBER)
            continue;
        struct jv *number = jv_put_object(numbers, field->name);
        jv_real(number, "min", field->min);
        jv_real(number, "max", field->max);
        jv_real(number, "default", strtod(field->initial, NULL));
    }
}

static void put_formats(struct jv *body)
{
    static const struct {
        const char *id;
        int width, height, fps;
    } formats[] = {{"1:1", 512, 512, 25}, {"9:16", 720, 1280, 30}, {"16:9", 1280, 720, 30}};
    struct jv *list = jv_put_array(body, "formats");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct jv *format = jv_push_object(list);
        jv_text(format, "id", formats[i].id);
        jv_int(format, "width", formats[i].width);
        jv_int(format, "height", formats[i].height);
        jv_int(format, "fps", formats[i].fps);
    }
}

bool api_limits(struct api *api, const struct http_request *request, struct http_response *response,
                struct error *err)
{
    static const char *const types[] = {"image/jpeg", "image/png",  "image/webp", "image/heic",
                                        "image/avif", "image/tiff", "image/gif"};
    AUTO(jv_free) struct jv *body = jv_object();
    struct jv *image = jv_put_object(body, "image");
    jv_int(image, "max_bytes", IMAGE_MAX_BYTES);
    jv_int(image, "max_pixels", 50 * 1000 * 1000);
    struct jv *accepted = jv_put_array(image, "types");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        jv_push_text(accepted, types[i]);
    jv_int(jv_put_object(body, "text"), "max_characters", TEXT_MAX_CHARACTERS);
    jv_int(jv_put_object(body, "sample"), "max_characters", SAMPLE_MAX_CHARACTERS);
    struct jv *keep = jv_put_object(body, "keep");
    jv_real(keep, "uploads_s", (double)api->keep_uploads_ms / 1e3);
    jv_real(keep, "videos_s", (double)api->keep_videos_ms / 1e3);
    put_numbers(body);
    put_formats(body);
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_json(response, NULL, &body);
    return true;
}
