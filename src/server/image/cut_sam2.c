/* SPDX-License-Identifier: Apache-2.0 */
/* Segment Anything 2: an encoder that looks at the picture and a decoder that is asked about it.
 * There are two families of exports, which name things differently:
 *
 *     encoder   image        → high_res_feats_0/1, image_embed
 *     decoder   those, point_coords [L,P,2], point_labels f32 [L,P], mask_input, has_mask_input
 *               → masks [L,3,256,256], iou_predictions [L,3]
 *
 *     encoder   pixel_values → image_embeddings.0/.1/.2
 *     decoder   those, input_points [1,1,P,2], input_labels i64 [1,1,P], input_boxes [1,B,4]
 *               → pred_masks, iou_scores, object_score_logits
 *
 * Coordinates are pixels of the encoder's square input. Of the three masks the one with the best
 * score is taken. */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/cutter_internal.h"

enum { FEATURES = 3, MASK_CELLS = 256 * 256 };

/* The decoder's inputs besides the features, in both families. */
enum port {
    POINTS,
    LABELS,
    MASK,
    HAS_MASK,
    BOXES,
    FIRST_FEATURE,
    PORTS = FIRST_FEATURE + FEATURES
};

static const struct family {
    const char *features[FEATURES];
    const char *ports[FIRST_FEATURE]; /* NULL where this family has none */
    const char *masks, *scores;
} families[] = {
    {{"high_res_feats_0", "high_res_feats_1", "image_embed"},
     {"point_coords", "point_labels", "mask_input", "has_mask_input", NULL},
     "masks",
     "iou_predictions"},
    {{"image_embeddings.0", "image_embeddings.1", "image_embeddings.2"},
     {"input_points", "input_labels", NULL, NULL, "input_boxes"},
     "pred_masks",
     "iou_scores"},
};

static bool same_shape(const struct tensor_info *a, const struct tensor_info *b)
{
    if (a->rank != b->rank || a->type != b->type)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] >= 0 && b->dims[i] >= 0 && a->dims[i] != b->dims[i])
            return false;
    return true;
}

static bool features_match(struct cutter *cutter, const struct family *family, struct error *err)
{
    int count;
    const struct tensor_info *made = session_outputs(cutter->sessions[0], &count);
    const struct tensor_info *taken = session_inputs(cutter->sessions[1], &count);
    for (int i = 0; i < FEATURES; i++) {
        char text[120];
        int output = session_output(cutter->sessions[0], family->features[i]);
        int input = session_input(cutter->sessions[1], family->features[i]);
        if (output < 0 || input < 0)
            return error_set(err, ERROR_INVALID, "%s has no \"%s\"",
                             output < 0 ? "the encoder" : "the decoder", family->features[i]);
        if (made[output].type != TENSOR_F32 || made[output].rank != 4 ||
            !same_shape(&made[output], &taken[input]))
            return error_set(err, ERROR_INVALID, "encoder and decoder do not fit: %s",
                             info_text(&taken[input], text, sizeof text));
        cutter->ports[FIRST_FEATURE + i] = input;
    }
    return true;
}

static bool port_fits(const struct tensor_info *info, enum port port, bool hub, struct error *err)
{
    static const int ranks[2][FIRST_FEATURE] = {{3, 2, 4, 1, 0}, {4, 3, 0, 0, 3}};
    enum tensor_type type = hub && port == LABELS ? TENSOR_I64 : TENSOR_F32;
    char text[120];
    if (info->type == type && info->rank == ranks[hub][port])
        return true;
    return error_set(err, ERROR_INVALID, "the decoder's %s, not %s of rank %d",
                     info_text(info, text, sizeof text), tensor_type_name(type), ranks[hub][port]);
}

static bool decoder_check(struct cutter *cutter, const struct family *family, struct error *err)
{
    int count;
    const struct tensor_info *inputs = session_inputs(cutter->sessions[1], &count);
    int known = FEATURES;
    for (int i = 0; i < FIRST_FEATURE; i++) {
        cutter->ports[i] = -1;
        if (!family->ports[i])
            continue;
        cutter->ports[i] = session_input(cutter->sessions[1], family->ports[i]);
        if (cutter->ports[i] < 0)
            return error_set(err, ERROR_INVALID, "the decoder has no \"%s\"", family->ports[i]);
        if (!port_fits(&inputs[cutter->ports[i]], (enum port)i, cutter->hub, err))
            return false;
        known++;
    }
    if (count != known)
        return error_set(err, ERROR_INVALID, "the decoder has %d inputs, not %d", count, known);
    if (session_output(cutter->sessions[1], family->masks) < 0 ||
        session_output(cutter->sessions[1], family->scores) < 0)
        return error_set(err, ERROR_INVALID, "the decoder has no \"%s\" and \"%s\"", family->masks,
                         family->scores);
    return true;
}

static bool check(struct cutter *cutter, struct error *err)
{
    int count;
    if (!cutter->sessions[1])
        return error_set(err, ERROR_INVALID, "its decoder is missing");
    const struct tensor_info *inputs = session_inputs(cutter->sessions[0], &count);
    if (count != 1)
        return error_set(err, ERROR_INVALID, "the encoder has %d inputs, not one", count);
    if (!input_check(&inputs[0], &cutter->width, &cutter->height, err))
        return false;
    cutter->hub = session_output(cutter->sessions[0], families[1].features[0]) >= 0;
    const struct family *family = &families[cutter->hub];
    return features_match(cutter, family, err) && decoder_check(cutter, family, err);
}

