/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/script.h"

#include <string.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "voice/chars.h"
#include "voice/latin_ja.h"
#include "voice/numbers_ja.h"
#include "voice/symbols.h"

/* --- what is written → what is said -------------------------------------------------------- */

struct reading {
    const struct chars *in;
    size_t at;
    const struct lexicon_en *lexicon;
    struct chars *out;
    bool spoken;      /* there is more than signs */
    uint32_t refused; /* a letter that can't be said */
};

static uint32_t peek(const struct reading *r, size_t ahead)
{
    return r->at + ahead < r->in->count ? r->in->at[r->at + ahead] : 0;
}

static uint32_t before(const struct reading *r)
{
    return r->at > 0 ? r->in->at[r->at - 1] : 0;
}

static bool japanese(uint32_t c)
{
    return char_is_kana(c) || char_is_kanji(c);
}

static bool number_begins(const struct reading *r)
{
    uint32_t c = peek(r, 0);
    bool money = c == '$' || c == 0xa5 || c == 0x20ac || c == 0xa3;
    return char_is_digit(c) || (money && char_is_digit(peek(r, 1)));
}

/* Laughter at the end: すごいwww */
static size_t laughter(const struct reading *r)
{
    size_t count = 0;
    while (peek(r, count) == 'w')
        count++;
    if (count == 0 || !(japanese(before(r)) || before(r) == '!' || before(r) == 0x3002) ||
        char_is_latin(peek(r, count)) || peek(r, count) == '.')
        return 0;
    return count;
}

/* A minus sign before a number, a range between two, a hyphen in a word. */
static bool dash(struct reading *r)
{
    if (peek(r, 0) != '-')
        return false;
    uint32_t last = before(r), next = peek(r, 1);
    if (char_is_digit(next) && !char_is_digit(last) && !char_is_latin(last))
        chars_text(r->out, "マイナス");
    else if (!char_is_latin(last) && char_is_kana(last))
        chars_push(r->out, 0x30fc); /* ラ-メン: somebody meant the long vowel */
    r->at++;
    return true;
}

/* 〜 is "from … to" between numbers and times, a long vowel after kana. */
static bool wave(struct reading *r)
{
    if (peek(r, 0) != 0x301c && peek(r, 0) != '~')
        return false;
    uint32_t last = before(r), next = peek(r, 1);
    bool from = char_is_digit(last) || char_is_kanji(last) || last == 0x2103 || last == '%';
    bool range = from && (char_is_digit(next) || char_is_kanji(next) || next == '-');
    if (range)
        chars_text(r->out, "から");
    else if (char_is_kana(last))
        chars_push(r->out, 0x30fc);
    r->at++;
    return true;
}

static void emoji(struct reading *r, uint32_t c)
{
    const struct symbol *symbol = symbol_find(c);
    while (peek(r, 1) == c)
        r->at++; /* three of the same are said once */
    chars_text(r->out, "、");
    if (symbol || c > 0xffff) /* ♪ and ★ are a breath */
        chars_text(r->out, symbol ? symbol->ja : "絵文字");
    chars_text(r->out, "、");
}

static void sign(struct reading *r, uint32_t c)
{
    static const char *const pauses = ",;:()[]{}<>|\"*_/\\`";
    const struct symbol *symbol = symbol_find(c);
    bool ruled = c == '=' && peek(r, 1) == '='; /* a line of them */
    if (ruled || (c < 0x80 && strchr(pauses, (int)c))) {
        chars_text(r->out, "、");
        return;
    }
    if (c == '#' && (japanese(peek(r, 1)) || char_is_latin(peek(r, 1))) &&
        !char_is_latin(before(r)))
        chars_text(r->out, "ハッシュタグ、");
    else if (symbol && *symbol->ja)
        chars_text(r->out, symbol->ja);
    else if ((c < 0x80 && c != '\'' && c != '^') || (c >= 0x3000 && c <= 0x303f) || c == 0x30fb)
        chars_push(r->out, c);
    else if (c >= 0x2000) /* … ★ ♪ ─ and the like: a breath */
        chars_text(r->out, "、");
}

