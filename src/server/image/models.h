/* SPDX-License-Identifier: Apache-2.0 */
/* The models that are installed: the embedded one and, in a folder of the user's, any number of
 * others in several versions side by side.
 *
 *     FOLDER/use                          "name@version" of the one that cuts people out
 *     FOLDER/<name>/<version>/manifest.json
 *     FOLDER/<name>/<version>/<files that the manifest names>
 *
 *     {"name": "birefnet-portrait", "version": "1", "kind": "birefnet", "licence": "MIT",
 *      "files": [{"file": "model.onnx", "bytes": 928000000, "sha256": "…"}]}
 *
 * sam2 has two files, the encoder first. A model may keep weights in files beside it ("external
 * data"), each with a row of the same form in "data". A manifest is not believed: names stay within
 * the folder, sizes are checked when a model is opened and hashes when it is verified. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/sha256.h"

struct error;
struct runtime;

enum { MODEL_NAME_SIZE = 64, MODEL_FILES = 2, MODEL_DATA = 512, MAX_MODELS = 64 };
enum { MODEL_MANIFEST_LIMIT = 512 * 1024 };

struct model_file {
    char *path;
    char sha256[SHA256_TEXT_SIZE];
    int64_t bytes;
};

struct model_entry {
    char name[MODEL_NAME_SIZE], version[MODEL_NAME_SIZE], kind[16], licence[MODEL_NAME_SIZE];
    char *paths[MODEL_FILES]; /* NULL where there is no second one */
    char sha256[MODEL_FILES][SHA256_TEXT_SIZE];
    int64_t bytes[MODEL_FILES];
    struct model_file *data; /* weights beside them */
    int data_count;
    bool embedded;
    char problem[120]; /* "" or what is wrong with it; such an entry cannot be used */
};

struct models {
    struct model_entry *entries;
    int count;
    int used; /* index of the one in use */
};

/* Reads both folders; `user_dir` may be NULL or missing. A broken manifest becomes an entry with a
 * problem, not a failure. A `use` file that names nothing usable falls back to the embedded model
 * and says so in *out_problem (room for 160), which is "" otherwise. */
MUST_USE bool models_read(const char *embedded_dir, const char *user_dir, struct models *out,
                          char *out_problem, size_t problem_size, struct error *err);
void models_dispose(struct models *models);
static inline void models_dispose_auto(struct models *models)
{
    models_dispose(models);
}

/* "name" (its newest version, by number where they are numbers) or "name@version"; -1 when there
 * is none. */
int models_find(const struct models *models, const char *which);

/* Compares sizes and SHA-256 of the entry's files, its weights too, with its manifest. */
MUST_USE bool model_verify(const struct model_entry *entry, struct error *err);
/* All its files together. */
int64_t model_bytes(const struct model_entry *entry);
/* Of a model, or of a version. */
bool model_name_fine(const char *name);

struct model_source {
    const char *name, *version, *kind, *licence;
    const char *files[MODEL_FILES];
};
/* Does it load, has it the inputs and outputs of its kind, and does it make a mask of a picture?
 * All that a service asks when it takes it, and refused with the same sentences. `device` as in
 * session_options. */
MUST_USE bool model_check(struct runtime *runtime, const struct model_source *source,
                          const char *device, struct error *err);
/* Copies the files in, with those beside them that hold their weights, and writes the manifest; all
 * of it or nothing. ERROR_CONFLICT when that version is there already. Names and versions are of
 * a-z 0-9 . _ - and begin with a letter or digit. `trial` has the last word, unless it is NULL. */
struct model_trial {
    bool (*run)(void *context, const struct model_source *source, struct error *err);
    void *context;
};
MUST_USE bool models_add(const char *user_dir, const struct model_source *source,
                         const struct model_trial *trial, struct error *err);

/* From now on `entry` is the one in use; running processes notice with their next picture. */
MUST_USE bool models_use(const char *user_dir, const struct model_entry *entry, struct error *err);

/* "name@version:0123456789ab" (of the hash, or of all hashes together): a stable name for what a
 * model makes. */
enum { MODEL_KEY_SIZE = 2 * MODEL_NAME_SIZE + 16 };
void model_key(const struct model_entry *entry, char out[MODEL_KEY_SIZE]);
