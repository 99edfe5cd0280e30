/* SPDX-License-Identifier: Apache-2.0 */
/* A thread for each lane answers its questions; the first thread opens lanes and passes stops on.
 * The end of the connection ends the process at once, whatever runs. */
#include "infer/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "infer/runtime.h"
#include "infer/wire_internal.h"
#include "sys/fdpass.h"
#include "sys/memory.h"

enum { QUIET_MS = 1500, FORGET_MS = 20 * 1000 }; /* without a question */

struct lane {
    struct server *server;
    uint32_t number;
    int socket;
    uint8_t *memory;
    struct run_control *control;
    uint64_t runs, stopped; /* serials, under the server's lock */
    struct lane *next;
};

struct open_model {
    uint32_t number;
    struct session *session; /* NULL: a free place */
    int users;
    bool closing;
};

struct server {
    struct runtime *runtime;
    pthread_mutex_t lock; /* everything below */
    struct lane *lanes;
    struct open_model models[WIRE_SESSIONS];
};

/* Under the lock. */
static struct open_model *model_at(struct server *server, uint32_t number)
{
    for (size_t i = 0; i < WIRE_SESSIONS; i++)
        if (server->models[i].session && server->models[i].number == number)
            return &server->models[i];
    return NULL;
}

static struct session *model_use(struct server *server, uint32_t number)
{
    pthread_mutex_lock(&server->lock);
    struct open_model *model = model_at(server, number);
    if (model && model->closing)
        model = NULL;
    if (model)
        model->users++;
    struct session *session = model ? model->session : NULL;
    pthread_mutex_unlock(&server->lock);
    return session;
}

/* Ends a use, or asks for the end: whoever comes last closes it. */
static void model_leave(struct server *server, uint32_t number, bool close_it)
{
    struct session *unused = NULL;
    pthread_mutex_lock(&server->lock);
    struct open_model *model = model_at(server, number);
    if (model) {
        model->closing |= close_it;
        model->users -= !close_it;
        if (model->closing && model->users == 0)
            unused = TAKE(model->session);
    }
    pthread_mutex_unlock(&server->lock);
    session_close(unused);
}

static bool model_keep(struct server *server, uint32_t number, struct session *session)
{
    bool kept = false;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < WIRE_SESSIONS && !kept; i++)
        if (!server->models[i].session) {
            server->models[i] = (struct open_model){.number = number, .session = session};
            kept = true;
        }
    pthread_mutex_unlock(&server->lock);
    return kept;
}

static bool ports_tell(const struct tensor_info *infos, int count, struct wire_port *out,
                       struct error *err)
{
    for (int i = 0; i < count; i++) {
        if (strlen(infos[i].name) >= WIRE_NAME)
            return error_set(err, ERROR_INVALID, "a tensor has a name of %zu bytes",
                             strlen(infos[i].name));
        snprintf(out[i].name, sizeof out[i].name, "%s", infos[i].name);
        out[i].type = (uint32_t)infos[i].type;
        out[i].rank = infos[i].rank;
        memcpy(out[i].dims, infos[i].dims, sizeof out[i].dims);
    }
    return true;
}

static bool answer_open(struct server *server, const struct wire_ask *ask, struct wire_opened *out,
                        struct error *err)
{
    const struct wire_open *open = &ask->of.open;
    const struct session_options options = {.device = open->device,
                                            .threads = open->threads,
                                            .device_required = open->device_required,
                                            .arena_limit_bytes = open->arena_limit_bytes};
    memory_trim(); /* who opens it measures what it takes, and what others left is not counted */
    AUTO(session_close)
    struct session *session = session_open(server->runtime, open->path, &options, err);
    if (!session)
        return false;
    int inputs, outputs;
    const struct tensor_info *in = session_inputs(session, &inputs);
    const struct tensor_info *made = session_outputs(session, &outputs);
    const char *fallback = session_fallback(session);
    if (inputs > WIRE_PORTS || outputs > WIRE_PORTS)
        return error_set(err, ERROR_INVALID, "the model has too many inputs or outputs");
    if (!ports_tell(in, inputs, out->inputs, err) || !ports_tell(made, outputs, out->outputs, err))
        return false;
    snprintf(out->device, sizeof out->device, "%s", session_device(session));
    snprintf(out->fallback, sizeof out->fallback, "%s", fallback ? fallback : "");
    out->input_count = (uint32_t)inputs;
    out->output_count = (uint32_t)outputs;
    if (!model_keep(server, ask->session, session))
        return error_set(err, ERROR_LIMIT, "%d models are open already", WIRE_SESSIONS);
    (void)TAKE(session);
    return true;
}

