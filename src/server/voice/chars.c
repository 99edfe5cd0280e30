/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/chars.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

void chars_dispose(struct chars *chars)
{
    free(chars->at);
    *chars = (struct chars){0};
}

void chars_push(struct chars *chars, uint32_t c)
{
    if (chars->count + 1 >= chars->capacity) {
        chars->capacity = chars->capacity ? chars->capacity * 2 : 256;
        chars->at = xreallocarray(chars->at, chars->capacity, sizeof *chars->at);
    }
    chars->at[chars->count++] = c;
    chars->at[chars->count] = 0;
}

void chars_text(struct chars *chars, const char *text)
{
    struct bytes rest = bytes_of(text);
    for (uint32_t c; rest.size > 0;) {
        size_t used = utf8_decode(rest, &c);
        if (used == 0)
            return;
        chars_push(chars, c);
        rest = (struct bytes){rest.data + used, rest.size - used};
    }
}

bool char_is_kana(uint32_t c)
{
    return (c >= 0x3041 && c <= 0x3096) || (c >= 0x30a1 && c <= 0x30fa) || c == 0x30fc ||
           (c >= 0x309d && c <= 0x309f) || (c >= 0x30fd && c <= 0x30ff) ||
           (c >= 0x31f0 && c <= 0x31ff);
}

bool char_is_kanji(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0x20000 && c <= 0x3ffff) || (c >= 0x3005 && c <= 0x3007);
}

bool char_is_foreign(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } scripts[] = {
        {0x0370, 0x1fff}, /* Greek to the extended blocks: Cyrillic, Hebrew, Arabic, Thai … */
        {0x2c00, 0x2dff}, {0x1100, 0x11ff}, {0x3105, 0x318f},   {0xa000, 0xd7ff},
        {0xfb00, 0xfdff}, {0xfe70, 0xfeff}, {0x10000, 0x1cfff}, {0x1e000, 0x1efff},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (c >= scripts[i].first && c <= scripts[i].last)
            return true;
    return false;
}

/* U+FF61…FF9F in order. */
static const char half_width[] =
    "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノ"
    "ハヒフヘホマミムメモヤユヨラリルレロワン゛゜";

/* U+00C0…U+017F without their accents; '-' stands for what is spelled below. */
static const char latin[] = "AAAAAA-CEEEEIIII"
                            "-NOOOOO-OUUUUY--"
                            "aaaaaa-ceeeeiiii"
                            "-nooooo-ouuuuy-y"
                            "AaAaAaCcCcCcCcDd"
                            "DdEeEeEeEeEeGgGg"
                            "GgGgHhHhIiIiIiIi"
                            "Ii--JjKkkLlLlLlL"
                            "lLlNnNnNnnNnOoOo"
                            "Oo--RrRrRrSsSsSs"
                            "SsTtTtTtUuUuUuUu"
                            "UuUuWwYyYZzZzZzs";

static const struct {
    uint32_t c;
    const char *text;
} spelled[] = {
    {0xc6, "AE"},
    {0xe6, "ae"},
    {0xd0, "D"},
    {0xf0, "d"},
    {0xd7, "×"},
    {0xf7, "÷"},
    {0xde, "Th"},
    {0xfe, "th"},
    {0xdf, "ss"},
    {0x132, "IJ"},
    {0x133, "ij"},
    {0x152, "OE"},
    {0x153, "oe"},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201b, "'"},
    {0x2032, "'"},
    {0x201c, "\""},
    {0x201d, "\""},
    {0x201e, "\""},
    {0x2033, "\""},
    {0xab, "\""},
    {0xbb, "\""},
    {0x2010, "-"},
    {0x2011, "-"},
    {0x2012, "-"},
    {0x2013, "-"},
    {0x2212, "-"},
    {0xfe63, "-"},
    {0x2014, "―"},
    {0x2500, "―"},
    {0x2026, "…"},
    {0x2025, "…"},
    {0x22ef, "…"},
    {0x301c, "〜"},
    {0xff5e, "〜"},
    {0x223c, "〜"},
    {0xff0d, "-"},
    {0x3231, "株式会社"},
    {0x3232, "有限会社"},
    {0x33a1, "平方メートル"},
    {0x339e, "km"},
    {0x339d, "cm"},
    {0x339c, "mm"},
    {0x338f, "kg"},
    {0x338e, "mg"},
    {0x3395, "μl"},
    {0x3396, "ml"},
    {0x33c4, "cc"},
    {0x3303, "アール"},
    {0x330d, "カロリー"},
    {0x3314, "キロ"},
    {0x3318, "グラム"},
    {0x3322, "センチ"},
    {0x3323, "セント"},
    {0x3326, "ドル"},
    {0x332b, "パーセント"},
    {0x3336, "ヘクタール"},
    {0x3349, "ミリ"},
    {0x334d, "メートル"},
    {0x3351, "リットル"},
    {0x337b, "平成"},
    {0x337c, "昭和"},
    {0x337d, "大正"},
    {0x337e, "明治"},
    {0x32ff, "令和"},
    {0x2122, "TM"},
    {0x2116, "No."},
    {0x2103, "℃"},
    {0xbd, "1/2"},
    {0xbc, "1/4"},
    {0xbe, "3/4"},
    {0xb2, "2"},
    {0xb3, "3"},
    {0xb9, "1"},
    {0xb5, "μ"},
    {0x3bc, "μ"},
    {0xaa, "a"},
    {0xba, "o"},
    {0xffe5, "¥"},
    {0xa5, "¥"},
    {0xffe1, "£"},
    {0xffe0, "¢"},
    {0xfb01, "fi"},
    {0xfb02, "fl"},
    {0x1e9e, "SS"},
    {0xff5f, "("},
    {0xff60, ")"},
    {0x3013, "〓"},
    {0xfffc, ""},
    {0xfffd, ""},
};

