/* SPDX-License-Identifier: Apache-2.0 */
#include "image/remote.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "image/cutter.h"
#include "image/models.h"
#include "image/photo.h"
#include "media/picture.h"

enum {
    PATIENCE_MS = 30 * 1000,
    CONNECT_MS = 3000,
    CONNECT_TRIES = 3,
    IDLE_HANDLES = 8,
    MAX_UPLOAD = 9900 * 1000, /* what the other side takes, and a little less */
    MAX_ANSWER = 32 << 20,
    MAX_SIDE = 4096,
};

struct remote {
    char *url, *cutout, *health;
    struct photos *photos;
    pthread_mutex_t lock; /* what follows: connections that are kept */
    CURL *idle[IDLE_HANDLES];
    int idle_count;
    char model[MODEL_KEY_SIZE]; /* that made the last mask */
    bool told;                  /* it looks at prompts; taken for granted until it has answered */
};

struct exchange {
    struct buf body;
    long status;
    long retry_after_s;
    char model[MODEL_KEY_SIZE]; /* "" where the answer does not say */
    bool told;
};

bool remote_url_check(const char *url, struct error *err)
{
    bool http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
    return (http && strlen(url) < 1000 && !strpbrk(url, " ?#@")) ||
           error_set(err, ERROR_INVALID,
                     "IMAGE_SERVICE_URL is an http:// or https:// address without a password");
}

struct remote *remote_open(const char *url, struct photos *photos, struct error *err)
{
    size_t length = strlen(url);
    if (!remote_url_check(url, err))
        return NULL;
    while (url[length - 1] == '/')
        length--;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        error_set(err, ERROR_INTERNAL, "libcurl does not start");
        return NULL;
    }
    struct remote *remote = xcalloc(1, sizeof *remote);
    remote->url = xasprintf("%.*s", (int)length, url);
    remote->cutout = xasprintf("%s/api/image/cutout", remote->url);
    remote->health = xasprintf("%s/health", remote->url);
    remote->photos = photos;
    pthread_mutex_init(&remote->lock, NULL);
    return remote;
}

void remote_close(struct remote *remote)
{
    if (!remote)
        return;
    for (int i = 0; i < remote->idle_count; i++)
        curl_easy_cleanup(remote->idle[i]);
    pthread_mutex_destroy(&remote->lock);
    free(remote->url);
    free(remote->cutout);
    free(remote->health);
    free(remote);
    curl_global_cleanup();
}

static CURL *handle_take(struct remote *remote)
{
    pthread_mutex_lock(&remote->lock);
    CURL *handle = remote->idle_count > 0 ? remote->idle[--remote->idle_count] : NULL;
    pthread_mutex_unlock(&remote->lock);
    return handle ? handle : curl_easy_init();
}

static const char *header_of(CURL *handle, const char *name)
{
    struct curl_header *header = NULL;
    return curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                     : "";
}

static void model_note(struct remote *remote, CURL *handle, struct exchange *out)
{
    snprintf(out->model, sizeof out->model, "%s", header_of(handle, "X-Image-Model"));
    out->told = strcmp(header_of(handle, "X-Image-Prompt"), "taken") == 0;
    if (!out->model[0])
        return;
    pthread_mutex_lock(&remote->lock);
    memcpy(remote->model, out->model, sizeof remote->model);
    remote->told = out->told;
    pthread_mutex_unlock(&remote->lock);
}

bool remote_takes_prompts(struct remote *remote, bool unknown)
{
    pthread_mutex_lock(&remote->lock);
    bool told = remote->model[0] ? remote->told : unknown;
    pthread_mutex_unlock(&remote->lock);
    return told;
}

void remote_model(struct remote *remote, char *out, size_t size)
{
    pthread_mutex_lock(&remote->lock);
    snprintf(out, size, "remote:%s", remote->model);
    pthread_mutex_unlock(&remote->lock);
}

/* Its connection is kept for the next one. */
static void handle_give(struct remote *remote, CURL *handle)
{
    curl_easy_reset(handle);
    pthread_mutex_lock(&remote->lock);
    bool kept = remote->idle_count < IDLE_HANDLES;
    if (kept)
        remote->idle[remote->idle_count++] = handle;
    pthread_mutex_unlock(&remote->lock);
    if (!kept)
        curl_easy_cleanup(handle);
}

static size_t receive(char *data, size_t one, size_t size, void *context)
{
    struct exchange *exchange = context;
    struct bytes bytes = {(const uint8_t *)data, one * size};
    return buf_append(&exchange->body, bytes, NULL) ? bytes.size : 0;
}

