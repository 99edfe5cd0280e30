/* SPDX-License-Identifier: Apache-2.0 */
#include "image/photo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/portrait.h"
#include "media/picture.h"
#include "sandbox/helper.h"
#include "sandbox/photo_request.h"

/* By the clock there is more time than any picture is allowed of a processor: on a busy machine a
 * photo of 48 megapixels waits for its turns. */
enum { TIMEOUT_MS = 30 * 1000, MEMORY_MIB = 1024 };

struct photos {
    struct helper *jpegs; /* the usual photo; NULL: the other one does everything */
    struct helper *all;
    int64_t timeout_ms;
};

/* The decoder beside this program, or where an installation puts it. */
static bool program_find(const char *name, char out[PATH_MAX], struct error *err)
{
    static const char *const places[] = {"", "../libexec/vmad/"};
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0)
        return error_os(err, errno, "find this program's folder");
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int size = snprintf(out, PATH_MAX, "%s/%s%s", folder, places[i], name);
        if (size > 0 && size < PATH_MAX && access(out, X_OK) == 0)
            return true;
    }
    return error_set(err, ERROR_UNAVAILABLE, "%s is not beside this program in %s", name, folder);
}

struct photos *photos_open(const struct photos_settings *settings, struct error *err)
{
    char all[PATH_MAX], jpegs[PATH_MAX];
    const char *program = settings ? settings->program : NULL;
    AUTO(photos_close) struct photos *photos = xcalloc(1, sizeof *photos);
    photos->timeout_ms = settings && settings->timeout_ms ? settings->timeout_ms : TIMEOUT_MS;
    if (program) {
        photos->all = helper_open(program, err);
        return photos->all ? TAKE(photos) : NULL;
    }
    if (!program_find("vmad-decoder", all, err) || !program_find("vmad-jpeg", jpegs, err))
        return NULL;
    photos->all = helper_open_later(all);
    photos->jpegs = helper_open(jpegs, err);
    return photos->jpegs ? TAKE(photos) : NULL;
}

void photos_close(struct photos *photos)
{
    if (!photos)
        return;
    helper_close(photos->jpegs);
    helper_close(photos->all);
    free(photos);
}

static bool refuse(struct error *err, enum error_kind kind, const char *code, const char *text)
{
    error_set(err, kind, "%s", text);
    return error_about(err, "image", code);
}

static int file_open(const char *path, struct error *err)
{
    AUTO(fd_close) int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0) {
        error_os(err, errno, "open %s", path);
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        refuse(err, ERROR_INVALID, "image_not_a_picture", "it is not a file");
        return -1;
    }
    if (info.st_size == 0) {
        refuse(err, ERROR_INVALID, "image_empty", "the file is empty");
        return -1;
    }
    if (info.st_size > PHOTO_MAX_BYTES) {
        refuse(err, ERROR_LIMIT, "image_too_large", "the file is larger than 10 MB");
        return -1;
    }
    return fd_take(&file);
}

static bool outcome_check(const struct photo_reply *reply, struct error *err)
{
    switch (reply->outcome) {
    case PHOTO_DECODED:
        return true;
    case PHOTO_HUGE:
        return refuse(err, ERROR_LIMIT, "image_too_many_pixels", reply->text);
    case PHOTO_ANIMATED:
        return refuse(err, ERROR_INVALID, "image_animated", reply->text);
    case PHOTO_TRUNCATED:
        return refuse(err, ERROR_INVALID, "image_truncated", reply->text);
    default:
        return refuse(err, ERROR_INVALID, "image_not_a_picture", reply->text);
    }
}

