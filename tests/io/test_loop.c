/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "io/loop.h"

/* What a callback has to do with. */
struct scene {
    struct loop *loop;
    struct timer *timer, *other_timer;
    struct watch *watch, *other;
    struct later *later;
    struct wake *wake;
    int fd, peer;
    int ready;
    unsigned calls;
    size_t bytes;
    char order[32];
};

static void note(struct scene *scene, char what)
{
    size_t size = strlen(scene->order);
    assert_true(size < sizeof scene->order - 1);
    scene->order[size] = what;
}

static void scene_init(struct scene *scene)
{
    int ends[2];
    struct error err;
    *scene = (struct scene){.loop = loop_new(&err)};
    assert_ok(scene->loop, &err);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    scene->fd = ends[0];
    scene->peer = ends[1];
    for (int i = 0; i < 2; i++)
        assert_int_equal(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
}

static void scene_dispose(struct scene *scene)
{
    timer_free(scene->timer);
    timer_free(scene->other_timer);
    watch_free(scene->watch);
    watch_free(scene->other);
    later_free(scene->later);
    wake_free(scene->wake);
    if (scene->fd >= 0)
        close(scene->fd);
    if (scene->peer >= 0)
        close(scene->peer);
    loop_free(scene->loop);
}

static void watch_it(struct scene *scene, watch_callback *ready, int wanted)
{
    struct error err;
    scene->watch = watch_new(scene->loop, scene->fd, ready, scene, &err);
    assert_ok(scene->watch, &err);
    watch_set(scene->watch, wanted);
}

/* --- Timers -------------------------------------------------------------------------------- */

static void stop_it(void *context)
{
    struct scene *scene = context;
    note(scene, 's');
    loop_stop(scene->loop);
}

static void three_times(void *context)
{
    struct scene *scene = context;
    note(scene, 't');
    if (++scene->calls < 3)
        timer_start(scene->timer, 0);
}

static void a_timer_fires_once_and_may_start_itself_again(void **state)
{
    struct scene scene;
    scene_init(&scene);
    scene.timer = timer_new(scene.loop, three_times, &scene);
    assert_false(timer_active(scene.timer));
    timer_start(scene.timer, 1);
    assert_true(timer_active(scene.timer));
    loop_run(scene.loop); /* ends: nothing is left that could call back */
    assert_string_equal(scene.order, "ttt");
    assert_false(timer_active(scene.timer));
    scene_dispose(&scene);
}

static void timers_fire_in_the_order_of_their_times_unless_stopped(void **state)
{
    struct scene scene;
    scene_init(&scene);
    scene.timer = timer_new(scene.loop, stop_it, &scene);
    scene.other_timer = timer_new(scene.loop, three_times, &scene);
    scene.calls = 2;
    struct timer *never = timer_new(scene.loop, three_times, &scene);
    timer_start(never, 1);
    timer_start(scene.timer, 4);
    timer_start(scene.other_timer, 2);
    timer_stop(never);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "ts");
    timer_free(never);
    scene_dispose(&scene);
}

static void free_both(void *context)
{
    struct scene *scene = context;
    note(scene, 'f');
    timer_free(TAKE(scene->timer));
    timer_free(TAKE(scene->other_timer));
}

static void a_timer_may_free_itself_and_another_that_is_due(void **state)
{
    struct scene scene;
    scene_init(&scene);
    scene.timer = timer_new(scene.loop, free_both, &scene);
    scene.other_timer = timer_new(scene.loop, free_both, &scene);
    timer_start(scene.timer, 1);
    timer_start(scene.other_timer, 1);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "f");
    scene_dispose(&scene);
}

/* --- Later --------------------------------------------------------------------------------- */

static void run_later(void *context)
{
    struct scene *scene = context;
    note(scene, 'l');
    if (scene->calls++ == 0)
        later_ask(scene->later); /* again, in the same turn */
}

static void ask_twice(void *context)
{
    struct scene *scene = context;
    note(scene, 'a');
    later_ask(scene->later);
    later_ask(scene->later);
    note(scene, 'b');
}

static void later_comes_after_the_callback_and_before_sleep(void **state)
{
    struct scene scene;
    scene_init(&scene);
    scene.later = later_new(scene.loop, run_later, &scene);
    scene.timer = timer_new(scene.loop, ask_twice, &scene);
    scene.other_timer = timer_new(scene.loop, stop_it, &scene);
    timer_start(scene.timer, 1);
    timer_start(scene.other_timer, 30);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "ablls");
    scene_dispose(&scene);
}

