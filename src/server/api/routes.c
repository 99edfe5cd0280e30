/* SPDX-License-Identifier: Apache-2.0 */
/* The route table. The order is the order in which rows are tried: the most frequent first, the
 * page, which takes every path that is left, last. */
#include "api/endpoint.h"
#include "api/image_fields.h"
#include "api/message_fields.h"
#include "api/unified_fields.h"

#define NAME_FIELD(n, h)                                                                           \
    {                                                                                              \
        .place = FIELD_PATH, .kind = FIELD_TEXT, .name = (n), .help = (h), .required = true        \
    }
#define ROUTE(m, p, h) .method = (m), .pattern = (p), .handle = (h)
#define END_FIELD                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct field problem_fields[] = {NAME_FIELD("code", "The code."), END_FIELD};

static const struct answer health_answers[] = {
    {200, "application/json", "Health", "Well, or working without something optional."},
    {503, "application/json", "Health", "Something required is not there."},
    {0},
};
static const struct answer state_answers[] = {
    {200, "application/json", "State", "Yes."},
    {503, "application/json", "State", "Not now."},
    {0},
};
static const struct answer live_answers[] = {{200, "application/json", "State", "It runs."}, {0}};
static const struct answer metrics_answers[] = {
    {200, "text/plain", NULL, "Prometheus text format."}, {0}};
static const struct answer openapi_answers[] = {
    {200, "application/json", "Any", "An OpenAPI 3.1 document."}, {0}};
static const struct answer html_answers[] = {{200, "text/html", NULL, "A page."}, {0}};
static const struct answer problem_answers[] = {
    {200, "application/json", "ProblemKind", "The problem in both languages."}, {0}};

static const char *const job_states[] = {"queued", "running", "done", "error", "cancelled", NULL};
static const struct field jobs_page_fields[] = {
    {.place = FIELD_QUERY,
     .kind = FIELD_TEXT,
     .name = "state",
     .choices = job_states,
     .help = "Only those in this state."},
    END_FIELD,
};
static const struct field job_fields[] = {NAME_FIELD("id", "The job's id."), END_FIELD};
static const struct field event_fields[] = {
    NAME_FIELD("id", "The job's id."),
    {.place = FIELD_QUERY,
     .kind = FIELD_TEXT,
     .name = "lang",
     .help = "ja or en, for clients that cannot send Accept-Language."},
    {.place = FIELD_HEADER,
     .kind = FIELD_TEXT,
     .name = "Last-Event-ID",
     .help = "The last event that was seen; only later changes are told."},
    END_FIELD,
};
static const struct field task_fields[] = {NAME_FIELD("task", "The job's id."), END_FIELD};
static const struct field video_fields[] = {
    NAME_FIELD("id", "The job's id."),
    {.place = FIELD_QUERY,
     .kind = FIELD_TEXT,
     .name = "download",
     .help = "1 to save the file instead of showing it."},
    {.place = FIELD_HEADER,
     .kind = FIELD_TEXT,
     .name = "Range",
     .help = "One range of bytes; If-Range, If-None-Match and If-Match are honoured."},
    END_FIELD,
};
static const struct field sample_fields[] = {
    NAME_FIELD("id", "The voice's id."),
    {.place = FIELD_QUERY,
     .kind = FIELD_TEXT,
     .name = "text",
     .help = "What is said, up to 200 characters; without it, a greeting."},
    END_FIELD,
};
static const struct field preset_fields[] = {NAME_FIELD("id", "The preset's id."), END_FIELD};
static const struct field background_fields[] = {
    NAME_FIELD("id", "The preset's id."),
    NAME_FIELD("file", "image, thumbnail, or a format: 1:1, 9:16, 16:9."),
    END_FIELD,
};
static const struct field faces_fields[] = {
    {.place = FIELD_FORM,
     .kind = FIELD_FILE,
     .name = "image",
     .help = "The photo, up to 10 MB.",
     .required = true,
     .max_bytes = IMAGE_MAX_BYTES,
     .too_large_code = "image_too_large"},
    END_FIELD,
};

