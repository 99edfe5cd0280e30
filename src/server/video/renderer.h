/* SPDX-License-Identifier: Apache-2.0 */
/* The talking portrait: one still photo, a viseme track, and a frame for every moment. Pure
 * computation; frames may be made in any order, each depends on nothing but the scene and its
 * index. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "media/face.h"
#include "media/picture.h"
#include "media/visemes.h"

struct error;

struct scene {
    const struct picture *photo;      /* RGB, frame size, even sides */
    const struct picture *matte;      /* grey, or NULL when not cut out */
    const struct picture *foreground; /* RGB, or NULL */
    const struct picture *background; /* RGB, frame size; NULL keeps the photo's own */
    const struct face *face;          /* in the photo's pixels */
    const struct viseme_track *track;
    double duration_s;
    int fps;       /* 25 or 30 */
    bool sway;     /* head sway and breathing; off keeps all but the face still */
    uint64_t seed; /* of blinks and small motion: same seed, same video */
};

/* A frame as the encoder wants it: planar YUV 4:2:0, BT.709, limited range. */
struct frame420 {
    int width, height;
    uint8_t *planes[3];
    int strides[3];
};

struct renderer;
/* Everything in `scene` is copied or used only during the call, but the pictures, which must
 * live as long as the renderer. */
MUST_USE struct renderer *renderer_new(const struct scene *scene, struct error *err);
void renderer_free(struct renderer *renderer);
static inline void renderer_free_auto(struct renderer **renderer)
{
    renderer_free(*renderer);
}

int renderer_frames(const struct renderer *renderer);
/* Several threads may render different frames at once. */
void renderer_frame(struct renderer *renderer, int index, struct frame420 *out);
/* The same frame as RGB, for tests and stills. */
void renderer_frame_rgb(struct renderer *renderer, int index, struct picture *out);
