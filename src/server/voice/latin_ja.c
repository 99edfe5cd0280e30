/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/latin_ja.h"

#include <string.h>

#include "voice/chars.h"
#include "voice/numbers_ja.h"
#include "voice/script.h"
#include "voice/symbols.h"

enum { WORD_MAX = 40, ADDRESS_MAX = 300 };

struct word {
    char text[WORD_MAX + 1];  /* as written */
    char small[WORD_MAX + 1]; /* in small letters */
    size_t length;
};

static uint32_t peek(const struct chars *in, size_t at)
{
    return at < in->count ? in->at[at] : 0;
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* Letters, and an apostrophe between two of them. */
static void word_read(const struct chars *in, size_t at, struct word *out)
{
    *out = (struct word){0};
    while (out->length < WORD_MAX) {
        uint32_t c = peek(in, at + out->length);
        bool inside = c == '\'' && out->length > 0 && char_is_latin(peek(in, at + out->length + 1));
        if (!char_is_latin(c) && !inside)
            break;
        out->text[out->length] = (char)c;
        out->small[out->length] = small((char)c);
        out->length++;
    }
}

/* Letters one by one; the dictionary has them, and many abbreviations, in full width. */
static void spell(const char *text, struct chars *out)
{
    for (; *text; text++)
        if (*text != '\'')
            chars_push(out, (uint32_t)(*text >= 'a' ? *text - 'a' + 'A' : *text) + 0xfee0);
}

static bool all_capitals(const char *text)
{
    for (; *text; text++)
        if (*text >= 'a')
            return false;
    return true;
}

static bool has_vowel(const char *small_text)
{
    return strpbrk(small_text, "aeiouy") != NULL;
}

/* The part after a capital inside a word begins a word of its own: LoveSong. */
static size_t hump(const struct word *word)
{
    for (size_t i = 1; i < word->length; i++)
        if (word->text[i] < 'a' && word->text[i] != '\'' && word->text[i - 1] >= 'a')
            return i;
    return word->length;
}

/* What stands behind a number. */
static const char *unit_find(const char *text)
{
    static const struct {
        const char *text, *kana;
    } units[] = {
        {"km", "キロメートル"},
        {"cm", "センチメートル"},
        {"mm", "ミリメートル"},
        {"m", "メートル"},
        {"kg", "キログラム"},
        {"mg", "ミリグラム"},
        {"g", "グラム"},
        {"t", "トン"},
        {"L", "リットル"},
        {"l", "リットル"},
        {"ml", "ミリリットル"},
        {"mL", "ミリリットル"},
        {"dl", "デシリットル"},
        {"cc", "シーシー"},
        {"ha", "ヘクタール"},
        {"kB", "キロバイト"},
        {"KB", "キロバイト"},
        {"MB", "メガバイト"},
        {"GB", "ギガバイト"},
        {"TB", "テラバイト"},
        {"Gbps", "ギガビーピーエス"},
        {"Mbps", "メガビーピーエス"},
        {"Hz", "ヘルツ"},
        {"kHz", "キロヘルツ"},
        {"MHz", "メガヘルツ"},
        {"GHz", "ギガヘルツ"},
        {"W", "ワット"},
        {"kW", "キロワット"},
        {"kWh", "キロワットアワー"},
        {"V", "ボルト"},
        {"kcal", "キロカロリー"},
        {"cal", "カロリー"},
        {"ms", "ミリ秒"},
        {"s", "秒"},
        {"min", "分"},
        {"h", "時間"},
        {"px", "ピクセル"},
        {"fps", "エフピーエス"},
        {"st", "スト"},
        {"nd", "ンド"},
        {"th", "ス"},
        {"pt", "ポイント"},
        {"am", "エーエム"},
        {"pm", "ピーエム"},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].text, text) == 0)
            return units[i].kana;
    return NULL;
}

