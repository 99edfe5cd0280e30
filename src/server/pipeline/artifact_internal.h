/* SPDX-License-Identifier: Apache-2.0 */
/* Results of stages as files: a header that says what it is and the payload's hash, so that one
 * that lost its tail with the power is noticed and made again. In the byte order of the machine:
 * they are a cache, not a format. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/hash.h"
#include "image/portrait.h"
#include "media/pcm.h"
#include "media/visemes.h"

struct error;
struct store;

/* A decoded photo and the faces in it. */
struct photo {
    struct picture picture;
    int face_count;
    struct face faces[MAX_FACES];
};
void photo_dispose(struct photo *photo);
static inline void photo_dispose_auto(struct photo *photo)
{
    photo_dispose(photo);
}

/* What is said, when, and how it sounds. */
struct speech_result {
    struct viseme_track track;
    struct pcm pcm;
};
void speech_result_dispose(struct speech_result *speech);
static inline void speech_result_dispose_auto(struct speech_result *speech)
{
    speech_result_dispose(speech);
}

/* The readers return false where there is none, or none that can be used; the writers log what
 * goes wrong: a cache that cannot be written costs time, not the message. With a NULL store
 * nothing is found or kept. */
bool artifact_get_photo(struct store *store, struct hash128 name, struct photo *out);
void artifact_put_photo(struct store *store, struct hash128 name, const struct photo *photo);
bool artifact_get_portrait(struct store *store, struct hash128 name, struct portrait *out);
void artifact_put_portrait(struct store *store, struct hash128 name,
                           const struct portrait *portrait);
bool artifact_get_speech(struct store *store, struct hash128 name, struct speech_result *out);
void artifact_put_speech(struct store *store, struct hash128 name,
                         const struct speech_result *speech);
