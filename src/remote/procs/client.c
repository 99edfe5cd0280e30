/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "carry/bridge.h"
#include "io/loop.h"
#include "procs/exec.h"
#include "procs/names.h"
#include "sys/peer.h"
#include "wire/message.h"
#include "wire/mux.h"

struct exec {
    struct channel *control;
    struct bridge *io, *err;
    struct message_reader reader;
    struct later *finish;
    exec_done *done;
    void (*started)(void *context);
    size_t (*filter)(void *context, const uint8_t *in, size_t size, uint8_t *out);
    void *context;
    struct exec_result result;
    struct error reason;
    bool exited, failed, told;
};

static void finish(void *context)
{
    struct exec *exec = context;
    if (exec->told || (!exec->failed && (!exec->exited || exec->io || exec->err)))
        return;
    exec->told = true;
    if (exec->control)
        channel_end(exec->control);
    exec->done(exec->context, exec->failed ? NULL : &exec->result,
               exec->failed ? &exec->reason : NULL);
}

static void fail(struct exec *exec, const struct error *reason)
{
    if (!exec->exited && !exec->failed) {
        exec->failed = true;
        exec->reason = *reason;
    }
    later_ask(exec->finish);
}

static bool on_message(void *context, const struct message *message, struct error *err)
{
    struct exec *exec = context;
    if (message->type == EXEC_STARTED) {
        if (exec->io)
            bridge_release(exec->io);
        if (exec->started)
            exec->started(exec->context);
        return true;
    }
    if (message->type != EXEC_EXITED || message->payload.size < 2)
        return error_set(err, ERROR_INVALID, "message %u from a program", message->type);
    char name[16] = {0};
    size_t length = message->payload.size - 2;
    if (length < sizeof name)
        memcpy(name, message->payload.data + 2, length);
    exec->result.signalled = message->payload.data[0] == 1;
    exec->result.code =
        exec->result.signalled ? signal_number(name) : (int)message->payload.data[1];
    exec->exited = true;
    if (exec->io)
        bridge_leave_input(exec->io);
    later_ask(exec->finish);
    return true;
}

static void control_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct exec *exec = context;
    struct error err;
    channel_consumed(channel, bytes.size);
    if (!message_reader_add(&exec->reader, bytes, on_message, exec, &err)) {
        exec->control = NULL;
        channel_reset(channel, &err);
        fail(exec, &err);
    }
}

static void control_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct exec *exec = context;
    struct error lost;
    (void)channel;
    exec->control = NULL;
    error_set(&lost, ERROR_UNAVAILABLE, "the program's end is not known");
    fail(exec, reason ? reason : &lost);
}

static const struct channel_events control_events = {control_data, NULL, NULL, control_closed};

static void io_done(void *context, const struct error *reason)
{
    struct exec *exec = context;
    (void)reason;
    exec->io = NULL;
    later_ask(exec->finish);
}

static size_t io_filter(void *context, const uint8_t *in, size_t size, uint8_t *out)
{
    struct exec *exec = context;
    return exec->filter(exec->context, in, size, out);
}

static void err_done(void *context, const struct error *reason)
{
    struct exec *exec = context;
    (void)reason;
    exec->err = NULL;
    later_ask(exec->finish);
}

static void deaf(struct exec *exec, enum exec_stream stream, int os)
{
    uint8_t payload = (uint8_t)stream;
    exec->result.lost = os;
    if (exec->control && !exec->exited)
        message_write(exec->control, EXEC_DEAF, (struct bytes){&payload, 1});
}

static void io_deaf(void *context, int os)
{
    deaf(context, EXEC_OUTPUT, os);
}

static void err_deaf(void *context, int os)
{
    deaf(context, EXEC_ERRORS, os);
}

