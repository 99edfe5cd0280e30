/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sync/ignore.h"
#include "sync/leftover.h"
#include "sync/path.h"
#include "sys/fs.h"
#include "sys/fswatch.h"

enum { RESULTS = 16 /* at once, to the thread that takes them */ };

/* One folder: a task before it is listed, a result after. */
struct job {
    struct scan_dir dir;
    char *path; /* owned, the same as dir.path */
    const struct ignore_dir *rules;
    struct scan_entry *entries;
    char *names;
    size_t capacity, names_size, names_capacity;
    struct job *next;
};

struct run {
    const struct scan_options *options;
    scan_got *got;
    void *context;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work, results;
    struct job *todo;
    struct job *done, **done_end;
    size_t outstanding; /* jobs not yet listed */
    unsigned idle;      /* threads that wait for a task */
    unsigned done_count;
    bool driver_waits;
};

static struct job *job_new(const char *parent, const char *name, const struct ignore_dir *rules)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->path = *parent ? xasprintf("%s/%s", parent, name) : xstrdup(name);
    job->rules = rules;
    job->dir.path = job->path;
    job->dir.token = -1;
    return job;
}

static void job_free(struct job *job)
{
    free(job->path);
    free(job->entries);
    free(job->names);
    free(job);
}

static void push_todo(struct run *run, struct job *job)
{
    pthread_mutex_lock(&run->lock);
    job->next = run->todo;
    run->todo = job;
    run->outstanding++;
    pthread_mutex_unlock(&run->lock);
}

/* --- Listing one folder -------------------------------------------------------------------- */

static void add_name(struct job *job, const char *name, size_t size, uint8_t kind)
{
    if (job->dir.count == job->capacity) {
        job->capacity = job->capacity ? job->capacity * 2 : 32;
        job->entries = xreallocarray(job->entries, job->capacity, sizeof *job->entries);
    }
    if (job->names_size + size + 1 > job->names_capacity) {
        job->names_capacity = job->names_capacity ? job->names_capacity * 2 : 1024;
        job->names = xrealloc(job->names, job->names_capacity);
    }
    job->entries[job->dir.count++] = (struct scan_entry){
        .name = (uint32_t)job->names_size, .name_size = (uint8_t)size, .kind = kind};
    memcpy(job->names + job->names_size, name, size + 1);
    job->names_size += size + 1;
}

static uint8_t kind_of_type(unsigned char type)
{
    switch (type) {
    case DT_REG:
        return SCAN_FILE;
    case DT_DIR:
        return SCAN_DIR;
    case DT_LNK:
        return SCAN_LINK;
    case DT_UNKNOWN:
        return 0;
    default:
        return SCAN_SPECIAL;
    }
}

static uint8_t kind_of_mode(mode_t mode)
{
    return S_ISREG(mode)   ? SCAN_FILE
           : S_ISDIR(mode) ? SCAN_DIR
           : S_ISLNK(mode) ? SCAN_LINK
                           : SCAN_SPECIAL;
}

/* All names, before any is judged: the folder's own rules may be among them. */
static bool read_names(struct job *job, DIR *stream)
{
    bool has_rules = false;
    errno = 0;
    for (struct dirent *item; (item = readdir(stream)); errno = 0) {
        const char *name = item->d_name;
        size_t size = strlen(name);
        if (size > PATH_MAX_NAME ||
            (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))))
            continue;
        has_rules = has_rules || strcmp(name, ".gitignore") == 0;
        add_name(job, name, size, kind_of_type(item->d_type));
    }
    if (errno) {
        job->dir.failed = true;
        job->dir.count = 0;
        error_os(&job->dir.error, errno, "list folder");
    }
    return has_rules;
}

