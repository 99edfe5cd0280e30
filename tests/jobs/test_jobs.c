/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/jobs.h"

static const int64_t patience_ms = 20 * 1000; /* never waited for when all is well */

struct place {
    char *dir, *path;
};

static struct place place_new(void)
{
    struct place place = {.dir = test_dir_new()};
    place.path = xasprintf("%s/jobs.db", place.dir);
    return place;
}

static void place_free_auto(struct place *place)
{
    free(place->path);
    test_dir_free(place->dir);
}

static struct jobs *open_with(struct place *place, struct jobs_options options)
{
    struct error err;
    options.path = place->path;
    options.first_retry_ms = 1;
    struct jobs *jobs = jobs_open(&options, &err);
    assert_ok(jobs, &err);
    return jobs;
}

static struct jobs *open_at(struct place *place)
{
    return open_with(place, (struct jobs_options){0});
}

static void submit(struct jobs *jobs, const char *request, char id[JOB_ID_SIZE])
{
    struct error err;
    assert_ok(jobs_submit(jobs, request, id, &err), &err);
}

static struct job *get(struct jobs *jobs, const char *id)
{
    struct error err;
    struct job *job = jobs_get(jobs, id, &err);
    assert_ok(job, &err);
    return job;
}

static struct job *wait_for_end(struct jobs *jobs, const char *id)
{
    int64_t deadline = mono_ms() + patience_ms;
    struct job *job = get(jobs, id);
    while (!job_state_final(job->state) && mono_ms() < deadline) {
        int64_t seen = job->revision;
        job_free(job);
        jobs_wait(jobs, id, seen, deadline - mono_ms());
        job = get(jobs, id);
    }
    return job;
}

/* Handler: echoes the request after two steps. */
static char *echo(void *context, struct job_run *run, struct error *err)
{
    job_run_progress(run, "first", 20, 900);
    job_run_progress(run, "second", 10, 800); /* ignored: less than before */
    if (context)
        atomic_fetch_add((atomic_int *)context, 1);
    return xstrdup(job_run_request(run));
}

static void start(struct jobs *jobs, job_handler *handler, void *context)
{
    struct error err;
    assert_ok(jobs_start(jobs, 2, handler, context, &err), &err);
}

static void what_is_submitted_gets_done(void **state)
{
    AUTO(place_free) struct place place = place_new();
    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    char ids[20][JOB_ID_SIZE];
    for (int i = 0; i < 20; i++)
        submit(jobs, "{\"n\":1}", ids[i]);
    AUTO(job_free) struct job *waiting = get(jobs, ids[4]);
    assert_int_equal(waiting->state, JOB_QUEUED);
    assert_int_equal(waiting->position, 5);
    atomic_int runs = 0;
    start(jobs, echo, &runs);
    for (int i = 0; i < 20; i++) {
        AUTO(job_free) struct job *job = wait_for_end(jobs, ids[i]);
        assert_int_equal(job->state, JOB_DONE);
        assert_string_equal(job->result, "{\"n\":1}");
        assert_true(job->progress >= 100 && job->eta_ms == 0);
        assert_true(job->completed_ms >= job->started_ms && job->started_ms >= job->created_ms);
        assert_int_equal(job->attempts, 1);
    }
    assert_int_equal(atomic_load(&runs), 20);
    struct jobs_counts counts;
    jobs_counts(jobs, &counts);
    assert_int_equal(counts.states[JOB_DONE], 20);
    assert_int_equal(counts.states[JOB_QUEUED], 0);
}

static void an_accepted_job_outlives_the_process(void **state)
{
    AUTO(place_free) struct place place = place_new();
    char id[JOB_ID_SIZE];
    struct jobs *before = open_at(&place);
    submit(before, "{}", id);
    AUTO(job_free) struct job *queued = get(before, id);
    jobs_close(before);

    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    start(jobs, echo, NULL);
    AUTO(job_free) struct job *job = wait_for_end(jobs, id);
    assert_int_equal(job->state, JOB_DONE);
    assert_true(job->revision > queued->revision);
}

static char *die(void *context, struct job_run *run, struct error *err)
{
    struct error ignored;
    if (!job_run_note(run, "talk", "tlk_1", &ignored))
        _exit(1);
    raise(SIGKILL);
    return NULL;
}

static char *read_note(void *context, struct job_run *run, struct error *err)
{
    return job_run_noted(run, "talk");
}

/* The next process does not wait for the lease to run out: it sees that the owner is gone. */
static void a_killed_workers_job_is_taken_over(void **state)
{
    AUTO(place_free) struct place place = place_new();
    char id[JOB_ID_SIZE];
    struct jobs *first = open_at(&place);
    submit(first, "{}", id);
    jobs_close(first);

    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        struct jobs *doomed = open_at(&place);
        start(doomed, die, NULL);
        jobs_wait(doomed, id, INT64_MAX - 1, patience_ms);
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    start(jobs, read_note, NULL);
    AUTO(job_free) struct job *job = wait_for_end(jobs, id);
    assert_int_equal(job->state, JOB_DONE);
    assert_string_equal(job->result, "tlk_1");
    assert_int_equal(job->attempts, 2);
    struct jobs_counts counts;
    jobs_counts(jobs, &counts);
    assert_int_equal(counts.takeovers, 1);
}

