/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "base/error.h"
#include "base/mem.h"
#include "infer/control_internal.h"

struct run_control {
    pthread_mutex_t lock; /* everything below */
    bool cancelled;
    run_stop *stop; /* NULL while nothing runs under it */
    void *context;
};

struct run_control *run_control_new(void)
{
    struct run_control *control = xcalloc(1, sizeof *control);
    pthread_mutex_init(&control->lock, NULL);
    return control;
}

void run_control_free(struct run_control *control)
{
    if (!control)
        return;
    pthread_mutex_destroy(&control->lock);
    free(control);
}

void run_control_cancel(struct run_control *control)
{
    pthread_mutex_lock(&control->lock);
    if (!control->cancelled && control->stop)
        control->stop(control->context);
    control->cancelled = true;
    pthread_mutex_unlock(&control->lock);
}

void run_control_reset(struct run_control *control)
{
    pthread_mutex_lock(&control->lock);
    control->cancelled = false;
    pthread_mutex_unlock(&control->lock);
}

bool run_control_begin(struct run_control *control, run_stop *stop, void *context,
                       struct error *err)
{
    if (!control)
        return true;
    pthread_mutex_lock(&control->lock);
    bool go = !control->cancelled;
    control->stop = go ? stop : NULL;
    control->context = context;
    pthread_mutex_unlock(&control->lock);
    return go || error_set(err, ERROR_CANCELLED, "cancelled before it began");
}

void run_control_end(struct run_control *control)
{
    if (!control)
        return;
    pthread_mutex_lock(&control->lock);
    control->stop = NULL;
    pthread_mutex_unlock(&control->lock);
}
