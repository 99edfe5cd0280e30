/* SPDX-License-Identifier: Apache-2.0 */
#include "image/models.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "image/cutter.h"

enum { MANIFEST_LIMIT = 64 * 1024 };

static bool name_fine(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return length > 0 && length < MODEL_NAME_SIZE && name[length] == '\0' && name[0] != '.' &&
           name[0] != '_' && name[0] != '-';
}

static void entry_dispose(struct model_entry *entry)
{
    for (int i = 0; i < MODEL_FILES; i++)
        free(entry->paths[i]);
    *entry = (struct model_entry){0};
}

void models_dispose(struct models *models)
{
    for (int i = 0; i < models->count; i++)
        entry_dispose(&models->entries[i]);
    free(models->entries);
    *models = (struct models){0};
}

static void copy_text(char *out, size_t size, const struct jv *object, const char *key)
{
    snprintf(out, size, "%s", jv_get_text(object, key, ""));
}

static bool file_take(struct model_entry *entry, int index, const char *folder,
                      const struct jv *file, struct error *err)
{
    const char *name = jv_get_text(file, "file", "");
    if (!name[0] || strchr(name, '/') || name[0] == '.')
        return error_set(err, ERROR_INVALID, "\"%.40s\" is no name of a file", name);
    entry->paths[index] = xasprintf("%s/%s", folder, name);
    entry->bytes[index] = jv_get_int(file, "bytes", -1);
    copy_text(entry->sha256[index], SHA256_TEXT_SIZE, file, "sha256");
    struct stat info;
    if (stat(entry->paths[index], &info) != 0)
        return error_set(err, ERROR_NOT_FOUND, "%s is missing", name);
    if (info.st_size != entry->bytes[index])
        return error_set(err, ERROR_INVALID, "%s has %lld bytes, not %lld", name,
                         (long long)info.st_size, (long long)entry->bytes[index]);
    return strspn(entry->sha256[index], "0123456789abcdef") == SHA256_TEXT_SIZE - 1 ||
           error_set(err, ERROR_INVALID, "%s has no sha256", name);
}

static bool entry_fill(struct model_entry *entry, const char *folder, const struct jv *manifest,
                       struct error *err)
{
    copy_text(entry->kind, sizeof entry->kind, manifest, "kind");
    copy_text(entry->licence, sizeof entry->licence, manifest, "licence");
    if (strcmp(entry->name, jv_get_text(manifest, "name", "")) != 0 ||
        strcmp(entry->version, jv_get_text(manifest, "version", "")) != 0)
        return error_set(err, ERROR_INVALID, "the manifest is another model's");
    if (!cutter_kind_known(entry->kind))
        return error_set(err, ERROR_INVALID, "kind \"%s\" is unknown", entry->kind);
    const struct jv *files = jv_get(manifest, "files");
    size_t wanted = strcmp(entry->kind, "sam2") == 0 ? 2 : 1;
    if (jv_size(files) != wanted)
        return error_set(err, ERROR_INVALID, "%s has %zu files, not %zu", entry->kind,
                         jv_size(files), wanted);
    for (size_t i = 0; i < wanted; i++)
        if (!file_take(entry, (int)i, folder, jv_at(files, i), err))
            return false;
    return true;
}

static struct jv *manifest_read(const char *folder, struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("%s/manifest.json", folder);
    AUTO(buf_dispose) struct buf text = BUF(MANIFEST_LIMIT);
    return file_read(path, &text, err) ? jv_parse(buf_bytes(&text), err) : NULL;
}

static struct model_entry *entry_new(struct models *models, const char *name, const char *version)
{
    if (models->count == MAX_MODELS)
        return NULL;
    struct model_entry *entry = &models->entries[models->count++];
    snprintf(entry->name, sizeof entry->name, "%s", name);
    snprintf(entry->version, sizeof entry->version, "%s", version);
    return entry;
}