static void what_is_freed_is_not_run_later(void **state)
{
    struct scene scene;
    scene_init(&scene);
    struct later *gone = later_new(scene.loop, run_later, &scene);
    scene.later = later_new(scene.loop, stop_it, &scene);
    later_ask(gone);
    later_ask(scene.later);
    later_free(gone);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "s");
    scene_dispose(&scene);
}

/* --- Descriptors --------------------------------------------------------------------------- */

/* Three bytes a time, as if a message came in parts. */
static void read_parts(void *context, int ready)
{
    struct scene *scene = context;
    char part[3];
    scene->calls++;
    scene->ready |= ready;
    ssize_t got = read(scene->fd, part, sizeof part);
    assert_true(got >= 0);
    scene->bytes += (size_t)got;
    if (got == 0)
        loop_stop(scene->loop);
}

static void what_was_not_read_is_told_again_until_the_end(void **state)
{
    struct scene scene;
    scene_init(&scene);
    watch_it(&scene, read_parts, WATCH_READ);
    assert_int_equal(write(scene.peer, "eleven byte", 11), 11);
    assert_int_equal(shutdown(scene.peer, SHUT_WR), 0);
    loop_run(scene.loop);
    assert_int_equal(scene.bytes, 11);
    assert_int_equal(scene.calls, 5); /* four parts and the end */
    assert_int_equal(scene.ready, WATCH_READ);
    assert_int_equal(read(scene.fd, scene.order, 1), 0);
    scene_dispose(&scene);
}

static size_t fill(int fd)
{
    static const char block[4096];
    size_t sum = 0;
    for (;;) {
        ssize_t sent = write(fd, block, sizeof block);
        if (sent < 0) {
            assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
            return sum;
        }
        sum += (size_t)sent;
    }
}

static size_t drain(int fd)
{
    char block[4096];
    size_t sum = 0;
    for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;)
        sum += (size_t)got;
    return sum;
}

static void count_writable(void *context, int ready)
{
    struct scene *scene = context;
    assert_int_equal(ready, WATCH_WRITE);
    note(scene, 'w');
    loop_stop(scene->loop);
}

static void make_room(void *context)
{
    struct scene *scene = context;
    note(scene, 'd');
    scene->bytes -= drain(scene->peer);
}

static void a_full_socket_is_writable_once_there_is_room(void **state)
{
    struct scene scene;
    scene_init(&scene);
    scene.bytes = fill(scene.fd);
    watch_it(&scene, count_writable, WATCH_WRITE);
    scene.timer = timer_new(scene.loop, make_room, &scene);
    timer_start(scene.timer, 3);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "dw");
    assert_int_equal(scene.bytes, 0);
    scene_dispose(&scene);
}

static void unwatch(void *context, int ready)
{
    struct scene *scene = context;
    note(scene, ready & WATCH_READ ? 'r' : 'w');
    watch_set(scene->watch, 0);
}

static void what_is_not_wanted_is_not_told(void **state)
{
    struct scene scene;
    scene_init(&scene);
    watch_it(&scene, unwatch, WATCH_READ);
    assert_int_equal(write(scene.peer, "x", 1), 1);
    loop_run(scene.loop); /* told once; then nothing keeps the loop */
    assert_string_equal(scene.order, "r");
    watch_set(scene.watch, WATCH_WRITE);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "rw");
    scene_dispose(&scene);
}

static void free_and_close(void *context, int ready)
{
    struct scene *scene = context;
    (void)ready;
    note(scene, 'f');
    watch_free(TAKE(scene->watch));
    watch_free(TAKE(scene->other));
    close(scene->fd);
    close(scene->peer);
    scene->fd = scene->peer = -1;
}

/* Both are ready in one turn: whichever comes first ends the other. */
static void a_watch_may_free_itself_and_another_that_is_ready(void **state)
{
    struct scene scene;
    struct error err;
    scene_init(&scene);
    assert_int_equal(write(scene.peer, "x", 1), 1);
    assert_int_equal(write(scene.fd, "y", 1), 1);
    watch_it(&scene, free_and_close, WATCH_READ);
    scene.other = watch_new(scene.loop, scene.peer, free_and_close, &scene, &err);
    assert_ok(scene.other, &err);
    watch_set(scene.other, WATCH_READ);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "f");
    scene_dispose(&scene);
}

