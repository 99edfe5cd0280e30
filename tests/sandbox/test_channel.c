/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/channel_internal.h"

/* The next descriptor that would be given out: tells whether any was left open. */
static int next_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

static void send_with(int socket, int count)
{
    union {
        char room[CMSG_SPACE(sizeof(int) * 8)];
        struct cmsghdr alignment;
    } control = {.room = {0}};
    uint8_t byte = 7;
    struct iovec part = {&byte, 1};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *passed = CMSG_FIRSTHDR(&header);
    passed->cmsg_level = SOL_SOCKET;
    passed->cmsg_type = SCM_RIGHTS;
    passed->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    for (int i = 0; i < count; i++)
        memcpy(CMSG_DATA(passed) + sizeof(int) * (size_t)i, &socket, sizeof socket);
    assert_int_equal(sendmsg(socket, &header, 0), 1);
}

static void more_descriptors_than_expected_are_refused_and_closed(void **state)
{
    for (int sent = 1; sent <= 6; sent++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        int free_fd = next_fd();
        send_with(pair[0], sent);
        struct {
            int fds[MAX_PASSED], guard;
        } got = {.guard = 77};
        int count = MAX_PASSED;
        uint8_t byte = 0;
        bool received = channel_receive(pair[1], &byte, 1, got.fds, &count);
        assert_int_equal(received, sent <= MAX_PASSED);
        assert_int_equal(count, received ? sent : 0);
        assert_int_equal(got.guard, 77);
        for (int i = 0; i < count; i++)
            close(got.fds[i]);
        assert_int_equal(next_fd(), free_fd);
        close(pair[0]);
        close(pair[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_descriptors_than_expected_are_refused_and_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