/* The worker may be lying: what it says is checked against what it was given. */
static bool reply_read(const struct helper_result *result, int max_side, struct photo_reply *out,
                       struct error *err)
{
    if (result->reply_size != sizeof *out)
        return refuse(err, ERROR_INTERNAL, "image_decoder_died", "the decoder's reply is cut");
    memcpy(out, result->reply, sizeof *out);
    out->text[sizeof out->text - 1] = '\0';
    for (char *at = out->text; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    if (!outcome_check(out, err))
        return false;
    uint32_t limit = (uint32_t)max_side;
    if (out->width < 1 || out->width > limit || out->height < 1 || out->height > limit ||
        (out->channels != 3 && out->channels != 4))
        return refuse(err, ERROR_INTERNAL, "image_decoder_died", "the decoder's reply is wrong");
    return true;
}

static struct picture picture_take(const struct helper_result *result,
                                   const struct photo_reply *reply)
{
    struct picture picture =
        picture_new((int)reply->width, (int)reply->height, (int)reply->channels);
    size_t row = (size_t)reply->width * reply->channels;
    const uint8_t *pixels = result->shared;
    for (int y = 0; y < picture.height; y++)
        memcpy(picture_row(&picture, y), pixels + (size_t)y * row, row);
    return picture;
}

/* One look at the file by one of the helpers. */
static bool ask(const struct photos *photos, struct helper *helper, int file, int max_side,
                struct helper_result *out, struct error *err)
{
    struct photo_request request = {.max_side = (uint32_t)max_side};
    struct helper_job job = {.file = file,
                             .request = &request,
                             .request_size = sizeof request,
                             .shared_bytes = (size_t)max_side * (size_t)max_side * 4,
                             .limits = {(size_t)MEMORY_MIB << 20, PHOTO_MAX_CPU_S},
                             .timeout_ms = photos->timeout_ms};
    if (helper_run(helper, &job, out, err))
        return true;
    log_warn("photo.not_read",
             LOG_TEXT("by", helper == photos->jpegs ? "vmad-jpeg" : "vmad-decoder"),
             LOG_ERROR(err));
    if (err->kind == ERROR_TIMEOUT) {
        err->kind = ERROR_INVALID; /* the picture is at fault, not the time */
        return error_about(err, "image", "image_timeout");
    }
    if (err->kind != ERROR_INTERNAL)
        return error_wrap(err, "decode the picture");
    err->kind = ERROR_INVALID;
    return error_about(err, "image", "image_decoder_died");
}

static bool is_jpeg(int file)
{
    uint8_t start[3];
    return pread(file, start, sizeof start, 0) == (ssize_t)sizeof start && start[0] == 0xff &&
           start[1] == 0xd8 && start[2] == 0xff;
}

static bool is_unusual(const struct helper_result *result)
{
    struct photo_reply reply;
    if (result->reply_size != sizeof reply)
        return false;
    memcpy(&reply, result->reply, sizeof reply);
    return reply.outcome == PHOTO_UNUSUAL;
}

bool photos_decode(struct photos *photos, const char *path, int max_side, struct picture *out,
                   struct error *err)
{
    struct error local;
    err = err ? err : &local;
    max_side = max_side < 1 ? 1 : max_side > PHOTO_MAX_SIDE ? PHOTO_MAX_SIDE : max_side;
    AUTO(fd_close) int file = file_open(path, err);
    if (file < 0)
        return false;
    struct photo_reply reply;
    AUTO(helper_result_dispose) struct helper_result result = {0};
    bool quick = photos->jpegs && is_jpeg(file);
    if (quick && !ask(photos, photos->jpegs, file, max_side, &result, err))
        return false;
    if (!quick || is_unusual(&result)) {
        helper_result_dispose(&result);
        if (!ask(photos, photos->all, file, max_side, &result, err))
            return false;
    }
    if (!reply_read(&result, max_side, &reply, err))
        return false;
    *out = picture_take(&result, &reply);
    return true;
}

bool photo_decode(const char *path, int max_side, struct picture *out, struct error *err)
{
    AUTO(photos_close) struct photos *photos = photos_open(NULL, err);
    return photos && photos_decode(photos, path, max_side, out, err);
}
