/* SPDX-License-Identifier: Apache-2.0 */
/* BiRefNet, and the embedded network, which is the same but for how its input is normalised: one
 * picture in, one mask out. */
#include <string.h>

#include "base/error.h"
#include "image/cutter_internal.h"

/* Of the outputs of rank 4 with one channel, the largest: exports for training have the coarse ones
 * too. Unknown sizes count as the default. */
static int mask_output(const struct session *session)
{
    int count, best = -1;
    int64_t best_area = 0;
    const struct tensor_info *outputs = session_outputs(session, &count);
    for (int i = 0; i < count; i++) {
        const struct tensor_info *info = &outputs[i];
        if (info->rank != 4 || (info->dims[1] != 1 && info->dims[1] != -1) ||
            (info->type != TENSOR_F32 && info->type != TENSOR_F16))
            continue;
        int64_t height = info->dims[2] == -1 ? DEFAULT_SIDE : info->dims[2];
        int64_t width = info->dims[3] == -1 ? DEFAULT_SIDE : info->dims[3];
        if (height * width > best_area) {
            best_area = height * width;
            best = i;
        }
    }
    return best;
}

static bool check(struct cutter *cutter, struct error *err)
{
    int count;
    const struct tensor_info *inputs = session_inputs(cutter->sessions[0], &count);
    if (count != 1)
        return error_set(err, ERROR_INVALID, "it has %d inputs, not one", count);
    if (!input_check(&inputs[0], &cutter->width, &cutter->height, err))
        return false;
    cutter->output = mask_output(cutter->sessions[0]);
    if (cutter->output < 0) {
        char text[120];
        const struct tensor_info *outputs = session_outputs(cutter->sessions[0], &count);
        return error_set(err, ERROR_INVALID, "no output is a mask of rank 4 with one channel (%s)",
                         count > 0 ? info_text(&outputs[0], text, sizeof text) : "there is none");
    }
    return true;
}

static bool infer(struct cutter *cutter, struct cut *cut, const struct cut_how *how,
                  struct error *err)
{
    struct session_run request = {.inputs = &cut->input,
                                  .input_count = 1,
                                  .wanted = &cutter->output,
                                  .out = cut->results,
                                  .out_count = 1,
                                  .control = how->control,
                                  .shrink = how->shrink};
    return session_run(cutter->sessions[0], &request, err);
}

static bool finish(struct cut *cut, struct picture *out, struct error *err)
{
    struct tensor *output = &cut->results[0];
    tensor_widen(output);
    return mask_fits(output, 0, err) && mask_make(output, 0, mask_is_logits(output), out, err);
}

const struct cutter_backend cutter_birefnet = {"birefnet", &imagenet, check, infer, finish};
const struct cutter_backend cutter_portrait = {"portrait", &unit_range, check, infer, finish};