static void read_error(void *context, int ready)
{
    struct scene *scene = context;
    char byte;
    assert_true(ready & WATCH_READ);
    for (ssize_t got; (got = read(scene->fd, &byte, 1)) > 0;)
        scene->bytes += (size_t)got;
    note(scene, errno == ECONNRESET ? 'e' : '0');
    loop_stop(scene->loop);
}

/* A peer that closes with something unread resets the connection. */
static void a_reset_is_told_by_the_next_read(void **state)
{
    struct scene scene;
    scene_init(&scene);
    assert_int_equal(write(scene.fd, "unread", 6), 6);
    assert_int_equal(write(scene.peer, "last", 4), 4);
    close(scene.peer);
    scene.peer = -1;
    errno = 0;
    watch_it(&scene, read_error, WATCH_READ);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "e");
    assert_int_equal(scene.bytes, 4);
    scene_dispose(&scene);
}

static void files_and_devices_are_always_ready(void **state)
{
    static const char *const paths[] = {"/dev/null", "/proc/self/exe"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct scene scene;
        scene_init(&scene);
        close(scene.fd);
        scene.fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        if (scene.fd >= 0) {
            watch_it(&scene, unwatch, WATCH_READ);
            loop_run(scene.loop);
            assert_string_equal(scene.order, "r");
        }
        scene_dispose(&scene);
    }
}

static void a_descriptor_that_is_not_open_is_refused(void **state)
{
    struct scene scene;
    struct error err;
    scene_init(&scene);
    assert_null(watch_new(scene.loop, 1000000, unwatch, &scene, &err));
    assert_int_equal(err.os, EBADF);
    scene_dispose(&scene);
}

/* --- Threads and signals ------------------------------------------------------------------- */

static void count_wakes(void *context)
{
    struct scene *scene = context;
    scene->calls++;
    loop_stop(scene->loop);
}

static void *wake_often(void *context)
{
    struct scene *scene = context;
    for (int i = 0; i < 1000; i++)
        wake_signal(scene->wake);
    return NULL;
}

static void another_thread_wakes_the_loop(void **state)
{
    struct scene scene;
    pthread_t thread;
    scene_init(&scene);
    scene.wake = wake_new(scene.loop, count_wakes, &scene);
    assert_int_equal(pthread_create(&thread, NULL, wake_often, &scene), 0);
    loop_run(scene.loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(scene.calls >= 1 && scene.calls <= 1000);
    scene_dispose(&scene);
}

static void on_number(void *context, int number)
{
    struct scene *scene = context;
    note(scene, number == SIGUSR1 ? '1' : '2');
    if (number == SIGUSR2)
        loop_stop(scene->loop);
}

static void signals_are_callbacks(void **state)
{
    struct scene scene;
    scene_init(&scene);
    struct signals *signals = signals_new(scene.loop, on_number, &scene);
    signals_add(signals, SIGUSR1);
    signals_add(signals, SIGUSR2);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    loop_run(scene.loop);
    assert_string_equal(scene.order, "12");
    signals_free(signals);
    signals_free(signals_new(scene.loop, on_number, &scene)); /* with none */
    scene_dispose(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_and_may_start_itself_again),
        cmocka_unit_test(timers_fire_in_the_order_of_their_times_unless_stopped),
        cmocka_unit_test(a_timer_may_free_itself_and_another_that_is_due),
        cmocka_unit_test(later_comes_after_the_callback_and_before_sleep),
        cmocka_unit_test(what_is_freed_is_not_run_later),
        cmocka_unit_test(what_was_not_read_is_told_again_until_the_end),
        cmocka_unit_test(a_full_socket_is_writable_once_there_is_room),
        cmocka_unit_test(what_is_not_wanted_is_not_told),
        cmocka_unit_test(a_watch_may_free_itself_and_another_that_is_ready),
        cmocka_unit_test(a_reset_is_told_by_the_next_read),
        cmocka_unit_test(files_and_devices_are_always_ready),
        cmocka_unit_test(a_descriptor_that_is_not_open_is_refused),
        cmocka_unit_test(another_thread_wakes_the_loop),
        cmocka_unit_test(signals_are_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