/* The question's tensors, pointing into the lane's memory. */
struct call {
    struct tensor in[WIRE_PORTS], out[WIRE_PORTS], first_in;
    struct session_first first;
    int wanted[WIRE_PORTS];
    bool placed[WIRE_PORTS]; /* out[i] is made in the lane's memory at once */
    uint64_t places[WIRE_PORTS], free_place;
};

static bool input_find(const struct lane *lane, const struct wire_tensor *wire, struct tensor *out,
                       struct error *err)
{
    size_t bytes;
    if (!wire_tensor_check(wire, WIRE_LANE_BYTES, &bytes))
        return error_set(err, ERROR_INTERNAL, "an input makes no sense");
    *out = (struct tensor){.type = (enum tensor_type)wire->type,
                           .rank = wire->rank,
                           .data = lane->memory + wire->place};
    memcpy(out->dims, wire->dims, sizeof wire->dims);
    return true;
}

static bool is_made(const struct wire_first *first, uint32_t input)
{
    for (uint32_t i = 0; i < first->count; i++)
        if (first->to[i] == input)
            return true;
    return false;
}

static bool inputs_find(const struct lane *lane, const struct wire_run *run, struct call *call,
                        struct error *err)
{
    for (uint32_t i = 0; i < run->input_count; i++)
        if (!is_made(&run->first, i) && !input_find(lane, &run->inputs[i], &call->in[i], err))
            return false;
    return run->first.count == 0 || input_find(lane, &run->first.input, &call->first_in, err);
}

/* Outputs whose size the model says go straight into the lane's memory. */
static bool outputs_place(const struct lane *lane, const struct session *session,
                          const struct wire_run *run, struct call *call, struct error *err)
{
    int count;
    const struct tensor_info *infos = session_outputs(session, &count);
    call->free_place = wire_align(run->free_place);
    for (uint32_t i = 0; i < run->out_count; i++) {
        if (run->wanted[i] >= (uint32_t)count)
            return error_set(err, ERROR_INTERNAL, "there is no output %u", run->wanted[i]);
        const struct tensor_info *info = &infos[run->wanted[i]];
        call->wanted[i] = (int)run->wanted[i];
        struct wire_tensor wire = {
            .type = (uint32_t)info->type, .rank = info->rank, .place = call->free_place};
        memcpy(wire.dims, info->dims, sizeof wire.dims);
        size_t bytes;
        if (!wire_tensor_check(&wire, WIRE_LANE_BYTES, &bytes) || bytes == 0)
            continue;
        call->out[i] = (struct tensor){
            .type = info->type, .rank = info->rank, .data = lane->memory + wire.place};
        memcpy(call->out[i].dims, info->dims, sizeof info->dims);
        call->placed[i] = true;
        call->places[i] = wire.place;
        call->free_place = wire_align(wire.place + bytes);
    }
    return true;
}

static bool outputs_tell(const struct lane *lane, const struct wire_run *run, struct call *call,
                         struct wire_ran *out, struct error *err)
{
    for (uint32_t i = 0; i < run->out_count; i++) {
        struct tensor *made = &call->out[i];
        struct wire_tensor *wire = &out->out[i];
        size_t bytes;
        *wire = (struct wire_tensor){
            .type = (uint32_t)made->type,
            .rank = made->rank,
            .place = call->placed[i] ? call->places[i] : call->free_place,
        };
        memcpy(wire->dims, made->dims, sizeof wire->dims);
        if (!wire_tensor_check(wire, WIRE_LANE_BYTES, &bytes))
            return error_set(err, ERROR_LIMIT, "output %u is too large to hand over", i);
        if (call->placed[i])
            continue;
        memcpy(lane->memory + wire->place, made->data, bytes);
        call->free_place = wire_align(wire->place + bytes);
    }
    return true;
}

static void run_begins(struct lane *lane, uint64_t serial)
{
    pthread_mutex_lock(&lane->server->lock);
    lane->runs = serial;
    run_control_reset(lane->control);
    if (lane->stopped >= serial)
        run_control_cancel(lane->control);
    pthread_mutex_unlock(&lane->server->lock);
}