static void version_read(struct models *models, const char *user_dir, const char *name,
                         const char *version)
{
    struct error err = {.text = ""};
    AUTO(mem_free) char *folder = xasprintf("%s/%s/%s", user_dir, name, version);
    AUTO(jv_free) struct jv *manifest = manifest_read(folder, &err);
    struct model_entry *entry = entry_new(models, name, version);
    if (entry && (!manifest || !entry_fill(entry, folder, manifest, &err)))
        snprintf(entry->problem, sizeof entry->problem, "%.119s", err.text);
}

/* Calls `visit` for each subfolder with a good name, in order. */
typedef void visit_folder(struct models *models, const char *user_dir, const char *outer,
                          const char *name);

static void each_folder(const char *path, visit_folder *visit, struct models *models,
                        const char *user_dir, const char *outer)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        AUTO(mem_free) char *folder = xasprintf("%s/%s", path, names[i]->d_name);
        struct stat info;
        if (name_fine(names[i]->d_name) && stat(folder, &info) == 0 && S_ISDIR(info.st_mode))
            visit(models, user_dir, outer, names[i]->d_name);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

static void model_read(struct models *models, const char *user_dir, const char *outer,
                       const char *name)
{
    (void)outer;
    AUTO(mem_free) char *path = xasprintf("%s/%s", user_dir, name);
    each_folder(path, version_read, models, user_dir, name);
}

/* The embedded folder's manifest lists several networks; one of them cuts people out. */
static bool embedded_read(struct models *models, const char *folder, struct error *err)
{
    AUTO(jv_free) struct jv *manifest = manifest_read(folder, err);
    const struct jv *list = jv_get(manifest, "models");
    for (size_t i = 0; i < jv_size(list); i++) {
        const struct jv *model = jv_at(list, i);
        if (strcmp(jv_get_text(model, "kind", ""), "portrait") != 0)
            continue;
        struct model_entry *entry =
            entry_new(models, "portrait", jv_get_text(model, "version", "1"));
        copy_text(entry->kind, sizeof entry->kind, model, "kind");
        copy_text(entry->licence, sizeof entry->licence, model, "licence");
        entry->embedded = true;
        return file_take(entry, 0, folder, model, err);
    }
    return manifest ? error_set(err, ERROR_INVALID, "%s: no embedded model", folder)
                    : error_wrap(err, "embedded models");
}

static void used_read(struct models *models, const char *user_dir, char *out_problem, size_t size)
{
    AUTO(mem_free) char *path = xasprintf("%s/use", user_dir);
    AUTO(buf_dispose) struct buf text = BUF(4 * MODEL_NAME_SIZE);
    if (access(path, F_OK) != 0)
        return;
    if (!file_read(path, &text, NULL)) {
        snprintf(out_problem, size, "%s cannot be read", path);
        return;
    }
    AUTO(mem_free) char *which = buf_take(&text);
    which[strcspn(which, "\r\n")] = '\0';
    int found = models_find(models, which);
    if (found >= 0 && !models->entries[found].problem[0])
        models->used = found;
    else
        snprintf(out_problem, size, "%.60s %s%s, using %s", which,
                 found >= 0 ? "cannot be used: " : "is not installed",
                 found >= 0 ? models->entries[found].problem : "", models->entries[0].name);
}

bool models_read(const char *embedded_dir, const char *user_dir, struct models *out,
                 char *out_problem, size_t problem_size, struct error *err)
{
    *out = (struct models){.entries = xcalloc(MAX_MODELS, sizeof *out->entries)};
    out_problem[0] = '\0';
    if (!embedded_read(out, embedded_dir, err)) {
        models_dispose(out);
        return false;
    }
    if (user_dir) {
        each_folder(user_dir, model_read, out, user_dir, NULL);
        used_read(out, user_dir, out_problem, problem_size);
    }
    return true;
}

static bool newer(const char *a, const char *b)
{
    long x = strtol(a, NULL, 10), y = strtol(b, NULL, 10);
    return x != y ? x > y : strverscmp(a, b) > 0;
}