static bool spelled_push(uint32_t c, struct chars *out)
{
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
        if (spelled[i].c == c) {
            chars_text(out, spelled[i].text);
            return true;
        }
    return false;
}

static bool unseen(uint32_t c)
{
    return (c < ' ' && c != '\n' && c != '\t' && c != '\r') ||
           (c >= 0x7f && c < 0xa0 && c != 0x85) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0000 && c <= 0xe0fff) ||
           (c >= 0x0300 && c <= 0x036f) || c == 0x20e3 || (c >= 0x1f3fb && c <= 0x1f3ff) ||
           (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000;
}

static bool blank(uint32_t c)
{
    return c == ' ' || c == '\t' || c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x202f || c == 0x205f;
}

/* Joins a voicing mark to the kana before it: か゛ → が. */
static bool mark_joined(struct chars *out, uint32_t mark)
{
    static const char with_voice[] =
        "かきくけこさしすせそたちつてとはひふへほうカキクケコサシスセソ"
        "タチツテトハヒフヘホウ";
    static const char with_half_voice[] = "はひふへほハヒフヘホ";
    bool half = mark == 0x309a || mark == 0x309c;
    if (out->count == 0)
        return false;
    uint32_t *last = &out->at[out->count - 1];
    char kana[5] = {0};
    utf8_write(*last, kana);
    if (!strstr(half ? with_half_voice : with_voice, kana))
        return false;
    if (*last == 0x3046 || *last == 0x30a6)
        *last += 0x3094 - 0x3046; /* ゔ and ヴ are not beside う and ウ */
    else
        *last += half ? 2 : 1;
    return true;
}

static uint32_t half_width_kana(uint32_t c)
{
    struct bytes at = {(const uint8_t *)half_width + (c - 0xff61) * 3, 3};
    uint32_t kana = c;
    return utf8_decode(at, &kana) ? kana : c;
}

static void number_push(struct chars *out, uint32_t number)
{
    char text[16];
    int at = 15;
    text[at] = '\0';
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    chars_text(out, text + at);
}

static void fold_one(struct chars *out, uint32_t c)
{
    if (c >= 0xff61 && c <= 0xff9f)
        c = half_width_kana(c);
    if (c >= 0xff01 && c <= 0xff5d && c != 0xff0d)
        c -= 0xfee0;
    bool mark = c == 0x3099 || c == 0x309a || c == 0x309b || c == 0x309c;
    if (unseen(c) || (mark && (mark_joined(out, c) || mark)))
        return;
    if (c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029)
        chars_push(out, '\n');
    else if (blank(c))
        chars_push(out, ' ');
    else if (spelled_push(c, out))
        return;
    else if (c >= 0xc0 && c <= 0x17f)
        chars_push(out, (uint32_t)latin[c - 0xc0]);
    else if (c >= 0x2460 && c <= 0x2473) /* circled 1 to 20 */
        number_push(out, c - 0x2460 + 1);
    else if (c >= 0x2160 && c <= 0x216b) /* Roman numerals */
        number_push(out, c - 0x2160 + 1);
    else if (c >= 0x1d7ce && c <= 0x1d7ff) /* mathematical digits */
        chars_push(out, '0' + (c - 0x1d7ce) % 10);
    else if (c >= 0x1d400 && c <= 0x1d6a3) /* mathematical letters */
        chars_push(out, ((c - 0x1d400) % 52 < 26 ? 'A' : 'a' - 26) + (c - 0x1d400) % 52);
    else
        chars_push(out, c);
}

bool chars_fold(const char *text, struct chars *out, struct error *err)
{
    struct bytes rest = bytes_of(text);
    while (rest.size > 0) {
        uint32_t c;
        size_t used = utf8_decode(rest, &c);
        if (used == 0)
            return error_set(err, ERROR_INVALID, "the text is not UTF-8");
        rest = (struct bytes){rest.data + used, rest.size - used};
        fold_one(out, c);
    }
    return true;
}
