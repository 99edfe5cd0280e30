/* SPDX-License-Identifier: Apache-2.0 */
/* Calling the application: its handlers, those that wait, and its explanations. */
#include "base/log.h"
#include "http/server_internal.h"

void exchange_explain(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    response_drop_body(&exchange->response);
    server->app.explain(server->app.context, &exchange->request, &exchange->err,
                        &exchange->response);
    exchange->ready = true;
}

void exchange_handle(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->handed = true;
    if (!server->app.handle(server->app.context, &exchange->request, &exchange->response,
                            &exchange->err))
        exchange_explain(exchange);
    exchange->ready = true;
}

/* Asks a handler that waited. */
static void ask_again(struct exchange *exchange)
{
    struct http_wait wait = exchange->response.wait;
    bool stopping = atomic_load(&exchange->server->stopping);
    exchange->response.wait = (struct http_wait){.state = NULL};
    exchange->response.kind = RESPONSE_EMPTY;
    bool fine =
        wait.again(wait.state, &exchange->request, &exchange->response, stopping, &exchange->err);
    bool waits = fine && exchange->response.kind == RESPONSE_WAIT;
    if (waits && stopping) {
        error_set(&exchange->err, ERROR_UNAVAILABLE, "the server is stopping");
        error_about(&exchange->err, NULL, "shutting_down");
        exchange->response.wait.free = NULL;
        fine = waits = false;
    }
    if (!waits && wait.free)
        wait.free(wait.state);
    if (!fine)
        exchange_explain(exchange);
}

void exchange_work(void *context)
{
    struct exchange *exchange = context;
    log_set_id(exchange->request.id);
    if (exchange->handed)
        ask_again(exchange);
    else
        exchange_handle(exchange);
    for (;;) {
        bool waits = exchange->response.kind == RESPONSE_WAIT;
        exchange->ready = !waits;
        if (!waits) {
            log_set_id(NULL);
            exchange_resume(exchange);
            return;
        }
        /* Once it waits it belongs to whoever wakes it: not to be touched here any more. */
        int64_t until_ms = exchange->response.wait.until_ms;
        if (waiting_begin(exchange, WAITING_AGAIN, until_ms)) {
            log_set_id(NULL);
            return;
        }
        ask_again(exchange);
    }
}
