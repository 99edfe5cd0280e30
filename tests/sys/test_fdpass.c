/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "sys/fdpass.h"

struct place {
    char folder[64], socket[80], about[80];
};

static int set_up(void **state)
{
    static struct place place;
    strcpy(place.folder, "/tmp/vma-fdpass-XXXXXX");
    if (!mkdtemp(place.folder))
        return -1;
    snprintf(place.socket, sizeof place.socket, "%s/a.sock", place.folder);
    snprintf(place.about, sizeof place.about, "%s/a.json", place.folder);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    const struct place *place = *state;
    unlink(place->socket);
    unlink(place->about);
    return rmdir(place->folder);
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* Bound, and nobody listens: about to, or killed. */
static int bound(const struct place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, place->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void a_socket_is_found_as_long_as_somebody_listens(void **state)
{
    const struct place *place = *state;
    struct error err;
    int fd = unix_listen(place->socket, &err);
    assert_true(fd >= 0);
    touch(place->about);
    unix_sweep(place->socket, place->about);
    assert_int_equal(access(place->about, F_OK), 0);
    int caller = unix_connect(place->socket, &err);
    assert_true(caller >= 0);
    assert_int_equal(unix_listen(place->socket, &err), -1);
    assert_int_equal(err.kind, ERROR_CONFLICT);
    close(caller);
    close(fd);
}

static void what_a_killed_process_left_is_swept_and_replaced(void **state)
{
    const struct place *place = *state;
    struct error err;
    close(bound(place));
    touch(place->about);
    unix_sweep(place->socket, place->about);
    assert_int_equal(access(place->socket, F_OK), -1);
    assert_int_equal(access(place->about, F_OK), -1);
    close(bound(place));
    int fd = unix_listen(place->socket, &err);
    assert_true(fd >= 0);
    close(fd);
}

static void one_that_is_about_to_listen_is_not_taken_for_dead(void **state)
{
    const struct place *place = *state;
    int folder = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(folder, LOCK_EX), 0); /* as unix_listen does */
    int fd = bound(place);
    touch(place->about);
    unix_sweep(place->socket, place->about);
    assert_int_equal(access(place->socket, F_OK), 0);
    assert_int_equal(access(place->about, F_OK), 0);
    close(folder);
    close(fd);
}

static void other_files_are_left_alone(void **state)
{
    const struct place *place = *state;
    struct error err;
    touch(place->socket);
    unix_sweep(place->socket, NULL);
    assert_int_equal(access(place->socket, F_OK), 0);
    assert_int_equal(unix_listen(place->socket, &err), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_socket_is_found_as_long_as_somebody_listens),
        TEST(what_a_killed_process_left_is_swept_and_replaced),
        TEST(one_that_is_about_to_listen_is_not_taken_for_dead),
        TEST(other_files_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
