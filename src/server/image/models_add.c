/* SPDX-License-Identifier: Apache-2.0 */
/* A model of the user's is taken in: copied with all that belongs to it, hashed, published by one
 * rename. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/external.h"
#include "image/models.h"

static const char *const names[MODEL_FILES] = {"model.onnx", "decoder.onnx"};

static bool file_copy(const char *from, const char *to, struct error *err)
{
    enum { PIECE = 256 * 1024 };
    FILE *in = fopen(from, "rbe");
    if (!in)
        return error_os(err, errno, "open %s", from);
    FILE *out = fopen(to, "wbxe");
    bool fine = out != NULL;
    AUTO(mem_free) char *piece = xmalloc(PIECE);
    size_t got;
    while (fine && (got = fread(piece, 1, PIECE, in)) > 0)
        fine = fwrite(piece, 1, got, out) == got;
    fine = fine && !ferror(in) && fflush(out) == 0 && fsync(fileno(out)) == 0;
    int failed = errno;
    fclose(in);
    if (out)
        fclose(out);
    return fine || error_os(err, failed, "copy %s", from);
}

static bool file_put(const char *from, const char *name, const char *folder, struct jv *rows,
                     struct error *err)
{
    char digest[SHA256_TEXT_SIZE];
    struct stat info;
    AUTO(mem_free) char *to = xasprintf("%s/%s", folder, name);
    if (!file_copy(from, to, err) || !sha256_file(to, digest, err))
        return false;
    if (stat(to, &info) != 0)
        return error_os(err, errno, "look at %s", to);
    struct jv *row = jv_push_object(rows);
    jv_text(row, "file", name);
    jv_int(row, "bytes", info.st_size);
    jv_text(row, "sha256", digest);
    return true;
}

/* What the copy of a model says of the files that hold its weights. */
static bool weights_find(const char *folder, const char *name, struct external *out,
                         struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("%s/%s", folder, name);
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0)
        return error_os(err, errno, "open %s", path);
    size_t size = (size_t)info.st_size;
    void *content = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (content == MAP_FAILED)
        return error_os(err, errno, "read %s", path);
    bool found = external_find((struct bytes){content, size}, out, err);
    if (size)
        munmap(content, size);
    return found;
}

/* Two models may share their weights, if they came from one folder; otherwise a name that is there
 * already is another file's. */
static bool weights_shared(const struct model_source *source, const char *name)
{
    const char *first = source->files[0], *second = source->files[1];
    const char *slash = strrchr(first, '/'), *other = second ? strrchr(second, '/') : NULL;
    ptrdiff_t length = slash ? slash - first : 0;
    return second && strcmp(name, "model.onnx") != 0 && strcmp(name, "decoder.onnx") != 0 &&
           length == (other ? other - second : 0) && memcmp(first, second, (size_t)length) == 0;
}

static bool weights_put(const struct model_source *source, int index, const char *folder,
                        struct jv *rows, struct error *err)
{
    AUTO(external_dispose) struct external external = {.count = 0};
    const char *model = source->files[index], *slash = strrchr(model, '/');
    int length = slash ? (int)(slash + 1 - model) : 0;
    if (!weights_find(folder, names[index], &external, err))
        return error_wrap(err, "%s", model);
    for (int i = 0; i < external.count; i++) {
        const char *name = external.names[i];
        AUTO(mem_free) char *from = xasprintf("%.*s%s", length, model, name);
        AUTO(mem_free) char *to = xasprintf("%s/%s", folder, name);
        if (access(to, F_OK) == 0 && index > 0 && weights_shared(source, name))
            continue;
        if (access(to, F_OK) == 0 || strcmp(name, "manifest.json") == 0)
            return error_set(err, ERROR_CONFLICT,
                             "%s keeps weights in %s, and that name is another file's here", model,
                             name);
        if (!file_put(from, name, folder, rows, err))
            return error_wrap(err, "%s keeps weights beside itself", model);
    }
    return true;
}

static bool folder_fill(const char *folder, const struct model_source *source, struct error *err)
{
    AUTO(jv_free) struct jv *manifest = jv_object();
    jv_text(manifest, "name", source->name);
    jv_text(manifest, "version", source->version);
    jv_text(manifest, "kind", source->kind);
    jv_text(manifest, "licence", source->licence ? source->licence : "unknown");
    struct jv *files = jv_put_array(manifest, "files"), *data = jv_put_array(manifest, "data");
    for (int i = 0; i < MODEL_FILES && source->files[i]; i++)
        if (!file_put(source->files[i], names[i], folder, files, err))
            return false;
    for (int i = 0; i < MODEL_FILES && source->files[i]; i++)
        if (!weights_put(source, i, folder, data, err))
            return false;
    AUTO(buf_dispose) struct buf text = BUF(MODEL_MANIFEST_LIMIT);
    AUTO(mem_free) char *path = xasprintf("%s/manifest.json", folder);
    return jv_write(manifest, true, &text, err) && file_write(path, buf_bytes(&text), err);
}

static bool source_check(const struct model_source *source, struct error *err)
{
    if (!model_name_fine(source->name) || strcmp(source->name, "portrait") == 0)
        return error_set(err, ERROR_INVALID, "\"%.60s\" is no name for a model", source->name);
    if (!model_name_fine(source->version))
        return error_set(err, ERROR_INVALID, "\"%.60s\" is no version", source->version);
    if (!cutter_kind_known(source->kind))
        return error_set(err, ERROR_INVALID, "kind \"%.20s\": use portrait, birefnet or sam2",
                         source->kind);
    bool two = strcmp(source->kind, "sam2") == 0;
    if (!source->files[0] || two != (source->files[1] != NULL))
        return error_set(err, ERROR_INVALID, "%s needs %s", source->kind,
                         two ? "an encoder and a decoder" : "one file");
    return true;
}

bool models_add(const char *user_dir, const struct model_source *source,
                const struct model_trial *trial, struct error *err)
{
    if (!source_check(source, err))
        return false;
    AUTO(mem_free) char *outer = xasprintf("%s/%s", user_dir, source->name);
    AUTO(mem_free) char *folder = xasprintf("%s/%s", outer, source->version);
    AUTO(mem_free) char *draft = xasprintf("%s/.draft-%ld", outer, (long)getpid());
    if (access(folder, F_OK) == 0)
        return error_set(err, ERROR_CONFLICT, "%s@%s is installed already", source->name,
                         source->version);
    if (!tree_remove(draft, err) || !dir_make(draft, err))
        return false;
    bool done =
        folder_fill(draft, source, err) && (!trial || trial->run(trial->context, source, err));
    if (done && rename(draft, folder) != 0)
        done = error_os(err, errno, "publish %s", folder);
    if (!done && !tree_remove(draft, NULL))
        error_wrap(err, "%s is left behind", draft);
    else if (!done)
        rmdir(outer); /* unless there are other versions */
    return done;
}
