/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void memory_trim(void)
{
    malloc_trim(0);
}

void memory_trim_above(size_t bytes)
{
    if (mallinfo2().fordblks > bytes)
        malloc_trim(0);
}

void memory_in_large_pages(void *start, size_t bytes)
{
    (void)madvise(start, bytes, MADV_HUGEPAGE); /* a kernel may be built without them */
}

void memory_keep_little(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 3 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

/* Are there places in the code itself that the loader had to change? */
static bool code_changed(const struct dl_phdr_info *object)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *entry = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
                return true;
    }
    return false;
}

/* What may be written to keeps its pages, although the loader has made some of it read-only since:
 * it holds addresses that are in no file. */
static int let_go(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    uintptr_t page = *(const uintptr_t *)context;
    if (code_changed(object))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
            continue;
        uintptr_t from = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t to = object->dlpi_addr + segment->p_vaddr + segment->p_filesz;
        to = (to + page - 1) & ~(page - 1);
        madvise((void *)from, to - from, MADV_DONTNEED);
    }
    return 0;
}

void memory_let_go_of_code(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(let_go, &page); /* no library comes or goes meanwhile: it holds their lock */
}
