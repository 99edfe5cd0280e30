/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that tell a person from the background, behind one interface. Each kind is one file
 * and one row of a table; what a model's tensors are called, how large they are and of which type
 * is read from the model itself, since every export differs.
 *
 *     portrait   the embedded network: 256², fast, for one person in front
 *     birefnet   BiRefNet in any export: general, portrait, matting, lite, high resolution, fp16
 *     sam2       Segment Anything 2, two files: whoever the box and the point say */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "media/face.h"
#include "media/picture.h"

struct error;
struct run_control;
struct runtime;
struct session_options;

/* Whom to cut out, for networks that can be told. */
struct cut_prompt {
    struct box person; /* pixels of the photo; empty: everybody */
    float nose[2];     /* a point that is certainly the person */
};

/* The person around a face: as far as head and torso usually reach. */
struct cut_prompt cut_prompt_for(const struct face *face, const struct picture *photo);

struct cutter;

struct cutter_files {
    const char *kind;    /* "portrait", "birefnet", "sam2" */
    const char *model;   /* path; of sam2 the encoder */
    const char *decoder; /* path; sam2 only */
};

bool cutter_kind_known(const char *kind);

/* Loads and checks: a model whose inputs or outputs are not what its kind needs is refused with a
 * sentence that says which (ERROR_INVALID). */
MUST_USE struct cutter *cutter_open(struct runtime *runtime, const struct cutter_files *files,
                                    const struct session_options *options, struct error *err);
void cutter_close(struct cutter *cutter);
static inline void cutter_close_auto(struct cutter **cutter)
{
    cutter_close(*cutter);
}

/* "cpu", "cuda:0"; and NULL or why it is not what was asked for. */
const char *cutter_device(const struct cutter *cutter);
const char *cutter_fallback(const struct cutter *cutter);
/* Does it look at the prompt? */
bool cutter_takes_prompts(const struct cutter *cutter);
/* Cells of its mask, for who has to guess its memory: width × height of the network's input. */
int cutter_side(const struct cutter *cutter);

/* The network's own mask, grey, laid over the whole photo, in whatever size it comes (refine it
 * with matte_refine, or enlarge it). `photo` is RGB; `prompt` and `control` may be NULL. Threads
 * may share a cutter. */
MUST_USE bool cutter_mask(struct cutter *cutter, const struct picture *photo,
                          const struct cut_prompt *prompt, struct run_control *control,
                          struct picture *out, struct error *err);