static void space(struct reading *r)
{
    uint32_t last = before(r), next = peek(r, 1);
    if (japanese(last) && japanese(next))
        chars_text(r->out, "、");
}

static void read_one(struct reading *r)
{
    uint32_t c = peek(r, 0);
    size_t used = number_begins(r) ? number_ja(r->in, r->at, r->out) : 0;
    if (used == 0 && (used = laughter(r)) > 0)
        chars_text(r->out, "ワラ");
    if (used == 0 && char_is_latin(c))
        used = latin_ja(r->in, r->at, r->lexicon, r->out);
    if (used > 0) {
        r->spoken = true;
        r->at += used;
        return;
    }
    if (dash(r) || wave(r))
        return;
    if (japanese(c)) {
        r->spoken = true;
        chars_push(r->out, c);
    } else if (char_is_foreign(c) && !symbol_find(c)) {
        r->refused = c;
    } else if (c == ' ') {
        space(r);
    } else if (symbol_is_emoji(c)) {
        emoji(r, c);
    } else if (c == '\n' || c == '!' || c == '?' || c == '.') {
        chars_push(r->out, c == '.' ? 0x3002 : c);
    } else {
        sign(r, c);
    }
    r->at++;
}

/* --- sentences ----------------------------------------------------------------------------- */

struct lines {
    struct script *script;
    size_t limit_bytes;
    char *text; /* room for limit_bytes and one character */
    size_t size;
    size_t breath; /* where a line that is too long may be cut: after the last 、 */
    bool said;     /* there is more than punctuation */
};

static void line_end(struct lines *lines, bool question)
{
    if (lines->said)
        script_add(lines->script, lines->text, lines->size, question);
    lines->size = lines->breath = 0;
    lines->said = false;
}

static void line_cut(struct lines *lines)
{
    size_t at = lines->breath > lines->limit_bytes / 3 ? lines->breath : lines->size;
    size_t rest = lines->size - at;
    lines->size = at;
    script_add(lines->script, lines->text, lines->size, false);
    memmove(lines->text, lines->text + at, rest);
    lines->size = rest;
    lines->breath = 0;
    lines->said = rest > 0;
}

static void line_push(struct lines *lines, uint32_t c)
{
    bool pause = c == 0x3001;
    if (pause && (lines->size == 0 || lines->breath == lines->size))
        return; /* no pause at the beginning, nor two */
    if (lines->size + 4 > lines->limit_bytes)
        line_cut(lines);
    lines->size += utf8_write(c, lines->text + lines->size);
    if (pause)
        lines->breath = lines->size;
    lines->said |= japanese(c) || char_is_digit(c - 0xfee0) || char_is_latin(c - 0xfee0);
}

static void lines_split(const struct chars *said, struct lines *lines)
{
    for (size_t i = 0; i < said->count; i++) {
        uint32_t c = said->at[i];
        bool end = c == '\n' || c == '!' || c == '?' || c == 0x3002;
        if (c > ' ' && c < 0x7f)
            c += 0xfee0;
        if (c != '\n')
            line_push(lines, c);
        uint32_t next = i + 1 < said->count ? said->at[i + 1] : 0;
        bool more = next == '!' || next == '?' || next == 0x3002 || next == 0x300d;
        if (end && (c == '\n' || !more))
            line_end(lines, c == 0xff1f || (i > 0 && said->at[i - 1] == '?'));
    }
    line_end(lines, false);
}

bool script_ja(const char *text, size_t limit_bytes, const struct lexicon_en *lexicon,
               struct script *out, struct error *err)
{
    AUTO(chars_dispose) struct chars folded = {0};
    AUTO(chars_dispose) struct chars said = {0};
    AUTO(mem_free) char *room = xmalloc(limit_bytes + 8);
    if (!chars_fold(text, &folded, err))
        return false;
    struct reading reading = {.in = &folded, .lexicon = lexicon, .out = &said};
    while (reading.at < folded.count && !reading.refused)
        read_one(&reading);
    if (reading.refused || !reading.spoken)
        return script_refuse(reading.refused, err);
    struct lines lines = {.script = out, .limit_bytes = limit_bytes, .text = room};
    lines_split(&said, &lines);
    return out->count > 0 || script_refuse(0, err);
}
