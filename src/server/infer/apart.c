/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "infer/child_internal.h"
#include "infer/control_internal.h"
#include "infer/session_internal.h"

enum {
    /* What crashes the process twice is refused. Whoever was there when somebody killed it may
     * have had bad luck, and gets one more try; a picture that takes all memory does not end so
     * for ever. */
    STRIKE_CRASHED = 3,
    STRIKE_KILLED = 2,
    STRIKES_OUT = 6,
    /* A network that was told to stop does so after the operator that it is at. */
    STOP_GRACE_MS = 2000,
    /* Nothing takes this long: it hangs. */
    RUN_LIMIT_MS = 10 * 60 * 1000,
};

struct apart {
    struct child *child;
    uint32_t number;
    struct wire_open how;
    pthread_mutex_t lock; /* the next line */
    uint64_t generation;  /* of the process that has it open; 0: none */
};

/* How a question went. A bystander's process was ended because of what another ran: that is held
 * against nobody else. */
enum outcome { OUTCOME_FAILED, OUTCOME_CRASHED, OUTCOME_KILLED, OUTCOME_BYSTANDER, OUTCOME_FINE };

static int strike(enum outcome outcome)
{
    return outcome == OUTCOME_CRASHED  ? STRIKE_CRASHED
           : outcome == OUTCOME_KILLED ? STRIKE_KILLED
                                       : 0;
}

static bool goes_again(enum outcome outcome)
{
    return outcome == OUTCOME_BYSTANDER || strike(outcome) > 0;
}

/* Waits for the reply. *out_stopped: it was told to stop and did not. */
static bool reply_wait(struct child *child, struct lane *lane, struct wire_reply *reply,
                       bool *out_stopped)
{
    int64_t until_ms = mono_ms() + RUN_LIMIT_MS;
    bool asked = false;
    *out_stopped = false;
    for (;;) {
        struct pollfd from[] = {{.fd = lane->socket, .events = POLLIN},
                                {.fd = asked ? -1 : lane->wake, .events = POLLIN}};
        int64_t left_ms = until_ms - mono_ms();
        int ready = left_ms > 0 ? poll(from, 2, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            child_kill(child, lane, asked ? "it did not stop" : "it hangs");
            *out_stopped = asked;
            return false;
        }
        if (from[0].revents)
            return wire_receive(lane->socket, reply, sizeof *reply);
        asked = true;
        until_ms = mono_ms() + STOP_GRACE_MS;
    }
}

static enum outcome ask_lane(struct child *child, struct lane *lane, const struct wire_ask *ask,
                             struct wire_reply *reply, struct error *err)
{
    bool stopped = false, bystander;
    if (wire_send(lane->socket, ask, sizeof *ask) && reply_wait(child, lane, reply, &stopped)) {
        if (reply->fine)
            return OUTCOME_FINE;
        wire_error_get(&reply->error, err);
        return OUTCOME_FAILED;
    }
    int number = child_lost(child, lane, &bystander);
    if (!stopped && bystander)
        return OUTCOME_BYSTANDER;
    if (!stopped)
        return number == SIGKILL ? OUTCOME_KILLED : OUTCOME_CRASHED;
    error_set(err, ERROR_CANCELLED, "it was told to stop, and had to be ended");
    return OUTCOME_FAILED;
}

/* The model is open in the lane's process afterwards; *out_opened, if it was not before, is what
 * it says of itself. */
static enum outcome open_in(struct apart *apart, struct lane *lane, struct wire_opened *out_opened,
                            struct error *err)
{
    enum outcome outcome = OUTCOME_FINE;
    AUTO(mem_free) struct wire_ask *ask = xcalloc(1, sizeof *ask);
    AUTO(mem_free) struct wire_reply *reply = xmalloc(sizeof *reply);
    pthread_mutex_lock(&apart->lock);
    if (apart->generation != lane->generation) {
        ask->what = WIRE_OPEN;
        ask->session = apart->number;
        ask->of.open = apart->how;
        outcome = ask_lane(apart->child, lane, ask, reply, err);
        if (outcome == OUTCOME_FINE)
            apart->generation = lane->generation;
        if (outcome == OUTCOME_FINE && out_opened)
            *out_opened = reply->of.opened;
    }
    pthread_mutex_unlock(&apart->lock);
    return outcome;
}

static bool refuse(struct error *err, const char *what)
{
    error_set(err, ERROR_INVALID, "%s: the process for inference died of it again", what);
    return error_about(err, NULL, "inference_died");
}

static bool ports_take(const struct wire_port *wire, uint32_t count, struct tensor_info *out,
                       int *out_count, struct error *err)
{
    if (count > MAX_PORTS)
        return error_set(err, ERROR_INTERNAL, "the process for inference counts %u ports", count);
    for (uint32_t i = 0; i < count; i++) {
        if (wire[i].type > (uint32_t)TENSOR_BOOL || wire[i].rank < 0 || wire[i].rank > TENSOR_RANK)
            return error_set(err, ERROR_INTERNAL, "the process for inference tells of no tensor");
        out[i] = (struct tensor_info){.name = xstrndup(wire[i].name, WIRE_NAME - 1),
                                      .type = (enum tensor_type)wire[i].type,
                                      .rank = wire[i].rank};
        memcpy(out[i].dims, wire[i].dims, sizeof out[i].dims);
        *out_count = (int)i + 1;
    }
    return true;
}