static const struct answer message_answers[] = {
    {200, "application/json", "Message", "The video is there."},
    {202, "application/json", "Job",
     "Accepted; Location is the job. Asked for with Prefer: respond-async, or the wait ran out."},
    {0},
};
static const struct answer job_answers[] = {{200, "application/json", "Job", "The job."}, {0}};
static const struct answer event_answers[] = {
    {200, "text/event-stream", NULL,
     "Events named job, whose data is the job; a comment every 15 s; ends with the job."},
    {204, NULL, NULL, "The job is over and Last-Event-ID has seen its end."},
    {0},
};
static const struct answer video_answers[] = {
    {200, "video/mp4", NULL, "The video."},
    {206, "video/mp4", NULL, "The part that was asked for."},
    {304, NULL, NULL, "The client's copy is still good."},
    {0},
};
static const struct answer picture_answers[] = {
    {200, "image/jpeg", NULL, "The picture."},
    {206, "image/jpeg", NULL, "The part that was asked for."},
    {304, NULL, NULL, "The client's copy is still good."},
    {0},
};
static const struct answer preview_answers[] = {
    {200, "image/jpeg", NULL, "The still, with the crop, the cut-out and the background."}, {0}};
static const struct answer sound_answers[] = {
    {200, "audio/wav", NULL, "The sound."},
    {206, "audio/wav", NULL, "The part that was asked for."},
    {304, NULL, NULL, "The client's copy is still good."},
    {0},
};
static const struct answer voices_answers[] = {
    {200, "application/json", "Voices", "All voices; names in the language of Accept-Language."},
    {0}};
static const struct answer backgrounds_answers[] = {
    {200, "application/json", "Backgrounds", "All built-in backgrounds."}, {0}};
static const struct answer music_answers[] = {
    {200, "application/json", "Music", "All built-in music."}, {0}};
static const struct answer faces_answers[] = {
    {200, "application/json", "Faces", "The faces, largest first; none is no error."}, {0}};
static const struct answer limits_answers[] = {
    {200, "application/json", "Limits", "Limits, formats and ranges."}, {0}};

