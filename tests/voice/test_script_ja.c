/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "voice/flite_voice.h"
#include "voice/script.h"

static bool look_up(void *context, const char *word, struct phones_en *out)
{
    return flite_word(context, word, out);
}

/* The lines with "|" between; a question ends with "(?)". */
static char *said(struct flite *flite, const char *text)
{
    struct lexicon_en lexicon = {.context = flite, .look_up = look_up};
    AUTO(script_dispose) struct script script = {0};
    struct error err = {0};
    struct buf out = BUF(1 << 16);
    if (!script_ja(text, 1000, &lexicon, &script, &err))
        return xstrdup(err.text);
    for (size_t i = 0; i < script.count; i++)
        assert_true(buf_printf(&out, &err, "%s%s%s", i ? "|" : "", script.lines[i].text,
                               script.lines[i].question ? "(?)" : ""));
    return buf_take(&out);
}

struct pair {
    const char *text, *said;
};

static void check(void **state, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(mem_free) char *actual = said(*state, pairs[i].text);
        assert_string_equal(actual, pairs[i].said);
    }
}
#define CHECK(pairs) check(state, pairs, sizeof pairs / sizeof *pairs)

static void sentences_end_at_their_marks(void **state)
{
    static const struct pair pairs[] = {
        {"元気？はい！よかった。", "元気？(?)|はい！|よかった。"},
        {"元気ですか\n元気です", "元気ですか|元気です"},
        {"本当!?", "本当！？(?)"},
        {"「はい。」と言った。", "「はい。」と言った。"},
        {"ありがとう…またね", "ありがとう、またね"},
    };
    CHECK(pairs);
}

static void widths_and_marks_are_one_form(void **state)
{
    static const struct pair pairs[] = {
        {"ﾊｯﾋﾟｰﾊﾞｰｽﾃﾞｰ", "ハッピーバースデー"},
        {"か\xe3\x82\x99んは\xe3\x82\x9aう", "がんぱう"},
        {"㈱山田と①", "株式会社山田と１"},
        {"あ\xe2\x80\x8bい\xef\xbb\xbfう\x07", "あいう"},
    };
    CHECK(pairs);
}

static void numbers_are_read_as_what_they_are(void **state)
{
    static const struct pair pairs[] = {
        {"2026/11/23", "２０２６年１１月２３日"},
        {"2026-01-05まで", "２０２６年１月５日まで"},
        {"11/3に", "１１月３日に"},
        {"1/2の", "２分の１の"},
        {"10:30と9:00と12:34:56", "１０時３０分と９時と１２時３４分５６秒"},
        {"午後3:00〜5:30", "午後３時から５時３０分"},
        {"¥1,000と$20.50", "１０００円と２０．５０ドル"},
        {"1,234,567人", "１２３４５６７人"},
        {"3.14", "３．１４"},
        {"v1.2.3", "Ｖ１点２点３"},
        {"-5℃〜23.5℃", "マイナス５度から２３．５度"},
        {"090-1234-5678", "ゼロキューゼロ、イチニーサンヨン、ゴーロクナナハチ"},
        {"007", "ゼロゼロナナ"},
        {"175.5cmで60kg", "１７５．５センチメートルで６０キログラム"},
        {"3×4=12", "３かける４イコール１２"},
        {"50%", "５０パーセント"},
    };
    CHECK(pairs);
}

static void latin_words_are_read_in_kana(void **state)
{
    static const struct pair pairs[] = {
        {"Happy Birthday!", "ハッピーバースデー！"},
        {"AIとNHK", "ＡＩとＮＨＫ"},
        {"iPhoneとMacBook", "アイフォーンとマックブック"},
        {"cat, bed, quick, lemon", "キャット、ベッド、クイック、レモン"},
        {"strawberry cake", "ストロベリーケーキ"},
        {"YukiとSatoshiさん", "ユキとサトシさん"},
        {"LOVE", "ラブ"},
        {"café", "カフェ"},
        {"すごいwww", "すごいワラ"},
        {"taro@example.co.jp", "タローアットマークイグザンパルドットコードットＪＰ"},
        {"https://example.com/", "イグザンパルドットコム"},
        {"BGM", "ＢＧＭ"},
    };
    CHECK(pairs);
}

static void signs_and_emoji_are_named(void **state)
{
    static const struct pair pairs[] = {
        {"おめでとう🎉🎉🎉", "おめでとう、クラッカー、"},
        {"大好き❤️です", "大好き、ハート、です"},
        {"A&B", "ＡアンドＢ"},
        {"#誕生日", "ハッシュタグ、誕生日"},
        {"ありがとう♪", "ありがとう、"},
        {"寿司🦄", "寿司、絵文字、"},
    };
    CHECK(pairs);
}

static void what_cannot_be_said_is_refused(void **state)
{
    static const struct pair pairs[] = {
        {"", "there is nothing to say in the text"},
        {"   \n ", "there is nothing to say in the text"},
        {"🎉🎂", "there is nothing to say in the text"},
        {"。。。、！？…", "there is nothing to say in the text"},
        {"\xe2\x80\x8b", "there is nothing to say in the text"},
        {"مرحبا", "this voice cannot read \"م\" (U+0645)"},
        {"今日はПриветです", "this voice cannot read \"П\" (U+041F)"},
    };
    CHECK(pairs);
}

static void long_text_is_cut_where_one_breathes(void **state)
{
    struct buf text = BUF(1 << 16);
    struct error err = {0};
    for (int i = 0; i < 100; i++)
        assert_true(buf_text(&text, i % 10 == 9 ? "あいう、" : "あいうえおかきくけこ", &err));
    AUTO(mem_free) char *whole = buf_take(&text);
    AUTO(script_dispose) struct script script = {0};
    assert_ok(script_ja(whole, 300, NULL, &script, &err), &err);
    assert_true(script.count >= 9);
    size_t sum = 0;
    for (size_t i = 0; i < script.count; i++) {
        size_t size = strlen(script.lines[i].text);
        assert_true(size <= 300);
        assert_true(utf8_valid(bytes_of(script.lines[i].text)));
        sum += size;
        if (i + 1 < script.count)
            assert_true(text_ends(script.lines[i].text, "、"));
    }
    assert_int_equal(sum, strlen(whole));
}

static int open_flite(void **state)
{
    *state = flite_open();
    return 0;
}

static int close_flite(void **state)
{
    flite_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_end_at_their_marks),
        cmocka_unit_test(widths_and_marks_are_one_form),
        cmocka_unit_test(numbers_are_read_as_what_they_are),
        cmocka_unit_test(latin_words_are_read_in_kana),
        cmocka_unit_test(signs_and_emoji_are_named),
        cmocka_unit_test(what_cannot_be_said_is_refused),
        cmocka_unit_test(long_text_is_cut_where_one_breathes),
    };
    return cmocka_run_group_tests(tests, open_flite, close_flite);
}