int models_find(const struct models *models, const char *which)
{
    size_t length = strcspn(which, "@");
    const char *version = which[length] ? which + length + 1 : NULL;
    int best = -1;
    for (int i = 0; i < models->count; i++) {
        const struct model_entry *entry = &models->entries[i];
        if (strlen(entry->name) != length || memcmp(entry->name, which, length) != 0)
            continue;
        if (version ? strcmp(entry->version, version) == 0
                    : best < 0 || newer(entry->version, models->entries[best].version))
            best = i;
    }
    return best;
}

bool model_verify(const struct model_entry *entry, struct error *err)
{
    if (entry->problem[0])
        return error_set(err, ERROR_INVALID, "%s@%s: %s", entry->name, entry->version,
                         entry->problem);
    for (int i = 0; i < MODEL_FILES && entry->paths[i]; i++) {
        char digest[SHA256_TEXT_SIZE];
        if (!sha256_file(entry->paths[i], digest, err))
            return false;
        if (strcmp(digest, entry->sha256[i]) != 0)
            return error_set(err, ERROR_INVALID,
                             "%s@%s: file %d has SHA-256 %.12s… where its manifest says %.12s…",
                             entry->name, entry->version, i + 1, digest, entry->sha256[i]);
    }
    return true;
}

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

static bool file_put(const char *from, int index, const char *folder, struct jv *files,
                     struct error *err)
{
    char digest[SHA256_TEXT_SIZE];
    struct stat info;
    AUTO(mem_free) char *name = index ? xstrdup("decoder.onnx") : xstrdup("model.onnx");
    AUTO(mem_free) char *to = xasprintf("%s/%s", folder, name);
    if (!file_copy(from, to, err) || !sha256_file(to, digest, err))
        return false;
    if (stat(to, &info) != 0)
        return error_os(err, errno, "look at %s", to);
    struct jv *file = jv_push_object(files);
    jv_text(file, "file", name);
    jv_int(file, "bytes", info.st_size);
    jv_text(file, "sha256", digest);
    return true;
}

static bool folder_fill(const char *folder, const struct model_source *source, struct error *err)
{
    AUTO(jv_free) struct jv *manifest = jv_object();
    jv_text(manifest, "name", source->name);
    jv_text(manifest, "version", source->version);
    jv_text(manifest, "kind", source->kind);
    jv_text(manifest, "licence", source->licence ? source->licence : "unknown");
    struct jv *files = jv_put_array(manifest, "files");
    for (int i = 0; i < MODEL_FILES && source->files[i]; i++)
        if (!file_put(source->files[i], i, folder, files, err))
            return false;
    AUTO(buf_dispose) struct buf text = BUF(MANIFEST_LIMIT);
    AUTO(mem_free) char *path = xasprintf("%s/manifest.json", folder);
    return jv_write(manifest, true, &text, err) && file_write(path, buf_bytes(&text), err);
}

static bool source_check(const struct model_source *source, struct error *err)
{
    if (!name_fine(source->name) || strcmp(source->name, "portrait") == 0)
        return error_set(err, ERROR_INVALID, "\"%.60s\" is no name for a model", source->name);
    if (!name_fine(source->version))
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

bool models_add(const char *user_dir, const struct model_source *source, struct error *err)
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
    bool done = folder_fill(draft, source, err);
    if (done && rename(draft, folder) != 0)
        done = error_os(err, errno, "publish %s", folder);
    if (!done && !tree_remove(draft, NULL))
        error_wrap(err, "%s is left behind", draft);
    return done;
}

bool models_use(const char *user_dir, const struct model_entry *entry, struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("%s/use", user_dir);
    AUTO(mem_free) char *text = xasprintf("%s@%s\n", entry->name, entry->version);
    if (entry->problem[0])
        return error_set(err, ERROR_INVALID, "%s@%s: %s", entry->name, entry->version,
                         entry->problem);
    return dir_make(user_dir, err) && file_write(path, bytes_of(text), err);
}

void model_key(const struct model_entry *entry, char out[MODEL_KEY_SIZE])
{
    snprintf(out, MODEL_KEY_SIZE, "%s@%s:%.12s", entry->name, entry->version, entry->sha256[0]);
}
