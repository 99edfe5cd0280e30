/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting people out on another machine: a vmad with the role image, over HTTP. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct cut_prompt;
struct error;
struct photos;
struct picture;
struct remote;

/* ERROR_INVALID unless it is an address that can be asked. */
MUST_USE bool remote_url_check(const char *url, struct error *err);

/* `url` is where that vmad is ("http://gpu.local:55441"); `photos` decodes what it answers, for it
 * is not trusted more than anybody, and must outlive the remote. Nothing is sent yet. */
MUST_USE struct remote *remote_open(const char *url, struct photos *photos, struct error *err);
void remote_close(struct remote *remote);
static inline void remote_close_auto(struct remote **remote)
{
    remote_close(*remote);
}

struct remote_wish {
    const struct cut_prompt *prompt; /* or NULL */
    int64_t deadline_ms;             /* mono_ms; 0: 30 s from now */
    bool batch;                      /* nobody waits for it */
    char *out_model;                 /* NULL, or room for MODEL_KEY_SIZE: "remote:portrait@1:…" */
    bool *out_told;                  /* NULL, or: did that look at the prompt? */
};
/* A matte of the photo's size (RGB). A service that cannot be reached is tried three times within
 * a second; one that is full is asked again when it says, as long as the deadline allows. Errors
 * image_service_away, image_service_failed, image_service_slow. Threads may share a remote. */
MUST_USE bool remote_matte(struct remote *remote, const struct picture *photo,
                           const struct remote_wish *wish, struct picture *out, struct error *err);

/* Does it answer to GET /health, within two seconds? */
MUST_USE bool remote_check(struct remote *remote, struct error *err);
/* Did what made the last mask look at prompts? `unknown` before the first one. */
bool remote_takes_prompts(struct remote *remote, bool unknown);
/* Which model made the last mask, as X-Image-Model names it: "remote:portrait@1:…". */
void remote_model(struct remote *remote, char *out, size_t size);