static char *never(void *context, struct job_run *run, struct error *err)
{
    job_run_progress(run, "busy", 1, -1);
    sem_post(context);
    while (!job_run_cancelled(run))
        sched_yield();
    error_set(err, ERROR_CANCELLED, "stopped");
    return NULL;
}

static void cancelling_ends_queued_and_running_jobs(void **state)
{
    AUTO(place_free) struct place place = place_new();
    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    char ids[3][JOB_ID_SIZE];
    for (int i = 0; i < 3; i++)
        submit(jobs, "{}", ids[i]);
    sem_t running;
    sem_init(&running, 0, 0);
    start(jobs, never, &running);
    sem_wait(&running);
    sem_wait(&running);

    struct error err;
    for (int i = 2; i >= 0; i--) {
        assert_ok(jobs_cancel(jobs, ids[i], &err), &err);
        AUTO(job_free) struct job *job = wait_for_end(jobs, ids[i]);
        assert_int_equal(job->state, JOB_CANCELLED);
        assert_null(job->error.text);
        assert_false(jobs_cancel(jobs, ids[i], &err));
        assert_int_equal(err.kind, ERROR_CONFLICT);
    }
    assert_false(jobs_cancel(jobs, "nobody", &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_string_equal(err.code, "job_unknown");
    sem_destroy(&running);
}

static void stopping_puts_running_jobs_back(void **state)
{
    AUTO(place_free) struct place place = place_new();
    struct jobs *before = open_at(&place);
    char id[JOB_ID_SIZE];
    submit(before, "{}", id);
    sem_t running;
    sem_init(&running, 0, 0);
    start(before, never, &running);
    sem_wait(&running);
    jobs_stop(before, 0);
    struct error err;
    char refused[JOB_ID_SIZE];
    assert_false(jobs_submit(before, "{}", refused, &err));
    assert_string_equal(err.code, "shutting_down");
    AUTO(job_free) struct job *queued = get(before, id);
    assert_int_equal(queued->state, JOB_QUEUED);
    jobs_close(before);

    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    start(jobs, echo, NULL);
    AUTO(job_free) struct job *job = wait_for_end(jobs, id);
    assert_int_equal(job->state, JOB_DONE);
    sem_destroy(&running);
}

struct flaky {
    enum error_kind kind;
    int failures;
    atomic_int calls;
};

static char *fail_some(void *context, struct job_run *run, struct error *err)
{
    struct flaky *flaky = context;
    if (atomic_fetch_add(&flaky->calls, 1) >= flaky->failures)
        return xstrdup("{}");
    error_set(err, flaky->kind, "the voice is away");
    error_about(err, "voice_profile", "voice_away");
    return NULL;
}

static void only_passing_trouble_is_tried_again(void **state)
{
    static const struct {
        struct flaky flaky;
        enum job_state end;
        int calls;
    } cases[] = {
        {{ERROR_UNAVAILABLE, 2, 0}, JOB_DONE, 3},
        {{ERROR_TIMEOUT, 99, 0}, JOB_ERROR, 4},
        {{ERROR_INVALID, 99, 0}, JOB_ERROR, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(place_free) struct place place = place_new();
        struct flaky flaky = {cases[i].flaky.kind, cases[i].flaky.failures, 0};
        AUTO(jobs_close) struct jobs *jobs = open_at(&place);
        start(jobs, fail_some, &flaky);
        char id[JOB_ID_SIZE];
        submit(jobs, "{}", id);
        AUTO(job_free) struct job *job = wait_for_end(jobs, id);
        assert_int_equal(job->state, cases[i].end);
        assert_int_equal(atomic_load(&flaky.calls), cases[i].calls);
        if (job->state == JOB_ERROR) {
            assert_string_equal(job->error.text, "the voice is away");
            assert_string_equal(job->error.code, "voice_away");
            assert_string_equal(job->error.field, "voice_profile");
            assert_int_equal(job->error.kind, cases[i].flaky.kind);
        }
        jobs_stop(jobs, 0);
    }
}

static void a_full_queue_refuses(void **state)
{
    AUTO(place_free) struct place place = place_new();
    AUTO(jobs_close) struct jobs *jobs = open_with(&place, (struct jobs_options){.max_waiting = 2});
    char id[JOB_ID_SIZE];
    struct error err;
    submit(jobs, "{}", id);
    assert_ok(jobs_room(jobs, &err), &err);
    submit(jobs, "{}", id);
    assert_false(jobs_room(jobs, &err));
    assert_false(jobs_submit(jobs, "{}", id, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
    assert_string_equal(err.code, "queue_full");
}

static void count_wake(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void watchers_are_woken_for_their_job(void **state)
{
    AUTO(place_free) struct place place = place_new();
    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    char mine[JOB_ID_SIZE], other[JOB_ID_SIZE];
    atomic_int all = 0, one = 0;
    struct job_watch *everything = jobs_watch(jobs, NULL, count_wake, &all);
    submit(jobs, "{}", mine);
    struct job_watch *watch = jobs_watch(jobs, mine, count_wake, &one);
    submit(jobs, "{}", other);
    assert_int_equal(atomic_load(&all), 2);
    assert_int_equal(atomic_load(&one), 0);
    struct error err;
    assert_ok(jobs_cancel(jobs, other, &err), &err);
    assert_int_equal(atomic_load(&one), 0);
    assert_ok(jobs_cancel(jobs, mine, &err), &err);
    assert_int_equal(atomic_load(&one), 1);
    job_watch_end(watch);
    jobs_stop(jobs, 0);
    assert_int_equal(atomic_load(&one), 1);
    assert_int_equal(atomic_load(&all), 5);
    job_watch_end(everything);
}

static void progress_never_goes_back(void **state)
{
    AUTO(place_free) struct place place = place_new();
    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    sem_t running;
    sem_init(&running, 0, 0);
    start(jobs, never, &running);
    char id[JOB_ID_SIZE];
    submit(jobs, "{}", id);
    sem_wait(&running);
    AUTO(job_free) struct job *job = get(jobs, id);
    assert_int_equal(job->state, JOB_RUNNING);
    assert_string_equal(job->stage, "busy");
    assert_true(job->progress >= 1 && job->progress < 2);
    assert_int_equal(job->eta_ms, -1);
    jobs_stop(jobs, 0);
    sem_destroy(&running);
}

static void the_list_begins_with_the_latest(void **state)
{
    AUTO(place_free) struct place place = place_new();
    AUTO(jobs_close) struct jobs *jobs = open_at(&place);
    char ids[3][JOB_ID_SIZE];
    struct error err;
    for (int i = 0; i < 3; i++)
        submit(jobs, "{}", ids[i]);
    assert_ok(jobs_cancel(jobs, ids[1], &err), &err);
    struct job **list;
    size_t count;
    assert_ok(jobs_list(jobs, JOB_STATES, 2, &list, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(list[0]->id, ids[2]);
    assert_string_equal(list[1]->id, ids[1]);
    job_free(list[0]);
    job_free(list[1]);
    free(list);
    assert_ok(jobs_list(jobs, JOB_CANCELLED, 9, &list, &count, &err), &err);
    assert_int_equal(count, 1);
    job_free(list[0]);
    free(list);
    int64_t removed;
    assert_ok(jobs_sweep(jobs, wall_ms(), &removed, &err), &err);
    assert_int_equal(removed, 0);
    assert_ok(jobs_sweep(jobs, wall_ms() + INT64_C(31) * 24 * 3600 * 1000, &removed, &err), &err);
    assert_int_equal(removed, 1);
    assert_null(jobs_get(jobs, ids[1], &err));
}

static void a_damaged_database_is_moved_aside(void **state)
{
    static const char *const contents[] = {"this is no database, but long enough to be one …",
                                           "SQLite format 3\0garbage"};
    for (size_t i = 0; i < 2; i++) {
        AUTO(place_free) struct place place = place_new();
        uint8_t bytes[4096] = {0};
        memcpy(bytes, contents[i], 24);
        struct error err;
        assert_ok(file_write(place.path, (struct bytes){bytes, sizeof bytes}, &err), &err);
        AUTO(jobs_close) struct jobs *jobs = open_at(&place);
        char id[JOB_ID_SIZE];
        submit(jobs, "{}", id);
        AUTO(mem_free) char *find = xasprintf("ls %s/jobs.db.broken-* >/dev/null", place.dir);
        assert_int_equal(system(find), 0);
    }
}

static void a_database_of_a_newer_program_is_left_alone(void **state)
{
    AUTO(place_free) struct place place = place_new();
    jobs_close(open_at(&place));
    FILE *file = fopen(place.path, "r+b");
    assert_non_null(file);
    fseek(file, 60, SEEK_SET); /* user_version, big-endian */
    fwrite("\0\0\0\x63", 1, 4, file);
    fclose(file);
    struct error err;
    assert_null(jobs_open(&(struct jobs_options){.path = place.path}, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_non_null(strstr(err.text, "version 99"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_submitted_gets_done),
        cmocka_unit_test(an_accepted_job_outlives_the_process),
        cmocka_unit_test(a_killed_workers_job_is_taken_over),
        cmocka_unit_test(cancelling_ends_queued_and_running_jobs),
        cmocka_unit_test(stopping_puts_running_jobs_back),
        cmocka_unit_test(only_passing_trouble_is_tried_again),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(watchers_are_woken_for_their_job),
        cmocka_unit_test(progress_never_goes_back),
        cmocka_unit_test(the_list_begins_with_the_latest),
        cmocka_unit_test(a_damaged_database_is_moved_aside),
        cmocka_unit_test(a_database_of_a_newer_program_is_left_alone),
    };
    log_set(LOG_OFF, LOG_JSON, 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
