/* SPDX-License-Identifier: Apache-2.0 */
#include "image/cutter.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/calm.h"
#include "image/cutter_internal.h"
#include "infer/trace.h"
#include "media/hot.h"
#include "media/resample.h"

/* Nothing below this shows a person well enough to be worth having. */
enum { SMALLEST_SIDE = 256 };

enum { MAX_BATCH = 4 };

static const struct cutter_backend *const backends[] = {&cutter_portrait, &cutter_birefnet,
                                                        &cutter_sam2};

const struct normalisation unit_range = {.mean = {0, 0, 0}, .deviation = {1, 1, 1}, .calm = true};
const struct normalisation imagenet = {.mean = {0.485f, 0.456f, 0.406f},
                                       .deviation = {0.229f, 0.224f, 0.225f}};

static const struct cutter_backend *backend_find(const char *kind)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (strcmp(backends[i]->kind, kind) == 0)
            return backends[i];
    return NULL;
}

bool cutter_kind_known(const char *kind)
{
    return backend_find(kind) != NULL;
}

struct cut_prompt cut_prompt_for(const struct face *face, const struct picture *photo)
{
    const struct box *box = &face->box;
    float middle = box->x + box->width / 2;
    float left = fmaxf(middle - 1.8f * box->width, 0), top = fmaxf(box->y - box->height, 0);
    float right = fminf(middle + 1.8f * box->width, (float)photo->width);
    float bottom = fminf(box->y + 5 * box->height, (float)photo->height);
    return (struct cut_prompt){.person = {left, top, right - left, bottom - top},
                               .points = {{face->points[1].x, face->points[1].y, false}},
                               .point_count = 1};
}

struct cutter *cutter_open(struct runtime *runtime, const struct cutter_files *files,
                           const struct session_options *options, struct error *err)
{
    AUTO(cutter_close) struct cutter *cutter = xcalloc(1, sizeof *cutter);
    cutter->backend = backend_find(files->kind);
    if (!cutter->backend) {
        error_set(err, ERROR_INVALID, "model kind \"%s\" is unknown", files->kind);
        return NULL;
    }
    cutter->sessions[0] = session_open(runtime, files->model, options, err);
    if (!cutter->sessions[0])
        return NULL;
    if (files->decoder) {
        cutter->sessions[1] = session_open(runtime, files->decoder, options, err);
        if (!cutter->sessions[1])
            return NULL;
    }
    if (cutter->backend->check(cutter, err)) {
        int count;
        const struct tensor_info *info = session_inputs(cutter->sessions[0], &count);
        cutter->any_count = info->dims[0] == -1 && !cutter->sessions[1];
        cutter->any_size = info->dims[2] == -1 && info->dims[3] == -1;
        return TAKE(cutter);
    }
    error_wrap(err, "%s is no %s model", files->model, files->kind);
    return NULL;
}

void cutter_close(struct cutter *cutter)
{
    if (!cutter)
        return;
    for (int i = 0; i < CUTTER_SESSIONS; i++)
        session_close(cutter->sessions[i]);
    free(cutter);
}

const char *cutter_device(const struct cutter *cutter)
{
    return session_device(cutter->sessions[0]);
}

const char *cutter_fallback(const struct cutter *cutter)
{
    return session_fallback(cutter->sessions[0]);
}

bool cutter_takes_prompts(const struct cutter *cutter)
{
    return cutter->sessions[1] != NULL;
}

bool cutter_forget(struct cutter *cutter)
{
    bool left = false;
    for (int i = 0; i < CUTTER_SESSIONS; i++)
        left |= cutter->sessions[i] && session_forget(cutter->sessions[i]);
    return left;
}

int cutter_side(const struct cutter *cutter)
{
    return cutter->width > cutter->height ? cutter->width : cutter->height;
}

int cutter_smaller(const struct cutter *cutter, int side)
{
    int next = (side ? side : cutter_side(cutter)) / 2;
    return cutter->any_size && next >= SMALLEST_SIDE ? next : 0;
}

void cut_dispose(struct cut *cut)
{
    tensor_dispose(&cut->input);
    for (size_t i = 0; i < sizeof cut->results / sizeof *cut->results; i++)
        tensor_dispose(&cut->results[i]);
}

