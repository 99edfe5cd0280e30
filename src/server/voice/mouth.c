/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/mouth.h"

#include <stddef.h>
#include <string.h>

struct shape {
    const char *phoneme;
    enum viseme first, second;
    float strength;
};

static const struct shape japanese[] = {
    {"a", VISEME_A, VISEME_A, 1},      {"i", VISEME_I, VISEME_I, 1},
    {"u", VISEME_U, VISEME_U, 1},      {"e", VISEME_E, VISEME_E, 1},
    {"o", VISEME_O, VISEME_O, 1},      {"A", VISEME_A, VISEME_A, .3f},
    {"I", VISEME_I, VISEME_I, .3f},    {"U", VISEME_U, VISEME_U, .3f},
    {"E", VISEME_E, VISEME_E, .3f},    {"O", VISEME_O, VISEME_O, .3f},
    {"N", VISEME_K, VISEME_K, .5f},    {"m", VISEME_MBP, VISEME_MBP, 1},
    {"my", VISEME_MBP, VISEME_MBP, 1}, {"b", VISEME_MBP, VISEME_MBP, 1},
    {"by", VISEME_MBP, VISEME_MBP, 1}, {"p", VISEME_MBP, VISEME_MBP, 1},
    {"py", VISEME_MBP, VISEME_MBP, 1}, {"f", VISEME_FV, VISEME_FV, .4f},
    {"v", VISEME_FV, VISEME_FV, .7f},  {"w", VISEME_W, VISEME_W, .7f},
    {"s", VISEME_S, VISEME_S, .8f},    {"z", VISEME_S, VISEME_S, .8f},
    {"ts", VISEME_S, VISEME_S, .8f},   {"sh", VISEME_SH, VISEME_SH, .7f},
    {"ch", VISEME_SH, VISEME_SH, .7f}, {"j", VISEME_SH, VISEME_SH, .7f},
    {"t", VISEME_T, VISEME_T, .8f},    {"d", VISEME_T, VISEME_T, .8f},
    {"n", VISEME_T, VISEME_T, .8f},    {"ty", VISEME_T, VISEME_T, .8f},
    {"dy", VISEME_T, VISEME_T, .8f},   {"ny", VISEME_T, VISEME_T, .8f},
    {"r", VISEME_R, VISEME_R, .7f},    {"ry", VISEME_R, VISEME_R, .7f},
    {"k", VISEME_K, VISEME_K, .8f},    {"g", VISEME_K, VISEME_K, .8f},
    {"ky", VISEME_K, VISEME_Y, .8f},   {"gy", VISEME_K, VISEME_Y, .8f},
    {"kw", VISEME_K, VISEME_W, .8f},   {"gw", VISEME_K, VISEME_W, .8f},
    {"y", VISEME_Y, VISEME_Y, .8f},    {"h", VISEME_H, VISEME_H, .7f},
    {"hy", VISEME_H, VISEME_Y, .7f},
};

