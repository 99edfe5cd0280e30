/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/kana_en.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Consonant rows: with each of a i u e o, with a small y and a u o ("ヤ", "ユ", "ヨ" of the row),
 * and alone. */
static const struct row {
    const char *phone;
    const char *with[5];
    const char *alone;
    const char *before_y; /* what stands before ャュョ */
} rows[] = {
    {"", {"ア", "イ", "ウ", "エ", "オ"}, "", ""},
    {"b", {"バ", "ビ", "ブ", "ベ", "ボ"}, "ブ", "ビ"},
    {"ch", {"チャ", "チ", "チュ", "チェ", "チョ"}, "チ", "チ"},
    {"d", {"ダ", "ディ", "ドゥ", "デ", "ド"}, "ド", "デ"},
    {"dh", {"ザ", "ジ", "ズ", "ゼ", "ゾ"}, "ズ", "ジ"},
    {"f", {"ファ", "フィ", "フ", "フェ", "フォ"}, "フ", "フ"},
    {"g", {"ガ", "ギ", "グ", "ゲ", "ゴ"}, "グ", "ギ"},
    {"hh", {"ハ", "ヒ", "フ", "ヘ", "ホ"}, "フ", "ヒ"},
    {"jh", {"ジャ", "ジ", "ジュ", "ジェ", "ジョ"}, "ジ", "ジ"},
    {"k", {"カ", "キ", "ク", "ケ", "コ"}, "ク", "キ"},
    {"l", {"ラ", "リ", "ル", "レ", "ロ"}, "ル", "リ"},
    {"m", {"マ", "ミ", "ム", "メ", "モ"}, "ム", "ミ"},
    {"n", {"ナ", "ニ", "ヌ", "ネ", "ノ"}, "ン", "ニ"},
    {"ng", {"ンガ", "ンギ", "ング", "ンゲ", "ンゴ"}, "ング", "ンギ"},
    {"p", {"パ", "ピ", "プ", "ペ", "ポ"}, "プ", "ピ"},
    {"r", {"ラ", "リ", "ル", "レ", "ロ"}, "ル", "リ"},
    {"s", {"サ", "シ", "ス", "セ", "ソ"}, "ス", "シ"},
    {"sh", {"シャ", "シ", "シュ", "シェ", "ショ"}, "シュ", "シ"},
    {"t", {"タ", "ティ", "トゥ", "テ", "ト"}, "ト", "テ"},
    {"th", {"サ", "シ", "ス", "セ", "ソ"}, "ス", "シ"},
    {"ts", {"ツァ", "ツィ", "ツ", "ツェ", "ツォ"}, "ツ", "ツィ"},
    {"v", {"バ", "ビ", "ブ", "ベ", "ボ"}, "ブ", "ビ"},
    {"w", {"ワ", "ウィ", "ウ", "ウェ", "ウォ"}, "ウ", "ウィ"},
    {"y", {"ヤ", "イ", "ユ", "イェ", "ヨ"}, "イ", "イ"},
    {"z", {"ザ", "ジ", "ズ", "ゼ", "ゾ"}, "ズ", "ジ"},
    {"zh", {"ジャ", "ジ", "ジュ", "ジェ", "ジョ"}, "ジュ", "ジ"},
};

enum { A, I, U, E, O };

static const struct vowel {
    const char *phone;
    int row;           /* which of the five */
    const char *after; /* what lengthens or closes it */
    bool brief;        /* may be followed by ッ */
} vowels[] = {
    {"aa", A, "", true},    {"ae", A, "", true},    {"ah", A, "", true},     {"ao", O, "ー", false},
    {"aw", A, "ウ", false}, {"ax", A, "", false},   {"axr", A, "ー", false}, {"ay", A, "イ", false},
    {"eh", E, "", true},    {"er", A, "ー", false}, {"ey", E, "イ", false},  {"ih", I, "", true},
    {"iy", I, "ー", false}, {"ow", O, "ー", false}, {"oy", O, "イ", false},  {"uh", U, "", true},
    {"uw", U, "ー", false},
};

