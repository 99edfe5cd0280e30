/* SPDX-License-Identifier: Apache-2.0 */
/* flite: English text → phonemes, and its own clustergen voices. flite keeps state of its own, so
 * one call at a time goes into it; calls wait for each other here. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "voice/script.h"

struct error;
struct flite;
struct voice_request;
struct voice_sink;

enum flite_speaker { FLITE_SLT, FLITE_RMS, FLITE_AWB, FLITE_SPEAKERS };

MUST_USE struct flite *flite_open(struct error *err);
void flite_close(struct flite *flite);

MUST_USE bool flite_speak(struct flite *flite, enum flite_speaker speaker,
                          const struct voice_request *request, const struct script *script,
                          const struct voice_sink *sink, struct error *err);