/* One row of the planes of a tensor, `plane` numbers apart: value × scale + offset. */
HOT static void row_normalise(const uint8_t *restrict row, float *restrict out, size_t plane,
                              const float by[3][2], int width)
{
    float *red = out, *green = out + plane, *blue = green + plane;
    for (int x = 0; x < width; x++) {
        red[x] = (float)row[3 * x] * by[0][0] + by[0][1];
        green[x] = (float)row[3 * x + 1] * by[1][0] + by[1][1];
        blue[x] = (float)row[3 * x + 2] * by[2][0] + by[2][1];
    }
}

/* The photo squeezed into the input's size, as its tensor. */
static bool input_make(const struct picture *photo, const struct tensor_info *info,
                       const struct normalisation *normalisation, struct cut *out,
                       struct error *err)
{
    int width = out->width, height = out->height;
    AUTO(picture_dispose) struct picture small = picture_new(width, height, PICTURE_RGB);
    struct box whole = {0, 0, (float)photo->width, (float)photo->height};
    size_t plane = (size_t)width * (size_t)height;
    AUTO(mem_free) float *values = tensor_room(3 * plane * sizeof *values);
    if (!values)
        return error_set(err, ERROR_LIMIT, "no memory for the network's input");
    picture_resample(photo, whole, RESAMPLE_TRIANGLE, &small);
    if (normalisation->calm)
        picture_calm(&small);
    float by[3][2];
    for (int c = 0; c < 3; c++) {
        by[c][0] = 1 / (255 * normalisation->deviation[c]);
        by[c][1] = -normalisation->mean[c] / normalisation->deviation[c];
    }
    for (int y = 0; y < height; y++)
        row_normalise(picture_row(&small, y), values + (size_t)y * (size_t)width, plane, by, width);
    out->input = (struct tensor){info->type, 4, {1, 3, height, width}, NULL};
    if (info->type == TENSOR_F32) {
        out->input.data = TAKE(values);
        return true;
    }
    uint16_t *halves = malloc(3 * plane * sizeof *halves);
    if (!halves) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): `values` is AUTO */
        return error_set(err, ERROR_LIMIT, "no memory for the network's input");
    floats_to_halves(values, halves, 3 * plane);
    out->input.data = halves;
    return true;
}

static struct cut_prompt prompt_scale(const struct cut_prompt *prompt, float x, float y)
{
    struct cut_prompt out = *prompt;
    out.person = (struct box){prompt->person.x * x, prompt->person.y * y, prompt->person.width * x,
                              prompt->person.height * y};
    for (int i = 0; i < out.point_count; i++) {
        out.points[i].x *= x;
        out.points[i].y *= y;
    }
    return out;
}

static struct bytes tensor_bytes(const struct tensor *tensor)
{
    return (struct bytes){tensor->data, tensor_count(tensor->rank, tensor->dims) *
                                            tensor_type_size(tensor->type)};
}

bool cut_prepare(const struct cutter *cutter, const struct picture *photo,
                 const struct cut_prompt *prompt, int side, struct cut *out, struct error *err)
{
    TRACE("prepare");
    int count;
    const struct tensor_info *info = session_inputs(cutter->sessions[0], &count);
    *out =
        (struct cut){.width = side ? side : cutter->width, .height = side ? side : cutter->height};
    if (prompt)
        out->prompt = prompt_scale(prompt, (float)out->width / (float)photo->width,
                                   (float)out->height / (float)photo->height);
    if (!input_make(photo, info, cutter->backend->normalisation, out, err))
        return false;
    if (cutter_takes_prompts(cutter))
        out->key = hash128_of(tensor_bytes(&out->input));
    return true;
}

void cut_rename(struct cut *cut)
{
    const struct {
        int64_t now_ns;
        uintptr_t place;
    } name = {mono_ns(), (uintptr_t)cut};
    cut->key = hash128_of((struct bytes){(const uint8_t *)&name, sizeof name});
}

bool cut_infer(struct cutter *cutter, struct cut *cut, const struct cut_how *how, struct error *err)
{
    TRACE("infer");
    static const struct cut_how plainly;
    return cutter->backend->infer(cutter, cut, how ? how : &plainly, err) ||
           error_wrap(err, "cut the person out (%s)", cutter->backend->kind);
}

