/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/kana_en.h"

#include <string.h>

/* The longest first among those with the same beginning. */
static const struct mora {
    const char *latin, *kana;
} morae[] = {
    {"kya", "キャ"}, {"kyu", "キュ"}, {"kyo", "キョ"}, {"sha", "シャ"}, {"shi", "シ"},
    {"shu", "シュ"}, {"sho", "ショ"}, {"cha", "チャ"}, {"chi", "チ"},   {"chu", "チュ"},
    {"cho", "チョ"}, {"tsu", "ツ"},   {"nya", "ニャ"}, {"nyu", "ニュ"}, {"nyo", "ニョ"},
    {"hya", "ヒャ"}, {"hyu", "ヒュ"}, {"hyo", "ヒョ"}, {"mya", "ミャ"}, {"myu", "ミュ"},
    {"myo", "ミョ"}, {"rya", "リャ"}, {"ryu", "リュ"}, {"ryo", "リョ"}, {"gya", "ギャ"},
    {"gyu", "ギュ"}, {"gyo", "ギョ"}, {"bya", "ビャ"}, {"byu", "ビュ"}, {"byo", "ビョ"},
    {"pya", "ピャ"}, {"pyu", "ピュ"}, {"pyo", "ピョ"}, {"ka", "カ"},    {"ki", "キ"},
    {"ku", "ク"},    {"ke", "ケ"},    {"ko", "コ"},    {"sa", "サ"},    {"su", "ス"},
    {"se", "セ"},    {"so", "ソ"},    {"ta", "タ"},    {"te", "テ"},    {"to", "ト"},
    {"na", "ナ"},    {"ni", "ニ"},    {"nu", "ヌ"},    {"ne", "ネ"},    {"no", "ノ"},
    {"ha", "ハ"},    {"hi", "ヒ"},    {"fu", "フ"},    {"he", "ヘ"},    {"ho", "ホ"},
    {"ma", "マ"},    {"mi", "ミ"},    {"mu", "ム"},    {"me", "メ"},    {"mo", "モ"},
    {"ya", "ヤ"},    {"yu", "ユ"},    {"yo", "ヨ"},    {"ra", "ラ"},    {"ri", "リ"},
    {"ru", "ル"},    {"re", "レ"},    {"ro", "ロ"},    {"wa", "ワ"},    {"ga", "ガ"},
    {"gi", "ギ"},    {"gu", "グ"},    {"ge", "ゲ"},    {"go", "ゴ"},    {"za", "ザ"},
    {"ji", "ジ"},    {"ja", "ジャ"},  {"ju", "ジュ"},  {"jo", "ジョ"},  {"zu", "ズ"},
    {"ze", "ゼ"},    {"zo", "ゾ"},    {"da", "ダ"},    {"de", "デ"},    {"do", "ド"},
    {"ba", "バ"},    {"bi", "ビ"},    {"bu", "ブ"},    {"be", "ベ"},    {"bo", "ボ"},
    {"pa", "パ"},    {"pi", "ピ"},    {"pu", "プ"},    {"pe", "ペ"},    {"po", "ポ"},
    {"a", "ア"},     {"i", "イ"},     {"u", "ウ"},     {"e", "エ"},     {"o", "オ"},
    {"n", "ン"},
};

static const struct mora *mora_at(const char *text)
{
    for (size_t i = 0; i < sizeof morae / sizeof *morae; i++)
        if (strncmp(morae[i].latin, text, strlen(morae[i].latin)) == 0)
            return &morae[i];
    return NULL;
}

/* っ: the next consonant written twice. */
static bool doubled(const char *text)
{
    return text[0] == text[1] ? strchr("kstpgdbz", text[0]) != NULL
                              : text[0] == 't' && text[1] == 'c' && text[2] == 'h';
}

bool kana_from_romaji(const char *word, char out[KANA_EN_SIZE])
{
    size_t size = 0;
    for (const char *at = word; *at;) {
        bool small_tsu = doubled(at);
        const struct mora *mora = small_tsu ? NULL : mora_at(at);
        const char *kana = small_tsu ? "ッ" : mora ? mora->kana : NULL;
        if (!kana || size + strlen(kana) >= KANA_EN_SIZE)
            return false;
        memcpy(out + size, kana, strlen(kana));
        size += strlen(kana);
        at += small_tsu ? 1 : strlen(mora->latin);
    }
    out[size] = '\0';
    return size > 0;
}
