/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "image/cutter.h"
#include "image/models.h"
#include "infer/runtime.h"
#include "media/picture.h"

bool model_check(struct runtime *runtime, const struct model_source *source, const char *device,
                 struct error *err)
{
    const struct cutter_files files = {source->kind, source->files[0], source->files[1]};
    const struct session_options options = {.device = device};
    AUTO(cutter_close) struct cutter *cutter = cutter_open(runtime, &files, &options, err);
    AUTO(picture_dispose) struct picture grey = picture_new(64, 64, PICTURE_RGB);
    AUTO(picture_dispose) struct picture mask = {0};
    memset(grey.pixels, 128, grey.stride * 64);
    return cutter && cutter_mask(cutter, &grey, NULL, NULL, &mask, err);
}