int cutter_batch(const struct cutter *cutter)
{
    return cutter->any_count ? MAX_BATCH : 1;
}

/* The inputs one after the other. */
static bool inputs_join(struct cut *const *cuts, int count, struct cut *out, struct error *err)
{
    const struct tensor *first = &cuts[0]->input;
    size_t size = tensor_count(first->rank, first->dims) * tensor_type_size(first->type);
    uint8_t *data = tensor_room((size_t)count * size);
    if (!data)
        return error_set(err, ERROR_LIMIT, "no memory for the input of %d pictures", count);
    *out = (struct cut){.input = *first, .width = cuts[0]->width, .height = cuts[0]->height};
    out->input.dims[0] = count;
    out->input.data = data;
    for (int i = 0; i < count; i++) {
        assert(cuts[i]->width == out->width && cuts[i]->height == out->height);
        memcpy(data + (size_t)i * size, cuts[i]->input.data, size);
    }
    return true;
}

static bool results_split(const struct cut *whole, struct cut *const *cuts, int count,
                          struct error *err)
{
    const struct tensor *all = &whole->results[0];
    if (all->rank != 4 || all->dims[0] != count)
        return error_set(err, ERROR_INTERNAL, "%d pictures went in, %lld masks came out", count,
                         (long long)all->dims[0]);
    size_t size = tensor_count(all->rank, all->dims) * tensor_type_size(all->type) / (size_t)count;
    for (int i = 0; i < count; i++) {
        struct tensor *one = &cuts[i]->results[0];
        tensor_dispose(one);
        *one = *all;
        one->dims[0] = 1;
        one->data = malloc(size ? size : 1);
        if (!one->data)
            return error_set(err, ERROR_LIMIT, "no memory for %zu bytes of mask", size);
        memcpy(one->data, (const uint8_t *)all->data + (size_t)i * size, size);
    }
    return true;
}

bool cut_infer_all(struct cutter *cutter, struct cut *const *cuts, int count,
                   const struct cut_how *how, struct error *err)
{
    AUTO(cut_dispose) struct cut whole = {0};
    if (count == 1)
        return cut_infer(cutter, cuts[0], how, err);
    return inputs_join(cuts, count, &whole, err) && cut_infer(cutter, &whole, how, err) &&
           results_split(&whole, cuts, count, err);
}

bool cut_finish(const struct cutter *cutter, struct cut *cut, struct picture *out,
                struct error *err)
{
    TRACE("finish");
    return cutter->backend->finish(cut, out, err) ||
           error_wrap(err, "cut the person out (%s)", cutter->backend->kind);
}

bool cutter_mask(struct cutter *cutter, const struct picture *photo,
                 const struct cut_prompt *prompt, struct run_control *control, struct picture *out,
                 struct error *err)
{
    AUTO(cut_dispose) struct cut cut = {0};
    const struct cut_how how = {.control = control};
    return cut_prepare(cutter, photo, prompt, 0, &cut, err) && cut_infer(cutter, &cut, &how, err) &&
           cut_finish(cutter, &cut, out, err);
}

const char *info_text(const struct tensor_info *info, char *out, size_t size)
{
    int used = snprintf(out, size, "\"%s\" is %s [", info->name, tensor_type_name(info->type));
    for (int i = 0; i < info->rank && used > 0 && (size_t)used < size; i++)
        used += snprintf(out + used, size - (size_t)used, i ? ",%lld" : "%lld",
                         (long long)info->dims[i]);
    if (used > 0 && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, "]");
    return out;
}

static int side_of(int64_t dim)
{
    return dim == -1 ? DEFAULT_SIDE : dim >= 16 && dim <= MAX_SIDE ? (int)dim : 0;
}

bool input_check(const struct tensor_info *info, int *out_width, int *out_height, struct error *err)
{
    char text[120];
    info_text(info, text, sizeof text);
    if (info->rank != 4)
        return error_set(err, ERROR_INVALID, "input %s, not a picture of rank 4", text);
    if (info->type != TENSOR_F32 && info->type != TENSOR_F16)
        return error_set(err, ERROR_INVALID, "input %s, neither float32 nor float16", text);
    if (info->dims[1] != 3 || (info->dims[0] != 1 && info->dims[0] != -1))
        return error_set(err, ERROR_INVALID, "input %s, not one picture with 3 channels", text);
    *out_height = side_of(info->dims[2]);
    *out_width = side_of(info->dims[3]);
    if (!*out_width || !*out_height)
        return error_set(err, ERROR_INVALID, "input %s: 16 to %d pixels are supported", text,
                         MAX_SIDE);
    return true;
}