static void learn_rules(const struct scan_options *options, struct job *job, int fd)
{
    AUTO(fd_close) int file =
        openat(fd, ".gitignore", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat stat;
    if (file < 0 || fstat(file, &stat) != 0 || !S_ISREG(stat.st_mode))
        return;
    AUTO(buf_dispose) struct buf text = BUF(1024 * 1024);
    uint8_t *room;
    while ((room = buf_reserve(&text, 16 * 1024, NULL))) {
        ssize_t got = read(file, room, 16 * 1024);
        if (got <= 0)
            break;
        buf_commit(&text, (size_t)got);
    }
    job->rules = ignore_add(options->ignore, job->rules, job->path, buf_bytes(&text));
}

static bool stat_entry(struct job *job, struct scan_entry *entry, int fd)
{
    struct stat stat;
    if (fstatat(fd, job->names + entry->name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return false; /* gone since: its event will come */
    entry->kind = kind_of_mode(stat.st_mode);
    entry->mode = (uint16_t)(stat.st_mode & 0777);
    entry->size = (uint64_t)stat.st_size;
    entry->inode = stat.st_ino;
    entry->mtime_ns = fs_mtime_ns(&stat);
    entry->ctime_ns = fs_ctime_ns(&stat);
    return true;
}

/* Drops what is ignored or vanished and stats the rest. */
static void judge_entries(struct run *run, struct job *job, int fd)
{
    char path[PATH_MAX_SIZE + PATH_MAX_NAME + 2];
    size_t kept = 0;
    size_t prefix = strlen(job->path);
    memcpy(path, job->path, prefix);
    if (prefix)
        path[prefix++] = '/';
    for (size_t i = 0; i < job->dir.count; i++) {
        struct scan_entry entry = job->entries[i];
        const char *name = job->names + entry.name;
        if (leftover_is(name)) {
            leftover_remove(fd, name);
            continue;
        }
        if (prefix + entry.name_size > PATH_MAX_SIZE) {
            job->dir.left_out = true;
            continue;
        }
        memcpy(path + prefix, name, (size_t)entry.name_size + 1);
        bool known = entry.kind != 0;
        if (!known && !stat_entry(job, &entry, fd))
            continue;
        enum ignore_verdict verdict =
            ignore_match(run->options->ignore, job->rules, path, entry.kind == SCAN_DIR);
        job->dir.ignored += verdict == IGNORE_RULE;
        job->dir.protected_names += verdict == IGNORE_PROTECTED;
        if (verdict || (known && !stat_entry(job, &entry, fd)))
            continue;
        job->entries[kept++] = entry;
    }
    job->dir.count = kept;
}

static bool too_deep(const char *path)
{
    unsigned depth = *path != '\0';
    for (; *path; path++)
        depth += *path == '/';
    return depth >= PATH_MAX_DEPTH;
}

static void list_folder(struct run *run, struct job *job)
{
    const struct scan_options *options = run->options;
    if (too_deep(job->path)) {
        job->dir.failed = true;
        error_set(&job->dir.error, ERROR_LIMIT, "too deep: what is in it is not synced");
        return;
    }
    int fd = fs_open_beneath(options->root, job->path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        job->dir.failed = true;
        error_os(&job->dir.error, errno, "open folder");
        return;
    }
    if (options->watch) {
        job->dir.token = fswatch_claim(options->watch, fd, &job->dir.error);
        job->dir.unwatched = job->dir.token < 0;
    }
    DIR *stream = fdopendir(fd);
    if (!stream) {
        job->dir.failed = true;
        error_os(&job->dir.error, errno, "list folder");
        close(fd);
        return;
    }
    bool has_rules = read_names(job, stream);
    if (!options->learn)
        job->rules = ignore_dir_at(options->ignore, job->rules, job->path);
    else if (has_rules)
        learn_rules(options, job, fd);
    judge_entries(run, job, fd);
    closedir(stream);
}

/* Lists the folder, hands it on as a result and adds the folders in it to the tasks. */
static void run_job(struct run *run, struct job *job)
{
    list_folder(run, job);
    job->dir.entries = job->entries;
    job->dir.names = job->names;
    struct job *children = NULL;
    unsigned wakes = 0;
    for (size_t i = 0; run->options->recurse && i < job->dir.count; i++) {
        if (job->entries[i].kind != SCAN_DIR)
            continue;
        struct job *child = job_new(job->path, job->names + job->entries[i].name, job->rules);
        child->next = children;
        children = child;
    }
    pthread_mutex_lock(&run->lock);
    job->next = NULL;
    *run->done_end = job;
    run->done_end = &job->next;
    while (children) {
        struct job *child = children;
        children = child->next;
        child->next = run->todo;
        run->todo = child;
        run->outstanding++;
        wakes++;
    }
    bool last = --run->outstanding == 0;
    if (wakes)
        wakes--; /* one stays with this thread */
    if (wakes > run->idle)
        wakes = run->idle;
    bool tell = run->driver_waits && (++run->done_count >= RESULTS || last);
    pthread_mutex_unlock(&run->lock);
    if (last)
        pthread_cond_broadcast(&run->work);
    for (; !last && wakes; wakes--)
        pthread_cond_signal(&run->work);
    if (tell)
        pthread_cond_signal(&run->results);
}

/* --- Threads ------------------------------------------------------------------------------- */

static struct job *take_todo(struct run *run)
{
    struct job *job = run->todo;
    if (job)
        run->todo = job->next;
    return job;
}

static void *work(void *context)
{
    struct run *run = context;
    pthread_mutex_lock(&run->lock);
    while (run->outstanding) {
        struct job *job = take_todo(run);
        if (!job) {
            run->idle++;
            pthread_cond_wait(&run->work, &run->lock);
            run->idle--;
            continue;
        }
        pthread_mutex_unlock(&run->lock);
        run_job(run, job);
        pthread_mutex_lock(&run->lock);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* The caller's thread reports what is listed, and lists when nothing is there to report. */
static void drive(struct run *run, bool alone)
{
    pthread_mutex_lock(&run->lock);
    for (;;) {
        struct job *done = run->done;
        run->done = NULL;
        run->done_end = &run->done;
        struct job *todo = done || !alone ? NULL : take_todo(run);
        bool finished = !done && !run->outstanding;
        if (!done && !todo && !finished) {
            run->driver_waits = true;
            run->done_count = 0;
            pthread_cond_wait(&run->results, &run->lock);
            run->driver_waits = false;
            continue;
        }
        pthread_mutex_unlock(&run->lock);
        while (done) {
            struct job *next = done->next;
            run->got(run->context, &done->dir);
            job_free(done);
            done = next;
        }
        if (todo)
            run_job(run, todo);
        if (finished)
            return;
        pthread_mutex_lock(&run->lock);
    }
}

bool scan_run(const struct scan_options *options, scan_got *got, void *context, struct error *err)
{
    enum { MAX_THREADS = 8 };
    AUTO(fd_close) int start =
        fs_open_beneath(options->root, options->start, O_RDONLY | O_DIRECTORY, 0);
    if (start < 0)
        return error_os(err, errno, "open folder");
    struct run run = {.options = options, .got = got, .context = context};
    pthread_mutex_init(&run.lock, NULL);
    pthread_cond_init(&run.work, NULL);
    pthread_cond_init(&run.results, NULL);
    run.done_end = &run.done;

    const struct ignore_dir *rules = NULL;
    if (*options->start) { /* the chain around the start */
        AUTO(mem_free) char *partial = xstrdup(options->start);
        rules = ignore_dir_at(options->ignore, NULL, "");
        for (char *slash = partial; (slash = strchr(slash, '/')); *slash++ = '/') {
            *slash = '\0';
            rules = ignore_dir_at(options->ignore, rules, partial);
        }
    }
    push_todo(&run, job_new("", options->start, rules));
    pthread_t threads[MAX_THREADS];
    unsigned started = 0;
    for (; options->threads > 1 && started < options->threads && started < MAX_THREADS; started++)
        if (pthread_create(&threads[started], NULL, work, &run) != 0)
            break;
    drive(&run, started == 0);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&run.results);
    pthread_cond_destroy(&run.work);
    pthread_mutex_destroy(&run.lock);
    return true;
}
