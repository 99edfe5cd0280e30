/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/script.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "voice/chars.h"
#include "voice/symbols.h"

enum { WORD_LIMIT = 32, DIGITS_LIMIT = 15 };

struct lines {
    struct script *script;
    size_t limit_bytes;
    char *text; /* room for limit_bytes */
    size_t size;
    size_t space;        /* after the last one: where a line that is too long may be cut */
    size_t word, digits; /* how long the run at the end is */
    bool said;           /* in this line */
};

static void line_end(struct lines *lines, bool question)
{
    if (lines->said)
        script_add(lines->script, lines->text, lines->size, question);
    lines->size = lines->space = lines->word = lines->digits = 0;
    lines->said = false;
}

static void put(struct lines *lines, char c);

static void line_cut(struct lines *lines)
{
    size_t at = lines->space > lines->limit_bytes / 3 ? lines->space : lines->size;
    size_t rest = lines->size - at;
    if (lines->said)
        script_add(lines->script, lines->text, at, false);
    memmove(lines->text, lines->text + at, rest);
    lines->size = rest;
    lines->space = 0;
    lines->said = rest > 0;
}

/* Words and numbers longer than any are broken up: the front end's tables end somewhere. */
static void put(struct lines *lines, char c)
{
    bool letter = char_is_latin((uint32_t)c), digit = char_is_digit((uint32_t)c);
    if (c == ' ' && (lines->size == 0 || lines->text[lines->size - 1] == ' '))
        return;
    if (lines->size + 2 > lines->limit_bytes)
        line_cut(lines);
    if ((letter && lines->word >= WORD_LIMIT) || (digit && lines->digits >= DIGITS_LIMIT))
        put(lines, ' ');
    lines->word = letter ? lines->word + 1 : 0;
    lines->digits = digit ? lines->digits + 1 : 0;
    lines->text[lines->size++] = c;
    if (c == ' ')
        lines->space = lines->size;
    lines->said |= letter || digit;
}

static void put_text(struct lines *lines, const char *text)
{
    for (; *text; text++)
        put(lines, *text);
}

static void put_symbol(struct lines *lines, const char *name)
{
    put(lines, ' ');
    put_text(lines, name);
    put(lines, ' ');
}

struct reading {
    const struct chars *in;
    size_t at;
    struct lines lines;
    bool spoken;
    uint32_t refused;
};

static uint32_t peek(const struct reading *r, size_t ahead)
{
    return r->at + ahead < r->in->count ? r->in->at[r->at + ahead] : 0;
}

/* Dr. Smith, St. Louis, e.g. this: a full stop that ends nothing. */
static bool abbreviation(const struct reading *r)
{
    static const char *const known[] = {"mr", "mrs", "ms",  "dr",  "st",   "prof", "jr",
                                        "vs", "no",  "inc", "ltd", "dept", "mt",   "approx"};
    char word[8] = {0};
    size_t length = 0;
    while (length < r->at && char_is_latin(r->in->at[r->at - 1 - length]))
        length++;
    if (length == 0 || length >= sizeof word || peek(r, 1) != ' ')
        return false;
    for (size_t i = 0; i < length; i++)
        word[i] = (char)(r->in->at[r->at - length + i] | 0x20);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], word) == 0)
            return true;
    return length == 1; /* J. Smith, e.g. */
}

/* A full stop ends a sentence before a space; "3.5" and "example.com" go on. */
static bool ends(const struct reading *r, uint32_t c)
{
    uint32_t next = peek(r, 1);
    if (c == '\n' || c == 0x3002)
        return true;
    if (c != '.' && c != '!' && c != '?')
        return false;
    if (c == '.' && abbreviation(r))
        return false;
    return next == 0 || next == ' ' || next == '\n' || next == '"' || next == ')';
}

/* Whether the word at hand is a web or mail address: it has a scheme, or an @ or a dot between
 * letters. */
static size_t address_length(const struct reading *r)
{
    size_t length = 0;
    bool marked = false;
    if (r->at > 0 && r->in->at[r->at - 1] != ' ' && r->in->at[r->at - 1] != '(')
        return 0;
    for (uint32_t c; (c = peek(r, length)) > ' ' && c < 0x7f && !strchr(",;()<>\"", (int)c);
         length++) {
        bool between = length > 1 && char_is_latin(peek(r, length + 1)) &&
                       (char_is_latin(peek(r, length + 2)) || c == '@');
        marked |= (c == '@' || c == '.') && between && peek(r, length - 1) != '.';
        marked |= c == ':' && peek(r, length + 1) == '/' && peek(r, length + 2) == '/';
    }
    while (length > 0 && strchr(".!?:'", (int)peek(r, length - 1)))
        length--;
    return marked ? length : 0;
}

