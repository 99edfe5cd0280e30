/* SPDX-License-Identifier: Apache-2.0 */
/* The tool's side of NVTX 3, which needs no header and no library of ours: its library exports
 * InitializeInjectionNvtx2, is given a function that hands out tables, and writes the functions
 * that it wants called into the places that the tables point to. Tables are known by number, and
 * so are the places in them. */
#include "infer/trace.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    /* Tables that are asked for */
    TABLE_CALLBACKS = 1,
    TABLE_VERSION = 3,
    /* Modules of callbacks */
    MODULE_CORE = 1,
    MODULES = 7,
    /* Places in the core module */
    CORE_PUSH = 9,
    CORE_POP = 11,
    PLACES = 16,
};

typedef void any_function(void);
typedef int push_function(const char *name);
typedef int pop_function(void);

/* Written by the tool while it begins, and only read afterwards. */
static any_function *places[MODULES][PLACES + 1];
static any_function **tables[MODULES][PLACES + 1];
static push_function *push;
static pop_function *pop;

static int module_table(uint32_t module, any_function ****out_table, unsigned *out_size)
{
    if (module == 0 || module >= MODULES)
        return 0;
    for (int i = 0; i < PLACES; i++)
        tables[module][i] = &places[module][i];
    if (out_size)
        *out_size = PLACES;
    if (out_table)
        *out_table = tables[module];
    return 1;
}

static void tool_version(uint32_t version)
{
    (void)version;
}

static const void *table_of(uint32_t number)
{
    static const struct {
        size_t size;
        int (*module_table)(uint32_t module, any_function ****out_table, unsigned *out_size);
    } callbacks = {sizeof callbacks, module_table};
    static const struct {
        size_t size;
        uint32_t version, reserved;
        void (*set_tool_version)(uint32_t version);
    } version = {sizeof version, 3, 0, tool_version};
    return number == TABLE_CALLBACKS ? (const void *)&callbacks
           : number == TABLE_VERSION ? (const void *)&version
                                     : NULL;
}

bool trace_begin(const char *library, char *out_reason, unsigned long size)
{
    int (*begin)(const void *(*tables)(uint32_t number)) = NULL;
    out_reason[0] = '\0';
    if (!library || !*library)
        return true;
    void *tool = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (tool)
        *(void **)&begin = dlsym(tool, "InitializeInjectionNvtx2");
    if (!begin || begin(table_of) != 1) {
        const char *why = begin ? "it takes no ranges" : dlerror();
        snprintf(out_reason, size, "NVTX_INJECTION64_PATH: %s", why ? why : "it cannot be loaded");
        return false;
    }
    push = (push_function *)(void *)places[MODULE_CORE][CORE_PUSH];
    pop = (pop_function *)(void *)places[MODULE_CORE][CORE_POP];
    return true;
}

void trace_push(const char *name)
{
    if (push)
        push(name);
}

void trace_pop(void)
{
    if (pop)
        pop();
}
