/* SPDX-License-Identifier: Apache-2.0 */
/* A long, thin line between two network namespaces, for kernels without netem.
 *
 *     link_emulator NAMESPACE-A NAMESPACE-B DELAY-MS MBIT-PER-S
 *
 * makes a TUN device "far0" in each (10.77.0.1 in A, 10.77.0.2 in B), says "ready" on standard
 * output and carries packets between them: each waits for its turn on the line (its size over the
 * rate), then for the one-way delay. A queue holds 250 ms of line rate, what does not fit is
 * dropped at the tail, as a router does. Commands on standard input, a line each:
 *
 *     drop    packets vanish from now on        pass    and pass again
 *     down    the devices go down               up      and up again
 *     bytes   prints "bytes A-TO-B B-TO-A": what was carried so far
 *     gaps    prints "gaps FROM:MS …": when the line from A to B had nothing to send for 1 ms and
 *             more since it was last asked, FROM in ms of the monotonic clock
 *
 * It ends when standard input does; the devices go with it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1500, QUEUE = 16384, GAPS = 4096, GAP_NS = 1000 * 1000 };

struct gap {
    int64_t from_ns, to_ns;
};

struct packet {
    int64_t due_ns;
    size_t size;
    uint8_t data[MTU];
};

struct direction {
    int in, out;       /* TUN descriptors */
    int64_t free_ns;   /* when the line has sent what it was given so far */
    size_t head, tail; /* of the ring */
    uint64_t carried;  /* bytes */
    struct packet *ring;
    struct gap gaps[GAPS];
    size_t gap_count;
};

struct line {
    int64_t delay_ns;
    double ns_per_byte;
    int64_t queue_ns;
    bool drop;
    const char *names[2];
    struct direction directions[2];
};

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

static void run(const char *format, const char *namespace, const char *rest)
{
    char command[200];
    snprintf(command, sizeof command, format, namespace, rest);
    if (system(command) != 0) {
        fprintf(stderr, "failed: %s\n", command);
        exit(1);
    }
}

static int open_tun(const char *namespace, const char *address)
{
    char path[100];
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) != 0)
        die(path);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strcpy(request.ifr_name, "far0");
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        die("tun device");
    if (setns(home, CLONE_NEWNET) != 0)
        die("return to own namespace");
    close(home);
    close(there);
    run("ip -n %s addr add %s/24 dev far0", namespace, address);
    run("ip -n %s link set far0 up%s", namespace, "");
    run("ip -n %s link set lo up%s", namespace, "");
    return fd;
}

static void note_gap(struct direction *direction, int64_t now)
{
    if (now - direction->free_ns >= GAP_NS && direction->gap_count < GAPS)
        direction->gaps[direction->gap_count++] = (struct gap){direction->free_ns, now};
}

static void tell_gaps(struct direction *direction)
{
    note_gap(direction, now_ns());
    printf("gaps");
    for (size_t i = 0; i < direction->gap_count; i++)
        printf(" %.1f:%.1f", (double)direction->gaps[i].from_ns / 1e6,
               (double)(direction->gaps[i].to_ns - direction->gaps[i].from_ns) / 1e6);
    printf("\n");
    fflush(stdout);
    direction->gap_count = 0;
}

static void accept_packets(struct line *line, struct direction *direction)
{
    for (;;) {
        struct packet *packet = &direction->ring[direction->tail % QUEUE];
        bool full = direction->tail - direction->head == QUEUE;
        uint8_t nowhere[MTU];
        ssize_t size = read(direction->in, full ? nowhere : packet->data, MTU);
        if (size <= 0)
            return;
        int64_t now = now_ns();
        int64_t start = direction->free_ns > now ? direction->free_ns : now;
        if (line->drop || full || start - now > line->queue_ns)
            continue;
        note_gap(direction, now);
        direction->free_ns = start + (int64_t)((double)size * line->ns_per_byte);
        packet->due_ns = direction->free_ns + line->delay_ns;
        packet->size = (size_t)size;
        direction->tail++;
    }
}

/* When the next packet is due, or INT64_MAX. */
static int64_t deliver(const struct line *line, struct direction *direction)
{
    while (direction->head != direction->tail) {
        struct packet *packet = &direction->ring[direction->head % QUEUE];
        if (packet->due_ns > now_ns())
            return packet->due_ns;
        direction->head++;
        if (line->drop)
            continue;
        if (write(direction->out, packet->data, packet->size) > 0)
            direction->carried += packet->size;
    }
    return INT64_MAX;
}

static bool obey(struct line *line)
{
    char word[32];
    if (scanf("%31s", word) != 1)
        return false;
    if (strcmp(word, "drop") == 0 || strcmp(word, "pass") == 0) {
        line->drop = strcmp(word, "drop") == 0;
    } else if (strcmp(word, "down") == 0 || strcmp(word, "up") == 0) {
        for (int side = 0; side < 2; side++)
            run("ip -n %s link set far0 %s", line->names[side], word);
    } else if (strcmp(word, "bytes") == 0) {
        printf("bytes %llu %llu\n", (unsigned long long)line->directions[0].carried,
               (unsigned long long)line->directions[1].carried);
        fflush(stdout);
        return true;
    } else if (strcmp(word, "gaps") == 0) {
        tell_gaps(&line->directions[0]);
        return true;
    }
    printf("ok %s\n", word);
    fflush(stdout);
    return true;
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "usage: link_emulator NAMESPACE-A NAMESPACE-B DELAY-MS MBIT-PER-S\n");
        return 64;
    }
    static struct line line;
    line = (struct line){
        .delay_ns = (int64_t)(atof(arguments[3]) * 1e6),
        .ns_per_byte = 8000 / atof(arguments[4]),
        .queue_ns = 250 * 1000000,
        .names = {arguments[1], arguments[2]},
    };
    int a = open_tun(arguments[1], "10.77.0.1");
    int b = open_tun(arguments[2], "10.77.0.2");
    for (int i = 0; i < 2; i++) {
        struct direction *direction = &line.directions[i];
        *direction = (struct direction){.in = i ? b : a, .out = i ? a : b};
        direction->ring = calloc(QUEUE, sizeof *direction->ring);
        if (!direction->ring)
            die("memory");
    }
    prctl(PR_SET_TIMERSLACK, 1000UL); /* 1 µs: the delay must not wobble … */
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) != 0)
        (void)!nice(-20); /* … and a line waits for no processor */
    setvbuf(stdin, NULL, _IONBF, 0);
    printf("ready\n");
    fflush(stdout);

    for (;;) {
        int64_t due = INT64_MAX;
        for (int i = 0; i < 2; i++) {
            int64_t next = deliver(&line, &line.directions[i]);
            due = next < due ? next : due;
        }
        struct pollfd polls[] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        int64_t wait = due == INT64_MAX ? INT64_C(1000000000) : due - now_ns();
        wait = wait < 0 ? 0 : wait;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        if (ppoll(polls, 3, &timeout, NULL) < 0 && errno != EINTR)
            die("poll");
        for (int i = 0; i < 2; i++)
            if (polls[i].revents & POLLIN)
                accept_packets(&line, &line.directions[i]);
        if ((polls[2].revents & (POLLIN | POLLHUP)) && !obey(&line))
            return 0;
    }
}
