/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observe_image.h"

#include <stdio.h>
#include <string.h>

#include "api/metrics.h"
#include "image/segment.h"
#include "infer/gpu.h"

/* A label's value must not end it. */
static void label_clean(char *text)
{
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
            *text = '\'';
}

static void counter(struct metrics_writer *writer, const char *name, const char *help, uint64_t now)
{
    metrics_value(writer, name, "counter", help, NULL, (double)now);
}

static void gauge(struct metrics_writer *writer, const char *name, const char *help, double now)
{
    metrics_value(writer, name, "gauge", help, NULL, now);
}

static void write_model(struct segment_state *state, struct metrics_writer *writer)
{
    char labels[768];
    label_clean(state->why);
    label_clean(state->model_why);
    snprintf(labels, sizeof labels,
             "model=\"%s\",model_why=\"%s\",asked=\"%s\",device=\"%s\",why=\"%s\",process=\"%s\"",
             state->model, state->model_why, state->asked, state->device, state->why,
             state->apart ? "child" : "inside");
    metrics_value(writer, "vma_image_model_info", "gauge",
                  "What cuts people out, where, and why not what or where was asked for; always 1.",
                  labels, 1);
    gauge(writer, "vma_image_model_memory_bytes", "What one picture takes, measured at the start.",
          (double)state->memory_bytes);
}

/* Most wait in the API's line, before they are decoded, and some once more at the device. */
static void write_queue(const struct scheduler_state *state, const struct scheduler_state *api,
                        struct metrics_writer *writer)
{
    gauge(writer, "vma_image_streams", "Pictures that may be inferred at once.", state->streams);
    gauge(writer, "vma_image_inside", "Pictures that are being inferred.", state->inside);
    gauge(writer, "vma_image_waiting", "Pictures that wait for the device.",
          state->waiting + api->waiting);
    counter(writer, "vma_image_inferred_total", "Turns at the device.", state->served);
    counter(writer, "vma_image_refused_total", "Pictures that found the queue full.",
            state->refused + api->refused);
    counter(writer, "vma_image_expired_total", "Pictures whose deadline passed while they waited.",
            state->expired + api->expired);
    metrics_value(writer, "vma_image_busy_seconds_total", "counter",
                  "Time at the device, of all together.", NULL, state->busy_s);
}

static void write_troubles(const struct segment_state *state, struct metrics_writer *writer)
{
    static const char *const reliefs[] = {"alone", "smaller", "cpu", "none"};
    char labels[64];
    for (size_t i = 0; i < sizeof reliefs / sizeof *reliefs; i++) {
        snprintf(labels, sizeof labels, "relief=\"%s\"", reliefs[i]);
        metrics_value(writer, "vma_image_out_of_memory_total", "counter",
                      "Pictures for which memory was short, by what helped.", labels,
                      (double)state->reliefs[i]);
    }
    counter(writer, "vma_image_known_total",
            "Pictures that the network had looked at before, for another person in them.",
            state->known);
    counter(writer, "vma_inference_deaths_total", "Processes for inference that ended unasked.",
            state->deaths);
}

static void known(struct metrics_writer *writer, const char *name, const char *help, double value,
                  double unit)
{
    if (value >= 0)
        gauge(writer, name, help, value * unit);
    else
        metrics_unknown(writer, name, "gauge", help);
}

static void write_card(struct gpu_state *state, struct metrics_writer *writer)
{
    static const char name[] = "vma_gpu_info";
    static const char help[] =
        "Which card it is (name, driver), where one was asked for; always 1.";
    char labels[200];
    if (!state->name[0])
        return metrics_unknown(writer, name, "gauge", help);
    label_clean(state->name);
    label_clean(state->driver);
    snprintf(labels, sizeof labels, "name=\"%s\",driver=\"%s\"", state->name, state->driver);
    metrics_value(writer, name, "gauge", help, labels, 1);
}

static void write_gpu(struct gpu_state *state, struct metrics_writer *writer)
{
    write_card(state, writer);
    known(writer, "vma_gpu_utilization_ratio", "Time in which the card computed.",
          state->busy_percent, 0.01);
    known(writer, "vma_gpu_memory_utilization_ratio", "Time in which its memory was used.",
          state->memory_busy_percent, 0.01);
    known(writer, "vma_gpu_memory_used_bytes", "Memory in use, by everybody.",
          (double)state->memory_used_bytes, 1);
    known(writer, "vma_gpu_memory_bytes", "Memory of the card.", (double)state->memory_bytes, 1);
    known(writer, "vma_gpu_temperature_celsius", "Temperature.", state->temperature_c, 1);
    known(writer, "vma_gpu_power_watts", "Power.", state->power_w, 1);
    known(writer, "vma_gpu_clock_hertz", "Clock of the processors.", state->clock_mhz, 1e6);
    known(writer, "vma_gpu_memory_clock_hertz", "Clock of the memory.", state->memory_clock_mhz,
          1e6);
}

static const struct gpu_state no_card = {.busy_percent = -1,
                                         .memory_busy_percent = -1,
                                         .memory_used_bytes = -1,
                                         .memory_bytes = -1,
                                         .temperature_c = -1,
                                         .power_w = -1,
                                         .clock_mhz = -1,
                                         .memory_clock_mhz = -1};

void observe_image(struct segment *segment, struct scheduler *turns, struct metrics_writer *writer)
{
    struct segment_state state = segment_state(segment);
    struct scheduler_state api = scheduler_state(turns);
    struct gpu_state gpu;
    char why[160];
    write_model(&state, writer);
    write_queue(&state.scheduler, &api, writer);
    write_troubles(&state, writer);
    if (!segment_gpu(segment, &gpu, why))
        gpu = no_card;
    write_gpu(&gpu, writer);
}
