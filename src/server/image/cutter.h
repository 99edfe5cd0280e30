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
#include "base/hash.h"
#include "infer/tensor.h"
#include "media/face.h"
#include "media/picture.h"

struct error;
struct run_control;
struct runtime;
struct session_options;

/* Whom to cut out, for networks that can be told; in pixels of the photo. */
enum { CUT_POINTS = 8 };
struct cut_point {
    float x, y;
    bool outside; /* it is certainly not the person */
};
struct cut_prompt {
    struct box person; /* empty: nobody says how far they reach */
    struct cut_point points[CUT_POINTS];
    int point_count;
};
/* Nobody in particular? */
static inline bool cut_prompt_empty(const struct cut_prompt *prompt)
{
    return prompt->person.width <= 0 && prompt->point_count == 0;
}

/* The person around a face: as far as head and torso usually reach, and the tip of the nose. */
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
/* Lets go of what it keeps of photos that nobody asked for lately; true while something is left. */
bool cutter_forget(struct cutter *cutter);
/* Width or height of the network's input, the larger one. */
int cutter_side(const struct cutter *cutter);
/* A smaller side for a picture that did not fit into memory at `side` (0: the usual one); 0 when
 * the network takes one size only, or nothing smaller makes sense. */
int cutter_smaller(const struct cutter *cutter, int side);

/* A picture on its way through the network, in three steps, of which only the second uses the
 * device. Between the steps it may pass from thread to thread. */
struct cut {
    struct tensor input;      /* what the network is given */
    struct tensor results[2]; /* what it answered */
    struct cut_prompt prompt; /* in pixels of the input */
    int width, height;        /* of the input */
    struct hash128 key;       /* of the input, for networks that may be asked about it again */
    bool kept;                /* what was asked first was known from the last time */
};
void cut_dispose(struct cut *cut);
static inline void cut_dispose_auto(struct cut *cut)
{
    cut_dispose(cut);
}

/* `photo` is RGB; `prompt` may be NULL; `side` is 0 or what cutter_smaller said. Threads may share
 * a cutter. */
MUST_USE bool cut_prepare(const struct cutter *cutter, const struct picture *photo,
                          const struct cut_prompt *prompt, int side, struct cut *out,
                          struct error *err);
/* As if it were another picture: nothing that is known of it counts. */
void cut_rename(struct cut *cut);
/* `how` may be NULL. May be called again after it failed. */
struct cut_how {
    struct run_control *control; /* or NULL */
    bool shrink;                 /* give the memory back afterwards: it is short */
};
MUST_USE bool cut_infer(struct cutter *cutter, struct cut *cut, const struct cut_how *how,
                        struct error *err);
/* Several pictures of one size in one run: `count` is at most cutter_batch, which is 1 for networks
 * that take only one at a time. All succeed or none does. */
int cutter_batch(const struct cutter *cutter);
MUST_USE bool cut_infer_all(struct cutter *cutter, struct cut *const *cuts, int count,
                            const struct cut_how *how, struct error *err);
/* The network's own mask, grey, laid over the whole photo, in whatever size it comes (refine it
 * with matte_refine, or enlarge it). */
MUST_USE bool cut_finish(const struct cutter *cutter, struct cut *cut, struct picture *out,
                         struct error *err);

/* All three. */
MUST_USE bool cutter_mask(struct cutter *cutter, const struct picture *photo,
                          const struct cut_prompt *prompt, struct run_control *control,
                          struct picture *out, struct error *err);
