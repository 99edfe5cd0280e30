/* SPDX-License-Identifier: Apache-2.0 */
/* The model in use and the device that it runs on: takes turns (scheduler.h), refines what comes
 * out, notices when another model was chosen, and says what is true of the device. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "image/models.h"
#include "image/scheduler.h"

struct cut_prompt;
struct error;
struct picture;
struct remote;
struct runtime;
struct segment;

/* Where models run. A process of its own is ended and started again without the service noticing
 * much: for GPU drivers, which bring processes down, and for models that we have not seen. The
 * embedded ones are ours and cost least here. */
enum inference_place {
    INFERENCE_AUTO,   /* the embedded models on the CPU here, others in a process of their own */
    INFERENCE_CHILD,  /* everything in a process of its own */
    INFERENCE_INSIDE, /* everything here */
};

struct segment_settings {
    const char *embedded_dir;
    const char *user_dir;        /* NULL: only the embedded model */
    const char *image_model;     /* "name[@version]"; NULL: what `vmad models use` chose */
    const char *device;          /* "cpu", "cuda", "cuda:1"; NULL: cpu */
    int threads, streams, queue; /* 0: as was measured (tuning.h), or 1, 2 and 16 */
    const char *tuning_path;     /* of what was measured; NULL: nothing is, and nothing will be */
    const char *visible_gpus;    /* as in gpus_open */
    size_t memory_bytes; /* for what runs at once, and for the device's arena; 0: no limit */
    enum inference_place place;
    const char *onnxruntime; /* for the process of its own; as in runtime_open_apart */
    struct remote *remote;   /* or NULL: asked instead of the model that is loaded; borrowed */
};

/* `runtime` is used as it is for what runs here; it may itself be apart. */
MUST_USE struct segment *segment_open(struct runtime *runtime,
                                      const struct segment_settings *settings, struct error *err);
void segment_close(struct segment *segment);

struct segment_how {
    enum priority priority;
    int64_t deadline_ms; /* mono_ms; 0: none */
    /* NULL, or room for MODEL_KEY_SIZE: which one it was, whichever is chosen meanwhile. */
    char *model;
    bool *out_told;            /* NULL, or: did it look at the prompt? */
    bool (*gone)(void *asked); /* NULL, or: does nobody wait any more? From any thread, often */
    void *asked;
};

/* How far each pixel of `photo` (RGB) is the person: a matte of its size. `prompt` and `how` may be
 * NULL. Errors of scheduler_enter, and those of the network; ERROR_TIMEOUT and ERROR_CANCELLED
 * (gone) also stop a network that runs. Out of memory is tried again with the device to itself,
 * smaller and on the CPU before it is an error (ERROR_UNAVAILABLE, image_out_of_memory). */
MUST_USE bool segment_matte(struct segment *segment, const struct picture *photo,
                            const struct cut_prompt *prompt, const struct segment_how *how,
                            struct picture *out, struct error *err);

/* Does the model in use look at the prompt at all? Whoever would have to find faces for it asks.
 * `unknown` where it is on another machine, which was not asked for anything yet. */
bool segment_takes_prompts(struct segment *segment, bool unknown);

/* Lets go of what the model keeps here of photos that nobody asked for in the last minute (a
 * process of its own does that by itself); true while something is left. */
bool segment_forget(struct segment *segment);

/* What health, log and metrics say. Texts are copies. */
struct segment_state {
    char model[MODEL_KEY_SIZE];
    char asked[16], device[16];
    char why[200];       /* "", or why it is not what was asked for */
    char model_why[200]; /* "", or why it is not the model that was chosen */
    size_t memory_bytes; /* of one picture, measured when the model was loaded */
    double seconds;      /* of one picture, then */
    /* Pictures for which memory was short: had the device alone, smaller, on the CPU, failed. */
    uint64_t reliefs[4];
    uint64_t known;            /* pictures that the network had looked at before */
    char short_of_memory[120]; /* what became of the last of them; "": there was none */
    bool apart;                /* the model runs in a process of its own: */
    int64_t pid;               /* this one; 0: it is not running now */
    uint64_t deaths;           /* of such processes so far */
    int threads, batch;
    struct scheduler_state scheduler;
};
struct segment_state segment_state(struct segment *segment);

/* The same after a model that was chosen meanwhile has been loaded: what makes the next picture,
 * for the name under which that is kept. */
struct segment_state segment_chosen(struct segment *segment);

/* What the graphics card does that was asked for. False where none was, or it cannot be read: then
 * *out_why (room for 160), if it is not "", says why. */
struct gpu_state;
bool segment_gpu(struct segment *segment, struct gpu_state *out, char *out_why);
