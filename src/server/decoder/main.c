/* SPDX-License-Identifier: Apache-2.0 */
/* vmad-decoder: the program that decodes pictures for vmad. It is started by vmad and speaks to
 * nobody else. */
#include <stdio.h>
#include <string.h>

#include "decoder/decode.h"
#include "sandbox/photo_request.h"
#include "sandbox/worker.h"

enum { IDLE_MS = 120 * 1000 };

#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
/* libvips hands pixels from thread to thread with locks that the thread sanitizer cannot see; and
 * it finds no options in the environment, which is empty here. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}
#endif

static size_t work(const struct worker_job *job, uint8_t *reply, size_t reply_size)
{
    struct photo_request request;
    struct photo_reply answer = {0};
    if (job->request_size != sizeof request || reply_size < sizeof answer)
        return 0;
    memcpy(&request, job->request, sizeof request);
    decode_photo(job->file, &request, job->shared, job->shared_bytes, &answer);
    memcpy(reply, &answer, sizeof answer);
    return sizeof answer;
}

int main(int argc, char **argv)
{
    if (argc != 1) {
        fprintf(stderr, "vmad-decoder decodes pictures for vmad, which starts it.\n");
        return 2;
    }
    return decode_prepare(argv[0]) ? worker_serve(work, IDLE_MS) : 1;
}
