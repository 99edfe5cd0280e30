/* SPDX-License-Identifier: Apache-2.0 */
/* The first stages of the picture's row. */
#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "pipeline/artifact_internal.h"
#include "pipeline/pipeline_internal.h"

/* Enough for any format, with room to crop; what is larger would only cost memory. */
enum { PHOTO_SIDE = 2048 };

static bool decode(struct pipeline *pipeline, const char *path, struct photo *out,
                   struct error *err)
{
    if (!pipeline_decode_enter(pipeline, err))
        return false;
    bool fine =
        vision_decode(pipeline->options.vision, path, PHOTO_SIDE, &out->picture, err) &&
        vision_faces(pipeline->options.vision, &out->picture, out->faces, &out->face_count, err);
    pipeline_decode_leave(pipeline);
    return fine;
}

bool photo_make(struct pipeline *pipeline, const char *path, struct hash128 image,
                struct photo *out, struct error *err)
{
    *out = (struct photo){0};
    struct hash128 name = photo_hash(image);
    if (artifact_get_photo(pipeline->options.store, name, out))
        return true;
    int64_t start = mono_ns();
    if (!decode(pipeline, path, out, err)) {
        photo_dispose(out);
        return false;
    }
    pipeline_observe(pipeline, "photo", (double)(mono_ns() - start) / 1e9);
    artifact_put_photo(pipeline->options.store, name, out);
    return true;
}

bool photo_check(const struct photo *photo, int face, struct error *err)
{
    if (photo->face_count == 0) {
        error_set(err, ERROR_INVALID, "no face was found in the photo");
        return error_about(err, "image", "image_no_face");
    }
    if (face >= photo->face_count) {
        error_set(err, ERROR_INVALID, "there is no face %d, the photo has %d", face,
                  photo->face_count);
        return error_about(err, "face", "face_unknown");
    }
    return face_usable(&photo->faces[face], &photo->picture, err);
}

struct portrait_wish order_portrait(const struct order *order, const struct photo *photo)
{
    return (struct portrait_wish){.faces = photo->faces,
                                  .face_count = photo->face_count,
                                  .chosen = order->face,
                                  .width = order->format->width,
                                  .height = order->format->height,
                                  .cut_out = order_cut_out(order),
                                  .in_place = order->backdrop == BACKDROP_KEEP};
}