static bool opened_take(struct session *session, const struct wire_opened *opened,
                        const struct session_options *options, struct error *err)
{
    snprintf(session->device, sizeof session->device, "%.15s", opened->device);
    if (opened->fallback[0])
        session->fallback = xstrndup(opened->fallback, sizeof opened->fallback - 1);
    if (session->fallback && options->device_required)
        return error_set(err, ERROR_UNAVAILABLE, "%s", session->fallback);
    return ports_take(opened->inputs, opened->input_count, session->inputs, &session->input_count,
                      err) &&
           ports_take(opened->outputs, opened->output_count, session->outputs,
                      &session->output_count, err);
}

static bool how_take(struct apart *apart, const char *path, const struct session_options *options,
                     struct error *err)
{
    struct wire_open *how = &apart->how;
    if (options->model_data || !path || strlen(path) >= sizeof how->path)
        return error_set(err, ERROR_INVALID, "a model for another process must be a file");
    snprintf(how->path, sizeof how->path, "%s", path);
    snprintf(how->device, sizeof how->device, "%s", options->device ? options->device : "cpu");
    how->threads = options->threads;
    how->arena_limit_bytes = options->arena_limit_bytes;
    how->device_required = options->device_required;
    return true;
}

bool apart_open(struct session *session, const char *path, const struct session_options *options,
                struct error *err)
{
    struct apart *apart = xcalloc(1, sizeof *apart);
    session->apart = apart;
    apart->child = session->runtime->child;
    apart->number = child_number(apart->child);
    pthread_mutex_init(&apart->lock, NULL);
    if (!how_take(apart, path, options, err))
        return false;
    AUTO(mem_free) struct wire_opened *opened = xmalloc(sizeof *opened);
    for (int strikes = 0; strikes < STRIKES_OUT;) {
        struct lane *lane = child_lane(apart->child, err);
        if (!lane)
            return false;
        enum outcome outcome = open_in(apart, lane, opened, err);
        if (goes_again(outcome)) {
            strikes += strike(outcome);
            child_lane_drop(lane);
            continue;
        }
        child_lane_return(apart->child, lane);
        return outcome == OUTCOME_FINE && opened_take(session, opened, options, err);
    }
    return refuse(err, path);
}

static void close_in(struct apart *apart, struct lane *lane)
{
    AUTO(mem_free) struct wire_ask *ask = xcalloc(1, sizeof *ask);
    AUTO(mem_free) struct wire_reply *reply = xmalloc(sizeof *reply);
    ask->what = WIRE_CLOSE;
    ask->session = apart->number;
    bool closed = lane->generation != apart->generation ||
                  ask_lane(apart->child, lane, ask, reply, NULL) == OUTCOME_FINE;
    if (closed)
        child_lane_return(apart->child, lane);
    else
        child_lane_drop(lane);
}

void apart_close(struct apart *apart)
{
    if (!apart)
        return;
    /* A process that has gone meanwhile has closed it, too. */
    bool open = apart->generation && apart->generation == child_generation(apart->child);
    struct lane *lane = open ? child_lane(apart->child, NULL) : NULL;
    if (lane)
        close_in(apart, lane);
    pthread_mutex_destroy(&apart->lock);
    free(apart);
}

/* At *place, which is behind it afterwards. */
static bool input_put(const struct tensor *tensor, const struct lane *lane, struct wire_tensor *out,
                      uint64_t *place, struct error *err)
{
    size_t bytes;
    *out =
        (struct wire_tensor){.type = (uint32_t)tensor->type, .rank = tensor->rank, .place = *place};
    memcpy(out->dims, tensor->dims, sizeof out->dims);
    if (!wire_tensor_check(out, WIRE_LANE_BYTES, &bytes))
        return error_set(err, ERROR_LIMIT, "an input is too large to hand over");
    memcpy(lane->memory + *place, tensor->data, bytes);
    *place = wire_align(*place + bytes);
    return true;
}

/* Does the first network make this one? */
static bool is_made(const struct session_first *first, int input)
{
    for (int i = 0; first && i < first->count; i++)
        if (first->to[i] == input)
            return true;
    return false;
}

static bool inputs_put(const struct session_run *run, const struct lane *lane,
                       struct wire_run *wire, struct error *err)
{
    uint64_t place = 0;
    for (int i = 0; i < run->input_count; i++)
        if (!is_made(run->first, i) &&
            !input_put(&run->inputs[i], lane, &wire->inputs[i], &place, err))
            return false;
    if (run->first && !input_put(run->first->input, lane, &wire->first.input, &place, err))
        return false;
    wire->free_place = place;
    return true;
}

