/* SPDX-License-Identifier: Apache-2.0 */
#include "image/detect.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/detect_internal.h"
#include "infer/runtime.h"
#include "media/picture.h"
#include "media/resample.h"

enum {
    SIDE = DETECT_SIDE,
    ANCHORS = DETECT_ANCHORS,
    NUMBERS = 16, /* of each anchor: centre, size and six points */
};

static const float min_score = 0.5f, overlap_limit = 0.3f;

/* The grid that the network's outputs belong to: 16 × 16 cells with 2 anchors each, then 8 × 8
 * with 6. */
static void anchor_centre(int index, float out[2])
{
    int cells = 16, per_cell = 2;
    if (index >= 512) {
        index -= 512;
        cells = 8;
        per_cell = 6;
    }
    int cell = index / per_cell;
    int column = cell % cells, row = cell / cells;
    out[0] = ((float)column + 0.5f) / (float)cells;
    out[1] = ((float)row + 0.5f) / (float)cells;
}

float box_overlap(struct box a, struct box b)
{
    float width = fminf(a.x + a.width, b.x + b.width) - fmaxf(a.x, b.x);
    float height = fminf(a.y + a.height, b.y + b.height) - fmaxf(a.y, b.y);
    if (width <= 0 || height <= 0)
        return 0;
    float shared = width * height;
    return shared / (a.width * a.height + b.width * b.height - shared);
}

static void point_read(const float *raw, const float centre[2], struct box square, float out[2])
{
    out[0] = square.x + (raw[0] / SIDE + centre[0]) * square.width;
    out[1] = square.y + (raw[1] / SIDE + centre[1]) * square.height;
}

int detections_decode(const float *boxes, const float *scores, struct box square,
                      struct detection out[DETECT_ANCHORS])
{
    int count = 0;
    for (int i = 0; i < ANCHORS; i++) {
        float score = 1 / (1 + expf(-scores[i]));
        if (!(score >= min_score))
            continue;
        const float *raw = boxes + (size_t)i * NUMBERS;
        float centre[2], middle[2];
        anchor_centre(i, centre);
        struct detection found = {.score = score};
        point_read(raw, centre, square, middle);
        found.box.width = raw[2] / SIDE * square.width;
        found.box.height = raw[3] / SIDE * square.height;
        if (!(found.box.width > 0 && found.box.height > 0))
            continue;
        found.box.x = middle[0] - found.box.width / 2;
        found.box.y = middle[1] - found.box.height / 2;
        point_read(raw + 4, centre, square, found.right_eye);
        point_read(raw + 6, centre, square, found.left_eye);
        point_read(raw + 8, centre, square, found.nose);
        out[count++] = found;
    }
    return count;
}

static void blend(struct detection *sum, const struct detection *add, float weight)
{
    sum->box.x += add->box.x * weight;
    sum->box.y += add->box.y * weight;
    sum->box.width += add->box.width * weight;
    sum->box.height += add->box.height * weight;
    for (int i = 0; i < 2; i++) {
        sum->right_eye[i] += add->right_eye[i] * weight;
        sum->left_eye[i] += add->left_eye[i] * weight;
        sum->nose[i] += add->nose[i] * weight;
    }
}

static int best_of(const struct detection *all, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (all[i].score > all[best].score)
            best = i;
    return best;
}

int detections_merge(struct detection *all, int count, struct detection out[MAX_DETECTIONS])
{
    int merged = 0;
    while (count > 0 && merged < MAX_DETECTIONS) {
        struct detection best = all[best_of(all, count)], mean = {.score = best.score};
        float total = 0;
        for (int i = 0; i < count; i++)
            if (box_overlap(best.box, all[i].box) > overlap_limit)
                total += all[i].score;
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (box_overlap(best.box, all[i].box) > overlap_limit)
                blend(&mean, &all[i], all[i].score / total);
            else
                all[kept++] = all[i];
        }
        count = kept < count ? kept : 0; /* what does not even overlap itself is dropped */
        out[merged++] = mean;
    }
    return merged;
}

/* Work space for one run of the network. */
struct detector {
    struct session *session;
    const struct picture *photo;
    float *input, *boxes, *scores;
    struct picture small;
};

static void detector_dispose_auto(struct detector *detector)
{
    free(detector->input);
    free(detector->boxes);
    free(detector->scores);
    picture_dispose(&detector->small);
}

