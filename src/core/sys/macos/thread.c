/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/thread.h"

#include <pthread.h>

void thread_step_back(void)
{
    pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
}