const struct endpoint endpoints[] = {
    {ROUTE(HTTP_GET, "/health", api_health), .id = "health", .group = "operation",
     .summary = "Is everything well?", .answers = health_answers},
    {ROUTE(HTTP_GET, "/health/live", api_health_live), .id = "live", .group = "operation",
     .summary = "Does the process answer at all?", .answers = live_answers},
    {ROUTE(HTTP_GET, "/health/ready", api_health_ready), .id = "ready", .group = "operation",
     .summary = "Can this process take work?", .answers = state_answers},
    {ROUTE(HTTP_POST, "/api/video/generate", api_message_create), .roles = API_GATEWAY,
     .blocking = true, .max_body = MESSAGE_MAX_BODY, .id = "createMessage", .group = "messages",
     .summary = "Make a message: a photo and a sentence become a video",
     .help = "Answers when the video is there. With Prefer: respond-async, or when it takes longer "
             "than the service's limit (Prefer: wait=SECONDS shortens it), the answer is 202.",
     .fields = message_fields, .answers = message_answers},
    {ROUTE(HTTP_GET, "/api/video/jobs/{id}", api_job_show), .roles = API_GATEWAY, .blocking = true,
     .id = "showJob", .group = "messages", .summary = "Where a message stands",
     .fields = job_fields, .answers = job_answers},
    {ROUTE(HTTP_DELETE, "/api/video/jobs/{id}", api_job_cancel), .roles = API_GATEWAY,
     .blocking = true, .id = "cancelJob", .group = "messages", .summary = "Cancel a message",
     .fields = job_fields, .answers = job_answers},
    {ROUTE(HTTP_GET, "/api/video/jobs/{id}/events", api_job_events), .roles = API_GATEWAY,
     .blocking = true, .long_lived = true, .id = "followJob", .group = "messages",
     .summary = "Follow a message by server-sent events", .fields = event_fields,
     .answers = event_answers},
    {ROUTE(HTTP_GET, "/api/video/jobs/{id}/video", api_job_video), .roles = API_GATEWAY,
     .blocking = true, .long_lived = true, .id = "getVideo", .group = "messages",
     .summary = "The video", .fields = video_fields, .answers = video_answers},
    {ROUTE(HTTP_GET, "/api/video/jobs/{id}/thumbnail", api_job_thumbnail), .roles = API_GATEWAY,
     .blocking = true, .id = "getThumbnail", .group = "messages",
     .summary = "A still of the portrait", .fields = job_fields, .answers = picture_answers},
    {ROUTE(HTTP_GET, "/api/voices", api_voices), .roles = API_GATEWAY | API_VOICE, .blocking = true,
     .id = "listVoices", .group = "voices", .summary = "All voices", .answers = voices_answers},
    {ROUTE(HTTP_GET, "/api/voices/{id}/sample", api_voice_sample), .roles = API_GATEWAY | API_VOICE,
     .blocking = true, .heavy = true, .id = "hearVoice", .group = "voices",
     .summary = "Hear a voice", .fields = sample_fields, .answers = sound_answers},
    {ROUTE(HTTP_POST, "/api/image/faces", api_image_faces), .roles = API_GATEWAY, .blocking = true,
     .max_body = IMAGE_MAX_BODY, .id = "findFaces", .group = "photos",
     .summary = "The faces in a photo", .fields = faces_fields, .answers = faces_answers},
    {ROUTE(HTTP_POST, "/api/image/cutout", api_image_cutout), .roles = API_GATEWAY | API_IMAGE,
     .blocking = true, .max_body = IMAGE_MAX_BODY, .id = "cutOut", .group = "photos",
     .summary = "The people of a photo, cut out", .fields = cutout_fields,
     .answers = cutout_answers},
    {ROUTE(HTTP_POST, "/api/image/landmarks", api_image_landmarks),
     .roles = API_GATEWAY | API_IMAGE, .blocking = true, .max_body = IMAGE_MAX_BODY,
     .id = "findLandmarks", .group = "photos",
     .summary = "Faces with 478 points each (those of the MediaPipe face mesh, then the irises)",
     .fields = photo_fields, .answers = landmarks_answers},
    {ROUTE(HTTP_POST, "/api/process-image", api_process_image), .roles = API_GATEWAY | API_IMAGE,
     .blocking = true, .max_body = MESSAGE_MAX_BODY, .id = "processImage", .group = "earlier",
     .summary = "Cut people out, enhance, put a background behind them",
     .fields = process_image_fields, .answers = process_image_answers},
    {ROUTE(HTTP_POST, "/api/background/remove-background", api_background_remove),
     .roles = API_GATEWAY | API_IMAGE, .blocking = true, .max_body = IMAGE_MAX_BODY,
     .id = "removeBackground", .group = "earlier", .summary = "The people of a photo, cut out",
     .fields = photo_fields, .answers = png_answers},
    {ROUTE(HTTP_GET, "/api/background/health", api_background_health),
     .roles = API_GATEWAY | API_IMAGE, .blocking = true, .id = "backgroundHealth",
     .group = "earlier", .summary = "Can people be cut out?", .answers = background_health_answers},
    {ROUTE(HTTP_POST, "/api/person-detection/detect", api_person_detect),
     .roles = API_GATEWAY | API_IMAGE, .blocking = true, .max_body = IMAGE_MAX_BODY,
     .id = "detectPersons", .group = "earlier", .summary = "Who is in a photo",
     .fields = detect_person_fields, .answers = detect_person_answers},
    {ROUTE(HTTP_POST, "/api/person-detection/extract-person", api_person_extract),
     .roles = API_GATEWAY | API_IMAGE, .blocking = true, .max_body = IMAGE_MAX_BODY,
     .id = "extractPersons", .group = "earlier",
     .summary = "Chosen persons of a photo, cut out and cropped to the upper body",
     .fields = extract_person_fields, .answers = extract_person_answers},
    {ROUTE(HTTP_POST, "/api/image/preview", api_image_preview), .roles = API_GATEWAY,
     .blocking = true, .max_body = MESSAGE_MAX_BODY, .id = "previewMessage", .group = "photos",
     .summary = "A still of what the video will show", .fields = preview_fields,
     .answers = preview_answers},
    {ROUTE(HTTP_GET, "/api/limits", api_limits), .roles = API_GATEWAY, .id = "showLimits",
     .group = "messages", .summary = "Limits and formats", .answers = limits_answers},
    {ROUTE(HTTP_GET, "/api/presets/backgrounds", api_preset_backgrounds), .roles = API_GATEWAY,
     .id = "listBackgrounds", .group = "presets", .summary = "Built-in backgrounds",
     .answers = backgrounds_answers},
    {ROUTE(HTTP_GET, "/api/presets/backgrounds/{id}/{file}", api_preset_background_file),
     .roles = API_GATEWAY, .id = "getBackground", .group = "presets",
     .summary = "A background's picture", .fields = background_fields, .answers = picture_answers},
    {ROUTE(HTTP_GET, "/api/presets/music", api_preset_music), .roles = API_GATEWAY | API_MUSIC,
     .id = "listMusic", .group = "presets", .summary = "Built-in music", .answers = music_answers},
    {ROUTE(HTTP_GET, "/api/presets/music/{id}/preview", api_preset_music_file),
     .roles = API_GATEWAY | API_MUSIC, .blocking = true, .heavy = true, .id = "hearMusic",
     .group = "presets", .summary = "Hear a piece", .fields = preset_fields,
     .answers = sound_answers},
    {ROUTE(HTTP_GET, "/api/sse/progress/{task}", api_task_progress), .roles = API_GATEWAY,
     .blocking = true, .long_lived = true, .id = "followTask", .group = "earlier",
     .summary = "Follow a message, in the earlier application's events", .fields = task_fields,
     .answers = event_answers},
    {ROUTE(HTTP_GET, "/api/unified-voice/health", api_unified_health),
     .roles = API_GATEWAY | API_VOICE, .blocking = true, .id = "unifiedHealth", .group = "earlier",
     .summary = "Can anybody speak?", .answers = unified_health_answers},
    {ROUTE(HTTP_GET, "/api/unified-voice/voices", api_unified_voices),
     .roles = API_GATEWAY | API_VOICE, .blocking = true, .id = "unifiedVoices", .group = "earlier",
     .summary = "All voices", .fields = unified_voices_fields, .answers = unified_voices_answers},
    {ROUTE(HTTP_GET, "/api/unified-voice/voices/{id}", api_unified_voice),
     .roles = API_GATEWAY | API_VOICE, .blocking = true, .id = "unifiedVoice", .group = "earlier",
     .summary = "One voice", .fields = unified_voice_fields, .answers = unified_voice_answers},
    {ROUTE(HTTP_GET, "/api/unified-voice/providers", api_unified_providers),
     .roles = API_GATEWAY | API_VOICE, .blocking = true, .id = "unifiedProviders",
     .group = "earlier", .summary = "Where voices come from", .answers = unified_providers_answers},
    {ROUTE(HTTP_GET, "/api/unified-voice/voice-types", api_unified_types),
     .roles = API_GATEWAY | API_VOICE, .id = "unifiedVoiceTypes", .group = "earlier",
     .summary = "Kinds of voices", .answers = unified_types_answers},
    {ROUTE(HTTP_POST, "/api/unified-voice/synthesize", api_unified_speak),
     .roles = API_GATEWAY | API_VOICE, .blocking = true, .heavy = true, .max_json = JSON_MAX_BODY,
     .id = "unifiedSynthesize", .group = "earlier", .summary = "Say a text",
     .fields = unified_speak_fields, .answers = unified_speak_answers},
    {ROUTE(HTTP_POST, "/api/unified-voice/test", api_unified_speak),
     .roles = API_GATEWAY | API_VOICE, .blocking = true, .heavy = true, .max_json = JSON_MAX_BODY,
     .id = "unifiedTest", .group = "earlier", .summary = "Hear a voice greet",
     .fields = unified_test_fields, .answers = unified_speak_answers},
    {ROUTE(HTTP_GET, "/jobs", api_jobs_page), .roles = API_GATEWAY, .blocking = true,
     .id = "listJobs", .group = "operation", .summary = "What the queue holds, as a page to read",
     .help = "Told on the same machine only.", .fields = jobs_page_fields, .answers = html_answers},
    {ROUTE(HTTP_GET, "/metrics", api_metrics), .id = "metrics", .group = "operation",
     .summary = "Figures for Prometheus", .answers = metrics_answers, .blocking = true},
    {ROUTE(HTTP_GET, "/openapi.json", api_openapi), .id = "openapi", .group = "operation",
     .summary = "This interface as OpenAPI 3.1", .answers = openapi_answers},
    {ROUTE(HTTP_GET, "/docs", api_docs), .id = "docs", .group = "operation",
     .summary = "This interface as a page to read", .answers = html_answers},
    {ROUTE(HTTP_GET, "/docs/style.css", api_docs_style)},
    {ROUTE(HTTP_GET, "/problems/{code}", api_problem_show), .id = "showProblem",
     .group = "operation", .summary = "What a problem's type means", .fields = problem_fields,
     .answers = problem_answers},
    {ROUTE(HTTP_GET, "/{path...}", api_page), .roles = API_GATEWAY},
};

size_t endpoint_count(void)
{
    return sizeof endpoints / sizeof *endpoints;
}
