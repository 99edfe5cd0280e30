/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/library.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Relative to the folder of the program and, for `.deps`, to the folders above it. */
static const char *const installed[] = {
    "../lib/vmad/libonnxruntime.so",
    "../lib/libonnxruntime.so",
    "libonnxruntime.so",
};
static const char source_tree[] = ".deps/onnxruntime/lib/libonnxruntime.so";
static const char *const system_names[] = {"libonnxruntime.so", "libonnxruntime.so.1"};
enum { LEVELS_UP = 4 };

static void *try_load(const char *name, char *out_name, size_t name_size)
{
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle)
        snprintf(out_name, name_size, "%s", name);
    return handle;
}

static void *try_in(const char *folder, const char *file, char *out_name, size_t name_size)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, file);
    if (length < 0 || (size_t)length >= sizeof path || access(path, R_OK) != 0)
        return NULL;
    return try_load(path, out_name, name_size);
}

static void *near_program(char *out_name, size_t name_size)
{
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0)
        return NULL;
    folder[length] = '\0';
    for (int level = 0; level <= LEVELS_UP; level++) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            return NULL;
        *slash = '\0';
        void *handle = NULL;
        for (size_t i = 0; level == 0 && !handle && i < sizeof installed / sizeof *installed; i++)
            handle = try_in(folder, installed[i], out_name, name_size);
        if (!handle)
            handle = try_in(folder, source_tree, out_name, name_size);
        if (handle)
            return handle;
    }
    return NULL;
}

void *library_load(const char *path, char *out_name, size_t name_size, struct error *err)
{
    if (path) {
        void *handle = try_load(path, out_name, name_size);
        if (!handle)
            error_set(err, ERROR_UNAVAILABLE, "load ONNX Runtime: %s", dlerror());
        return handle;
    }
    void *handle = near_program(out_name, name_size);
    for (size_t i = 0; !handle && i < sizeof system_names / sizeof *system_names; i++)
        handle = try_load(system_names[i], out_name, name_size);
    if (!handle)
        error_set(err, ERROR_UNAVAILABLE,
                  "ONNX Runtime is not installed: run scripts/deps, or name libonnxruntime.so in "
                  "ONNXRUNTIME_LIB");
    return handle;
}
