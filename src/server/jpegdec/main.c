/* SPDX-License-Identifier: Apache-2.0 */
/* vmad-jpeg: what vmad-decoder does, for the usual photo only. Most of what a worker costs is
 * copying the map of its parent's memory, and without libvips and its forty libraries there is
 * little of that. It is started by vmad and speaks to nobody else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "jpegdec/jpeg.h"
#include "sandbox/photo_request.h"
#include "sandbox/worker.h"

/* Cheap to keep, and what is asked for first after a quiet time. */
enum { IDLE_MS = 60 * 60 * 1000 };

static bool read_all(int file, uint8_t *data, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t got = pread(file, data + have, size - have, (off_t)have);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

static size_t work(const struct worker_job *job, uint8_t *reply, size_t reply_size)
{
    struct photo_request request;
    struct photo_reply answer = {.outcome = PHOTO_UNUSUAL};
    off_t size = lseek(job->file, 0, SEEK_END);
    if (job->request_size != sizeof request || reply_size < sizeof answer)
        return 0;
    memcpy(&request, job->request, sizeof request);
    AUTO(mem_free) uint8_t *data =
        size > 0 && size <= PHOTO_MAX_BYTES ? malloc((size_t)size) : NULL;
    const struct jpeg_room room = {job->shared, job->shared_bytes, (int)request.max_side};
    if (data && read_all(job->file, data, (size_t)size) &&
        !jpeg_decode((struct bytes){data, (size_t)size}, &room, &answer))
        answer = (struct photo_reply){.outcome = PHOTO_UNUSUAL};
    memcpy(reply, &answer, sizeof answer);
    return sizeof answer;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc != 1) {
        fprintf(stderr, "vmad-jpeg decodes pictures for vmad, which starts it.\n");
        return 2;
    }
    jpeg_warm();
    return worker_serve(work, IDLE_MS);
}
