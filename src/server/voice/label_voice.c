/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/label_voice.h"

/* The format names every section by its first and last byte in [DATA]; numbers there are
 * little-endian 32-bit: the count of distributions in a tree, then mean and variance of each. */
static const char header[] =
    "[GLOBAL]\n"
    "HTS_VOICE_VERSION:1.0\n"
    "SAMPLING_FREQUENCY:8000\n"
    "FRAME_PERIOD:1\n"
    "NUM_STATES:1\n"
    "NUM_STREAMS:2\n"
    "STREAM_TYPE:MCP,LF0\n"
    "FULLCONTEXT_FORMAT:HTS_TTS_JPN\n"
    "FULLCONTEXT_VERSION:1.0\n"
    "GV_OFF_CONTEXT:\n"
    "COMMENT:\n"
    "[STREAM]\n"
    "VECTOR_LENGTH[MCP]:2\n"
    "VECTOR_LENGTH[LF0]:1\n"
    "IS_MSD[MCP]:0\n"
    "IS_MSD[LF0]:1\n"
    "NUM_WINDOWS[MCP]:1\n"
    "NUM_WINDOWS[LF0]:1\n"
    "USE_GV[MCP]:0\n"
    "USE_GV[LF0]:0\n"
    "OPTION[MCP]:ALPHA=0.3\n"
    "OPTION[LF0]:\n"
    "[POSITION]\n"
    "DURATION_PDF:0-11\n"
    "DURATION_TREE:12-32\n"
    "STREAM_WIN[MCP]:33-38\n"
    "STREAM_WIN[LF0]:39-44\n"
    "STREAM_PDF[MCP]:45-64\n"
    "STREAM_PDF[LF0]:65-80\n"
    "STREAM_TREE[MCP]:81-101\n"
    "STREAM_TREE[LF0]:102-122\n"
    "[DATA]\n"
#define ZERO "\0\0\0\0"
#define FIVE "\0\0\xa0\x40" /* 5.0f */
#define ONE  "\0\0\x80\x3f" /* 1.0f */
#define SOLE "\1\0\0\0"     /* one distribution */
    SOLE ONE ONE "{*}[2]\n   \"dur_s2_1\"\n"
    "1 1.0\n"
    "1 1.0\n" SOLE ZERO ZERO ONE ONE SOLE FIVE ONE ZERO "{*}[2]\n   \"mgc_s2_1\"\n"
    "{*}[2]\n   \"lf0_s2_1\"\n";

struct bytes label_voice(void)
{
    return (struct bytes){(const uint8_t *)header, sizeof header - 1};
}
