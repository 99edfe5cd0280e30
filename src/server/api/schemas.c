/* SPDX-License-Identifier: Apache-2.0 */
#include "api/schemas.h"

#define NULLABLE(type) "{\"type\":[\"" type "\",\"null\"]}"
#define TEXT           "{\"type\":\"string\"}"
#define NUMBER         "{\"type\":\"number\"}"
#define INTEGER        "{\"type\":\"integer\"}"
#define OBJECT(required, properties)                                                               \
    "{\"type\":\"object\",\"required\":[" required "],\"properties\":{" properties "}}"
#define ARRAY(items) "{\"type\":\"array\",\"items\":" items "}"
#define REF(name)    "{\"$ref\":\"#/components/schemas/" name "\"}"

/* clang-format off */
#define BOOLEAN      "{\"type\":\"boolean\"}"
#define BOX          OBJECT("\"x\",\"y\",\"width\",\"height\"", \
                            "\"x\":" NUMBER ",\"y\":" NUMBER ",\"width\":" NUMBER ",\"height\":" NUMBER)
#define POINT        "{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"minItems\":3,\"maxItems\":3}"
/* What the image service answers. */
#define IMAGE_SCHEMAS \
    "\"Landmarks\":" OBJECT("\"width\",\"height\",\"faces\"", \
        "\"width\":" INTEGER ",\"height\":" INTEGER ",\"faces\":" \
        ARRAY(OBJECT("\"box\",\"score\",\"roll\",\"yaw\",\"pitch\",\"points\"", \
            "\"box\":" BOX ",\"score\":" NUMBER ",\"roll\":" NUMBER ",\"yaw\":" NUMBER \
            ",\"pitch\":" NUMBER ",\"points\":" ARRAY(POINT)))) "," \
    "\"ProcessedImage\":" OBJECT("\"success\",\"processed_image\",\"processing_info\",\"message\"", \
        "\"success\":" BOOLEAN ",\"processed_image\":" TEXT \
        ",\"processing_info\":{\"type\":\"object\"},\"message\":" TEXT) "," \
    "\"Persons\":" OBJECT("\"image_id\",\"filename\",\"person_count\",\"persons\",\"parameters\"", \
        "\"image_id\":" TEXT ",\"filename\":" NULLABLE("string") ",\"person_count\":" INTEGER \
        ",\"image_dimensions\":" OBJECT("\"width\",\"height\"", "\"width\":" INTEGER ",\"height\":" INTEGER) \
        ",\"persons\":" ARRAY(OBJECT("\"person_id\",\"bbox\",\"confidence\"", \
            "\"person_id\":" INTEGER ",\"bbox\":" OBJECT("\"x1\",\"y1\",\"x2\",\"y2\"", \
                "\"x1\":" NUMBER ",\"y1\":" NUMBER ",\"x2\":" NUMBER ",\"y2\":" NUMBER) \
            ",\"face\":" BOX ",\"confidence\":" NUMBER ",\"center\":{\"type\":\"object\"}," \
            "\"area\":" NUMBER ",\"thumbnail\":" TEXT)) \
        ",\"parameters\":{\"type\":\"object\"}") "," \
    "\"ExtractedPerson\":" OBJECT( \
        "\"success\",\"processed_image\",\"image_dimensions\",\"upper_body_cropped\",\"crop_metadata\"", \
        "\"success\":" BOOLEAN ",\"processed_image\":" TEXT \
        ",\"image_dimensions\":" OBJECT("\"width\",\"height\"", "\"width\":" INTEGER ",\"height\":" INTEGER) \
        ",\"upper_body_cropped\":" BOOLEAN ",\"crop_metadata\":{\"type\":\"object\"}") ","
/* The voices as the earlier application names them. */
#define UNIFIED_VOICE OBJECT("\"id\",\"name\",\"provider\",\"voice_type\",\"language\",\"is_available\"", \
        "\"id\":" TEXT ",\"name\":" TEXT ",\"description\":" TEXT ",\"provider\":" TEXT \
        ",\"voice_type\":" TEXT ",\"language\":" TEXT ",\"engine\":" TEXT ",\"credit\":" \
        NULLABLE("string") ",\"is_available\":" BOOLEAN ",\"sample_url\":" TEXT)
#define UNIFIED_SCHEMAS \
    "\"UnifiedVoice\":" UNIFIED_VOICE "," \
    "\"UnifiedVoices\":" OBJECT("\"voices\",\"total_count\"", \
        "\"voices\":" ARRAY(REF("UnifiedVoice")) ",\"total_count\":" INTEGER) "," \
    "\"UnifiedProviders\":" OBJECT("\"providers\"", "\"providers\":" \
        ARRAY(OBJECT("\"id\",\"name\",\"available\",\"voice_count\"", "\"id\":" TEXT \
            ",\"name\":" TEXT ",\"available\":" BOOLEAN ",\"voice_count\":" INTEGER))) "," \
    "\"UnifiedTypes\":" OBJECT("\"voice_types\"", "\"voice_types\":" \
        ARRAY(OBJECT("\"id\",\"name\"", "\"id\":" TEXT ",\"name\":" TEXT))) "," \
    "\"UnifiedHealth\":" OBJECT("\"status\",\"providers\"", "\"status\":" TEXT ",\"timestamp\":" \
        INTEGER ",\"voice_count\":" INTEGER \
        ",\"providers\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}") ","