static void address(struct reading *r, size_t length)
{
    size_t from = 0;
    for (size_t i = 0; i + 2 < length; i++)
        if (peek(r, i) == ':' && peek(r, i + 1) == '/')
            from = i + 3; /* nobody says the scheme */
    if (peek(r, length - 1) == '/')
        length--;
    for (size_t i = from; i < length; i++) {
        uint32_t c = peek(r, i);
        const struct symbol *symbol = symbol_find(c);
        if (char_is_latin(c) || char_is_digit(c))
            put(&r->lines, (char)c);
        else
            put_symbol(&r->lines, c == '.'   ? "dot"
                                  : c == '/' ? "slash"
                                  : c == '-' ? "dash"
                                  : c == '_' ? "underscore"
                                  : symbol   ? symbol->en
                                             : "");
    }
    r->at += length;
    r->spoken = true;
}

static void money(struct reading *r, const char *unit)
{
    size_t used = 1;
    for (; char_is_digit(peek(r, used)) || peek(r, used) == ',' || peek(r, used) == '.'; used++) {
        bool mark = !char_is_digit(peek(r, used));
        if (mark && !char_is_digit(peek(r, used + 1)))
            break;
        put(&r->lines, (char)peek(r, used));
    }
    put_symbol(&r->lines, unit);
    r->at += used - 1;
}

static void sign(struct reading *r, uint32_t c)
{
    const struct symbol *symbol = symbol_find(c);
    bool amount = char_is_digit(peek(r, 1));
    if ((c == 0xa5 || c == 0xa3 || c == 0x20ac) && amount) {
        money(r, symbol->en);
    } else if (c < 0x80 && strchr("$%&@#+=", (int)c)) {
        if (c == '$' && amount)
            put(&r->lines, '$'); /* flite reads dollars by itself */
        else
            put_symbol(&r->lines, symbol->en);
    } else if (c < 0x80 && strchr("^`|\\*_<>{}[]~", (int)c)) {
        put(&r->lines, ' ');
    } else if (c < 0x80) {
        put(&r->lines, (char)c);
    } else if (symbol) {
        put_symbol(&r->lines, symbol->en);
    } else if (symbol_is_emoji(c)) {
        put_symbol(&r->lines, "emoji");
    } else {
        put_text(&r->lines, c == 0x2015 || c == 0x2026 || c == 0x3001 ? ", " : " ");
    }
}

static void read_one(struct reading *r)
{
    uint32_t c = peek(r, 0);
    if (char_is_kana(c) || char_is_kanji(c) || (char_is_foreign(c) && !symbol_find(c))) {
        r->refused = c;
        return;
    }
    size_t length = char_is_latin(c) ? address_length(r) : 0;
    if (length > 0) {
        address(r, length);
        return;
    }
    r->spoken |= char_is_latin(c) || char_is_digit(c);
    if (char_is_latin(c) || char_is_digit(c) || c == ' ')
        put(&r->lines, (char)c);
    else if (c == '\n' || c == 0x3002)
        put(&r->lines, c == '\n' ? ' ' : '.');
    else if (symbol_is_emoji(c) && peek(r, 1) == c)
        ; /* three of the same are said once */
    else
        sign(r, c);
    if (ends(r, c))
        line_end(&r->lines, c == '?');
    r->at++;
}

bool script_en(const char *text, size_t limit_bytes, struct script *out, struct error *err)
{
    AUTO(chars_dispose) struct chars folded = {0};
    AUTO(mem_free) char *room = xmalloc(limit_bytes + 2);
    if (!chars_fold(text, &folded, err))
        return false;
    struct reading reading = {
        .in = &folded,
        .lines = {.script = out, .limit_bytes = limit_bytes, .text = room},
    };
    while (reading.at < folded.count && !reading.refused)
        read_one(&reading);
    if (reading.refused || !reading.spoken)
        return script_refuse(reading.refused, err);
    line_end(&reading.lines, false);
    return out->count > 0 || script_refuse(0, err);
}
