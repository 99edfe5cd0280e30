/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/names.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static const struct {
    int number;
    const char *name;
} names[] = {
    {SIGHUP, "HUP"},     {SIGINT, "INT"},   {SIGQUIT, "QUIT"}, {SIGKILL, "KILL"}, {SIGUSR1, "USR1"},
    {SIGUSR2, "USR2"},   {SIGTERM, "TERM"}, {SIGCONT, "CONT"}, {SIGTSTP, "TSTP"}, {SIGSTOP, "STOP"},
    {SIGWINCH, "WINCH"}, {SIGABRT, "ABRT"}, {SIGSEGV, "SEGV"}, {SIGPIPE, "PIPE"}, {SIGALRM, "ALRM"},
    {SIGBUS, "BUS"},     {SIGFPE, "FPE"},   {SIGILL, "ILL"},
};

const char *signal_name(int number)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}

int signal_number(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].number;
    return 0;
}
