/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/openjtalk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "voice/child.h"
#include "voice/label_voice.h"

enum {
    TRACE_LIMIT = 8 << 20, /* 400 bytes a label, and as much again for its states */
    TIMEOUT_MS = 5000,
};

struct openjtalk {
    char *dictionary;
    int voice_fd; /* the voice that costs nothing; children reopen it by its number */
};

static bool has_dictionary(const char *folder)
{
    AUTO(mem_free) char *path = xasprintf("%s/sys.dic", folder);
    return access(path, R_OK) == 0;
}

static char *dictionary_find(const char *data_dir)
{
    static const char *const places[] = {
        "/var/lib/mecab/dic/open-jtalk/naist-jdic",
        "/usr/lib/mecab/dic/open-jtalk/naist-jdic",
        "/usr/local/share/open_jtalk/naist-jdic",
    };
    if (data_dir) {
        AUTO(mem_free) char *own = xasprintf("%s/naist-jdic", data_dir);
        if (has_dictionary(own))
            return TAKE(own);
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (has_dictionary(places[i]))
            return xstrdup(places[i]);
    return NULL;
}

struct openjtalk *openjtalk_open(const char *data_dir, struct error *err)
{
    AUTO(mem_free) char *dictionary = dictionary_find(data_dir);
    if (!dictionary) {
        error_set(err, ERROR_NOT_FOUND, "Open JTalk's dictionary is not installed");
        return NULL;
    }
    AUTO(fd_close) int fd = memfd_create("label-voice", MFD_CLOEXEC);
    if (fd < 0) {
        error_os(err, errno, "memfd_create");
        return NULL;
    }
    if (!fd_write_all(fd, label_voice(), err))
        return NULL;
    AUTO(openjtalk_close) struct openjtalk *openjtalk = xmalloc(sizeof *openjtalk);
    *openjtalk = (struct openjtalk){.dictionary = TAKE(dictionary), .voice_fd = fd_take(&fd)};
    AUTO(labels_dispose) struct labels probe = {0}; /* also warms the dictionary's pages */
    if (!openjtalk_labels(openjtalk, "あ", &probe, err))
        return NULL;
    return TAKE(openjtalk);
}

void openjtalk_close(struct openjtalk *openjtalk)
{
    if (!openjtalk)
        return;
    close(openjtalk->voice_fd);
    free(openjtalk->dictionary);
    free(openjtalk);
}

static bool run(const struct openjtalk *openjtalk, const char *sentence, struct labels *out,
                struct error *err)
{
    const char *const argv[] = {
        "open_jtalk",      "-x",  openjtalk->dictionary, "-m",
        "/proc/self/fd/3", "-ot", "/dev/stdout",         NULL,
    };
    struct child_job job = {
        .argv = argv,
        .input = bytes_of(sentence),
        .extra_fd = openjtalk->voice_fd,
        .timeout_ms = TIMEOUT_MS,
    };
    AUTO(buf_dispose) struct buf trace = BUF(TRACE_LIMIT);
    return child_run(&job, &trace, err) && labels_parse(buf_string(&trace), out, err);
}

/* The program says of a sentence in which it finds nothing what it says of any failure: it ends
 * with status 1 and no trace. So a sentence that fails is tried once more and then compared with
 * one that cannot fail. */
bool openjtalk_labels(const struct openjtalk *openjtalk, const char *sentence, struct labels *out,
                      struct error *err)
{
    static const char sure[] = "あ";
    struct error cause = {0}, other = {0};
    if (strlen(sentence) > OPENJTALK_LIMIT)
        return error_set(err, ERROR_LIMIT, "a sentence of %zu bytes", strlen(sentence));
    if (run(openjtalk, sentence, out, &cause))
        return true;
    if (cause.kind == ERROR_UNAVAILABLE && strcmp(sentence, sure) != 0) {
        AUTO(labels_dispose) struct labels probe = {0};
        if (run(openjtalk, sentence, out, &other))
            return true;
        if (run(openjtalk, sure, &probe, &other))
            return error_set(err, ERROR_INVALID, "nothing to say: %s", cause.text);
    }
    if (err)
        *err = cause;
    return false;
}
