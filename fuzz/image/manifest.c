/* SPDX-License-Identifier: Apache-2.0 */
/* Any manifest of a model, ours or a user's: refused with a reason, or an entry whose files stand
 * in its own folder. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/models.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char embedded[] = "{\"models\":[{\"kind\":\"portrait\",\"file\":\"model.onnx\","
                               "\"bytes\":4,\"sha256\":\"" DIGITS "\"}]}";
/* In memory where that can be had: a disk makes a file that is cut and written anew wait. */
static char top[64];

static void put(const char *path, struct bytes content)
{
    struct error err;
    AUTO(mem_free) char *full = xasprintf("%s/%s", top, path);
    AUTO(fd_close) int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || !fd_write_all(fd, content, &err))
        abort();
}

static void clean_up(void)
{
    struct error err;
    if (!tree_remove(top, &err))
        fprintf(stderr, "%s\n", err.text);
}

static void set_up(void)
{
    static const char *const folders[] = {"ours", "theirs", "theirs/net", "theirs/net/1"};
    const char *memory = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(top, sizeof top, "%s/fuzz-manifest-XXXXXX", memory);
    if (!mkdtemp(top))
        abort();
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        AUTO(mem_free) char *path = xasprintf("%s/%s", top, folders[i]);
        if (mkdir(path, 0700) != 0)
            abort();
    }
    put("ours/model.onnx", bytes_of("four"));
    put("theirs/net/1/model.onnx", bytes_of("four"));
    put("secret", bytes_of("four"));
    atexit(clean_up);
}

static void read_both(bool ours)
{
    struct error err;
    char problem[160];
    AUTO(mem_free) char *own = xasprintf("%s/ours", top);
    AUTO(mem_free) char *user = xasprintf("%s/theirs", top);
    AUTO(models_dispose) struct models models = {0};
    if (!models_read(own, user, &models, problem, sizeof problem, &err)) {
        assert(ours && err.text[0]);
        return;
    }
    assert(models.used >= 0 && models.used < models.count);
    for (int i = 0; i < models.count; i++) {
        const struct model_entry *entry = &models.entries[i];
        for (int k = 0; k < MODEL_FILES && !entry->problem[0]; k++) {
            if (!entry->paths[k])
                continue;
            assert(strlen(entry->paths[k]) > strlen(top) && !strstr(entry->paths[k], "/.."));
            assert(strspn(entry->sha256[k], "0123456789abcdef") == SHA256_TEXT_SIZE - 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready)
        set_up();
    ready = true;
    bool ours = size && data[0] == '[';
    struct bytes text = {data + ours, size - ours};
    put("ours/manifest.json", ours ? text : bytes_of(embedded));
    put("theirs/net/1/manifest.json", ours ? bytes_of("{}") : text);
    read_both(ours);
    return 0;
}