void tensor_widen(struct tensor *tensor)
{
    if (tensor->type != TENSOR_F16)
        return;
    size_t count = tensor_count(tensor->rank, tensor->dims);
    float *wide = xmalloc(count * sizeof *wide);
    halves_to_floats(tensor->data, wide, count);
    free(tensor->data);
    tensor->data = wide;
    tensor->type = TENSOR_F32;
}

HOT static int any_outside(const float *restrict values, size_t count)
{
    int any = 0;
    for (size_t i = 0; i < count; i++)
        any |= (values[i] < -1e-3f) | (values[i] > 1 + 1e-3f);
    return any;
}

bool mask_is_logits(const struct tensor *tensor)
{
    return any_outside(tensor->data, tensor_count(tensor->rank, tensor->dims)) != 0;
}

/* e to the x, within 1e-5 of it, for x from -87 to 87: two to a whole number, which is an exponent
 * of a float, times a series for the rest. Unlike expf it can be done for eight at once. */
static inline float power_of_e(float x)
{
    float twos = x * 1.44269504f, whole = floorf(twos), rest = (twos - whole) * 0.693147181f;
    float series =
        1 + rest * (1 + rest * (0.5f + rest * (0.166666f + rest * (0.0416666f + rest * 0.0089f))));
    union {
        uint32_t bits;
        float value;
    } power = {.bits = (uint32_t)((int)whole + 127) << 23};
    return power.value * series;
}

HOT static int row_mask(const float *restrict values, uint8_t *restrict out, int width)
{
    int strange = 0;
    for (int x = 0; x < width; x++) {
        float value = values[x];
        strange |= value != value;
        value = value > 0 ? (value < 1 ? value : 1) : 0; /* what is no number becomes 0 */
        out[x] = (uint8_t)(value * 255 + 0.5f);
    }
    return strange;
}

HOT static int row_mask_of_logits(const float *restrict values, uint8_t *restrict out, int width)
{
    int strange = 0;
    for (int x = 0; x < width; x++) {
        float value = values[x];
        strange |= value != value;
        value = value > -20 ? (value < 20 ? value : 20) : -20;
        out[x] = (uint8_t)(255 / (1 + power_of_e(-value)) + 0.5f);
    }
    return strange;
}

bool mask_fits(const struct tensor *tensor, size_t plane, struct error *err)
{
    int64_t height = tensor->rank >= 2 ? tensor->dims[tensor->rank - 2] : 0;
    int64_t width = tensor->rank >= 2 ? tensor->dims[tensor->rank - 1] : 0;
    bool sensible = tensor->type == TENSOR_F32 && height >= 1 && height <= MAX_SIDE && width >= 1 &&
                    width <= MAX_SIDE;
    size_t count = sensible ? tensor_count(tensor->rank, tensor->dims) : 0;
    return (sensible && count / (size_t)(height * width) > plane) ||
           error_set(err, ERROR_INTERNAL, "the mask came out in an impossible size");
}

bool mask_make(const struct tensor *tensor, int plane, bool logits, struct picture *out,
               struct error *err)
{
    int height = (int)tensor->dims[tensor->rank - 2], width = (int)tensor->dims[tensor->rank - 1];
    const float *values =
        (const float *)tensor->data + (size_t)plane * (size_t)width * (size_t)height;
    AUTO(picture_dispose) struct picture mask = picture_new(width, height, PICTURE_GREY);
    int strange = 0;
    for (int y = 0; y < height; y++) {
        const float *row = values + (size_t)y * (size_t)width;
        strange |= logits ? row_mask_of_logits(row, picture_row(&mask, y), width)
                          : row_mask(row, picture_row(&mask, y), width);
    }
    if (strange)
        return error_set(err, ERROR_INTERNAL, "the network's answer is not a number");
    *out = mask;
    mask = (struct picture){0};
    return true;
}
