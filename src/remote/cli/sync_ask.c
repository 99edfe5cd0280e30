/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the engine: JSON in, JSON out, answered on its thread. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "cli/sync.h"
#include "syncing/laptop.h"

struct sync_asked {
    struct runner_request base; /* first, so that a request is its question */
    struct jv *question, *reply;
    struct sync_flush flush;
    sync_answer *answer;
    void *context;
};

static void put_status(struct sync *sync, struct jv *out)
{
    struct sync_status status;
    sync_status(sync, &status);
    jv_text(out, "phase", sync_phase_name(status.phase));
    if (status.phase == SYNC_AWAY)
        jv_int(out, "away_ms", status.away_us / 1000);
    jv_int(out, "files", (int64_t)status.files);
    jv_int(out, "bytes", (int64_t)status.bytes);
    jv_int(out, "pending", (int64_t)status.pending);
    jv_int(out, "work_files", (int64_t)status.work_files);
    jv_int(out, "work_bytes", (int64_t)status.work_bytes);
    jv_int(out, "done_files", (int64_t)status.done_files);
    jv_int(out, "done_bytes", (int64_t)status.done_bytes);
    jv_int(out, "sent_bytes", (int64_t)status.sent_bytes);
    jv_int(out, "received_bytes", (int64_t)status.received_bytes);
    jv_int(out, "sent_raw_bytes", (int64_t)status.sent_raw_bytes);
    jv_int(out, "level", status.level);
    jv_int(out, "conflicts", status.conflicts);
    jv_int(out, "problems", status.problems);
    jv_int(out, "failed", (int64_t)status.failed);
    jv_text(out, "guard", *status.guard ? status.guard : NULL);
    jv_text(out, "problem", *status.problem ? status.problem : NULL);
}

static void put_error(struct jv *out, const struct error *err)
{
    jv_text(out, "error", err->text);
    jv_text(out, "kind", error_kind_name(err->kind));
}

static void resolve(struct sync *sync, const struct jv *question, struct jv *out)
{
    struct error err;
    const char *keep = jv_get_text(question, "keep", "");
    enum sync_keep side = strcmp(keep, "local") == 0    ? KEEP_LOCAL
                          : strcmp(keep, "remote") == 0 ? KEEP_REMOTE
                                                        : KEEP_BOTH;
    if (!*keep)
        error_set(&err, ERROR_INVALID, "keep which? --keep local, remote or both");
    else if (sync_resolve(sync, jv_get_text(question, "path", ""), side, &err))
        return;
    put_error(out, &err);
}

/* On the engine's thread. */
static bool run(struct runner_request *request, struct sync *sync)
{
    struct sync_asked *asked = (struct sync_asked *)request;
    const char *what = jv_get_text(asked->question, "do", "");
    struct error err;
    struct jv *list = NULL;
    if (strcmp(what, "flush") == 0) {
        enum sync_phase phase = sync_phase(sync);
        bool done = sync_flush_done(sync, &asked->flush);
        if (!done && phase != SYNC_HALTED && phase != SYNC_PAUSED)
            return false;
        jv_bool(asked->reply, "flushed", done && phase != SYNC_HALTED);
    } else if (strcmp(what, "look") == 0) { /* both trees are known */
        enum sync_phase phase = sync_phase(sync);
        if (phase == SYNC_AWAY || phase == SYNC_SCANNING || !sync_is_live(sync))
            return phase == SYNC_HALTED;
    } else if (strcmp(what, "pause") == 0) {
        sync_pause(sync);
    } else if (strcmp(what, "resume") == 0) {
        sync_resume(sync, jv_get_bool(asked->question, "allow", false));
    } else if (strcmp(what, "resolve") == 0) {
        resolve(sync, asked->question, asked->reply);
    } else if (strcmp(what, "conflicts") == 0) {
        list = sync_conflicts(sync);
    } else if (strcmp(what, "diff") == 0) {
        list = sync_diff(sync);
    } else if (strcmp(what, "status") != 0) {
        error_set(&err, ERROR_INVALID, "a sync cannot %.40s", what);
        put_error(asked->reply, &err);
    }
    put_status(sync, asked->reply);
    if (list) /* "conflicts" is then the list, not how many */
        jv_put(asked->reply, what, &list);
    return true;
}

static void done(struct runner_request *request, bool dropped)
{
    struct sync_asked *asked = (struct sync_asked *)request;
    struct error err;
    if (dropped) {
        error_set(&err, ERROR_CANCELLED, "the sync ended");
        put_error(asked->reply, &err);
    }
    asked->answer(asked->context, asked->reply);
    sync_flush_dispose(&asked->flush);
    jv_free(asked->question);
    jv_free(asked->reply);
    free(asked);
}

void sync_ask(struct laptop *laptop, const struct jv *question, sync_answer *answer, void *context)
{
    struct sync_asked *asked = xcalloc(1, sizeof *asked);
    *asked = (struct sync_asked){.base = {.run = run, .done = done},
                                 .question = jv_copy(question),
                                 .reply = jv_object(),
                                 .answer = answer,
                                 .context = context};
    laptop_ask(laptop, &asked->base);
}
