/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and sockets of one side, reachable on the other. docs/protocol.md, "Forwards". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct loop;
struct mux;

/* "PORT", "HOST:PORT", "[HOST]:PORT", or a path with a slash: a Unix socket. */
enum { FORWARD_HOST_MAX = 255, FORWARD_TEXT_MAX = 300 };
struct forward_place {
    bool is_path;
    char host[FORWARD_HOST_MAX + 1]; /* or the path */
    uint16_t port;
};

/* "55433" is 127.0.0.1 port 55433. Port 0 is allowed for listening: any free one. */
MUST_USE bool forward_place_parse(const char *text, struct forward_place *out, struct error *err);
void forward_place_text(const struct forward_place *place, char out[FORWARD_TEXT_MAX]);

/* One rule: who listens where, and where it leads to on the other side. */
struct forward_rule {
    bool reverse; /* the agent listens and this side connects */
    struct forward_place listen, target;
};
/* "LISTEN", "LISTEN=TARGET"; LISTEN and TARGET as above; alone, the target is the same port on
 * the other side's loopback. "8080:80" is understood as people mean it: 8080=80. */
MUST_USE bool forward_rule_parse(const char *text, bool reverse, struct forward_rule *out,
                                 struct error *err);

/* --- the agent's side: connects, and listens, when asked to --- */
struct forward_server;
struct forward_server *forward_server_new(struct loop *loop, struct mux *mux);
void forward_server_free(struct forward_server *server);

/* How many places it listens on. */
unsigned forward_server_count(const struct forward_server *server);

/* --- the client's side --- */
enum forward_state { FORWARD_STARTING, FORWARD_LISTENING, FORWARD_FAILED };
struct forward;
/* State changed: listening (the port may have been chosen by the system) or failed with *why. */
typedef void forward_changed(void *context, struct forward *forward);

struct forward_client;
struct forward_client *forward_client_new(struct loop *loop, struct mux *mux);
void forward_client_free(struct forward_client *client);
/* Lets the other end of `guest`, another session of ours, listen there, too. Free it after the
 * guest's mux and before the client. */
struct forward_share;
MUST_USE struct forward_share *forward_share_new(struct forward_client *client, struct mux *guest);
void forward_share_free(struct forward_share *share);
/* The forward lives until it is removed or the client freed. */
struct forward *forward_add(struct forward_client *client, const struct forward_rule *rule,
                            forward_changed *changed, void *context);
void forward_remove(struct forward *forward);

struct forward_info {
    struct forward_rule rule;
    enum forward_state state;
    uint16_t port; /* that it listens on */
    unsigned connections;
    uint64_t total;
    const struct error *why; /* when failed */
};
void forward_look(const struct forward *forward, struct forward_info *out);
