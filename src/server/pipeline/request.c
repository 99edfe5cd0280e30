/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "pipeline/pipeline_internal.h"
#include "pipeline/request_internal.h"
#include "voice/voice.h"

enum { TEXT_LIMIT = 1000 };

struct message_request message_request_defaults(void)
{
    return (struct message_request){
        .speed = 1, .intonation = 1, .volume = 1, .pause = 1, .motion = true};
}

const struct format *format_find(const char *name)
{
    static const struct format formats[] = {
        {"1:1", 512, 512, 25, "1x1"},
        {"9:16", 720, 1280, 30, "9x16"},
        {"16:9", 1280, 720, 30, "16x9"},
    };
    if (!name || !*name)
        return &formats[0];
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

void order_dispose(struct order *order)
{
    free(order->text);
    *order = (struct order){0};
}

struct order order_copy(const struct order *order)
{
    struct order copy = *order;
    copy.text = xstrdup(order->text);
    return copy;
}

static bool refuse(struct error *err, const char *field, const char *code, const char *why)
{
    error_set(err, ERROR_INVALID, "%s", why);
    return error_about(err, field, code);
}

/* Letters, digits, kana, kanji: not punctuation, symbols or pictures. */
static bool can_be_said(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {'0', '9'},       {'A', 'Z'},       {'a', 'z'},         {0xaa, 0xaa},
        {0xb2, 0xb3},     {0xb5, 0xb5},     {0xb9, 0xba},       {0xbc, 0xbe},
        {0xc0, 0x1fff},   {0x2c00, 0x2dff}, {0x3005, 0x3007},   {0x3041, 0xd7ff},
        {0xf900, 0xfdff}, {0xfe70, 0xfefe}, {0xff10, 0xff19},   {0xff21, 0xff3a},
        {0xff41, 0xff5a}, {0xff66, 0xffdc}, {0x10000, 0x1efff}, {0x20000, 0x3ffff},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

static bool text_check(struct bytes text, struct error *err)
{
    size_t count = 0;
    bool speakable = false;
    while (text.size > 0) {
        uint32_t c;
        size_t used = utf8_decode(text, &c);
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return refuse(err, "text", "text_control_characters",
                          "the text contains control characters");
        if (c == 0x7f || (c >= 0x80 && c < 0xa0))
            return refuse(err, "text", "text_control_characters",
                          "the text contains control characters");
        speakable = speakable || can_be_said(c);
        count++;
        text = (struct bytes){text.data + used, text.size - used};
    }
    if (count > TEXT_LIMIT)
        return refuse(err, "text", "text_too_long", "the text has more than 1000 characters");
    return speakable || refuse(err, "text", "text_unspeakable", "nothing in the text can be said");
}

static bool take_text(const char *raw, struct order *out, struct error *err)
{
    struct bytes text = bytes_of(raw ? raw : "");
    if (!utf8_valid(text))
        return refuse(err, "text", "text_not_utf8", "the text is not UTF-8");
    text = text_trim(text);
    if (text.size == 0)
        return refuse(err, "text", "text_empty", "the text is empty");
    if (!text_check(text, err))
        return false;
    out->text = xstrndup((const char *)text.data, text.size);
    return true;
}

static bool take_voice(struct pipeline *pipeline, const char *id, struct order *out,
                       struct error *err)
{
    struct voices *voices = pipeline->options.voices;
    const struct voice_info *voice =
        id && *id ? voices_find(voices, id) : voices_for_text(voices, out->text);
    if (!voice) {
        error_set(err, ERROR_NOT_FOUND, "there is no voice \"%.40s\"; vmad voices lists them",
                  id ? id : "");
        return error_about(err, "voice_profile", "voice_unknown");
    }
    snprintf(out->voice, sizeof out->voice, "%s", voice->id);
    return voices_can_read(voices, voice->id, out->text, err);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool color_parse(const char *text, uint8_t out[3])
{
    uint8_t parsed[3];
    if (strlen(text) != 7 || text[0] != '#')
        return false;
    for (int i = 0; i < 3; i++) {
        int high = hex_digit(text[1 + 2 * i]), low = hex_digit(text[2 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        parsed[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(out, parsed, sizeof parsed);
    return true;
}

static bool preset_name(const char *id, char out[64])
{
    size_t length = strlen(id);
    if (length == 0 || length > 63 || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return false;
    memcpy(out, id, length + 1);
    return true;
}

/* The built-in pictures are ASSETS/backgrounds/ID.jpg. */
static bool preset_there(const struct pipeline *pipeline, const char *id)
{
    AUTO(mem_free) char *path = pipeline_background_path(pipeline, id, format_find(NULL));
    return path && access(path, R_OK) == 0;
}

static bool take_background(struct pipeline *pipeline, const struct message_request *request,
                            struct order *out, struct error *err)
{
    const char *spec = request->background;
    if (!spec || !*spec)
        spec = request->background_path ? "upload" : "keep";
    bool known = true;
    if (strcmp(spec, "keep") == 0)
        out->backdrop = BACKDROP_KEEP;
    else if (strcmp(spec, "blur") == 0)
        out->backdrop = BACKDROP_BLUR;
    else if (strcmp(spec, "upload") == 0 && request->background_path)
        out->backdrop = BACKDROP_UPLOAD;
    else if (text_starts(spec, "color:") && color_parse(spec + 6, out->color))
        out->backdrop = BACKDROP_COLOR;
    else if (text_starts(spec, "preset:") && preset_name(spec + 7, out->preset) &&
             preset_there(pipeline, out->preset))
        out->backdrop = BACKDROP_PRESET;
    else
        known = false;
    return known || refuse(err, "background", "background_unknown",
                           "there is no such background; vmad render --help lists them");
}

static bool take_number(const char *field, double value, double min, double max, double *out,
                        struct error *err)
{
    if (!isfinite(value) || value < min - 1e-9 || value > max + 1e-9) {
        error_set(err, ERROR_INVALID, "%s must be between %g and %g", field, min, max);
        return error_about(err, field, "number_out_of_range");
    }
    *out = value;
    return true;
}

static bool take_numbers(const struct message_request *request, struct order *out,
                         struct error *err)
{
    out->face = request->face < 0 ? 0 : request->face;
    out->motion = request->motion;
    return take_number("speed", request->speed, .5, 2, &out->speed, err) &&
           take_number("pitch", request->pitch, -12, 12, &out->pitch, err) &&
           take_number("intonation", request->intonation, 0, 2, &out->intonation, err) &&
           take_number("volume", request->volume, 0, 2, &out->volume, err) &&
           take_number("pause", request->pause, 0, 3, &out->pause, err);
}

static bool take_format(const struct message_request *request, struct order *out, struct error *err)
{
    out->format = format_find(request->format);
    if (!out->format)
        return refuse(err, "format", "format_unknown", "the format is one of 1:1, 9:16 and 16:9");
    return true;
}

static bool take_bgm(const struct message_request *request, struct order *out, struct error *err)
{
    if (!request->bgm || !*request->bgm || strcmp(request->bgm, "none") == 0)
        return true;
    return (preset_name(request->bgm, out->bgm) && pipeline_bgm_known(out->bgm)) ||
           refuse(err, "bgm", "bgm_unknown", "there is no such music; vmad render --help lists it");
}

bool order_make(struct pipeline *pipeline, const struct message_request *request, struct order *out,
                struct error *err)
{
    *out = (struct order){0};
    if (take_text(request->text, out, err) &&
        take_voice(pipeline, request->voice_profile, out, err) && take_format(request, out, err) &&
        take_background(pipeline, request, out, err) && take_bgm(request, out, err) &&
        take_numbers(request, out, err))
        return true;
    order_dispose(out);
    return false;
}

bool message_check(struct pipeline *pipeline, const struct message_request *request,
                   struct error *err)
{
    AUTO(order_dispose) struct order order = {0};
    return order_make(pipeline, request, &order, err);
}
