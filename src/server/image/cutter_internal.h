/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "image/cutter.h"
#include "infer/runtime.h"

enum { CUTTER_SESSIONS = 2, MAX_SIDE = 4096, DEFAULT_SIDE = 1024 };

struct cutter {
    const struct cutter_backend *backend;
    struct session *sessions[CUTTER_SESSIONS]; /* sam2: encoder, decoder */
    int width, height;                         /* of the first input */
    bool any_count;                            /* it takes several pictures at once */
    bool any_size;                             /* it takes other sizes too */
    int output;                                /* index of the mask */
    int ports[16];                             /* sam2: which of the decoder's inputs is what */
    bool hub;                                  /* sam2: the second family of exports */
};

/* One kind of network. */
struct cutter_backend {
    const char *kind;
    const struct normalisation *normalisation;
    bool (*check)(struct cutter *cutter, struct error *err);
    bool (*infer)(struct cutter *cutter, struct cut *cut, const struct cut_how *how,
                  struct error *err);
    bool (*finish)(struct cut *cut, struct picture *out, struct error *err);
};

extern const struct cutter_backend cutter_portrait, cutter_birefnet, cutter_sam2;

/* How a picture becomes numbers: (value / 255 - mean) / deviation. */
struct normalisation {
    float mean[3], deviation[3];
    bool calm; /* noise is taken out first: the network is small and loses its way in it */
};
extern const struct normalisation unit_range, imagenet;

/* Is this an RGB picture [1, 3, height, width] of float32 or float16, of a size that makes sense?
 * -1 means DEFAULT_SIDE. */
MUST_USE bool input_check(const struct tensor_info *info, int *out_width, int *out_height,
                          struct error *err);

/* Is there a plane `plane` of float32 in it, of a size that makes sense? */
MUST_USE bool mask_fits(const struct tensor *tensor, size_t plane, struct error *err);

/* Plane `plane`, which fits, of [..., height, width] as a mask; logits go through a sigmoid.
 * ERROR_INTERNAL when there is a NaN in it. */
MUST_USE bool mask_make(const struct tensor *tensor, int plane, bool logits, struct picture *out,
                        struct error *err);

/* Does any number lie outside of [0, 1]? Then they are logits. */
bool mask_is_logits(const struct tensor *tensor);

/* A float16 tensor becomes float32 in place. */
void tensor_widen(struct tensor *tensor);

/* "input \"x\" is float32 [1,3,64,64]": for messages. */
const char *info_text(const struct tensor_info *info, char *out, size_t size);