static struct jv *request_of(const struct exec_plan *plan, const char *token)
{
    struct jv *request = jv_object();
    jv_text(request, "token", token);
    if (plan->folder)
        jv_text(request, "folder", plan->folder);
    struct jv *argv = jv_put_array(request, "argv");
    for (size_t i = 0; plan->arguments && plan->arguments[i]; i++)
        jv_push_text(argv, plan->arguments[i]);
    struct jv *env = jv_put_object(request, "env");
    for (size_t i = 0; plan->environment && plan->environment[i]; i++) {
        const char *equals = strchr(plan->environment[i], '=');
        if (!equals)
            continue;
        AUTO(mem_free)
        char *name = xstrndup(plan->environment[i], (size_t)(equals - plan->environment[i]));
        jv_text(env, name, equals + 1);
    }
    if (plan->terminal) {
        struct jv *tty = jv_put_object(request, "tty");
        jv_text(tty, "term", plan->term ? plan->term : "xterm");
        jv_int(tty, "rows", plan->rows);
        jv_int(tty, "columns", plan->columns);
    }
    return request;
}

static void token_new(char out[EXEC_TOKEN_SIZE + 1])
{
    uint8_t random[EXEC_TOKEN_SIZE / 2];
    random_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        out[2 * i] = "0123456789abcdef"[random[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
    }
    out[EXEC_TOKEN_SIZE] = '\0';
}

static void fd_give_back(int fd)
{
    if (fd >= 0)
        close(fd);
}

struct exec *exec_start(struct loop *loop, struct mux *mux, const struct exec_plan *plan,
                        exec_done *done, void *context)
{
    struct exec *exec = xcalloc(1, sizeof *exec);
    char token[EXEC_TOKEN_SIZE + 1];
    exec->done = done;
    exec->started = plan->started;
    exec->filter = plan->filter;
    exec->context = context;
    exec->reader = MESSAGE_READER(EXEC_MESSAGE_MAX);
    exec->finish = later_new(loop, finish, exec);
    token_new(token);

    AUTO(jv_free) struct jv *request = request_of(plan, token);
    AUTO(buf_dispose) struct buf text = BUF(CHANNEL_REQUEST_MAX);
    struct error err;
    if (!jv_write(request, false, &text, &err)) {
        error_wrap(&err, "the command line");
        fd_give_back(plan->in_fd);
        fd_give_back(plan->out_fd);
        fd_give_back(plan->err_fd);
        fail(exec, &err);
        return exec;
    }
    exec->control =
        channel_open(mux, "exec", CHANNEL_CONTROL, buf_bytes(&text), &control_events, exec);
    struct channel *io =
        channel_open(mux, "exec.io", CHANNEL_INTERACTIVE, bytes_of(token), NULL, NULL);
    struct bridge_plan io_plan = {.kind = BRIDGE_PIPES,
                                  .in_fd = plan->in_fd,
                                  .out_fd = plan->out_fd,
                                  .held = plan->terminal,
                                  .deaf = io_deaf,
                                  .filter = plan->filter ? io_filter : NULL};
    exec->io = bridge_new(loop, io, &io_plan, io_done, exec);
    if (plan->terminal) {
        fd_give_back(plan->err_fd);
        return exec;
    }
    struct channel *errors =
        channel_open(mux, "exec.err", CHANNEL_INTERACTIVE, bytes_of(token), NULL, NULL);
    struct bridge_plan err_plan = {
        .kind = BRIDGE_PIPES, .in_fd = -1, .out_fd = plan->err_fd, .deaf = err_deaf};
    exec->err = bridge_new(loop, errors, &err_plan, err_done, exec);
    return exec;
}

void exec_resize(struct exec *exec, uint16_t rows, uint16_t columns)
{
    uint8_t size[4];
    write_u16(size, rows);
    write_u16(size + 2, columns);
    if (exec->control)
        message_write(exec->control, EXEC_SIZE, (struct bytes){size, sizeof size});
}

void exec_signal(struct exec *exec, int number)
{
    const char *name = signal_name(number);
    if (name && exec->control)
        message_write(exec->control, EXEC_SIGNAL, bytes_of(name));
}

void exec_free(struct exec *exec)
{
    if (!exec)
        return;
    if (exec->control)
        channel_reset(exec->control, NULL);
    bridge_free(exec->io, NULL);
    bridge_free(exec->err, NULL);
    later_free(exec->finish);
    message_reader_dispose(&exec->reader);
    free(exec);
}
