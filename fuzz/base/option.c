/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a command line, one a line: refused, or values within what the table allows. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct options {
    bool quiet;
    const char *name;
    int64_t port, timeout_ms, bytes;
    double speed;
    const char *mode;
    struct option_list rules;
};

static const char *const modes[] = {"fast", "slow", NULL};
static const struct option rows[] = {
    OPTION_FLAG('q', "quiet", quiet, "say nothing"),
    OPTION_TEXT('n', "name", "NAME", name, "a name"),
    OPTION_INT('p', "port", "N", port, "a port", .max = 65535),
    OPTION_REAL(0, "speed", "X", speed, "how fast", .min = .5, .max = 2),
    OPTION_DURATION('t', "timeout", "TIME", timeout_ms, "how long"),
    OPTION_SIZE(0, "bytes", "SIZE", bytes, "how much"),
    OPTION_CHOICE('m', "mode", "MODE", mode, "how", .choices = modes),
    OPTION_LIST('L', "forward", "RULE", rules, "what"),
    OPTION_END,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { WORDS = 64 };
    struct error err;
    char *words[WORDS + 1];
    size_t count = 0;
    AUTO(mem_free) char *text = xstrndup((const char *)data, size);
    for (char *at = text, *end; *at && count < WORDS; at = end) {
        words[count++] = at;
        end = strchr(at, '\n');
        if (!end)
            break;
        *end++ = '\0';
    }
    words[count] = NULL;
    struct options options = {.port = 1, .speed = 1};
    struct operands operands;
    bool good = options_from_arguments(rows, &options, words, size % 2, &operands, &err);
    assert(options.port >= 0 && options.port <= 65535);
    assert(options.speed >= .5 && options.speed <= 2);
    assert(options.timeout_ms >= 0 && options.bytes >= 0);
    assert(!options.mode || options.mode == modes[0] || options.mode == modes[1] ||
           strcmp(options.mode, "fast") == 0 || strcmp(options.mode, "slow") == 0);
    assert(options.rules.count <= OPTION_LIST_MAX);
    if (good)
        assert(operands.count <= count);
    else
        assert(err.text[0]);
    return 0;
}