static const struct vowel *vowel_of(const char *phone)
{
    for (size_t i = 0; i < sizeof vowels / sizeof *vowels; i++)
        if (strcmp(vowels[i].phone, phone) == 0)
            return &vowels[i];
    return NULL;
}

static const struct row *row_of(const char *phone)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].phone, phone) == 0)
            return &rows[i];
    return NULL;
}

struct spelling {
    const struct phones_en *phones;
    const char *word;
    bool letters_match; /* as many groups of vowel letters as vowels */
    int vowel;          /* how many vowels are done */
    char *out;
};

static void put(struct spelling *s, const char *kana)
{
    if (strlen(s->out) + strlen(kana) < KANA_EN_SIZE)
        strcat(s->out, kana);
}

static bool vowel_letter(const char *word, size_t at)
{
    char c = word[at];
    if (c == 'y')
        return at > 0;
    return c && strchr("aeiou", c) &&
           !(c == 'e' && at > 0 && !word[at + 1]); /* a last e is silent */
}

/* The letters of vowel number `which`; "" when there are not as many. */
static char letter_of(const char *word, int which)
{
    int group = -1;
    for (size_t i = 0; word[i]; i++)
        if (vowel_letter(word, i) && (i == 0 || !vowel_letter(word, i - 1)) && ++group == which)
            return word[i];
    return '\0';
}

static int groups(const char *word)
{
    int count = 0;
    for (size_t i = 0; word[i]; i++)
        count += vowel_letter(word, i) && (i == 0 || !vowel_letter(word, i - 1));
    return count;
}

static const char *phone_at(const struct spelling *s, size_t at)
{
    return at < s->phones->count ? s->phones->phone[at].name : "";
}

/* An unstressed or open vowel takes its sound from the letter. */
static int row_by_letter(const struct spelling *s, const struct vowel *vowel, bool stressed)
{
    char letter = s->letters_match ? letter_of(s->word, s->vowel) : '\0';
    bool open = strcmp(vowel->phone, "aa") == 0;
    bool weak = (strcmp(vowel->phone, "ah") == 0 || strcmp(vowel->phone, "ax") == 0) && !stressed;
    if (strcmp(vowel->phone, "ao") == 0)
        return O;
    if (open && (letter == 'o' || (!s->letters_match && strchr(s->word, 'o'))))
        return O;
    if (weak && letter == 'o')
        return O;
    if (weak && letter == 'e')
        return E;
    if (weak && letter == 'i')
        return I;
    return vowel->row;
}

static bool stop(const char *phone)
{
    static const char *const stops[] = {"p", "t", "k", "ch", "d", "g", "b", "sh", "jh"};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (strcmp(stops[i], phone) == 0)
            return true;
    return false;
}

/* ッ stands between a short vowel and a last stop (カップ, ベッド), or where it is written double
 * before a last y (ハッピー, ラッキー). */
static bool closes(const struct spelling *s, size_t at, bool stressed)
{
    const char *next = phone_at(s, at + 1), *after = phone_at(s, at + 2);
    if (!stop(next) || (!stressed && s->phones->count > 4))
        return false;
    bool voiced = strchr("bdg", *next) && next[1] == '\0';
    bool last = !*after || (strcmp(after, "s") == 0 && !*phone_at(s, at + 3));
    if (last)
        return !voiced || strcmp(next, "b") != 0;
    bool ends_in_y = strcmp(after, "iy") == 0 && !*phone_at(s, at + 3);
    return ends_in_y && (strstr(s->word, "pp") || strstr(s->word, "ck")) && !voiced;
}

