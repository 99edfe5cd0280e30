/* SPDX-License-Identifier: Apache-2.0 */
/* The fields and answers of the rows /api/unified-voice/… in the route table. */
#pragma once

#include "api/endpoint.h"

extern const struct field unified_voice_fields[], unified_voices_fields[], unified_speak_fields[],
    unified_test_fields[];
extern const struct answer unified_health_answers[], unified_providers_answers[],
    unified_types_answers[], unified_voice_answers[], unified_voices_answers[],
    unified_speak_answers[];
