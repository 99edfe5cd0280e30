/* SPDX-License-Identifier: Apache-2.0 */
/* Small requests and large streams over TCP, for measuring forwards.
 *
 *     pingpong serve ADDRESS PORT              answers until it is killed
 *     pingpong ask ADDRESS PORT COUNT keep|new 64-byte requests, 512-byte answers; prints ns, one
 *                                              line each
 *     pingpong take ADDRESS PORT BYTES         reads a stream of BYTES, prints ns and its checksum
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST = 64, ANSWER = 512, BLOCK = 1 << 16 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in address_of(char **arguments)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
    if (inet_pton(AF_INET, arguments[0], &address.sin_addr) != 1)
        die(arguments[0]);
    return address;
}

static bool read_all(int fd, void *data, size_t size)
{
    for (uint8_t *at = data; size;) {
        ssize_t got = read(fd, at, size);
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *data, size_t size)
{
    for (const uint8_t *at = data; size;) {
        ssize_t put = write(fd, at, size);
        if (put <= 0)
            return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

/* The same bytes wherever they are made: a counter's low bytes, mixed. */
static void fill(uint8_t *block, uint64_t offset)
{
    for (size_t i = 0; i < BLOCK; i += 8) {
        uint64_t value = (offset + i) * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(block + i, &value, 8);
    }
}

/* A request of zeros asks for an answer; one that begins with 'S' and a size, for a stream. */
static void *serve_one(void *raw)
{
    int fd = (int)(intptr_t)raw, one = 1;
    uint8_t request[REQUEST], answer[ANSWER] = {0};
    uint8_t *block = malloc(BLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while (block && read_all(fd, request, sizeof request)) {
        uint64_t size = 0;
        memcpy(&size, request + 8, 8);
        if (request[0] != 'S') {
            if (!write_all(fd, answer, sizeof answer))
                break;
            continue;
        }
        for (uint64_t sent = 0; sent < size; sent += BLOCK) {
            fill(block, sent);
            if (!write_all(fd, block, size - sent < BLOCK ? size - sent : BLOCK))
                break;
        }
    }
    free(block);
    close(fd);
    return NULL;
}

static _Noreturn void serve(char **arguments)
{
    struct sockaddr_in address = address_of(arguments);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 128))
        die("listen");
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
}

static int connected(char **arguments)
{
    struct sockaddr_in address = address_of(arguments);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int ask(char **arguments)
{
    int count = atoi(arguments[2]);
    bool keep = strcmp(arguments[3], "keep") == 0;
    uint8_t request[REQUEST] = {0}, answer[ANSWER];
    int fd = keep ? connected(arguments) : -1;
    for (int i = 0; i < count; i++) {
        int64_t begin = now_ns();
        if (!keep)
            fd = connected(arguments);
        if (!write_all(fd, request, sizeof request) || !read_all(fd, answer, sizeof answer))
            die("request");
        printf("%lld\n", (long long)(now_ns() - begin));
        if (!keep)
            close(fd);
    }
    return 0;
}

static int take(char **arguments)
{
    uint64_t size = strtoull(arguments[2], NULL, 10), sum = 0, got_all = 0;
    uint8_t request[REQUEST] = {'S'};
    uint8_t *block = malloc(BLOCK), *expected = malloc(BLOCK);
    memcpy(request + 8, &size, 8);
    int fd = connected(arguments);
    int64_t begin = now_ns();
    if (!block || !expected || !write_all(fd, request, sizeof request))
        die("request");
    while (got_all < size) {
        size_t want = size - got_all < BLOCK ? size - got_all : BLOCK;
        if (!read_all(fd, block, want))
            die("stream ended early");
        fill(expected, got_all);
        if (memcmp(block, expected, want) != 0) {
            fprintf(stderr, "wrong bytes near %llu\n", (unsigned long long)got_all);
            return 1;
        }
        for (size_t i = 0; i < want; i += 4096)
            sum += block[i];
        got_all += want;
    }
    printf("%lld %llu\n", (long long)(now_ns() - begin), (unsigned long long)sum);
    return 0;
}

int main(int count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN);
    if (count == 4 && strcmp(arguments[1], "serve") == 0)
        serve(arguments + 2);
    if (count == 6 && strcmp(arguments[1], "ask") == 0)
        return ask(arguments + 2);
    if (count == 5 && strcmp(arguments[1], "take") == 0)
        return take(arguments + 2);
    fprintf(stderr, "usage: see the top of pingpong.c\n");
    return 64;
}