static void vowel_put(struct spelling *s, size_t at, const struct row *row, bool palatal)
{
    const struct vowel *vowel = vowel_of(phone_at(s, at));
    bool stressed = s->phones->phone[at].stressed;
    int which = row_by_letter(s, vowel, stressed);
    const char *next = phone_at(s, at + 1);
    bool short_o = strcmp(vowel->phone, "ao") == 0 && strcmp(next, "r") != 0 && s->letters_match &&
                   letter_of(s->word, s->vowel) == 'o'; /* dog, soft, long */
    if (palatal) {
        put(s, row->before_y);
        put(s, which == U ? "ュ" : which == O ? "ョ" : "ャ");
    } else if (which == A && strcmp(vowel->phone, "ae") == 0 && stressed &&
               (strcmp(row->phone, "k") == 0 || strcmp(row->phone, "g") == 0)) {
        put(s, strcmp(row->phone, "k") == 0 ? "キャ" : "ギャ"); /* cat, gap */
    } else {
        put(s, row->with[which]);
    }
    bool before_r = strcmp(next, "r") == 0 && !vowel_of(phone_at(s, at + 2));
    if (short_o)
        put(s, closes(s, at, stressed) ? "ッ" : "");
    else if (before_r && *vowel->after == '\0')
        put(s, which == A || which == O ? "ー" : "ア"); /* car, ear */
    else
        put(s, vowel->after);
    if (vowel->brief && closes(s, at, stressed))
        put(s, "ッ");
    s->vowel++;
}

/* r after a vowel and before none only lengthens, which the vowel did. */
static bool swallowed(const struct spelling *s, size_t at)
{
    if (strcmp(phone_at(s, at), "r") != 0 || at == 0)
        return false;
    return vowel_of(phone_at(s, at - 1)) && !vowel_of(phone_at(s, at + 1));
}

static void consonant_put(struct spelling *s, const struct row *row, const char *next)
{
    bool lips = *next && strchr("pbm", *next) && next[1] == '\0';
    bool velar = strcmp(next, "k") == 0 || strcmp(next, "g") == 0;
    if ((strcmp(row->phone, "m") == 0 && lips) || (strcmp(row->phone, "ng") == 0 && velar))
        put(s, "ン");
    else
        put(s, row->alone);
}

/* One consonant with what follows; returns how many phones were used. */
static size_t syllable_put(struct spelling *s, size_t at)
{
    const char *phone = phone_at(s, at), *next = phone_at(s, at + 1);
    if (swallowed(s, at))
        return 1;
    bool ts = strcmp(phone, "t") == 0 && strcmp(next, "s") == 0;
    const struct row *row = row_of(ts ? "ts" : phone);
    size_t used = ts ? 2 : 1;
    if (!row)
        return 1;
    next = phone_at(s, at + used);
    if (vowel_of(next)) {
        vowel_put(s, at + used, row, false);
        return used + 1;
    }
    if (strcmp(next, "y") == 0 && vowel_of(phone_at(s, at + used + 1)) && *row->phone) {
        vowel_put(s, at + used + 1, row, true);
        return used + 2;
    }
    bool labial = (*row->phone == 'k' || *row->phone == 'g') && !row->phone[1] &&
                  strcmp(next, "w") == 0 && vowel_of(phone_at(s, at + 2));
    if (labial) { /* quick is クイック, queen クイーン */
        bool open = vowel_of(phone_at(s, at + 2))->row == A;
        put(s, row->alone);
        vowel_put(s, at + 2, open ? row_of("w") : &rows[0], false);
        return 3;
    }
    consonant_put(s, row, next);
    return used;
}

void kana_from_phones(const struct phones_en *phones, const char *word, char out[KANA_EN_SIZE])
{
    struct spelling s = {.phones = phones, .word = word, .out = out};
    int count = 0;
    for (size_t i = 0; i < phones->count; i++)
        count += vowel_of(phones->phone[i].name) != NULL;
    s.letters_match = count == groups(word);
    *out = '\0';
    for (size_t at = 0; at < phones->count;) {
        if (vowel_of(phone_at(&s, at))) {
            vowel_put(&s, at, &rows[0], false);
            at++;
        } else {
            at += syllable_put(&s, at);
        }
    }
}
