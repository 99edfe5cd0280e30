/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/text.h"
#include "cli/sync.h"

static double mega(const struct jv *status, const char *key)
{
    return (double)jv_get_int(status, key, 0) / 1e6;
}

bool sync_is_settled(const struct jv *status)
{
    const char *phase = jv_get_text(status, "phase", "");
    return strcmp(phase, "in-sync") == 0 || strcmp(phase, "incomplete") == 0;
}

static bool is_incomplete(const struct jv *status)
{
    return strcmp(jv_get_text(status, "phase", ""), "incomplete") == 0;
}

void sync_say_settled(const struct jv *status, const char *dest)
{
    if (is_incomplete(status))
        fprintf(stderr, "vma: all is in %s but %lld that could not be: vma sync status\n", dest,
                (long long)jv_get_int(status, "failed", 0));
    else
        fprintf(stderr, "vma: in sync: %lld files in %s\n",
                (long long)jv_get_int(status, "files", 0), dest);
}

bool sync_judge(const struct jv *status, struct error *err)
{
    bool working =
        strcmp(jv_get_text(status, "phase", ""), "working") == 0; /* on what came since */
    bool stuck = !working && jv_get_int(status, "problems", 0) && jv_get_int(status, "pending", 0);
    if (!stuck && !is_incomplete(status) && !jv_get_int(status, "failed", 0))
        return true;
    return error_set(err, ERROR_UNAVAILABLE, "not everything could be synced; the last: %s",
                     jv_get_text(status, "problem", "a file that keeps changing"));
}

const char *sync_state_text(const struct jv *status, const char *host, char *out, size_t size)
{
    const char *phase = jv_get_text(status, "phase", "");
    double all = mega(status, "work_bytes"), done = mega(status, "done_bytes");
    long long pending = jv_get_int(status, "pending", 0);
    long long conflicts = jv_get_int(status, "conflicts", 0);
    long long away_s = jv_get_int(status, "away_ms", 0) / 1000;
    if (strcmp(phase, "away") == 0 && away_s)
        snprintf(out, size, "waiting for %s, which is away for %lld s", host, away_s);
    else if (strcmp(phase, "away") == 0)
        snprintf(out, size, "waiting for %s", host);
    else if (strcmp(phase, "scanning") == 0)
        snprintf(out, size, "looking at both sides");
    else if (strcmp(phase, "working") == 0 && all > done)
        snprintf(out, size, "copying, %.0f %%", 100 * done / all);
    else if (strcmp(phase, "working") == 0)
        snprintf(out, size, "copying, %lld change%s under way", pending, pending == 1 ? "" : "s");
    else if (is_incomplete(status))
        snprintf(out, size, "in sync but for %lld that could not be done",
                 (long long)jv_get_int(status, "failed", 0));
    else
        snprintf(out, size, "%s", strcmp(phase, "in-sync") == 0 ? "in sync" : phase);
    size_t used = strlen(out);
    if (conflicts && used < size)
        snprintf(out + used, size - used, ", %lld in conflict", conflicts);
    return out;
}

void sync_print_status(const struct jv *about, const struct jv *status)
{
    const char *host = jv_get_text(about, "host", "");
    const char *guard = jv_get_text(status, "guard", NULL);
    const char *problem = jv_get_text(status, "problem", NULL);
    char state[SYNC_STATE_SIZE];
    printf("%s -> %s%s%s (%s): %s\n", jv_get_text(about, "source", ""), host,
           strcmp(host, "local:") == 0 ? "" : ":", jv_get_text(about, "dest", ""),
           jv_get_text(about, "mode", ""), sync_state_text(status, host, state, sizeof state));
    long long pending = jv_get_int(status, "pending", 0);
    printf("  %lld files, %.1f MB; sent %.2f MB, received %.2f MB; %lld change%s under way\n",
           (long long)jv_get_int(status, "files", 0), mega(status, "bytes"),
           mega(status, "sent_bytes"), mega(status, "received_bytes"), pending,
           pending == 1 ? "" : "s");
    if (jv_get_int(status, "conflicts", 0))
        printf("  %lld in conflict: vma sync conflicts\n",
               (long long)jv_get_int(status, "conflicts", 0));
    if (guard)
        printf("  halted: %s\n", guard);
    if (problem)
        printf("  last of %lld problems: %s\n", (long long)jv_get_int(status, "problems", 0),
               problem);
}

/* One more fact, if it fits whole. */
static bool PRINTF_LIKE(4, 5) add_fact(char *out, size_t size, size_t room, const char *format, ...)
{
    char fact[80];
    va_list args;
    va_start(args, format);
    vsnprintf(fact, sizeof fact, format, args);
    va_end(args);
    size_t used = strlen(out);
    if (utf8_count(bytes_of(out)) + strlen(fact) > room || used + strlen(fact) >= size)
        return false;
    strcpy(out + used, fact);
    return true;
}

void sync_progress_line(const struct jv *status, int64_t elapsed_ms, size_t room, char *out,
                        size_t size)
{
    /* With 30,000 files and 500 MB all fits into 80 columns. */
    enum { CELLS = 12, FEW_CELLS = 8, NARROW = 44 };
    double all = mega(status, "work_bytes"), done = mega(status, "done_bytes");
    int64_t files = jv_get_int(status, "work_files", 0);
    if (strcmp(jv_get_text(status, "phase", ""), "scanning") == 0 || files == 0) {
        snprintf(out, size, "looking at both sides: %lld files here",
                 (long long)jv_get_int(status, "files", 0));
        return;
    }
    double part = all > 0 ? done / all : 1;
    char bar[CELLS * 3 + 1] = "";
    int cells = room < NARROW ? FEW_CELLS : CELLS;
    for (int i = 0; i < cells; i++)
        strcat(bar, i < (int)(part * cells) ? "█" : "░");
    double seconds = (double)elapsed_ms / 1e3;
    double left = done > 0 ? seconds * (all - done) / done : 0;
    double sent = mega(status, "sent_bytes");
    bool minutes = left >= 100;
    snprintf(out, size, "%s %3.0f %%", bar, part * 100);
    /* What matters most comes first, for the line may be short. */
    bool fits = add_fact(out, size, room, ", %.0f %s left", minutes ? left / 60 : left,
                         minutes ? "min" : "s") &&
                add_fact(out, size, room, ", %lld/%lld files",
                         (long long)jv_get_int(status, "done_files", 0), (long long)files) &&
                add_fact(out, size, room, ", %.0f/%.0f MB", done, all) &&
                add_fact(out, size, room, ", %.*f MB sent", sent < 10, sent);
    (void)fits;
}