static bool away(const struct remote *remote, CURLcode code, struct error *err)
{
    bool slow = code == CURLE_OPERATION_TIMEDOUT;
    error_set(err, slow ? ERROR_TIMEOUT : ERROR_UNAVAILABLE, "%s: %s", remote->url,
              curl_easy_strerror(code));
    return error_about(err, NULL, slow ? "image_service_slow" : "image_service_away");
}

static bool connect_failed(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
}

static void rest(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

struct question {
    const char *url;
    curl_mime *(*form)(CURL *, const void *); /* or NULL */
    const void *context;
    int64_t deadline_ms;
    const struct curl_slist *headers; /* or NULL */
};

static CURLcode ask_once(struct remote *remote, CURL *handle, const struct question *question,
                         struct exchange *out)
{
    int64_t left_ms = question->deadline_ms - mono_ms();
    curl_off_t retry_after = 0;
    if (left_ms < 1)
        return CURLE_OPERATION_TIMEDOUT;
    curl_mime *mime = question->form ? question->form(handle, question->context) : NULL;
    curl_easy_setopt(handle, CURLOPT_URL, question->url);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, out);
    if (mime)
        curl_easy_setopt(handle, CURLOPT_MIMEPOST, mime);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, question->headers);
    buf_clear(&out->body);
    CURLcode code = curl_easy_perform(handle);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
    out->retry_after_s = (long)retry_after;
    model_note(remote, handle, out);
    curl_easy_setopt(handle, CURLOPT_MIMEPOST, NULL);
    curl_mime_free(mime);
    return code;
}

/* One request; connecting is tried again, for nothing was sent then. */
static bool ask(struct remote *remote, const struct question *question, struct exchange *out,
                struct error *err)
{
    CURL *handle = handle_take(remote);
    if (!handle)
        return error_set(err, ERROR_INTERNAL, "libcurl has no handle");
    CURLcode code = ask_once(remote, handle, question, out);
    for (int try = 1; connect_failed(code) && try < CONNECT_TRIES; try++) {
        rest(100 * try * try);
        code = ask_once(remote, handle, question, out);
    }
    handle_give(remote, handle);
    return code == CURLE_OK || away(remote, code, err);
}

struct upload {
    struct buf photo;
    int width, height;               /* of the photo */
    const struct cut_prompt *prompt; /* or NULL */
};

static void upload_dispose_auto(struct upload *upload)
{
    buf_dispose(&upload->photo);
}

static void exchange_dispose_auto(struct exchange *exchange)
{
    buf_dispose(&exchange->body);
}

static void add_text(curl_mime *mime, const char *name, const char *text)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    curl_mime_name(part, name);
    curl_mime_data(part, text, CURL_ZERO_TERMINATED);
}

/* A tenth of a pixel inside at least: what is outside of the photo would be refused. */
static double within(float at, int size)
{
    float most = (float)size - 0.1f;
    return (double)(at < 0 ? 0 : at > most ? most : at);
}

/* For networks that can be told; others give everybody, who are told apart here. */
static void add_prompt(curl_mime *mime, const struct upload *upload)
{
    char text[400] = "";
    const struct cut_prompt *prompt = upload->prompt;
    const struct box *box = &prompt->person;
    if (box->width >= 1 && box->height >= 1) {
        snprintf(text, sizeof text, "%.1f,%.1f,%.1f,%.1f", (double)box->x, (double)box->y,
                 (double)box->width, (double)box->height);
        add_text(mime, "box", text);
    }
    size_t used = 0;
    for (int i = 0; i < prompt->point_count; i++) {
        const struct cut_point *point = &prompt->points[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.1f,%.1f,%d", i ? ";" : "",
                                 within(point->x, upload->width), within(point->y, upload->height),
                                 point->outside ? 0 : 1);
    }
    if (prompt->point_count > 0)
        add_text(mime, "point", text);
    add_text(mime, "hint", "true");
}

static curl_mime *upload_form(CURL *handle, const void *context)
{
    const struct upload *upload = context;
    curl_mime *mime = curl_mime_init(handle);
    curl_mimepart *part = curl_mime_addpart(mime);
    curl_mime_name(part, "image");
    curl_mime_filename(part, "photo.jpg");
    curl_mime_data(part, (const char *)upload->photo.data, upload->photo.size);
    add_text(mime, "format", "mask");
    if (upload->prompt)
        add_prompt(mime, upload);
    return mime;
}

