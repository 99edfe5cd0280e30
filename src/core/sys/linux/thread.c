/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/thread.h"

#include <sys/resource.h>
#include <unistd.h>

enum { STEP = 5 };

void thread_step_back(void)
{
    id_t thread = (id_t)gettid(); /* on Linux a thread has a niceness of its own */
    (void)setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + STEP);
}
