/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/numbers_ja.h"

#include <assert.h>
#include <stdio.h>

#include "voice/chars.h"

enum { DIGITS_MAX = 16 }; /* more are not a quantity but a code */

static uint32_t peek(const struct chars *in, size_t at)
{
    return at < in->count ? in->at[at] : 0;
}

/* How many digits stand at `at`; their value in *out while it is small. */
static size_t digits(const struct chars *in, size_t at, unsigned *out)
{
    size_t count = 0;
    unsigned value = 0;
    for (; char_is_digit(peek(in, at + count)); count++)
        if (count < 9)
            value = value * 10 + (peek(in, at + count) - '0');
    *out = value;
    return count;
}

static void say_number(struct chars *out, unsigned value, const char *unit)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    chars_text(out, text);
    chars_text(out, unit);
}

/* One by one, as telephone numbers and codes are read. */
static void say_digits(const struct chars *in, size_t at, size_t count, struct chars *out)
{
    static const char *const names[] = {"ゼロ", "イチ", "ニー", "サン", "ヨン",
                                        "ゴー", "ロク", "ナナ", "ハチ", "キュー"};
    for (size_t i = 0; i < count; i++) {
        uint32_t digit = peek(in, at + i) - '0';
        assert(digit < sizeof names / sizeof *names);
        chars_text(out, names[digit]);
    }
}

/* 2026/11/23, 2026-11-23, 2026.11.23; 11/23. */
static size_t date(const struct chars *in, size_t at, struct chars *out)
{
    unsigned first, second, third;
    size_t a = digits(in, at, &first);
    uint32_t mark = peek(in, at + a);
    if (mark != '/' && mark != '-' && mark != '.')
        return 0;
    size_t b = digits(in, at + a + 1, &second), used = a + 1 + b;
    if (b == 0 || b > 2)
        return 0;
    if (a == 4 && peek(in, at + used) == mark) {
        size_t c = digits(in, at + used + 1, &third);
        if (c == 0 || c > 2 || second < 1 || second > 12 || third < 1 || third > 31)
            return 0;
        say_number(out, first, "年");
        say_number(out, second, "月");
        say_number(out, third, "日");
        return used + 1 + c;
    }
    uint32_t next = peek(in, at + used);
    if (mark != '/' || next == '/' || second < 1 || second > 31 || first < 1)
        return 0;
    if (second <= 4 && second > first) { /* a half, two thirds */
        say_number(out, second, "分の");
        say_number(out, first, "");
        return used;
    }
    if (first > 12 || a > 2)
        return 0;
    say_number(out, first, "月");
    say_number(out, second, "日");
    return used;
}

static size_t clock_time(const struct chars *in, size_t at, struct chars *out)
{
    unsigned hour, minute, second;
    size_t a = digits(in, at, &hour);
    if (a > 2 || hour > 29 || peek(in, at + a) != ':')
        return 0;
    size_t b = digits(in, at + a + 1, &minute), used = a + 1 + b;
    if (b != 2 || minute > 59)
        return 0;
    say_number(out, hour, "時");
    if (minute > 0)
        say_number(out, minute, "分");
    if (peek(in, at + used) == ':') {
        size_t c = digits(in, at + used + 1, &second);
        if (c == 2 && second < 60) {
            say_number(out, second, "秒");
            used += 1 + c;
        }
    }
    return used;
}

/* 03-1234-5678 and 090-1234-5678: a zero first, three groups; 〒 codes: 123-4567. */
static size_t telephone(const struct chars *in, size_t at, struct chars *out)
{
    size_t used = 0, groups = 0, starts[4], counts[4];
    for (; groups < 4; groups++) {
        unsigned ignored;
        counts[groups] = digits(in, at + used, &ignored);
        starts[groups] = at + used;
        if (counts[groups] == 0)
            break;
        used += counts[groups];
        if (peek(in, at + used) != '-' || !char_is_digit(peek(in, at + used + 1))) {
            groups++;
            break;
        }
        used++;
    }
    bool phone = groups == 3 && peek(in, at) == '0' && counts[2] >= 3;
    bool postal = groups == 2 && counts[0] == 3 && counts[1] == 4;
    if (!phone && !postal)
        return 0;
    for (size_t i = 0; i < groups; i++) {
        if (i > 0)
            chars_text(out, postal ? "の" : "、");
        say_digits(in, starts[i], counts[i], out);
    }
    return used;
}

/* The rest of 1.2.3: point after point. */
static size_t version(const struct chars *in, size_t at, struct chars *out)
{
    size_t used = 0;
    while (peek(in, at + used) == '.' && char_is_digit(peek(in, at + used + 1))) {
        chars_text(out, "点");
        for (used++; char_is_digit(peek(in, at + used)); used++)
            chars_push(out, peek(in, at + used));
    }
    return used;
}

/* A plain number: thousands' commas go, a decimal point stays, a code is read digit by digit. */
static size_t plain(const struct chars *in, size_t at, struct chars *out)
{
    unsigned ignored;
    size_t count = digits(in, at, &ignored);
    bool code = count > DIGITS_MAX || (peek(in, at) == '0' && count > 1);
    if (code) {
        say_digits(in, at, count, out);
        return count;
    }
    for (size_t i = 0; i < count; i++)
        chars_push(out, peek(in, at + i));
    size_t used = count, said = count;
    while (count <= 3 && peek(in, at + used) == ',' && digits(in, at + used + 1, &ignored) == 3 &&
           said + 3 <= DIGITS_MAX) {
        for (size_t i = 1; i <= 3; i++)
            chars_push(out, peek(in, at + used + i));
        used += 4;
        said += 3;
    }
    uint32_t mark = peek(in, at + used);
    size_t after = digits(in, at + used + 1, &ignored);
    if (mark == '.' && after > 0) {
        if (after <= DIGITS_MAX && peek(in, at + used + 1 + after) != '.') {
            chars_push(out, '.');
            for (size_t i = 0; i < after; i++)
                chars_push(out, peek(in, at + used + 1 + i));
        } else {
            return used + version(in, at + used, out);
        }
        return used + 1 + after;
    }
    if (after > 0 && mark == '-') {
        chars_text(out, "の");
        return used + 1;
    }
    if (after > 0 && (mark == '/' || mark == ':')) {
        chars_text(out, mark == '/' ? "スラッシュ" : "対");
        return used + 1;
    }
    return used;
}

static const char *currency(uint32_t c)
{
    switch (c) {
    case 0xa5:
        return "円";
    case '$':
        return "ドル";
    case 0x20ac:
        return "ユーロ";
    case 0xa3:
        return "ポンド";
    default:
        return NULL;
    }
}

size_t number_ja(const struct chars *in, size_t at, struct chars *out)
{
    const char *unit = currency(peek(in, at));
    if (unit) {
        if (!char_is_digit(peek(in, at + 1)))
            return 0;
        size_t used = plain(in, at + 1, out);
        chars_text(out, unit);
        return used + 1;
    }
    size_t used = telephone(in, at, out);
    if (used == 0)
        used = date(in, at, out);
    if (used == 0)
        used = clock_time(in, at, out);
    return used ? used : plain(in, at, out);
}
