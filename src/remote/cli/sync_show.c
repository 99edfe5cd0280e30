/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/jv.h"
#include "cli/sync.h"

static double mega(const struct jv *status, const char *key)
{
    return (double)jv_get_int(status, key, 0) / 1e6;
}

void sync_print_status(const struct jv *about, const struct jv *status)
{
    const char *host = jv_get_text(about, "host", "");
    const char *guard = jv_get_text(status, "guard", NULL);
    const char *problem = jv_get_text(status, "problem", NULL);
    printf("%s -> %s%s%s (%s): %s\n", jv_get_text(about, "source", ""), host,
           strcmp(host, "local:") == 0 ? "" : ":", jv_get_text(about, "dest", ""),
           jv_get_text(about, "mode", ""), jv_get_text(status, "phase", ""));
    printf("  %lld files, %.1f MB; sent %.2f MB, received %.2f MB; %lld changes under way\n",
           (long long)jv_get_int(status, "files", 0), mega(status, "bytes"),
           mega(status, "sent_bytes"), mega(status, "received_bytes"),
           (long long)jv_get_int(status, "pending", 0));
    if (jv_get_int(status, "conflicts", 0))
        printf("  %lld in conflict: vma sync conflicts\n",
               (long long)jv_get_int(status, "conflicts", 0));
    if (guard)
        printf("  halted: %s\n", guard);
    if (problem)
        printf("  last of %lld problems: %s\n", (long long)jv_get_int(status, "problems", 0),
               problem);
}

void sync_progress_line(const struct jv *status, int64_t elapsed_ms, char *out, size_t size)
{
    enum { CELLS = 20 };
    double all = mega(status, "work_bytes"), done = mega(status, "done_bytes");
    int64_t files = jv_get_int(status, "work_files", 0);
    if (strcmp(jv_get_text(status, "phase", ""), "scanning") == 0 || files == 0) {
        snprintf(out, size, "looking at both sides: %lld files here",
                 (long long)jv_get_int(status, "files", 0));
        return;
    }
    double part = all > 0 ? done / all : 1;
    char bar[CELLS * 3 + 1] = "";
    for (int i = 0; i < CELLS; i++)
        strcat(bar, i < (int)(part * CELLS) ? "█" : "░");
    double seconds = (double)elapsed_ms / 1e3;
    double left = done > 0 ? seconds * (all - done) / done : 0;
    snprintf(out, size,
             "%s %3.0f %%  %lld of %lld files, %.0f of %.0f MB, %.1f MB sent, %.0f s left", bar,
             part * 100, (long long)jv_get_int(status, "done_files", 0), (long long)files, done,
             all, mega(status, "sent_bytes"), left);
}