static void word_say(const struct word *word, const struct lexicon_en *lexicon, struct chars *out)
{
    bool capitals = all_capitals(word->text);
    const char *usual = capitals && word->length <= 3 ? NULL : kana_usual(word->small);
    char kana[KANA_EN_SIZE];
    struct phones_en phones = {0};
    bool romaji = !capitals && word->length > 2 && kana_from_romaji(word->small, kana);
    bool names = romaji && strchr("aiou", word->small[word->length - 1]);
    if (usual || names) { /* few English words end like Japanese ones */
        chars_text(out, usual ? usual : kana);
        return;
    }
    bool sayable = word->length > 1 && has_vowel(word->small) && !(capitals && word->length <= 3);
    bool known = sayable && lexicon && lexicon->look_up(lexicon->context, word->small, &phones);
    if (!sayable || phones.count == 0 || (capitals && !known)) {
        spell(word->text, out);
        return;
    }
    bool likely = romaji && (word->small[word->length - 1] != 'e' || word->length >= 5);
    if (known || !likely)
        kana_from_phones(&phones, word->small, kana);
    chars_text(out, kana);
}

static size_t word_take(const struct chars *in, size_t at, const struct lexicon_en *lexicon,
                        struct chars *out)
{
    struct word word;
    word_read(in, at, &word);
    size_t used = word.length, part = hump(&word);
    const char *unit = at > 0 && char_is_digit(in->at[at - 1]) ? unit_find(word.text) : NULL;
    if (unit) {
        chars_text(out, unit);
        return used;
    }
    if (part < word.length && !kana_usual(word.small)) {
        word.text[part] = word.small[part] = '\0';
        used = word.length = part;
    }
    word_say(&word, lexicon, out);
    return used;
}

static bool in_address(uint32_t c)
{
    return char_is_latin(c) || char_is_digit(c) ||
           (c && c < 0x80 && strchr("-._~:/?#@&=%+", (int)c));
}

/* Without the full stop or comma of the sentence around it. */
static size_t address_length(const struct chars *in, size_t at)
{
    size_t length = 0;
    while (length < ADDRESS_MAX && in_address(peek(in, at + length)))
        length++;
    while (length > 0 && peek(in, at + length - 1) < 0x80 &&
           strchr(".:?-", (int)peek(in, at + length - 1)))
        length--;
    return length;
}

static bool begins(const struct chars *in, size_t at, const char *text)
{
    for (size_t i = 0; text[i]; i++)
        if (peek(in, at + i) > 0x7f || small((char)peek(in, at + i)) != text[i])
            return false;
    return true;
}

/* A dot between letters, or an @, makes an address of a run. */
static bool is_address(const struct chars *in, size_t at, size_t length)
{
    if (begins(in, at, "http://") || begins(in, at, "https://") || begins(in, at, "www."))
        return true;
    for (size_t i = 1; i + 2 < length; i++) {
        uint32_t c = peek(in, at + i);
        bool between = char_is_latin(peek(in, at + i + 1)) && peek(in, at + i - 1) > ' ';
        if (c == '@' && between)
            return true;
        bool domain = c == '.' && between && char_is_latin(peek(in, at + i + 2)) &&
                      peek(in, at + i - 1) != '.' && peek(in, at + i + 1) >= 'a';
        if (domain)
            return true;
    }
    return false;
}

static const char *sign_in_address(uint32_t c)
{
    switch (c) {
    case '.':
        return "ドット";
    case '/':
        return "スラッシュ";
    case '-':
        return "ハイフン";
    case '_':
        return "アンダーバー";
    case ':':
        return "コロン";
    case '?':
        return "クエスチョン";
    case '~':
        return "チルダ";
    default: {
        const struct symbol *symbol = symbol_find(c);
        return symbol ? symbol->ja : "";
    }
    }
}

static size_t address_take(const struct chars *in, size_t at, size_t length,
                           const struct lexicon_en *lexicon, struct chars *out)
{
    size_t i = begins(in, at, "https://") ? 8 : begins(in, at, "http://") ? 7 : 0;
    if (length > i && peek(in, at + length - 1) == '/')
        length--; /* nobody says the last one */
    while (i < length) {
        uint32_t c = peek(in, at + i);
        if (char_is_latin(c)) {
            i += word_take(in, at + i, lexicon, out);
        } else if (char_is_digit(c)) {
            chars_push(out, c);
            i++;
        } else {
            chars_text(out, sign_in_address(c));
            i++;
        }
    }
    return length + (peek(in, at + length) == '/');
}

size_t latin_ja(const struct chars *in, size_t at, const struct lexicon_en *lexicon,
                struct chars *out)
{
    size_t length = address_length(in, at);
    if (is_address(in, at, length))
        return address_take(in, at, length, lexicon, out);
    return word_take(in, at, lexicon, out);
}
