/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/pinned_internal.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

enum { TENSORS = 32 };

struct pinned_slot {
    void *data[TENSORS];
    size_t size[TENSORS];
    struct pinned_slot *next;
};

struct pinned {
    const struct runtime *runtime;
    OrtMemoryInfo *memory;
    OrtAllocator *allocator;
    pthread_mutex_t lock; /* the next line */
    struct pinned_slot *idle;
};

struct pinned *pinned_open(const struct runtime *runtime, const OrtSession *session)
{
    const OrtApi *api = runtime->api;
    struct pinned *pinned = xcalloc(1, sizeof *pinned);
    pinned->runtime = runtime;
    pthread_mutex_init(&pinned->lock, NULL);
    if (ort_ok(runtime,
               api->CreateMemoryInfo("CudaPinned", OrtDeviceAllocator, 0, OrtMemTypeCPU,
                                     &pinned->memory),
               NULL) &&
        ort_ok(runtime, api->CreateAllocator(session, pinned->memory, &pinned->allocator), NULL))
        return pinned;
    pinned_close(pinned);
    return NULL;
}

static void slot_free(struct pinned *pinned, struct pinned_slot *slot)
{
    for (int i = 0; i < TENSORS; i++)
        if (slot->data[i])
            (void)ort_ok(pinned->runtime,
                         pinned->runtime->api->AllocatorFree(pinned->allocator, slot->data[i]),
                         NULL);
    free(slot);
}

void pinned_close(struct pinned *pinned)
{
    if (!pinned)
        return;
    while (pinned->idle) {
        struct pinned_slot *slot = pinned->idle;
        pinned->idle = slot->next;
        slot_free(pinned, slot);
    }
    if (pinned->allocator)
        pinned->runtime->api->ReleaseAllocator(pinned->allocator);
    if (pinned->memory)
        pinned->runtime->api->ReleaseMemoryInfo(pinned->memory);
    pthread_mutex_destroy(&pinned->lock);
    free(pinned);
}

struct pinned_slot *pinned_take(struct pinned *pinned)
{
    pthread_mutex_lock(&pinned->lock);
    struct pinned_slot *slot = pinned->idle;
    if (slot)
        pinned->idle = slot->next;
    pthread_mutex_unlock(&pinned->lock);
    return slot ? slot : xcalloc(1, sizeof *slot);
}

void pinned_give(struct pinned *pinned, struct pinned_slot *slot)
{
    pthread_mutex_lock(&pinned->lock);
    slot->next = pinned->idle;
    pinned->idle = slot;
    pthread_mutex_unlock(&pinned->lock);
}

void *pinned_room(struct pinned *pinned, struct pinned_slot *slot, int index, size_t size)
{
    const OrtApi *api = pinned->runtime->api;
    if (index >= TENSORS || size == 0)
        return NULL;
    if (slot->size[index] >= size)
        return slot->data[index];
    if (slot->data[index])
        (void)ort_ok(pinned->runtime, api->AllocatorFree(pinned->allocator, slot->data[index]),
                     NULL);
    slot->data[index] = NULL;
    slot->size[index] = 0;
    if (!ort_ok(pinned->runtime, api->AllocatorAlloc(pinned->allocator, size, &slot->data[index]),
                NULL))
        slot->data[index] = NULL;
    if (slot->data[index])
        slot->size[index] = size;
    return slot->data[index];
}

const OrtMemoryInfo *pinned_memory(const struct pinned *pinned)
{
    return pinned->memory;
}
