/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

/* A sanitizer's shadow memory is larger than any limit. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOWED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHADOWED
#endif
#endif

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this machine's AUDIT_ARCH here"
#endif

/* What a decoder may call. */
static const int allowed[] = {
    SYS_read,
    SYS_pread64,
    SYS_lseek,
    SYS_close,
    SYS_fstat,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getpid,
    SYS_gettid,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_getrandom,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_membarrier,
    SYS_getcpu,
    SYS_gettimeofday,
    SYS_restart_syscall,
};

/* What no decoder does by mistake: it ends the process at once. Everything that is in neither
 * list fails with EPERM, as opening a file does. */
static const int deadly[] = {
    SYS_execve, SYS_execveat, SYS_socket, SYS_connect,           SYS_bind, SYS_sendto, SYS_sendmsg,
    SYS_ptrace, SYS_kill,     SYS_tgkill, SYS_process_vm_writev,
};

enum { MAX_RULES = 192 };

struct program {
    struct sock_filter code[MAX_RULES];
    unsigned short size;
};

static void put(struct program *program, struct sock_filter instruction)
{
    if (program->size < MAX_RULES)
        program->code[program->size++] = instruction;
}

static void load(struct program *program, size_t offset)
{
    put(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

static void answer(struct program *program, unsigned action)
{
    put(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* When call `number` is made: `action`. */
static void rule(struct program *program, int number, unsigned action)
{
    put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1));
    answer(program, action);
}

/* When call `number` is made: allowed if its argument masked with `mask` is `value`, otherwise
 * `refusal`. The low half of the argument is enough for flags and descriptors. */
struct argument_rule {
    int number, argument;
    unsigned mask, value, refusal;
};

static void argument(struct program *program, const struct argument_rule *r)
{
    put(program,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)r->number, 0, 5));
    load(program, offsetof(struct seccomp_data, args) + (size_t)r->argument * 8);
    put(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, r->mask));
    put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->value, 0, 1));
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, r->refusal);
}

static void program_write(struct program *program, int write_fd)
{
    const unsigned refuse = SECCOMP_RET_ERRNO | EPERM, end = SECCOMP_RET_KILL_PROCESS;
    const struct argument_rule rules[] = {
        {SYS_mmap, 2, PROT_EXEC, 0, end},
        {SYS_mprotect, 2, PROT_EXEC, 0, end},
        {SYS_clone, 0, CLONE_THREAD, CLONE_THREAD, end},
        {SYS_write, 0, ~0U, (unsigned)write_fd, refuse},
        {SYS_prctl, 0, ~0U, PR_SET_NAME, refuse},
        {SYS_prlimit64, 0, ~0U, 0, refuse}, /* its own, which it cannot raise above what is below */
    };
    load(program, offsetof(struct seccomp_data, arch));
    put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0));
    answer(program, end);
    load(program, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        rule(program, allowed[i], SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        rule(program, deadly[i], end);
    /* Its flags are behind a pointer, out of sight: the C library then uses clone. */
    rule(program, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        argument(program, &rules[i]);
    answer(program, refuse);
}

static bool filter_calls(int write_fd, struct error *err)
{
    struct program program = {.size = 0};
    program_write(&program, write_fd);
    struct sock_fprog filter = {.len = program.size, .filter = program.code};
    if (program.size >= MAX_RULES)
        return error_set(err, ERROR_INTERNAL, "the list of system calls is too long");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_os(err, errno, "give up privileges");
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
        return error_os(err, errno, "filter system calls");
    return true;
}

/* Address space in use; a limit below it would make every allocation fail. */
static size_t memory_now(void)
{
    char line[128];
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    size_t pages = fgets(line, sizeof line, file) ? strtoul(line, NULL, 10) : 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool limit(int what, rlim_t value, struct error *err)
{
    struct rlimit both = {value, what == RLIMIT_CPU ? value + 1 : value};
    return setrlimit((__rlimit_resource_t)what, &both) == 0 ||
           error_os(err, errno, "set resource limit %d", what);
}

bool confine(const struct limits *limits, int write_fd, struct error *err)
{
#ifndef SHADOWED
    if (!limit(RLIMIT_AS, memory_now() + limits->memory_bytes, err))
        return false;
#else
    (void)memory_now;
#endif
    return limit(RLIMIT_CPU, (rlim_t)limits->cpu_s, err) && limit(RLIMIT_FSIZE, 0, err) &&
           limit(RLIMIT_CORE, 0, err) && limit(RLIMIT_NOFILE, (rlim_t)write_fd + 1, err) &&
           prctl(PR_SET_DUMPABLE, 0) == 0 && filter_calls(write_fd, err);
}