/* As good as fits: a mask hardly depends on it. */
static bool upload_make(const struct picture *photo, struct upload *out, struct error *err)
{
    static const int qualities[] = {94, 82, 60};
    for (size_t i = 0; i < sizeof qualities / sizeof *qualities; i++) {
        buf_clear(&out->photo);
        if (picture_to_jpeg(photo, qualities[i], &out->photo, err))
            return true;
    }
    return error_wrap(err, "send the photo to the image service");
}

/* The answer is a file from outside: it goes through the confined decoder like any other. */
static bool mask_read(struct remote *remote, const struct buf *file, const struct picture *photo,
                      struct picture *out, struct error *err)
{
    char path[64];
    AUTO(fd_close) int fd = memfd_create("mask", MFD_CLOEXEC);
    AUTO(picture_dispose) struct picture mask = {0};
    if (fd < 0 || !fd_write_all(fd, buf_bytes(file), err))
        return error_set(err, ERROR_INTERNAL, "keep the image service's answer");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!photos_decode(remote->photos, path, MAX_SIDE, &mask, err) || mask.width != photo->width ||
        mask.height != photo->height) {
        error_set(err, ERROR_UNAVAILABLE, "%s answers with no mask of %d x %d pixels", remote->url,
                  photo->width, photo->height);
        return error_about(err, NULL, "image_service_failed");
    }
    *out = picture_new(mask.width, mask.height, PICTURE_GREY);
    for (int y = 0; y < mask.height; y++)
        for (int x = 0; x < mask.width; x++)
            picture_row(out, y)[x] = picture_row(&mask, y)[x * mask.channels];
    return true;
}

static bool refused(const struct remote *remote, long status, struct error *err)
{
    const char *hint = status == 421 ? " (it does not answer to that name: start it with "
                                       "--allowed-host and the name)"
                                     : "";
    return error_set(err, ERROR_UNAVAILABLE, "%s answers with status %ld%s", remote->url, status,
                     hint);
}

static void headers_free_auto(struct curl_slist *const *headers)
{
    curl_slist_free_all(*headers);
}

static void answer_tell(const struct exchange *exchange, const struct remote_wish *wish)
{
    if (wish->out_model)
        snprintf(wish->out_model, MODEL_KEY_SIZE, "remote:%.*s", MODEL_KEY_SIZE - 8,
                 exchange->model);
    if (wish->out_told)
        *wish->out_told = exchange->told;
}

bool remote_matte(struct remote *remote, const struct picture *photo,
                  const struct remote_wish *wish, struct picture *out, struct error *err)
{
    AUTO(upload_dispose)
    struct upload upload = {.photo = BUF(MAX_UPLOAD),
                            .width = photo->width,
                            .height = photo->height,
                            .prompt = wish->prompt};
    AUTO(exchange_dispose) struct exchange exchange = {.body = BUF(MAX_ANSWER)};
    AUTO(headers_free) struct curl_slist *headers = NULL;
    int64_t deadline_ms = wish->deadline_ms ? wish->deadline_ms : mono_ms() + PATIENCE_MS;
    if (wish->prompt && cut_prompt_empty(wish->prompt))
        upload.prompt = NULL;
    if (wish->batch)
        headers = curl_slist_append(NULL, "Priority: u=5");
    if (!upload_make(photo, &upload, err))
        return false;
    const struct question question = {remote->cutout, upload_form, &upload, deadline_ms, headers};
    for (;;) {
        if (!ask(remote, &question, &exchange, err))
            return false;
        int64_t wait_ms = (exchange.retry_after_s > 0 ? exchange.retry_after_s : 1) * 1000;
        bool full = exchange.status == 503 || exchange.status == 429;
        if (!full || mono_ms() + wait_ms >= deadline_ms)
            break;
        rest(wait_ms);
    }
    answer_tell(&exchange, wish);
    if (exchange.status == 200)
        return mask_read(remote, &exchange.body, photo, out, err);
    refused(remote, exchange.status, err);
    return error_about(err, NULL, "image_service_failed");
}

bool remote_check(struct remote *remote, struct error *err)
{
    AUTO(exchange_dispose) struct exchange exchange = {.body = BUF(1 << 20)};
    const struct question question = {.url = remote->health, .deadline_ms = mono_ms() + 2000};
    if (!ask(remote, &question, &exchange, err))
        return false;
    return exchange.status == 200 || refused(remote, exchange.status, err);
}
