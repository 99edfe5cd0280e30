/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jv.h"
#include "base/mem.h"
#include "cli/notice.h"
#include "cli/sync.h"
#include "io/loop.h"
#include "syncing/laptop.h"

enum { LOOK_EVERY_MS = 100 };

struct progress {
    struct laptop *laptop;
    const char *dest;
    struct notice notice;
    struct timer *timer;
    int64_t began_ms;
    bool asking, on, done, quiet;
};

static void on_answer(void *context, const struct jv *answer)
{
    struct progress *progress = context;
    const char *phase = jv_get_text(answer, "phase", "");
    char line[200];
    progress->asking = false;
    if (!progress->on)
        return;
    if (sync_is_settled(answer)) {
        notice_clear(&progress->notice);
        if (!progress->done && !progress->quiet)
            sync_say_settled(answer, progress->dest);
        progress->done = true;
        progress->on = false;
        return;
    }
    if (progress->notice.terminal &&
        (strcmp(phase, "working") == 0 || strcmp(phase, "scanning") == 0)) {
        sync_progress_line(answer, mono_ms() - progress->began_ms, notice_room(&progress->notice),
                           line, sizeof line);
        notice_say(&progress->notice, "%s", line);
    }
    timer_start(progress->timer, LOOK_EVERY_MS);
}

static void look(void *context)
{
    struct progress *progress = context;
    if (progress->asking || !progress->on)
        return;
    AUTO(jv_free) struct jv *question = jv_object();
    jv_text(question, "do", "status");
    progress->asking = true;
    sync_ask(progress->laptop, question, on_answer, progress);
}

struct progress *progress_new(const struct cli *cli, struct loop *loop, struct laptop *laptop,
                              const char *dest, bool quiet)
{
    struct progress *progress = xcalloc(1, sizeof *progress);
    progress->laptop = laptop;
    progress->dest = dest;
    progress->quiet = quiet;
    progress->timer = timer_new(loop, look, progress);
    notice_init(&progress->notice, cli, quiet);
    return progress;
}

void progress_begin(struct progress *progress)
{
    if (progress->on || progress->done)
        return;
    progress->on = true;
    progress->began_ms = mono_ms();
    timer_start(progress->timer, LOOK_EVERY_MS);
}

void progress_pause(struct progress *progress)
{
    progress->on = false;
    timer_stop(progress->timer);
    notice_clear(&progress->notice);
}

void progress_hide(struct progress *progress)
{
    if (progress)
        notice_clear(&progress->notice);
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    notice_clear(&progress->notice);
    timer_free(progress->timer);
    free(progress);
}
