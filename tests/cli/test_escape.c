/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/buf.h"
#include "cli/escape.h"

static const struct row {
    const char *typed, *sent;
    enum escape_found found;
} rows[] = {
    {"", "", ESCAPE_NONE},
    {"ls\r", "ls\r", ESCAPE_NONE},
    {"~.", "", ESCAPE_LEAVE},
    {"~.rest", "", ESCAPE_LEAVE},
    {"ls\r~.", "ls\r", ESCAPE_LEAVE},
    {"ls\n~.", "ls\n", ESCAPE_LEAVE},
    {"\r\r~.", "\r\r", ESCAPE_LEAVE},
    {"a~.", "a~.", ESCAPE_NONE},
    {"cd ~/x\r", "cd ~/x\r", ESCAPE_NONE},
    {"\r~/bin/x\r", "\r~/bin/x\r", ESCAPE_NONE},
    {"~", "", ESCAPE_NONE}, /* held */
    {"~~", "~", ESCAPE_NONE},
    {"~~.", "~.", ESCAPE_NONE},
    {"~~~.", "~~.", ESCAPE_NONE},
    {"~x~.", "~x~.", ESCAPE_NONE},
    {"~\r~.", "~\r", ESCAPE_LEAVE},
    {"~?", "", ESCAPE_HELP},
    {"~?a", "a", ESCAPE_HELP},
    {"~?~.", "", ESCAPE_LEAVE},
    {"\r~?~?x", "\rx", ESCAPE_HELP},
    {"\x1b~.", "\x1b~.", ESCAPE_NONE},
    {"\x03~.", "\x03~.", ESCAPE_NONE},
};

/* As `pieces` of it come; in the memory of a bridge: what is typed one byte behind what is sent. */
static enum escape_found feed(const char *typed, const size_t pieces[3], char *sent)
{
    struct escape escape = {0};
    enum escape_found all = ESCAPE_NONE;
    for (int i = 0; i < 3 && all != ESCAPE_LEAVE; i++) {
        uint8_t room[32];
        enum escape_found found;
        memcpy(room + 1, typed, pieces[i]);
        size_t size = escape_read(&escape, room + 1, pieces[i], room, &found);
        assert_true(size <= pieces[i] + 1);
        memcpy(sent, room, size);
        sent += size;
        typed += pieces[i];
        if (found > all)
            all = found;
    }
    *sent = '\0';
    return all;
}

static void the_keys_are_found_however_what_is_typed_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].typed);
        for (size_t first = 0; first <= length; first++) {
            for (size_t second = first; second <= length; second++) {
                char sent[32];
                size_t pieces[3] = {first, second - first, length - second};
                assert_int_equal(feed(rows[i].typed, pieces, sent), rows[i].found);
                assert_string_equal(sent, rows[i].sent);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_are_found_however_what_is_typed_is_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