/* clang-format on */

/* The formatter would indent every nested macro further. */
/* clang-format off */
const char api_schemas[] =
    "{\"Any\":{\"type\":\"object\"},\"Problem\":" OBJECT(
    "\"type\",\"title\",\"status\",\"detail\",\"code\"", "\"type\":" TEXT ",\"title\":" TEXT
    ",\"status\":" INTEGER ",\"detail\":" TEXT ",\"code\":" TEXT ",\"field\":" TEXT
    ",\"reason\":" TEXT ",\"instance\":" TEXT)
    ",\"ProblemKind\":" OBJECT("\"code\",\"status\"",
    "\"code\":" TEXT ",\"status\":" INTEGER
    ",\"ja\":{\"type\":\"object\"},\"en\":{\"type\":\"object\"}")
    ",\"Health\":" OBJECT(
    "\"status\",\"timestamp\",\"services\"",
    "\"status\":{\"enum\":[\"healthy\",\"degraded\",\"unhealthy\"]},\"timestamp\":" INTEGER
    ",\"services\":{\"type\":\"object\",\"additionalProperties\":{\"enum\":[\"healthy\",\"unhealthy\",\"disabled\",\"starting\"]}},\"details\":{\"type\":\"object\"},\"version\":"
    TEXT)
    ",\"State\":" OBJECT("\"status\"", "\"status\":" TEXT ",\"reason\":" TEXT)
    ",\"Message\":" OBJECT("\"job_id\",\"status\",\"video_url\",\"duration_s\",\"timings\"",
    "\"job_id\":" TEXT ",\"status\":{\"const\":\"done\"},\"video_url\":" TEXT
    ",\"thumbnail_url\":" TEXT ",\"file_name\":" TEXT ",\"duration_s\":" NUMBER
    ",\"timings\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\"}},\"credit\":"
    NULLABLE("string"))
    ",\"Job\":" OBJECT(
    "\"id\",\"status\",\"stage\",\"progress\",\"eta_s\",\"created_at\",\"started_at\",\"completed_at\",\"video_url\",\"error\""
    , "\"id\":" TEXT
    ",\"status\":{\"enum\":[\"queued\",\"running\",\"done\",\"error\",\"cancelled\"]},\"stage\":"
    NULLABLE("string")
    ",\"progress\":{\"type\":\"number\",\"minimum\":0,\"maximum\":100},\"eta_s\":" NULLABLE(
    "number") ",\"position\":" INTEGER ",\"created_at\":" NULLABLE("string") ",\"started_at\":"
    NULLABLE("string") ",\"completed_at\":" NULLABLE("string") ",\"video_url\":" NULLABLE(
    "string") ",\"thumbnail_url\":" NULLABLE("string") ",\"file_name\":" NULLABLE("string")
    ",\"result\":{\"type\":\"object\"},\"error\":{\"anyOf\":[" REF("Problem")
    ",{\"type\":\"null\"}]}")
    ",\"Jobs\":" OBJECT("\"jobs\"", "\"jobs\":" ARRAY(REF("Job")))
    ",\"Voices\":" OBJECT("\"voices\",\"default\"", "\"voices\":" ARRAY(OBJECT(
    "\"id\",\"language\",\"name\",\"description\",\"engine\",\"credit\"", "\"id\":" TEXT
    ",\"language\":{\"enum\":[\"ja\",\"en\"]},\"name\":" TEXT ",\"description\":" TEXT
    ",\"engine\":" TEXT ",\"credit\":" NULLABLE("string")))
    ",\"default\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}")
    ",\"Backgrounds\":" OBJECT("\"backgrounds\"", "\"backgrounds\":" ARRAY(OBJECT(
    "\"id\",\"name\",\"category\",\"thumbnail\",\"image\"", "\"id\":" TEXT ",\"name\":" TEXT
    ",\"category\":" TEXT ",\"thumbnail\":" TEXT ",\"image\":" TEXT)))
    ",\"Music\":" OBJECT(
    "\"music\"", "\"music\":" ARRAY(OBJECT("\"id\",\"name\",\"preview\"", "\"id\":" TEXT
    ",\"name\":" TEXT ",\"mood\":" TEXT ",\"preview\":" TEXT)))
    ",\"Faces\":" OBJECT(
    "\"width\",\"height\",\"faces\"", "\"width\":" INTEGER ",\"height\":" INTEGER ",\"faces\":"
    ARRAY(OBJECT("\"index\",\"box\",\"score\",\"usable\",\"problem\"", "\"index\":" INTEGER
    ",\"box\":" OBJECT("\"x\",\"y\",\"width\",\"height\"", "\"x\":" NUMBER ",\"y\":" NUMBER
    ",\"width\":" NUMBER ",\"height\":" NUMBER) ",\"score\":" NUMBER
    ",\"thumbnail\":{\"type\":\"string\"},\"usable\":{\"type\":\"boolean\"},\"problem\":"
    NULLABLE("string")))) "," UNIFIED_SCHEMAS IMAGE_SCHEMAS "\"Limits\":{\"type\":\"object\"}}";
/* clang-format on */
