/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sys/connections.h"

static const char table[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "700 1 0000000000000000 100 0 0 10 0\n"
    "   1: 01004D0A:C350 02004D0A:0016 01 00000000:00000000 02:00000A1B 00000000     0        0 "
    "701 2 0000000000000000 20 4 30 10 -1\n";

static const char table_six[] =
    "   0: 00000000000000000000000001000000:C350 B80D0120000000000000000001000000:0016 01 "
    "00000000:00000000 00:00000000 00000000  1000        0 88 1 0000000000000000 20 4 0 10 -1\n";

static void the_other_end_is_found_by_the_sockets_number(void **state)
{
    struct sockaddr_storage found;
    char text[INET6_ADDRSTRLEN];
    (void)state;
    assert_true(connection_in_table(bytes_of(table), false, 701, &found));
    struct sockaddr_in *in = (struct sockaddr_in *)&found;
    assert_int_equal(found.ss_family, AF_INET);
    assert_string_equal(inet_ntop(AF_INET, &in->sin_addr, text, sizeof text), "10.77.0.2");
    assert_int_equal(ntohs(in->sin_port), 22);

    assert_true(connection_in_table(bytes_of(table_six), true, 88, &found));
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&found;
    assert_string_equal(inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text), "2001:db8::1");
}

static void what_listens_or_is_not_there_or_is_no_table_is_not_found(void **state)
{
    struct sockaddr_storage found;
    (void)state;
    assert_false(connection_in_table(bytes_of(table), false, 700, &found));
    assert_false(connection_in_table(bytes_of(table), false, 7, &found));
    assert_false(connection_in_table(bytes_of(table_six), false, 88, &found));
    for (size_t size = 0; size < sizeof table_six - 34; size++)
        assert_false(connection_in_table((struct bytes){(const uint8_t *)table_six, size}, true, 88,
                                         &found));
}

static void connect_to_ourselves(uint16_t *out_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
    *out_port = ntohs(address.sin_port);
}

static void a_process_is_asked_and_then_its_children(void **state)
{
    struct sockaddr_storage found;
    uint16_t port;
    int pipes[2], stop[2];
    (void)state;
    if (access("/proc/self/net/tcp", R_OK) != 0)
        skip();
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(pipe(stop), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(stop[1]);
        connect_to_ourselves(&port);
        ssize_t done = write(pipes[1], &port, sizeof port);
        done += read(stop[0], &byte, 1);
        _exit(done < 0);
    }
    assert_int_equal(read(pipes[0], &port, sizeof port), sizeof port);
    assert_true(connection_of(child, &found));
    assert_int_equal(ntohs(((struct sockaddr_in *)&found)->sin_port), port);
    if (access("/proc/thread-self/children", R_OK) == 0)
        assert_true(connection_of(getpid(), &found));
    close(stop[1]);
    waitpid(child, NULL, 0);
    assert_false(connection_of(getpid(), &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_other_end_is_found_by_the_sockets_number),
        cmocka_unit_test(what_listens_or_is_not_there_or_is_no_table_is_not_found),
        cmocka_unit_test(a_process_is_asked_and_then_its_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
