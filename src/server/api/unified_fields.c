/* SPDX-License-Identifier: Apache-2.0 */
#include "api/unified_fields.h"

#define JSON(k, n, h) .place = FIELD_JSON, .kind = (k), .name = (n), .help = (h)
#define QUERY(n, h)   .place = FIELD_QUERY, .kind = FIELD_TEXT, .name = (n), .help = (h)
#define NUMBERS                                                                                    \
    {JSON(FIELD_NUMBER, "speed", "How fast the voice speaks."), .min = .1, .max = 3,               \
     .initial = "1"},                                                                              \
        {JSON(FIELD_NUMBER, "pitch", "Octaves up or down."), .min = -.15, .max = .15,              \
         .initial = "0"},                                                                          \
        {JSON(FIELD_NUMBER, "volume", "How loud the voice is."), .min = 0, .max = 2,               \
         .initial = "1"},                                                                          \
        {JSON(FIELD_NUMBER, "intonation", "How lively the voice speaks."), .min = 0, .max = 2,     \
         .initial = "1"},                                                                          \
        {JSON(FIELD_NUMBER, "pause_duration", "How long pauses are."), .min = 0, .max = 3,         \
         .initial = "1"},                                                                          \
    {                                                                                              \
        JSON(FIELD_TEXT, "emotion", "How it is said."), .choices = emotions, .initial = "neutral"  \
    }

static const char *const emotions[] = {"neutral", "happy", "sad", "angry", "excited", NULL};

const struct field unified_voice_fields[] = {
    {.place = FIELD_PATH,
     .kind = FIELD_TEXT,
     .name = "id",
     .help = "The voice's id.",
     .required = true},
    {.name = NULL},
};
const struct field unified_voices_fields[] = {
    {QUERY("language", "Only voices of this language: ja or en.")},
    {QUERY("provider", "Only voices of this provider.")},
    {.name = NULL},
};
const struct field unified_speak_fields[] = {
    {JSON(FIELD_TEXT, "text", "What is said: 1 to 1,000 characters."), .required = true},
    {JSON(FIELD_TEXT, "voice_profile_id",
          "A voice of /api/voices; without it, one for the text's language.")},
    NUMBERS,
    {.name = NULL},
};
/* As above, but there is a greeting when no text is sent. */
const struct field unified_test_fields[] = {
    {JSON(FIELD_TEXT, "text", "What is said; without it, a greeting in the voice's language.")},
    {JSON(FIELD_TEXT, "voice_profile_id", "A voice of /api/voices.")},
    NUMBERS,
    {.name = NULL},
};

const struct answer unified_health_answers[] = {
    {200, "application/json", "UnifiedHealth", "The providers, each with its state."}, {0}};
const struct answer unified_providers_answers[] = {
    {200, "application/json", "UnifiedProviders", "Where voices come from."}, {0}};
const struct answer unified_types_answers[] = {
    {200, "application/json", "UnifiedTypes", "The kinds of voices."}, {0}};
const struct answer unified_voice_answers[] = {
    {200, "application/json", "UnifiedVoice", "The voice."}, {0}};
const struct answer unified_voices_answers[] = {
    {200, "application/json", "UnifiedVoices", "The voices that can speak."}, {0}};
const struct answer unified_speak_answers[] = {{200, "audio/wav", NULL, "The sound."}, {0}};