/* What the decoder is asked, with room for both families: two corners of a box and points. */
enum { CORNERS = 2 };
struct question {
    float points[CORNERS + CUT_POINTS][2];
    float labels[CORNERS + CUT_POINTS];
    int64_t hub_labels[CUT_POINTS];
    float box[4];
    float has_mask[1];
    float *mask; /* zeros */
    int points_count;
    bool boxed; /* the corners say something */
};

/* Who asks for nobody is given who fills the middle. The second family has to have a box. */
static void question_fill(struct question *question, const struct cut *cut, bool hub)
{
    static const float corner_labels[CORNERS] = {2, 3};
    struct cut_prompt prompt = cut->prompt;
    float width = (float)cut->width, height = (float)cut->height;
    bool nobody = cut_prompt_empty(&prompt);
    question->boxed = hub || nobody || prompt.person.width > 0;
    if (prompt.person.width <= 0)
        prompt.person = (struct box){0, 0, width, height};
    const struct box *box = &prompt.person;
    if (prompt.point_count == 0)
        prompt.points[prompt.point_count++] =
            (struct cut_point){box->x + box->width / 2, box->y + box->height / 2, false};
    const float sides[4] = {box->x, box->y, box->x + box->width, box->y + box->height};
    memcpy(question->box, sides, sizeof sides);
    memcpy(question->points[0], sides, sizeof sides);
    memcpy(question->labels, corner_labels, sizeof corner_labels);
    for (int i = 0; i < prompt.point_count; i++) {
        const struct cut_point *point = &prompt.points[i];
        question->points[CORNERS + i][0] = point->x;
        question->points[CORNERS + i][1] = point->y;
        question->labels[CORNERS + i] = point->outside ? 0 : 1;
        question->hub_labels[i] = point->outside ? 0 : 1;
    }
    question->points_count = prompt.point_count;
}

static void put(struct tensor *inputs, const struct cutter *cutter, enum port port,
                struct tensor tensor)
{
    if (cutter->ports[port] >= 0)
        inputs[cutter->ports[port]] = tensor;
}

static void question_put(struct question *question, const struct cutter *cutter,
                         struct tensor *inputs)
{
    int64_t count = question->points_count;
    if (cutter->hub) {
        put(inputs, cutter, POINTS,
            (struct tensor){TENSOR_F32, 4, {1, 1, count, 2}, question->points[CORNERS]});
        put(inputs, cutter, LABELS,
            (struct tensor){TENSOR_I64, 3, {1, 1, count}, question->hub_labels});
        put(inputs, cutter, BOXES, (struct tensor){TENSOR_F32, 3, {1, 1, 4}, question->box});
        return;
    }
    int skip = question->boxed ? 0 : CORNERS;
    count += CORNERS - skip;
    put(inputs, cutter, POINTS,
        (struct tensor){TENSOR_F32, 3, {1, count, 2}, question->points[skip]});
    put(inputs, cutter, LABELS,
        (struct tensor){TENSOR_F32, 2, {1, count}, question->labels + skip});
    put(inputs, cutter, MASK, (struct tensor){TENSOR_F32, 4, {1, 1, 256, 256}, question->mask});
    put(inputs, cutter, HAS_MASK, (struct tensor){TENSOR_F32, 1, {1}, question->has_mask});
}

/* Candidates are the planes of the masks; each has a score. */
static bool best_mask(const struct tensor *masks, const struct tensor *scores, struct picture *out,
                      struct error *err)
{
    size_t count = tensor_count(scores->rank, scores->dims);
    if (masks->type != TENSOR_F32 || scores->type != TENSOR_F32 || masks->rank < 3 || count < 1 ||
        !mask_fits(masks, count - 1, NULL) ||
        tensor_count(masks->rank, masks->dims) !=
            count * (size_t)masks->dims[masks->rank - 1] * (size_t)masks->dims[masks->rank - 2])
        return error_set(err, ERROR_INTERNAL, "masks and scores do not fit");
    const float *score = scores->data;
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (score[i] > score[best])
            best = i;
    return mask_make(masks, (int)best, true, out, err);
}

/* Both networks in one go: what the first makes is sixteen megabytes that nobody else needs. */
static bool infer(struct cutter *cutter, struct cut *cut, const struct cut_how *how,
                  struct error *err)
{
    const struct family *family = &families[cutter->hub];
    AUTO(mem_free) float *no_mask = xcalloc(MASK_CELLS, sizeof *no_mask);
    struct question question = {.mask = no_mask};
    struct tensor inputs[PORTS] = {0};
    question_fill(&question, cut, cutter->hub);
    question_put(&question, cutter, inputs);
    struct session_first encoder = {.session = cutter->sessions[0],
                                    .input = &cut->input,
                                    .key = cut->key,
                                    .count = FEATURES,
                                    .out_kept = &cut->kept};
    for (int i = 0; i < FEATURES; i++) {
        encoder.from[i] = session_output(cutter->sessions[0], family->features[i]);
        encoder.to[i] = cutter->ports[FIRST_FEATURE + i];
    }
    const int wanted[2] = {session_output(cutter->sessions[1], family->masks),
                           session_output(cutter->sessions[1], family->scores)};
    int count;
    (void)session_inputs(cutter->sessions[1], &count);
    struct session_run request = {.first = &encoder,
                                  .inputs = inputs,
                                  .input_count = count,
                                  .wanted = wanted,
                                  .out = cut->results,
                                  .out_count = 2,
                                  .control = how->control,
                                  .shrink = how->shrink};
    return session_run(cutter->sessions[1], &request, err);
}

static bool finish(struct cut *cut, struct picture *out, struct error *err)
{
    return best_mask(&cut->results[0], &cut->results[1], out, err);
}

const struct cutter_backend cutter_sam2 = {"sam2", &imagenet, check, infer, finish};