/* `session` is the first of two, or NULL. */
static bool first_find(const struct wire_run *run, struct session *session,
                       const struct session *then, struct call *call, bool *out_kept,
                       struct error *err)
{
    const struct wire_first *wire = &run->first;
    int made, taken;
    call->first = (struct session_first){.session = session,
                                         .input = &call->first_in,
                                         .key = wire->key,
                                         .count = (int)wire->count,
                                         .out_kept = out_kept};
    if (!session)
        return true;
    session_outputs(session, &made);
    session_inputs(then, &taken);
    for (uint32_t i = 0; i < wire->count; i++) {
        if (wire->from[i] >= (uint32_t)made || wire->to[i] >= (uint32_t)taken ||
            wire->to[i] >= run->input_count)
            return error_set(err, ERROR_INTERNAL, "the two networks do not fit");
        call->first.from[i] = (int)wire->from[i];
        call->first.to[i] = (int)wire->to[i];
    }
    return true;
}

static bool run_model(struct lane *lane, struct session *first, struct session *session,
                      const struct wire_ask *ask, struct wire_ran *out, struct error *err)
{
    const struct wire_run *run = &ask->of.run;
    struct call call = {.free_place = 0};
    if (!inputs_find(lane, run, &call, err) || !outputs_place(lane, session, run, &call, err) ||
        !first_find(run, first, session, &call, &out->kept, err))
        return false;
    const struct session_run request = {.first = first ? &call.first : NULL,
                                        .inputs = call.in,
                                        .input_count = (int)run->input_count,
                                        .wanted = call.wanted,
                                        .out = call.out,
                                        .out_count = (int)run->out_count,
                                        .control = lane->control,
                                        .shrink = run->shrink};
    run_begins(lane, run->serial);
    bool done = session_run(session, &request, err) && outputs_tell(lane, run, &call, out, err);
    for (uint32_t i = 0; i < run->out_count; i++)
        if (!call.placed[i])
            tensor_dispose(&call.out[i]);
    return done;
}

static bool answer_run(struct lane *lane, const struct wire_ask *ask, struct wire_ran *out,
                       struct error *err)
{
    const struct wire_run *run = &ask->of.run;
    bool two = run->first.count > 0;
    if (run->input_count > WIRE_PORTS || run->out_count > WIRE_PORTS ||
        run->first.count > SESSION_FIRST)
        return error_set(err, ERROR_INTERNAL, "%u inputs, %u outputs", run->input_count,
                         run->out_count);
    struct session *session = model_use(lane->server, ask->session);
    struct session *first = two ? model_use(lane->server, run->first.session) : NULL;
    bool there = session && (first || !two);
    bool done = there ? run_model(lane, first, session, ask, out, err)
                      : error_set(err, ERROR_INTERNAL, "there is no model %u", ask->session);
    if (session)
        model_leave(lane->server, ask->session, false);
    if (first)
        model_leave(lane->server, run->first.session, false);
    return done;
}

static void lane_free(struct lane *lane)
{
    struct server *server = lane->server;
    pthread_mutex_lock(&server->lock);
    for (struct lane **at = &server->lanes; *at; at = &(*at)->next)
        if (*at == lane) {
            *at = lane->next;
            break;
        }
    pthread_mutex_unlock(&server->lock);
    munmap(lane->memory, WIRE_LANE_BYTES);
    close(lane->socket);
    run_control_free(lane->control);
    free(lane);
}

/* Of all models; true while something is left. */
static bool forget(struct server *server)
{
    bool left = false;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < WIRE_SESSIONS; i++)
        if (server->models[i].session)
            left |= session_forget(server->models[i].session);
    pthread_mutex_unlock(&server->lock);
    return left;
}

/* The next question. While it does not come, memory goes back to the system. */
static bool next_ask(const struct lane *lane, struct wire_ask *ask)
{
    struct pollfd poll_for = {.fd = lane->socket, .events = POLLIN};
    int wait_ms = QUIET_MS;
    while (poll(&poll_for, 1, wait_ms) == 0) {
        wait_ms = forget(lane->server) ? FORGET_MS : -1;
        memory_trim();
    }
    return wire_receive(lane->socket, ask, sizeof *ask);
}