static void first_put(const struct session_first *first, struct wire_first *out)
{
    out->session = first->session->apart->number;
    out->count = (uint32_t)first->count;
    out->key = first->key;
    for (int i = 0; i < first->count; i++) {
        out->from[i] = (uint32_t)first->from[i];
        out->to[i] = (uint32_t)first->to[i];
    }
}

static bool output_take(const struct lane *lane, const struct wire_tensor *wire, struct tensor *out,
                        size_t *inout_used, struct error *err)
{
    size_t bytes;
    if (!wire_tensor_check(wire, WIRE_LANE_BYTES, &bytes))
        return error_set(err, ERROR_INTERNAL, "the process for inference answers nonsense");
    if (out->data && (out->type != (enum tensor_type)wire->type || out->rank != wire->rank ||
                      memcmp(out->dims, wire->dims, sizeof *out->dims * (size_t)out->rank) != 0))
        return error_set(err, ERROR_INVALID, "the output has another shape than was expected");
    out->type = (enum tensor_type)wire->type;
    out->rank = wire->rank;
    memcpy(out->dims, wire->dims, sizeof out->dims);
    if (!out->data)
        out->data = tensor_room(bytes);
    if (!out->data)
        return error_set(err, ERROR_LIMIT, "no memory for %zu bytes of output", bytes);
    memcpy(out->data, lane->memory + wire->place, bytes);
    *inout_used = wire->place + bytes > *inout_used ? wire->place + bytes : *inout_used;
    return true;
}

static bool outputs_take(const struct session_run *run, const struct wire_ran *ran,
                         struct lane *lane, struct error *err)
{
    bool allocated[MAX_PORTS], done = true;
    for (int i = 0; i < run->out_count; i++)
        allocated[i] = !run->out[i].data;
    for (int i = 0; i < run->out_count && done; i++)
        done = output_take(lane, &ran->out[i], &run->out[i], &lane->used, err);
    for (int i = 0; i < run->out_count && !done; i++)
        if (allocated[i])
            tensor_dispose(&run->out[i]);
    return done;
}

/* What a run_control stops. */
struct running {
    struct child *child;
    struct lane *lane;
};

static void running_stop(void *context)
{
    const struct running *running = context;
    child_stop(running->child, running->lane);
}

static enum outcome run_on(struct session *session, const struct session_run *run,
                           struct lane *lane, struct error *err)
{
    struct apart *apart = session->apart;
    struct running running = {apart->child, lane};
    AUTO(mem_free) struct wire_ask *ask = xcalloc(1, sizeof *ask);
    AUTO(mem_free) struct wire_reply *reply = xmalloc(sizeof *reply);
    uint64_t woken;
    enum outcome outcome = open_in(apart, lane, NULL, err);
    if (outcome == OUTCOME_FINE && run->first)
        outcome = open_in(run->first->session->apart, lane, NULL, err);
    if (outcome != OUTCOME_FINE)
        return outcome;
    struct wire_run *wire = &ask->of.run;
    ask->what = WIRE_RUN;
    ask->session = apart->number;
    wire->serial = ++lane->serial;
    wire->input_count = (uint32_t)run->input_count;
    wire->out_count = (uint32_t)run->out_count;
    wire->shrink = run->shrink;
    if (run->first)
        first_put(run->first, &wire->first);
    for (int i = 0; i < run->out_count; i++)
        wire->wanted[i] = (uint32_t)run->wanted[i];
    (void)!read(lane->wake, &woken, sizeof woken); /* of an earlier run */
    if (!inputs_put(run, lane, wire, err) ||
        !run_control_begin(run->control, running_stop, &running, err))
        return OUTCOME_FAILED;
    lane->used = wire->free_place > lane->used ? wire->free_place : lane->used;
    outcome = ask_lane(apart->child, lane, ask, reply, err);
    run_control_end(run->control);
    if (outcome == OUTCOME_FINE && !outputs_take(run, &reply->of.ran, lane, err))
        return OUTCOME_FAILED;
    if (outcome == OUTCOME_FINE && run->first && run->first->out_kept)
        *run->first->out_kept = reply->of.ran.kept;
    return outcome;
}

bool apart_run(struct session *session, const struct session_run *run, struct error *err)
{
    struct child *child = session->apart->child;
    for (int strikes = 0; strikes < STRIKES_OUT;) {
        if (!child_enter(child, strikes > 0, run->control, err))
            return false;
        struct lane *lane = child_lane(child, err);
        enum outcome outcome = lane ? run_on(session, run, lane, err) : OUTCOME_FAILED;
        child_leave(child);
        /* A lane that was told to stop may have the answer still to come. */
        if (lane && outcome == OUTCOME_FINE)
            child_lane_return(child, lane);
        else if (lane)
            child_lane_drop(lane);
        strikes += strike(outcome);
        if (!goes_again(outcome))
            return outcome == OUTCOME_FINE;
    }
    return refuse(err, session->apart->how.path);
}