static const struct shape english[] = {
    {"aa", VISEME_A, VISEME_A, 1},     {"ae", VISEME_A, VISEME_A, .9f},
    {"ah", VISEME_A, VISEME_A, .65f},  {"ax", VISEME_E, VISEME_E, .45f},
    {"ao", VISEME_O, VISEME_O, 1},     {"aw", VISEME_A, VISEME_W, 1},
    {"ay", VISEME_A, VISEME_I, 1},     {"eh", VISEME_E, VISEME_E, .9f},
    {"er", VISEME_R, VISEME_R, .9f},   {"axr", VISEME_R, VISEME_R, .6f},
    {"ey", VISEME_E, VISEME_I, .9f},   {"ih", VISEME_I, VISEME_I, .7f},
    {"iy", VISEME_I, VISEME_I, 1},     {"ow", VISEME_O, VISEME_W, 1},
    {"oy", VISEME_O, VISEME_I, 1},     {"uh", VISEME_U, VISEME_U, .8f},
    {"uw", VISEME_W, VISEME_W, .9f},   {"b", VISEME_MBP, VISEME_MBP, 1},
    {"p", VISEME_MBP, VISEME_MBP, 1},  {"m", VISEME_MBP, VISEME_MBP, 1},
    {"em", VISEME_MBP, VISEME_MBP, 1}, {"f", VISEME_FV, VISEME_FV, 1},
    {"v", VISEME_FV, VISEME_FV, .9f},  {"th", VISEME_TH, VISEME_TH, 1},
    {"dh", VISEME_TH, VISEME_TH, .8f}, {"s", VISEME_S, VISEME_S, .9f},
    {"z", VISEME_S, VISEME_S, .9f},    {"sh", VISEME_SH, VISEME_SH, 1},
    {"zh", VISEME_SH, VISEME_SH, .9f}, {"ch", VISEME_SH, VISEME_SH, 1},
    {"jh", VISEME_SH, VISEME_SH, .9f}, {"t", VISEME_T, VISEME_T, .8f},
    {"d", VISEME_T, VISEME_T, .8f},    {"n", VISEME_T, VISEME_T, .8f},
    {"en", VISEME_T, VISEME_T, .8f},   {"nx", VISEME_T, VISEME_T, .7f},
    {"dx", VISEME_T, VISEME_T, .5f},   {"l", VISEME_L, VISEME_L, .9f},
    {"el", VISEME_L, VISEME_L, .9f},   {"r", VISEME_R, VISEME_R, .9f},
    {"w", VISEME_W, VISEME_W, 1},      {"y", VISEME_Y, VISEME_Y, .8f},
    {"k", VISEME_K, VISEME_K, .8f},    {"g", VISEME_K, VISEME_K, .8f},
    {"ng", VISEME_K, VISEME_K, .7f},   {"hh", VISEME_H, VISEME_H, .8f},
    {"hv", VISEME_H, VISEME_H, .8f},
};

static struct mouth look_up(const struct shape *shapes, size_t count, const char *phoneme)
{
    for (size_t i = 0; i < count; i++) {
        const struct shape *shape = &shapes[i];
        if (strcmp(shape->phoneme, phoneme) == 0)
            return (struct mouth){shape->first, shape->second, shape->strength,
                                  shape->first == shape->second ? 1 : .5f};
    }
    return (struct mouth){VISEME_SILENCE, VISEME_SILENCE, 1, 1};
}

/* ん and っ are made where the next consonant is made. */
static bool borrows(const char *phoneme, const char *next)
{
    if (strcmp(phoneme, "cl") == 0)
        return *next && !mouth_is_pause(next) && strcmp(next, "cl") != 0;
    return strcmp(phoneme, "N") == 0 && *next && strchr("mbp", *next);
}

struct mouth mouth_ja(const char *phoneme, const char *next)
{
    enum { COUNT = sizeof japanese / sizeof *japanese };
    if (borrows(phoneme, next)) {
        struct mouth mouth = look_up(japanese, COUNT, next);
        mouth.second = mouth.first;
        mouth.turn = 1;
        return mouth;
    }
    if (strcmp(phoneme, "cl") == 0) /* cut off: nearly closed */
        return (struct mouth){VISEME_K, VISEME_K, .3f, 1};
    return look_up(japanese, COUNT, phoneme);
}

struct mouth mouth_en(const char *phoneme, bool stressed)
{
    struct mouth mouth = look_up(english, sizeof english / sizeof *english, phoneme);
    bool vowel = mouth.first != VISEME_SILENCE && strchr("aeiou", *phoneme) &&
                 mouth.first != VISEME_L && mouth.first != VISEME_T && mouth.first != VISEME_MBP;
    if (vowel && !stressed)
        mouth.strength *= .75f;
    if (mouth.first != mouth.second)
        mouth.turn = .6f;
    return mouth;
}

bool mouth_is_pause(const char *phoneme)
{
    static const char *const pauses[] = {"sil", "pau", "ssil", "h#", "brth", "xx"};
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++)
        if (strcmp(pauses[i], phoneme) == 0)
            return true;
    return false;
}
