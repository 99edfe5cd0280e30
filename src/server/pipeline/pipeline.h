/* SPDX-License-Identifier: Apache-2.0 */
/* A message: a photo and a sentence become a video.
 *
 *     photo ─► decode ─► faces ─► crop + landmarks + cut-out ─┐
 *                                                            ├─► frames ─► encoder ─► publish
 *     text ──► speech: plan (visemes) ───────────────────────┘                ▲
 *                      sound ─► mastered ──────────────────────────────────────┘
 *
 * Both rows run at the same time; frames begin as soon as portrait and plan are there, while the
 * sound is still being made. Each result is an artifact named by the hash of its inputs, so the
 * same photo or sentence is not computed twice and a job that was killed goes on from there.
 * Frames are made by a pool of threads that all messages share; what is in flight is bounded.
 *
 * All calls block and may be made from several threads at once. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "jobs/jobs.h"

struct buf;
struct error;
struct store;
struct vision;
struct voices;

/* What is asked for. Texts are borrowed for the call. Zero or NULL is the default where one is
 * named; message_request_defaults sets them all. */
struct message_request {
    const char *image_path;      /* the photo, a file of ours; see who takes it */
    const char *text;            /* UTF-8 as it came in */
    const char *voice_profile;   /* NULL or "": one for the text's language */
    const char *background;      /* NULL, "" or "keep"; "blur"; "color:#rrggbb"; "preset:ID";
                                    "upload" with background_path */
    const char *background_path; /* a picture file of ours, or NULL */
    const char *format;          /* NULL or "1:1" (512×512, 25 fps); "9:16" (720×1280, 30);
                                    "16:9" (1280×720, 30) */
    const char *bgm;             /* NULL, "" or "none"; id of a built-in piece */
    double speed;                /* 0.5..2, default 1   */
    double pitch;                /* half-tones, -12..12, default 0 */
    double intonation;           /* 0..2, default 1     */
    double volume;               /* 0..2, default 1     */
    double pause;                /* 0..3, default 1     */
    int face;                    /* index, largest first; -1 is the same as 0 */
    bool motion;                 /* head sway and breathing, default on */
};
struct message_request message_request_defaults(void);

/* Checks all that needs no picture: ERROR_INVALID about the field at fault. Codes: text_empty,
 * text_too_long, text_not_utf8, text_control_characters, text_unspeakable, voice_unknown
 * (ERROR_NOT_FOUND), background_unknown, format_unknown, bgm_unknown, number_out_of_range. */
struct pipeline;
MUST_USE bool message_check(struct pipeline *pipeline, const struct message_request *request,
                            struct error *err);

struct pipeline_options {
    struct store *store;   /* NULL keeps nothing: for the command line */
    struct jobs *jobs;     /* NULL: only pipeline_render */
    struct vision *vision; /* must outlive the pipeline, as the others */
    struct voices *voices;
    const char *assets_dir; /* presets of backgrounds and music; NULL: none */
    const char *state_path; /* file for measured stage times; NULL: not kept */
    int threads;            /* of the frame pool; 0: one for each core */
    /* Called after each stage with its name and duration, for metrics; or NULL. */
    void (*observe)(void *context, const char *stage, double seconds);
    void *observe_context;
};

MUST_USE struct pipeline *pipeline_open(const struct pipeline_options *options, struct error *err);
/* After jobs_stop. */
void pipeline_close(struct pipeline *pipeline);
static inline void pipeline_close_auto(struct pipeline **pipeline)
{
    pipeline_close(*pipeline);
}

/* Checks the request, decodes the photo and looks for the face (their results are kept for the
 * job), then queues it: it is on the disk when this returns. The files at image_path and
 * background_path are taken over on success; on failure they stay the caller's. Errors as
 * message_check, photo_decode and face_usable give them, and about "image": image_no_face; about
 * "face": face_unknown; ERROR_LIMIT queue_full and disk_full, ERROR_UNAVAILABLE shutting_down. */
MUST_USE bool pipeline_submit(struct pipeline *pipeline, const struct message_request *request,
                              char out_job_id[JOB_ID_SIZE], struct error *err);

/* Starts `workers` (0: two) threads that take jobs from the queue. */
MUST_USE bool pipeline_start(struct pipeline *pipeline, int workers, struct error *err);

/* A job's result, as its JSON:
 *   {"video": NAME, "thumbnail": NAME,             both in STORE_VIDEO
 *    "duration_s", "width", "height", "fps", "frames", "size_bytes",
 *    "voice", "credit" (or null), "language",
 *    "timings": {"wait_s", "photo_s", "portrait_s", "speech_s", "render_s", "first_frame_s",
 *                "finish_s", "total_s"}} */

/* The stages that progress names, in this order; those that were found again are skipped:
 * "photo" (and at the same time speech), "speech" (the photo is ready, the sound is awaited),
 * "video" (frames and encoder), "finish" (published). */

/* Appends a JPEG of what the video will show. The request's text and voice do not matter; its files
 * stay. What was computed is kept for the message. Errors as pipeline_submit. */
MUST_USE bool pipeline_preview(struct pipeline *pipeline, const struct message_request *request,
                               struct buf *out, struct error *err);

/* Progress of pipeline_render; called from the calling thread. */
typedef void pipeline_progress(void *context, const char *stage, double percent, int64_t eta_ms);

/* The same without a queue: writes `out_path` (one rename) and, unless NULL, the result's JSON
 * (to be freed) to out_result. The photo stays. Stops with ERROR_CANCELLED within about 200 ms of
 * *cancel becoming true; nothing is left behind then. */
struct pipeline_render {
    const char *out_path;
    const atomic_bool *cancel; /* or NULL */
    pipeline_progress *progress;
    void *context;
};
MUST_USE bool pipeline_render(struct pipeline *pipeline, const struct message_request *request,
                              const struct pipeline_render *how, char **out_result,
                              struct error *err);
