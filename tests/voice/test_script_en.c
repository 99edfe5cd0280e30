/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"
#include "voice/script.h"

static char *said(const char *text)
{
    AUTO(script_dispose) struct script script = {0};
    struct error err = {0};
    struct buf out = BUF(1 << 16);
    if (!script_en(text, 400, &script, &err))
        return xstrdup(err.text);
    for (size_t i = 0; i < script.count; i++)
        assert_true(buf_printf(&out, &err, "%s%s%s", i ? "|" : "", script.lines[i].text,
                               script.lines[i].question ? "(?)" : ""));
    return buf_take(&out);
}

static void english_is_made_ready_for_flite(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"Hello. How are you? Fine!", "Hello.|How are you?(?)|Fine!"},
        {"Dr. Smith is 3.5 m tall.", "Dr. Smith is 3.5 m tall."},
        {"It\xe2\x80\x99s José\xe2\x80\xa6", "It's Jose, "},
        {"50% off & more", "50 percent off and more"},
        {"€15 and ¥1,000", "15 euros and 1,000 yen "},
        {"Ｈｅｌｌｏ", "Hello"},
        {"Congrats 🎉🎉", "Congrats party popper "},
        {"see https://www.example.com/a?b=1.", "see www dot example dot com slash a b equals 1."},
        {"bob@example.com", "bob at example dot com"},
        {"a\tb\nc", "a b |c"},
        {"🎉", "there is nothing to say in the text"},
        {"?!...", "there is nothing to say in the text"},
        {"hi こんにちは", "this voice cannot read \"こ\" (U+3053)"},
        {"שלום", "this voice cannot read \"ש\" (U+05E9)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(mem_free) char *actual = said(cases[i].text);
        assert_string_equal(actual, cases[i].said);
    }
}

static void no_word_or_line_is_too_long(void **state)
{
    char text[1001];
    memset(text, 'a', 1000);
    text[1000] = '\0';
    AUTO(script_dispose) struct script script = {0};
    struct error err = {0};
    assert_ok(script_en(text, 400, &script, &err), &err);
    for (size_t i = 0; i < script.count; i++) {
        assert_true(strlen(script.lines[i].text) <= 400);
        for (const char *at = script.lines[i].text; *at; at += strspn(at, " ")) {
            assert_true(strcspn(at, " ") <= 40);
            at += strcspn(at, " ");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(english_is_made_ready_for_flite),
        cmocka_unit_test(no_word_or_line_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
