/* SPDX-License-Identifier: Apache-2.0 */
/* vmad-infer: the program that runs models for vmad, so that what brings a driver or a network down
 * does not bring the service down. It is started by vmad and speaks to nobody else. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "infer/serve.h"
#include "infer/trace.h"
#include "infer/wire_internal.h"

int main(int count, char **arguments)
{
    int kind = 0;
    socklen_t size = sizeof kind;
    if (count > 2 || getsockopt(HELLO_FD, SOL_SOCKET, SO_TYPE, &kind, &size) != 0) {
        fprintf(stderr, "vmad-infer runs models for vmad, which starts it.\n");
        return 2;
    }
    /* Whoever stops the service from a terminal stops vmad, which lets running work finish first
     * and then ends this process. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    /* A network's tensors stay for its next run, until there is none for a while (serve.c). */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    char untraced[160];
    if (!trace_begin(getenv("NVTX_INJECTION64_PATH"), untraced, sizeof untraced))
        fprintf(stderr, "vmad-infer: %s\n", untraced);
    return infer_serve(count == 2 && *arguments[1] ? arguments[1] : NULL);
}
