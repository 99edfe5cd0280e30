/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of installed models share: the runtime, a folder to install them in, and a photo whose
 * upper half is bright. */
#pragma once

#include "support/test.h"

#include <string.h>

#include "image/models.h"
#include "infer/runtime.h"
#include "media/picture.h"

#define STUBS SOURCE_DIR "/tests/data/models/"

struct models_fixture {
    struct runtime *runtime;
    struct picture halves;
    char *dir;
};

static inline struct models_fixture models_fixture_new(void)
{
    struct error err;
    struct models_fixture fixture = {.runtime = runtime_open(NULL, &err)};
    assert_ok(fixture.runtime, &err);
    fixture.halves = picture_new(320, 240, PICTURE_RGB);
    for (int y = 0; y < 240; y++)
        memset(picture_row(&fixture.halves, y), y < 120 ? 250 : 5, 3 * 320);
    fixture.dir = test_dir_new();
    return fixture;
}

static inline void models_fixture_dispose(struct models_fixture *fixture)
{
    runtime_close(fixture->runtime);
    picture_dispose(&fixture->halves);
    test_dir_free(fixture->dir);
}

static inline void models_fixture_add(const struct models_fixture *fixture, const char *name,
                                      const char *file)
{
    struct error err;
    const struct model_source source = {name, "1", "birefnet", "MIT", {file}};
    assert_ok(models_add(fixture->dir, &source, NULL, &err), &err);
}
