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

bool model_name_fine(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return length > 0 && length < MODEL_NAME_SIZE && name[length] == '\0' && name[0] != '.' &&
           name[0] != '_' && name[0] != '-';
}

static void entry_dispose(struct model_entry *entry)
{
    for (int i = 0; i < MODEL_FILES; i++)
        free(entry->paths[i]);
    for (int i = 0; i < entry->data_count; i++)
        free(entry->data[i].path);
    free(entry->data);
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

/* A row of a manifest: a file of `folder`, of the size that it says. */
static bool row_take(const char *folder, const struct jv *row, struct model_file *out,
                     struct error *err)
{
    const char *name = jv_get_text(row, "file", "");
    if (!name[0] || strchr(name, '/') || name[0] == '.')
        return error_set(err, ERROR_INVALID, "\"%.40s\" is no name of a file", name);
    out->path = xasprintf("%s/%s", folder, name);
    out->bytes = jv_get_int(row, "bytes", -1);
    copy_text(out->sha256, sizeof out->sha256, row, "sha256");
    struct stat info;
    if (stat(out->path, &info) != 0)
        return error_set(err, ERROR_NOT_FOUND, "%s is missing", name);
    if (info.st_size != out->bytes)
        return error_set(err, ERROR_INVALID, "%s has %lld bytes, not %lld", name,
                         (long long)info.st_size, (long long)out->bytes);
    return strspn(out->sha256, "0123456789abcdef") == SHA256_TEXT_SIZE - 1 ||
           error_set(err, ERROR_INVALID, "%s has no sha256", name);
}

static bool file_take(struct model_entry *entry, int index, const char *folder,
                      const struct jv *row, struct error *err)
{
    struct model_file file = {.path = NULL};
    bool taken = row_take(folder, row, &file, err);
    entry->paths[index] = file.path;
    entry->bytes[index] = file.bytes;
    memcpy(entry->sha256[index], file.sha256, SHA256_TEXT_SIZE);
    return taken;
}

/* Weights that stand beside the model. */
static bool data_take(struct model_entry *entry, const char *folder, const struct jv *rows,
                      struct error *err)
{
    size_t count = jv_size(rows);
    if (count > MODEL_DATA)
        return error_set(err, ERROR_INVALID, "its weights are in %zu files", count);
    entry->data = xcalloc(count ? count : 1, sizeof *entry->data);
    for (size_t i = 0; i < count; i++)
        if (!row_take(folder, jv_at(rows, i), &entry->data[entry->data_count++], err))
            return false;
    return true;
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
    return data_take(entry, folder, jv_get(manifest, "data"), err);
}

static struct jv *manifest_read(const char *folder, struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("%s/manifest.json", folder);
    AUTO(buf_dispose) struct buf text = BUF(MODEL_MANIFEST_LIMIT);
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
        if (model_name_fine(names[i]->d_name) && stat(folder, &info) == 0 && S_ISDIR(info.st_mode))
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

static bool file_verify(const struct model_entry *entry, const char *path, const char *says,
                        struct error *err)
{
    char digest[SHA256_TEXT_SIZE];
    const char *slash = strrchr(path, '/');
    if (!sha256_file(path, digest, err))
        return false;
    return strcmp(digest, says) == 0 ||
           error_set(err, ERROR_INVALID,
                     "%s@%s: %.80s has SHA-256 %.12s… where its manifest says %.12s…", entry->name,
                     entry->version, slash ? slash + 1 : path, digest, says);
}

bool model_verify(const struct model_entry *entry, struct error *err)
{
    if (entry->problem[0])
        return error_set(err, ERROR_INVALID, "%s@%s: %s", entry->name, entry->version,
                         entry->problem);
    for (int i = 0; i < MODEL_FILES && entry->paths[i]; i++)
        if (!file_verify(entry, entry->paths[i], entry->sha256[i], err))
            return false;
    for (int i = 0; i < entry->data_count; i++)
        if (!file_verify(entry, entry->data[i].path, entry->data[i].sha256, err))
            return false;
    return true;
}

int64_t model_bytes(const struct model_entry *entry)
{
    int64_t bytes = 0;
    for (int i = 0; i < MODEL_FILES; i++)
        bytes += entry->bytes[i];
    for (int i = 0; i < entry->data_count; i++)
        bytes += entry->data[i].bytes;
    return bytes;
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
    char all[SHA256_TEXT_SIZE];
    const char *hash = entry->sha256[0];
    if (entry->paths[1] || entry->data_count > 0) {
        struct sha256 sha256;
        uint8_t digest[SHA256_SIZE];
        sha256_init(&sha256);
        for (int i = 0; i < MODEL_FILES && entry->paths[i]; i++)
            sha256_add(&sha256, bytes_of(entry->sha256[i]));
        for (int i = 0; i < entry->data_count; i++)
            sha256_add(&sha256, bytes_of(entry->data[i].sha256));
        sha256_end(&sha256, digest);
        for (int i = 0; i < SHA256_SIZE; i++)
            snprintf(all + 2 * (size_t)i, 3, "%02x", digest[i]);
        hash = all;
    }
    snprintf(out, MODEL_KEY_SIZE, "%s@%s:%.12s", entry->name, entry->version, hash);
}
