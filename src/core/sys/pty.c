/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

void pty_resize(int fd, struct pty_size size)
{
    struct winsize window = {.ws_row = size.rows, .ws_col = size.columns};
    ioctl(fd, TIOCSWINSZ, &window);
}

bool pty_size_of(int fd, struct pty_size *out)
{
    struct winsize window;
    if (ioctl(fd, TIOCGWINSZ, &window) != 0)
        return false;
    *out = (struct pty_size){window.ws_row, window.ws_col};
    return true;
}

bool pty_open(struct pty_size size, int *out_ours, int *out_program, struct error *err)
{
    char name[128];
    AUTO(fd_close) int ours = posix_openpt(O_RDWR | O_NOCTTY);
    if (ours < 0 || fcntl(ours, F_SETFD, FD_CLOEXEC) != 0 || grantpt(ours) != 0 ||
        unlockpt(ours) != 0 || ptsname_r(ours, name, sizeof name) != 0)
        return error_os(err, errno, "open a terminal");
    int program = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (program < 0)
        return error_os(err, errno, "open terminal %s", name);
    if (size.rows && size.columns)
        pty_resize(ours, size);
    *out_program = program;
    *out_ours = fd_take(&ours);
    return true;
}

struct pty_saved {
    int fd;
    struct termios settings;
};

struct pty_saved *pty_raw(int fd)
{
    struct termios settings;
    if (tcgetattr(fd, &settings) != 0)
        return NULL;
    struct pty_saved *saved = xmalloc(sizeof *saved);
    *saved = (struct pty_saved){fd, settings};
    cfmakeraw(&settings);
    tcsetattr(fd, TCSADRAIN, &settings);
    return saved;
}

void pty_restore(struct pty_saved *saved)
{
    if (!saved)
        return;
    tcsetattr(saved->fd, TCSADRAIN, &saved->settings);
    free(saved);
}