static void *lane_work(void *context)
{
    struct lane *lane = context;
    AUTO(mem_free) struct wire_ask *ask = xmalloc(sizeof *ask);
    AUTO(mem_free) struct wire_reply *reply = xmalloc(sizeof *reply);
    bool open = true;
    while (open && next_ask(lane, ask)) {
        struct error err = {.kind = ERROR_INTERNAL, .text = "unknown question"};
        memset(reply, 0, sizeof *reply);
        if (ask->what == WIRE_OPEN) {
            ask->of.open.path[WIRE_PATH - 1] = ask->of.open.device[15] = '\0';
            reply->fine = answer_open(lane->server, ask, &reply->of.opened, &err);
        } else if (ask->what == WIRE_RUN) {
            reply->fine = answer_run(lane, ask, &reply->of.ran, &err);
        } else if (ask->what == WIRE_CLOSE) {
            model_leave(lane->server, ask->session, true);
            reply->fine = true;
        }
        if (!reply->fine)
            wire_error_put(&err, &reply->error);
        open = wire_send(lane->socket, reply, sizeof *reply);
    }
    lane_free(lane);
    return NULL;
}

static void lane_open(struct server *server)
{
    struct wire_lane wire;
    size_t size = sizeof wire;
    int fds[2];
    struct stat info;
    if (!fdpass_receive(HELLO_FD, &wire, &size, fds, 2, NULL))
        return;
    void *memory = MAP_FAILED;
    if (size == sizeof wire && fstat(fds[1], &info) == 0 && info.st_size >= (off_t)WIRE_LANE_BYTES)
        memory = mmap(NULL, WIRE_LANE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    close(fds[1]);
    if (memory == MAP_FAILED) {
        close(fds[0]);
        return;
    }
    struct lane *lane = xcalloc(1, sizeof *lane);
    *lane = (struct lane){.server = server,
                          .number = wire.lane,
                          .socket = fds[0],
                          .memory = memory,
                          .control = run_control_new()};
    pthread_mutex_lock(&server->lock);
    lane->next = server->lanes;
    server->lanes = lane;
    pthread_mutex_unlock(&server->lock);
    pthread_t thread;
    if (pthread_create(&thread, NULL, lane_work, lane) == 0)
        pthread_detach(thread);
    else
        lane_free(lane);
}

static void stop_pass_on(struct server *server)
{
    struct wire_stop stop;
    if (!wire_receive(STOP_FD, &stop, sizeof stop))
        return;
    pthread_mutex_lock(&server->lock);
    for (struct lane *lane = server->lanes; lane; lane = lane->next)
        if (lane->number == stop.lane) {
            lane->stopped = stop.serial > lane->stopped ? stop.serial : lane->stopped;
            if (lane->runs == stop.serial)
                run_control_cancel(lane->control);
        }
    pthread_mutex_unlock(&server->lock);
}

static bool say_hello(struct server *server, const char *library)
{
    AUTO(mem_free) struct wire_hello *hello = xcalloc(1, sizeof *hello);
    struct error err = {.kind = ERROR_INTERNAL};
    hello->version = WIRE_VERSION;
    server->runtime = runtime_open(library, &err);
    hello->fine = server->runtime != NULL;
    if (hello->fine) {
        snprintf(hello->library, sizeof hello->library, "%s", runtime_library(server->runtime));
        snprintf(hello->runtime, sizeof hello->runtime, "%s", runtime_version(server->runtime));
    } else {
        wire_error_put(&err, &hello->error);
    }
    return wire_send(HELLO_FD, hello, sizeof *hello) && hello->fine;
}

int infer_serve(const char *library)
{
    struct server *server = xcalloc(1, sizeof *server); /* for as long as the process lives */
    pthread_mutex_init(&server->lock, NULL);
    fcntl(HELLO_FD, F_SETFD, FD_CLOEXEC);
    fcntl(STOP_FD, F_SETFD, FD_CLOEXEC);
    if (!say_hello(server, library))
        return 1;
    struct pollfd sources[] = {{.fd = HELLO_FD, .events = POLLIN},
                               {.fd = STOP_FD, .events = POLLIN}};
    for (;;) {
        if (poll(sources, 2, -1) < 0)
            continue;
        if ((sources[0].revents | sources[1].revents) & (POLLHUP | POLLERR | POLLNVAL))
            _exit(0);
        if (sources[1].revents & POLLIN)
            stop_pass_on(server);
        if (sources[0].revents & POLLIN)
            lane_open(server);
    }
}