static struct detector detector_make(struct session *session, const struct picture *photo)
{
    return (struct detector){.session = session,
                             .photo = photo,
                             .input = xcalloc(3 * SIDE * SIDE, sizeof(float)),
                             .boxes = xcalloc(ANCHORS * NUMBERS, sizeof(float)),
                             .scores = xcalloc(ANCHORS, sizeof(float)),
                             .small = picture_new(SIDE, SIDE, PICTURE_RGB)};
}

/* The part `box` of the photo, centred in the network's square input with black around it. Returns
 * that square in pixels of the photo. */
static struct box letterbox(struct detector *detector, struct box box)
{
    float side = fmaxf(box.width, box.height);
    struct box square = {box.x - (side - box.width) / 2, box.y - (side - box.height) / 2, side,
                         side};
    int width = (int)lroundf(box.width / side * SIDE),
        height = (int)lroundf(box.height / side * SIDE);
    width = width < 1 ? 1 : width;
    height = height < 1 ? 1 : height;
    int left = (SIDE - width) / 2, top = (SIDE - height) / 2;
    struct picture part = detector->small;
    memset(part.pixels, 0, part.stride * (size_t)part.height);
    part.width = width;
    part.height = height;
    part.pixels += (size_t)top * part.stride + (size_t)left * 3;
    picture_resample(detector->photo, box, RESAMPLE_TRIANGLE, &part);
    for (int y = 0; y < SIDE; y++) {
        const uint8_t *row = picture_row(&detector->small, y);
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++)
                detector->input[(c * SIDE + y) * SIDE + x] = (float)row[3 * x + c] / 127.5f - 1;
    }
    return square;
}

static bool detect_in(struct detector *detector, struct box box, struct detection *out,
                      int *out_count, struct error *err)
{
    struct detection raw[DETECT_ANCHORS];
    struct box square = letterbox(detector, box);
    struct tensor in = {TENSOR_F32, 4, {1, 3, SIDE, SIDE}, detector->input};
    struct tensor results[] = {{TENSOR_F32, 3, {1, ANCHORS, NUMBERS}, detector->boxes},
                               {TENSOR_F32, 3, {1, ANCHORS, 1}, detector->scores}};
    struct session_run run = {.inputs = &in,
                              .input_count = 1,
                              .wanted = (const int[]){0, 1},
                              .out = results,
                              .out_count = 2};
    if (!session_run(detector->session, &run, err))
        return error_wrap(err, "find faces");
    int count = detections_decode(detector->boxes, detector->scores, square, raw);
    *out_count = detections_merge(raw, count, out);
    return true;
}

bool detect_faces(struct session *session, const struct picture *photo, struct box part,
                  struct detection out[MAX_DETECTIONS], int *out_count, struct error *err)
{
    AUTO(detector_dispose) struct detector detector = detector_make(session, photo);
    return detect_in(&detector, part, out, out_count, err);
}

bool detect_faces_in_parts(struct session *session, const struct picture *photo, int split,
                           struct detection out[MAX_DETECTIONS], int *out_count, struct error *err)
{
    AUTO(detector_dispose) struct detector detector = detector_make(session, photo);
    struct detection found[MAX_DETECTIONS], all[2 * MAX_DETECTIONS];
    float width = (float)photo->width, height = (float)photo->height;
    float side =
        fmaxf(fminf(width, height) / (float)split * 1.2f, fmaxf(width, height) / (float)split);
    struct box part = {.width = fminf(side, width), .height = fminf(side, height)};
    int columns = (int)ceilf((width - part.width) / (part.width / 2)) + 1;
    int rows = (int)ceilf((height - part.height) / (part.height / 2)) + 1;
    float step_x = columns > 1 ? (width - part.width) / (float)(columns - 1) : 0;
    float step_y = rows > 1 ? (height - part.height) / (float)(rows - 1) : 0;
    *out_count = 0;
    for (int i = 0; i < columns * rows; i++) {
        int more = 0;
        int column = i % columns, row = i / columns;
        part.x = step_x * (float)column;
        part.y = step_y * (float)row;
        if (!detect_in(&detector, part, found, &more, err))
            return false;
        memcpy(all, out, (size_t)*out_count * sizeof *all);
        memcpy(all + *out_count, found, (size_t)more * sizeof *all);
        *out_count = detections_merge(all, *out_count + more, out);
    }
    return true;
}
